/* SPDX-License-Identifier: MIT */
/* Which configuration applies: the system's with and without its lock, a directory of one's own,
 * the XDG directories; and that nothing weaker is used where one of them cannot be believed.
 *
 * config-load.c is compiled for this test with CVG_SYSCONFDIR from the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "common/base/config.h"
#include "tests/common/base/scratch.h"

/* The linker puts these in the place of what they wrap: a set-uid program, who runs it, and
 * passwd(5). */
unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
enum cvg_error __real_cvg_user_find(const char *file, const char *name, uid_t *ret_uid);
enum cvg_error __wrap_cvg_user_find(const char *file, const char *name, uid_t *ret_uid);
static bool at_secure;
static uid_t pretended_uid;
static enum cvg_error user_find_error;

enum cvg_error __wrap_cvg_user_find(const char *file, const char *name, uid_t *ret_uid)
{
    if (user_find_error != CVG_OK)
        return user_find_error;
    return __real_cvg_user_find(file, name, ret_uid);
}

unsigned long __wrap_getauxval(unsigned long type)
{
    return type == AT_SECURE && at_secure ? 1 : __real_getauxval(type);
}

uid_t __wrap_geteuid(void)
{
    return pretended_uid;
}

static struct cvg_config config;
static struct cvg_paths paths;
static struct cvg_why why;

static int set_up(void **state)
{
    static const char *const variables[] = {"CONVERGE_CONFIG_DIR", "XDG_CONFIG_HOME",
                                            "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"};

    scratch_make(state);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    if (__real_geteuid() == 0)
        scratch_dir("etc", 0755);
    scratch_dir("home", 0755);
    scratch_dir("own", 0755);
    setenv("CVG_TEST_SYSCONFDIR", scratch_path("etc"), 1);
    setenv("HOME", scratch_path("home"), 1);
    at_secure = false;
    user_find_error = CVG_OK;
    pretended_uid = __real_geteuid();
    return 0;
}

/* Loads; checks that a failure changes nothing and says why, and that nothing is left open. */
static enum cvg_error load(void)
{
    static struct cvg_config config_before;
    struct cvg_paths paths_before;
    int before = open_descriptors();
    enum cvg_error err;

    memset(&config, 0x5a, sizeof config);
    memset(&paths, 0x5a, sizeof paths);
    memcpy(&config_before, &config, sizeof config);
    memcpy(&paths_before, &paths, sizeof paths);
    why.text[0] = '\0';
    errno = EXDEV;
    err = cvg_config_load(&config, &paths, &why);
    assert_int_equal(errno, EXDEV);
    assert_int_equal(open_descriptors(), before);
    if (err != CVG_OK) {
        assert_memory_equal(&config, &config_before, sizeof config);
        assert_memory_equal(&paths, &paths_before, sizeof paths);
        assert_string_not_equal(why.text, "");
    }
    return err;
}

static void assert_system(enum cvg_mode mode)
{
    if (load() != CVG_OK)
        fail_msg("%s", why.text);
    assert_int_equal(paths.kind, CVG_AGENT_SYSTEM);
    assert_string_equal(paths.config_dir, scratch_path("etc"));
    assert_string_equal(paths.runtime_dir, CVG_RUNTIMEDIR);
    assert_string_equal(paths.cache_dir, CVG_CACHEDIR);
    assert_string_equal(paths.state_dir, CVG_STATEDIR);
    assert_true(paths.owner != 0);
    assert_int_equal(config.mode, mode);
}

/* Files in these tests belong to who runs them; only root's are believed as the system's. */
static bool system_file(const char *text)
{
    if (__real_geteuid() != 0)
        return false;
    scratch_file("etc/converge.conf", text, 0644);
    return true;
}

static void without_any_file_the_system_s_defaults(void **state)
{
    (void)state;
    assert_system(CVG_MODE_AUGMENT);
    rmdir(scratch_path("etc"));
    assert_system(CVG_MODE_AUGMENT);
}

