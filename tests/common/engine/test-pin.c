/* SPDX-License-Identifier: MIT */
/* Pins: whom a handshake accepts, with a bundle that announces the next certificate and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/pin.h"
#include "tests/common/protocol/bundle-maker.h"

static struct {
    struct cvg_signing_key *key;
    char *certificate[3];
    struct cvg_bundle *plain;      /* knows 0 */
    struct cvg_bundle *announcing; /* knows 0 and 1 */
    struct cvg_bundle *after;      /* knows 1 */
} with;

static struct cvg_bundle *bundle_of(const char *now, const char *next)
{
    const struct cvg_signing_key *keys[] = {with.key};
    char *text = maker_text("alpha", 1, now, keys, 1, "");
    char *said = next == NULL ? strdup(text) : maker_next(text, next);
    char *file = maker_sign(said, with.key);
    struct cvg_bundle *bundle = NULL;

    assert_int_equal(cvg_bundle_parse(file, strlen(file), &bundle, NULL), CVG_OK);
    free(file);
    free(said);
    free(text);
    return bundle;
}

static int set_up(void **state)
{
    (void)state;
    with.key = maker_key();
    for (size_t i = 0; i < 3; i++)
        with.certificate[i] = maker_certificate("notary", 0);
    with.plain = bundle_of(with.certificate[0], NULL);
    with.announcing = bundle_of(with.certificate[0], with.certificate[1]);
    with.after = bundle_of(with.certificate[1], NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_bundle_free(with.plain);
    cvg_bundle_free(with.announcing);
    cvg_bundle_free(with.after);
    for (size_t i = 0; i < 3; i++)
        free(with.certificate[i]);
    cvg_signing_key_free(with.key);
    return 0;
}

static bool accepts(const struct cvg_bundle *bundle, const struct cvg_bundle *shown)
{
    const struct cvg_bundle_host *host = &shown->host[0];
    struct cvg_pins *pins = NULL;
    bool match;

    assert_int_equal(cvg_pins_new(bundle, &pins), CVG_OK);
    match = cvg_pins_match(pins, host->certificate, host->certificate_len);
    cvg_pins_free(pins);
    return match;
}

static void who_knows_the_announcement_accepts_both(void **state)
{
    (void)state;
    assert_true(accepts(with.announcing, with.plain));
    assert_true(accepts(with.announcing, with.after));
}

static void who_does_not_refuses_the_new_one(void **state)
{
    (void)state;
    assert_true(accepts(with.plain, with.plain));
    assert_false(accepts(with.plain, with.after));
}

static void once_it_is_the_only_one_the_old_is_refused(void **state)
{
    (void)state;
    assert_true(accepts(with.after, with.after));
    assert_false(accepts(with.after, with.plain));
}

static void a_third_is_refused_by_all(void **state)
{
    struct cvg_bundle *third = bundle_of(with.certificate[2], NULL);

    (void)state;
    assert_false(accepts(with.plain, third));
    assert_false(accepts(with.announcing, third));
    assert_false(accepts(with.after, third));
    cvg_bundle_free(third);
}

static void pins_are_told_from_those_of_another_bundle(void **state)
{
    const struct cvg_bundle *all[] = {with.plain, with.announcing, with.after};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct cvg_pins *pins = NULL;

        assert_int_equal(cvg_pins_new(all[i], &pins), CVG_OK);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(cvg_pins_are_of(pins, all[j]), i == j);
        cvg_pins_free(pins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_knows_the_announcement_accepts_both),
        cmocka_unit_test(who_does_not_refuses_the_new_one),
        cmocka_unit_test(once_it_is_the_only_one_the_old_is_refused),
        cmocka_unit_test(a_third_is_refused_by_all),
        cmocka_unit_test(pins_are_told_from_those_of_another_bundle),
    };

    return cmocka_run_group_tests_name("pin", tests, set_up, tear_down);
}
