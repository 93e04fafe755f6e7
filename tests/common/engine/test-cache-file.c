/* SPDX-License-Identifier: MIT */
/* The cache's file: what survives a restart, a kill at any instant, damage of every kind and a full
 * disk; and that no damage ever shows a record that was not stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <gdbm.h>

#include "common/base/log.h"
#include "tests/common/engine/cache-records.h"
#include "tests/common/engine/fake-clock.h"

#define TTL_S 7776000

static struct {
    struct fake_clock clock;
    char directory[64];
    char path[96];
    char damaged[128];
    unsigned warnings;
    char last[1024];
} fixture;

static void note(enum cvg_log_level level, const char *line, void *user)
{
    (void)user;
    if (level > CVG_LOG_WARNING)
        return;
    fixture.warnings++;
    snprintf(fixture.last, sizeof fixture.last, "%s", line);
}

static int set_up(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    fake_clock_init(&fixture.clock);
    fixture.clock.wall_s = RECORDS_TIME_S;
    /* GDBM syncs when it closes a file, and thousands are closed here. */
    snprintf(fixture.directory, sizeof fixture.directory, "%s/cvg-cache-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(fixture.directory) == NULL)
        return -1;
    snprintf(fixture.path, sizeof fixture.path, "%s/cache.gdbm", fixture.directory);
    snprintf(fixture.damaged, sizeof fixture.damaged, "%s.damaged", fixture.path);
    cvg_log_set_handler(note, CVG_LOG_WARNING, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_log_set_handler(NULL, CVG_LOG_ERROR, NULL);
    unlink(fixture.path);
    unlink(fixture.damaged);
    return rmdir(fixture.directory);
}

static struct cvg_cache *opened(void)
{
    struct cvg_cache *cache = NULL;

    if (cvg_cache_open(fixture.path, TTL_S, &fixture.clock.clock, &cache, NULL) != CVG_OK)
        fail_msg("open failed");
    cvg_cache_set_notaries(cache, records_notaries, 4);
    return cache;
}

static void put(struct cvg_cache *cache, unsigned i)
{
    struct cvg_cache_record record;

    records_make(i, &record);
    cvg_cache_put(cache, &record);
}

static bool finds(struct cvg_cache *cache, unsigned i)
{
    struct cvg_cache_record record, found;

    records_make(i, &record);
    if (cvg_cache_find(cache, &record.endpoint, record.leaf_sha256, 1000, &found) != CVG_OK)
        return false;
    assert_true(records_is(i, &found));
    return true;
}

static bool check_record(const struct cvg_cache_record *record, void *user)
{
    struct cvg_cache_record copy = *record;

    if (!records_is_one(&copy, NULL))
        fail_msg("a record that was never stored: %s", record->endpoint.host);
    ++*(unsigned *)user;
    return true;
}

/* How many records there are, all of them sound. */
static unsigned sound(struct cvg_cache *cache)
{
    unsigned count = 0;

    cvg_cache_each(cache, UINT32_MAX, check_record, &count);
    return count;
}

static struct cvg_cache_status status_of(struct cvg_cache *cache)
{
    struct cvg_cache_status status;

    cvg_cache_status(cache, &status);
    return status;
}

static void fill(unsigned count)
{
    struct cvg_cache *cache = opened();

    for (unsigned i = 0; i < count; i++)
        put(cache, i);
    cvg_cache_close(cache);
}

static void records_survive_a_restart(void **state)
{
    struct cvg_cache *cache;

    (void)state;
    fill(1000);
    for (unsigned round = 0; round < 3; round++) {
        cache = opened();
        assert_int_equal(status_of(cache).records, 1000);
        assert_true(status_of(cache).writing);
        for (unsigned i = 0; i < 1000; i++)
            assert_true(finds(cache, i));
        cvg_cache_close(cache);
    }
    assert_int_equal(fixture.warnings, 0);
}

static void a_hundred_thousand_records_fit_in_10_megabytes(void **state)
{
    struct cvg_cache *cache;

    (void)state;
    fill(100000);
    cache = opened();
    assert_int_equal(status_of(cache).records, 100000);
    assert_true(status_of(cache).file_octets <= 10000000);
    for (unsigned i = 0; i < 100000; i += 37)
        assert_true(finds(cache, i));
    cvg_cache_close(cache);
}

/* Forgetting and renewing must not make the file grow without end. */
static void renewing_does_not_grow_the_file(void **state)
{
    struct cvg_cache *cache = opened();
    uint64_t first = 0;

    (void)state;
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned i = 0; i < 1000; i++)
            put(cache, i);
        cvg_cache_flush(cache);
        if (round == 2)
            first = status_of(cache).file_octets;
    }
    assert_true(status_of(cache).file_octets <= 2 * first);
    cvg_cache_close(cache);
    cache = opened();
    assert_int_equal(sound(cache), 1000);
    cvg_cache_close(cache);
}

