/* SPDX-License-Identifier: MIT */
/* converge disable: takes exactly what enable added out again. */
#include "tools/rehearsal.h"
#include "tools/targets.h"

static const char help[] =
    "Removes what `converge enable` added, and nothing else: the files are what they were, with\n"
    "whatever others changed since. Doing it again changes nothing. Neither agent, module nor\n"
    "converge.conf is needed. The agent's socket unit, where `enable` switched it on, is switched "
    "off\n"
    "with the last that was enabled.\n"
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
    "      --user         for the calling user alone, without root: openssl (the default) through\n"
    "                     OPENSSL_CONF, nss as --profiles\n"
    "      --dry-run      tell what would be written and run, as a diff; change nothing\n"
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
        {"dry-run", &given.dry_run, NULL},
        {"user", &given.user, NULL},
        {NULL, NULL, NULL},
    };
    const struct cvg_target *target = NULL;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON)
        code = cvg_target_find(command, argc, argv, &first, &given, &target);
    if (code != CVG_GO_ON)
        return code;
    if (given.dry_run)
        cvg_rehearsal_begin();
    return target->disable(command, &given, argv + first, argc - first);
}

const struct cvg_command cvg_cmd_disable = {
    .name = "disable",
    .synopsis = "disable openssl [--file FILE] [--dry-run]\n"
                "disable [openssl | nss] --user [--dry-run]\n"
                "disable nss DBDIR | --profiles | --firefox | --thunderbird [--dry-run]",
    .summary = "Undo what enable did.",
    .help = help,
    .run = run,
};
