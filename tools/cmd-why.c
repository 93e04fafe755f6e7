/* SPDX-License-Identifier: MIT */
/* converge why: who said what about a host, from the agent's recent checks and its cache. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/libconverge/idn.h"
#include "tools/agent-command.h"
#include "tools/installation.h"
#include "tools/tools.h"

#define TIMEOUT_MS 3000

static const char help[] =
    "Shows the recent checks of the host and what the cache remembers of it, newest first. "
    "Without\n"
    "a port: of all its ports. You see what your own programs asked; root sees all.\n"
    "\n"
    "Options:\n"
    "      --help   this text\n"
    "      --json   the entries as the agent tells them (doc/commands.md)\n"
    "\n"
    "Exit codes: 0 the newest entry agrees or is exempt, 1 it disagrees, or nothing is known, 2\n"
    "wrong usage, 3 it is undecided, or no agent runs, 4 a local fault.\n";

static int code_of(const json_t *entries)
{
    const char *verdict = cvg_reply_text(json_array_get(entries, 0), "verdict");

    if (strcmp(verdict, "agree") == 0 || strcmp(verdict, "exempt") == 0)
        return CVG_EXIT_OK;
    if (strcmp(verdict, "undecided") == 0)
        return CVG_EXIT_UNDECIDED;
    return CVG_EXIT_REFUSED;
}

static enum cvg_paint paint_of(const char *word)
{
    if (strcmp(word, "agree") == 0 || strcmp(word, "yes") == 0)
        return CVG_PAINT_GOOD;
    if (strcmp(word, "disagree") == 0 || strcmp(word, "no") == 0)
        return CVG_PAINT_BAD;
    return CVG_PAINT_WARN;
}

/* What the notary's verifiers say besides. */
static void print_opinions(const json_t *opinions)
{
    static const char *const names[] = {"dane", "ct", "pins"};
    const char *before = "  (";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *word = cvg_reply_text(opinions, names[i]);

        if (word[0] == '\0')
            continue;
        printf("%s%s ", before, names[i]);
        cvg_output_word(paint_of(word), 0, word);
        before = ", ";
    }
    if (before[0] == ',')
        putchar(')');
}

/* A remembered vote has no time that would mean anything. */
static void print_vote(const json_t *vote, bool remembered)
{
    const char *answer = cvg_reply_text(vote, "answer");

    printf("    ");
    cvg_output_word(CVG_PAINT_NONE, 16, cvg_reply_text(vote, "notary"));
    putchar(' ');
    cvg_output_word(paint_of(answer), remembered ? 0 : 8, answer);
    if (!remembered)
        printf("%6lld ms", cvg_reply_number(vote, "elapsed_ms"));
    if (json_is_true(json_object_get(vote, "bounced")))
        printf("  relayed");
    if (cvg_reply_text(vote, "error")[0] != '\0') {
        printf("  ");
        cvg_output_word(CVG_PAINT_DIM, 0, cvg_reply_text(vote, "error"));
    }
    print_opinions(json_object_get(vote, "opinions"));
    putchar('\n');
}

static void print_head(const json_t *entry)
{
    time_t when = (time_t)cvg_reply_number(entry, "time_s");
    struct tm parts;
    char date[32] = "?";
    const char *verdict = cvg_reply_text(entry, "verdict");

    if (localtime_r(&when, &parts) != NULL)
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &parts);
    printf("%s  ", date);
    cvg_output_word(CVG_PAINT_NONE, 0, cvg_reply_text(entry, "host"));
    printf(":%lld  ", cvg_reply_number(entry, "port"));
    cvg_output_word(paint_of(verdict), 0, verdict);
    putchar('\n');
}

static void print_entry(const json_t *entry)
{
    const json_t *votes = json_object_get(entry, "votes");
    const json_t *vote;
    bool remembered = strcmp(cvg_reply_text(entry, "source"), "cache") == 0;
    size_t index;

    print_head(entry);
    if (remembered)
        cvg_output_field("remembered", "these notaries vouched for it at that time");
    else
        cvg_output_field("why", "%s -> %s: %s", cvg_reply_text(entry, "reason"),
                         cvg_reply_text(entry, "action"), cvg_reply_text(entry, "text"));
    if (cvg_reply_text(entry, "program")[0] != '\0')
        cvg_output_field("asked by", "%s (pid %lld, uid %lld)", cvg_reply_text(entry, "program"),
                         cvg_reply_number(entry, "pid"), cvg_reply_number(entry, "uid"));
    if (cvg_reply_text(entry, "sha256")[0] != '\0')
        cvg_output_field("certificate", "%s", cvg_reply_text(entry, "sha256"));
    json_array_foreach(votes, index, vote)
        print_vote(vote, remembered);
}

static int print_entries(json_t *reply, const struct cvg_endpoint *endpoint)
{
    const json_t *entries = json_object_get(reply, "entries");
    const json_t *entry;
    size_t index;
    int code = code_of(entries);

    if (cvg_output_is_json())
        return cvg_output_json(reply, code);
    if (json_array_size(entries) == 0)
        printf("Nothing is known about %s: no program of yours asked, or it is long ago.\n",
               endpoint->host);
    json_array_foreach(entries, index, entry)
        print_entry(entry);
    json_decref(reply);
    return code;
}

static json_t *make_command(const struct cvg_endpoint *endpoint, bool any_port)
{
    return json_pack("{s:s, s:s, s:i}", "command", "why", "host", endpoint->host, "port",
                     any_port ? 0 : (int)endpoint->port);
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const struct cvg_option options[] = {{NULL, NULL, NULL}};
    struct cvg_installation installation;
    struct cvg_endpoint endpoint;
    json_t *reply = NULL;
    bool any_port = false;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first != argc - 1)
        return cvg_output_usage(command, "it takes one HOST or HOST:PORT");
    code = cvg_operand_endpoint(command, argv[first], &endpoint, &any_port);
    if (code == CVG_GO_ON)
        code = cvg_installation_load(&installation);
    if (code == CVG_GO_ON)
        code = cvg_installation_ask(&installation, make_command(&endpoint, any_port), TIMEOUT_MS,
                                    &reply);
    return code == CVG_GO_ON ? print_entries(reply, &endpoint) : code;
}

const struct cvg_command cvg_cmd_why = {
    .name = "why",
    .synopsis = "why HOST[:PORT] [--json]",
    .summary = "Tell who said what about a host.",
    .help = help,
    .run = run,
};
