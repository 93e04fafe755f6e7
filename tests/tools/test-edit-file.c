/* SPDX-License-Identifier: MIT */
/* Replacing somebody's file: nothing of others is lost, whatever happens in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/edit-file.h"

#define MAX 4096

struct place {
    char directory[32];
    char path[64];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *path, const char *text)
{
    char got[MAX];
    FILE *file = fopen(path, "re");
    size_t len;

    assert_non_null(file);
    len = fread(got, 1, sizeof got - 1, file);
    got[len] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

static int count_files(const char *directory)
{
    DIR *dir = opendir(directory);
    int count = 0;

    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(dir);
    return count;
}

static int make_place(void **state)
{
    static struct place place;

    strcpy(place.directory, "/tmp/converge-test-XXXXXX");
    if (mkdtemp(place.directory) == NULL)
        return -1;
    snprintf(place.path, sizeof place.path, "%s/file", place.directory);
    write_file(place.path, "old\n");
    *state = &place;
    return 0;
}

static int remove_place(void **state)
{
    const struct place *place = *state;
    char other[96];

    unlink(place->path);
    snprintf(other, sizeof other, "%s.before-converge", place->path);
    unlink(other);
    snprintf(other, sizeof other, "%s.link", place->path);
    unlink(other);
    return rmdir(place->directory);
}

static enum cvg_error replace(const struct cvg_edit_file *file, const char *text)
{
    struct cvg_buffer buffer;
    struct cvg_why why = {""};
    enum cvg_error err;

    cvg_buffer_init(&buffer, MAX);
    assert_int_equal(cvg_buffer_put_text(&buffer, text), CVG_OK);
    err = cvg_edit_file_replace(file, &buffer, &why);
    assert_int_equal(err == CVG_OK, why.text[0] == '\0');
    cvg_buffer_free(&buffer);
    return err;
}

static void mode_and_link_stay(void **state)
{
    const struct place *place = *state;
    struct cvg_edit_file file;
    struct stat st;
    char link[96];

    snprintf(link, sizeof link, "%s.link", place->path);
    assert_int_equal(symlink("file", link), 0);
    assert_int_equal(chmod(place->path, 0641), 0);
    assert_int_equal(cvg_edit_file_read(link, MAX, &file, NULL), CVG_OK);
    assert_int_equal(replace(&file, "new\n"), CVG_OK);
    assert_file(place->path, "new\n");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0641);
    cvg_edit_file_free(&file);
    assert_int_equal(count_files(place->directory), 2);
}

static void what_another_program_wrote_meanwhile_stays(void **state)
{
    const struct place *place = *state;
    struct cvg_edit_file file;

    assert_int_equal(cvg_edit_file_read(place->path, MAX, &file, NULL), CVG_OK);
    write_file(place->path, "another\n");
    assert_int_equal(replace(&file, "new\n"), CVG_ERR_BUSY);
    assert_file(place->path, "another\n");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(replace(&file, "new\n"), CVG_ERR_BUSY);
    assert_int_equal(count_files(place->directory), 0);
    cvg_edit_file_free(&file);
}

static void a_new_file_overwrites_none(void **state)
{
    const struct place *place = *state;
    struct cvg_edit_file file;
    struct stat st;

    assert_int_equal(cvg_edit_file_new(place->path, 0604, MAX, &file, NULL), CVG_OK);
    assert_int_equal(replace(&file, "new\n"), CVG_ERR_BUSY);
    assert_file(place->path, "old\n");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(replace(&file, "new\n"), CVG_OK);
    assert_file(place->path, "new\n");
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0604);
    cvg_edit_file_free(&file);
    assert_int_equal(count_files(place->directory), 1);
}

static void the_copy_goes_only_when_it_says_nothing_new(void **state)
{
    const struct place *place = *state;
    struct cvg_edit_file file;
    struct cvg_buffer kept, other;

    assert_int_equal(cvg_edit_file_read(place->path, MAX, &file, NULL), CVG_OK);
    assert_false(cvg_edit_file_kept(&file, &kept));
    cvg_buffer_free(&kept);
    assert_int_equal(cvg_edit_file_keep(&file, NULL), CVG_OK);
    assert_true(cvg_edit_file_kept(&file, &kept));
    assert_true(cvg_edit_same(&kept, &file.text));
    cvg_buffer_init(&other, MAX);
    assert_int_equal(cvg_buffer_put_text(&other, "other\n"), CVG_OK);
    cvg_edit_file_drop_kept(&file, &other);
    assert_int_equal(count_files(place->directory), 2);
    cvg_edit_file_drop_kept(&file, &kept);
    assert_int_equal(count_files(place->directory), 1);
    cvg_buffer_free(&other);
    cvg_buffer_free(&kept);
    cvg_edit_file_free(&file);
}

static void what_is_no_file_is_told(void **state)
{
    const struct place *place = *state;
    struct cvg_edit_file file;
    struct cvg_why why = {""};

    assert_int_equal(cvg_edit_file_read("/nonexistent/x", MAX, &file, &why), CVG_ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "/nonexistent/x"));
    assert_int_equal(cvg_edit_file_read(place->directory, MAX, &file, &why), CVG_ERR_IO);
    assert_non_null(strstr(why.text, "not a regular file"));
    assert_int_equal(cvg_edit_file_read(place->path, 3, &file, &why), CVG_ERR_RANGE);
    assert_int_equal(cvg_edit_file_new("/nonexistent/x", 0600, MAX, &file, &why), CVG_OK);
    assert_int_equal(replace(&file, "new\n"), CVG_ERR_NOT_FOUND);
    cvg_edit_file_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mode_and_link_stay, make_place, remove_place),
        cmocka_unit_test_setup_teardown(what_another_program_wrote_meanwhile_stays, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_new_file_overwrites_none, make_place, remove_place),
        cmocka_unit_test_setup_teardown(the_copy_goes_only_when_it_says_nothing_new, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_told, make_place, remove_place),
    };

    return cmocka_run_group_tests_name("edit-file", tests, NULL, NULL);
}
