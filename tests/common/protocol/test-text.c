/* SPDX-License-Identifier: MIT */
/* Base64 and JSON as strictly as they are meant: one text for one value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/base64.h"
#include "common/protocol/json.h"

static void check_base64(const char *octets, size_t len, const char *text)
{
    struct cvg_buffer buffer;

    cvg_buffer_init(&buffer, 64);
    cvg_buffer_put(&buffer, "", 0);
    assert_int_equal(cvg_base64_put(&buffer, octets, len), CVG_OK);
    assert_int_equal(buffer.len, strlen(text));
    if (len > 0)
        assert_memory_equal(buffer.data, text, buffer.len);
    cvg_buffer_clear(&buffer);
    assert_int_equal(cvg_base64_parse(text, strlen(text), &buffer), CVG_OK);
    assert_int_equal(buffer.len, len);
    if (len > 0)
        assert_memory_equal(buffer.data, octets, len);
    cvg_buffer_free(&buffer);
}

/* RFC 4648, section 10, and the two characters it does not use. */
static void base64(void **state)
{
    (void)state;
    check_base64("", 0, "");
    check_base64("f", 1, "Zg==");
    check_base64("fo", 2, "Zm8=");
    check_base64("foo", 3, "Zm9v");
    check_base64("foob", 4, "Zm9vYg==");
    check_base64("fooba", 5, "Zm9vYmE=");
    check_base64("foobar", 6, "Zm9vYmFy");
    check_base64("\xfb\xff\0", 3, "+/8A");
}

static void base64_refused(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg",       "Zg=",      "Zg===",    "Zh==",   "Zm9=", "====",
        "Z===", "Zg==Zg==", " Zg==",    "Zg==\n",   "Z g==",  "Zm9-", "Zm9_",
        "Zm=v", "=m9v",     "Zm9vYmF=", "Zm9vZm=v", "Zm9\xff"};
    struct cvg_buffer buffer;

    (void)state;
    cvg_buffer_init(&buffer, 64);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (cvg_base64_parse(bad[i], strlen(bad[i]), &buffer) != CVG_ERR_SYNTAX)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(cvg_base64_parse("Zm9\0", 4, &buffer), CVG_ERR_SYNTAX);
    assert_int_equal(buffer.len, 0);
    cvg_buffer_free(&buffer);
}

static void base64_over_the_buffers_limit(void **state)
{
    struct cvg_buffer buffer;

    (void)state;
    cvg_buffer_init(&buffer, 3);
    assert_int_equal(cvg_base64_parse("Zm9vYg==", 8, &buffer), CVG_ERR_RANGE);
    cvg_buffer_free(&buffer);
}

static enum cvg_error json_error(const char *text)
{
    json_t *object = NULL;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_json_parse(text, strlen(text), 256, &object, &why);

    if (err != CVG_OK) {
        assert_null(object);
        assert_true(why.text[0] != '\0');
    }
    for (const char *c = why.text; *c != '\0'; c++)
        assert_true(*c >= 0x20 && *c <= 0x7e);
    json_decref(object);
    return err;
}

static void json_documents(void **state)
{
    char large[258];

    (void)state;
    assert_int_equal(json_error("{}"), CVG_OK);
    assert_int_equal(json_error(" \t\r\n{\"a\": {\"a\": []}}\n"), CVG_OK);
    assert_int_equal(json_error("{\"a\":[[[[[[[]]]]]]]}"), CVG_OK);
    assert_int_equal(json_error("{\"a\":[[[[[[[[]]]]]]]]}"), CVG_ERR_RANGE);
    assert_int_equal(json_error("{\"a\\\\\":\"[[[[[[[[[[\"}"), CVG_OK);
    assert_int_equal(json_error("{\"a\\\\\":[[[[[[[[\"\"]]]]]]]]}"), CVG_ERR_RANGE);
    assert_int_equal(json_error(""), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("[]"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("{} {}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("{\"a\": 1, \"a\": 1}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("{\"a\": 1, \"\\u0061\": 1}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("{\"\\u0000\": 1}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("{\"a\": \"\xc0\x80\"}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("{\"a\": \"\x1b[31m\"}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("\xef\xbb\xbf{}"), CVG_ERR_SYNTAX);
    assert_int_equal(json_error("]]]]{}"), CVG_ERR_SYNTAX);
    memset(large, ' ', sizeof large - 1);
    large[0] = '{';
    large[1] = '}';
    large[257] = '\0';
    assert_int_equal(json_error(large), CVG_ERR_RANGE);
    large[256] = '\0';
    assert_int_equal(json_error(large), CVG_OK);
}

static void json_with_a_nul(void **state)
{
    static const char text[] = "{}\0{}";
    json_t *object = NULL;

    (void)state;
    assert_int_equal(cvg_json_parse(text, sizeof text - 1, 256, &object, NULL), CVG_ERR_SYNTAX);
    assert_null(object);
}

static void json_members(void **state)
{
    static const char text[] = "{\"t\": \"abc\", \"i\": 7, \"r\": 7.0, \"a\": [1, 2], \"n\": null}";
    json_t *object = NULL;
    const json_t *array = NULL;
    const char *member = NULL;
    int64_t value = -1;

    (void)state;
    assert_int_equal(cvg_json_parse(text, sizeof text - 1, 256, &object, NULL), CVG_OK);
    assert_int_equal(cvg_json_text(object, "t", 2, &member, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_json_text(object, "i", 3, &member, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_json_text(object, "n", 3, &member, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_json_text(object, "x", 3, &member, NULL), CVG_ERR_NOT_FOUND);
    assert_null(member);
    assert_int_equal(cvg_json_text(object, "t", 3, &member, NULL), CVG_OK);
    assert_string_equal(member, "abc");
    assert_int_equal(cvg_json_integer(object, "i", 8, 9, &value, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_json_integer(object, "i", 5, 6, &value, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_json_integer(object, "r", 0, 9, &value, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(value, -1);
    assert_int_equal(cvg_json_integer(object, "i", 7, 7, &value, NULL), CVG_OK);
    assert_int_equal(value, 7);
    assert_int_equal(cvg_json_array(object, "a", 1, &array, NULL), CVG_ERR_RANGE);
    assert_int_equal(cvg_json_array(object, "t", 1, &array, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(cvg_json_array(object, "a", 2, &array, NULL), CVG_OK);
    assert_int_equal(json_array_size(array), 2);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64),
        cmocka_unit_test(base64_refused),
        cmocka_unit_test(base64_over_the_buffers_limit),
        cmocka_unit_test(json_documents),
        cmocka_unit_test(json_with_a_nul),
        cmocka_unit_test(json_members),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
