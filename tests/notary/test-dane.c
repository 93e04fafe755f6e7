/* SPDX-License-Identifier: MIT */
/* TLSA records against certificates made here: every usage, selector and matching type, and what is
 * not usable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "notary/chain.h"
#include "notary/dane.h"
#include "tests/notary/mint.h"

#define HOST "site.example"

static struct cvg_dane *dane;
static EVP_PKEY *key[3], *other_key;
static X509 *authority, *intermediate, *leaf, *other;
static STACK_OF(X509) * whole, *alone; /* the chain, and the leaf without the rest of it */

static int make_all(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        key[i] = mint_key();
    other_key = mint_key();
    authority = mint_certificate(&(struct mint){.name = "A", .key = key[0], .authority = true});
    intermediate = mint_certificate(&(struct mint){
        .name = "I", .key = key[1], .issuer = authority, .issuer_key = key[0], .authority = true});
    leaf = mint_certificate(
        &(struct mint){.name = HOST, .key = key[2], .issuer = intermediate, .issuer_key = key[1]});
    other = mint_certificate(&(struct mint){.name = "B", .key = other_key, .authority = true});
    whole = sk_X509_new_null();
    alone = sk_X509_new_null();
    sk_X509_push(alone, leaf);
    sk_X509_push(whole, leaf);
    sk_X509_push(whole, intermediate);
    sk_X509_push(whole, authority);
    return cvg_dane_new(&dane) == CVG_OK ? 0 : -1;
}

static int free_all(void **state)
{
    (void)state;
    cvg_dane_free(dane);
    sk_X509_free(whole);
    sk_X509_free(alone);
    X509_free(authority);
    X509_free(intermediate);
    X509_free(leaf);
    X509_free(other);
    EVP_PKEY_free(other_key);
    for (int i = 0; i < 3; i++)
        EVP_PKEY_free(key[i]);
    return 0;
}

struct tlsa {
    uint8_t octets[4096];
    size_t len;
};

static struct tlsa tlsa(unsigned usage, unsigned selector, unsigned matching, X509 *of)
{
    struct tlsa record = {.octets = {(uint8_t)usage, (uint8_t)selector, (uint8_t)matching}};
    unsigned char *der = NULL;
    unsigned digest_len = 0;
    int len = selector == 0 ? i2d_X509(of, &der) : i2d_PUBKEY(X509_get0_pubkey(of), &der);
    assert_true(len > 0 && (size_t)len < sizeof(record.octets) - 3);
    if (matching == 0) {
        memcpy(record.octets + 3, der, (size_t)len);
        digest_len = (unsigned)len;
    } else {
        assert_int_equal(EVP_Digest(der, (size_t)len, record.octets + 3, &digest_len,
                                    matching == 1 ? EVP_sha256() : EVP_sha512(), NULL),
                         1);
    }
    record.len = 3 + digest_len;
    OPENSSL_free(der);
    return record;
}

static enum cvg_v2_opinion judged_at(const char *host, const char *canonical,
                                     const struct tlsa *record, size_t count, STACK_OF(X509) * of)
{
    struct cvg_dns_answer answer = {.count = count};
    for (size_t i = 0; i < count; i++)
        answer.record[i] = (struct cvg_dns_record){.rdata = record[i].octets, .len = record[i].len};
    return cvg_dane_judge(dane, host, canonical, &answer, of);
}

static enum cvg_v2_opinion judged(struct tlsa record, STACK_OF(X509) * of)
{
    return judged_at(HOST, NULL, &record, 1, of);
}

static void whole_table(void **state)
{
    (void)state;
    for (unsigned usage = 0; usage < 4; usage++)
        for (unsigned selector = 0; selector < 2; selector++)
            for (unsigned matching = 0; matching < 3; matching++) {
                bool of_leaf = usage == 1 || usage == 3;
                enum cvg_v2_opinion yes_to_leaf = of_leaf ? CVG_V2_OPINION_YES : CVG_V2_OPINION_NO;
                enum cvg_v2_opinion yes_to_others =
                    of_leaf ? CVG_V2_OPINION_NO : CVG_V2_OPINION_YES;
                assert_int_equal(judged(tlsa(usage, selector, matching, leaf), whole), yes_to_leaf);
                assert_int_equal(judged(tlsa(usage, selector, matching, intermediate), whole),
                                 yes_to_others);
                assert_int_equal(judged(tlsa(usage, selector, matching, authority), whole),
                                 yes_to_others);
                assert_int_equal(judged(tlsa(usage, selector, matching, other), whole),
                                 CVG_V2_OPINION_NO);
            }
}

