/* SPDX-License-Identifier: MIT */
/* converge log: verdicts after the fact, a line each. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/history.h"
#include "tools/tools.h"

#define LINE_MAX_LEN 4096

static const char help[] =
    "Shows the verdicts that the agent remembers (history in converge.conf), oldest first. You "
    "see\n"
    "what your own programs asked; root sees all. Times are local.\n"
    "\n"
    "Options:\n"
    "      --since WHEN      not before: 1h, 2d, 1w, 2026-11-23 or 2026-11-23T10:00\n"
    "      --until WHEN      only before that\n"
    "      --host HOST       of this host only; also HOST:PORT\n"
    "      --program NAME    asked by this program only\n"
    "      --verdict VERDICT agree, disagree, undecided or exempt only\n"
    "      --refused         only what was refused, or in monitor mode would have been\n"
    "      --limit COUNT     only the newest so many\n"
    "      --help            this text\n"
    "      --json            one JSON object a line (doc/commands.md)\n"
    "\n"
    "Exit codes: 0 shown, 1 there is none of that kind, 2 wrong usage, 3 the agent was not there "
    "to\n"
    "the end, 4 a local fault.\n";

struct wanted {
    struct cvg_history_query query;
    struct cvg_entry_filter filter;
    size_t limit; /* 0: all */
    struct cvg_endpoint endpoint;
};

/* Entries wait in a file: who reads what is printed may take his time, the agent may not. */
struct spool {
    const struct wanted *wanted;
    FILE *file;
    size_t count;
    bool failed;
};

static bool keep(const struct cvg_entry *entry, const json_t *object, void *user)
{
    struct spool *spool = user;

    if (!cvg_entry_wanted(entry, &spool->wanted->filter))
        return true;
    spool->count++;
    spool->failed =
        json_dumpf(object, spool->file, JSON_COMPACT) != 0 || fputc('\n', spool->file) == EOF;
    return !spool->failed;
}

static bool print_line(const char *line, enum cvg_unreachable on_unreachable)
{
    char text[LINE_MAX_LEN];
    struct cvg_entry entry;
    json_t *object;

    if (cvg_output_is_json())
        return fputs(line, stdout) != EOF;
    object = json_loads(line, 0, NULL);
    if (!cvg_entry_read(object, &entry)) {
        json_decref(object);
        return false;
    }
    cvg_entry_line(&entry, CVG_WHEN_DATE, on_unreachable, cvg_output_in_colour(), text,
                   sizeof text);
    json_decref(object);
    return puts(text) != EOF;
}

static int print_spool(const struct spool *spool)
{
    size_t skip = spool->wanted->limit != 0 && spool->count > spool->wanted->limit
                      ? spool->count - spool->wanted->limit
                      : 0;
    char *line = NULL;
    size_t size = 0;
    bool fine = !spool->failed && fseek(spool->file, 0, SEEK_SET) == 0;

    for (size_t i = 0; fine && i < spool->count; i++) {
        fine = getline(&line, &size, spool->file) > 0;
        if (fine && i >= skip)
            fine = print_line(line, spool->wanted->filter.on_unreachable);
    }
    free(line);
    if (!fine || fflush(stdout) != 0)
        return cvg_output_fail(CVG_EXIT_FAULT, "the entries could not be written out");
    return spool->count > 0 ? CVG_EXIT_OK : CVG_EXIT_REFUSED;
}

static int show(const struct cvg_installation *installation, const struct wanted *wanted)
{
    struct spool spool = {.wanted = wanted, .file = tmpfile()};
    int code, printed;

    if (spool.file == NULL)
        return cvg_output_fail(CVG_EXIT_FAULT, "cannot make a temporary file");
    code = cvg_history_read(installation, &wanted->query, keep, &spool);
    printed = code == CVG_GO_ON || spool.count > 0 ? print_spool(&spool) : code;
    fclose(spool.file);
    if (code != CVG_GO_ON)
        return code;
    if (printed == CVG_EXIT_REFUSED && !cvg_output_is_json())
        cvg_output_note("nothing of that kind is remembered");
    return printed;
}

static int read_host(const struct cvg_command *command, const char *host, struct wanted *wanted)
{
    bool any_port = true;
    int code;

    if (host == NULL)
        return CVG_GO_ON;
    code = cvg_operand_endpoint(command, host, &wanted->endpoint, &any_port);
    if (code != CVG_GO_ON)
        return code;
    wanted->filter.host = wanted->query.host = wanted->endpoint.host;
    wanted->filter.port = wanted->query.port = any_port ? 0 : wanted->endpoint.port;
    return CVG_GO_ON;
}

static int read_limit(const struct cvg_command *command, const char *text, size_t *ret_limit)
{
    char *end = NULL;
    unsigned long number;

    if (text == NULL)
        return CVG_GO_ON;
    number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number == 0)
        return cvg_output_usage(command, "--limit %s: a number from 1 is allowed", text);
    *ret_limit = number;
    return CVG_GO_ON;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const char *since = NULL, *until = NULL, *host = NULL, *verdict = NULL, *limit = NULL;
    struct wanted wanted = {.limit = 0};
    const struct cvg_option options[] = {
        {"since", NULL, &since},     {"until", NULL, &until},
        {"host", NULL, &host},       {"program", NULL, &wanted.filter.program},
        {"verdict", NULL, &verdict}, {"refused", &wanted.filter.refused, NULL},
        {"limit", NULL, &limit},     {NULL, NULL, NULL},
    };
    struct cvg_installation installation;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON && first < argc)
        code = cvg_output_usage(command, "it takes no operand; try --host %s", argv[first]);
    if (code == CVG_GO_ON && verdict != NULL && !cvg_verdict_find(verdict, &wanted.filter.verdict))
        code = cvg_output_usage(command, "there is no verdict %s", verdict);
    if (code == CVG_GO_ON)
        code = cvg_option_when(command, "--since", since, &wanted.query.since_s);
    if (code == CVG_GO_ON)
        code = cvg_option_when(command, "--until", until, &wanted.query.until_s);
    wanted.query.have_until = until != NULL;
    if (code == CVG_GO_ON)
        code = read_limit(command, limit, &wanted.limit);
    if (code == CVG_GO_ON)
        code = read_host(command, host, &wanted);
    if (code == CVG_GO_ON)
        code = cvg_installation_load(&installation);
    if (code != CVG_GO_ON)
        return code;
    wanted.filter.on_unreachable = installation.config.on_unreachable;
    return show(&installation, &wanted);
}

const struct cvg_command cvg_cmd_log = {
    .name = "log",
    .synopsis =
        "log [--since WHEN] [--until WHEN] [--host HOST[:PORT]] [OPTION]... [--json]",
    .summary = "Show past verdicts.",
    .help = help,
    .run = run,
};
