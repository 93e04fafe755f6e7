/* SPDX-License-Identifier: MIT */
/* Certificates, chains and SCTs made for tests. The SCTs are signed by hand (RFC 6962, 3.2), so
 * that OpenSSL's code is not its own judge. */
#include "tests/notary/mint.h"

#include <openssl/ct.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buffer.h"

#define DAY_S 86400

static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "mint: %s failed\n", what);
    abort();
}

EVP_PKEY *mint_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    require(key != NULL, "key");
    return key;
}

static void set_name(X509 *certificate, const char *name)
{
    require(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                       (const unsigned char *)name, -1, -1, 0) == 1,
            "name");
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    require(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, "extension");
    X509_EXTENSION_free(extension);
}

static void set_extensions(X509 *certificate, const struct mint *how)
{
    char names[512];
    if (how->authority) {
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
        return;
    }
    (void)snprintf(names, sizeof(names), "DNS:%s", how->name);
    add_extension(certificate, NID_subject_alt_name, names);
}

static X509 *unsigned_certificate(const struct mint *how)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    require(certificate != NULL, "certificate");
    require(X509_set_version(certificate, X509_VERSION_3) == 1, "version");
    require(ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++) == 1, "serial");
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), how->expired ? -DAY_S : DAY_S);
    set_name(certificate, how->name);
    require(X509_set_issuer_name(
                certificate,
                X509_get_subject_name(how->issuer == NULL ? certificate : how->issuer)) == 1,
            "issuer");
    require(X509_set_pubkey(certificate, how->key) == 1, "public key");
    set_extensions(certificate, how);
    return certificate;
}

static void put_digest(struct cvg_buffer *buffer, EVP_PKEY *key)
{
    unsigned char *der = NULL, digest[32];
    int len = i2d_PUBKEY(key, &der);
    require(len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1,
            "key's digest");
    OPENSSL_free(der);
    cvg_buffer_put(buffer, digest, sizeof(digest));
}

/* What a log signs of a precertificate. */
static void put_signed_entry(struct cvg_buffer *buffer, X509 *certificate, const struct mint *how,
                             int64_t time_ms)
{
    unsigned char *tbs = NULL;
    int len = i2d_re_X509_tbs(certificate, &tbs);
    require(len > 0, "TBS");
    cvg_buffer_put_u8(buffer, 0); /* version 1 */
    cvg_buffer_put_u8(buffer, 0); /* certificate_timestamp */
    cvg_buffer_put_u64(buffer, (uint64_t)time_ms);
    cvg_buffer_put_u16(buffer, 1); /* precert_entry */
    put_digest(buffer, how->issuer_key == NULL ? how->key : how->issuer_key);
    cvg_buffer_put_u8(buffer, (uint8_t)(len >> 16));
    cvg_buffer_put_u16(buffer, (uint16_t)len);
    cvg_buffer_put(buffer, tbs, (size_t)len);
    cvg_buffer_put_u16(buffer, 0); /* no extensions */
    OPENSSL_free(tbs);
    require(cvg_buffer_error(buffer) == CVG_OK, "entry");
}

static void put_signature(struct cvg_buffer *sct, EVP_PKEY *log, const struct cvg_buffer *entry)
{
    unsigned char signature[256];
    size_t len = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    require(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, log) == 1 &&
                EVP_DigestSign(context, signature, &len, entry->data, entry->len) == 1,
            "signature");
    EVP_MD_CTX_free(context);
    cvg_buffer_put_u8(sct, 4); /* SHA-256 */
    cvg_buffer_put_u8(sct, 3); /* ECDSA */
    cvg_buffer_put_u16(sct, (uint16_t)len);
    cvg_buffer_put(sct, signature, len);
}

