/* SPDX-License-Identifier: MIT */
/* converge status: what the agent is doing, at a glance. */
#include <stdio.h>
#include <string.h>

#include "tools/agent-command.h"
#include "tools/installation.h"
#include "tools/tools.h"

#define TIMEOUT_MS 3000

static const char help[] =
    "Options:\n"
    "      --help   this text\n"
    "      --json   the agent's own account (doc/commands.md)\n"
    "\n"
    "Exit codes: 0 the agent runs and no notary is failing, 3 no agent, no notary, or one fails,\n"
    "2 wrong usage, 4 a local fault such as a configuration error.\n";

static void print_span(long long seconds, char *buf, size_t size)
{
    if (seconds < 120)
        snprintf(buf, size, "%lld s", seconds);
    else if (seconds < 7200)
        snprintf(buf, size, "%lld min", seconds / 60);
    else if (seconds < 172800)
        snprintf(buf, size, "%lld h", seconds / 3600);
    else
        snprintf(buf, size, "%lld days", seconds / 86400);
}

/* No more than there are can be asked. */
static void print_vote(const json_t *reply)
{
    long long quorum = cvg_reply_number(reply, "quorum");
    long long count = (long long)json_array_size(json_object_get(reply, "notaries"));

    cvg_output_field("vote", "%s of %lld%s, at least %lld, within %lld ms%s",
                     cvg_reply_text(reply, "threshold"), count < quorum ? count : quorum,
                     count < quorum ? " (all there are)" : "", cvg_reply_number(reply, "min_votes"),
                     cvg_reply_number(reply, "deadline_ms"),
                     json_is_true(json_object_get(reply, "bounce")) ? ", through a relay" : "");
}

static void print_agent(const json_t *reply)
{
    const char *mode = cvg_reply_text(reply, "mode");
    char span[32];

    print_span(cvg_reply_number(reply, "uptime_s"), span, sizeof span);
    cvg_output_field("agent", "running for %s (pid %lld, %s, version %s)", span,
                     cvg_reply_number(reply, "pid"), cvg_reply_text(reply, "kind"),
                     cvg_reply_text(reply, "version"));
    cvg_output_field("directory", "%s", cvg_reply_text(reply, "config_dir"));
    cvg_output_field("mode", "%s%s", mode,
                     strcmp(mode, cvg_mode_name(CVG_MODE_MONITOR)) == 0
                         ? " (nothing is refused: see `converge report`)"
                         : "");
    cvg_output_field("unreachable", "%s", cvg_reply_text(reply, "on_unreachable"));
    print_vote(reply);
    if (cvg_reply_text(reply, "config_error")[0] != '\0')
        cvg_output_field("WARNING", "the last reload failed: %s",
                         cvg_reply_text(reply, "config_error"));
}

static void print_counts(const json_t *reply)
{
    const json_t *cache = json_object_get(reply, "cache");
    const json_t *checks = json_object_get(reply, "checks");

    cvg_output_field("cache", "%lld records, %lld KiB%s", cvg_reply_number(cache, "records"),
                     (cvg_reply_number(cache, "octets") + 1023) / 1024,
                     json_is_false(json_object_get(cache, "writing")) ? ", NOT being written" : "");
    cvg_output_field("checks",
                     "%lld agree, %lld disagree, %lld undecided, %lld exempt, %lld cached",
                     cvg_reply_number(checks, "agree"), cvg_reply_number(checks, "disagree"),
                     cvg_reply_number(checks, "undecided"), cvg_reply_number(checks, "exempt"),
                     cvg_reply_number(checks, "cached"));
}

static void print_notary(const json_t *notary)
{
    const char *state = cvg_reply_text(notary, "state");
    bool ok = strcmp(state, "ok") == 0, failing = strcmp(state, "failing") == 0;
    const json_t *hosts = json_object_get(notary, "hosts");
    const char *host = json_string_value(json_array_get(hosts, 0));

    printf("    ");
    cvg_output_word(CVG_PAINT_NONE, 16, cvg_reply_text(notary, "name"));
    cvg_output_word(ok ? CVG_PAINT_GOOD : failing ? CVG_PAINT_BAD : CVG_PAINT_DIM, 10, state);
    if (ok)
        printf("%6lld ms  ", cvg_reply_number(notary, "last_ms"));
    else
        printf("%9s  ", "");
    cvg_output_word(CVG_PAINT_NONE, 0, host != NULL ? host : "");
    if (failing) {
        printf("  ");
        cvg_output_word(CVG_PAINT_BAD, 0, cvg_reply_text(notary, "last_error"));
    }
    putchar('\n');
}

/* No notary, or one that fails, is not a state to be silent about. */
static int code_of(const json_t *notaries)
{
    const json_t *notary;
    size_t index;
    int code = json_array_size(notaries) > 0 ? CVG_EXIT_OK : CVG_EXIT_UNDECIDED;

    json_array_foreach(notaries, index, notary)
        if (strcmp(cvg_reply_text(notary, "state"), "failing") == 0)
            code = CVG_EXIT_UNDECIDED;
    return code;
}

static int print_status(json_t *reply)
{
    const json_t *notaries = json_object_get(reply, "notaries");
    const json_t *notary;
    size_t index;
    int code = code_of(notaries);

    if (cvg_output_is_json())
        return cvg_output_json(reply, code);
    print_agent(reply);
    print_counts(reply);
    if (json_array_size(notaries) == 0)
        cvg_output_field("notaries", "none: see `converge notary add --help`");
    else
        puts("  notaries");
    json_array_foreach(notaries, index, notary)
        print_notary(notary);
    json_decref(reply);
    return code;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const struct cvg_option options[] = {{NULL, NULL, NULL}};
    struct cvg_installation installation;
    json_t *reply = NULL;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first < argc)
        return cvg_output_usage(command, "it takes no operand");
    code = cvg_installation_load(&installation);
    if (code == CVG_GO_ON)
        code = cvg_installation_ask(&installation, json_pack("{s:s}", "command", "status"),
                                    TIMEOUT_MS, &reply);
    return code == CVG_GO_ON ? print_status(reply) : code;
}

const struct cvg_command cvg_cmd_status = {
    .name = "status",
    .synopsis = "status [--json]",
    .summary = "Show the agent, its notaries, its cache and its counts.",
    .help = help,
    .run = run,
};
