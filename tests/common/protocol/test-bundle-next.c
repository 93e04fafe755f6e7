/* SPDX-License-Identifier: MIT */
/* Bundles that announce the certificate to come: what is read, what is refused, and with whom a
 * bundle shares a pin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/bundle.h"
#include "tests/common/protocol/bundle-maker.h"

static struct {
    struct cvg_signing_key *key[2];
    char *certificate[3];
} with;

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        with.key[i] = maker_key();
    for (size_t i = 0; i < 3; i++)
        with.certificate[i] = maker_certificate("notary", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        cvg_signing_key_free(with.key[i]);
    for (size_t i = 0; i < 3; i++)
        free(with.certificate[i]);
    return 0;
}

/* A bundle of that key, which shows one certificate and announces another. */
static enum cvg_error read_bundle(const char *name, size_t key, const char *now, const char *next,
                                  struct cvg_bundle **ret_bundle, struct cvg_why *why)
{
    const struct cvg_signing_key *keys[] = {with.key[key]};
    char *plain = maker_text(name, 1, now, keys, 1, "");
    char *text = maker_next(plain, next), *file = maker_sign(text, with.key[key]);
    enum cvg_error err = cvg_bundle_parse(file, strlen(file), ret_bundle, why);

    free(file);
    free(text);
    free(plain);
    return err;
}

static struct cvg_bundle *bundle_of(const char *name, size_t key, size_t now, size_t next)
{
    struct cvg_bundle *bundle = NULL;

    assert_int_equal(
        read_bundle(name, key, with.certificate[now], with.certificate[next], &bundle, NULL),
        CVG_OK);
    return bundle;
}

static void both_certificates_are_read(void **state)
{
    struct cvg_bundle *bundle = bundle_of("alpha", 0, 0, 1), *other = bundle_of("alpha", 0, 1, 0);

    (void)state;
    assert_int_equal(bundle->host[0].next_certificate_len, other->host[0].certificate_len);
    assert_memory_equal(bundle->host[0].next_certificate, other->host[0].certificate,
                        other->host[0].certificate_len);
    assert_memory_equal(bundle->host[0].certificate, other->host[0].next_certificate,
                        bundle->host[0].certificate_len);
    cvg_bundle_free(other);
    cvg_bundle_free(bundle);
}

static void refused(const char *next, enum cvg_error expected)
{
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {""};

    assert_int_equal(read_bundle("alpha", 0, with.certificate[0], next, &bundle, &why), expected);
    assert_null(bundle);
    assert_non_null(strstr(why.text, "hosts[0].next_certificate"));
}

static void it_is_as_strict_as_the_certificate(void **state)
{
    char two[8192] = "", junk[8192] = "junk\n", *large = maker_certificate("notary", 70000);

    (void)state;
    strcat(strcat(two, with.certificate[1]), with.certificate[2]);
    strcat(junk, with.certificate[1]);
    refused("", CVG_ERR_SYNTAX);
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", CVG_ERR_SYNTAX);
    refused(two, CVG_ERR_SYNTAX);
    refused(junk, CVG_ERR_SYNTAX);
    refused(large, CVG_ERR_RANGE);
    refused(with.certificate[0], CVG_ERR_SYNTAX); /* the same again announces nothing */
    free(large);
}

static void a_number_is_no_certificate(void **state)
{
    static const char members[] =
        "\"relay_port\": 80, \"addresses\": [\"192.0.2.7\", \"2001:DB8::7\"]";
    static const char number[] = "\"next_certificate\": 7";
    const struct cvg_signing_key *keys[] = {with.key[0]};
    char *text = maker_text("alpha", 1, with.certificate[0], keys, 1, "");
    char *at = strstr(text, members), *file;
    struct cvg_bundle *bundle = NULL;

    (void)state;
    assert_non_null(at);
    memset(at, ' ', sizeof members - 1);
    memcpy(at, number, sizeof number - 1);
    file = maker_sign(text, with.key[0]);
    assert_int_equal(cvg_bundle_parse(file, strlen(file), &bundle, NULL), CVG_ERR_SYNTAX);
    assert_null(bundle);
    free(file);
    free(text);
}

static void version_1_knows_no_next_certificate(void **state)
{
    char *plain = maker_version_1("alpha", with.certificate[0]);
    char *file = maker_next(plain, "nothing that anybody reads");
    struct cvg_bundle *bundle = NULL;

    (void)state;
    assert_int_equal(cvg_bundle_parse(file, strlen(file), &bundle, NULL), CVG_OK);
    assert_null(bundle->host[0].next_certificate);
    cvg_bundle_free(bundle);
    free(file);
    free(plain);
}

static void an_announced_pin_is_shared_too(void **state)
{
    struct cvg_bundle *alpha = bundle_of("alpha", 0, 0, 1);
    struct cvg_bundle *now = bundle_of("beta", 1, 1, 2), *next = bundle_of("beta", 1, 2, 1);

    (void)state;
    assert_string_equal(cvg_bundle_shared(alpha, now), "certificate");
    assert_string_equal(cvg_bundle_shared(now, alpha), "certificate");
    assert_string_equal(cvg_bundle_shared(alpha, next), "certificate");
    cvg_bundle_free(next);
    cvg_bundle_free(now);
    cvg_bundle_free(alpha);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_certificates_are_read),
        cmocka_unit_test(it_is_as_strict_as_the_certificate),
        cmocka_unit_test(a_number_is_no_certificate),
        cmocka_unit_test(version_1_knows_no_next_certificate),
        cmocka_unit_test(an_announced_pin_is_shared_too),
    };

    return cmocka_run_group_tests_name("bundle-next", tests, set_up, tear_down);
}
