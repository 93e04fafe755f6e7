/* SPDX-License-Identifier: MIT */
/* Keys and signatures of notaries, over libcrypto. Version 2 takes exactly two kinds of key, each
 * in exactly one encoding, so that one key has one name. */
#include "common/protocol/sign.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/protocol/base64.h"
#include "common/protocol/digest.h"

/* How the SubjectPublicKeyInfo of each kind begins; the raw key follows. */
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

enum { P256_SPKI_LEN = 91, ED25519_SPKI_LEN = 44 };

/* Both kinds of key are the same inside. */
struct key {
    EVP_PKEY *pkey;
    const EVP_MD *digest; /* NULL: the algorithm brings its own */
    uint8_t id[CVG_SHA256_LEN];
};

struct cvg_signing_key {
    struct key key;
};

struct cvg_verify_key {
    struct key key;
};

/* Fills in digest and id from the key's DER; CONFIG if it is of another kind. */
static enum cvg_error key_describe(struct key *key, const uint8_t *der, size_t len)
{
    if (len == P256_SPKI_LEN && memcmp(der, p256_prefix, sizeof p256_prefix) == 0)
        key->digest = EVP_sha256();
    else if (len == ED25519_SPKI_LEN && memcmp(der, ed25519_prefix, sizeof ed25519_prefix) == 0)
        key->digest = NULL;
    else
        return CVG_ERR_CONFIG;
    return cvg_sha256(der, len, key->id);
}

/* An encrypted key must not make a daemon ask the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *user)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)user;
    return -1;
}

static EVP_PKEY *pem_read(const char *pem, size_t len)
{
    EVP_PKEY *pkey = NULL;
    BIO *bio = NULL;

    if (len > INT_MAX)
        return NULL;
    ERR_set_mark();
    bio = BIO_new_mem_buf(pem, (int)len);
    if (bio)
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_pop_to_mark();
    return pkey;
}

static enum cvg_error signing_key_describe(struct key *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    enum cvg_error err = CVG_ERR_CRYPTO;

    if (len > 0)
        err = key_describe(key, der, (size_t)len);
    OPENSSL_free(der);
    return err;
}

enum cvg_error cvg_signing_key_parse(const char *pem, size_t len, struct cvg_signing_key **ret_key,
                                     struct cvg_why *ret_why)
{
    struct cvg_signing_key *key = calloc(1, sizeof *key);
    enum cvg_error err;

    if (!key)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "memory is exhausted");
    key->key.pkey = pem_read(pem, len);
    if (!key->key.pkey) {
        cvg_signing_key_free(key);
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "not an unencrypted private key in PEM");
    }
    err = signing_key_describe(&key->key);
    if (err != CVG_OK) {
        cvg_signing_key_free(key);
        return cvg_fail(ret_why, err, "a signing key must be ECDSA P-256 or Ed25519");
    }
    *ret_key = key;
    return CVG_OK;
}

enum cvg_error cvg_signing_key_copy(const struct cvg_signing_key *key,
                                    struct cvg_signing_key **ret_key)
{
    struct cvg_signing_key *copy = malloc(sizeof *copy);

    if (!copy)
        return CVG_ERR_NOMEM;
    *copy = *key;
    if (EVP_PKEY_up_ref(copy->key.pkey) != 1) {
        free(copy);
        return CVG_ERR_CRYPTO;
    }
    *ret_key = copy;
    return CVG_OK;
}

void cvg_signing_key_free(struct cvg_signing_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key.pkey);
    free(key);
}

const uint8_t *cvg_signing_key_id(const struct cvg_signing_key *key)
{
    return key->key.id;
}

enum cvg_error cvg_signing_key_public(const struct cvg_signing_key *key, struct cvg_buffer *ret_der)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->key.pkey, &der);

    if (len <= 0)
        return CVG_ERR_CRYPTO;
    cvg_buffer_put(ret_der, der, (size_t)len);
    OPENSSL_free(der);
    return cvg_buffer_error(ret_der);
}

static EVP_PKEY *spki_read(const uint8_t *der, size_t len)
{
    const unsigned char *end = der;
    EVP_PKEY *pkey;

    ERR_set_mark();
    pkey = d2i_PUBKEY(NULL, &end, (long)len);
    ERR_pop_to_mark();
    return pkey;
}

enum cvg_error cvg_verify_key_parse(const uint8_t *der, size_t len, struct cvg_verify_key **ret_key,
                                    struct cvg_why *ret_why)
{
    struct cvg_verify_key *key = calloc(1, sizeof *key);
    enum cvg_error err;

    if (!key)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "memory is exhausted");
    err = key_describe(&key->key, der, len);
    if (err == CVG_OK) {
        key->key.pkey = spki_read(der, len);
        if (!key->key.pkey)
            err = CVG_ERR_CONFIG;
    }
    if (err != CVG_OK) {
        cvg_verify_key_free(key);
        return cvg_fail(ret_why, err,
                        "a notary's key must be the SubjectPublicKeyInfo of an ECDSA P-256 "
                        "(uncompressed) or Ed25519 key");
    }
    *ret_key = key;
    return CVG_OK;
}

void cvg_verify_key_free(struct cvg_verify_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key.pkey);
    free(key);
}

const uint8_t *cvg_verify_key_id(const struct cvg_verify_key *key)
{
    return key->key.id;
}

/* The signature in an array of CVG_SIGNATURE_MAX octets. */
static enum cvg_error sign(EVP_PKEY *pkey, const EVP_MD *digest, const void *data, size_t len,
                           uint8_t *ret_signature, size_t *ret_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t signature_len = CVG_SIGNATURE_MAX;
    enum cvg_error err = CVG_ERR_CRYPTO;

    if (!context)
        return CVG_ERR_NOMEM;
    ERR_set_mark();
    if (EVP_DigestSignInit(context, NULL, digest, NULL, pkey) == 1 &&
        EVP_DigestSign(context, ret_signature, &signature_len, data, len) == 1) {
        *ret_len = signature_len;
        err = CVG_OK;
    }
    ERR_pop_to_mark();
    EVP_MD_CTX_free(context);
    return err;
}

