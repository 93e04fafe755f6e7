/* SPDX-License-Identifier: MIT */
/* converge notary update: the agent looks for updates of the bundles now; whether one is good, its
 * signature decides. */
#include <stdio.h>
#include <string.h>

#include "common/libconverge/agent-start.h"
#include "tools/agent-command.h"
#include "tools/notary-command.h"
#include "tools/tools.h"

#define START_TIMEOUT_MS 5000
#define ONE_TIMEOUT_MS   21000 /* somewhat more than the agent's own for one location */

/* The agent looks at one after the other. */
static unsigned timeout_ms(const struct cvg_installation *installation)
{
    struct cvg_bundle_files files;
    unsigned count = CVG_BUNDLE_FILES_MAX;

    if (cvg_bundle_files_load(&installation->paths, &files, NULL) == CVG_OK) {
        count = (unsigned)files.count;
        cvg_bundle_files_free(&files);
    }
    return (count + 1) * ONE_TIMEOUT_MS;
}

static bool is(const json_t *notary, const char *result)
{
    return strcmp(cvg_reply_text(notary, "result"), result) == 0;
}

static void print_one(const json_t *notary)
{
    bool bad = is(notary, "failed") || is(notary, "not-taken") || is(notary, "older");

    cvg_output_word(CVG_PAINT_NONE, 16, cvg_reply_text(notary, "name"));
    putchar(' ');
    if (is(notary, "updated"))
        printf("updated to serial %lld", cvg_reply_number(notary, "serial"));
    else if (is(notary, "unchanged"))
        printf("unchanged, serial %lld", cvg_reply_number(notary, "serial"));
    else if (is(notary, "nowhere"))
        printf("nothing to update from");
    else
        cvg_output_word(CVG_PAINT_BAD, 0,
                        is(notary, "failed")  ? "not reached: "
                        : is(notary, "older") ? "older: "
                                              : "not taken: ");
    if (bad)
        cvg_output_word(CVG_PAINT_NONE, 0, cvg_reply_text(notary, "message"));
    putchar('\n');
}

/* What did not come is told by 3, what came and is no update by 1: somebody may have tampered. */
static int code_of(const json_t *notaries)
{
    const json_t *notary;
    size_t index;
    int code = CVG_EXIT_OK;

    json_array_foreach(notaries, index, notary) {
        if (is(notary, "not-taken") || is(notary, "older"))
            return CVG_EXIT_REFUSED;
        if (!is(notary, "updated") && !is(notary, "unchanged") && !is(notary, "nowhere"))
            code = CVG_EXIT_UNDECIDED;
    }
    return code;
}

int cvg_notary_update(const struct cvg_installation *installation, const char *name)
{
    struct cvg_why why = {""};
    json_t *reply = NULL;
    const json_t *notaries, *notary;
    size_t index;
    int code;

    if (cvg_agent_start(&installation->paths, START_TIMEOUT_MS, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "%s", why.text);
    code = cvg_installation_ask(installation,
                                json_pack("{s:s, s:s*}", "command", "notary-update", "name", name),
                                timeout_ms(installation), &reply);
    if (code != CVG_GO_ON)
        return code;
    notaries = json_object_get(reply, "notaries");
    code = code_of(notaries);
    if (cvg_output_is_json())
        return cvg_output_json(reply, code);
    json_array_foreach(notaries, index, notary)
        print_one(notary);
    if (json_array_size(notaries) == 0)
        puts("There is no notary: see `converge notary add --help`.");
    json_decref(reply);
    return code;
}