static void what_is_forgotten_stays_forgotten(void **state)
{
    struct cvg_cache *cache;

    (void)state;
    fill(10);
    cache = opened();
    assert_int_equal(cvg_cache_forget(cache, "www.shop-0.example.com", 0, UINT32_MAX), 1);
    cvg_cache_close(cache);
    cache = opened();
    assert_false(finds(cache, 0));
    assert_int_equal(cvg_cache_forget(cache, NULL, 0, UINT32_MAX), 9);
    cvg_cache_close(cache);
    cache = opened();
    assert_int_equal(sound(cache), 0);
    cvg_cache_close(cache);
}

static void a_removed_notary_is_gone_after_a_restart_too(void **state)
{
    struct cvg_cache *cache = NULL;

    (void)state;
    fill(400);
    assert_int_equal(cvg_cache_open(fixture.path, TTL_S, &fixture.clock.clock, &cache, NULL),
                     CVG_OK);
    assert_false(finds(cache, 1)); /* nothing is found before the notaries are known */
    cvg_cache_set_notaries(cache, records_notaries + 1, 3);
    assert_int_equal(sound(cache), 100);
    cvg_cache_close(cache);
    cache = opened();
    assert_int_equal(sound(cache), 100);
    cvg_cache_close(cache);
}

/* A child that writes as fast as it can, until it is killed. */
static void write_for_ever(unsigned seed)
{
    struct cvg_cache *cache = opened();

    for (unsigned i = seed;; i += 7) {
        put(cache, i % 5000);
        if (i % 11 == 0)
            cvg_cache_flush(cache);
        if (i % 1009 == 0)
            cvg_cache_forget(cache, NULL, 0, UINT32_MAX);
    }
}

static void killed_at_any_instant_the_next_start_works(void **state)
{
    unsigned damaged = 0;

    (void)state;
    for (unsigned round = 0; round < 150; round++) {
        pid_t child = fork();
        struct timespec pause = {.tv_nsec = (long)(round * 7919 % 200) * 100000};
        struct cvg_cache *cache;

        assert_true(child >= 0);
        if (child == 0) {
            write_for_ever(round * 31);
            _exit(0);
        }
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        cache = opened();
        sound(cache);
        put(cache, 1);
        assert_true(finds(cache, 1));
        assert_true(status_of(cache).writing);
        cvg_cache_close(cache);
        damaged += unlink(fixture.damaged) == 0;
    }
    print_message("# %u of 150 files were damaged and moved aside\n", damaged);
}

static size_t read_whole(const char *path, uint8_t *ret_octets, size_t max)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    assert_non_null(file);
    len = fread(ret_octets, 1, max, file);
    fclose(file);
    return len;
}

static void write_whole(const uint8_t *octets, size_t len)
{
    int fd = open(fixture.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, octets, len), len);
    close(fd);
}

/* Opens what is there now: nothing wrong is found, and the cache works and lasts. */
static void opens_and_works(void)
{
    struct cvg_cache *cache = opened();

    sound(cache);
    put(cache, 77);
    assert_true(finds(cache, 77));
    assert_true(status_of(cache).writing);
    cvg_cache_close(cache);
    cache = opened();
    assert_true(finds(cache, 77));
    cvg_cache_close(cache);
}

static void moved_aside(const uint8_t *octets, size_t len)
{
    unsigned before = fixture.warnings;

    write_whole(octets, len);
    opens_and_works();
    assert_int_equal(fixture.warnings, before + 1);
    assert_non_null(strstr(fixture.last, "moved to"));
    assert_int_equal(unlink(fixture.damaged), 0);
}

