/* SPDX-License-Identifier: MIT */
/* converge run: checks on for one command, nothing on the system touched. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/client/client.h"
#include "common/libconverge/agent-start.h"
#include "tools/application.h"
#include "tools/linkage.h"
#include "tools/program-conf.h"
#include "tools/tools.h"

#define START_TIMEOUT_MS  5000
#define EXIT_NOT_RUNNABLE 126
#define EXIT_NOT_FOUND    127

static const char help[] =
    "The command gets its own openssl.cnf (OPENSSL_CONF): the one in use, plus converge.so.\n"
    "Nothing else in its environment changes. The agent is started if it is not running.\n"
    "Programs that do not use OpenSSL 3 are not covered: see `converge doctor -- PROGRAM`. Those "
    "over\n"
    "NSS are told about: `converge enable nss` is for them.\n"
    "\n"
    "Options:\n"
    "      --help   this text\n"
    "      --json   report faults as JSON on standard output\n"
    "\n"
    "Exit codes: the command's own; 126 it cannot be executed, 127 there is none of that name;\n"
    "2 wrong usage, 4 no agent, no module or no usable configuration: the command is not run.\n";

/* What is not checked all the same, or is checked and yet not refused, is said. */
static void note_holes(const struct cvg_config *config, const char *program)
{
    if (cvg_client_off() && config->allow_off)
        cvg_output_note("CONVERGE=off is in the environment: connections are not checked");
    else if (cvg_client_off())
        cvg_output_note("CONVERGE=off is in the environment, but allow_off = no: connections are "
                        "checked all the same");
    else if (cvg_client_excluded(config, program))
        cvg_output_note("%s is on the list of excluded programs: its connections are not checked",
                        program);
    else if (config->mode == CVG_MODE_MONITOR)
        cvg_output_note("mode = monitor: verdicts are logged, and nothing is refused");
}

static enum cvg_error prepare(const char *program, char ret_conf[static CVG_PATH_MAX],
                              struct cvg_why *ret_why)
{
    struct cvg_config config;
    struct cvg_paths paths;
    enum cvg_error err = cvg_config_load(&config, &paths, ret_why);

    if (err == CVG_OK)
        err = cvg_agent_start(&paths, START_TIMEOUT_MS, ret_why);
    if (err == CVG_OK)
        err = cvg_program_conf(&paths, ret_conf, ret_why);
    if (err == CVG_OK)
        note_holes(&config, basename(program));
    return err;
}

/* Only what can be told for sure and at once: a program that is covered must not notice. */
static void note_nss(const char *program)
{
    struct cvg_application application;
    char path[PATH_MAX];

    if (!cvg_linkage_program(program, path))
        return;
    cvg_application_find(path, &application);
    if (application.kind == CVG_APPLICATION_MOZILLA)
        cvg_output_note("%s brings an NSS of its own, which `run` does not reach: see `converge "
                        "enable nss --profiles`",
                        application.name);
    else if (cvg_linkage_names_nss(application.program))
        cvg_output_note("%s uses NSS, which `run` does not reach: see `converge enable nss`",
                        basename(application.program));
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const struct cvg_option options[] = {{NULL, NULL, NULL}};
    char conf[CVG_PATH_MAX];
    struct cvg_why why = {""};
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, true, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first >= argc)
        return cvg_output_usage(command, "which command?");
    if (prepare(argv[first], conf, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    note_nss(argv[first]);
    if (setenv("OPENSSL_CONF", conf, 1) != 0)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", strerror(errno));
    execvp(argv[first], argv + first);
    code = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE;
    cvg_output_fail(CVG_EXIT_FAULT, "%s: %s", argv[first], strerror(errno));
    return code;
}

const struct cvg_command cvg_cmd_run = {
    .name = "run",
    .synopsis = "run [--] COMMAND [ARGUMENT]...",
    .summary = "Run one command with its TLS connections checked.",
    .help = help,
    .run = run,
};