static void put_sct(struct cvg_buffer *list, X509 *certificate, const struct mint *how, size_t log)
{
    struct cvg_buffer sct, entry;
    int64_t time_ms = how->log_time_ms != 0 ? how->log_time_ms : (int64_t)time(NULL) * 1000;
    cvg_buffer_init(&sct, 1024);
    cvg_buffer_init(&entry, 65536);
    put_signed_entry(&entry, certificate, how, time_ms);
    if (how->log_signs_wrong && log == how->log_count - 1)
        entry.data[entry.len / 2] ^= 1;
    cvg_buffer_put_u8(&sct, 0); /* version 1 */
    put_digest(&sct, how->log[log]);
    cvg_buffer_put_u64(&sct, (uint64_t)time_ms);
    cvg_buffer_put_u16(&sct, 0); /* no extensions */
    put_signature(&sct, how->log[log], &entry);
    cvg_buffer_put_u16(list, (uint16_t)sct.len);
    cvg_buffer_put(list, sct.data, sct.len);
    cvg_buffer_free(&sct);
    cvg_buffer_free(&entry);
}

/* The extension is an OCTET STRING with the list of SCTs inside, in that of every extension. */
static void embed_scts(X509 *certificate, const struct mint *how)
{
    struct cvg_buffer list;
    unsigned char *der = NULL;
    ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new(), *outer = ASN1_OCTET_STRING_new();
    cvg_buffer_init(&list, 65536);
    cvg_buffer_put_u16(&list, 0);
    for (size_t i = 0; i < how->log_count; i++)
        put_sct(&list, certificate, how, i);
    list.data[0] = (uint8_t)((list.len - 2) >> 8);
    list.data[1] = (uint8_t)(list.len - 2);
    require(ASN1_OCTET_STRING_set(inner, list.data, (int)list.len) == 1, "list");
    int len = i2d_ASN1_OCTET_STRING(inner, &der);
    require(len > 0 && ASN1_OCTET_STRING_set(outer, der, len) == 1, "list");
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_ct_precert_scts, 0, outer);
    require(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, "list");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(inner);
    ASN1_OCTET_STRING_free(outer);
    OPENSSL_free(der);
    cvg_buffer_free(&list);
}

X509 *mint_certificate(const struct mint *how)
{
    X509 *certificate = unsigned_certificate(how);
    EVP_PKEY *signer = how->issuer_key == NULL ? how->key : how->issuer_key;
    /* The first signature names its algorithm, which the logs sign, too. */
    require(X509_sign(certificate, signer, EVP_sha256()) > 0, "signature");
    if (how->log_count > 0) {
        embed_scts(certificate, how);
        require(X509_sign(certificate, signer, EVP_sha256()) > 0, "signature");
    }
    return certificate;
}

struct cvg_blob *mint_chain(X509 *const *certificate, size_t count)
{
    struct cvg_buffer octets;
    cvg_buffer_init(&octets, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(certificate[i], &der);
        require(len > 0, "DER");
        cvg_buffer_put_u8(&octets, (uint8_t)(len >> 16));
        cvg_buffer_put_u16(&octets, (uint16_t)len);
        cvg_buffer_put(&octets, der, (size_t)len);
        OPENSSL_free(der);
    }
    struct cvg_blob *chain = cvg_blob_new(octets.data, octets.len);
    require(chain != NULL, "chain");
    cvg_buffer_free(&octets);
    return chain;
}

static void write_log(FILE *file, size_t number, EVP_PKEY *log)
{
    unsigned char *der = NULL, base64[512];
    int len = i2d_PUBKEY(log, &der);
    require(len > 0 && len < 256, "log's key");
    EVP_EncodeBlock(base64, der, len);
    fprintf(file, "[log%zu]\ndescription = Log %zu\nkey = %s\n", number, number, (char *)base64);
    OPENSSL_free(der);
}

void mint_log_list(FILE *file, EVP_PKEY *const *log, size_t count)
{
    fprintf(file, "enabled_logs = ");
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%slog%zu", i > 0 ? "," : "", i);
    fprintf(file, "\n");
    for (size_t i = 0; i < count; i++)
        write_log(file, i, log[i]);
}

EVP_PKEY *mint_made_up_key(int bits)
{
    unsigned char modulus[2048];
    uint32_t exponent = 65537;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    size_t len = (size_t)bits / 8;
    memset(modulus, 0xff, sizeof(modulus)); /* in any order of octets */
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN("n", modulus, len),
                               OSSL_PARAM_construct_uint32("e", &exponent),
                               OSSL_PARAM_construct_end()};
    if (EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        abort();
    EVP_PKEY_CTX_free(context);
    return key;
}
