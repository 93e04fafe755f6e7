/* SPDX-License-Identifier: MIT */
/* Bundles: what each version says, what is refused and with which words, and what may replace what.
 * On every failure the result stays untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/bundle.h"
#include "tests/common/protocol/bundle-maker.h"

/* Made once: keys and a certificate are all the cases need. */
static struct {
    struct cvg_signing_key *key[3];
    char *certificate;
    char *text; /* version 2, serial 5, keys 0 and 1 */
    char *file; /* the same, signed by key 0 */
} with;

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        with.key[i] = maker_key();
    with.certificate = maker_certificate("notary.alpha.example", 0);
    with.text = maker_text("alpha", 5, with.certificate,
                           (const struct cvg_signing_key *const *)with.key, 2, "");
    with.file = maker_sign(with.text, with.key[0]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        cvg_signing_key_free(with.key[i]);
    free(with.certificate);
    free(with.text);
    free(with.file);
    return 0;
}

static struct cvg_bundle *parsed(const char *file)
{
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {""};

    if (cvg_bundle_parse(file, strlen(file), &bundle, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return bundle;
}

/* The file is refused with that error and a sentence in which the word occurs. */
static void refused(const char *file, enum cvg_error expected, const char *word)
{
    struct cvg_bundle *bundle = (struct cvg_bundle *)&with;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_bundle_parse(file, strlen(file), &bundle, &why);

    if (err != expected || strstr(why.text, word) == NULL)
        fail_msg("expected \"%s\" (%s), got \"%s\" (%s)", cvg_strerror(expected), word,
                 cvg_strerror(err), why.text);
    assert_ptr_equal(bundle, &with);
}

/* text with the first occurrence of from replaced by to. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *result = NULL;

    assert_non_null(at);
    assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return result;
}

static void version_2_says_all(void **state)
{
    char *text =
        maker_text("alpha", 5, with.certificate, (const struct cvg_signing_key *const *)with.key, 2,
                   ", \"region\": \"CH\", \"operator\": \"Alpha, Z\\u00fcrich\", \"future\": [1],"
                   "\"bundle_location\": \"https://alpha.example/alpha.notary\"");
    char *file = maker_sign(text, with.key[1]);
    struct cvg_bundle *bundle = parsed(file);

    (void)state;
    assert_int_equal(bundle->version, 2);
    assert_int_equal(bundle->protocol, 2);
    assert_int_equal(bundle->serial, 5);
    assert_string_equal(bundle->name, "alpha");
    assert_string_equal(bundle->region, "CH");
    assert_string_equal(bundle->operator_name, "Alpha, Z\xc3\xbcrich");
    assert_string_equal(bundle->location, "https://alpha.example/alpha.notary");
    assert_int_equal(bundle->key_count, 2);
    assert_memory_equal(cvg_verify_key_id(bundle->key[1]), cvg_signing_key_id(with.key[1]),
                        CVG_SHA256_LEN);
    assert_int_equal(bundle->host_count, 1);
    assert_string_equal(bundle->host[0].host, "notary.alpha.example");
    assert_int_equal(bundle->host[0].ssl_port, 443);
    assert_int_equal(bundle->host[0].bounce_port, 4242);
    assert_int_equal(bundle->host[0].relay_port, 80);
    assert_int_equal(bundle->host[0].address_count, 2);
    assert_string_equal(bundle->host[0].address[1], "2001:db8::7");
    assert_true(bundle->host[0].certificate_len > 200);
    cvg_bundle_free(bundle);
    free(file);
    free(text);
}

static void versions_1_and_0_have_the_originals_defaults(void **state)
{
    char *named = maker_version_1("alpha", with.certificate);
    char *file = changed(named, "\"alpha\"", "\"Alpha Caf\\u00e9\"");
    char *plain = changed(file, "\"ssl_port\": 443, \"http_port\": 80, ", "");
    char *host = strchr(strchr(plain, '['), '{');
    struct cvg_bundle *bundle = parsed(plain);

    (void)state;
    assert_int_equal(bundle->version, 1);
    assert_int_equal(bundle->protocol, 1);
    assert_int_equal(bundle->key_count, 0);
    assert_string_equal(bundle->name, "Alpha Caf\xc3\xa9");
    assert_int_equal(bundle->host[0].ssl_port, 443);
    assert_int_equal(bundle->host[0].relay_port, 80);
    assert_int_equal(bundle->host[0].bounce_port, 4242);
    cvg_bundle_free(bundle);

    host[strlen(host) - 2] = '\0';
    bundle = parsed(host);
    assert_int_equal(bundle->version, 0);
    assert_int_equal(bundle->protocol, 1);
    assert_int_equal(bundle->host_count, 1);
    assert_string_equal(bundle->name, "notary.alpha.example");
    cvg_bundle_free(bundle);
    free(plain);
    free(file);
    free(named);
}

static void a_wrong_member_is_named(void **state)
{
    static const struct {
        const char *from, *to;
        enum cvg_error err;
        const char *word;
    } cases[] = {
        {"\"name\": \"alpha\"", "\"name\": 7", CVG_ERR_SYNTAX, "name"},
        {"\"name\": \"alpha\"", "\"name\": \"\"", CVG_ERR_SYNTAX, "name"},
        {"\"name\": \"alpha\"", "\"name\": \".alpha\"", CVG_ERR_SYNTAX, "name"},
        {"\"name\": \"alpha\"", "\"name\": \"../alpha\"", CVG_ERR_SYNTAX, "name"},
        {"\"name\": \"alpha\"", "\"name\": \"al pha\"", CVG_ERR_SYNTAX, "name"},
        {"\"name\": \"alpha\"", "\"nam\": \"alpha\"", CVG_ERR_SYNTAX, "name"},
        {"\"name\": \"alpha\"", "\"name\": \"alpha\", \"name\": \"alpha\"", CVG_ERR_SYNTAX, "dupl"},
        {"\"name\": \"alpha\"",
         "\"name\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
         CVG_ERR_RANGE, "name"},
        {"\"name\": \"alpha\"", "\"name\": \"alpha\", \"region\": \"ch\"", CVG_ERR_SYNTAX,
         "region"},
        {"\"name\": \"alpha\"", "\"name\": \"alpha\", \"region\": \"CHE\"", CVG_ERR_RANGE,
         "region"},
        {"\"name\": \"alpha\"", "\"name\": \"alpha\", \"operator\": \"a\\u0007\"", CVG_ERR_SYNTAX,
         "operator"},
        {"\"name\": \"alpha\"", "\"name\": \"alpha\", \"operator\": \"a\\u009b2J\"", CVG_ERR_SYNTAX,
         "operator"},
        {"\"name\": \"alpha\"", "\"name\": \"a\\u0000b\"", CVG_ERR_SYNTAX, "JSON"},
        {"\"name\": \"alpha\"",
         "\"name\": \"alpha\", \"bundle_location\": \"http://alpha.example/alpha.notary\"",
         CVG_ERR_SYNTAX, "bundle_location"},
        {"\"name\": \"alpha\"",
         "\"name\": \"alpha\", \"bundle_location\": \"https://alpha.example/alpha.json\"",
         CVG_ERR_SYNTAX, "bundle_location"},
        {"\"name\": \"alpha\"",
         "\"name\": \"alpha\", \"bundle_location\": \"https://u@alpha.example/alpha.notary\"",
         CVG_ERR_SYNTAX, "bundle_location"},
        {"\"version\": 2", "\"version\": 3", CVG_ERR_VERSION, "version"},
        {"\"version\": 2", "\"version\": 1", CVG_ERR_VERSION, "version"},
        {"\"version\": 2", "\"version\": \"2\"", CVG_ERR_SYNTAX, "version"},
        {"\"version\": 2, ", "", CVG_ERR_VERSION, "version"},
        {"\"serial\": 5", "\"serial\": 0", CVG_ERR_RANGE, "serial"},
        {"\"serial\": 5", "\"serial\": 9007199254740992", CVG_ERR_RANGE, "serial"},
        {"\"serial\": 5", "\"serial\": 99999999999999999999", CVG_ERR_SYNTAX, "JSON"},
        {"\"serial\": 5", "\"serial\": 5.0", CVG_ERR_RANGE, "serial"},
        {"\"serial\": 5, ", "", CVG_ERR_RANGE, "serial"},
        {"\"hosts\": [", "\"hosts\": [], \"was\": [", CVG_ERR_RANGE, "hosts"},
        {"\"hosts\": [", "\"hosts\": [7, ", CVG_ERR_SYNTAX, "hosts[0]"},
        {"\"keys\": [", "\"keys\": [], \"was\": [", CVG_ERR_RANGE, "keys"},
        {"\"keys\": [", "\"keys\": [7, ", CVG_ERR_SYNTAX, "keys[0]"},
        {"\"keys\": [", "\"keys\": [\"AAAA\", ", CVG_ERR_CONFIG, "keys[0]"},
        {"\"keys\": [\"", "\"keys\": [\"=", CVG_ERR_SYNTAX, "keys[0]"},
        {"\"ssl_port\": 443", "\"ssl_port\": 0", CVG_ERR_RANGE, "hosts[0].ssl_port"},
        {"\"ssl_port\": 443", "\"ssl_port\": 65536", CVG_ERR_RANGE, "hosts[0].ssl_port"},
        {"\"ssl_port\": 443", "\"ssl_port\": \"443\"", CVG_ERR_SYNTAX, "hosts[0].ssl_port"},
        {"\"ssl_port\": 443", "\"bounce_port\": 0", CVG_ERR_RANGE, "hosts[0].bounce_port"},
        {"\"relay_port\": 80", "\"relay_port\": -1", CVG_ERR_RANGE, "hosts[0].relay_port"},
        {"notary.alpha.example", "notary..example", CVG_ERR_SYNTAX, "hosts[0].host"},
        {"notary.alpha.example", "notary/alpha", CVG_ERR_SYNTAX, "hosts[0].host"},
        {"\"192.0.2.7\"", "\"alpha.example\"", CVG_ERR_SYNTAX, "hosts[0].addresses[0]"},
        {"\"192.0.2.7\"", "7", CVG_ERR_SYNTAX, "hosts[0].addresses[0]"},
        {"\"192.0.2.7\"", "\"1\", \"1\", \"1\", \"1\", \"1\", \"1\", \"1\", \"1\"", CVG_ERR_RANGE,
         "hosts[0].addresses"},
        {"-----BEGIN", "-----BEGUN", CVG_ERR_SYNTAX, "hosts[0].certificate"},
        {"-----BEGIN", "junk\\n-----BEGIN", CVG_ERR_SYNTAX, "hosts[0].certificate"},
        {"-----END CERTIFICATE-----", "-----END CERTIFICATE-----\\njunk", CVG_ERR_SYNTAX,
         "hosts[0].certificate"},
        {"-----END CERTIFICATE-----", "-----END", CVG_ERR_SYNTAX, "hosts[0].certificate"},
        {"-----BEGIN CERTIFICATE-----\\n", "-----BEGIN CERTIFICATE-----\\nMAMC", CVG_ERR_SYNTAX,
         "hosts[0].certificate"},
        {"\"certificate\"", "\"certificates\"", CVG_ERR_SYNTAX, "hosts[0].certificate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = changed(with.text, cases[i].from, cases[i].to);
        char *file = maker_sign(text, with.key[0]);

        refused(file, cases[i].err, cases[i].word);
        free(file);
        free(text);
    }
}

static void what_is_no_bundle_is_refused(void **state)
{
    static const struct {
        const char *file;
        enum cvg_error err;
        const char *word;
    } cases[] = {
        {"", CVG_ERR_SYNTAX, ""},
        {"[]", CVG_ERR_SYNTAX, "object"},
        {"{", CVG_ERR_SYNTAX, "JSON"},
        {"{} x", CVG_ERR_SYNTAX, "JSON"},
        {"{\"a\":[[[[[[[[[[]]]]]]]]]]}", CVG_ERR_RANGE, "deep"},
        {"{}", CVG_ERR_SYNTAX, "host"},
        {"{\"version\": 2}", CVG_ERR_SIGNATURE, "signed"},
        {"{\"version\": 3}", CVG_ERR_VERSION, "version"},
        {"{\"version\": -1}", CVG_ERR_VERSION, "version"},
        {"{\"bundle\": {}, \"signature\": \"AAAA\"}", CVG_ERR_SYNTAX, "bundle"},
        {"{\"bundle\": \"{}\"}", CVG_ERR_SIGNATURE, "signature"},
        {"{\"bundle\": \"{}\", \"signature\": \"\"}", CVG_ERR_VERSION, "version"},
        {"{\"bundle\": \"{}\", \"signature\": \"*\"}", CVG_ERR_SIGNATURE, "signature"},
        {"{\"bundle\": \"[]\", \"signature\": \"AAAA\"}", CVG_ERR_SYNTAX, "object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(cases[i].file, cases[i].err, cases[i].word);
}

static void the_longest_file_is_262144_octets(void **state)
{
    char *file = malloc(CVG_BUNDLE_MAX + 2);
    size_t len = strlen(with.file);
    struct cvg_bundle *bundle;

    (void)state;
    assert_non_null(file);
    memset(file, ' ', CVG_BUNDLE_MAX + 1);
    memcpy(file, with.file, len);
    file[CVG_BUNDLE_MAX + 1] = '\0';
    refused(file, CVG_ERR_RANGE, "octets");
    file[CVG_BUNDLE_MAX] = '\0';
    bundle = parsed(file);
    cvg_bundle_free(bundle);
    free(file);
}

static void a_signature_must_be_good(void **state)
{
    char *foreign = maker_sign(with.text, with.key[2]);
    char *second = maker_sign(with.text, with.key[1]);
    char *other = changed(with.file, "notary.alpha", "notary.alphb");
    char *unsigned_file = changed(with.file, "\"signature\"", "\"Signature\"");
    char *empty = NULL;
    struct cvg_bundle *bundle = parsed(second);

    (void)state;
    cvg_bundle_free(bundle);
    refused(foreign, CVG_ERR_SIGNATURE, "signature");
    refused(other, CVG_ERR_SIGNATURE, "signature");
    refused(unsigned_file, CVG_ERR_SIGNATURE, "signature");
    empty = changed(with.file, "\"signature\": \"", "\"signature\": \"\", \"was\": \"");
    refused(empty, CVG_ERR_SIGNATURE, "signature");
    free(empty);
    free(unsigned_file);
    free(other);
    free(second);
    free(foreign);
}

/* A bundle that differs in any octet either is refused or says the very same (white space of the
 * envelope, the case of an escape). */
static void no_flipped_octet_changes_what_is_said(void **state)
{
    size_t len = strlen(with.file);
    char *file = strdup(with.file);
    struct cvg_bundle *good = parsed(with.file);

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < len; i++) {
        struct cvg_bundle *bundle = NULL;

        file[i] ^= 0x04;
        if (cvg_bundle_parse(file, len, &bundle, NULL) == CVG_OK) {
            assert_int_equal(bundle->version, good->version);
            assert_int_equal(bundle->serial, good->serial);
            assert_string_equal(bundle->host[0].host, good->host[0].host);
            assert_memory_equal(bundle->host[0].certificate, good->host[0].certificate,
                                good->host[0].certificate_len);
        }
        cvg_bundle_free(bundle);
        file[i] ^= 0x04;
    }
    cvg_bundle_free(good);
    free(file);
}

static void no_shorter_file_is_a_bundle(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(with.file) - 1; len += 7) {
        struct cvg_bundle *bundle = NULL;

        assert_int_not_equal(cvg_bundle_parse(with.file, len, &bundle, NULL), CVG_OK);
        assert_null(bundle);
    }
}

