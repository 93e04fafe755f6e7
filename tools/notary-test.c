/* SPDX-License-Identifier: MIT */
/* converge notary test: which notaries answer, and how fast. The agent asks them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/libconverge/agent-start.h"
#include "tools/agent-command.h"
#include "tools/notary-command.h"
#include "tools/tools.h"

#define START_TIMEOUT_MS 5000
#define MARGIN_MS        3000

static int request(const struct cvg_installation *installation,
                   const struct cvg_notary_trial *trial, json_t **ret_reply)
{
    json_t *command = json_pack("{s:s, s:s*, s:s*}", "command", "notary-test", "name", trial->name,
                                "target", trial->target);

    if (trial->fresh)
        json_object_set_new(command, "fresh", json_true());
    return cvg_installation_ask(installation, command, installation->config.deadline_ms + MARGIN_MS,
                                ret_reply);
}

static int start(const struct cvg_installation *installation)
{
    struct cvg_why why = {""};

    if (cvg_agent_start(&installation->paths, START_TIMEOUT_MS, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "%s", why.text);
    return CVG_GO_ON;
}

static size_t count_answering(const json_t *notaries)
{
    const json_t *notary;
    size_t index, count = 0;

    json_array_foreach(notaries, index, notary)
        count += json_is_true(json_object_get(notary, "answered")) ? 1 : 0;
    return count;
}

int cvg_notary_count_answering(const struct cvg_installation *installation, size_t *ret_configured,
                               size_t *ret_answering)
{
    json_t *reply = NULL;
    const json_t *notaries;
    struct cvg_notary_trial trial = {.count = 1};
    int code = start(installation);

    if (code == CVG_GO_ON)
        code = request(installation, &trial, &reply);
    if (code != CVG_GO_ON)
        return code;
    notaries = json_object_get(reply, "notaries");
    *ret_configured = json_array_size(notaries);
    *ret_answering = count_answering(notaries);
    json_decref(reply);
    return CVG_GO_ON;
}

static void print_phase(const char *name, const json_t *timing, const char *member)
{
    printf("%s %.1f ms", name, (double)cvg_reply_number(timing, member) / 1000);
}

/* Where the time went, and how far its clock is from ours. */
static void print_details(const json_t *notary)
{
    const json_t *timing = json_object_get(notary, "timing");
    const json_t *offset = json_object_get(notary, "clock_offset_s");

    if (timing != NULL) {
        printf("  (");
        if (json_is_true(json_object_get(timing, "kept")))
            printf("kept connection");
        else {
            print_phase("name", timing, "name_us");
            print_phase(", connect", timing, "connect_us");
            print_phase(", TLS", timing, "tls_us");
        }
        print_phase(", answer", timing, "answer_us");
        putchar(')');
    }
    if (json_is_integer(offset) && json_integer_value(offset) != 0)
        printf("  clock %+lld s", (long long)json_integer_value(offset));
}

static void print_times(const json_t *notary)
{
    const json_t *tries = json_object_get(notary, "tries");

    if (tries == NULL) {
        printf("%6lld ms  ", cvg_reply_number(notary, "elapsed_ms"));
        return;
    }
    printf("%lld of %lld  ", cvg_reply_number(notary, "answers"),
           cvg_reply_number(notary, "tries"));
    if (cvg_reply_number(notary, "answers") > 0)
        printf("min %lld, median %lld, max %lld ms  ", cvg_reply_number(notary, "min_ms"),
               cvg_reply_number(notary, "median_ms"), cvg_reply_number(notary, "max_ms"));
}

