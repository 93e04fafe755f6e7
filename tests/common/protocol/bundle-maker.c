/* SPDX-License-Identifier: MIT */
/* For tests: keys, certificates and bundles, made with OpenSSL and jansson. */
#include "tests/common/protocol/bundle-maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/protocol/base64.h"
#include "common/protocol/bundle.h"

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bundle-maker: %s failed\n", what);
    abort();
}

#define MUST(condition) must((condition), #condition)

static char *text_of(BIO *bio)
{
    char *data = NULL, *text;
    long len = BIO_get_mem_data(bio, &data);

    text = strndup(data, (size_t)len);
    MUST(text != NULL);
    BIO_free(bio);
    return text;
}

static void add_padding(X509 *certificate, size_t padding)
{
    char *octets = calloc(1, padding + 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *type = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);
    X509_EXTENSION *extension;

    MUST(octets != NULL && value != NULL && type != NULL);
    MUST(ASN1_OCTET_STRING_set(value, (const unsigned char *)octets, (int)padding) == 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, type, 0, value);
    MUST(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OBJECT_free(type);
    ASN1_OCTET_STRING_free(value);
    free(octets);
}

char *maker_certificate(const char *name, size_t padding)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME *subject;

    MUST(key != NULL && certificate != NULL && bio != NULL);
    MUST(X509_set_version(certificate, X509_VERSION_3) == 1);
    MUST(X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL);
    MUST(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL);
    subject = X509_get_subject_name(certificate);
    MUST(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                    -1, 0) == 1);
    MUST(X509_set_issuer_name(certificate, subject) == 1);
    MUST(X509_set_pubkey(certificate, key) == 1);
    if (padding > 0)
        add_padding(certificate, padding);
    MUST(X509_sign(certificate, key, EVP_sha256()) > 0);
    MUST(PEM_write_bio_X509(bio, certificate) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return text_of(bio);
}

struct cvg_signing_key *maker_key(void)
{
    struct cvg_signing_key *signing_key = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;

    MUST(key != NULL && bio != NULL);
    MUST(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    pem = text_of(bio);
    MUST(cvg_signing_key_parse(pem, strlen(pem), &signing_key, NULL) == CVG_OK);
    free(pem);
    EVP_PKEY_free(key);
    return signing_key;
}

static char *base64_of(const void *data, size_t len)
{
    struct cvg_buffer text;

    cvg_buffer_init(&text, 4096);
    MUST(cvg_base64_put(&text, data, len) == CVG_OK);
    return (char *)text.data;
}

char *maker_public(const struct cvg_signing_key *key)
{
    struct cvg_buffer der;
    char *text;

    cvg_buffer_init(&der, 1024);
    MUST(cvg_signing_key_public(key, &der) == CVG_OK);
    text = base64_of(der.data, der.len);
    cvg_buffer_free(&der);
    return text;
}

static char *host_of(const char *name, const char *certificate, const char *members)
{
    json_t *pem = json_string(certificate);
    char *quoted = json_dumps(pem, JSON_ENCODE_ANY), *host = NULL;

    MUST(quoted != NULL);
    MUST(asprintf(&host,
                  "{\"host\": \"notary.%s.example\", \"ssl_port\": 443, %s, \"certificate\": %s}",
                  name, members, quoted) > 0);
    json_decref(pem);
    free(quoted);
    return host;
}

char *maker_text(const char *name, unsigned long long serial, const char *certificate,
                 const struct cvg_signing_key *const key[], size_t key_count, const char *extra)
{
    char *host = host_of(name, certificate,
                         "\"relay_port\": 80, \"addresses\": [\"192.0.2.7\", \"2001:DB8::7\"]");
    char keys[2048] = "", *text = NULL;

    for (size_t i = 0; i < key_count; i++) {
        char *public = maker_public(key[i]);
        size_t len = strlen(keys);

        snprintf(keys + len, sizeof keys - len, "%s\"%s\"", i > 0 ? ", " : "", public);
        free(public);
    }
    MUST(asprintf(&text,
                  "{\"version\": 2, \"name\": \"%s\", \"serial\": %llu, \"keys\": [%s], "
                  "\"hosts\": [%s]%s}",
                  name, serial, keys, host, extra) > 0);
    free(host);
    return text;
}

char *maker_next(const char *text, const char *certificate)
{
    json_t *bundle = json_loads(text, 0, NULL), *host;
    char *result;

    host = json_array_get(json_object_get(bundle, "hosts"), 0);
    MUST(json_object_set_new(host, "next_certificate", json_string(certificate)) == 0);
    result = json_dumps(bundle, JSON_PRESERVE_ORDER);
    MUST(result != NULL);
    json_decref(bundle);
    return result;
}

char *maker_sign(const char *text, struct cvg_signing_key *key)
{
    struct cvg_buffer octets, signature;
    char *base64, *file;
    json_t *envelope;

    cvg_buffer_init(&octets, 1 << 20);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    cvg_buffer_put(&octets, CVG_BUNDLE_DOMAIN, sizeof CVG_BUNDLE_DOMAIN);
    cvg_buffer_put_text(&octets, text);
    MUST(cvg_sign(key, octets.data, octets.len, &signature) == CVG_OK);
    base64 = base64_of(signature.data, signature.len);
    envelope = json_pack("{s:s, s:s}", "bundle", text, "signature", base64);
    MUST(envelope != NULL);
    file = json_dumps(envelope, JSON_INDENT(1));
    MUST(file != NULL);
    json_decref(envelope);
    free(base64);
    cvg_buffer_free(&octets);
    cvg_buffer_free(&signature);
    return file;
}

char *maker_version_1(const char *name, const char *certificate)
{
    char *host = host_of(name, certificate, "\"http_port\": 80"), *text = NULL;

    MUST(asprintf(&text, "{\"version\": 1, \"name\": \"%s\", \"hosts\": [%s]}", name, host) > 0);
    free(host);
    return text;
}