static void hosts_and_keys_are_distinct(void **state)
{
    const struct cvg_signing_key *twice[] = {with.key[0], with.key[0]};
    char *text = maker_text("alpha", 5, with.certificate, twice, 2, "");
    char *file = maker_sign(text, with.key[0]);
    const char *list = strstr(with.text, "\"hosts\": [") + strlen("\"hosts\": [");
    char *both = NULL, *two_hosts, *upper;

    (void)state;
    refused(file, CVG_ERR_SYNTAX, "keys[1]");
    free(file);
    free(text);

    assert_true(asprintf(&both, "\"hosts\": [%.*s, ", (int)(strlen(list) - 2), list) > 0);
    two_hosts = changed(with.text, "\"hosts\": [", both);
    upper = changed(two_hosts, "notary.alpha.example", "NOTARY.alpha.example.");
    file = maker_sign(upper, with.key[0]);
    refused(file, CVG_ERR_SYNTAX, "hosts[1]");
    free(file);
    free(upper);
    upper = changed(two_hosts, "\"ssl_port\": 443", "\"ssl_port\": 444");
    file = maker_sign(upper, with.key[0]);
    cvg_bundle_free(parsed(file));
    free(file);
    free(upper);
    free(two_hosts);
    free(both);
}

static void certificates_have_at_most_64_kilobytes(void **state)
{
    char *large = maker_certificate("notary.alpha.example", 65000);
    char *too_large = maker_certificate("notary.alpha.example", 65536);
    char *file = maker_version_1("alpha", large);
    struct cvg_bundle *bundle = parsed(file);

    (void)state;
    assert_true(bundle->host[0].certificate_len > 65000);
    cvg_bundle_free(bundle);
    free(file);
    file = maker_version_1("alpha", too_large);
    refused(file, CVG_ERR_RANGE, "certificate");
    free(file);
    free(too_large);
    free(large);
}