static void the_system_s_file_is_read(void **state)
{
    (void)state;
    if (!system_file("mode = replace\nexempt_names = a.example\n"))
        skip();
    assert_system(CVG_MODE_REPLACE);
    assert_string_equal(config.exempt_names.word[0], "a.example");
    assert_ptr_equal(config.exempt_names.word[0], config.pool);
}

static void a_directory_of_one_s_own_is_self_contained(void **state)
{
    (void)state;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    scratch_file("own/converge.conf", "mode = monitor\n", 0600);
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(config.mode, CVG_MODE_MONITOR);
    assert_string_equal(paths.config_dir, scratch_path("own"));
    assert_string_equal(paths.runtime_dir, scratch_path("own/run"));
    assert_string_equal(paths.cache_dir, scratch_path("own/cache"));
    assert_string_equal(paths.state_dir, scratch_path("own/state"));
    if (__real_geteuid() == 0) {
        assert_int_equal(paths.kind, CVG_AGENT_SYSTEM);
        assert_true(paths.owner != 0);
    } else {
        assert_int_equal(paths.kind, CVG_AGENT_USER);
        assert_int_equal(paths.owner, __real_geteuid());
    }
}

static void an_empty_directory_of_one_s_own_is_the_defaults(void **state)
{
    (void)state;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    if (__real_geteuid() == 0)
        system_file("mode = replace\n");
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(config.mode, CVG_MODE_AUGMENT);
    setenv("CONVERGE_CONFIG_DIR", "", 1);
    assert_system(__real_geteuid() == 0 ? CVG_MODE_REPLACE : CVG_MODE_AUGMENT);
}

static void a_user_s_directory_is_the_user_s_own_only(void **state)
{
    (void)state;
    if (__real_geteuid() != 0)
        skip();
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    scratch_file("own/converge.conf", "mode = replace\n", 0600);
    scratch_need(chown(scratch_path("own"), 12345, (gid_t)-1) == 0, "chown");
    assert_int_equal(load(), CVG_ERR_OWNER); /* for root: only root's */
    pretended_uid = 12346;
    assert_int_equal(load(), CVG_ERR_OWNER);
    pretended_uid = 12345;
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(paths.kind, CVG_AGENT_USER);
    assert_int_equal(paths.owner, 12345);
    scratch_need(chown(scratch_path("own/converge.conf"), 12346, (gid_t)-1) == 0, "chown");
    assert_int_equal(load(), CVG_ERR_OWNER);
}

static bool allowed_off(const char *own)
{
    scratch_file("own/converge.conf", own, 0600);
    assert_int_equal(load(), CVG_OK);
    return config.allow_off;
}

static void an_administrator_s_no_to_off_holds_everywhere(void **state)
{
    (void)state;
    if (!system_file("agent = user\nallow_off = no\n"))
        skip();
    assert_int_equal(load(), CVG_OK);
    assert_false(config.allow_off);
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    assert_false(allowed_off(""));
    assert_false(allowed_off("allow_off = yes\n"));
    unsetenv("CONVERGE_CONFIG_DIR");
    pretended_uid = 12345;
    scratch_dir("home/.config", 0755);
    scratch_dir("home/.config/converge", 0755);
    scratch_file("home/.config/converge/converge.conf", "allow_off = yes\n", 0644);
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(paths.kind, CVG_AGENT_USER);
    assert_false(config.allow_off);
    system_file("allow_off = yes\n");
    pretended_uid = 0;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    assert_true(allowed_off(""));
    assert_false(allowed_off("allow_off = no\n"));
}

static void root_s_directory_is_an_administrator_s(void **state)
{
    (void)state;
    if (__real_geteuid() != 0)
        skip();
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    pretended_uid = 12345;
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(paths.kind, CVG_AGENT_SYSTEM);
    assert_true(paths.owner != 0 && paths.owner != 12345);
}