enum cvg_error cvg_sign(struct cvg_signing_key *key, const void *data, size_t len,
                        struct cvg_buffer *ret_signature)
{
    uint8_t signature[CVG_SIGNATURE_MAX];
    size_t signature_len = 0;
    enum cvg_error err;

    err = sign(key->key.pkey, key->key.digest, data, len, signature, &signature_len);
    if (err != CVG_OK)
        return err;
    cvg_buffer_clear(ret_signature);
    return cvg_buffer_put(ret_signature, signature, signature_len);
}

enum cvg_error cvg_verify(const struct cvg_verify_key *key, const void *data, size_t len,
                          const uint8_t *signature, size_t signature_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum cvg_error err = CVG_ERR_CRYPTO;

    if (!context)
        return CVG_ERR_NOMEM;
    ERR_set_mark();
    if (EVP_DigestVerifyInit(context, NULL, key->key.digest, NULL, key->key.pkey) == 1)
        err = EVP_DigestVerify(context, signature, signature_len, data, len) == 1
                  ? CVG_OK
                  : CVG_ERR_SIGNATURE;
    ERR_pop_to_mark();
    EVP_MD_CTX_free(context);
    return err;
}

struct cvg_v1_key {
    EVP_PKEY *pkey;
};

enum cvg_error cvg_v1_key_parse(const char *pem, size_t len, struct cvg_v1_key **ret_key)
{
    struct cvg_v1_key *key = calloc(1, sizeof(*key));
    if (!key)
        return CVG_ERR_NOMEM;
    key->pkey = pem_read(pem, len);
    if (!key->pkey) {
        free(key);
        return CVG_ERR_SYNTAX;
    }
    *ret_key = key;
    return CVG_OK;
}

void cvg_v1_key_free(struct cvg_v1_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum cvg_error cvg_v1_sign(const struct cvg_v1_key *key, const void *data, size_t len,
                           struct cvg_buffer *ret_base64)
{
    EVP_PKEY *pkey = key->pkey;
    uint8_t signature[CVG_SIGNATURE_MAX];
    size_t signature_len = 0;
    enum cvg_error err = CVG_ERR_CONFIG;

    if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA)
        err = sign(pkey, EVP_sha1(), data, len, signature, &signature_len);
    else if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC)
        err = sign(pkey, EVP_sha256(), data, len, signature, &signature_len);
    if (err != CVG_OK)
        return err;
    cvg_buffer_clear(ret_base64);
    return cvg_base64_put(ret_base64, signature, signature_len);
}
