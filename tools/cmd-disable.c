/* SPDX-License-Identifier: MIT */
/* converge disable: takes exactly what enable added out again. */
#include "tools/targets.h"

static const char help[] =
    "Removes what `converge enable` added, and nothing else: the files are what they were, with\n"
    "whatever others changed since. Doing it again changes nothing. Neither agent nor module is\n"
    "needed.\n"
    "\n"
    "Firefox and Thunderbird write a module that they were told of for all users into every "
    "profile\n"
    "they are started with; there --profiles takes it out again, for the user who calls it.\n"
    "\n"
    "Options:\n"
    "      --file FILE    openssl: this openssl.cnf instead of the system's\n"
    "      --profiles     nss: every Firefox and Thunderbird profile of the calling user, and the\n"
    "                     database that other programs share (~/.pki/nssdb)\n"
    "      --firefox      nss: Firefox for all users (for root)\n"
    "      --thunderbird  nss: Thunderbird for all users (for root)\n"
    "      --help         this text\n"
    "      --json         for programs\n"
    "\n"
    "Exit codes: 0 disabled, also if it was not enabled; 2 wrong usage; 4 a file is at fault.\n";

static int run(const struct cvg_command *command, int argc, char **argv)
{
    struct cvg_target_options given = {.file = NULL};
    const struct cvg_option options[] = {
        {"file", NULL, &given.file},
        {"profiles", &given.profiles, NULL},
        {"firefox", &given.firefox, NULL},
        {"thunderbird", &given.thunderbird, NULL},
        {NULL, NULL, NULL},
    };
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
    .synopsis = "disable openssl [--file FILE]\n"
                "disable nss DBDIR | --profiles | --firefox | --thunderbird",
    .summary = "Undo what enable did.",
    .help = help,
    .run = run,
};