static void a_directory_that_cannot_be_believed_is_an_error(void **state)
{
    char too_long[CVG_PATH_MAX + 100];

    (void)state;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("none"), 1);
    assert_int_equal(load(), CVG_ERR_NOT_FOUND);
    setenv("CONVERGE_CONFIG_DIR", "own", 1);
    assert_int_equal(load(), CVG_ERR_CONFIG);
    setenv("CONVERGE_CONFIG_DIR", scratch_file("file", "", 0600), 1);
    assert_int_equal(load(), CVG_ERR_CONFIG);
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    scratch_need(chmod(scratch_path("own"), 0775) == 0, "chmod");
    assert_int_equal(load(), CVG_ERR_OWNER);
    scratch_need(chmod(scratch_path("own"), 01777) == 0, "chmod");
    assert_int_equal(load(), CVG_ERR_OWNER);
    memset(too_long, '/', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    setenv("CONVERGE_CONFIG_DIR", too_long, 1);
    assert_int_not_equal(load(), CVG_OK);
}

static void a_bad_file_is_an_error_not_the_defaults(void **state)
{
    (void)state;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    scratch_file("own/converge.conf", "mode = monitor\nnonsense\n", 0600);
    assert_int_equal(load(), CVG_ERR_SYNTAX);
    assert_non_null(strstr(why.text, "own/converge.conf:2: no '='"));
    scratch_file("own/converge.conf", "mode = monitor\n", 0666);
    assert_int_equal(load(), CVG_ERR_OWNER);
    scratch_need(unlink(scratch_path("own/converge.conf")) == 0, "unlink");
    scratch_need(symlink("/dev/null", scratch_path("own/converge.conf")) == 0, "symlink");
    assert_int_equal(load(), CVG_ERR_OWNER);
}

static void a_file_over_its_size_is_an_error(void **state)
{
    static char text[70000];

    (void)state;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    memset(text, '\n', sizeof text - 1);
    scratch_file("own/converge.conf", text, 0600);
    assert_int_equal(load(), CVG_ERR_RANGE);
}

static void a_bad_system_file_stops_everything(void **state)
{
    (void)state;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    if (system_file("mode = off\n")) {
        assert_int_equal(load(), CVG_ERR_SYNTAX);
        scratch_need(chown(scratch_path("etc/converge.conf"), 12345, (gid_t)-1) == 0, "chown");
    } else {
        scratch_dir("etc", 0755);
        scratch_file("etc/converge.conf", "", 0644);
    }
    assert_int_equal(load(), CVG_ERR_OWNER);
}

static void the_lock_silences_the_environment(void **state)
{
    (void)state;
    if (!system_file("lock = yes\nagent = user\nmode = replace\n"))
        skip();
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    assert_system(CVG_MODE_REPLACE);
    pretended_uid = 12345;
    assert_system(CVG_MODE_REPLACE);
    setenv("CONVERGE_CONFIG_DIR", "/none", 1);
    assert_system(CVG_MODE_REPLACE);
}

static void a_set_uid_program_uses_the_system_s(void **state)
{
    (void)state;
    at_secure = true;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    assert_system(CVG_MODE_AUGMENT);
    setenv("CONVERGE_CONFIG_DIR", "/none", 1);
    assert_system(CVG_MODE_AUGMENT);
    if (!system_file("agent = user\n"))
        return;
    pretended_uid = 12345;
    assert_system(CVG_MODE_AUGMENT);
}

static void agent_user_means_the_xdg_directories(void **state)
{
    (void)state;
    if (!system_file("agent = user\nmode = replace\n"))
        skip();
    pretended_uid = 12345;
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(paths.kind, CVG_AGENT_USER);
    assert_int_equal(paths.owner, 12345);
    assert_int_equal(config.mode, CVG_MODE_REPLACE); /* the administrator's, without a file there */
    assert_string_equal(paths.config_dir, scratch_path("home/.config/converge"));
    assert_string_equal(paths.runtime_dir, "/run/user/12345/converge");
    assert_string_equal(paths.cache_dir, scratch_path("home/.cache/converge"));
    assert_string_equal(paths.state_dir, scratch_path("home/.local/share/converge"));
    pretended_uid = 0;
    assert_system(CVG_MODE_REPLACE);
}

