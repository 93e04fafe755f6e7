/* SPDX-License-Identifier: MIT */
/* converge report: what would have been refused, before anything is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/history.h"
#include "tools/mode-change.h"
#include "tools/tally.h"
#include "tools/tools.h"

static const char help[] =
    "Tells what `mode = augment` would have refused of all that the agent remembers, by host, and\n"
    "what to do about each: the look to take in monitor mode before `converge mode augment`. You "
    "see\n"
    "what your own programs asked; root sees all.\n"
    "\n"
    "Options:\n"
    "      --since WHEN  only from then on: 1h, 2d, 1w, 2026-11-23 or 2026-11-23T10:00\n"
    "      --mode MODE   what augment (the default) or replace would have done\n"
    "      --help        this text\n"
    "      --json        for programs\n"
    "\n"
    "Exit codes: 0 nothing would have been refused, 1 something would, 2 wrong usage, 3 the agent\n"
    "was not there to the end, 4 a local fault.\n";

/* What to do, where %s is the host. */
static const char *advice_for(enum cvg_cause cause)
{
    switch (cause) {
    case CVG_CAUSE_DISAGREE:
        return "The notaries see another certificate than you: somebody may be in between. Ask "
               "again from another network (converge check). If you know why, as for a proxy of "
               "your "
               "own that inspects TLS, add it to exempt_names.";
    case CVG_CAUSE_MANY:
        return "The site shows several certificates, each of which the notaries confirmed at other "
               "times. With `match = public-key` those with one key count as one; else add it to "
               "exempt_names.";
    case CVG_CAUSE_UNREACHABLE:
        return "Too few notaries answered in time, or they could not look (`converge log --host` "
               "shows each): try `converge notary test`, add notaries, or see `on_unreachable = "
               "known`; if it is a name inside, add it to exempt_names.";
    case CVG_CAUSE_UNSEEN:
        return "The notaries cannot reach this host, or see nothing there: if it is of a private "
               "network or a private PKI, add it to exempt_names.";
    case CVG_CAUSE_PORTAL:
        return "A captive portal was in the way: log in to the network first. There is nothing to "
               "change.";
    case CVG_CAUSE_NO_NOTARIES:
        return "No notary is configured: see `converge notary add --help`.";
    case CVG_CAUSE_BUDGET:
        return "More hosts were asked about in a minute than budget_per_minute allows: raise it.";
    case CVG_CAUSE_OTHER:
        break;
    }
    return "See `converge log --refused` for what happened there.";
}

/* What to do where something would have been refused; some of it is already, if the mode is in
 * force. */
static void warn(const struct cvg_tally *tally, const struct cvg_config *config, char *ret_text,
                 size_t size)
{
    const char *mode = cvg_mode_name(tally->mode);
    const char *off =
        config->allow_off ? " For a single command that is refused there is CONVERGE=off." : "";

    if (config->mode == tally->mode)
        snprintf(ret_text, size,
                 "`mode = %s` is in force, so these are refused: see to them, or `converge mode "
                 "monitor` meanwhile.%s",
                 mode, off);
    else
        snprintf(ret_text, size,
                 "It is not safe to switch yet: see to these first, then `converge mode %s`.%s",
                 mode, off);
}

/* The sentence at the end; *ret_safe: whether to switch now. */
static void conclude(const struct cvg_tally *tally, const struct cvg_config *config, char *ret_text,
                     size_t size, bool *ret_safe)
{
    const char *mode = cvg_mode_name(tally->mode);

    *ret_safe = tally->checks > 0 && tally->refused == 0;
    if (tally->checks == 0)
        snprintf(
            ret_text, size,
            "Nothing has been checked yet, which says nothing about what would be refused. Use "
            "your programs for some days in `converge mode monitor`, and look again.");
    else if (!*ret_safe)
        warn(tally, config, ret_text, size);
    else if (config->mode == tally->mode)
        snprintf(ret_text, size, "Nothing would have been refused; `mode = %s` is in force.", mode);
    else
        snprintf(ret_text, size,
                 "Nothing would have been refused: by this it is safe to switch, with `converge "
                 "mode %s`.",
                 mode);
}

static void date_of(int64_t time_s, char *ret_text, size_t size)
{
    time_t seconds = (time_t)time_s;
    struct tm parts;

    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(ret_text, size, "%Y-%m-%d %H:%M", &parts) == 0)
        snprintf(ret_text, size, "?");
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_programs(const struct cvg_tally_host *host)
{
    printf("  %-12s ", "programs");
    for (size_t i = 0; i < host->programs && i < CVG_TALLY_PROGRAMS; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        cvg_output_word(CVG_PAINT_NONE, 0, host->program[i] != NULL ? host->program[i] : "?");
    }
    puts(host->programs > CVG_TALLY_PROGRAMS ? ", and others" : "");
}

static void print_host(const struct cvg_tally_host *host)
{
    char first[32], last[32];

    date_of(host->first_s, first, sizeof first);
    date_of(host->last_s, last, sizeof last);
    cvg_output_word(CVG_PAINT_BAD, 0, host->host);
    printf(":%u\n", (unsigned)host->port);
    cvg_output_field("refused", "%" PRIu64 " of %" PRIu64 " check%s, %s%s%s", host->refused,
                     host->checks, plural(host->checks), first, host->refused > 1 ? " to " : "",
                     host->refused > 1 ? last : "");
    cvg_output_field("verdict", "%s (%s)", cvg_verdict_name(host->verdict), host->reason);
    print_programs(host);
    cvg_output_field("what to do", "%s", advice_for(cvg_tally_cause(host)));
}

