/* SPDX-License-Identifier: MIT */
/* The verifier of DANE, with DNS answers out of a script: which names it asks for, and what it goes
 * by. Whether records match is test-dane.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notary/verifier.h"
#include "tests/notary/mint.h"

#define HOST "site.example"

/* One answer of the script; a name of NULL ends it. */
struct answer {
    const char *name; /* that must be asked for */
    enum cvg_dns_type type;
    enum cvg_error err;
    enum cvg_dns_security security;
    const char *canonical;
    bool good; /* records of the leaf, else of something else */
};

static struct {
    const struct answer *next;
    cvg_dns_done *done; /* of the question under way; NULL: none */
    void *user;
    enum cvg_error refusal; /* what the next question is refused with */
    unsigned cancelled;
} script;

static struct cvg_metrics metrics;
static struct cvg_verifier *dane;
static EVP_PKEY *key;
static X509 *leaf;
static uint8_t good[35] = {3, 0, 1}, bad[35] = {3, 0, 1};
static struct cvg_evidence evidence;

static struct {
    unsigned calls;
    uint8_t opinion;
} told;

struct cvg_dns *__wrap_cvg_resolver_dns(struct cvg_resolver *resolver);
enum cvg_error __wrap_cvg_dns_start(struct cvg_dns *dns, const char *name, enum cvg_dns_type type,
                                    cvg_dns_done *done, void *user,
                                    struct cvg_dns_question **ret_question);
void __wrap_cvg_dns_cancel(struct cvg_dns_question *question);

struct cvg_dns *__wrap_cvg_resolver_dns(struct cvg_resolver *resolver)
{
    (void)resolver;
    return NULL;
}

enum cvg_error __wrap_cvg_dns_start(struct cvg_dns *dns, const char *name, enum cvg_dns_type type,
                                    cvg_dns_done *done, void *user,
                                    struct cvg_dns_question **ret_question)
{
    (void)dns;
    if (script.refusal != CVG_OK)
        return script.refusal;
    assert_non_null(script.next->name);
    assert_string_equal(name, script.next->name);
    assert_int_equal(type, script.next->type);
    assert_null(script.done);
    script.done = done;
    script.user = user;
    *ret_question = (struct cvg_dns_question *)&script;
    return CVG_OK;
}

void __wrap_cvg_dns_cancel(struct cvg_dns_question *question)
{
    assert_ptr_equal(question, &script);
    script.cancelled++;
    script.done = NULL;
}

static void judged(const struct cvg_judgements *judgements, void *user)
{
    assert_ptr_equal(user, &told);
    assert_int_equal(judgements->verifier, CVG_VERIFIER_DANE);
    told.calls++;
    told.opinion = judgements->opinion[0];
}

static struct cvg_verification *start(const char *host, const struct answer *answers)
{
    struct cvg_judgements at_once = {.verifier = CVG_VERIFIER_DANE};
    memset(&told, 0, sizeof(told));
    script.next = answers;
    script.cancelled = 0;
    assert_int_equal(cvg_endpoint_parse(host, 443, &evidence.endpoint, NULL), CVG_OK);
    struct cvg_verification *verification = dane->start(dane, &evidence, judged, &told, &at_once);
    assert_int_equal(at_once.opinion[0], CVG_V2_OPINION_NONE);
    assert_int_equal(told.calls, 0);
    return verification;
}

static void answer_next(void)
{
    const struct answer *one = script.next++;
    cvg_dns_done *done = script.done;
    const struct cvg_dns_answer answer = {
        .err = one->err,
        .security = one->security,
        .canonical = one->canonical,
        .count = one->err == CVG_OK,
        .record = {{.rdata = one->good ? good : bad, .len = sizeof(good)}},
    };
    script.done = NULL;
    done(&answer, script.user);
}

/* What is said after the whole script. */
static enum cvg_v2_opinion opinion_after(const struct answer *answers)
{
    assert_non_null(start(HOST, answers));
    while (script.done != NULL)
        answer_next();
    assert_null(script.next->name);
    assert_int_equal(told.calls, 1);
    return (enum cvg_v2_opinion)told.opinion;
}

static int64_t bogus(void)
{
    return atomic_load(&metrics.value[CVG_METRIC_DNS_BOGUS]);
}

