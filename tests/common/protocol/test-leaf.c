/* SPDX-License-Identifier: MIT */
/* The walk to a certificate's key, held against OpenSSL's own parser: otherwise a certificate could
 * show one key to TLS and another to a vote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/protocol/digest.h"

struct certificate {
    unsigned char *der;
    size_t len;
};

static EVP_PKEY *make_key(enum cvg_key_type type)
{
    EVP_PKEY *key = type == CVG_KEY_RSA     ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                    : type == CVG_KEY_EC    ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                    : type == CVG_KEY_ED448 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED448")
                                            : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    assert_non_null(key);
    return key;
}

/* version: 0 is X.509's first, whose certificates do not tell it. */
static struct certificate make(enum cvg_key_type type, long version)
{
    bool plain = type == CVG_KEY_RSA || type == CVG_KEY_EC;
    struct certificate made = {NULL, 0};
    EVP_PKEY *key = make_key(type);
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    int len;

    assert_int_equal(X509_set_version(x509, version), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"site.example", -1,
                               -1, 0);
    assert_int_equal(X509_set_issuer_name(x509, name), 1);
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    assert_true(X509_sign(x509, key, plain ? EVP_sha256() : NULL) > 0);
    len = i2d_X509(x509, &made.der);
    assert_true(len > 0);
    made.len = (size_t)len;
    X509_free(x509);
    EVP_PKEY_free(key);
    return made;
}

/* What OpenSSL makes of it; false if it does not take these octets, whole. */
static bool key_by_openssl(const unsigned char *der, size_t len, uint8_t ret_digest[static 32])
{
    const unsigned char *end = der;
    X509 *x509 = d2i_X509(NULL, &end, (long)len);
    unsigned char *spki = NULL;
    bool good = x509 != NULL && end == der + len;

    if (good) {
        int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);

        assert_true(spki_len > 0);
        assert_int_equal(cvg_sha256(spki, (size_t)spki_len, ret_digest), CVG_OK);
    }
    OPENSSL_free(spki);
    X509_free(x509);
    ERR_clear_error();
    return good;
}

static void the_key_is_the_one_that_openssl_finds(void **state)
{
    static const enum cvg_key_type types[] = {CVG_KEY_RSA, CVG_KEY_EC, CVG_KEY_ED25519,
                                              CVG_KEY_ED448};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (long version = 0; version <= 2; version += 2) {
            struct certificate made = make(types[i], version);
            uint8_t expected[32];
            struct cvg_leaf leaf;

            assert_true(key_by_openssl(made.der, made.len, expected));
            assert_int_equal(cvg_leaf_of_der(made.der, made.len, &leaf), CVG_OK);
            assert_memory_equal(leaf.spki_sha256, expected, 32);
            assert_int_equal(leaf.key_type, types[i]);
            OPENSSL_free(made.der);
        }
}

/* Every octet with every other value. A digest is of the key's octets as they are; OpenSSL writes a
 * key with unused bits anew, so the two may differ, but never so that the walk still finds the key
 * of before and OpenSSL another one. */
static void no_change_shows_two_keys(void **state)
{
    struct certificate made = make(CVG_KEY_ED25519, 2);
    unsigned kept = 0, changed = 0;
    struct cvg_leaf before, leaf;
    uint8_t found[32];

    (void)state;
    assert_int_equal(cvg_leaf_of_der(made.der, made.len, &before), CVG_OK);
    for (size_t at = 0; at < made.len; at++)
        for (unsigned flip = 1; flip < 256; flip++) {
            made.der[at] ^= (unsigned char)flip;
            if (cvg_leaf_of_der(made.der, made.len, &leaf) == CVG_OK &&
                key_by_openssl(made.der, made.len, found)) {
                bool same = memcmp(leaf.spki_sha256, before.spki_sha256, 32) == 0;

                assert_int_equal(same, memcmp(found, before.spki_sha256, 32) == 0);
                kept += same;
                changed += !same;
            }
            made.der[at] ^= (unsigned char)flip;
        }
    assert_true(kept > 0 && changed > 0);
    OPENSSL_free(made.der);
}

static void a_certificate_cut_short_or_followed_by_more_is_none(void **state)
{
    struct certificate made = make(CVG_KEY_EC, 2);
    unsigned char *longer = calloc(1, made.len + 1);
    struct cvg_leaf leaf;

    (void)state;
    assert_non_null(longer);
    memcpy(longer, made.der, made.len);
    assert_int_equal(cvg_leaf_of_der(longer, made.len + 1, &leaf), CVG_ERR_SYNTAX);
    for (size_t len = 0; len < made.len; len++) {
        unsigned char *cut = malloc(len > 0 ? len : 1); /* so that a reader past it is seen */

        assert_non_null(cut);
        memcpy(cut, made.der, len);
        assert_int_equal(cvg_leaf_of_der(cut, len, &leaf), CVG_ERR_SYNTAX);
        free(cut);
    }
    free(longer);
    OPENSSL_free(made.der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_the_one_that_openssl_finds),
        cmocka_unit_test(no_change_shows_two_keys),
        cmocka_unit_test(a_certificate_cut_short_or_followed_by_more_is_none),
    };

    return cmocka_run_group_tests_name("leaf", tests, NULL, NULL);
}
