/* SPDX-License-Identifier: MIT */
/* converge notary test: which notaries answer, and how fast. The agent asks them. */
#include <stdio.h>
#include <string.h>

#include "common/libconverge/agent-start.h"
#include "tools/agent-command.h"
#include "tools/notary-command.h"
#include "tools/tools.h"

#define START_TIMEOUT_MS 5000
#define MARGIN_MS        3000

static int request(const struct cvg_installation *installation, const char *name,
                   const char *target, json_t **ret_reply)
{
    struct cvg_why why = {""};
    json_t *command;

    if (cvg_agent_start(&installation->paths, START_TIMEOUT_MS, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "%s", why.text);
    command =
        json_pack("{s:s, s:s*, s:s*}", "command", "notary-test", "name", name, "target", target);
    return cvg_installation_ask(installation, command, installation->config.deadline_ms + MARGIN_MS,
                                ret_reply);
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
    int code = request(installation, NULL, NULL, &reply);

    if (code != CVG_GO_ON)
        return code;
    notaries = json_object_get(reply, "notaries");
    *ret_configured = json_array_size(notaries);
    *ret_answering = count_answering(notaries);
    json_decref(reply);
    return CVG_GO_ON;
}

static void print_notary(const json_t *notary)
{
    bool answered = json_is_true(json_object_get(notary, "answered"));

    cvg_output_word(CVG_PAINT_NONE, 16, cvg_reply_text(notary, "name"));
    putchar(' ');
    cvg_output_word(answered ? CVG_PAINT_GOOD : CVG_PAINT_BAD, 8, answered ? "answers" : "silent");
    printf("%6lld ms  ", cvg_reply_number(notary, "elapsed_ms"));
    cvg_output_word(CVG_PAINT_NONE, 0, cvg_reply_text(notary, "host"));
    if (!answered) {
        const char *message = cvg_reply_text(notary, "message");

        printf("  ");
        cvg_output_word(CVG_PAINT_BAD, 0,
                        message[0] != '\0' ? message : cvg_reply_text(notary, "error"));
    }
    putchar('\n');
}

int cvg_notary_test(const struct cvg_installation *installation, const char *name,
                    const char *target)
{
    json_t *reply = NULL;
    const json_t *notaries, *notary;
    size_t index;
    int code = request(installation, name, target, &reply);

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
