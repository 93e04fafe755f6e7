/* SPDX-License-Identifier: MIT */
/* The keeper with its journal and its database: what was put is found again, whatever has become of
 * the process, the disk or the files meanwhile; its bounds; two processes in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notary/journal.h"
#include "notary/keeper.h"
#include "notary/observations.h"

#define NOW INT64_C(1800000000)

static char directory[64];
static struct cvg_settings settings;
static struct cvg_metrics metrics;
static uv_loop_t loop;
static struct cvg_mailbox *mailbox;

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/converge-keeper-XXXXXX");
    assert_non_null(mkdtemp(directory));
    cvg_settings_init(&settings);
    snprintf(settings.database, sizeof(settings.database), "%s/o.gdbm", directory);
    snprintf(settings.journal, sizeof(settings.journal), "%s/o.gdbm.journal", directory);
    settings.journal_max = 1 << 20;
    memset(&metrics, 0, sizeof(metrics));
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cvg_mailbox_new(&loop, &mailbox), CVG_OK);
    signal(SIGXFSZ, SIG_IGN);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    cvg_mailbox_free(mailbox);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static enum cvg_error begin(bool wait, struct cvg_keeper **ret_keeper)
{
    const struct cvg_keeper_place place = {
        .settings = &settings, .metrics = &metrics, .wait = wait};
    struct cvg_why why = {.text = ""};
    return cvg_keeper_new(&place, ret_keeper, &why);
}

static struct cvg_keeper *keeper_new(void)
{
    struct cvg_keeper *keeper = NULL;
    assert_int_equal(begin(false, &keeper), CVG_OK);
    return keeper;
}

/* A target's value: one certificate, told by id. */
static size_t value_of(uint8_t id, int64_t when_s, uint8_t ret_value[static CVG_VALUE_MAX])
{
    struct cvg_observations seen = {.count = 0};
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    const struct cvg_address address = {.family = 4, .bytes = {192, 0, 2, 1}};
    struct cvg_buffer buffer;
    memset(leaf.sha256, id, sizeof(leaf.sha256));
    cvg_buffer_init(&buffer, CVG_VALUE_MAX);
    assert_int_equal(cvg_observations_add(&seen, &leaf, &address, when_s), CVG_OK);
    assert_int_equal(cvg_observations_write(&seen, &buffer), CVG_OK);
    memcpy(ret_value, buffer.data, buffer.len);
    size_t len = buffer.len;
    cvg_buffer_free(&buffer);
    cvg_observations_free(&seen);
    return len;
}

static enum cvg_error put(struct cvg_keeper *keeper, const char *key, uint8_t id)
{
    static uint8_t value[CVG_VALUE_MAX];
    size_t len = value_of(id, (int64_t)time(NULL), value);
    return cvg_keeper_put(keeper, key, strlen(key), value, len);
}

static void opened(struct cvg_letter *letter)
{
    uv_stop(&loop);
    (void)letter;
}

/* Asks, and waits for the answer. */
static enum cvg_error ask(struct cvg_keeper *keeper, const char *key,
                          struct cvg_observations *ret_seen)
{
    struct cvg_fetch fetch = {.letter = {.open = opened}, .mailbox = mailbox, .key = key};
    fetch.key_len = strlen(key);
    cvg_list_init(&fetch.letter.link);
    cvg_keeper_fetch(keeper, &fetch);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (fetch.err == CVG_OK)
        assert_int_equal(cvg_observations_parse(fetch.value.data, fetch.value.len, ret_seen),
                         CVG_OK);
    cvg_buffer_free(&fetch.value);
    return fetch.err;
}

/* ret_id: the last certificate's. */
static enum cvg_error get(struct cvg_keeper *keeper, const char *key, uint8_t *ret_id)
{
    struct cvg_observations seen = {.count = 0};
    enum cvg_error err = ask(keeper, key, &seen);
    if (seen.count > 0)
        *ret_id = seen.record[seen.count - 1].leaf.sha256[0];
    cvg_observations_free(&seen);
    return err;
}

static size_t count_certificates(struct cvg_keeper *keeper, const char *key)
{
    struct cvg_observations seen = {.count = 0};
    assert_int_equal(ask(keeper, key, &seen), CVG_OK);
    size_t count = seen.count;
    cvg_observations_free(&seen);
    return count;
}

