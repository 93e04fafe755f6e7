/* SPDX-License-Identifier: MIT */
/* The table of modes, every row; and that nothing but the named cells accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/verdict.h"

struct row {
    enum cvg_mode mode;
    enum cvg_verdict verdict;
    enum cvg_action pki_ok; /* with on_unreachable = deny */
    enum cvg_action pki_trust_error;
};

static const struct row rows[] = {
    {CVG_MODE_MONITOR, CVG_VERDICT_AGREE, CVG_ACTION_ACCEPT, CVG_ACTION_UNCHANGED},
    {CVG_MODE_MONITOR, CVG_VERDICT_DISAGREE, CVG_ACTION_ACCEPT, CVG_ACTION_UNCHANGED},
    {CVG_MODE_MONITOR, CVG_VERDICT_UNDECIDED, CVG_ACTION_ACCEPT, CVG_ACTION_UNCHANGED},
    {CVG_MODE_AUGMENT, CVG_VERDICT_AGREE, CVG_ACTION_ACCEPT, CVG_ACTION_REFUSE},
    {CVG_MODE_AUGMENT, CVG_VERDICT_DISAGREE, CVG_ACTION_REFUSE, CVG_ACTION_REFUSE},
    {CVG_MODE_AUGMENT, CVG_VERDICT_UNDECIDED, CVG_ACTION_REFUSE, CVG_ACTION_REFUSE},
    {CVG_MODE_AUGMENT, CVG_VERDICT_NONE, CVG_ACTION_REFUSE, CVG_ACTION_REFUSE},
    {CVG_MODE_REPLACE, CVG_VERDICT_AGREE, CVG_ACTION_ACCEPT, CVG_ACTION_ACCEPT},
    {CVG_MODE_REPLACE, CVG_VERDICT_DISAGREE, CVG_ACTION_REFUSE, CVG_ACTION_REFUSE},
    {CVG_MODE_REPLACE, CVG_VERDICT_UNDECIDED, CVG_ACTION_REFUSE, CVG_ACTION_REFUSE},
    {CVG_MODE_REPLACE, CVG_VERDICT_NONE, CVG_ACTION_REFUSE, CVG_ACTION_REFUSE},
};

static void table_of_modes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];

        assert_int_equal(
            cvg_action_of(r->mode, r->verdict, CVG_UNREACHABLE_DENY, true, false, true), r->pki_ok);
        assert_int_equal(
            cvg_action_of(r->mode, r->verdict, CVG_UNREACHABLE_DENY, false, true, true),
            r->pki_trust_error);
    }
}

static void undecided_follows_on_unreachable(void **state)
{
    (void)state;
    for (int mode = CVG_MODE_AUGMENT; mode <= CVG_MODE_REPLACE; mode++) {
        if (mode == CVG_MODE_MONITOR)
            continue;
        assert_int_equal(cvg_action_of((enum cvg_mode)mode, CVG_VERDICT_UNDECIDED,
                                       CVG_UNREACHABLE_ALLOW, true, false, false),
                         CVG_ACTION_ACCEPT);
        assert_int_equal(cvg_action_of((enum cvg_mode)mode, CVG_VERDICT_UNDECIDED,
                                       CVG_UNREACHABLE_KNOWN, true, false, true),
                         CVG_ACTION_ACCEPT);
        assert_int_equal(cvg_action_of((enum cvg_mode)mode, CVG_VERDICT_UNDECIDED,
                                       CVG_UNREACHABLE_KNOWN, true, false, false),
                         CVG_ACTION_REFUSE);
        assert_int_equal(cvg_action_of((enum cvg_mode)mode, CVG_VERDICT_DISAGREE,
                                       CVG_UNREACHABLE_ALLOW, true, false, true),
                         CVG_ACTION_REFUSE);
    }
}

static void other_pki_errors_are_never_overruled(void **state)
{
    (void)state;
    for (int mode = CVG_MODE_AUGMENT; mode <= CVG_MODE_REPLACE; mode++)
        for (unsigned verdict = 0; verdict < 256; verdict++)
            for (int policy = CVG_UNREACHABLE_DENY; policy <= CVG_UNREACHABLE_ALLOW; policy++)
                assert_int_not_equal(cvg_action_of((enum cvg_mode)mode, (enum cvg_verdict)verdict,
                                                   (enum cvg_unreachable)policy, false, false,
                                                   true),
                                     CVG_ACTION_ACCEPT);
}

static void unknown_verdict_never_accepts(void **state)
{
    (void)state;
    for (unsigned verdict = 0; verdict < 256; verdict++) {
        if (verdict == CVG_VERDICT_AGREE || verdict == CVG_VERDICT_EXEMPT)
            continue;
        assert_int_equal(cvg_action_of(CVG_MODE_AUGMENT, (enum cvg_verdict)verdict,
                                       CVG_UNREACHABLE_DENY, true, false, true),
                         CVG_ACTION_REFUSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_modes),
        cmocka_unit_test(undecided_follows_on_unreachable),
        cmocka_unit_test(other_pki_errors_are_never_overruled),
        cmocka_unit_test(unknown_verdict_never_accepts),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
