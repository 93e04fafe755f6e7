/* SPDX-License-Identifier: MIT */
/* Which keys are taken, that only a good signature is good, and the digests of certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/protocol/base64.h"
#include "common/protocol/digest.h"
#include "common/protocol/sign.h"
#include "tests/common/protocol/vectors.h"

static const char message[] = "converge notary statement";

static struct cvg_buffer pem_of(EVP_PKEY *pkey, const EVP_CIPHER *cipher)
{
    struct cvg_buffer pem;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    assert_int_equal(
        PEM_write_bio_PrivateKey(bio, pkey, cipher, (const unsigned char *)"secret", 6, NULL, NULL),
        1);
    len = BIO_get_mem_data(bio, &text);
    cvg_buffer_init(&pem, 16384);
    cvg_buffer_put(&pem, text, (size_t)len);
    BIO_free(bio);
    return pem;
}

static enum cvg_error signing_key_error(const char *pem, size_t len)
{
    struct cvg_signing_key *key = NULL;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_signing_key_parse(pem, len, &key, &why);

    if (err != CVG_OK) {
        assert_null(key);
        assert_true(why.text[0] != '\0');
    }
    cvg_signing_key_free(key);
    assert_int_equal(ERR_peek_error(), 0);
    return err;
}

static enum cvg_error verify_key_error(const uint8_t *der, size_t len)
{
    struct cvg_verify_key *key = NULL;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_verify_key_parse(der, len, &key, &why);

    if (err != CVG_OK) {
        assert_null(key);
        assert_true(why.text[0] != '\0');
    }
    cvg_verify_key_free(key);
    assert_int_equal(ERR_peek_error(), 0);
    return err;
}

static enum cvg_error spki_error(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    enum cvg_error err;

    assert_true(len > 0);
    err = verify_key_error(der, (size_t)len);
    OPENSSL_free(der);
    return err;
}

static void check_kind(EVP_PKEY *pkey, enum cvg_error expected)
{
    struct cvg_buffer pem = pem_of(pkey, NULL);

    assert_int_equal(signing_key_error((char *)pem.data, pem.len), expected);
    assert_int_equal(spki_error(pkey), expected);
    cvg_buffer_free(&pem);
    EVP_PKEY_free(pkey);
}

static void kinds_of_keys(void **state)
{
    (void)state;
    check_kind(EVP_EC_gen("P-256"), CVG_OK);
    check_kind(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), CVG_OK);
    check_kind(EVP_EC_gen("P-384"), CVG_ERR_CONFIG);
    check_kind(EVP_EC_gen("secp256k1"), CVG_ERR_CONFIG);
    check_kind(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), CVG_ERR_CONFIG);
    check_kind(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), CVG_ERR_CONFIG);
    check_kind(EVP_RSA_gen(2048), CVG_ERR_CONFIG);
}

static void keys_malformed(void **state)
{
    struct vector v;

    (void)state;
    vector_hex("p256-spki", &v);
    for (size_t len = 0; len < v.len; len++)
        assert_int_equal(verify_key_error(v.octets, len), CVG_ERR_CONFIG);
    v.octets[v.len] = 0;
    assert_int_equal(verify_key_error(v.octets, v.len + 1), CVG_ERR_CONFIG);
    v.octets[v.len - 1] ^= 1; /* no point of the curve */
    assert_int_equal(verify_key_error(v.octets, v.len), CVG_ERR_CONFIG);
    assert_int_equal(signing_key_error("", 0), CVG_ERR_SYNTAX);
    vector_text("protocol.md", "text", "p256-key", &v);
    for (size_t len = 0; len < v.len - 2; len += 7)
        assert_int_equal(signing_key_error((char *)v.octets, len), CVG_ERR_SYNTAX);
}

/* An encrypted key fails at once: no daemon asks a terminal. */
static void encrypted_key(void **state)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    struct cvg_buffer pem = pem_of(pkey, EVP_aes_128_cbc());

    (void)state;
    assert_int_equal(signing_key_error((char *)pem.data, pem.len), CVG_ERR_SYNTAX);
    cvg_buffer_free(&pem);
    EVP_PKEY_free(pkey);
}

static void one_key_one_encoding(void **state)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, "point-format", "compressed"), 1);
    assert_int_equal(spki_error(pkey), CVG_ERR_CONFIG);
    EVP_PKEY_free(pkey);
}

struct pair {
    struct cvg_signing_key *private_key;
    struct cvg_verify_key *public_key;
};

