/* SPDX-License-Identifier: MIT */
/* Fingerprints: the four forms that are taken, and every byte in place of a digit or a colon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "common/base/fingerprint.h"

static const char sha1_colons[] = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:01:23:45:67";

static enum cvg_error parse(const char *text, struct cvg_fingerprint *ret)
{
    return cvg_fingerprint_parse(text, strlen(text), ret, NULL);
}

static void both_lengths_with_and_without_colons(void **state)
{
    char text[CVG_FINGERPRINT_TEXT_MAX], plain[2 * CVG_SHA256_LEN + 1];
    struct cvg_fingerprint f, g;

    (void)state;
    assert_int_equal(parse(sha1_colons, &f), CVG_OK);
    assert_int_equal(f.len, CVG_SHA1_LEN);
    assert_string_equal(cvg_fingerprint_format(f.bytes, f.len, text, sizeof text), sha1_colons);
    assert_int_equal(parse("00112233445566778899aAbBccddeeff01234567", &g), CVG_OK);
    assert_memory_equal(&f, &g, sizeof f);

    memset(plain, 'f', sizeof plain - 1);
    plain[sizeof plain - 1] = '\0';
    assert_int_equal(parse(plain, &f), CVG_OK);
    assert_int_equal(f.len, CVG_SHA256_LEN);
    assert_int_equal(strlen(cvg_fingerprint_format(f.bytes, f.len, text, sizeof text)), 95);
    assert_int_equal(parse(text, &g), CVG_OK);
    assert_memory_equal(&f, &g, sizeof f);
}

static void every_other_length_is_refused(void **state)
{
    char text[200];
    struct cvg_fingerprint f;

    (void)state;
    memset(text, '0', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++)
        assert_int_equal(cvg_fingerprint_parse(text, len, &f, NULL) == CVG_OK,
                         len == 40 || len == 64);
}

static void every_byte_in_place_of_a_digit_or_colon(void **state)
{
    (void)state;
    for (size_t pos = 0; pos < sizeof sha1_colons - 1; pos++)
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof sha1_colons];
            struct cvg_fingerprint f;
            char c = (char)byte;
            bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

            memcpy(text, sha1_colons, sizeof text);
            text[pos] = c;
            assert_int_equal(cvg_fingerprint_parse(text, sizeof text - 1, &f, NULL) == CVG_OK,
                             pos % 3 == 2 ? c == ':' : hex);
        }
}

static void a_failure_leaves_the_result_alone(void **state)
{
    struct cvg_fingerprint f, before;
    struct cvg_why why = {""};

    (void)state;
    memset(&f, 0x5a, sizeof f);
    before = f;
    assert_int_equal(cvg_fingerprint_parse("0g", 2, &f, &why), CVG_ERR_SYNTAX);
    assert_memory_equal(&f, &before, sizeof f);
    assert_string_not_equal(why.text, "");
}

static void format_never_passes_its_buffer(void **state)
{
    static const uint8_t bytes[3] = {0xab, 0xcd, 0xef};

    (void)state;
    for (size_t size = 0; size <= 10; size++) {
        char buf[12];

        memset(buf, '!', sizeof buf);
        cvg_fingerprint_format(bytes, 3, buf, size);
        assert_int_equal(buf[size], '!');
        if (size > 0)
            assert_non_null(memchr(buf, '\0', size));
        if (size >= 9)
            assert_string_equal(buf, "AB:CD:EF");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_lengths_with_and_without_colons),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(every_byte_in_place_of_a_digit_or_colon),
        cmocka_unit_test(a_failure_leaves_the_result_alone),
        cmocka_unit_test(format_never_passes_its_buffer),
    };

    return cmocka_run_group_tests_name("fingerprint", tests, NULL, NULL);
}
