/* SPDX-License-Identifier: MIT */
/* converge cache: what the agent remembers, and how to make it forget. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/libconverge/idn.h"
#include "tools/agent-command.h"
#include "tools/installation.h"
#include "tools/tools.h"

#define TIMEOUT_MS 10000

static const char help[] =
    "  list     the endpoints whose certificates were verified, and by whom\n"
    "  forget   all about one host, or about one of its ports: the next visit asks the notaries\n"
    "  clear    everything\n"
    "You see and remove what your own programs asked; root sees and removes all.\n"
    "\n"
    "Options:\n"
    "      --help   this text\n"
    "      --json   for programs (doc/commands.md)\n"
    "\n"
    "Exit codes: 0 done, 1 there was nothing to forget, 2 wrong usage, 3 no agent runs,\n"
    "4 a local fault.\n";

static void print_record(const json_t *record)
{
    time_t when = (time_t)cvg_reply_number(record, "verified_s");
    const json_t *voters = json_object_get(record, "voters");
    const json_t *voter;
    struct tm parts;
    char date[32] = "?", target[CVG_ENDPOINT_TEXT_MAX];
    size_t index;

    if (localtime_r(&when, &parts) != NULL)
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &parts);
    snprintf(target, sizeof target, "%s:%lld", cvg_reply_text(record, "host"),
             cvg_reply_number(record, "port"));
    cvg_output_word(CVG_PAINT_NONE, 40, target);
    printf(" %s ", date);
    json_array_foreach(voters, index, voter) {
        putchar(' ');
        cvg_output_word(CVG_PAINT_NONE, 0, json_string_value(voter));
    }
    putchar('\n');
}

/* Replies come in pieces; for JSON they are put together. */
static bool take_records(const json_t *reply, void *user)
{
    const json_t *records = json_object_get(reply, "records");
    json_t *all = user;
    json_t *record;
    size_t index;

    json_array_foreach(records, index, record) {
        if (cvg_output_is_json())
            json_array_append(all, record);
        else
            print_record(record);
    }
    return true;
}

static int list(const struct cvg_installation *installation)
{
    struct cvg_why why = {""};
    json_t *all = json_array();
    enum cvg_error err =
        cvg_agent_command(&installation->paths, json_pack("{s:s}", "command", "cache-list"),
                          TIMEOUT_MS, take_records, all, &why);

    if (err == CVG_OK && cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:o}", "ok", 1, "records", all), CVG_EXIT_OK);
    json_decref(all);
    return err == CVG_OK ? CVG_EXIT_OK : cvg_installation_fault(installation, err, &why);
}

static int forget(const struct cvg_installation *installation, json_t *command)
{
    json_t *reply = NULL;
    long long count;
    int code = cvg_installation_ask(installation, command, TIMEOUT_MS, &reply);

    if (code != CVG_GO_ON)
        return code;
    count = cvg_reply_number(reply, "forgotten");
    code = count > 0 ? CVG_EXIT_OK : CVG_EXIT_REFUSED;
    if (cvg_output_is_json())
        return cvg_output_json(reply, code);
    printf("%lld %s forgotten\n", count, count == 1 ? "record" : "records");
    json_decref(reply);
    return code;
}

static int forget_host(const struct cvg_command *command,
                       const struct cvg_installation *installation, const char *operand)
{
    struct cvg_endpoint endpoint;
    bool any_port = false;
    int code = cvg_operand_endpoint(command, operand, &endpoint, &any_port);

    if (code != CVG_GO_ON)
        return code;
    return forget(installation,
                  json_pack("{s:s, s:s, s:i}", "command", "cache-forget", "host", endpoint.host,
                            "port", any_port ? 0 : (int)endpoint.port));
}

static int clear(const struct cvg_installation *installation)
{
    int code = forget(installation, json_pack("{s:s}", "command", "cache-clear"));

    return code == CVG_EXIT_REFUSED ? CVG_EXIT_OK : code; /* an empty cache is what was wanted */
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const struct cvg_option options[] = {{NULL, NULL, NULL}};
    struct cvg_installation installation;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);
    const char *verb;

    if (code != CVG_GO_ON)
        return code;
    verb = first < argc ? argv[first] : "";
    code = cvg_installation_load(&installation);
    if (code != CVG_GO_ON)
        return code;
    if (strcmp(verb, "list") == 0 && first == argc - 1)
        return list(&installation);
    if (strcmp(verb, "clear") == 0 && first == argc - 1)
        return clear(&installation);
    if (strcmp(verb, "forget") == 0 && first == argc - 2)
        return forget_host(command, &installation, argv[first + 1]);
    return cvg_output_usage(command, "list, forget HOST[:PORT] or clear?");
}

const struct cvg_command cvg_cmd_cache = {
    .name = "cache",
    .synopsis = "cache list [--json]\ncache forget HOST[:PORT]\ncache clear",
    .summary = "List or forget what the agent remembers.",
    .help = help,
    .run = run,
};