static struct pair pair_of(EVP_PKEY *pkey)
{
    struct cvg_buffer pem = pem_of(pkey, NULL), der;
    struct pair pair = {NULL, NULL};

    cvg_buffer_init(&der, 1024);
    assert_int_equal(cvg_signing_key_parse((char *)pem.data, pem.len, &pair.private_key, NULL),
                     CVG_OK);
    assert_int_equal(cvg_signing_key_public(pair.private_key, &der), CVG_OK);
    assert_int_equal(cvg_verify_key_parse(der.data, der.len, &pair.public_key, NULL), CVG_OK);
    assert_memory_equal(cvg_signing_key_id(pair.private_key), cvg_verify_key_id(pair.public_key),
                        CVG_SHA256_LEN);
    cvg_buffer_free(&pem);
    cvg_buffer_free(&der);
    EVP_PKEY_free(pkey);
    return pair;
}

static void pair_free(struct pair *pair)
{
    cvg_signing_key_free(pair->private_key);
    cvg_verify_key_free(pair->public_key);
}

static enum cvg_error verified(const struct pair *pair, const void *data, size_t len,
                               const struct cvg_buffer *signature)
{
    enum cvg_error err = cvg_verify(pair->public_key, data, len, signature->data, signature->len);

    assert_int_equal(ERR_peek_error(), 0);
    return err;
}

/* Every bit of message and signature, every length of the signature, another key. */
static void check_signatures(struct pair pair, struct pair other)
{
    char copy[sizeof message];
    struct cvg_buffer signature;
    size_t len;

    memcpy(copy, message, sizeof copy);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX + 1);
    assert_int_equal(cvg_sign(pair.private_key, copy, sizeof copy, &signature), CVG_OK);
    assert_int_equal(verified(&pair, copy, sizeof copy, &signature), CVG_OK);
    assert_int_equal(verified(&other, copy, sizeof copy, &signature), CVG_ERR_SIGNATURE);
    assert_int_equal(verified(&pair, copy, sizeof copy - 1, &signature), CVG_ERR_SIGNATURE);
    assert_int_equal(verified(&pair, copy, 0, &signature), CVG_ERR_SIGNATURE);
    for (size_t i = 0; i < sizeof copy * 8; i++) {
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        assert_int_equal(verified(&pair, copy, sizeof copy, &signature), CVG_ERR_SIGNATURE);
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
    }
    for (size_t i = 0; i < signature.len * 8; i++) {
        signature.data[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_int_equal(verified(&pair, copy, sizeof copy, &signature), CVG_ERR_SIGNATURE);
        signature.data[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    len = signature.len;
    for (signature.len = 0; signature.len <= len; signature.len++)
        assert_int_equal(verified(&pair, copy, sizeof copy, &signature),
                         signature.len == len ? CVG_OK : CVG_ERR_SIGNATURE);
    signature.len = len;
    cvg_buffer_put_u8(&signature, 0);
    assert_int_equal(verified(&pair, copy, sizeof copy, &signature), CVG_ERR_SIGNATURE);
    cvg_buffer_free(&signature);
    pair_free(&pair);
    pair_free(&other);
}

static void ecdsa_signatures(void **state)
{
    (void)state;
    check_signatures(pair_of(EVP_EC_gen("P-256")), pair_of(EVP_EC_gen("P-256")));
}

static void ed25519_signatures(void **state)
{
    (void)state;
    check_signatures(pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")),
                     pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")));
}

static void signature_of_the_other_kind(void **state)
{
    struct pair ec = pair_of(EVP_EC_gen("P-256"));
    struct pair ed = pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    struct cvg_buffer signature;

    (void)state;
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    assert_int_equal(cvg_sign(ec.private_key, message, sizeof message, &signature), CVG_OK);
    assert_int_equal(verified(&ed, message, sizeof message, &signature), CVG_ERR_SIGNATURE);
    assert_int_equal(cvg_sign(ed.private_key, message, sizeof message, &signature), CVG_OK);
    assert_int_equal(verified(&ec, message, sizeof message, &signature), CVG_ERR_SIGNATURE);
    cvg_buffer_free(&signature);
    pair_free(&ec);
    pair_free(&ed);
}

/* A version 1 signature as an original client could check it. */
static void check_version_1(EVP_PKEY *pkey, const EVP_MD *digest)
{
    struct cvg_buffer pem = pem_of(pkey, NULL), text, octets;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct cvg_v1_key *key = NULL;

    cvg_buffer_init(&text, 4096);
    cvg_buffer_init(&octets, 4096);
    cvg_buffer_put_text(&text, "replaced");
    assert_int_equal(cvg_v1_key_parse((char *)pem.data, pem.len, &key), CVG_OK);
    assert_int_equal(cvg_v1_sign(key, message, sizeof message - 1, &text), CVG_OK);
    cvg_v1_key_free(key);
    assert_int_equal(cvg_base64_parse((char *)text.data, text.len, &octets), CVG_OK);
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, digest, NULL, pkey), 1);
    assert_int_equal(EVP_DigestVerify(context, octets.data, octets.len,
                                      (const unsigned char *)message, sizeof message - 1),
                     1);
    EVP_MD_CTX_free(context);
    cvg_buffer_free(&pem);
    cvg_buffer_free(&text);
    cvg_buffer_free(&octets);
    EVP_PKEY_free(pkey);
}

static void version_1_signatures(void **state)
{
    (void)state;
    check_version_1(EVP_RSA_gen(2048), EVP_sha1());
    check_version_1(EVP_EC_gen("P-256"), EVP_sha256());
}

static void version_1_keys_refused(void **state)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct cvg_buffer pem = pem_of(pkey, NULL), text;
    struct cvg_v1_key *key = NULL;

    (void)state;
    cvg_buffer_init(&text, 4096);
    assert_int_equal(cvg_v1_key_parse("x", 1, &key), CVG_ERR_SYNTAX);
    assert_null(key);
    assert_int_equal(cvg_v1_key_parse((char *)pem.data, pem.len, &key), CVG_OK);
    assert_int_equal(cvg_v1_sign(key, message, 1, &text), CVG_ERR_CONFIG);
    cvg_v1_key_free(key);
    assert_int_equal(text.len, 0);
    cvg_buffer_free(&pem);
    cvg_buffer_free(&text);
    EVP_PKEY_free(pkey);
}

