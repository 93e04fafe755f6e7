/* SPDX-License-Identifier: MIT */
/* The verifier of Certificate Transparency, with logs and SCTs made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "notary/chain.h"
#include "notary/verifier.h"
#include "tests/common/protocol/vectors.h"
#include "tests/notary/mint.h"

#define LOGS 4 /* of which the last is none that is known */

static EVP_PKEY *authority_key, *leaf_key, *log_key[LOGS];
static X509 *authority;
static char list[] = "/tmp/cvg-ct-logs-XXXXXX";

static int make_all(void **state)
{
    (void)state;
    authority_key = mint_key();
    leaf_key = mint_key();
    authority = mint_certificate(
        &(struct mint){.name = "Authority", .key = authority_key, .authority = true});
    for (int i = 0; i < LOGS; i++)
        log_key[i] = mint_key();
    int fd = mkstemp(list);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return -1;
    mint_log_list(file, log_key, LOGS - 1);
    return fclose(file);
}

static int free_all(void **state)
{
    (void)state;
    X509_free(authority);
    EVP_PKEY_free(authority_key);
    EVP_PKEY_free(leaf_key);
    for (int i = 0; i < LOGS; i++)
        EVP_PKEY_free(log_key[i]);
    return unlink(list);
}

/* What a verifier that wants so many logs says of the chain. */
static enum cvg_v2_opinion judged(unsigned min, X509 *const *certificate, size_t count)
{
    struct cvg_verifier *ct = NULL;
    struct cvg_judgements judgements = {.verifier = CVG_VERIFIER_CT};
    struct cvg_evidence evidence = {.count = 1};
    evidence.sighting[0].chain = mint_chain(certificate, count);
    assert_int_equal(cvg_verifier_ct_new(list, min, &ct, NULL), CVG_OK);
    assert_int_equal(ct->id, CVG_VERIFIER_CT);
    assert_null(ct->start(ct, &evidence, NULL, NULL, &judgements));
    ct->free(ct);
    cvg_blob_unref(evidence.sighting[0].chain);
    return (enum cvg_v2_opinion)judgements.opinion[0];
}

static X509 *leaf_with(EVP_PKEY *const *log, size_t count, struct mint how)
{
    how.name = "site.example";
    how.key = leaf_key;
    how.issuer = authority;
    how.issuer_key = authority_key;
    how.log = log;
    how.log_count = count;
    return mint_certificate(&how);
}

/* As judged, of a leaf with those SCTs that comes with its issuer. */
static enum cvg_v2_opinion judged_with(unsigned min, EVP_PKEY *const *log, size_t count,
                                       struct mint how)
{
    X509 *chain[] = {leaf_with(log, count, how), authority};
    enum cvg_v2_opinion opinion = judged(min, chain, 2);
    X509_free(chain[0]);
    return opinion;
}

static void as_many_logs_as_wanted(void **state)
{
    EVP_PKEY *two[] = {log_key[0], log_key[1]};
    (void)state;
    assert_int_equal(judged_with(1, two, 2, (struct mint){0}), CVG_V2_OPINION_YES);
    assert_int_equal(judged_with(2, two, 2, (struct mint){0}), CVG_V2_OPINION_YES);
    assert_int_equal(judged_with(3, two, 2, (struct mint){0}), CVG_V2_OPINION_NO);
}

static void no_scts_stands_aside(void **state)
{
    (void)state;
    assert_int_equal(judged_with(1, NULL, 0, (struct mint){0}), CVG_V2_OPINION_NONE);
}

static void log_that_is_not_listed(void **state)
{
    EVP_PKEY *logs[] = {log_key[0], log_key[LOGS - 1]};
    (void)state;
    assert_int_equal(judged_with(1, logs, 2, (struct mint){0}), CVG_V2_OPINION_YES);
    assert_int_equal(judged_with(2, logs, 2, (struct mint){0}), CVG_V2_OPINION_NO);
}

static void one_log_twice_is_one(void **state)
{
    EVP_PKEY *logs[] = {log_key[1], log_key[1]};
    (void)state;
    assert_int_equal(judged_with(1, logs, 2, (struct mint){0}), CVG_V2_OPINION_YES);
    assert_int_equal(judged_with(2, logs, 2, (struct mint){0}), CVG_V2_OPINION_NO);
}

static void signature_over_something_else(void **state)
{
    EVP_PKEY *two[] = {log_key[0], log_key[1]};
    (void)state;
    assert_int_equal(judged_with(2, two, 2, (struct mint){.log_signs_wrong = true}),
                     CVG_V2_OPINION_NO);
    assert_int_equal(judged_with(1, two, 2, (struct mint){.log_signs_wrong = true}),
                     CVG_V2_OPINION_YES);
}

static void from_the_future(void **state)
{
    EVP_PKEY *two[] = {log_key[0], log_key[1]};
    int64_t tomorrow_ms = ((int64_t)time(NULL) + 86400) * 1000;
    (void)state;
    assert_int_equal(judged_with(1, two, 2, (struct mint){.log_time_ms = tomorrow_ms}),
                     CVG_V2_OPINION_NO);
}

/* The SCTs of another certificate. */
static void scts_moved_to_another_leaf(void **state)
{
    EVP_PKEY *two[] = {log_key[0], log_key[1]};
    X509 *from = leaf_with(two, 2, (struct mint){0});
    X509 *chain[] = {leaf_with(NULL, 0, (struct mint){0}), authority};
    int at = X509_get_ext_by_NID(from, NID_ct_precert_scts, -1);
    (void)state;
    assert_int_equal(X509_add_ext(chain[0], X509_get_ext(from, at), -1), 1);
    assert_true(X509_sign(chain[0], authority_key, EVP_sha256()) > 0);
    assert_int_equal(judged(1, chain, 2), CVG_V2_OPINION_NO);
    X509_free(from);
    X509_free(chain[0]);
}

