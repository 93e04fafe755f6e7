/* SPDX-License-Identifier: MIT */
/* Who a notary is to what is remembered, where its bundle has no keys: its certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/engine/voter.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(another_pin_is_another_voter)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