/* A record of one octet less or more, or with another in it, does not match. */
static void digests_are_compared_whole(void **state)
{
    (void)state;
    for (unsigned matching = 1; matching < 3; matching++) {
        struct tlsa record = tlsa(3, 1, matching, leaf);
        for (size_t i = 3; i < record.len; i++) {
            record.octets[i] ^= 0x10;
            assert_int_equal(judged(record, whole), CVG_V2_OPINION_NO);
            record.octets[i] ^= 0x10;
        }
        record.len--;
        assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
        record.len += 2;
        assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
    }
}

static void not_usable(void **state)
{
    struct tlsa good = tlsa(3, 1, 1, leaf), bad = tlsa(3, 1, 1, other);
    struct tlsa record = good;
    (void)state;
    assert_int_equal(judged_at(HOST, NULL, NULL, 0, whole), CVG_V2_OPINION_NONE);
    for (unsigned value = 4; value < 256; value++) {
        record.octets[0] = (uint8_t)value;
        assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
    }
    record = good;
    for (unsigned value = 2; value < 256; value++) {
        record.octets[1] = (uint8_t)value;
        assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
    }
    record = good;
    for (unsigned value = 3; value < 256; value++) {
        record.octets[2] = (uint8_t)value;
        assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
    }
    for (record.len = 0; record.len <= 3; record.len++)
        assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
    record = tlsa(3, 0, 0, leaf);
    record.octets[3] ^= 0xff; /* no certificate */
    assert_int_equal(judged(record, whole), CVG_V2_OPINION_NONE);
    const struct tlsa with_good[] = {record, good}, with_bad[] = {record, bad};
    assert_int_equal(judged_at(HOST, NULL, with_good, 2, whole), CVG_V2_OPINION_YES);
    assert_int_equal(judged_at(HOST, NULL, with_bad, 2, whole), CVG_V2_OPINION_NO);
}

/* A record with a bare key of that size, which signed nothing here. */
static enum cvg_v2_opinion judged_by_key(int bits)
{
    struct tlsa record = {.octets = {2, 1, 0}};
    EVP_PKEY *dear = mint_made_up_key(bits);
    unsigned char *end = record.octets + 3;
    int len = i2d_PUBKEY(dear, &end);
    EVP_PKEY_free(dear);
    assert_true(len > 0);
    record.len = 3 + (size_t)len;
    return judged(record, whole);
}

/* Whoever owns a zone must not choose what a verification costs. */
static void keys_as_large_as_anybody_uses(void **state)
{
    (void)state;
    assert_int_equal(judged_by_key(CVG_CHAIN_KEY_BITS_MAX), CVG_V2_OPINION_NO);
    assert_int_equal(judged_by_key(16384), CVG_V2_OPINION_NONE);
}

static void one_of_several_is_enough(void **state)
{
    const struct tlsa records[] = {tlsa(3, 1, 1, other), tlsa(2, 0, 1, other), tlsa(3, 1, 2, leaf)};
    (void)state;
    assert_int_equal(judged_at(HOST, NULL, records, 3, whole), CVG_V2_OPINION_YES);
    assert_int_equal(judged_at(HOST, NULL, records, 2, whole), CVG_V2_OPINION_NO);
}

/* Digests of authorities need them in the chain; what a record holds whole does not. */
static void authority_that_is_not_shown(void **state)
{
    (void)state;
    for (unsigned usage = 0; usage <= 2; usage += 2) {
        assert_int_equal(judged(tlsa(usage, 0, 1, intermediate), alone), CVG_V2_OPINION_NO);
        assert_int_equal(judged(tlsa(usage, 0, 0, intermediate), alone), CVG_V2_OPINION_YES);
        assert_int_equal(judged(tlsa(usage, 1, 0, intermediate), alone), CVG_V2_OPINION_YES);
        assert_int_equal(judged(tlsa(usage, 0, 0, authority), alone), CVG_V2_OPINION_NO);
    }
}