static void the_xdg_variables_move_them(void **state)
{
    (void)state;
    if (!system_file("agent = user\nmode = replace\n"))
        skip();
    pretended_uid = 12345;
    setenv("XDG_CONFIG_HOME", scratch_path("home"), 1);
    setenv("XDG_RUNTIME_DIR", "/x/run", 1);
    setenv("XDG_CACHE_HOME", "/x/cache", 1);
    setenv("XDG_DATA_HOME", "relative", 1);
    scratch_dir("home/converge", 0755);
    scratch_file("home/converge/converge.conf", "quorum = 2\n", 0644);
    scratch_need(chown(scratch_path("home/converge/converge.conf"), 12345, (gid_t)-1) == 0,
                 "chown");
    assert_int_equal(load(), CVG_OK);
    assert_int_equal(config.quorum, 2);
    assert_int_equal(config.mode, CVG_MODE_AUGMENT);
    assert_string_equal(paths.runtime_dir, "/x/run/converge");
    assert_string_equal(paths.cache_dir, "/x/cache/converge");
    assert_string_equal(paths.state_dir, scratch_path("home/.local/share/converge"));
    scratch_file("home/converge/converge.conf", "quorum = 0\n", 0644);
    assert_int_equal(load(), CVG_ERR_SYNTAX);
    scratch_need(chown(scratch_path("home/converge"), 12346, (gid_t)-1) == 0, "chown");
    assert_int_equal(load(), CVG_ERR_OWNER);
}

static void without_a_home_there_is_no_user_s_installation(void **state)
{
    (void)state;
    if (!system_file("agent = user\n"))
        skip();
    pretended_uid = 12345;
    unsetenv("HOME");
    assert_int_equal(load(), CVG_ERR_CONFIG);
    setenv("HOME", "relative", 1);
    assert_int_equal(load(), CVG_ERR_CONFIG);
}

static void an_agent_s_user_that_cannot_be_told_is_an_error(void **state)
{
    (void)state;
    user_find_error = CVG_ERR_IO;
    assert_int_equal(load(), CVG_ERR_IO);
    user_find_error = CVG_ERR_NOT_FOUND;
    assert_system(CVG_MODE_AUGMENT);
    assert_int_equal(paths.owner, 65534);
    if (__real_geteuid() != 0)
        return;
    user_find_error = CVG_ERR_IO;
    setenv("CONVERGE_CONFIG_DIR", scratch_path("own"), 1);
    assert_int_equal(load(), CVG_ERR_IO);
}

static void without_descriptors_nothing_weaker_is_used(void **state)
{
    struct rlimit limit, none;
    enum cvg_error err;

    (void)state;
    system_file("lock = yes\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (rlim_t left = 0; left < 8; left++) {
        none = limit;
        none.rlim_cur = left;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        err = cvg_config_load(&config, &paths, NULL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (err == CVG_OK)
            assert_int_equal(config.lock, __real_geteuid() == 0);
        else
            assert_int_equal(err, CVG_ERR_IO);
    }
}

#define LOAD_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOAD_TEST(without_any_file_the_system_s_defaults),
        LOAD_TEST(the_system_s_file_is_read),
        LOAD_TEST(a_directory_of_one_s_own_is_self_contained),
        LOAD_TEST(an_empty_directory_of_one_s_own_is_the_defaults),
        LOAD_TEST(a_user_s_directory_is_the_user_s_own_only),
        LOAD_TEST(an_administrator_s_no_to_off_holds_everywhere),
        LOAD_TEST(root_s_directory_is_an_administrator_s),
        LOAD_TEST(a_directory_that_cannot_be_believed_is_an_error),
        LOAD_TEST(a_bad_file_is_an_error_not_the_defaults),
        LOAD_TEST(a_file_over_its_size_is_an_error),
        LOAD_TEST(a_bad_system_file_stops_everything),
        LOAD_TEST(the_lock_silences_the_environment),
        LOAD_TEST(a_set_uid_program_uses_the_system_s),
        LOAD_TEST(agent_user_means_the_xdg_directories),
        LOAD_TEST(the_xdg_variables_move_them),
        LOAD_TEST(without_a_home_there_is_no_user_s_installation),
        LOAD_TEST(an_agent_s_user_that_cannot_be_told_is_an_error),
        LOAD_TEST(without_descriptors_nothing_weaker_is_used),
    };

    return cmocka_run_group_tests_name("config-load", tests, NULL, NULL);
}
