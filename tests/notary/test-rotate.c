/* SPDX-License-Identifier: MIT */
/* Changing keys on disk: what clients accept afterwards, and that either step, killed at any of its
 * writes, leaves a notary that clients accept and is finished by running it again. */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/file.h"
#include "common/protocol/bundle.h"
#include "notary/identity.h"
#include "notary/init.h"
#include "notary/rotate.h"

#define KILLED     9
#define STEPS_MOST 200
#define GROUP      65533

static char directory[] = "/tmp/converge-rotate-XXXXXX";
static int steps_left = -1; /* until the process is killed; below 0: never */

static void step(void)
{
    if (steps_left == 0)
        _exit(KILLED);
    if (steps_left > 0)
        steps_left--;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    step();
    int result = __real_rename(from, to);
    step();
    return result;
}

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to)
{
    step();
    int result = __real_link(from, to);
    step();
    return result;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    step();
    return __real_fsync(fd);
}

static char *path_of(const char *name)
{
    static char path[4][sizeof(directory) + NAME_MAX + 2];
    static unsigned next;
    char *result = path[next++ % 4];
    snprintf(result, sizeof(path[0]), "%s/%.*s", directory, NAME_MAX, name);
    return result;
}

static struct cvg_buffer contents(const char *name)
{
    struct cvg_buffer data = {0};
    struct cvg_why why = {""};
    if (cvg_file_read(path_of(name), geteuid(), CVG_BUNDLE_MAX, false, &data, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return data;
}

static struct cvg_bundle *bundle_in(const char *name)
{
    struct cvg_buffer data = contents(name);
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {""};
    if (cvg_bundle_parse((const char *)data.data, data.len, &bundle, &why) != CVG_OK)
        fail_msg("%s: %s", name, why.text);
    cvg_buffer_free(&data);
    return bundle;
}

/* What a client that has old makes of the bundle on disk. */
static enum cvg_error update(const struct cvg_bundle *old, struct cvg_bundle **ret_bundle)
{
    struct cvg_buffer data = contents("alpha.notary");
    enum cvg_error err =
        cvg_bundle_update(old, (const char *)data.data, data.len, ret_bundle, NULL);
    cvg_buffer_free(&data);
    return err;
}

static void remove_all(void)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;
    assert_non_null(list);
    while ((entry = readdir(list)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlink(path_of(entry->d_name));
    closedir(list);
}

static void make_notary(void)
{
    struct cvg_init init;
    struct cvg_why why = {""};
    remove_all();
    cvg_init_defaults(&init);
    init.directory = directory;
    init.name = "alpha";
    init.host = "notary.example";
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX];
    if (cvg_init_write(&init, fingerprint, &why) != CVG_OK)
        fail_msg("%s", why.text);
}

static enum cvg_error announce(bool tls, bool signing)
{
    const struct cvg_rotate rotate = {.directory = directory, .tls = tls, .signing = signing};
    return cvg_rotate_announce(&rotate, NULL);
}

static enum cvg_error finish(bool keep_key)
{
    const struct cvg_rotate rotate = {.directory = directory, .keep_key = keep_key};
    return cvg_rotate_finish(&rotate, NULL);
}

/* What the running notary would have after a reload. */
static struct cvg_identity *identity(void)
{
    struct cvg_settings settings;
    struct cvg_identity *loaded = NULL;
    struct cvg_why why = {""};
    assert_int_equal(cvg_settings_load(path_of("notary.conf"), &settings, NULL), CVG_OK);
    if (cvg_identity_load(&settings, true, &loaded, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return loaded;
}

/* A client with the bundle recognises the notary that reads its files now. */
static bool recognised(const struct cvg_bundle *bundle)
{
    struct cvg_identity *notary = identity();
    const struct cvg_bundle_host *host = &bundle->host[0];
    unsigned char *der = NULL;
    int len = i2d_X509(SSL_CTX_get0_certificate(notary->tls), &der);
    bool pin = ((size_t)len == host->certificate_len &&
                memcmp(der, host->certificate, (size_t)len) == 0) ||
               ((size_t)len == host->next_certificate_len &&
                memcmp(der, host->next_certificate, (size_t)len) == 0);
    bool key = false;
    for (size_t i = 0; i < bundle->key_count; i++)
        key = key || memcmp(cvg_verify_key_id(bundle->key[i]),
                            cvg_signing_key_id(notary->signing_key), CVG_SHA256_LEN) == 0;
    OPENSSL_free(der);
    cvg_identity_free(notary);
    return pin && key;
}

static void a_client_follows_both_steps(void **state)
{
    struct cvg_bundle *first, *second = NULL, *third = NULL, *v1;
    (void)state;
    make_notary();
    first = bundle_in("alpha.notary");
    assert_int_equal(announce(true, true), CVG_OK);
    assert_int_equal(update(first, &second), CVG_OK);
    assert_int_equal(second->serial, 2);
    assert_int_equal(second->key_count, 2);
    assert_non_null(second->host[0].next_certificate);
    assert_true(recognised(first) && recognised(second));
    assert_int_equal(finish(false), CVG_OK);
    assert_true(recognised(second));
    assert_false(recognised(first));
    assert_int_equal(update(second, &third), CVG_OK);
    assert_int_equal(third->serial, 3);
    assert_int_equal(third->key_count, 1);
    assert_null(third->host[0].next_certificate);
    assert_true(recognised(third));
    v1 = bundle_in("alpha.v1.notary");
    assert_memory_equal(v1->host[0].certificate, third->host[0].certificate,
                        third->host[0].certificate_len);
    cvg_bundle_free(v1);
    cvg_bundle_free(third);
    cvg_bundle_free(second);
    cvg_bundle_free(first);
}

static void who_slept_follows_only_a_kept_key(void **state)
{
    struct cvg_bundle *first, *third = NULL;
    (void)state;
    make_notary();
    first = bundle_in("alpha.notary");
    assert_int_equal(announce(false, true), CVG_OK);
    assert_int_equal(finish(false), CVG_OK);
    assert_int_equal(update(first, &third), CVG_ERR_SIGNATURE);
    cvg_bundle_free(first);
    make_notary();
    first = bundle_in("alpha.notary");
    assert_int_equal(announce(false, true), CVG_OK);
    assert_int_equal(finish(true), CVG_OK);
    assert_int_equal(update(first, &third), CVG_OK);
    assert_int_equal(third->key_count, 2);
    assert_memory_equal(cvg_verify_key_id(third->key[1]), cvg_verify_key_id(first->key[0]),
                        CVG_SHA256_LEN);
    assert_true(recognised(third));
    cvg_bundle_free(third);
    cvg_bundle_free(first);
}

static void one_after_the_other_is_fine(void **state)
{
    struct cvg_bundle *bundle;
    (void)state;
    make_notary();
    assert_int_equal(announce(true, false), CVG_OK);
    assert_int_equal(announce(false, true), CVG_OK);
    bundle = bundle_in("alpha.notary");
    assert_int_equal(bundle->serial, 3);
    assert_int_equal(bundle->key_count, 2);
    assert_non_null(bundle->host[0].next_certificate);
    assert_int_equal(finish(false), CVG_OK);
    assert_true(recognised(bundle));
    cvg_bundle_free(bundle);
}

static void nothing_is_done_twice(void **state)
{
    struct cvg_buffer key, again;
    struct cvg_bundle *bundle;
    (void)state;
    make_notary();
    assert_int_equal(finish(false), CVG_ERR_NOT_FOUND);
    assert_int_equal(announce(true, true), CVG_OK);
    key = contents("tls.key.next");
    assert_int_equal(announce(true, true), CVG_OK);
    again = contents("tls.key.next");
    assert_int_equal(key.len, again.len);
    assert_memory_equal(key.data, again.data, key.len);
    bundle = bundle_in("alpha.notary");
    assert_int_equal(bundle->serial, 2);
    cvg_bundle_free(bundle);
    assert_int_equal(finish(false), CVG_OK);
    assert_int_equal(finish(false), CVG_ERR_NOT_FOUND);
    cvg_buffer_free(&again);
    again = contents("tls.key");
    assert_memory_equal(key.data, again.data, key.len);
    cvg_buffer_free(&again);
    cvg_buffer_free(&key);
}

static void former_keys_are_kept(void **state)
{
    struct cvg_buffer key, kept;
    struct stat info;
    (void)state;
    make_notary();
    key = contents("signing.key");
    assert_int_equal(announce(true, true), CVG_OK);
    assert_int_equal(stat(path_of("signing.key.next"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(finish(false), CVG_OK);
    kept = contents("signing.key.old-2");
    assert_int_equal(kept.len, key.len);
    assert_memory_equal(kept.data, key.data, key.len);
    cvg_buffer_free(&kept);
    cvg_buffer_free(&key);
}

static void what_is_not_announced_is_not_changed_to(void **state)
{
    (void)state;
    make_notary();
    assert_int_equal(announce(true, false), CVG_OK);
    assert_int_equal(__real_rename(path_of("tls.key.next"), path_of("tls.key.away")), 0);
    assert_int_equal(finish(false), CVG_ERR_NOT_FOUND);
    make_notary();
    assert_int_equal(__real_link(path_of("signing.key"), path_of("signing.key.next")), 0);
    assert_int_equal(finish(false), CVG_ERR_CONFIG);
}

/* Runs in a child that is killed after that many steps; whether it came to its end. */
static bool ends_within(int steps, bool announcing)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        steps_left = steps;
        _exit((announcing ? announce(true, true) : finish(false)) == CVG_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
    return WEXITSTATUS(status) == 0;
}

/* As doc/notary.md has them for a service: the keys are root's, and a group of the notary's own may
 * read them. Who is not root gives them to nobody. */
static void let_group_read(const char *name)
{
    assert_int_equal(chmod(path_of(name), 0640), 0);
    if (geteuid() == 0)
        assert_int_equal(lchown(path_of(name), 0, GROUP), 0);
}

static bool group_reads(const char *name)
{
    struct stat info;
    assert_int_equal(lstat(path_of(name), &info), 0);
    return (info.st_mode & 0777) == 0640 && info.st_gid == (geteuid() == 0 ? GROUP : getegid());
}

static void an_announcement_killed_anywhere_is_finished_by_the_next(void **state)
{
    bool ended = false;
    (void)state;
    for (int steps = 0; !ended; steps++) {
        struct cvg_bundle *first, *second = NULL;
        assert_true(steps < STEPS_MOST);
        make_notary();
        let_group_read("tls.key");
        let_group_read("signing.key");
        first = bundle_in("alpha.notary");
        ended = ends_within(steps, true);
        assert_true(recognised(first));
        assert_int_equal(announce(true, true), CVG_OK);
        assert_true(group_reads("tls.key.next") && group_reads("signing.key.next"));
        assert_int_equal(update(first, &second), CVG_OK);
        assert_int_equal(second->serial, 2);
        assert_int_equal(finish(false), CVG_OK);
        assert_true(recognised(second));
        cvg_bundle_free(second);
        cvg_bundle_free(first);
    }
}

/* A pair of key and certificate of which only one is changed cannot be read: a reload is then
 * refused, and all stays as it was. */
static bool pair_is_whole(void)
{
    return (access(path_of("tls.key.next"), F_OK) == 0) ==
           (access(path_of("tls.crt.next"), F_OK) == 0);
}

static void a_rotation_killed_anywhere_is_finished_by_the_next(void **state)
{
    bool ended = false;
    (void)state;
    for (int steps = 0; !ended; steps++) {
        struct cvg_bundle *second, *left, *third = NULL;
        assert_true(steps < STEPS_MOST);
        make_notary();
        assert_int_equal(announce(true, true), CVG_OK);
        second = bundle_in("alpha.notary");
        ended = ends_within(steps, false);
        if (pair_is_whole())
            assert_true(recognised(second));
        left = bundle_in("alpha.notary");
        assert_int_equal(finish(false), left->serial == 3 ? CVG_ERR_NOT_FOUND : CVG_OK);
        cvg_bundle_free(left);
        assert_int_equal(update(second, &third), CVG_OK);
        assert_int_equal(third->serial, 3);
        assert_true(recognised(second) && recognised(third));
        cvg_bundle_free(third);
        cvg_bundle_free(second);
    }
}

static void what_was_staged_for_another_change_is_not_taken(void **state)
{
    (void)state;
    make_notary();
    struct cvg_buffer before = contents("alpha.v1.notary");
    assert_int_equal(cvg_file_replace(path_of("alpha.v1.notary.staged"), "left", 4, 0644, NULL),
                     CVG_OK);
    assert_int_equal(announce(false, true), CVG_OK);
    assert_int_equal(finish(false), CVG_OK);
    struct cvg_buffer after = contents("alpha.v1.notary");
    assert_int_equal(after.len, before.len);
    assert_memory_equal(after.data, before.data, before.len);
    assert_int_equal(access(path_of("alpha.v1.notary.staged"), F_OK), -1);
    cvg_buffer_free(&after);
    cvg_buffer_free(&before);
}

static int set_up(void **state)
{
    (void)state;
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
        cmocka_unit_test(a_client_follows_both_steps),
        cmocka_unit_test(who_slept_follows_only_a_kept_key),
        cmocka_unit_test(one_after_the_other_is_fine),
        cmocka_unit_test(nothing_is_done_twice),
        cmocka_unit_test(former_keys_are_kept),
        cmocka_unit_test(what_is_not_announced_is_not_changed_to),
        cmocka_unit_test(an_announcement_killed_anywhere_is_finished_by_the_next),
        cmocka_unit_test(a_rotation_killed_anywhere_is_finished_by_the_next),
        cmocka_unit_test(what_was_staged_for_another_change_is_not_taken),
    };
    return cmocka_run_group_tests_name("rotate", tests, set_up, tear_down);
}
