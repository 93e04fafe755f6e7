/* SPDX-License-Identifier: MIT */
/* Files that decide about trust: each way in which somebody else could have written one, each size
 * at its limit, and a replacement that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>

#include "common/base/file.h"
#include "tests/common/base/scratch.h"

static enum cvg_error read_file(const char *path, size_t max, bool check_directory)
{
    struct cvg_buffer data;
    struct cvg_why why = {""};
    int before = open_descriptors();
    enum cvg_error err = cvg_file_read(path, geteuid(), max, check_directory, &data, &why);

    if (err != CVG_OK) {
        assert_int_equal(data.len, 0);
        assert_non_null(strstr(why.text, path));
    }
    cvg_buffer_free(&data);
    assert_int_equal(open_descriptors(), before);
    return err;
}

static void a_file_is_read_whole(void **state)
{
    const char *path = scratch_file("f", "text\n", 0644);
    struct cvg_buffer data;

    (void)state;
    assert_int_equal(cvg_file_read(path, geteuid(), 5, true, &data, NULL), CVG_OK);
    assert_int_equal(data.len, 5);
    assert_string_equal((const char *)data.data, "text\n");
    cvg_buffer_free(&data);
    assert_int_equal(cvg_file_read(scratch_file("e", "", 0600), geteuid(), 5, true, &data, NULL),
                     CVG_OK);
    assert_int_equal(data.len, 0);
    assert_string_equal((const char *)data.data, "");
    cvg_buffer_free(&data);
}

static void one_octet_over_the_maximum_is_refused(void **state)
{
    char text[5002];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    scratch_file("f", text, 0600);
    assert_int_equal(read_file(scratch_path("f"), 5001, true), CVG_OK);
    assert_int_equal(read_file(scratch_path("f"), 5000, true), CVG_ERR_RANGE);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(read_file(scratch_path("none"), 10, true), CVG_ERR_NOT_FOUND);
    assert_int_equal(read_file(scratch_path("none/none"), 10, true), CVG_ERR_NOT_FOUND);
    scratch_file("f", "x", 0600);
    assert_int_equal(read_file(scratch_path("f/g"), 10, true), CVG_ERR_IO);
    assert_int_equal(read_file(scratch_path("f/"), 10, true), CVG_ERR_ARGUMENT);
}

static void a_file_that_others_can_write_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_file(scratch_file("o", "x", 0602), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file(scratch_file("g", "x", 0620), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file(scratch_file("r", "x", 0644), 10, true), CVG_OK);
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
    (void)state;
    scratch_dir("d", 0755);
    scratch_file("d/f", "x", 0600);
    assert_int_equal(read_file(scratch_path("d/f"), 10, true), CVG_OK);
    scratch_need(chmod(scratch_path("d"), 01777) == 0, "chmod");
    assert_int_equal(read_file(scratch_path("d/f"), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file(scratch_path("d/f"), 10, false), CVG_OK);
    scratch_need(chmod(scratch_path("d"), 0775) == 0, "chmod");
    assert_int_equal(read_file(scratch_path("d/f"), 10, true), CVG_ERR_OWNER);
}

/* As root the file is given away; else somebody else is expected to own it. */
static void a_file_of_another_user_is_refused(void **state)
{
    const char *path = scratch_file("f", "x", 0600);
    uid_t owner = geteuid();
    struct cvg_buffer data;

    (void)state;
    if (owner == 0)
        scratch_need(chown(path, 12345, (gid_t)-1) == 0, path);
    else
        owner++;
    assert_int_equal(cvg_file_read(path, owner, 10, false, &data, NULL), CVG_ERR_OWNER);
    if (geteuid() == 0)
        assert_int_equal(cvg_file_read(path, 12345, 10, false, &data, NULL), CVG_OK);
    cvg_buffer_free(&data);
}

