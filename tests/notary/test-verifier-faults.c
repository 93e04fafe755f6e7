/* SPDX-License-Identifier: MIT */
/* Memory that runs out, at every place in turn, while DANE and Certificate Transparency are judged:
 * what is a no with memory is never a yes without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/chain.h"
#include "notary/dane.h"
#include "notary/verifier.h"
#include "tests/failing.h"
#include "tests/notary/mint.h"

#define HOST       "site.example"
#define PLACES_MAX 20000

static EVP_PKEY *authority_key, *leaf_key, *log_key[2];
static X509 *authority, *leaf, *unlogged;
static struct cvg_dane *dane;
static struct cvg_verifier *ct;
static char list[] = "/tmp/cvg-ct-faults-XXXXXX";

typedef enum cvg_v2_opinion judge(const void *what);

/* One judgement that is a NO, with each allocation failing in turn. */
static void never_yes(judge *judged, const void *what)
{
    long at = 0;
    bool reached = true;
    assert_int_equal(judged(what), CVG_V2_OPINION_NO);
    while (reached && ++at < PLACES_MAX) {
        failing_begin(at, false);
        enum cvg_v2_opinion opinion = judged(what);
        reached = failing_end();
        if (opinion == CVG_V2_OPINION_YES)
            fail_msg("without allocation %ld it is a yes", at);
    }
    assert_in_range(at, 2, PLACES_MAX - 1);
    ERR_clear_error();
    assert_int_equal(judged(what), CVG_V2_OPINION_NO);
}

static enum cvg_v2_opinion judge_ct(const void *what)
{
    struct cvg_judgements judgements = {.verifier = CVG_VERIFIER_CT};
    assert_null(ct->start(ct, what, NULL, NULL, &judgements));
    return (enum cvg_v2_opinion)judgements.opinion[0];
}

static void certificate_transparency(void **state)
{
    X509 *const chain[] = {unlogged, authority};
    struct cvg_evidence evidence = {.count = 1};
    (void)state;
    if (!failing_possible())
        skip();
    evidence.sighting[0].chain = mint_chain(chain, 2);
    never_yes(judge_ct, &evidence);
    cvg_blob_unref(evidence.sighting[0].chain);
}

struct dane_case {
    struct cvg_blob *chain;
    struct cvg_dns_answer records;
};

static enum cvg_v2_opinion judge_dane(const void *what)
{
    const struct dane_case *one = what;
    STACK_OF(X509) *chain = NULL;
    if (cvg_chain_read(one->chain, &chain) != CVG_OK)
        return CVG_V2_OPINION_NONE;
    enum cvg_v2_opinion opinion = cvg_dane_judge(dane, HOST, "other.example", &one->records, chain);
    sk_X509_pop_free(chain, X509_free);
    return opinion;
}

/* Against a record of another certificate. */
static void dane_of(uint8_t usage)
{
    X509 *const chain[] = {leaf, authority};
    uint8_t tlsa[3 + CVG_SHA256_LEN] = {usage, 0, 1};
    struct dane_case one = {.chain = mint_chain(chain, 2), .records = {.count = 1}};
    assert_int_equal(X509_digest(unlogged, EVP_sha256(), tlsa + 3, NULL), 1);
    one.records.record[0] = (struct cvg_dns_record){.rdata = tlsa, .len = sizeof(tlsa)};
    never_yes(judge_dane, &one);
    cvg_blob_unref(one.chain);
}

static void dane_end_entities(void **state)
{
    (void)state;
    if (!failing_possible())
        skip();
    dane_of(3);
}

static void dane_authorities(void **state)
{
    (void)state;
    if (!failing_possible())
        skip();
    dane_of(2);
}

static int write_list(void)
{
    int fd = mkstemp(list);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return -1;
    mint_log_list(file, log_key, 1);
    return fclose(file);
}

static X509 *leaf_logged_by(EVP_PKEY *log)
{
    return mint_certificate(&(struct mint){.name = HOST,
                                           .key = leaf_key,
                                           .issuer = authority,
                                           .issuer_key = authority_key,
                                           .log = &log,
                                           .log_count = 1});
}

static int make_all(void **state)
{
    (void)state;
    authority_key = mint_key();
    leaf_key = mint_key();
    log_key[0] = mint_key();
    log_key[1] = mint_key();
    authority = mint_certificate(
        &(struct mint){.name = "Authority", .key = authority_key, .authority = true});
    leaf = leaf_logged_by(log_key[0]);
    unlogged = leaf_logged_by(log_key[1]);
    if (write_list() != 0 || cvg_dane_new(&dane) != CVG_OK)
        return -1;
    return cvg_verifier_ct_new(list, 1, &ct, NULL) == CVG_OK ? 0 : -1;
}

static int free_all(void **state)
{
    (void)state;
    ct->free(ct);
    cvg_dane_free(dane);
    X509_free(authority);
    X509_free(leaf);
    X509_free(unlogged);
    EVP_PKEY_free(authority_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(log_key[0]);
    EVP_PKEY_free(log_key[1]);
    return unlink(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_transparency),
        cmocka_unit_test(dane_end_entities),
        cmocka_unit_test(dane_authorities),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