static void has(struct cvg_keeper *keeper, const char *key, uint8_t id)
{
    uint8_t got = 0;
    assert_int_equal(get(keeper, key, &got), CVG_OK);
    assert_int_equal(got, id);
}

static void has_not(struct cvg_keeper *keeper, const char *key)
{
    uint8_t got = 0;
    assert_int_equal(get(keeper, key, &got), CVG_ERR_NOT_FOUND);
}

static int64_t metric(enum cvg_metric which)
{
    return atomic_load(&metrics.value[which]);
}

/* Waits until a number has become something; a test that waits for ever is ended from outside. */
static void wait_for(enum cvg_metric which, int64_t least)
{
    while (metric(which) < least)
        usleep(5000);
}

static size_t count_files(const char *pattern)
{
    char text[128];
    glob_t found;
    snprintf(text, sizeof(text), "%s/%s", directory, pattern);
    if (glob(text, 0, NULL, &found) != 0)
        return 0;
    size_t count = found.gl_pathc;
    globfree(&found);
    return count;
}

static void put_and_get(void **state)
{
    struct cvg_keeper *keeper = keeper_new();
    (void)state;
    has_not(keeper, "a");
    assert_int_equal(put(keeper, "a", 1), CVG_OK);
    has(keeper, "a", 1);
    assert_int_equal(put(keeper, "a", 2), CVG_OK);
    has(keeper, "a", 2);
    wait_for(CVG_METRIC_STORE_WRITTEN, 1);
    has(keeper, "a", 2);
    has_not(keeper, "b");
    cvg_keeper_free(keeper);
    keeper = keeper_new();
    has(keeper, "a", 2);
    has_not(keeper, "b");
    cvg_keeper_free(keeper);
}

static void without_a_database(void **state)
{
    struct cvg_keeper *keeper = NULL;
    (void)state;
    settings.database[0] = '\0';
    assert_int_equal(begin(false, &keeper), CVG_ERR_NOT_FOUND);
}

#define MANY 4000

static const char *name(char *ret_name, const char *word, int i)
{
    snprintf(ret_name, 32, "%s %d", word, i);
    return ret_name;
}

static uint8_t id_of(int i)
{
    return (uint8_t)(i % 250 + 1);
}

/* Enough for several merges, since a quarter of the bound seals a segment. */
static void fill(struct cvg_keeper *keeper, const char *word)
{
    char key[32];
    for (int i = 0; i < MANY; i++) {
        while (!cvg_keeper_has_room(keeper))
            usleep(1000);
        assert_int_equal(put(keeper, name(key, word, i), id_of(i)), CVG_OK);
    }
}

static void check(struct cvg_keeper *keeper, const char *word)
{
    char key[32];
    for (int i = 0; i < MANY; i++)
        has(keeper, name(key, word, i), id_of(i));
}