static void print_summary(const struct cvg_tally *tally)
{
    char first[32], last[32], line[512];

    if (tally->checks == 0)
        return;
    date_of(tally->first_s, first, sizeof first);
    date_of(tally->last_s, last, sizeof last);
    snprintf(line, sizeof line,
             "%s to %s: %" PRIu64 " check%s of %zu host%s; mode = %s would have refused %" PRIu64
             ", at %zu host%s.",
             first, last, tally->checks, plural(tally->checks), tally->hosts, plural(tally->hosts),
             cvg_mode_name(tally->mode), tally->refused, tally->refused_hosts,
             plural(tally->refused_hosts));
    cvg_output_prose(line);
    if (tally->accepted_over_pki > 0)
        printf("It would have accepted %" PRIu64 " that PKI did not trust.\n",
               tally->accepted_over_pki);
    putchar('\n');
}

static json_t *json_of_host(const struct cvg_tally_host *host)
{
    json_t *programs = json_array();
    enum cvg_cause cause = cvg_tally_cause(host);

    for (size_t i = 0; i < host->programs && i < CVG_TALLY_PROGRAMS; i++)
        json_array_append_new(programs,
                              cvg_output_text(host->program[i] != NULL ? host->program[i] : "?"));
    return json_pack("{s:o, s:i, s:I, s:I, s:I, s:I, s:I, s:s, s:o, s:o, s:s, s:s}", "host",
                     cvg_output_text(host->host), "port", (int)host->port, "refused",
                     (json_int_t)host->refused, "checks", (json_int_t)host->checks, "agreed",
                     (json_int_t)host->agreed, "first_s", (json_int_t)host->first_s, "last_s",
                     (json_int_t)host->last_s, "verdict", cvg_verdict_name(host->verdict), "reason",
                     cvg_output_text(host->reason), "programs", programs, "cause",
                     cvg_cause_word(cause), "advice", advice_for(cause));
}

static json_t *json_of(const struct cvg_tally *tally, const char *conclusion, bool safe)
{
    json_t *hosts = json_array();

    for (size_t i = 0; i < tally->refused_hosts; i++)
        json_array_append_new(hosts, json_of_host(&tally->host[i]));
    return json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:o}", "ok", 1, "mode",
                     cvg_mode_name(tally->mode), "checks", (json_int_t)tally->checks, "hosts_seen",
                     (json_int_t)tally->hosts, "refused", (json_int_t)tally->refused,
                     "accepted_over_pki", (json_int_t)tally->accepted_over_pki, "first_s",
                     (json_int_t)tally->first_s, "last_s", (json_int_t)tally->last_s, "safe",
                     (int)safe, "conclusion", conclusion, "hosts", hosts);
}

static int print_report(struct cvg_tally *tally, const struct cvg_config *config)
{
    int code = tally->refused > 0 ? CVG_EXIT_REFUSED : CVG_EXIT_OK;
    char conclusion[512];
    bool safe = false;

    cvg_tally_sort(tally);
    conclude(tally, config, conclusion, sizeof conclusion, &safe);
    if (cvg_output_is_json())
        return cvg_output_json(json_of(tally, conclusion, safe), code);
    print_summary(tally);
    for (size_t i = 0; i < tally->refused_hosts; i++) {
        print_host(&tally->host[i]);
        putchar('\n');
    }
    cvg_output_prose(conclusion);
    return code;
}

struct counting {
    struct cvg_tally tally;
    bool failed;
};

static bool count(const struct cvg_entry *entry, const json_t *object CVG_UNUSED, void *user)
{
    struct counting *counting = user;

    counting->failed = !cvg_tally_add(&counting->tally, entry);
    return !counting->failed;
}

static int report(const struct cvg_installation *installation,
                  const struct cvg_history_query *query, enum cvg_mode mode)
{
    struct counting counting = {.failed = false};
    int code;

    cvg_tally_init(&counting.tally, mode, installation->config.on_unreachable);
    code = cvg_history_read(installation, query, count, &counting);
    if (code == CVG_GO_ON && counting.failed)
        code = cvg_output_fail(CVG_EXIT_FAULT, "out of memory");
    if (code == CVG_GO_ON)
        code = print_report(&counting.tally, &installation->config);
    cvg_tally_free(&counting.tally);
    return code;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const char *since = NULL, *mode_name = "augment";
    const struct cvg_option options[] = {
        {"since", NULL, &since}, {"mode", NULL, &mode_name}, {NULL, NULL, NULL}};
    struct cvg_installation installation;
    struct cvg_history_query query = {.since_s = 0};
    enum cvg_mode mode = CVG_MODE_MONITOR;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON && first < argc)
        code = cvg_output_usage(command, "it takes no operand");
    if (code == CVG_GO_ON && (!cvg_mode_find(mode_name, &mode) || mode == CVG_MODE_MONITOR))
        code = cvg_output_usage(command, "--mode %s: augment or replace is allowed", mode_name);
    if (code == CVG_GO_ON)
        code = cvg_option_when(command, "--since", since, &query.since_s);
    if (code == CVG_GO_ON)
        code = cvg_installation_load(&installation);
    return code == CVG_GO_ON ? report(&installation, &query, mode) : code;
}

const struct cvg_command cvg_cmd_report = {
    .name = "report",
    .synopsis = "report [--since WHEN] [--mode augment | replace] [--json]",
    .summary = "Tell what would have been refused.",
    .help = help,
    .run = run,
};
