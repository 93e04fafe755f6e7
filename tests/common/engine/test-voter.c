/* SPDX-License-Identifier: MIT */
/* Who a notary is to what is remembered: the line of updates its bundle is in, and where its bundle
 * has no keys, its certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/engine/voter.h"
#include "tests/common/protocol/bundle-maker.h"

static uint8_t first[] = "one certificate", second[] = "another certificate";

static struct cvg_voter voter_of(const struct cvg_bundle *bundle)
{
    struct cvg_voter voter = {.name = ""};

    assert_int_equal(cvg_voter_of(bundle, &voter), CVG_OK);
    assert_string_equal(voter.name, bundle->name);
    return voter;
}

static bool same(const struct cvg_voter *a, const struct cvg_voter *b)
{
    return memcmp(a->identity, b->identity, sizeof a->identity) == 0;
}

static void another_pin_is_another_voter(void **state)
{
    struct cvg_bundle bundle = {
        .protocol = 1,
        .version = 1,
        .name = "alpha",
        .host_count = 2,
        .host = {{.host = "a.example", .certificate = first, .certificate_len = sizeof first},
                 {.host = "b.example", .certificate = second, .certificate_len = sizeof second}}};
    struct cvg_voter voter = voter_of(&bundle), other;

    (void)state;
    strcpy(bundle.host[1].host, "elsewhere.example");
    other = voter_of(&bundle);
    assert_true(same(&voter, &other));
    bundle.host[1].certificate_len--;
    other = voter_of(&bundle);
    assert_false(same(&voter, &other));
    bundle.host_count = 1;
    other = voter_of(&bundle);
    assert_false(same(&voter, &other));
}

static void a_key_changed_by_an_update_is_the_same_voter(void **state)
{
    struct cvg_signing_key *keys[] = {maker_key(), maker_key()};
    const struct cvg_signing_key *both[] = {keys[0], keys[1]};
    char *certificate = maker_certificate("notary", 0);
    char *announces = maker_text("alpha", 1, certificate, both, 2, "");
    char *changed = maker_text("alpha", 2, certificate, &both[1], 1, "");
    char *first_file = maker_sign(announces, keys[0]), *next_file = maker_sign(changed, keys[1]);
    struct cvg_bundle *old = NULL, *updated = NULL, *installed = NULL;
    struct cvg_voter before, after, stranger;

    (void)state;
    assert_int_equal(cvg_bundle_parse(first_file, strlen(first_file), &old, NULL), CVG_OK);
    assert_int_equal(cvg_bundle_update(old, next_file, strlen(next_file), &updated, NULL), CVG_OK);
    assert_int_equal(cvg_bundle_parse(next_file, strlen(next_file), &installed, NULL), CVG_OK);
    before = voter_of(old);
    after = voter_of(updated);
    stranger = voter_of(installed);
    assert_true(same(&before, &after));
    assert_false(same(&before, &stranger));
    cvg_bundle_free(old);
    cvg_bundle_free(updated);
    cvg_bundle_free(installed);
    free(first_file);
    free(next_file);
    free(announces);
    free(changed);
    free(certificate);
    cvg_signing_key_free(keys[0]);
    cvg_signing_key_free(keys[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_pin_is_another_voter),
        cmocka_unit_test(a_key_changed_by_an_update_is_the_same_voter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