#define A(err, security, canonical)                                                                \
    {                                                                                              \
        HOST, CVG_DNS_A, err, security, canonical, false                                           \
    }
#define TLSA(at, err, security, is_good)                                                           \
    {                                                                                              \
        "_443._tcp." at, CVG_DNS_TLSA, err, security, NULL, is_good                                \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static void secure_records_are_judged(void **state)
{
    const struct answer yes[] = {A(CVG_OK, CVG_DNS_SECURE, HOST "."),
                                 TLSA(HOST, CVG_OK, CVG_DNS_SECURE, true), END};
    const struct answer no[] = {A(CVG_OK, CVG_DNS_SECURE, NULL),
                                TLSA(HOST, CVG_OK, CVG_DNS_SECURE, false), END};
    const struct answer no_address[] = {A(CVG_ERR_NOT_FOUND, CVG_DNS_INSECURE, NULL),
                                        TLSA(HOST, CVG_OK, CVG_DNS_SECURE, true), END};
    (void)state;
    assert_int_equal(opinion_after(yes), CVG_V2_OPINION_YES);
    assert_int_equal(opinion_after(no), CVG_V2_OPINION_NO);
    assert_int_equal(opinion_after(no_address), CVG_V2_OPINION_YES);
}

static void what_is_not_proven_stands_aside(void **state)
{
    const struct answer insecure[] = {A(CVG_OK, CVG_DNS_INSECURE, NULL),
                                      TLSA(HOST, CVG_OK, CVG_DNS_INSECURE, true), END};
    const struct answer none[] = {A(CVG_OK, CVG_DNS_SECURE, NULL),
                                  TLSA(HOST, CVG_ERR_NOT_FOUND, CVG_DNS_SECURE, false), END};
    const struct answer silence[] = {A(CVG_OK, CVG_DNS_SECURE, NULL),
                                     TLSA(HOST, CVG_ERR_UNREACHABLE, CVG_DNS_INSECURE, false), END};
    const struct answer no_address[] = {A(CVG_ERR_UNREACHABLE, CVG_DNS_INSECURE, NULL), END};
    (void)state;
    int64_t before = bogus();
    assert_int_equal(opinion_after(insecure), CVG_V2_OPINION_NONE);
    assert_int_equal(opinion_after(none), CVG_V2_OPINION_NONE);
    assert_int_equal(opinion_after(silence), CVG_V2_OPINION_NONE);
    assert_int_equal(opinion_after(no_address), CVG_V2_OPINION_NONE);
    assert_int_equal(bogus(), before);
}

static void what_is_forged_is_counted(void **state)
{
    const struct answer records[] = {A(CVG_OK, CVG_DNS_SECURE, NULL),
                                     TLSA(HOST, CVG_ERR_UNREACHABLE, CVG_DNS_BOGUS, true), END};
    const struct answer address[] = {A(CVG_ERR_UNREACHABLE, CVG_DNS_BOGUS, NULL), END};
    (void)state;
    int64_t before = bogus();
    assert_int_equal(opinion_after(records), CVG_V2_OPINION_NONE);
    assert_int_equal(bogus(), before + 1);
    assert_int_equal(opinion_after(address), CVG_V2_OPINION_NONE);
    assert_int_equal(bogus(), before + 2);
}

static void records_where_cnames_end_come_first(void **state)
{
    const struct answer there[] = {A(CVG_OK, CVG_DNS_SECURE, "Host.Provider.Example."),
                                   TLSA("host.provider.example", CVG_OK, CVG_DNS_SECURE, false),
                                   END};
    const struct answer not_there[] = {
        A(CVG_OK, CVG_DNS_SECURE, "host.provider.example."),
        TLSA("host.provider.example", CVG_ERR_NOT_FOUND, CVG_DNS_SECURE, false),
        TLSA(HOST, CVG_OK, CVG_DNS_SECURE, true), END};
    (void)state;
    assert_int_equal(opinion_after(there), CVG_V2_OPINION_NO);
    assert_int_equal(opinion_after(not_there), CVG_V2_OPINION_YES);
}

/* Nobody may choose which records count by forging CNAMEs, or by suppressing an answer. */
static void cnames_count_if_proven(void **state)
{
    const struct answer insecure[] = {A(CVG_OK, CVG_DNS_INSECURE, "evil.example."),
                                      TLSA(HOST, CVG_OK, CVG_DNS_SECURE, false), END};
    const struct answer suppressed[] = {
        A(CVG_OK, CVG_DNS_SECURE, "host.provider.example."),
        TLSA("host.provider.example", CVG_ERR_UNREACHABLE, CVG_DNS_INSECURE, false), END};
    const struct answer unproven[] = {
        A(CVG_OK, CVG_DNS_SECURE, "host.provider.example."),
        TLSA("host.provider.example", CVG_ERR_NOT_FOUND, CVG_DNS_INSECURE, false), END};
    (void)state;
    assert_int_equal(opinion_after(insecure), CVG_V2_OPINION_NO);
    assert_int_equal(opinion_after(suppressed), CVG_V2_OPINION_NONE);
    assert_int_equal(opinion_after(unproven), CVG_V2_OPINION_NONE);
}

static void addresses_have_no_records(void **state)
{
    (void)state;
    assert_null(start("192.0.2.1", NULL));
    assert_null(start("2001:db8::1", NULL));
}

static void ports_are_in_the_name(void **state)
{
    const struct answer answers[] = {
        A(CVG_OK, CVG_DNS_SECURE, NULL),
        {"_65535._tcp." HOST, CVG_DNS_TLSA, CVG_OK, CVG_DNS_SECURE, NULL, true},
        END};
    (void)state;
    assert_non_null(start(HOST ":65535", answers));
    answer_next();
    answer_next();
    assert_int_equal(told.opinion, CVG_V2_OPINION_YES);
}

static void refused_questions_stand_aside(void **state)
{
    const struct answer answers[] = {A(CVG_OK, CVG_DNS_SECURE, NULL), END};
    (void)state;
    script.refusal = CVG_ERR_BUSY;
    assert_null(start(HOST, answers));
    script.refusal = CVG_OK;
    assert_non_null(start(HOST, answers));
    script.refusal = CVG_ERR_BUSY; /* the second */
    answer_next();
    script.refusal = CVG_OK;
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.opinion, CVG_V2_OPINION_NONE);
}

