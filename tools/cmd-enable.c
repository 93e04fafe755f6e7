/* SPDX-License-Identifier: MIT */
/* converge enable: the checks, for every program that reads a target's configuration. */
#include "tools/targets.h"

static const char help[] =
    "Adds marked lines at the end of openssl.cnf that make OpenSSL load converge.so, for programs\n"
    "that are started from then on. Providers, includes and sections that are there stay; the\n"
    "default provider is activated only if no provider is. Before anything is written, a process\n"
    "of its own shakes hands with the new file and shows that the module is at work. The file as\n"
    "it was is kept beside it (FILE.before-converge). Doing it again changes nothing.\n"
    "\n"
    "Options:\n"
    "      --file FILE   this openssl.cnf instead of the system's\n"
    "      --anyway      also if fewer than two notaries answer now\n"
    "      --help        this text\n"
    "      --json        for programs\n"
    "\n"
    "Exit codes: 0 enabled, also if it was already; 2 wrong usage; 3 fewer than two notaries\n"
    "answer, or no agent; 4 the file, the module or the canary is at fault: nothing was changed.\n";

static int run(const struct cvg_command *command, int argc, char **argv)
{
    struct cvg_target_options given = {.file = NULL};
    const struct cvg_option options[] = {{"file", NULL, &given.file},
                                         {"anyway", &given.anyway, NULL},
                                         {"create", &given.create, NULL},
                                         {NULL, NULL, NULL}};
    const struct cvg_target *target = NULL;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON)
        code = cvg_target_find(command, argc, argv, first, &target);
    if (code != CVG_GO_ON)
        return code;
    return target->enable(command, &given, argv + first + 1, argc - first - 1);
}

const struct cvg_command cvg_cmd_enable = {
    .name = "enable",
    .synopsis = "enable openssl [--file FILE] [--anyway]",
    .summary = "Check the connections of every program that uses OpenSSL 3.",
    .help = help,
    .run = run,
};
