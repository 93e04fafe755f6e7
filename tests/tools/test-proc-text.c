/* SPDX-License-Identifier: MIT */
/* Texts of /proc, as kernels write them and as a process may bend them. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/proc-text.h"

static void mappings(void **state)
{
    static const char text[] =
        "55d0-55d1 r--p 00000000 08:01 12                         /usr/bin/curl\n"
        "55d1-55d2 rw-p 00000000 00:00 0                          [heap]\n"
        "7f00-7f01 r-xp 00001000 08:01 13                         /usr/lib/libssl.so.3 (deleted)\n"
        "7f01-7f02 rw-p 00000000 00:00 0 \n"
        "7f02-7f03 r-xp 00001000 08:01 14                         /opt/a b/lib (x).so";
    struct cvg_proc_map map;
    size_t offset = 0;

    (void)state;
    assert_true(cvg_proc_maps_next(text, strlen(text), &offset, &map));
    assert_string_equal(map.path, "/usr/bin/curl");
    assert_false(map.deleted);
    assert_true(cvg_proc_maps_next(text, strlen(text), &offset, &map));
    assert_string_equal(map.path, "/usr/lib/libssl.so.3");
    assert_true(map.deleted);
    assert_true(cvg_proc_maps_next(text, strlen(text), &offset, &map));
    assert_string_equal(map.path, "/opt/a b/lib (x).so");
    assert_false(cvg_proc_maps_next(text, strlen(text), &offset, &map));
}

static void numbers_of_status(void **state)
{
    static const char text[] = "Name:\tUid: 7\nUid:\t1000\t0\t0\t0\nSeccomp:\t2\nUidx:\t9\n";
    unsigned long long number = 0;

    (void)state;
    assert_true(cvg_proc_status_number(text, "Uid", &number));
    assert_int_equal(number, 1000);
    assert_true(cvg_proc_status_number(text, "Seccomp", &number));
    assert_int_equal(number, 2);
    assert_false(cvg_proc_status_number(text, "NSpid", &number));
}

/* A program may call itself what it likes. */
static void start_behind_any_name(void **state)
{
    static const char text[] = "4711 (a) R 9 (b) S 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 "
                               "0 987654 10 11\n";
    unsigned long long ticks = 0;

    (void)state;
    assert_true(cvg_proc_stat_start(text, &ticks));
    assert_int_equal(ticks, 987654);
    assert_false(cvg_proc_stat_start("4711 (a) S 1 2 3", &ticks));
    assert_false(cvg_proc_stat_start("", &ticks));
}

static void variables(void **state)
{
    static const char text[] = "A=1\0CONVERGE=off\0XCONVERGE=on\0EMPTY=\0LAST=x";

    (void)state;
    assert_string_equal(cvg_proc_environ_get(text, sizeof text - 1, "CONVERGE"), "off");
    assert_string_equal(cvg_proc_environ_get(text, sizeof text - 1, "EMPTY"), "");
    assert_string_equal(cvg_proc_environ_get(text, sizeof text - 1, "LAST"), "x");
    assert_null(cvg_proc_environ_get(text, sizeof text - 1, "CONV"));
    assert_null(cvg_proc_environ_get(text, 0, "A"));
}

static void secure(void **state)
{
    const unsigned long yes[] = {AT_PAGESZ, 4096, AT_SECURE, 1, AT_NULL, 0};
    const unsigned long no[] = {AT_SECURE, 0, AT_NULL, 0};

    (void)state;
    assert_true(cvg_proc_auxv_secure(yes, sizeof yes));
    assert_false(cvg_proc_auxv_secure(no, sizeof no));
    assert_false(cvg_proc_auxv_secure(yes, 3 * sizeof yes[0]));
}

static void sockets(void **state)
{
    static const char text[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                               "retrnsmt   uid  timeout "
                               "inode ref pointer drops\n"
                               "  12: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 "
                               "00000000     0        0 "
                               "111 2 0 0\n"
                               "  13: 0100007F:A035 08080808:01BB 01 00000000:00000000 00:00000000 "
                               "00000000  1000        0 "
                               "222 2 0 0\n";
    struct cvg_proc_udp udp;
    size_t offset = 0;

    (void)state;
    assert_true(cvg_proc_udp_next(text, strlen(text), &offset, &udp));
    assert_int_equal(udp.port, 443);
    assert_int_equal(udp.inode, 222);
    assert_false(cvg_proc_udp_next(text, strlen(text), &offset, &udp));
}

/* Root of a container that is somebody else outside, and a range behind. */
static void users_of_a_namespace(void **state)
{
    static const char text[] =
        "         0       1000          1\n         1     100000      65536\n";
    static const char whole[] = "         0          0 4294967295\n";

    (void)state;
    assert_true(cvg_proc_uid_map_has(text, strlen(text), 1000));
    assert_false(cvg_proc_uid_map_has(text, strlen(text), 1001));
    assert_false(cvg_proc_uid_map_has(text, strlen(text), 0));
    assert_true(cvg_proc_uid_map_has(text, strlen(text), 165535));
    assert_false(cvg_proc_uid_map_has(text, strlen(text), 165536));
    assert_true(cvg_proc_uid_map_has(whole, strlen(whole), 0));
    assert_false(cvg_proc_uid_map_has("", 0, 0));
    assert_false(cvg_proc_uid_map_has("0 0\n", 4, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings),
        cmocka_unit_test(numbers_of_status),
        cmocka_unit_test(start_behind_any_name),
        cmocka_unit_test(variables),
        cmocka_unit_test(secure),
        cmocka_unit_test(sockets),
        cmocka_unit_test(users_of_a_namespace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
