/* SPDX-License-Identifier: MIT */
/* The list of modules is read as NSS reads it, and what we add goes away without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pkcs11-conf.h"

#define MODULE   "/a/libconverge-nss.so"
#define INTERNAL "library=\nname=NSS Internal PKCS #11 Module\nNSS=Flags=internal\n\n"
#define OTHER    "library=/x/other.so\nname=Other\n\n"

static bool is_module(const char *library, const void *context)
{
    return strcmp(library, context) == 0;
}

static struct cvg_buffer buffer_of(const char *text)
{
    struct cvg_buffer buffer;

    cvg_buffer_init(&buffer, CVG_PKCS11_CONF_MAX);
    assert_int_equal(cvg_buffer_put_text(&buffer, text), CVG_OK);
    return buffer;
}

static void assert_without(const char *text, const char *library, const char *left)
{
    struct cvg_buffer out;

    cvg_buffer_init(&out, CVG_PKCS11_CONF_MAX);
    assert_int_equal(cvg_pkcs11_without(text, strlen(text), is_module, library, &out), CVG_OK);
    assert_string_equal((const char *)out.data, left);
    cvg_buffer_free(&out);
}

static void what_was_there_comes_back(void **state)
{
    static const char *const texts[] = {
        "", "\n", INTERNAL, INTERNAL OTHER, "# only a comment\n\n", "library=\r\nname=x\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cvg_buffer text = buffer_of(texts[i]);

        assert_int_equal(cvg_pkcs11_add(&text, MODULE), CVG_OK);
        assert_without((const char *)text.data, MODULE, texts[i]);
        cvg_buffer_free(&text);
    }
}

static void a_last_block_is_ended_before_ours_begins(void **state)
{
    static const char *const texts[] = {"library=/x\nname=X", "library=/x\nname=X\n",
                                        "library=/x\r\nname=X\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cvg_buffer text = buffer_of(texts[i]);
        struct cvg_pkcs11_block block;
        size_t offset = 0;

        assert_int_equal(cvg_pkcs11_add(&text, MODULE), CVG_OK);
        assert_true(cvg_pkcs11_next((const char *)text.data, text.len, &offset, &block));
        assert_string_equal(block.library, "/x");
        assert_string_equal(block.name, "X");
        assert_true(cvg_pkcs11_next((const char *)text.data, text.len, &offset, &block));
        assert_string_equal(block.library, MODULE);
        assert_string_equal(block.name, "Converge");
        assert_false(cvg_pkcs11_next((const char *)text.data, text.len, &offset, &block));
        cvg_buffer_free(&text);
    }
}

static void assert_first(const char *text, const char *library, const char *name)
{
    struct cvg_pkcs11_block block;
    size_t offset = 0;

    assert_true(cvg_pkcs11_next(text, strlen(text), &offset, &block));
    assert_string_equal(block.library, library);
    assert_string_equal(block.name, name);
}

static void lines_are_read_as_nss_reads_them(void **state)
{
    (void)state;
    assert_first("library=/a b\"c\\d.so\nname= x \n", "/a b\"c\\d.so", " x ");
    assert_first("library=\"/a \\\"b\\\\c.so\"\nname=\"It\"\n", "/a \"b\\c.so", "It");
    assert_first("library=\"/a\" name={B c} NSS=\"x\"\n", "/a", "B c");
    assert_first("LIBRARY=/a\nName=b\n", "/a", "b");
    assert_first(" library=/a\n\tname=b\n", "/a", "b");
    assert_first("# library=/no\nlibrary=/a\n# name=no\nname=b\n\nname=c\n", "/a", "b");
    assert_first("library=/a\nlibrary=/b\n", "/b", "");
    assert_first("nonsense\nlibrary\n", "", "");
    assert_first("library=\"/unended\n", "/unended", "");
}

static void a_long_line_goes_on_as_another(void **state)
{
    char text[CVG_PKCS11_LINE_MAX + 64];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "name=", 5);
    strcpy(text + CVG_PKCS11_LINE_MAX, "library=/a\n");
    assert_true(strlen(text) > CVG_PKCS11_LINE_MAX);
    {
        struct cvg_pkcs11_block block;
        size_t offset = 0;

        assert_true(cvg_pkcs11_next(text, strlen(text), &offset, &block));
        assert_string_equal(block.library, "/a");
        assert_int_equal(strlen(block.name), CVG_PKCS11_LINE_MAX - 5);
    }
}

static void others_around_ours_stay(void **state)
{
    static const char ours[] = "library=" MODULE "\nname=Any\n\n";
    char text[512];

    (void)state;
    strcpy(text, INTERNAL "# mine\n");
    strcat(text, ours);
    strcat(text, OTHER);
    strcat(text, ours);
    assert_without(text, MODULE, INTERNAL "# mine\n" OTHER);
    assert_without(text, "/another.so", text);
    assert_without("library=" MODULE, MODULE, "");
}

static void a_name_is_used_once(void **state)
{
    struct cvg_buffer text = buffer_of("library=/x.so\nname=Converge\n\n"
                                       "library=/y.so\nname=Converge 2\n\n");

    (void)state;
    assert_int_equal(cvg_pkcs11_add(&text, MODULE), CVG_OK);
    assert_non_null(strstr((const char *)text.data, "name=Converge 3\n"));
    cvg_buffer_free(&text);
}

static void every_octet_of_a_path_survives(void **state)
{
    char path[300] = "/";
    size_t len = 1;
    struct cvg_buffer text = buffer_of(INTERNAL);

    (void)state;
    for (int octet = 1; octet < 256; octet++)
        if (octet != '\n' && octet != '\r')
            path[len++] = (char)octet;
    path[len] = '\0';
    assert_int_equal(cvg_pkcs11_add(&text, path), CVG_OK);
    assert_without((const char *)text.data, path, INTERNAL);
    cvg_buffer_free(&text);
}

static void paths_that_nss_cannot_read_are_refused(void **state)
{
    struct cvg_buffer text = buffer_of("");
    char longest[CVG_PKCS11_LIBRARY_MAX + 2];

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[CVG_PKCS11_LIBRARY_MAX + 1] = '\0';
    assert_int_equal(cvg_pkcs11_add(&text, longest), CVG_ERR_RANGE);
    assert_int_equal(cvg_pkcs11_add(&text, "/a\nb"), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_pkcs11_add(&text, "a.so"), CVG_ERR_SYNTAX);
    assert_int_equal(text.len, 0);
    longest[CVG_PKCS11_LIBRARY_MAX] = '\0';
    assert_int_equal(cvg_pkcs11_add(&text, longest), CVG_OK);
    assert_without((const char *)text.data, longest, "");
    cvg_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_there_comes_back),
        cmocka_unit_test(a_last_block_is_ended_before_ours_begins),
        cmocka_unit_test(lines_are_read_as_nss_reads_them),
        cmocka_unit_test(a_long_line_goes_on_as_another),
        cmocka_unit_test(others_around_ours_stay),
        cmocka_unit_test(a_name_is_used_once),
        cmocka_unit_test(every_octet_of_a_path_survives),
        cmocka_unit_test(paths_that_nss_cannot_read_are_refused),
    };

    return cmocka_run_group_tests_name("pkcs11-conf", tests, NULL, NULL);
}
