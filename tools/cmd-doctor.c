/* SPDX-License-Identifier: MIT */
/* converge doctor: whether the protection is really there, for the machine or for one program. */
#include "tools/doctor.h"
#include "tools/tools.h"

static const char help[] =
    "Without a program: the agent, the notaries, whether converge.so works with this OpenSSL, "
    "whether\n"
    "it is enabled in openssl.cnf, whether libconverge-nss.so is at work in the NSS databases of\n"
    "the system and of yours (browser profiles, too), and which well-known programs here are not\n"
    "covered, and why.\n"
    "\n"
    "With a program: which TLS library it uses, and whether our module is loaded and at work in "
    "it.\n"
    "Programs it knows (curl, wget, git, openssl, w3m, python, node, ruby, php, perl) are made to\n"
    "connect to a server on this machine. With arguments of your own, that very command is run "
    "with\n"
    "its output thrown away, and each of its watched connections is refused. Browsers are not\n"
    "started: of programs over NSS the database they read is told, and tried with their NSS.\n"
    "Neither asks a notary about anything but whether it answers.\n"
    "\n"
    "Options:\n"
    "      --help   this text\n"
    "      --json   for programs\n"
    "\n"
    "Exit codes, without a program: 0 all is well, 1 the module is not enabled in openssl.cnf\n"
    "(`converge run` works), 3 no agent, or fewer than two notaries answer, 4 a module does not\n"
    "work where it is enabled, or a browser can go round it. With a program: 0 covered, 1 not\n"
    "covered, 3 cannot be told, 4 no such program.\n"
    "2 is wrong usage.\n";

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const struct cvg_option options[] = {{NULL, NULL, NULL}};
    struct cvg_installation installation;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, true, options, &first);

    if (code == CVG_GO_ON)
        code = cvg_installation_load(&installation);
    if (code != CVG_GO_ON)
        return code;
    if (first < argc)
        return cvg_doctor_program(&installation, argc - first, argv + first);
    return cvg_doctor_machine(&installation);
}

const struct cvg_command cvg_cmd_doctor = {
    .name = "doctor",
    .synopsis = "doctor [--json] [-- PROGRAM [ARGUMENT]...]",
    .summary = "See whether the protection is really there.",
    .help = help,
    .run = run,
};