static void a_directory_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_dir("d", 0755);
    scratch_file("d/f", "x", 0600);
    scratch_need(chown(scratch_path("d"), 12345, (gid_t)-1) == 0, "chown");
    assert_int_equal(read_file(scratch_path("d/f"), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file(scratch_path("d/f"), 10, false), CVG_OK);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    (void)state;
    scratch_dir("d", 0700);
    scratch_need(mkfifo(scratch_path("fifo"), 0600) == 0, "mkfifo");
    scratch_file("f", "x", 0600);
    scratch_need(symlink("f", scratch_path("link")) == 0, "symlink");
    assert_int_equal(read_file(scratch_path("d"), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file(scratch_path("fifo"), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file(scratch_path("link"), 10, true), CVG_ERR_OWNER);
    assert_int_equal(read_file("/dev/zero", 10, false), CVG_ERR_OWNER);
}

static void an_unreadable_file_is_an_error(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    assert_int_equal(read_file(scratch_file("f", "x", 0000), 10, true), CVG_ERR_IO);
}

static int entries(void)
{
    DIR *dir = opendir(scratch);
    int count = -2;

    scratch_need(dir != NULL, scratch);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static void a_replacement_has_content_and_mode(void **state)
{
    const char *path = scratch_path("f");
    struct cvg_buffer data;
    struct stat st;
    mode_t mask = umask(077);

    (void)state;
    assert_int_equal(cvg_file_replace(path, "one", 3, 0644, NULL), CVG_OK);
    assert_int_equal(cvg_file_replace(path, "second", 6, 0640, NULL), CVG_OK);
    umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(cvg_file_read(path, geteuid(), 10, true, &data, NULL), CVG_OK);
    assert_string_equal((const char *)data.data, "second");
    cvg_buffer_free(&data);
    assert_int_equal(entries(), 1);
}

/* A directory in the file's place lets everything succeed but the rename. */
static void a_failed_replacement_leaves_nothing_behind(void **state)
{
    struct cvg_why why = {""};
    int before = open_descriptors();

    (void)state;
    scratch_dir("d", 0700);
    scratch_file("d/x", "", 0600);
    assert_int_equal(cvg_file_replace(scratch_path("d"), "x", 1, 0600, &why), CVG_ERR_IO);
    assert_int_equal(entries(), 1);
    assert_int_equal(cvg_file_replace(scratch_path("none/f"), "x", 1, 0600, &why),
                     CVG_ERR_NOT_FOUND);
    assert_int_equal(open_descriptors(), before);
}

/* The linker puts this in fsync's place: a disk that is full or broken tells so here at the latest.
 */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
static bool disk_fails;

int __wrap_fsync(int fd)
{
    if (!disk_fails)
        return __real_fsync(fd);
    errno = ENOSPC;
    return -1;
}

static void a_full_disk_keeps_the_old_file(void **state)
{
    const char *path = scratch_file("f", "old", 0600);
    struct cvg_buffer data;
    struct cvg_why why;
    enum cvg_error err;

    (void)state;
    disk_fails = true;
    err = cvg_file_replace(path, "new", 3, 0600, &why);
    disk_fails = false;
    assert_int_equal(err, CVG_ERR_IO);
    assert_non_null(strstr(why.text, "No space left"));
    assert_int_equal(entries(), 1);
    assert_int_equal(cvg_file_read(path, geteuid(), 10, true, &data, NULL), CVG_OK);
    assert_string_equal((const char *)data.data, "old");
    cvg_buffer_free(&data);
}

static void directories_are_made_with_their_parents(void **state)
{
    const char *path = scratch_path("a/b//c/");
    struct stat st;
    mode_t mask = umask(077);

    (void)state;
    assert_int_equal(cvg_directory_make(path, geteuid(), 0755, NULL), CVG_OK);
    umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(cvg_directory_make(path, geteuid(), 0700, NULL), CVG_OK);
}

/* /usr/local/var may be missing; made by root for our cache, it is not ours alone. */
static void parents_stay_passable(void **state)
{
    const char *path = scratch_path("var/cache/converge//");
    mode_t mask = umask(077);
    struct stat st;

    (void)state;
    assert_int_equal(cvg_directory_make(path, geteuid(), 0700, NULL), CVG_OK);
    umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(scratch_path("var"), &st), 0);
    assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0755 : 0700);
    assert_int_equal(stat(scratch_path("var/cache"), &st), 0);
    assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0755 : 0700);
}

static void a_directory_that_cannot_be_believed_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cvg_directory_make(scratch_dir("d", 0777), geteuid(), 0700, NULL),
                     CVG_ERR_OWNER);
    assert_int_equal(cvg_directory_make(scratch_file("f", "", 0600), geteuid(), 0700, NULL),
                     CVG_ERR_OWNER);
    assert_int_equal(cvg_directory_make(scratch_path("f/g"), geteuid(), 0700, NULL), CVG_ERR_IO);
    assert_int_equal(cvg_directory_make("", geteuid(), 0700, NULL), CVG_ERR_RANGE);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_file_is_read_whole),
        SCRATCH_TEST(one_octet_over_the_maximum_is_refused),
        SCRATCH_TEST(what_is_not_there_is_not_found),
        SCRATCH_TEST(a_file_that_others_can_write_is_refused),
        SCRATCH_TEST(a_directory_that_others_can_write_is_refused),
        SCRATCH_TEST(a_file_of_another_user_is_refused),
        SCRATCH_TEST(a_directory_of_another_user_is_refused),
        SCRATCH_TEST(what_is_no_regular_file_is_refused_without_waiting),
        SCRATCH_TEST(an_unreadable_file_is_an_error),
        SCRATCH_TEST(a_replacement_has_content_and_mode),
        SCRATCH_TEST(a_failed_replacement_leaves_nothing_behind),
        SCRATCH_TEST(a_full_disk_keeps_the_old_file),
        SCRATCH_TEST(directories_are_made_with_their_parents),
        SCRATCH_TEST(parents_stay_passable),
        SCRATCH_TEST(a_directory_that_cannot_be_believed_is_refused),
    };

    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
