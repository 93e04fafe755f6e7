/* SPDX-License-Identifier: MIT */
/* Programs behind symlinks, wrapper scripts and containers; AppArmor's patterns. */
#include "tools/application.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/confinement.h"

static char home[64]; /* of every test; removed at its end */

static int make_home(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/converge-test-XXXXXX");
    return mkdtemp(home) != NULL ? 0 : -1;
}

static int remove_home(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", home);
    return system(command);
}

static void make_directory(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", home, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", home, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void make_firefox(void)
{
    make_directory("app");
    make_file("app/libxul.so", "");
    make_file("app/libnss3.so", "");
    make_file("app/browser", "\x7f"
                             "ELF");
    make_file("app/application.ini",
              "; a comment\n[App]\nVendor=Mozilla\nName=Firefox\nProfile=\n[XRE]\nName=other\n");
}

static enum cvg_application_kind find(const char *name, struct cvg_application *ret_application)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", home, name);
    cvg_application_find(path, ret_application);
    return ret_application->kind;
}

static void test_a_browser_is_known_by_what_lies_beside_it(void **state)
{
    struct cvg_application found;

    (void)state;
    make_firefox();
    assert_int_equal(find("app/browser", &found), CVG_APPLICATION_MOZILLA);
    assert_string_equal(found.name, "Firefox");
    assert_string_equal(found.vendor, "Mozilla");
    assert_string_equal(found.profile, "");
    assert_non_null(strstr(found.directory, "/app"));
}

static void test_symlinks_and_scripts_are_followed(void **state)
{
    struct cvg_application found;
    char target[256], link[256], script[512];

    (void)state;
    make_firefox();
    snprintf(target, sizeof target, "%s/app/browser", home);
    snprintf(link, sizeof link, "%s/link", home);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(find("link", &found), CVG_APPLICATION_MOZILLA);
    snprintf(script, sizeof script,
             "#!/bin/sh\n[ -x \"$X\" ] && exec \"$X\" \"$@\"\nexec %s \"$@\"\n", link);
    make_file("script", script);
    assert_int_equal(find("script", &found), CVG_APPLICATION_MOZILLA);
    assert_string_equal(found.program, target);
}

static void test_a_script_that_starts_itself_ends(void **state)
{
    struct cvg_application found;
    char script[256];

    (void)state;
    snprintf(script, sizeof script, "#!/bin/sh\nexec %s/loop\n", home);
    make_file("loop", script);
    assert_int_equal(find("loop", &found), CVG_APPLICATION_PLAIN);
}

static void test_other_words_and_programs_are_plain(void **state)
{
    struct cvg_application found;

    (void)state;
    make_file("executor", "#!/bin/sh\nexecute this\n# exec 3>&1\nexec $VARIABLE\nexec -a x\n");
    assert_int_equal(find("executor", &found), CVG_APPLICATION_PLAIN);
    make_file("empty", "");
    assert_int_equal(find("empty", &found), CVG_APPLICATION_PLAIN);
    assert_int_equal(find("missing", &found), CVG_APPLICATION_PLAIN);
}

static void test_chromium_by_its_files(void **state)
{
    struct cvg_application found;

    (void)state;
    make_directory("opt");
    make_file("opt/chrome_100_percent.pak", "");
    make_file("opt/chrome", "\x7f"
                            "ELF");
    assert_int_equal(find("opt/chrome", &found), CVG_APPLICATION_CHROMIUM);
}

static void test_containers_by_who_starts_them(void **state)
{
    struct cvg_application found;
    char target[256], link[256], script[256];

    (void)state;
    make_file("snap", "\x7f"
                      "ELF");
    snprintf(target, sizeof target, "%s/snap", home);
    snprintf(link, sizeof link, "%s/firefox", home);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(find("firefox", &found), CVG_APPLICATION_CONTAINED);
    assert_string_equal(found.container, "Snap");
    make_file("flatpak", "\x7f"
                         "ELF");
    snprintf(script, sizeof script, "#!/bin/sh\nexec %s/flatpak run org.mozilla.firefox\n", home);
    make_file("org.mozilla.firefox", script);
    assert_int_equal(find("org.mozilla.firefox", &found), CVG_APPLICATION_CONTAINED);
    assert_string_equal(found.container, "Flatpak");
}

static void test_apparmor_patterns(void **state)
{
    static const char firefox[] = "/{usr/lib/firefox{,-esr,-beta},opt/firefox}/firefox{,-esr,-bin}";

    (void)state;
    assert_true(cvg_apparmor_matches("/usr/bin/man", "/usr/bin/man"));
    assert_false(cvg_apparmor_matches("/usr/bin/man", "/usr/bin/mandb"));
    assert_false(cvg_apparmor_matches("/usr/bin/mandb", "/usr/bin/man"));
    assert_true(cvg_apparmor_matches(firefox, "/usr/lib/firefox-esr/firefox-esr"));
    assert_true(cvg_apparmor_matches(firefox, "/opt/firefox/firefox"));
    assert_false(cvg_apparmor_matches(firefox, "/opt/firefox-esr/firefox"));
    assert_true(cvg_apparmor_matches("/usr/*/man", "/usr/bin/man"));
    assert_false(cvg_apparmor_matches("/usr/*/man", "/usr/local/bin/man"));
    assert_true(cvg_apparmor_matches("/usr/**/man", "/usr/local/bin/man"));
    assert_true(cvg_apparmor_matches("/opt/v[0-9]/x?", "/opt/v7/xy"));
    assert_false(cvg_apparmor_matches("/opt/v[^0-9]/x", "/opt/v7/x"));
}

static void test_apparmor_patterns_that_are_broken_match_nothing(void **state)
{
    (void)state;
    assert_false(cvg_apparmor_matches("/usr/{bin", "/usr/bin"));
    assert_false(cvg_apparmor_matches("/usr/[bin", "/usr/b"));
    assert_false(cvg_apparmor_matches("", "/usr"));
    assert_false(cvg_apparmor_matches("{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{", "/"));
}

#define IN_A_HOME(test) cmocka_unit_test_setup_teardown(test, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_HOME(test_a_browser_is_known_by_what_lies_beside_it),
        IN_A_HOME(test_symlinks_and_scripts_are_followed),
        IN_A_HOME(test_a_script_that_starts_itself_ends),
        IN_A_HOME(test_other_words_and_programs_are_plain),
        IN_A_HOME(test_chromium_by_its_files),
        IN_A_HOME(test_containers_by_who_starts_them),
        cmocka_unit_test(test_apparmor_patterns),
        cmocka_unit_test(test_apparmor_patterns_that_are_broken_match_nothing),
    };

    return cmocka_run_group_tests_name("application", tests, NULL, NULL);
}