static void cancelled_at_every_step(void **state)
{
    const struct answer answers[] = {
        A(CVG_OK, CVG_DNS_SECURE, "host.provider.example."),
        TLSA("host.provider.example", CVG_ERR_NOT_FOUND, CVG_DNS_SECURE, false),
        TLSA(HOST, CVG_OK, CVG_DNS_SECURE, true), END};
    (void)state;
    for (unsigned steps = 0; steps < 3; steps++) {
        struct cvg_verification *verification = start(HOST, answers);
        for (unsigned i = 0; i < steps; i++)
            answer_next();
        dane->cancel(verification);
        assert_int_equal(script.cancelled, 1);
        assert_int_equal(told.calls, 0);
    }
}

static int make_all(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    key = mint_key();
    leaf = mint_certificate(&(struct mint){.name = HOST, .key = key});
    int len = i2d_X509(leaf, &der);
    if (EVP_Digest(der, (size_t)len, good + 3, NULL, EVP_sha256(), NULL) != 1)
        return -1;
    OPENSSL_free(der);
    evidence.count = 1;
    evidence.sighting[0].chain = mint_chain(&leaf, 1);
    return cvg_verifier_dane_new(NULL, &metrics, &dane) == CVG_OK ? 0 : -1;
}

static int free_all(void **state)
{
    (void)state;
    dane->free(dane);
    cvg_blob_unref(evidence.sighting[0].chain);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secure_records_are_judged),
        cmocka_unit_test(what_is_not_proven_stands_aside),
        cmocka_unit_test(what_is_forged_is_counted),
        cmocka_unit_test(records_where_cnames_end_come_first),
        cmocka_unit_test(cnames_count_if_proven),
        cmocka_unit_test(addresses_have_no_records),
        cmocka_unit_test(ports_are_in_the_name),
        cmocka_unit_test(refused_questions_stand_aside),
        cmocka_unit_test(cancelled_at_every_step),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