/* A certificate of the record's that is shown, but has not signed this leaf, proves nothing. */
static void authority_of_somebody_else(void **state)
{
    STACK_OF(X509) *mixed = sk_X509_new_null();
    X509 *own = mint_certificate(&(struct mint){.name = HOST, .key = other_key});
    (void)state;
    sk_X509_push(mixed, own);
    sk_X509_push(mixed, intermediate);
    sk_X509_push(mixed, authority);
    assert_int_equal(judged(tlsa(2, 0, 1, authority), mixed), CVG_V2_OPINION_NO);
    assert_int_equal(judged(tlsa(0, 1, 1, intermediate), mixed), CVG_V2_OPINION_NO);
    sk_X509_free(mixed);
    X509_free(own);
}

static void names_count_for_authorities_only(void **state)
{
    const struct tlsa of_authority = tlsa(2, 0, 1, authority), of_leaf = tlsa(3, 0, 1, leaf);
    (void)state;
    assert_int_equal(judged_at("other.example", NULL, &of_authority, 1, whole), CVG_V2_OPINION_NO);
    assert_int_equal(judged_at("other.example", HOST, &of_authority, 1, whole), CVG_V2_OPINION_YES);
    assert_int_equal(judged_at("other.example", NULL, &of_leaf, 1, whole), CVG_V2_OPINION_YES);
}

static void dates_count_for_authorities_only(void **state)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *old = mint_certificate(&(struct mint){
        .name = HOST, .key = key[2], .issuer = authority, .issuer_key = key[0], .expired = true});
    (void)state;
    sk_X509_push(chain, old);
    sk_X509_push(chain, authority);
    assert_int_equal(judged(tlsa(2, 0, 1, authority), chain), CVG_V2_OPINION_NO);
    assert_int_equal(judged(tlsa(3, 0, 1, old), chain), CVG_V2_OPINION_YES);
    sk_X509_free(chain);
    X509_free(old);
}

static void chains_are_read_strictly(void **state)
{
    X509 *const certificates[] = {leaf, intermediate, authority};
    struct cvg_blob *blob = mint_chain(certificates, 3);
    STACK_OF(X509) *read = NULL;
    (void)state;
    assert_int_equal(cvg_chain_read(blob, &read), CVG_OK);
    assert_int_equal(sk_X509_num(read), 3);
    assert_int_equal(X509_cmp(sk_X509_value(read, 0), leaf), 0);
    sk_X509_pop_free(read, X509_free);
    size_t leaf_len = 3 + ((size_t)blob->octets[1] << 8 | blob->octets[2]);
    for (size_t len = 0; len < blob->len; len++) {
        struct cvg_blob *cut = cvg_blob_new(blob->octets, len);
        enum cvg_error err = cvg_chain_read(cut, &read);
        assert_int_equal(err == CVG_OK, len >= leaf_len);
        if (err == CVG_OK)
            sk_X509_pop_free(read, X509_free);
        cvg_blob_unref(cut);
    }
    blob->octets[leaf_len + 3] ^= 0xff; /* the second is no certificate: left out */
    assert_int_equal(cvg_chain_read(blob, &read), CVG_OK);
    assert_int_equal(sk_X509_num(read), 2);
    sk_X509_pop_free(read, X509_free);
    blob->octets[3] ^= 0xff; /* nor is the leaf */
    assert_int_equal(cvg_chain_read(blob, &read), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_chain_read(NULL, &read), CVG_ERR_SYNTAX);
    cvg_blob_unref(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_table),
        cmocka_unit_test(digests_are_compared_whole),
        cmocka_unit_test(not_usable),
        cmocka_unit_test(keys_as_large_as_anybody_uses),
        cmocka_unit_test(keys_as_large_as_anybody_uses),
        cmocka_unit_test(one_of_several_is_enough),
        cmocka_unit_test(authority_that_is_not_shown),
        cmocka_unit_test(authority_of_somebody_else),
        cmocka_unit_test(names_count_for_authorities_only),
        cmocka_unit_test(dates_count_for_authorities_only),
        cmocka_unit_test(chains_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
