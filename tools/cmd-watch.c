/* SPDX-License-Identifier: MIT */
/* converge watch: verdicts as they happen, a line each. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/agent-command.h"
#include "tools/installation.h"
#include "tools/tools.h"

static const char help[] =
    "Shows every verdict from now on, until it is interrupted or the agent ends. You see what "
    "your\n"
    "own programs ask; root sees all.\n"
    "\n"
    "Options:\n"
    "      --help   this text\n"
    "      --json   one JSON object a line (doc/commands.md)\n"
    "\n"
    "Exit codes: 2 wrong usage, 3 no agent runs, or it ended, 4 a local fault.\n";

static enum cvg_paint paint_of(const char *action)
{
    return strcmp(action, "refuse") == 0   ? CVG_PAINT_BAD
           : strcmp(action, "accept") == 0 ? CVG_PAINT_GOOD
                                           : CVG_PAINT_NONE;
}

static void print_entry(const json_t *entry)
{
    time_t when = (time_t)cvg_reply_number(entry, "time_s");
    const json_t *votes = json_object_get(entry, "votes");
    const json_t *vote;
    char date[32] = "?", target[512];
    struct tm parts;
    size_t index;

    if (localtime_r(&when, &parts) != NULL)
        strftime(date, sizeof date, "%H:%M:%S", &parts);
    snprintf(target, sizeof target, "%s:%lld", cvg_reply_text(entry, "host"),
             cvg_reply_number(entry, "port"));
    printf("%s  ", date);
    cvg_output_word(paint_of(cvg_reply_text(entry, "action")), 10, cvg_reply_text(entry, "action"));
    cvg_output_word(CVG_PAINT_NONE, 10, cvg_reply_text(entry, "verdict"));
    cvg_output_word(CVG_PAINT_NONE, 0, target);
    printf("  ");
    cvg_output_word(CVG_PAINT_NONE, 0, cvg_reply_text(entry, "program"));
    printf("(%lld)  ", cvg_reply_number(entry, "pid"));
    cvg_output_word(CVG_PAINT_DIM, 0, cvg_reply_text(entry, "reason"));
    json_array_foreach(votes, index, vote) {
        snprintf(target, sizeof target, " %s:%s", cvg_reply_text(vote, "notary"),
                 cvg_reply_text(vote, "answer"));
        cvg_output_word(CVG_PAINT_NONE, 0, target);
    }
    putchar('\n');
}

/* Flushed line by line: it may go to a pipe that somebody reads as it comes. */
static bool take_entry(const json_t *reply, void *user)
{
    const json_t *entry = json_object_get(reply, "entry");

    (void)user;
    if (!json_is_object(entry))
        return true;
    if (!cvg_output_is_json())
        print_entry(entry);
    else if (json_dumpf(entry, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        return false;
    return fflush(stdout) == 0;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const struct cvg_option options[] = {{NULL, NULL, NULL}};
    struct cvg_installation installation;
    struct cvg_why why = {""};
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);
    enum cvg_error err;

    if (code != CVG_GO_ON)
        return code;
    if (first < argc)
        return cvg_output_usage(command, "it takes no operand");
    code = cvg_installation_load(&installation);
    if (code != CVG_GO_ON)
        return code;
    err = cvg_agent_command(&installation.paths, json_pack("{s:s}", "command", "watch"), UINT_MAX,
                            take_entry, NULL, &why);
    if (err == CVG_OK || err == CVG_ERR_PROTOCOL)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "the agent ended");
    return cvg_installation_fault(&installation, err, &why);
}

const struct cvg_command cvg_cmd_watch = {
    .name = "watch",
    .synopsis = "watch [--json]",
    .summary = "Show verdicts as they happen.",
    .help = help,
    .run = run,
};