static void issuer_is_needed(void **state)
{
    EVP_PKEY *two[] = {log_key[0], log_key[1]};
    EVP_PKEY *other_key = mint_key();
    X509 *other =
        mint_certificate(&(struct mint){.name = "Authority", .key = other_key, .authority = true});
    X509 *chain[] = {leaf_with(two, 2, (struct mint){0}), other, authority};
    X509 *crowd[] = {chain[0], other, other, authority};
    (void)state;
    assert_int_equal(judged(2, chain, 1), CVG_V2_OPINION_NONE);
    assert_int_equal(judged(2, chain, 2), CVG_V2_OPINION_NONE); /* of the same name only */
    assert_int_equal(judged(2, chain, 3), CVG_V2_OPINION_YES);  /* somewhere behind it */
    assert_int_equal(judged(2, crowd, 4), CVG_V2_OPINION_NONE); /* not among many of its name */
    X509_free(chain[0]);
    X509_free(other);
    EVP_PKEY_free(other_key);
}

/* How many of a leaf and a certificate with a key of that size behind it are read. */
static int read_with_key(int bits)
{
    STACK_OF(X509) *certificates = NULL;
    EVP_PKEY *key = mint_made_up_key(bits);
    X509 *leaf = leaf_with(NULL, 0, (struct mint){0});
    X509 *behind = mint_certificate(&(struct mint){.name = "Dear",
                                                   .key = key,
                                                   .authority = true,
                                                   .issuer = authority,
                                                   .issuer_key = authority_key});
    struct cvg_blob *chain = mint_chain((X509 *[]){leaf, behind}, 2);
    assert_int_equal(cvg_chain_read(chain, &certificates), CVG_OK);
    int count = sk_X509_num(certificates);
    sk_X509_pop_free(certificates, X509_free);
    cvg_blob_unref(chain);
    X509_free(behind);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return count;
}

/* Whoever shows a notary a chain chooses what its signatures cost. */
static void keys_as_large_as_anybody_uses(void **state)
{
    (void)state;
    assert_int_equal(read_with_key(CVG_CHAIN_KEY_BITS_MAX), 2);
    assert_int_equal(read_with_key(CVG_CHAIN_KEY_BITS_MAX + 8), 1);
    assert_int_equal(read_with_key(16384), 1);
}

static void nothing_to_go_by(void **state)
{
    struct cvg_verifier *ct = NULL;
    struct cvg_judgements judgements = {.verifier = CVG_VERIFIER_CT};
    struct cvg_evidence evidence = {.count = 3}; /* without chains, and with one that is none */
    (void)state;
    evidence.sighting[1].chain = cvg_blob_new("\0\0\3abc", 6);
    evidence.sighting[2].chain = cvg_blob_new("\0\0", 2);
    assert_int_equal(cvg_verifier_ct_new(list, 1, &ct, NULL), CVG_OK);
    assert_null(ct->start(ct, &evidence, NULL, NULL, &judgements));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(judgements.opinion[i], CVG_V2_OPINION_NONE);
    ct->free(ct);
    cvg_blob_unref(evidence.sighting[1].chain);
    cvg_blob_unref(evidence.sighting[2].chain);
}

/* Writes a list of logs; its name has to be unlinked. */
static void write_text(char *name, const void *text, size_t len)
{
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static void example_of_the_document(void **state)
{
    char name[] = "/tmp/cvg-ct-logs-XXXXXX";
    struct cvg_verifier *ct = NULL;
    struct vector example;
    (void)state;
    vector_text("notary.md", "text", "ct-logs", &example);
    write_text(name, example.octets, example.len);
    assert_int_equal(cvg_verifier_ct_new(name, 2, &ct, NULL), CVG_OK);
    ct->free(ct);
    unlink(name);
}

static void lists_that_are_none(void **state)
{
    static const char *const text[] = {"", "enabled_logs = a\n", "no list at all\n",
                                       "enabled_logs = a\n[a]\ndescription = A\nkey = AAAA\n"};
    struct cvg_verifier *ct = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        char name[] = "/tmp/cvg-ct-logs-XXXXXX";
        struct cvg_why why = {.text = ""};
        write_text(name, text[i], strlen(text[i]));
        assert_int_equal(cvg_verifier_ct_new(name, 2, &ct, &why), CVG_ERR_CONFIG);
        assert_non_null(strstr(why.text, name));
        assert_int_equal(chmod(name, 0666), 0); /* anybody could have written it */
        assert_int_equal(cvg_verifier_ct_new(name, 2, &ct, &why), CVG_ERR_OWNER);
        unlink(name);
    }
    assert_null(ct);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_logs_as_wanted),        cmocka_unit_test(no_scts_stands_aside),
        cmocka_unit_test(log_that_is_not_listed),        cmocka_unit_test(one_log_twice_is_one),
        cmocka_unit_test(signature_over_something_else), cmocka_unit_test(from_the_future),
        cmocka_unit_test(scts_moved_to_another_leaf),    cmocka_unit_test(issuer_is_needed),
        cmocka_unit_test(keys_as_large_as_anybody_uses), cmocka_unit_test(nothing_to_go_by),
        cmocka_unit_test(example_of_the_document),       cmocka_unit_test(lists_that_are_none),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
