/* SPDX-License-Identifier: MIT */
/* converge disable: takes exactly what enable added out again. */
#include "tools/targets.h"

static const char help[] =
    "Removes the marked lines that `converge enable openssl` added, and nothing else: the file is\n"
    "what it was, with whatever others changed since. Doing it again changes nothing.\n"
    "\n"
    "Options:\n"
    "      --file FILE   this openssl.cnf instead of the system's\n"
    "      --help        this text\n"
    "      --json        for programs\n"
    "\n"
    "Exit codes: 0 disabled, also if it was not enabled; 2 wrong usage; 4 the file is at fault.\n";

static int run(const struct cvg_command *command, int argc, char **argv)
{
    struct cvg_target_options given = {.file = NULL};
    const struct cvg_option options[] = {{"file", NULL, &given.file}, {NULL, NULL, NULL}};
    const struct cvg_target *target = NULL;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON)
        code = cvg_target_find(command, argc, argv, first, &target);
    if (code != CVG_GO_ON)
        return code;
    return target->disable(command, &given, argv + first + 1, argc - first - 1);
}

const struct cvg_command cvg_cmd_disable = {
    .name = "disable",
    .synopsis = "disable openssl [--file FILE]",
    .summary = "Undo what enable did.",
    .help = help,
    .run = run,
};
