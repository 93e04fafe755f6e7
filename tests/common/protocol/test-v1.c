/* SPDX-License-Identifier: MIT */
/* Version 1 against hostile text: paths, forms and answers that are nearly right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/v1.h"

#define SHA1_TEXT "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:01:02:03:04"
#define RECORD                                                                                     \
    "{\"timestamp\": {\"start\": \"1\", \"finish\": \"2\"}, \"fingerprint\": \"" SHA1_TEXT "\"}"

static const uint8_t sha1[CVG_SHA1_LEN] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
                                           0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                                           0xee, 0xff, 1,    2,    3,    4};

static void check_path(const char *path, const char *host, unsigned port)
{
    struct cvg_endpoint target;

    assert_int_equal(cvg_v1_path_parse(path, strlen(path), &target, NULL), CVG_OK);
    assert_string_equal(target.host, host);
    assert_int_equal(target.port, port);
}

static void paths(void **state)
{
    (void)state;
    check_path("/target/site.example+443", "site.example", 443);
    check_path("/target/Site.Example.+8443", "site.example", 8443);
    check_path("/target/site.example%2B443", "site.example", 443);
    check_path("/target/%73ite.example+%34%34%33", "site.example", 443);
    check_path("/target/192.0.2.7+1", "192.0.2.7", 1);
    check_path("/target/2001:db8::7+65535", "2001:db8::7", 65535);
    check_path("/target/[2001:DB8:0::7]+443", "2001:db8::7", 443);
    check_path("/target/%5B2001%3Adb8%3A%3A7%5d%2b443", "2001:db8::7", 443);
}

static void paths_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/target",
                                      "/target/",
                                      "/Target/site.example+443",
                                      "target/site.example+443",
                                      "//target/site.example+443",
                                      "/target/site.example",
                                      "/target/site.example+",
                                      "/target/+443",
                                      "/target/site.example+0",
                                      "/target/site.example+0443",
                                      "/target/site.example+65536",
                                      "/target/site.example+100000",
                                      "/target/site.example+99999999999999999999",
                                      "/target/site.example+-1",
                                      "/target/site.example+ 443",
                                      "/target/site.example+443 ",
                                      "/target/site.example+443/",
                                      "/target/site.example+443?x",
                                      "/target/site.example+0x1bb",
                                      "/target/site.example:443",
                                      "/target/a+b+443",
                                      "/target/a%2Fb+443",
                                      "/target/site%2eexample%+443",
                                      "/target/site.example+44%3",
                                      "/target/site.example+44%",
                                      "/target/site%252eexample+443",
                                      "/target/site%00.example+443",
                                      "/target/site.example%0d%0a+443",
                                      "/target/fe80::1%25eth0+443",
                                      "/target/[2001:db8::7+443",
                                      "/target/\xc3\xa9.example+443"};
    struct cvg_endpoint target, untouched;

    (void)state;
    memset(&untouched, 0xa5, sizeof untouched);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cvg_why why = {""};

        target = untouched;
        if (cvg_v1_path_parse(bad[i], strlen(bad[i]), &target, &why) == CVG_OK)
            fail_msg("taken: %s", bad[i]);
        assert_memory_equal(&target, &untouched, sizeof target);
        assert_true(why.text[0] != '\0');
    }
}

static void path_of_every_length(void **state)
{
    static const char path[] = "/target/%5b2001%3adb8::7%5D+443";
    struct cvg_endpoint target;
    char longer[1024];

    (void)state;
    for (size_t len = 0; len < sizeof path - 1; len++) {
        char *copy = malloc(len + 1);

        memcpy(copy, path, len);
        /* "...+4" and "...+44" are ports of their own. */
        assert_int_equal(cvg_v1_path_parse(copy, len, &target, NULL) == CVG_OK,
                         len >= sizeof path - 3);
        free(copy);
    }
    snprintf(longer, sizeof longer, "/target/%0300d.example+443", 7);
    assert_int_equal(cvg_v1_path_parse(longer, strlen(longer), &target, NULL), CVG_ERR_RANGE);
}

