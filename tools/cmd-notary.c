/* SPDX-License-Identifier: MIT */
/* converge notary: whom this installation trusts to look. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/notary-command.h"
#include "tools/tools.h"

static const char help[] =
    "  add      put notaries' bundles, files, https URLs or directories of *.notary files, into\n"
    "           notaries.d: shows each one's fingerprint, name, region and operator and asks; if "
    "one\n"
    "           is not valid or there already, none is added\n"
    "  list     the notaries of this installation; with an agent, when it last looked for an "
    "update\n"
    "           of each, and when one was taken\n"
    "  remove   take one away; verdicts it had voted for are asked anew\n"
    "  suggest  judge how far apart they stand, and which of the bundles given would add most\n"
    "  test     let the agent ask one or all of them, and show how long each takes\n"
    "  update   let the agent look for updates now, of one or all: what is signed by the keys "
    "that\n"
    "           are there, and of a higher serial, is taken\n"
    "\n"
    "Options:\n"
    "      --yes                  add: do not ask\n"
    "      --target HOST[:PORT]   test: what to ask about (default: nothing real)\n"
    "      --count N              test: ask each so often; tells the least, median and greatest "
    "time\n"
    "      --fresh                test: on new connections, to see how long they take\n"
    "      --help                 this text\n"
    "      --json                 for programs\n"
    "\n"
    "Exit codes: 0 done, all answer; 1 not added: there already, or you said no; no such notary; "
    "an\n"
    "update that was not taken; 2 wrong usage, 3 some do not answer, there is none, no agent, or "
    "the\n"
    "URL cannot be reached, 4 a bundle that is not valid, or another local fault.\n";

static int removed(const struct cvg_installation *installation, const char *name, size_t left)
{
    int code = cvg_installation_reload(installation);

    if (code != CVG_EXIT_OK)
        return code;
    if (left < 2)
        cvg_output_note("%zu left: with fewer than two there is no second opinion", left);
    if (cvg_output_is_json())
        return cvg_output_json(
            json_pack("{s:b, s:s, s:I}", "ok", 1, "removed", name, "left", (json_int_t)left),
            CVG_EXIT_OK);
    printf("removed: %s\n", name);
    return CVG_EXIT_OK;
}

int cvg_notary_remove(const struct cvg_installation *installation, const char *name)
{
    struct cvg_bundle_files files;
    struct cvg_why why = {""};
    int code = CVG_EXIT_REFUSED;

    if (cvg_bundle_files_load(&installation->paths, &files, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    for (size_t i = 0; i < files.count && code == CVG_EXIT_REFUSED; i++) {
        if (strcmp(files.bundle[i]->name, name) != 0)
            continue;
        if (unlink(files.path[i]) == 0)
            code = removed(installation, name, files.count - 1);
        else
            code = cvg_output_fail(CVG_EXIT_FAULT, "cannot remove %s: %s", files.path[i],
                                   strerror(errno));
    }
    cvg_bundle_files_free(&files);
    if (code == CVG_EXIT_REFUSED)
        return cvg_output_fail(CVG_EXIT_REFUSED, "there is no notary %s", name);
    return code;
}

/* A number of tries from the command line, or 0. */
static unsigned tries_of(const char *text)
{
    char *end = NULL;
    unsigned long count = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

    return end != NULL && *end == '\0' && count <= CVG_NOTARY_TRIES_MAX ? (unsigned)count : 0;
}

static int test(const struct cvg_command *command, const struct cvg_installation *installation,
                struct cvg_notary_trial *trial, const char *count)
{
    struct cvg_endpoint endpoint;
    char text[CVG_ENDPOINT_TEXT_MAX];
    bool any_port = false;
    int code;

    trial->count = count != NULL ? tries_of(count) : 1;
    if (trial->count == 0)
        return cvg_output_usage(command, "--count is a number from 1 to %d", CVG_NOTARY_TRIES_MAX);
    if (trial->target == NULL)
        return cvg_notary_test(installation, trial);
    code = cvg_operand_endpoint(command, trial->target, &endpoint, &any_port);
    if (code != CVG_GO_ON)
        return code;
    trial->target = cvg_endpoint_format(&endpoint, text, sizeof text);
    return cvg_notary_test(installation, trial);
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    bool assume_yes = false;
    const char *count = NULL;
    struct cvg_notary_trial trial = {.count = 1};
    const struct cvg_option options[] = {{"yes", &assume_yes, NULL},
                                         {"target", NULL, &trial.target},
                                         {"count", NULL, &count},
                                         {"fresh", &trial.fresh, NULL},
                                         {NULL, NULL, NULL}};
    struct cvg_installation installation;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);
    const char *verb, *operand;

    if (code != CVG_GO_ON)
        return code;
    verb = first < argc ? argv[first] : "";
    operand = first + 1 < argc ? argv[first + 1] : NULL;
    code = cvg_installation_load(&installation);
    if (code != CVG_GO_ON)
        return code;
    if (strcmp(verb, "add") == 0 && argc - first >= 2)
        return cvg_notary_add(&installation, argv + first + 1, (size_t)(argc - first - 1),
                              assume_yes);
    if (strcmp(verb, "list") == 0 && argc - first == 1)
        return cvg_notary_list(&installation);
    if (strcmp(verb, "remove") == 0 && argc - first == 2)
        return cvg_notary_remove(&installation, operand);
    if (strcmp(verb, "suggest") == 0)
        return cvg_notary_suggest(&installation, argv + first + 1, (size_t)(argc - first - 1));
    if (strcmp(verb, "update") == 0 && argc - first <= 2)
        return cvg_notary_update(&installation, operand);
    trial.name = operand;
    if (strcmp(verb, "test") == 0 && argc - first <= 2)
        return test(command, &installation, &trial, count);
    return cvg_output_usage(command,
                            "add FILE..., list, remove NAME, suggest [FILE]..., test [NAME] or update "
                            "[NAME]?");
}

const struct cvg_command cvg_cmd_notary = {
    .name = "notary",
    .synopsis =
        "notary add FILE|URL|DIRECTORY... [--yes] [--json]\nnotary list [--json]\nnotary remove NAME\n"
        "notary suggest [FILE|URL|DIRECTORY]... [--json]\n"
        "notary test [NAME] [--target HOST[:PORT]] [--count N] [--fresh]\nnotary update [NAME]",
    .summary = "Choose the notaries that look for you, and try them.",
    .help = help,
    .run = run,
};
