/* SPDX-License-Identifier: MIT */
/* converge enable: the checks, for every program that reads a target's configuration. */
#include "tools/rehearsal.h"
#include "tools/targets.h"

static const char help[] =
    "openssl: adds marked lines at the end of openssl.cnf that make OpenSSL load converge.so.\n"
    "Providers, includes and sections that are there stay; the default provider is activated only\n"
    "if no provider is.\n"
    "\n"
    "nss: adds libconverge-nss.so to the list of modules of an NSS database, as `modutil -add` "
    "would\n"
    "(DBDIR is DIR or sql:DIR), of all that the calling user has, or to what the system tells all\n"
    "users' Firefox or Thunderbird (policies.json; what it says besides stays). HTTP/3 has TLS of "
    "its\n"
    "own and would go by unseen: --firefox and --thunderbird turn it off and lock it; in a "
    "profile\n"
    "alone it can only be turned off, and that is told as NOT PROTECTED.\n"
    "\n"
    "Both count for programs that are started from then on. Before anything is written, a process "
    "of\n"
    "its own shakes hands with the new file or list and shows that the module is at work. The file "
    "as\n"
    "it was is kept beside it (FILE.before-converge). Doing it again changes nothing. The agent's\n"
    "socket is switched on where systemd runs; where it does not, how to start the agent is told.\n"
    "\n"
    "Options:\n"
    "      --file FILE    openssl: this openssl.cnf instead of the system's\n"
    "      --create       nss: make the database if there is none\n"
    "      --profiles     nss: every Firefox and Thunderbird profile of the calling user, and the\n"
    "                     database that other programs share (~/.pki/nssdb)\n"
    "      --firefox      nss: Firefox for all users (for root)\n"
    "      --thunderbird  nss: Thunderbird for all users (for root)\n"
    "      --anyway       also if fewer than two notaries answer now; nss: also if no NSS is here "
    "to\n"
    "                     try the module with\n"
    "      --mode MODE    set the mode in the same step: monitor, augment or replace\n"
    "      --no-agent     leave the agent's socket unit as it is\n"
    "      --user         for the calling user alone, without root: openssl (the default) through\n"
    "                     OPENSSL_CONF, nss as --profiles\n"
    "      --dry-run      tell what would be written and run, as a diff; change nothing and ask\n"
    "                     no notary\n"
    "      --help         this text\n"
    "      --json         for programs\n"
    "\n"
    "Exit codes: 0 enabled, also if it was already; 1 done, but not everything is protected; 2 "
    "wrong\n"
    "usage; 3 fewer than two notaries answer, or no agent; 4 the file, the database, the module, "
    "the\n"
    "canary or the agent's unit is at fault: nothing was changed there. With --dry-run 0: it would "
    "be\n"
    "done, or is.\n";

static int run(const struct cvg_command *command, int argc, char **argv)
{
    struct cvg_target_options given = {.file = NULL};
    const struct cvg_option options[] = {
        {"file", NULL, &given.file},
        {"anyway", &given.anyway, NULL},
        {"create", &given.create, NULL},
        {"profiles", &given.profiles, NULL},
        {"firefox", &given.firefox, NULL},
        {"thunderbird", &given.thunderbird, NULL},
        {"mode", NULL, &given.mode},
        {"no-agent", &given.no_agent, NULL},
        {"dry-run", &given.dry_run, NULL},
        {"user", &given.user, NULL},
        {NULL, NULL, NULL},
    };
    const struct cvg_target *target = NULL;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code == CVG_GO_ON)
        code = cvg_target_find(command, argc, argv, &first, &given, &target);
    if (code == CVG_GO_ON)
        code = cvg_target_check_mode(command, &given);
    if (code != CVG_GO_ON)
        return code;
    if (given.dry_run)
        cvg_rehearsal_begin();
    return target->enable(command, &given, argv + first, argc - first);
}

const struct cvg_command cvg_cmd_enable = {
    .name = "enable",
    .synopsis = "enable openssl [--file FILE] [OPTION]...\n"
                "enable nss DBDIR [--create] [OPTION]...\n"
                "enable [openssl | nss] --user [OPTION]...\n"
                "enable nss --profiles [OPTION]...\n"
                "enable nss --firefox | --thunderbird [OPTION]...",
    .summary = "Check the connections of every program that uses OpenSSL 3, or NSS.",
    .help = help,
    .run = run,
};
