/* SPDX-License-Identifier: MIT */
/* Tables of methods in writable data, in data that the loader protected, and where none can be. */
#include "config.h"

#include "nss-module/table.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static PRStatus a_close(PRFileDesc *fd)
{
    (void)fd;
    return PR_SUCCESS;
}

/* The pointer makes the loader write to it once, and protect it then. */
static PRIOMethods in_data = {.close = a_close};
static const PRIOMethods in_relro = {.close = a_close};

static PRIOMethods *protected_table(void)
{
    return (PRIOMethods *)(uintptr_t)&in_relro;
}

static bool can_write(PRIOMethods *table)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        __atomic_store_n(cvg_table_slot(table, 0), 0, __ATOMIC_RELEASE);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_data(void **state)
{
    struct cvg_table_pages pages;

    (void)state;
    assert_true(cvg_table_begin(&in_data, &pages));
    assert_true(can_write(&in_data));
    cvg_table_end(&pages);
    assert_true(can_write(&in_data));
}

static void test_protected(void **state)
{
    struct cvg_table_pages pages;

    (void)state;
    if (can_write(protected_table()))
        skip();
    assert_true(cvg_table_begin(protected_table(), &pages));
    assert_true(can_write(protected_table()));
    cvg_table_end(&pages);
    assert_false(can_write(protected_table()));
}

static void test_nowhere(void **state)
{
    struct cvg_table_pages pages;
    PRIOMethods *table = malloc(sizeof *table);

    (void)state;
    assert_non_null(table);
    assert_false(cvg_table_begin(table, &pages));
    free(table);
}

static void test_slots(void **state)
{
    PRIOMethods methods;

    (void)state;
    memset(&methods, 0, sizeof methods);
    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        *cvg_table_slot(&methods, slot) = slot + 1;
    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        assert_int_equal(cvg_table_read(&methods, slot), slot + 1);
    assert_true(methods.close && methods.read && methods.write && methods.recv && methods.send &&
                methods.sendto && methods.writev);
    assert_true(!methods.connect && !methods.recvfrom && !methods.shutdown);
}

static void test_copy(void **state)
{
    PRIOMethods methods = {.close = a_close};

    (void)state;
    assert_false(cvg_table_is_copy(&methods, 0, &in_data));
    methods.close = (PRCloseFN)(uintptr_t)malloc;
    assert_false(cvg_table_is_copy(&methods, 0, &in_data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),    cmocka_unit_test(test_protected),
        cmocka_unit_test(test_nowhere), cmocka_unit_test(test_slots),
        cmocka_unit_test(test_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