/* A certificate of the key, self-signed where the key can sign. */
static void check_key_type(EVP_PKEY *pkey, EVP_PKEY *signer, const EVP_MD *digest,
                           enum cvg_key_type expected)
{
    X509 *certificate = X509_new();
    struct cvg_leaf leaf;
    unsigned char *der = NULL;
    int len;

    assert_int_equal(X509_set_pubkey(certificate, pkey), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    assert_true(X509_sign(certificate, signer, digest) > 0);
    len = i2d_X509(certificate, &der);
    assert_true(len > 0);
    assert_int_equal(cvg_leaf_of_der(der, (size_t)len, &leaf), CVG_OK);
    assert_int_equal(leaf.key_type, expected);
    OPENSSL_free(der);
    X509_free(certificate);
    if (signer != pkey)
        EVP_PKEY_free(signer);
    EVP_PKEY_free(pkey);
}

static void key_types(void **state)
{
    EVP_PKEY *pkey = EVP_RSA_gen(2048);

    (void)state;
    check_key_type(pkey, pkey, EVP_sha256(), CVG_KEY_RSA);
    pkey = EVP_EC_gen("P-384");
    check_key_type(pkey, pkey, EVP_sha256(), CVG_KEY_EC);
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    check_key_type(pkey, pkey, NULL, CVG_KEY_ED25519);
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    check_key_type(pkey, pkey, NULL, CVG_KEY_ED448);
    check_key_type(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), EVP_EC_gen("P-256"), EVP_sha256(),
                   CVG_KEY_OTHER);
}

static void certificates_malformed(void **state)
{
    struct cvg_leaf leaf, untouched;
    struct vector v;

    (void)state;
    memset(&untouched, 0xa5, sizeof untouched);
    vector_hex("leaf", &v);
    v.octets[v.len] = 0;
    for (size_t len = 0; len <= v.len + 1; len++) {
        leaf = untouched;
        assert_int_equal(cvg_leaf_of_der(v.octets, len, &leaf),
                         len == v.len ? CVG_OK : CVG_ERR_SYNTAX);
        if (len != v.len)
            assert_memory_equal(&leaf, &untouched, sizeof leaf);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_keys),
        cmocka_unit_test(keys_malformed),
        cmocka_unit_test(encrypted_key),
        cmocka_unit_test(one_key_one_encoding),
        cmocka_unit_test(ecdsa_signatures),
        cmocka_unit_test(ed25519_signatures),
        cmocka_unit_test(signature_of_the_other_kind),
        cmocka_unit_test(version_1_signatures),
        cmocka_unit_test(version_1_keys_refused),
        cmocka_unit_test(key_types),
        cmocka_unit_test(certificates_malformed),
    };

    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