static void update_gives(const struct cvg_bundle *old, const char *file, enum cvg_error expected)
{
    struct cvg_bundle *bundle = (struct cvg_bundle *)&with;
    struct cvg_why why = {""};

    assert_int_equal(cvg_bundle_update(old, file, strlen(file), &bundle, &why), expected);
    if (expected == CVG_OK) {
        cvg_bundle_free(bundle);
        return;
    }
    assert_ptr_equal(bundle, &with);
    assert_true(why.text[0] != '\0');
}

static void update_of(const struct cvg_bundle *old, const char *name, unsigned long long serial,
                      size_t first_key, size_t signer, enum cvg_error expected)
{
    char *text = maker_text(name, serial, with.certificate,
                            (const struct cvg_signing_key *const *)with.key + first_key, 2, "");
    char *file = maker_sign(text, with.key[signer]);

    update_gives(old, file, expected);
    free(file);
    free(text);
}

static void an_update_rises_and_is_signed_by_what_it_replaces(void **state)
{
    struct cvg_bundle *old = parsed(with.file); /* serial 5, keys 0 and 1 */

    (void)state;
    update_of(old, "alpha", 6, 0, 0, CVG_OK);
    update_of(old, "alpha", 6, 1, 1, CVG_OK);            /* the next key takes over */
    update_of(old, "alpha", 6, 1, 2, CVG_ERR_SIGNATURE); /* good in itself, but foreign */
    update_of(old, "alpha", 5, 0, 0, CVG_ERR_VERSION);   /* the same serial */
    update_of(old, "alpha", 4, 0, 0, CVG_ERR_VERSION);
    update_of(old, "alphb", 6, 0, 0, CVG_ERR_SYNTAX);
    update_gives(old, "{}", CVG_ERR_SYNTAX);
    cvg_bundle_free(old);
}