static void damaged_files_are_moved_aside(void **state)
{
    static uint8_t octets[65536], changed[65536];
    uint8_t *page;
    size_t len;

    (void)state;
    fill(60);
    len = read_whole(fixture.path, octets, sizeof octets);
    assert_true(len > 20000 && len < sizeof octets);
    for (size_t cut = 1; cut < len - 4096; cut += 1021)
        moved_aside(octets, cut);
    memset(changed, 0, sizeof changed);
    moved_aside(changed, len);
    memset(changed, 0xff, sizeof changed);
    moved_aside(changed, len);
    for (size_t i = 0; i < sizeof changed; i++)
        changed[i] = (uint8_t)(i * 2654435761u >> 13);
    moved_aside(changed, len);
    /* Zeros in the middle of the page. */
    page = memmem(octets, len, "CVG2", 4);
    assert_non_null(page);
    memset(page + 4000, 0, 100);
    moved_aside(octets, len);
}

static void an_empty_file_is_a_new_one(void **state)
{
    (void)state;
    write_whole((const uint8_t *)"", 0);
    opens_and_works();
    assert_int_equal(fixture.warnings, 0);
}

static void store(const char *key, const char *value)
{
    GDBM_FILE file = gdbm_open(fixture.path, 4096, GDBM_WRCREAT, 0600, NULL);
    char key_copy[32], value_copy[32];

    assert_non_null(file);
    snprintf(key_copy, sizeof key_copy, "%s", key);
    snprintf(value_copy, sizeof value_copy, "%s", value);
    assert_int_equal(gdbm_store(file, (datum){key_copy, (int)strlen(key)},
                                (datum){value_copy, (int)strlen(value)}, GDBM_REPLACE),
                     0);
    gdbm_close(file);
}

