/* SPDX-License-Identifier: MIT */
/* The certificate that a lookup points into is found whole, and nothing that only looks like it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "nss-module/cert-der.h"
#include "tests/nss-module/mint.h"

static struct mint_key *key;
static struct minted minted;

static struct cvg_octets whole(void)
{
    return (struct cvg_octets){minted.der, minted.len};
}

static struct cvg_cert_names names_of(struct cvg_octets cert)
{
    struct cvg_cert_names names;

    assert_true(cvg_cert_names(cert, &names));
    return names;
}

static void mint_with(const char *basic)
{
    const struct mint_wish wish = {
        .subject = "Site", .key = key, .issuer = "Site", .signer = key, .basic = basic};

    mint(&wish, &minted);
}

static int set_up(void **state)
{
    (void)state;
    key = mint_key_new();
    mint_with("critical,CA:FALSE");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mint_key_free(key);
    return 0;
}

static void names_stand_in_their_places(void **state)
{
    struct cvg_cert_names names = names_of(whole());

    (void)state;
    assert_int_equal(names.issuer.len, names.subject.len);
    assert_memory_equal(names.issuer.data, names.subject.data, names.issuer.len);
    assert_true(names.serial.data < names.issuer.data);
    assert_int_equal(names.serial.data[-1], names.serial.len);
}

static void a_certificate_is_found_around_its_own_names(void **state)
{
    struct cvg_cert_names names = names_of(whole());
    struct cvg_octets found;

    (void)state;
    assert_true(cvg_cert_around(names.issuer, names.serial, &found));
    assert_ptr_equal(found.data, minted.der);
    assert_int_equal(found.len, minted.len);
}

/* The second of NSS's lookups is of this kind. */
static void copies_of_its_names_lead_nowhere(void **state)
{
    struct cvg_cert_names names = names_of(whole());
    struct cvg_octets issuer = names.issuer, serial = names.serial, found;
    uint8_t *issuer_copy = malloc(issuer.len), *serial_copy = malloc(serial.len);

    (void)state;
    memcpy(issuer_copy, issuer.data, issuer.len);
    memcpy(serial_copy, serial.data, serial.len);
    issuer.data = issuer_copy;
    serial.data = serial_copy;
    assert_false(cvg_cert_around(issuer, serial, &found));
    assert_false(cvg_cert_around(issuer, names.serial, &found));
    assert_false(cvg_cert_around(names.issuer, serial, &found));
    free(issuer_copy);
    free(serial_copy);
}

static void other_elements_of_it_are_not_its_names(void **state)
{
    struct cvg_cert_names names = names_of(whole());
    struct cvg_octets shorter = {names.serial.data, names.serial.len - 1};
    struct cvg_octets later = {names.serial.data + 1, names.serial.len - 1}, found;

    (void)state;
    assert_false(cvg_cert_around(names.subject, names.serial, &found));
    assert_false(cvg_cert_around(names.issuer, shorter, &found));
    assert_false(cvg_cert_around(names.issuer, later, &found));
    shorter = names.issuer;
    shorter.len--;
    assert_false(cvg_cert_around(shorter, names.serial, &found));
}

static void a_part_of_a_certificate_is_none(void **state)
{
    struct cvg_cert_names names;

    (void)state;
    for (size_t len = 0; len < minted.len; len++) {
        uint8_t *part = malloc(len ? len : 1); /* its own, for a sanitizer to watch its end */

        memcpy(part, minted.der, len);
        assert_false(cvg_cert_names((struct cvg_octets){part, len}, &names));
        free(part);
    }
}

/* Whatever one octet is changed to, what is found is where the certificate is, or nothing. */
static void a_changed_octet_finds_nothing_else(void **state)
{
    struct cvg_cert_names names = names_of(whole());
    struct cvg_octets found;

    (void)state;
    for (size_t i = 0; i < minted.len; i++) {
        uint8_t was = minted.der[i];

        minted.der[i] ^= 0x81;
        if (cvg_cert_around(names.issuer, names.serial, &found))
            assert_true(found.data == minted.der && found.len == minted.len);
        minted.der[i] = was;
    }
}

static void lengths_are_of_the_shortest_form_only(void **state)
{
    uint8_t copy[MINT_MAX + 1];
    struct cvg_cert_names names;

    (void)state;
    assert_int_equal(minted.der[1], 0x82);
    copy[0] = minted.der[0];
    copy[1] = 0x83;
    copy[2] = 0;
    memcpy(copy + 3, minted.der + 2, minted.len - 2);
    assert_false(cvg_cert_names((struct cvg_octets){copy, minted.len + 1}, &names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stand_in_their_places),
        cmocka_unit_test(a_certificate_is_found_around_its_own_names),
        cmocka_unit_test(copies_of_its_names_lead_nowhere),
        cmocka_unit_test(other_elements_of_it_are_not_its_names),
        cmocka_unit_test(a_part_of_a_certificate_is_none),
        cmocka_unit_test(a_changed_octet_finds_nothing_else),
        cmocka_unit_test(lengths_are_of_the_shortest_form_only),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