static void a_bundle_without_a_key_is_never_updated(void **state)
{
    char *first = maker_version_1("alpha", with.certificate);
    struct cvg_bundle *old = parsed(first), *second = parsed(with.file);

    (void)state;
    update_gives(second, first, CVG_ERR_VERSION); /* a downgrade */
    update_gives(old, first, CVG_ERR_SIGNATURE);
    update_gives(old, with.file, CVG_ERR_SIGNATURE);
    cvg_bundle_free(second);
    cvg_bundle_free(old);
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2_says_all),
        cmocka_unit_test(versions_1_and_0_have_the_originals_defaults),
        cmocka_unit_test(a_wrong_member_is_named),
        cmocka_unit_test(what_is_no_bundle_is_refused),
        cmocka_unit_test(the_longest_file_is_262144_octets),
        cmocka_unit_test(a_signature_must_be_good),
        cmocka_unit_test(no_flipped_octet_changes_what_is_said),
        cmocka_unit_test(no_shorter_file_is_a_bundle),
        cmocka_unit_test(hosts_and_keys_are_distinct),
        cmocka_unit_test(certificates_have_at_most_64_kilobytes),
        cmocka_unit_test(an_update_rises_and_is_signed_by_what_it_replaces),
        cmocka_unit_test(a_bundle_without_a_key_is_never_updated),
    };

    return cmocka_run_group_tests_name("bundle", tests, set_up, tear_down);
}