static void print_notary(const json_t *notary)
{
    bool answered = json_is_true(json_object_get(notary, "answered"));

    cvg_output_word(CVG_PAINT_NONE, 16, cvg_reply_text(notary, "name"));
    putchar(' ');
    cvg_output_word(answered ? CVG_PAINT_GOOD : CVG_PAINT_BAD, 8, answered ? "answers" : "silent");
    print_times(notary);
    cvg_output_word(CVG_PAINT_NONE, 0, cvg_reply_text(notary, "host"));
    print_details(notary);
    if (!answered) {
        const char *message = cvg_reply_text(notary, "message");

        printf("  ");
        cvg_output_word(CVG_PAINT_BAD, 0,
                        message[0] != '\0' ? message : cvg_reply_text(notary, "error"));
    }
    putchar('\n');
}

static int by_time(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return (x > y) - (x < y);
}

static const json_t *find(const json_t *reply, const char *name)
{
    const json_t *notary;
    size_t index;

    json_array_foreach(json_object_get(reply, "notaries"), index, notary)
        if (strcmp(cvg_reply_text(notary, "name"), name) == 0)
            return notary;
    return NULL;
}

static void copy_text(json_t *to, const json_t *from, const char *member)
{
    json_object_set_new(to, member, json_string(cvg_reply_text(from, member)));
}

/* What one notary's tries were, put into its last reply. It answers if it did each time; else the
 * last fault is told. */
static void sum_up(json_t *notary, json_t *const *replies, unsigned count)
{
    long long times[CVG_NOTARY_TRIES_MAX];
    size_t answers = 0;

    for (unsigned i = 0; i < count; i++) {
        const json_t *one = find(replies[i], cvg_reply_text(notary, "name"));

        if (json_is_true(json_object_get(one, "answered"))) {
            times[answers++] = cvg_reply_number(one, "elapsed_ms");
            continue;
        }
        copy_text(notary, one, "error");
        copy_text(notary, one, "message");
    }
    qsort(times, answers, sizeof times[0], by_time);
    json_object_set_new(notary, "tries", json_integer(count));
    json_object_set_new(notary, "answers", json_integer((json_int_t)answers));
    json_object_set_new(notary, "answered", json_boolean(answers == count));
    if (answers == 0)
        return;
    json_object_set_new(notary, "min_ms", json_integer(times[0]));
    json_object_set_new(notary, "median_ms", json_integer(times[answers / 2]));
    json_object_set_new(notary, "max_ms", json_integer(times[answers - 1]));
}

/* One try after the other, so that they do not disturb each other. */
static int try_all(const struct cvg_installation *installation,
                   const struct cvg_notary_trial *trial, json_t **ret_reply)
{
    json_t *replies[CVG_NOTARY_TRIES_MAX] = {NULL};
    json_t *notary, *last = NULL;
    int code = start(installation);
    unsigned count = 0;
    size_t index;

    while (code == CVG_GO_ON && count < trial->count) {
        code = request(installation, trial, &replies[count]);
        count += code == CVG_GO_ON ? 1 : 0;
    }
    if (code == CVG_GO_ON)
        last = json_deep_copy(replies[count - 1]);
    if (code == CVG_GO_ON && trial->count > 1)
        json_array_foreach(json_object_get(last, "notaries"), index, notary)
            sum_up(notary, replies, count);
    for (unsigned i = 0; i < count; i++)
        json_decref(replies[i]);
    *ret_reply = last;
    return code;
}

int cvg_notary_test(const struct cvg_installation *installation,
                    const struct cvg_notary_trial *trial)
{
    json_t *reply = NULL;
    const json_t *notaries, *notary;
    size_t index;
    int code = try_all(installation, trial, &reply);

    if (code != CVG_GO_ON)
        return code;
    notaries = json_object_get(reply, "notaries");
    code = json_array_size(notaries) > 0 && count_answering(notaries) == json_array_size(notaries)
               ? CVG_EXIT_OK
               : CVG_EXIT_UNDECIDED;
    if (cvg_output_is_json())
        return cvg_output_json(reply, code);
    json_array_foreach(notaries, index, notary)
        print_notary(notary);
    if (json_array_size(notaries) == 0)
        puts("There is no notary: see `converge notary add --help`.");
    json_decref(reply);
    return code;
}