static void files_of_other_versions_or_programs_are_moved_aside(void **state)
{
    static const struct {
        const char *key, *value;
    } cases[] = {{"converge cache", "0"},
                 {"converge cache", "2"},
                 {"something", "else"},
                 {"abcd", "a page of nobody's"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        store(cases[i].key, cases[i].value);
        opens_and_works();
        assert_int_equal(fixture.warnings, i + 1);
        assert_int_equal(unlink(fixture.damaged), 0);
        assert_int_equal(unlink(fixture.path), 0);
    }
}

static void files_that_others_could_write_are_moved_aside(void **state)
{
    struct stat status;

    (void)state;
    fill(10);
    assert_int_equal(chmod(fixture.path, 0666), 0);
    opens_and_works();
    assert_int_equal(fixture.warnings, 1);
    assert_int_equal(rename(fixture.path, fixture.damaged), 0);
    assert_int_equal(symlink(fixture.damaged, fixture.path), 0);
    /* The link is moved over its own target, so what it named is not opened either. */
    opens_and_works();
    assert_int_equal(fixture.warnings, 2);
    assert_int_equal(lstat(fixture.path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(fixture.path, 65534, 65534), 0);
    opens_and_works();
    assert_int_equal(fixture.warnings, 3);
}

/* Whatever octet is changed: what is found was stored. */
static void no_flipped_bit_shows_a_record_that_was_not_stored(void **state)
{
    static uint8_t octets[65536];
    size_t len;
    unsigned kept = 0;

    (void)state;
    fill(40);
    len = read_whole(fixture.path, octets, sizeof octets);
    for (size_t i = 0; i < len; i++) {
        struct cvg_cache *cache;

        octets[i] ^= (uint8_t)(1U << i % 8);
        write_whole(octets, len);
        octets[i] ^= (uint8_t)(1U << i % 8);
        cache = opened();
        kept += sound(cache) > 0;
        cvg_cache_close(cache);
    }
    assert_true(kept > 0 && kept < len);
}

static void limit_files(rlim_t octets)
{
    const struct rlimit limit = {octets, RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void put_many_without_room(void)
{
    struct cvg_cache *cache = opened();

    for (unsigned i = 0; i < 5000; i++) {
        put(cache, i);
        if (i % 100 == 0)
            cvg_cache_flush(cache);
    }
    cvg_cache_flush(cache);
    for (unsigned i = 0; i < 5000; i++)
        assert_true(finds(cache, i));
    assert_false(status_of(cache).writing);
    assert_int_equal(fixture.warnings, 1);
    assert_non_null(strstr(fixture.last, "going on without writing"));
    cvg_cache_close(cache);
}

static void a_file_that_may_not_grow_is_told_once_and_harmless(void **state)
{
    struct cvg_cache *cache;

    (void)state;
    limit_files(200000);
    put_many_without_room();
    limit_files(RLIM_INFINITY);
    cache = opened();
    sound(cache);
    assert_true(status_of(cache).writing);
    cvg_cache_close(cache);
}

static void what_cannot_be_forgotten_in_the_file_takes_the_file_along(void **state)
{
    struct cvg_cache *cache;

    (void)state;
    fill(10);
    limit_files(0);
    cache = opened();
    put(cache, 11);
    cvg_cache_close(cache);
    assert_int_equal(access(fixture.path, F_OK), 0);
    cache = opened();
    assert_int_equal(cvg_cache_forget(cache, "www.shop-0.example.com", 0, UINT32_MAX), 1);
    assert_int_not_equal(access(fixture.path, F_OK), 0);
    assert_true(finds(cache, 1));
    cvg_cache_close(cache);
    limit_files(RLIM_INFINITY);
    cache = opened();
    assert_false(finds(cache, 0));
    cvg_cache_close(cache);
}

static bool write_map(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return good;
}

/* Mounts of this process's own, so that nothing of them is seen outside; for an ordinary user in a
 * user namespace, where the user stays who it is. */
static bool own_mounts(void)
{
    char uids[64], gids[64];

    snprintf(uids, sizeof uids, "%lu %lu 1", (unsigned long)geteuid(), (unsigned long)geteuid());
    snprintf(gids, sizeof gids, "%lu %lu 1", (unsigned long)getegid(), (unsigned long)getegid());
    if (geteuid() == 0)
        return unshare(CLONE_NEWNS) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_map("/proc/self/setgroups", "deny") &&
           write_map("/proc/self/uid_map", uids) && write_map("/proc/self/gid_map", gids);
}

static void full_disk_child(void)
{
    if (!own_mounts() || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", fixture.directory, "tmpfs", 0, "size=128k") != 0)
        _exit(77);
    put_many_without_room();
    _exit(0);
}

static void a_full_disk_is_told_once_and_harmless(void **state)
{
    pid_t child;
    int status = 0;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        full_disk_child();
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("# no file system may be mounted here: not tried\n");
        return;
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_directory_that_is_missing_leaves_memory(void **state)
{
    struct cvg_cache *cache = NULL;
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/missing/cache.gdbm", fixture.directory);
    assert_int_equal(cvg_cache_open(path, TTL_S, &fixture.clock.clock, &cache, NULL), CVG_OK);
    cvg_cache_set_notaries(cache, records_notaries, 4);
    assert_int_equal(fixture.warnings, 1);
    assert_false(status_of(cache).writing);
    put(cache, 1);
    assert_true(finds(cache, 1));
    cvg_cache_close(cache);
}

static void a_file_in_use_elsewhere_is_left_alone(void **state)
{
    int ready[2], done[2];
    pid_t child;
    struct cvg_cache *cache;
    char byte = 0;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cache = opened();
        put(cache, 1);
        if (write(ready[1], "r", 1) != 1 || read(done[0], &byte, 1) != 1)
            _exit(1);
        cvg_cache_close(cache);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    cache = opened();
    assert_false(status_of(cache).writing);
    assert_int_equal(fixture.warnings, 1);
    put(cache, 2);
    assert_true(finds(cache, 2));
    cvg_cache_close(cache);
    assert_int_equal(write(done[1], "d", 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    cache = opened();
    assert_true(finds(cache, 1));
    cvg_cache_close(cache);
    close(ready[0]);
    close(ready[1]);
    close(done[0]);
    close(done[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(records_survive_a_restart),
        CASE(a_hundred_thousand_records_fit_in_10_megabytes),
        CASE(renewing_does_not_grow_the_file),
        CASE(what_is_forgotten_stays_forgotten),
        CASE(a_removed_notary_is_gone_after_a_restart_too),
        CASE(killed_at_any_instant_the_next_start_works),
        CASE(damaged_files_are_moved_aside),
        CASE(an_empty_file_is_a_new_one),
        CASE(files_of_other_versions_or_programs_are_moved_aside),
        CASE(files_that_others_could_write_are_moved_aside),
        CASE(no_flipped_bit_shows_a_record_that_was_not_stored),
        CASE(a_file_that_may_not_grow_is_told_once_and_harmless),
        CASE(a_full_disk_is_told_once_and_harmless),
        CASE(what_cannot_be_forgotten_in_the_file_takes_the_file_along),
        CASE(a_directory_that_is_missing_leaves_memory),
        CASE(a_file_in_use_elsewhere_is_left_alone),
    };

    return cmocka_run_group_tests_name("cache-file", tests, NULL, NULL);
}
