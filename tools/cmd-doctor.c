/* SPDX-License-Identifier: MIT */
/* converge doctor: whether the protection is really there, for the machine or for one program. */
#include "tools/doctor.h"
#include "tools/tools.h"

static const char help[] =
    "Without a program: the agent, each notary and how far apart they stand, whether converge.so\n"
    "works with this OpenSSL and is enabled in openssl.cnf, whether libconverge-nss.so is at work "
    "in\n"
    "the NSS databases of the system and of yours (browser profiles, too), which well-known "
    "programs\n"
    "here are not covered, and what the configuration lets pass. Each finding is good, a note, a\n"
    "warning or bad, and comes with what to do about it.\n"
    "\n"
    "With a program: which TLS library it uses, and whether our module is loaded and at work in "
    "it.\n"
    "Programs it knows (curl, wget, git, openssl, w3m, python, node, ruby, php, perl) are made to\n"
    "connect to a server on this machine. With arguments of your own, that very command is run "
    "with\n"
    "its output thrown away, and each of its watched connections is refused. Browsers are not\n"
    "started: of programs over NSS the database they read is told, and tried with their NSS.\n"
    "None of this asks a notary about anything but whether it answers.\n"
    "\n"
    "Options:\n"
    "      --help           this text\n"
    "      --json           for programs\n"
    "      --quiet          only what is not good\n"
    "      --pid PID        a running process: its TLS libraries, our modules, what hinders them\n"
    "      --programs       every program on PATH, in /usr/libexec and /opt, by its TLS library\n"
    "      --section GROUP  only agent, notaries, modules, openssl.cnf, nss, programs,\n"
    "                       configuration or holes\n"
    "\n"
    "Exit codes, without a program: 0 nothing is wrong, 1 there is a warning (not enabled in\n"
    "openssl.cnf, a hole, a notary that is silent), 3 no agent, or fewer than two notaries "
    "answer,\n"
    "4 what should protect does not work: a module, the configuration, a browser's profile. With "
    "a\n"
    "program: 0 covered, 1 not covered, 3 cannot be told, 4 no such program.\n"
    "2 is wrong usage.\n";

static int run(const struct cvg_command *command, int argc, char **argv)
{
    struct cvg_doctor_options wanted = {.only = NULL};
    const char *pid = NULL;
    bool programs = false;
    const struct cvg_option options[] = {{"quiet", &wanted.quiet, NULL},
                                         {"section", NULL, &wanted.only},
                                         {"pid", NULL, &pid},
                                         {"programs", &programs, NULL},
                                         {NULL, NULL, NULL}};
    struct cvg_installation installation;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, true, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (wanted.only != NULL && !cvg_doctor_group_exists(wanted.only))
        return cvg_output_usage(command, "there is no section %s", wanted.only);
    if (pid != NULL && first < argc)
        return cvg_output_usage(command, "either --pid or a program");
    if (programs && (pid != NULL || first < argc))
        return cvg_output_usage(command, "either --programs, or one of them");
    if (programs)
        return cvg_doctor_scan(wanted.quiet);
    if (pid == NULL && first == argc)
        return cvg_doctor_machine(&wanted);
    code = cvg_installation_load(&installation);
    if (code == CVG_GO_ON && pid != NULL)
        return cvg_doctor_pid(&installation, pid);
    return code == CVG_GO_ON ? cvg_doctor_program(&installation, argc - first, argv + first) : code;
}

const struct cvg_command cvg_cmd_doctor = {
    .name = "doctor",
    .synopsis = "doctor [--json] [--quiet] [--section GROUP]\ndoctor [--json] [--quiet] "
                "--programs\ndoctor [--json] --pid PID\ndoctor "
                "[--json] -- PROGRAM [ARGUMENT]...",
    .summary = "See whether the protection is really there.",
    .help = help,
    .run = run,
};