static enum cvg_error body_error(const char *body)
{
    uint8_t parsed[CVG_SHA1_LEN], untouched[CVG_SHA1_LEN];
    enum cvg_error err;

    memset(untouched, 0xa5, sizeof untouched);
    memset(parsed, 0xa5, sizeof parsed);
    err = cvg_v1_body_parse(body, strlen(body), parsed, NULL);
    assert_memory_equal(parsed, err == CVG_OK ? sha1 : untouched, sizeof parsed);
    return err;
}

static void bodies(void **state)
{
    (void)state;
    assert_int_equal(body_error("fingerprint=" SHA1_TEXT), CVG_OK);
    assert_int_equal(body_error("fingerprint=00112233445566778899aabbccddeeff01020304"), CVG_OK);
    assert_int_equal(
        body_error("fingerprint=00%3A11%3A22%3a33%3A44%3A55%3A66%3A77%3A88%3A99%3AAA%3A"
                   "bb%3Acc%3Add%3Aee%3Aff%3A01%3A02%3A03%3A04"),
        CVG_OK);
    assert_int_equal(body_error("a=b&fingerprint=" SHA1_TEXT "&c"), CVG_OK);
    assert_int_equal(body_error("&&fingerprint=" SHA1_TEXT "&"), CVG_OK);
}

static void bodies_refused(void **state)
{
    char large[CVG_V1_BODY_MAX + 80];

    (void)state;
    assert_int_equal(body_error(""), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint"), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint="), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("Fingerprint=" SHA1_TEXT), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("xfingerprint=" SHA1_TEXT), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint=" SHA1_TEXT ":05"), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint=" SHA1_TEXT "%00"), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint=" SHA1_TEXT "%"), CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint=" SHA1_TEXT "&fingerprint=" SHA1_TEXT),
                     CVG_ERR_SYNTAX);
    assert_int_equal(body_error("fingerprint=" SHA1_TEXT ":" SHA1_TEXT), CVG_ERR_RANGE);
    assert_int_equal(body_error("fingerprint=00112233445566778899aabbccddeeff"
                                "00112233445566778899aabbccddeeff"),
                     CVG_ERR_SYNTAX); /* a SHA-256 */
    memset(large, 'a', sizeof large);
    strcpy(large + CVG_V1_BODY_MAX, "&fingerprint=" SHA1_TEXT);
    assert_int_equal(body_error(large), CVG_ERR_RANGE);
}

static enum cvg_error answer_error(const char *json, size_t len)
{
    static struct cvg_v1_answer answer, untouched;
    struct cvg_why why = {""};
    char *copy = malloc(len > 0 ? len : 1);
    enum cvg_error err;

