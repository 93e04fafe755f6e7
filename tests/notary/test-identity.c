/* SPDX-License-Identifier: MIT */
/* Whether keys, certificate and bundle belong together: what a notary that cannot read its keys any
 * more may go on with, and what it warns of. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/log.h"
#include "notary/identity-check.h"
#include "notary/init.h"
#include "notary/rotate.h"

#define DAY_S 86400

static char directory[] = "/tmp/converge-identity-XXXXXX";
static char logged[4096];

static void on_log(enum cvg_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == CVG_LOG_WARNING)
        snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%s\n", text);
}

static void remove_all(void)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;
    assert_non_null(list);
    while ((entry = readdir(list)) != NULL)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(list), entry->d_name, 0), 0);
    closedir(list);
}

static void make_notary(void)
{
    struct cvg_init init;
    remove_all();
    cvg_init_defaults(&init);
    init.directory = directory;
    init.name = "alpha";
    init.host = "notary.example";
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX];
    assert_int_equal(cvg_init_write(&init, fingerprint, NULL), CVG_OK);
}

static void announce(bool tls, bool signing)
{
    const struct cvg_rotate rotate = {.directory = directory, .tls = tls, .signing = signing};
    assert_int_equal(cvg_rotate_announce(&rotate, NULL), CVG_OK);
}

static void finish(bool keep_key)
{
    const struct cvg_rotate rotate = {.directory = directory, .keep_key = keep_key};
    assert_int_equal(cvg_rotate_finish(&rotate, NULL), CVG_OK);
}

static struct cvg_identity *load(bool with_keys)
{
    char path[sizeof(directory) + 16];
    struct cvg_settings settings;
    struct cvg_identity *identity = NULL;
    snprintf(path, sizeof(path), "%s/notary.conf", directory);
    assert_int_equal(cvg_settings_load(path, &settings, NULL), CVG_OK);
    assert_int_equal(cvg_identity_load(&settings, with_keys, &identity, NULL), CVG_OK);
    return identity;
}

/* What a reload without the keys comes to, once the files have changed. */
static enum cvg_error kept(const struct cvg_identity *in_use)
{
    struct cvg_why why = {.text = ""};
    struct cvg_identity *loaded = load(false);
    enum cvg_error err = cvg_identity_check_kept(in_use, loaded, &why);
    assert_true((err == CVG_OK) == (why.text[0] == '\0'));
    cvg_identity_free(loaded);
    return err;
}

static void an_announcement_may_be_taken_without_keys(void **state)
{
    struct cvg_identity *in_use;
    (void)state;
    make_notary();
    in_use = load(true);
    assert_int_equal(kept(in_use), CVG_OK);
    announce(true, true);
    assert_int_equal(kept(in_use), CVG_OK);
    cvg_identity_free(in_use);
}

static void a_new_certificate_may_not(void **state)
{
    struct cvg_identity *in_use;
    (void)state;
    make_notary();
    in_use = load(true);
    announce(true, false);
    finish(false);
    assert_int_equal(kept(in_use), CVG_ERR_CONFIG);
    cvg_identity_free(in_use);
}

static void a_new_signing_key_may_only_while_the_former_is_named(void **state)
{
    struct cvg_identity *in_use;
    (void)state;
    make_notary();
    in_use = load(true);
    announce(false, true);
    finish(true);
    assert_int_equal(kept(in_use), CVG_OK);
    cvg_identity_free(in_use);
    make_notary();
    in_use = load(true);
    announce(false, true);
    finish(false);
    assert_int_equal(kept(in_use), CVG_ERR_CONFIG);
    cvg_identity_free(in_use);
}

/* Whether a warning with the word is logged at that time; "" is none at all. */
static bool warns(const struct cvg_identity *identity, int64_t now_s, const char *word)
{
    logged[0] = '\0';
    cvg_identity_warn(identity, now_s);
    return word[0] == '\0' ? logged[0] == '\0' : strstr(logged, word) != NULL;
}

static void an_end_is_told_30_days_before(void **state)
{
    struct cvg_identity *identity;
    (void)state;
    make_notary();
    identity = load(true);
    int64_t end_s = cvg_identity_end_s(identity);
    assert_true(end_s > 0);
    assert_true(warns(identity, end_s - 30 * DAY_S, ""));
    assert_true(warns(identity, end_s - 30 * DAY_S + 1, "ends in 29 days"));
    assert_true(warns(identity, end_s - 1, "ends in 0 days"));
    assert_true(warns(identity, end_s, "ended 0 days ago"));
    assert_true(warns(identity, end_s + 3 * DAY_S, "ended 3 days ago"));
    cvg_identity_free(identity);
}

static void a_bundle_of_others_keys_is_told(void **state)
{
    struct cvg_identity *mine, *other;
    struct cvg_buffer bundle;
    (void)state;
    make_notary();
    other = load(true);
    make_notary();
    mine = load(true);
    assert_true(warns(mine, 0, ""));
    bundle = mine->bundle;
    mine->bundle = other->bundle;
    assert_true(warns(mine, 0, "does not name tls_certificate"));
    assert_true(warns(mine, 0, "does not name signing_key"));
    mine->bundle = bundle;
    cvg_identity_free(mine);
    cvg_identity_free(other);
}

static int set_up(void **state)
{
    (void)state;
    cvg_log_set_handler(on_log, CVG_LOG_WARNING, NULL);
    return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    remove_all();
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_announcement_may_be_taken_without_keys),
        cmocka_unit_test(a_new_certificate_may_not),
        cmocka_unit_test(a_new_signing_key_may_only_while_the_former_is_named),
        cmocka_unit_test(an_end_is_told_30_days_before),
        cmocka_unit_test(a_bundle_of_others_keys_is_told),
    };
    return cmocka_run_group_tests_name("identity", tests, set_up, tear_down);
}
