/* SPDX-License-Identifier: MIT */
/* Reads keys, certificate and bundles, and makes the TLS server's settings from them. */
#include "notary/identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"

#define KEY_FILE_MAX    65536
#define BUNDLE_FILE_MAX 262144

static enum cvg_error read_file(const char *path, size_t max, struct cvg_buffer *ret_data,
                                struct cvg_why *why)
{
    if (*path == '\0')
        return CVG_OK;
    return cvg_file_read(path, geteuid(), max, false, ret_data, why);
}

static BIO *bio_of(const struct cvg_buffer *data)
{
    return BIO_new_mem_buf(data->data, (int)data->len);
}

static enum cvg_error use_certificate(SSL_CTX *tls, const struct cvg_buffer *pem, const char *path,
                                      struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;
    BIO *bio = bio_of(pem);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (certificate == NULL || SSL_CTX_use_certificate(tls, certificate) != 1)
        err = cvg_fail(why, CVG_ERR_CONFIG, "%s: no usable certificate", path);
    X509_free(certificate);
    BIO_free(bio);
    return err;
}

static enum cvg_error use_key(SSL_CTX *tls, const struct cvg_buffer *pem, const char *path,
                              struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;
    BIO *bio = bio_of(pem);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    if (key == NULL || SSL_CTX_use_PrivateKey(tls, key) != 1 || SSL_CTX_check_private_key(tls) != 1)
        err = cvg_fail(why, CVG_ERR_CONFIG, "%s: not the private key of tls_certificate", path);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return err;
}

static SSL_CTX *make_tls(void)
{
    char groups[] = "X25519:P-256:P-384"; /* OpenSSL's macro casts const away */
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL)
        return NULL;
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    if (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) || !SSL_CTX_set_num_tickets(tls, 1) ||
        !SSL_CTX_set1_groups_list(tls, groups)) {
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}

static enum cvg_error load_signing_key(const char *path, struct cvg_signing_key **ret_key,
                                       struct cvg_why *why)
{
    struct cvg_buffer pem = {0};
    struct cvg_why detail = {.text = ""};
    enum cvg_error err = read_file(path, KEY_FILE_MAX, &pem, why);
    if (err == CVG_OK) {
        err = cvg_signing_key_parse((const char *)pem.data, pem.len, ret_key, &detail);
        if (err != CVG_OK)
            err = cvg_fail(why, err, "%s: %.200s", path, detail.text);
    }
    if (pem.data != NULL)
        OPENSSL_cleanse(pem.data, pem.len);
    cvg_buffer_free(&pem);
    return err;
}

static enum cvg_error load_tls_key(const char *path, struct cvg_identity *identity,
                                   struct cvg_why *why)
{
    struct cvg_buffer pem = {0};
    enum cvg_error err = read_file(path, KEY_FILE_MAX, &pem, why);
    if (err == CVG_OK)
        err = use_key(identity->tls, &pem, path, why);
    if (err == CVG_OK)
        err = cvg_v1_key_parse((const char *)pem.data, pem.len, &identity->v1_key);
    if (pem.data != NULL)
        OPENSSL_cleanse(pem.data, pem.len);
    cvg_buffer_free(&pem);
    return err;
}

static enum cvg_error load_bundles(const struct cvg_settings *settings,
                                   struct cvg_identity *identity, struct cvg_why *why)
{
    enum cvg_error err = read_file(settings->bundle, BUNDLE_FILE_MAX, &identity->bundle, why);
    if (err == CVG_OK)
        err = read_file(settings->bundle_v1, BUNDLE_FILE_MAX, &identity->bundle_v1, why);
    return err;
}

static enum cvg_error load_keys(const struct cvg_settings *settings, struct cvg_identity *identity,
                                struct cvg_why *why)
{
    identity->tls = make_tls();
    if (identity->tls == NULL)
        return cvg_fail(why, CVG_ERR_CRYPTO, "the TLS library refused its settings");
    enum cvg_error err =
        use_certificate(identity->tls, &identity->certificate_pem, settings->tls_certificate, why);
    if (err == CVG_OK)
        err = load_tls_key(settings->tls_key, identity, why);
    if (err == CVG_OK)
        err = load_signing_key(settings->signing_key, &identity->signing_key, why);
    return err;
}

enum cvg_error cvg_identity_load(const struct cvg_settings *settings, bool with_keys,
                                 struct cvg_identity **ret_identity, struct cvg_why *ret_why)
{
    struct cvg_identity *identity = calloc(1, sizeof(*identity));
    if (identity == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err =
        read_file(settings->tls_certificate, KEY_FILE_MAX, &identity->certificate_pem, ret_why);
    if (err == CVG_OK && with_keys)
        err = load_keys(settings, identity, ret_why);
    if (err == CVG_OK)
        err = load_bundles(settings, identity, ret_why);
    ERR_clear_error();
    if (err != CVG_OK) {
        cvg_identity_free(identity);
        return err;
    }
    *ret_identity = identity;
    return CVG_OK;
}

void cvg_identity_move_keys(struct cvg_identity *from, struct cvg_identity *to)
{
    to->tls = from->tls;
    to->v1_key = from->v1_key;
    to->signing_key = from->signing_key;
    from->tls = NULL;
    from->v1_key = NULL;
    from->signing_key = NULL;
}

void cvg_identity_free(struct cvg_identity *identity)
{
    if (identity == NULL)
        return;
    SSL_CTX_free(identity->tls);
    cvg_v1_key_free(identity->v1_key);
    cvg_buffer_free(&identity->certificate_pem);
    cvg_signing_key_free(identity->signing_key);
    cvg_buffer_free(&identity->bundle);
    cvg_buffer_free(&identity->bundle_v1);
    free(identity);
}
