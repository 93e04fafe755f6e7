/* SPDX-License-Identifier: MIT */
/* converge watch: verdicts as they happen, a line each, or on a terminal with keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/terminal.h"
#include "tools/tools.h"
#include "tools/watch.h"

#define LINE_MAX_LEN 4096

static const char help[] =
    "Shows every verdict from now on: when, what was done, the verdict, where, who asked, why, "
    "what\n"
    "each notary said, and how long it took. You see what your own programs ask; root sees all.\n"
    "\n"
    "On a terminal: space pauses, / filters (by host, program, verdict or reason), r shows "
    "refusals\n"
    "only, c shows all again, q quits. There it also waits for the next agent when one ends.\n"
    "\n"
    "Options:\n"
    "      --host HOST       of this host only; also HOST:PORT\n"
    "      --program NAME    asked by this program only\n"
    "      --verdict VERDICT agree, disagree, undecided or exempt only\n"
    "      --refused         only what is refused, or in monitor mode would be\n"
    "      --follow          when the agent ends, wait for the next\n"
    "      --plain           lines without keys, also on a terminal\n"
    "      --notify          nothing is shown, but refusals, and a captive portal, become\n"
    "                        notifications on the desktop: one for each host and minute\n"
    "      --help            this text\n"
    "      --json            one JSON object a line (doc/commands.md)\n"
    "\n"
    "Exit codes: 0 quit by q, 2 wrong usage, 3 no agent runs, or it ended, 4 a local fault.\n";

/* Flushed line by line: it may go to a pipe that somebody reads as it comes. */
static enum cvg_watch_go print_entry(void *user, const struct cvg_entry *entry,
                                     const json_t *object)
{
    const struct cvg_entry_filter *filter = user;
    char line[LINE_MAX_LEN];

    if (!cvg_entry_wanted(entry, filter))
        return CVG_WATCH_ON;
    if (cvg_output_is_json()) {
        if (json_dumpf(object, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
            return CVG_WATCH_FAILED;
    } else {
        cvg_entry_line(entry, CVG_WHEN_TIME, filter->on_unreachable, cvg_output_in_colour(), line,
                       sizeof line);
        puts(line);
    }
    return fflush(stdout) == 0 ? CVG_WATCH_ON : CVG_WATCH_FAILED;
}

static enum cvg_watch_go say_connected(void *user CVG_UNUSED, bool is_connected)
{
    if (!is_connected)
        cvg_output_note("no agent is running; waiting for one");
    return CVG_WATCH_ON;
}

static int read_filter(const struct cvg_command *command, const char *host, const char *verdict,
                       struct cvg_endpoint *ret_endpoint, struct cvg_entry_filter *filter)
{
    bool any_port = true;
    int code = CVG_GO_ON;

    if (verdict != NULL && !cvg_verdict_find(verdict, &filter->verdict))
        return cvg_output_usage(command, "there is no verdict %s", verdict);
    if (host == NULL)
        return CVG_GO_ON;
    code = cvg_operand_endpoint(command, host, ret_endpoint, &any_port);
    filter->host = ret_endpoint->host;
    filter->port = any_port ? 0 : ret_endpoint->port;
    return code;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const char *host = NULL, *verdict = NULL;
    bool follow = false, plain = false, notify = false;
    struct cvg_entry_filter filter = {.host = NULL};
    const struct cvg_option options[] = {
        {"host", NULL, &host},       {"program", NULL, &filter.program},
        {"verdict", NULL, &verdict}, {"refused", &filter.refused, NULL},
        {"follow", &follow, NULL},   {"plain", &plain, NULL},
        {"notify", &notify, NULL},   {NULL, NULL, NULL},
    };
    struct cvg_view view = {
        .user = &filter, .entry = print_entry, .connected = say_connected, .fd = {-1, -1}};
    struct cvg_installation installation;
    struct cvg_endpoint endpoint;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON && first < argc)
        code = cvg_output_usage(command, "it takes no operand");
    if (code == CVG_GO_ON)
        code = read_filter(command, host, verdict, &endpoint, &filter);
    if (code == CVG_GO_ON)
        code = cvg_installation_load(&installation);
    if (code != CVG_GO_ON)
        return code;
    filter.on_unreachable = installation.config.on_unreachable;
    if (notify)
        return cvg_watch_notify(&installation, &filter);
    if (!plain && !cvg_output_is_json() && cvg_terminal_is())
        return cvg_watch_screen(&installation, &filter);
    return cvg_watch(&installation, follow, &view);
}

const struct cvg_command cvg_cmd_watch = {
    .name = "watch",
    .synopsis = "watch [--host HOST[:PORT]] [--refused] [--follow] [OPTION]... [--json]",
    .summary = "Show verdicts as they happen.",
    .help = help,
    .run = run,
};