    assert_non_null(copy);
    memcpy(copy, json, len);
    memset(&answer, 0xa5, sizeof answer);
    memset(&untouched, 0xa5, sizeof untouched);
    err = cvg_v1_answer_parse(copy, len, &answer, &why);
    free(copy);
    if (err != CVG_OK) {
        assert_memory_equal(&answer, &untouched, sizeof answer);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static void answers(void **state)
{
    static const char *const good[] = {
        "{\"fingerprintList\": []}", "{\"fingerprintList\": [" RECORD "], \"signature\": \"x\"}",
        " {\"fingerprintList\":[" RECORD "," RECORD "],\"later\":{\"a\":[1,2.5,null]}} \n",
        "{\"fingerprintList\": [{\"more\": 1, \"timestamp\": {\"start\": \"0\", \"finish\": "
        "\"999999999999999999\", \"z\": 0}, \"fingerprint\": "
        "\"00112233445566778899aabbccddeeff01020304\"}]}"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(answer_error(good[i], strlen(good[i])), CVG_OK);
}

#define WITH(timestamp, fingerprint)                                                               \
    "{\"fingerprintList\": [{\"timestamp\": " timestamp ", \"fingerprint\": " fingerprint "}]}"
#define TIMES(start, finish) "{\"start\": " start ", \"finish\": " finish "}"
#define QUOTED_SHA1          "\"" SHA1_TEXT "\""

static void answers_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "null",
        "[]",
        "\"fingerprintList\"",
        "{}",
        "<html><body>503</body></html>",
        "{\"fingerprintList\": null}",
        "{\"fingerprintList\": {}}",
        "{\"fingerprintlist\": []}",
        "{\"fingerprintList\": [null]}",
        "{\"fingerprintList\": [[]]}",
        "{\"fingerprintList\": [{}]}",
        "{\"fingerprintList\": []",
        "{\"fingerprintList\": [],}",
        "{\"fingerprintList\": []} x",
        "{\"fingerprintList\": []}{}",
        "{\"fingerprintList\": [], \"fingerprintList\": [" RECORD "]}",
        "{\"fingerprintList\": [], \"x\": {\"a\": 1, \"a\": 2}}",
        "{\"fingerprintList\": [], \"x\": \"\\u0000\"}",
        "{\"fingerprintList\": [], \"x\": \"\xff\"}",
        "{\"fingerprintList\": [], \"x\": 1e999}",
        "{\"fingerprintList\": [], 'x': 1}",
        "{\"fingerprintList\": [], \"x\": NaN}",
        WITH("null", QUOTED_SHA1),
        WITH("\"1\"", QUOTED_SHA1),
        WITH("{\"start\": \"1\"}", QUOTED_SHA1),
        WITH("{\"finish\": \"1\"}", QUOTED_SHA1),
        WITH(TIMES("1", "2"), QUOTED_SHA1), /* numbers: the original sends strings */
        WITH(TIMES("\"1\"", "2"), QUOTED_SHA1),
        WITH(TIMES("\"\"", "\"2\""), QUOTED_SHA1),
        WITH(TIMES("\"-1\"", "\"2\""), QUOTED_SHA1),
        WITH(TIMES("\"+1\"", "\"2\""), QUOTED_SHA1),
        WITH(TIMES("\"1.0\"", "\"2\""), QUOTED_SHA1),
        WITH(TIMES("\"0x1\"", "\"2\""), QUOTED_SHA1),
        WITH(TIMES("\" 1\"", "\"2\""), QUOTED_SHA1),
        WITH(TIMES("\"1\"", "\"2 \""), QUOTED_SHA1),
        WITH(TIMES("\"1\"", "\"1000000000000000000\""), QUOTED_SHA1),
        WITH(TIMES("\"1\"", "\"2\""), "null"),
        WITH(TIMES("\"1\"", "\"2\""), "\"\""),
        WITH(TIMES("\"1\"", "\"2\""), "\"" SHA1_TEXT ":05\""),
        WITH(TIMES("\"1\"", "\"2\""), "\"" SHA1_TEXT " \""),
        WITH(TIMES("\"1\"", "\"2\""),
             "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"")};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (answer_error(bad[i], strlen(bad[i])) == CVG_OK)
            fail_msg("taken: %s", bad[i]);
}

static void answer_truncated_at_every_length(void **state)
{
    static const char json[] = "{\"fingerprintList\": [" RECORD "], \"signature\": \"eA==\"}";

    (void)state;
    for (size_t len = 0; len < sizeof json - 1; len++)
        assert_int_not_equal(answer_error(json, len), CVG_OK);
    assert_int_equal(answer_error(json, sizeof json - 1), CVG_OK);
    assert_int_not_equal(answer_error(json, sizeof json), CVG_OK); /* with its NUL */
}

static void deep_answer(void **state)
{
    char json[4096] = "{\"fingerprintList\": [], \"x\": ";
    size_t start = strlen(json);

    (void)state;
    strcpy(json + start, "[[[[[[[]]]]]]]}"); /* seven, and the object: eight */
    assert_int_equal(answer_error(json, strlen(json)), CVG_OK);
    strcpy(json + start, "[[[[[[[[]]]]]]]]}");
    assert_int_equal(answer_error(json, strlen(json)), CVG_ERR_RANGE);
    memset(json + start, '[', sizeof json - start);
    assert_int_equal(answer_error(json, sizeof json), CVG_ERR_RANGE);
    strcpy(json + start, "\"[[[[[[[[[[[[ \\\" [[[[\"}"); /* no depth inside a string */
    assert_int_equal(answer_error(json, strlen(json)), CVG_OK);
}

static void answers_limits(void **state)
{
    static struct cvg_v1_record record[CVG_V1_RECORDS_MAX + 1];
    struct cvg_buffer json;
    char *large = malloc(CVG_V1_ANSWER_MAX + 1);

    (void)state;
    for (size_t i = 0; i <= CVG_V1_RECORDS_MAX; i++) {
        record[i].start_s = 999999999999999999;
        record[i].finish_s = 999999999999999999;
        memcpy(record[i].sha1, sha1, sizeof sha1);
    }
    cvg_buffer_init(&json, CVG_V1_ANSWER_MAX);
    assert_int_equal(cvg_v1_answer_write(record, CVG_V1_RECORDS_MAX + 1, NULL, &json),
                     CVG_ERR_ARGUMENT);
    assert_int_equal(cvg_v1_answer_write(record, CVG_V1_RECORDS_MAX, "eA==", &json), CVG_OK);
    assert_int_equal(answer_error((const char *)json.data, json.len), CVG_OK);
    memset(large, ' ', CVG_V1_ANSWER_MAX + 1);
    memcpy(large, json.data, json.len);
    assert_int_equal(answer_error(large, CVG_V1_ANSWER_MAX), CVG_OK);
    assert_int_equal(answer_error(large, CVG_V1_ANSWER_MAX + 1), CVG_ERR_RANGE);
    free(large);
    cvg_buffer_free(&json);
}

static void too_many_records(void **state)
{
    struct cvg_buffer json;

    (void)state;
    cvg_buffer_init(&json, CVG_V1_ANSWER_MAX);
    cvg_buffer_put_text(&json, "{\"fingerprintList\": [" RECORD);
    for (size_t i = 0; i < CVG_V1_RECORDS_MAX; i++)
        cvg_buffer_put_text(&json, "," RECORD);
    cvg_buffer_put_text(&json, "]}");
    assert_int_equal(answer_error((const char *)json.data, json.len), CVG_ERR_RANGE);
    cvg_buffer_free(&json);
}

static void writer_refuses_nonsense(void **state)
{
    struct cvg_v1_record record = {.start_s = -1};
    struct cvg_buffer json;

    (void)state;
    cvg_buffer_init(&json, CVG_V1_ANSWER_MAX);
    assert_int_equal(cvg_v1_answer_write(&record, 1, NULL, &json), CVG_ERR_ARGUMENT);
    record.start_s = 1;
    assert_int_equal(cvg_v1_answer_write(&record, 1, "\"", &json), CVG_ERR_ARGUMENT);
    assert_int_equal(json.len, 0);
    cvg_buffer_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(paths_refused),
        cmocka_unit_test(path_of_every_length),
        cmocka_unit_test(bodies),
        cmocka_unit_test(bodies_refused),
        cmocka_unit_test(answers),
        cmocka_unit_test(answers_refused),
        cmocka_unit_test(answer_truncated_at_every_length),
        cmocka_unit_test(deep_answer),
        cmocka_unit_test(answers_limits),
        cmocka_unit_test(too_many_records),
        cmocka_unit_test(writer_refuses_nonsense),
    };

    return cmocka_run_group_tests_name("v1", tests, NULL, NULL);
}
