/* SPDX-License-Identifier: MIT */
/* The exclusion list and the program's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/client/client.h"

static struct cvg_config config;

static void parse(const char *text)
{
    assert_int_equal(cvg_config_parse(text, strlen(text), "test", &config, NULL), CVG_OK);
}

static void programs_that_bring_up_the_network_are_excluded(void **state)
{
    static const char *const excluded[] = {
        "systemd-resolved", "unbound", "dnsmasq", "named",          "wpa_supplicant",   "openvpn",
        "NetworkManager",   "exim4",   "smtp",    "converge-agent", "converge-notaryd",
    };

    (void)state;
    parse("");
    for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++)
        assert_true(cvg_client_excluded(&config, excluded[i]));
}

static void others_are_not(void **state)
{
    static const char *const checked[] = {"curl",    "python3.11", "nginx",    "stunnel4",
                                          "",        "Unbound",    "unbound2", "/usr/sbin/unbound",
                                          "converge"};

    (void)state;
    parse("");
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++)
        assert_false(cvg_client_excluded(&config, checked[i]));
}

static void the_configuration_adds_to_the_list(void **state)
{
    (void)state;
    parse("exclude_programs = my-resolver curl\n");
    assert_true(cvg_client_excluded(&config, "my-resolver"));
    assert_true(cvg_client_excluded(&config, "curl"));
    assert_true(cvg_client_excluded(&config, "unbound"));
    assert_false(cvg_client_excluded(&config, "wget"));
}

static void the_name_is_the_executable_s(void **state)
{
    char name[CVG_MESSAGE_NAME_MAX];

    (void)state;
    memset(name, 'x', sizeof name);
    errno = ENOMEM;
    cvg_client_program_name(name);
    assert_int_equal(errno, ENOMEM);
    assert_string_equal(name, "test-program");
}

/* The linker puts this in readlink's place: NULL is a chroot without /proc. */
ssize_t __real_readlink(const char *path, char *buf, size_t size);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
static const char *executable;
static int replaced;

ssize_t __wrap_readlink(const char *path, char *buf, size_t size)
{
    if (!replaced)
        return __real_readlink(path, buf, size);
    if (executable == NULL) {
        errno = ENOENT;
        return -1;
    }
    return (ssize_t)strlen(strncpy(buf, executable, size));
}

static void assert_named(const char *path, const char *expected)
{
    char name[CVG_MESSAGE_NAME_MAX];

    executable = path;
    replaced = 1;
    cvg_client_program_name(name);
    replaced = 0;
    assert_string_equal(name, expected);
}

static void odd_names_are_made_harmless(void **state)
{
    (void)state;
    assert_named("/usr/bin/curl", "curl");
    assert_named("/usr/sbin/unbound (deleted)", "unbound");
    assert_named("/opt/a b\n\xc3\xa4/c\nd\xff", "c?d?");
    assert_named("/x/0123456789012345678901234567890123456789012345678901234567890123456789",
                 "012345678901234567890123456789012345678901234567890123456789012");
    assert_named(NULL, program_invocation_short_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_that_bring_up_the_network_are_excluded),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(the_configuration_adds_to_the_list),
        cmocka_unit_test(the_name_is_the_executable_s),
        cmocka_unit_test(odd_names_are_made_harmless),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
