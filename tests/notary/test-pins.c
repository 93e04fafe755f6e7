/* SPDX-License-Identifier: MIT */
/* The file of pins: what is taken and what is refused, and how it is told; what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notary/pins.h"
#include "tests/common/protocol/vectors.h"

#define A32  "11111111111111111111111111111111"
#define A    A32 A32 /* 32 octets of 0x11 */
#define B32  "22222222222222222222222222222222"
#define B    B32 B32
#define SHA1 "1111111111111111111111111111111111111111"

static struct cvg_pins *parsed(const char *text)
{
    struct cvg_pins *pins = NULL;
    struct cvg_why why = {.text = ""};
    if (cvg_pins_parse(text, strlen(text), "pins", &pins, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return pins;
}

static enum cvg_v2_opinion judged(const struct cvg_pins *pins, const char *endpoint,
                                  uint8_t leaf_id, uint8_t key_id)
{
    struct cvg_endpoint at;
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    memset(leaf.sha256, leaf_id, sizeof(leaf.sha256));
    memset(leaf.spki_sha256, key_id, sizeof(leaf.spki_sha256));
    assert_int_equal(cvg_endpoint_parse(endpoint, 443, &at, NULL), CVG_OK);
    return cvg_pins_judge(pins, &at, &leaf);
}

static void certificates_and_keys(void **state)
{
    struct cvg_pins *pins = parsed("site.example " A "\nkeys.example spki:" B "\n");
    (void)state;
    assert_int_equal(judged(pins, "site.example", 0x11, 9), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "site.example", 9, 0x11), CVG_V2_OPINION_NO);
    assert_int_equal(judged(pins, "keys.example", 9, 0x22), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "keys.example", 0x22, 9), CVG_V2_OPINION_NO);
    assert_int_equal(judged(pins, "other.example", 0x11, 0x22), CVG_V2_OPINION_NONE);
    cvg_pins_free(pins);
}

static void several_pins_of_one_endpoint(void **state)
{
    struct cvg_pins *pins = parsed("site.example " A " spki:" B "\n");
    (void)state;
    assert_int_equal(judged(pins, "site.example", 0x11, 9), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "site.example", 9, 0x22), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "site.example", 0x22, 0x11), CVG_V2_OPINION_NO);
    cvg_pins_free(pins);
}

static void endpoints_in_every_form(void **state)
{
    struct cvg_pins *pins = parsed("Site.Example.:8443 " A "\n192.0.2.1 " A "\n[2001:DB8::1]:993 " A
                                   "\n2001:db8::2 " A "\n");
    (void)state;
    assert_int_equal(judged(pins, "site.example:8443", 0x11, 0), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "site.example", 0x11, 0), CVG_V2_OPINION_NONE);
    assert_int_equal(judged(pins, "192.0.2.1", 0x11, 0), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "[2001:db8::1]:993", 0x11, 0), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "2001:db8::2", 0x11, 0), CVG_V2_OPINION_YES);
    cvg_pins_free(pins);
}

static void comments_blanks_and_crlf(void **state)
{
    struct cvg_pins *pins =
        parsed("# all\n\n \t\nsite.example\t" A " # the new one\r\n\r\n  b.example " A);
    (void)state;
    assert_int_equal(judged(pins, "site.example", 0x11, 0), CVG_V2_OPINION_YES);
    assert_int_equal(judged(pins, "b.example", 0x11, 0), CVG_V2_OPINION_YES);
    cvg_pins_free(pins);
    pins = parsed("");
    assert_int_equal(judged(pins, "site.example", 0x11, 0), CVG_V2_OPINION_NONE);
    cvg_pins_free(pins);
}

static void refused(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"site.example\n", "pins:1: no pins"},
        {"\n\n" A "\n", "pins:3: "},
        {"site.example " SHA1 "\n", "pins:1: a SHA-1"},
        {"site.example spki:" SHA1 "\n", "pins:1: a SHA-1"},
        {"site.example key:" A "\n", "pins:1: "},
        {"site.example spki:\n", "pins:1: "},
        {"site.example SPKI:" A "\n", "pins:1: "},
        {"site.example " A "0\n", "pins:1: "},
        {"site.example " A "," B "\n", "pins:1: "},
        {"site..example " A "\n", "pins:1: "},
        {"site.example:0 " A "\n", "pins:1: "},
        {"site.example:65536 " A "\n", "pins:1: "},
        {"site.example " A "\nSITE.example:443 " B "\n",
         "pins:2: site.example port 443 is listed a second time"},
        {"site.example = " A "\n", "pins:1: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cvg_pins *pins = NULL;
        struct cvg_why why = {.text = ""};
        assert_int_equal(cvg_pins_parse(rows[i].text, strlen(rows[i].text), "pins", &pins, &why),
                         CVG_ERR_CONFIG);
        assert_null(pins);
        if (strncmp(why.text, rows[i].told, strlen(rows[i].told)) != 0)
            fail_msg("row %zu: %s", i, why.text);
    }
}

static void example_of_the_document(void **state)
{
    struct cvg_pins *pins = NULL;
    struct vector example;
    struct cvg_why why = {.text = ""};
    (void)state;
    vector_text("notary.md", "text", "pins", &example);
    if (cvg_pins_parse((const char *)example.octets, example.len, "example", &pins, &why) != CVG_OK)
        fail_msg("%s", why.text);
    assert_int_equal(judged(pins, "login.example.org", 0, 0), CVG_V2_OPINION_NO);
    assert_int_equal(judged(pins, "[2001:db8::25]:465", 0, 0), CVG_V2_OPINION_NO);
    cvg_pins_free(pins);
}

static void as_many_pins_as_allowed(void **state)
{
    struct cvg_pins *pins = NULL;
    char text[8192] = "site.example";
    (void)state;
    for (unsigned i = 0; i < 64; i++)
        strcat(text, " " B);
    assert_int_equal(cvg_pins_parse(text, strlen(text), "pins", &pins, NULL), CVG_OK);
    cvg_pins_free(pins);
    strcat(text, " " B);
    assert_int_equal(cvg_pins_parse(text, strlen(text), "pins", &pins, NULL), CVG_ERR_CONFIG);
}

static void nul_inside(void **state)
{
    static const char text[] = "site.example\0x " A "\n";
    struct cvg_pins *pins = NULL;
    (void)state;
    assert_int_equal(cvg_pins_parse(text, sizeof(text) - 1, "pins", &pins, NULL), CVG_ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_and_keys),
        cmocka_unit_test(several_pins_of_one_endpoint),
        cmocka_unit_test(endpoints_in_every_form),
        cmocka_unit_test(comments_blanks_and_crlf),
        cmocka_unit_test(refused),
        cmocka_unit_test(example_of_the_document),
        cmocka_unit_test(as_many_pins_as_allowed),
        cmocka_unit_test(nul_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
