/* SPDX-License-Identifier: MIT */
/* Our lines in a stranger's text: what was before they came is there, octet by octet, after they
 * went; and no text makes us take what is not ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/conf-edit.h"

#define MAX 4096

static void put(struct cvg_buffer *buffer, const char *text)
{
    cvg_buffer_init(buffer, MAX);
    assert_int_equal(cvg_buffer_put(buffer, text, strlen(text)), CVG_OK);
}

static enum cvg_error strip(const struct cvg_buffer *text, struct cvg_buffer *ret, bool *ret_had)
{
    struct cvg_why why = {""};
    enum cvg_error err;

    cvg_buffer_init(ret, MAX);
    err =
        cvg_conf_strip(&cvg_openssl_marks, (const char *)text->data, text->len, ret, ret_had, &why);
    assert_int_equal(err == CVG_OK, why.text[0] == '\0');
    return err;
}

static void what_was_there_comes_back(void **state)
{
    static const char *const texts[] = {
        "",         "\n",         "a",    "a\n",     "a\n\n\n",
        "[s]\nk=v", "[s]\nk=v\\", "\r\n", "# <<<\n", " # >>> converge",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cvg_buffer text, block, stripped;
        bool had = false;

        put(&text, texts[i]);
        put(&block, "[default]\nopenssl_conf = x\n");
        assert_int_equal(cvg_conf_append(&cvg_openssl_marks, &text, &block), CVG_OK);
        assert_int_equal(strip(&text, &stripped, &had), CVG_OK);
        assert_true(had);
        assert_int_equal(stripped.len, strlen(texts[i]));
        assert_memory_equal(stripped.data, texts[i], stripped.len);
        cvg_buffer_free(&text);
        cvg_buffer_free(&block);
        cvg_buffer_free(&stripped);
    }
}

static void text_without_our_lines_is_copied(void **state)
{
    struct cvg_buffer text, stripped;
    bool had = true;

    (void)state;
    put(&text, "a # >>> converge: the lines\nb # <<< converge\n");
    assert_int_equal(strip(&text, &stripped, &had), CVG_OK);
    assert_false(had);
    assert_int_equal(stripped.len, text.len);
    cvg_buffer_free(&text);
    cvg_buffer_free(&stripped);
}

static void blocks_in_the_middle_and_twice(void **state)
{
    struct cvg_buffer text, block, stripped;
    bool had = false;

    (void)state;
    put(&text, "one\n");
    put(&block, "ours\n");
    assert_int_equal(cvg_conf_append(&cvg_openssl_marks, &text, &block), CVG_OK);
    assert_int_equal(cvg_buffer_put_text(&text, "two"), CVG_OK);
    assert_int_equal(cvg_conf_append(&cvg_openssl_marks, &text, &block), CVG_OK);
    assert_int_equal(cvg_buffer_put_text(&text, "three\n"), CVG_OK);
    assert_int_equal(strip(&text, &stripped, &had), CVG_OK);
    assert_true(had);
    assert_int_equal(stripped.len, strlen("one\ntwothree\n"));
    assert_memory_equal(stripped.data, "one\ntwothree\n", stripped.len);
    cvg_buffer_free(&text);
    cvg_buffer_free(&block);
    cvg_buffer_free(&stripped);
}

/* Any cut of an enabled file is either whole text of ours, or an error: never a guess. */
static void every_cut(void **state)
{
    struct cvg_buffer text, block;
    size_t begin, end;

    (void)state;
    put(&text, "kept\n");
    put(&block, "ours\n");
    begin = text.len;
    assert_int_equal(cvg_conf_append(&cvg_openssl_marks, &text, &block), CVG_OK);
    end = text.len;
    for (size_t len = 0; len <= end; len++) {
        struct cvg_buffer cut, stripped;
        bool had = false;
        enum cvg_error err;

        cvg_buffer_init(&cut, MAX);
        assert_int_equal(cvg_buffer_put(&cut, text.data, len), CVG_OK);
        err = strip(&cut, &stripped, &had);
        if (err == CVG_OK && had)
            assert_true(stripped.len == begin && len >= end - 1);
        else if (err == CVG_OK)
            assert_int_equal(stripped.len, len);
        else
            assert_int_equal(err, CVG_ERR_CONFIG);
        cvg_buffer_free(&cut);
        cvg_buffer_free(&stripped);
    }
    cvg_buffer_free(&text);
    cvg_buffer_free(&block);
}

static void more_than_fits_is_an_error(void **state)
{
    struct cvg_buffer text, block, small;
    struct cvg_why why = {""};
    bool had = false;

    (void)state;
    put(&text, "0123456789");
    put(&block, "ours\n");
    cvg_buffer_init(&small, 5);
    assert_int_equal(
        cvg_conf_strip(&cvg_openssl_marks, (const char *)text.data, text.len, &small, &had, &why),
        CVG_ERR_RANGE);
    cvg_buffer_free(&small);
    cvg_buffer_init(&small, 20);
    assert_int_equal(cvg_conf_append(&cvg_openssl_marks, &small, &block), CVG_ERR_RANGE);
    cvg_buffer_free(&small);
    cvg_buffer_free(&text);
    cvg_buffer_free(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_there_comes_back),
        cmocka_unit_test(text_without_our_lines_is_copied),
        cmocka_unit_test(blocks_in_the_middle_and_twice),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(more_than_fits_is_an_error),
    };

    return cmocka_run_group_tests_name("conf-edit", tests, NULL, NULL);
}
