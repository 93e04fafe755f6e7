/* SPDX-License-Identifier: MIT */
/* New keys and the self-signed certificate of a notary. */
#include "notary/keypair.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

#define SERIAL_LEN  16
#define VALID_YEARS 20

enum cvg_error cvg_keypair_new(EVP_PKEY **ret_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL)
        return CVG_ERR_CRYPTO;
    *ret_key = key;
    return CVG_OK;
}

/* Appends what a memory BIO holds. */
static enum cvg_error drain(BIO *bio, struct cvg_buffer *ret_bytes)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    return cvg_buffer_put(ret_bytes, data, (size_t)len);
}

enum cvg_error cvg_keypair_pem(EVP_PKEY *key, struct cvg_buffer *ret_pem)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    enum cvg_error err = CVG_ERR_CRYPTO;
    if (bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        err = drain(bio, ret_pem);
    BIO_free(bio);
    return err;
}

enum cvg_error cvg_keypair_public(EVP_PKEY *key, struct cvg_buffer *ret_der)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    enum cvg_error err = CVG_ERR_CRYPTO;
    if (len > 0)
        err = cvg_buffer_put(ret_der, der, (size_t)len);
    OPENSSL_free(der);
    return err;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_LEN];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool good =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return good;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool set_names(X509 *certificate, const struct cvg_endpoint *host, const char *name)
{
    char alternative[CVG_HOST_MAX + 8];
    X509_NAME *subject = X509_get_subject_name(certificate);
    snprintf(alternative, sizeof(alternative), "%s:%s", host->kind == CVG_HOST_NAME ? "DNS" : "IP",
             host->host);
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 &&
           add_extension(certificate, NID_subject_alt_name, alternative);
}

static bool fill(X509 *certificate, EVP_PKEY *key, const struct cvg_endpoint *host,
                 const char *name)
{
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), 365 * VALID_YEARS, 0, NULL) != NULL &&
           X509_set_pubkey(certificate, key) == 1 && set_names(certificate, host, name) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

enum cvg_error cvg_keypair_certificate(EVP_PKEY *key, const struct cvg_endpoint *host,
                                       const char *name, struct cvg_buffer *ret_pem)
{
    X509 *certificate = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    enum cvg_error err = CVG_ERR_CRYPTO;
    if (certificate != NULL && bio != NULL && fill(certificate, key, host, name) &&
        PEM_write_bio_X509(bio, certificate) == 1)
        err = drain(bio, ret_pem);
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return err;
}