static void moves_to_the_database(void **state)
{
    struct cvg_keeper *keeper = keeper_new();
    struct stat info;
    (void)state;
    fill(keeper, "x");
    fill(keeper, "y");
    wait_for(CVG_METRIC_STORE_RECORDS, MANY);
    check(keeper, "x");
    check(keeper, "y");
    cvg_keeper_free(keeper);
    assert_int_equal(stat(settings.database, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(count_files("*.new"), 0);
    keeper = keeper_new();
    check(keeper, "x");
    check(keeper, "y");
    cvg_keeper_free(keeper);
    assert_int_equal(metric(CVG_METRIC_STORE_REJECTED), 0);
    assert_int_equal(metric(CVG_METRIC_STORE_ERRORS), 0);
}

/* The journal's files are the second process's only when the first has let go. */
static void two_in_turn(void **state)
{
    struct cvg_keeper *first = keeper_new(), *second = NULL;
    uint8_t id;
    (void)state;
    assert_int_equal(put(first, "old", 1), CVG_OK);
    assert_int_equal(put(first, "both", 3), CVG_OK);
    assert_int_equal(begin(false, &second), CVG_ERR_BUSY);
    assert_int_equal(begin(true, &second), CVG_OK);
    assert_int_equal(get(second, "old", &id), CVG_ERR_IO);
    assert_int_equal(put(second, "new", 2), CVG_OK);
    assert_int_equal(put(second, "both", 4), CVG_OK); /* not knowing what the first has of it */
    has(second, "new", 2);
    assert_true(cvg_keeper_has_room(second));
    cvg_keeper_let_go(first);
    while (get(second, "old", &id) == CVG_ERR_IO)
        usleep(1000);
    has(second, "old", 1);
    has(second, "new", 2);
    assert_false(cvg_keeper_has_room(first));
    assert_int_equal(put(first, "late", 3), CVG_ERR_BUSY);
    assert_int_equal(get(first, "old", &id), CVG_ERR_IO);
    cvg_keeper_free(first);
    cvg_keeper_free(second);
    second = keeper_new();
    has(second, "new", 2);
    assert_int_equal(count_certificates(second, "both"), 2);
    cvg_keeper_free(second);
}

static void limit_files(rlim_t octets)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets == 0 ? limit.rlim_max : octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What was put while the disk was full is kept once there is room. */
static void full_disk(void **state)
{
    struct cvg_keeper *keeper = NULL;
    (void)state;
    limit_files(4);
    keeper = keeper_new();
    assert_int_equal(put(keeper, "a", 1), CVG_OK);
    wait_for(CVG_METRIC_STORE_ERRORS, 1);
    has(keeper, "a", 1);
    assert_int_equal(metric(CVG_METRIC_STORE_UP), 0);
    cvg_keeper_free(keeper);
    memset(&metrics, 0, sizeof(metrics));
    keeper = keeper_new(); /* begins all the same, over what the first has left */
    assert_int_equal(put(keeper, "a", 1), CVG_OK);
    wait_for(CVG_METRIC_STORE_ERRORS, 1);
    limit_files(0);
    wait_for(CVG_METRIC_STORE_WRITTEN, 1);
    wait_for(CVG_METRIC_STORE_UP, 1);
    cvg_keeper_free(keeper);
    keeper = keeper_new();
    has(keeper, "a", 1);
    cvg_keeper_free(keeper);
}

/* The journal has room, but the database has not. */
static void full_disk_for_the_database(void **state)
{
    struct cvg_keeper *keeper = keeper_new();
    char key[32];
    int count = 0;
    (void)state;
    limit_files(300 * 1024);
    while (cvg_keeper_has_room(keeper) && count < 20 * MANY) {
        assert_int_equal(put(keeper, name(key, "k", count), id_of(count)), CVG_OK);
        count++;
    }
    assert_true(count < 20 * MANY);
    wait_for(CVG_METRIC_STORE_ERRORS, 1);
    for (int i = 0; i < count; i += 97)
        has(keeper, name(key, "k", i), id_of(i));
    limit_files(0);
    while (!cvg_keeper_has_room(keeper))
        usleep(1000);
    for (int i = 0; i < count; i += 97)
        has(keeper, name(key, "k", i), id_of(i));
    cvg_keeper_free(keeper);
}

static void unusable_place(void **state)
{
    struct cvg_keeper *keeper = NULL;
    (void)state;
    strcpy(settings.database, "/nonexistent/o.gdbm");
    strcpy(settings.journal, "/nonexistent/o.gdbm.journal");
    assert_int_equal(begin(false, &keeper), CVG_ERR_IO);
}

static void full_inbox_is_busy(void **state)
{
    struct cvg_keeper *second = NULL;
    char key[32];
    int count = 0, lock = -1;
    (void)state;
    assert_int_equal(cvg_journal_lock(settings.journal, &lock, NULL), CVG_OK);
    assert_int_equal(begin(true, &second), CVG_OK);
    enum cvg_error err = CVG_OK;
    while ((err = put(second, name(key, "k", count), 1)) == CVG_OK)
        count++;
    assert_int_equal(err, CVG_ERR_BUSY);
    assert_false(cvg_keeper_has_room(second));
    assert_true(count > 1000);
    close(lock);
    while (!cvg_keeper_has_room(second) || metric(CVG_METRIC_STORE_RECORDS) < count / 2)
        usleep(1000);
    has(second, name(key, "k", count - 1), 1);
    cvg_keeper_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_and_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_to_the_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_in_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk_for_the_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unusable_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_inbox_is_busy, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
