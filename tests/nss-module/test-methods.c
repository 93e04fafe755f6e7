/* SPDX-License-Identifier: MIT */
/* A table of methods that we are put into and taken out of, while others fork. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nss-module/methods.h"
#include "nss-module/table.h"

#define FORKS 2000

static PRStatus close_it(PRFileDesc *fd)
{
    (void)fd;
    return PR_SUCCESS;
}

/* They only have to differ from ours. */
static PRIOMethods table = {.close = close_it};
static struct cvg_nss nss = {.table = &table};

static unsigned ours_in_place(void)
{
    const PRIOMethods before = {.close = close_it};
    unsigned count = 0;

    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        count += cvg_table_read(&table, slot) != cvg_table_read(&before, slot);
    return count;
}

static void comes_and_goes(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        cvg_methods_install(&nss);
        assert_int_equal(ours_in_place(), CVG_SLOTS);
        cvg_methods_install(&nss);
        assert_int_equal(ours_in_place(), CVG_SLOTS);
        cvg_methods_remove(&nss);
        assert_int_equal(ours_in_place(), 0);
    }
}

static atomic_bool over;

static void *come_and_go(void *user)
{
    (void)user;
    while (!atomic_load(&over)) {
        cvg_methods_install(&nss);
        cvg_methods_remove(&nss);
    }
    return NULL;
}

/* It only looks: the loader itself may be locked in a child that was forked just now. */
static _Noreturn void be_child(void)
{
    const unsigned count = ours_in_place();

    _exit(count == 0 || count == CVG_SLOTS ? 0 : 1);
}

static void a_child_has_all_or_nothing(void **state)
{
    pthread_t other;
    int failed = 0, status = 0;

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, come_and_go, NULL), 0);
    for (int i = 0; i < FORKS && !failed; i++) {
        pid_t child = fork();

        if (child == 0)
            be_child();
        if (waitpid(child, &status, 0) != child || status != 0)
            failed = 1;
    }
    atomic_store(&over, true);
    pthread_join(other, NULL);
    assert_int_equal(status, 0);
    assert_false(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_and_goes),
        cmocka_unit_test(a_child_has_all_or_nothing),
    };

    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
