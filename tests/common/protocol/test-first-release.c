/* SPDX-License-Identifier: MIT */
/* The agent's messages as the first release wrote them, kept as files: today's readers take them,
 * and what today's agent tells such an asker is what it can read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/protocol/message.h"

#define ID 0x0102030405060708ULL

struct golden {
    uint8_t octets[4096];
    size_t len;
};

static struct golden golden_of(const char *name)
{
    const char *top = getenv("top_srcdir");
    struct golden golden = {.len = 0};
    char path[1024], line[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/tests/common/protocol/first-release/%s.hex",
             top != NULL ? top : ".", name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned octet;
        int used;

        for (char *at = line; *at != '#' && sscanf(at, "%2x%n", &octet, &used) == 1; at += used)
            golden.octets[golden.len++] = (uint8_t)octet;
    }
    fclose(file);
    return golden;
}

static void questions(void **state)
{
    static const char *const names[] = {"check-fingerprint", "check-leaf"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct golden golden = golden_of(names[i]);
        struct cvg_question question;
        struct cvg_buffer again;

        assert_int_equal(cvg_question_parse(golden.octets, golden.len, &question, NULL), CVG_OK);
        assert_true(question.id == ID);
        assert_string_equal(question.host, "site.example");
        assert_string_equal(question.release, "");
        cvg_buffer_init(&again, CVG_MESSAGE_MAX);
        assert_int_equal(cvg_question_write(&question, &again), CVG_OK);
        assert_int_equal(again.len, golden.len);
        assert_memory_equal(again.data, golden.octets, golden.len);
        cvg_buffer_free(&again);
    }
}

static void an_answer(void **state)
{
    struct golden golden = golden_of("verdict");
    struct cvg_answer answer;
    struct cvg_buffer again;

    (void)state;
    assert_int_equal(cvg_answer_parse(golden.octets, golden.len, ID, &answer, NULL), CVG_OK);
    assert_true(answer.vote_count > 0);
    cvg_buffer_init(&again, CVG_MESSAGE_MAX);
    assert_int_equal(cvg_answer_write(&answer, &again), CVG_OK);
    assert_int_equal(again.len, golden.len);
    assert_memory_equal(again.data, golden.octets, golden.len);
    cvg_buffer_free(&again);
}

/* The first release refuses any reason above 18. */
static void reasons_that_it_cannot_read(void **state)
{
    struct cvg_answer answer = {.reason = CVG_REASON_CAPTIVE_PORTAL};

    (void)state;
    assert_int_equal(CVG_REASON_INTERNAL, 18);
    cvg_answer_limit(&answer, "0.1.0");
    assert_int_equal(answer.reason, CVG_REASON_CAPTIVE_PORTAL);
    cvg_answer_limit(&answer, "");
    assert_int_equal(answer.reason, CVG_REASON_UNREACHABLE);
    for (unsigned reason = 0; reason <= 18; reason++) {
        answer.reason = (enum cvg_reason)reason;
        cvg_answer_limit(&answer, "");
        assert_int_equal(answer.reason, reason);
    }
}

static void reasons_of_a_newer_agent(void **state)
{
    struct golden golden = golden_of("verdict");
    struct cvg_answer answer;

    (void)state;
    golden.octets[16] = 200;
    assert_int_equal(cvg_answer_parse(golden.octets, golden.len, ID, &answer, NULL), CVG_OK);
    assert_string_equal(cvg_reason_name(answer.reason), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),
        cmocka_unit_test(an_answer),
        cmocka_unit_test(reasons_that_it_cannot_read),
        cmocka_unit_test(reasons_of_a_newer_agent),
    };

    return cmocka_run_group_tests_name("first-release", tests, NULL, NULL);
}
