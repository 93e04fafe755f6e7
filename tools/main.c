/* SPDX-License-Identifier: MIT */
/* converge: the table of its commands, and nothing else. */
#include "config.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "tools/canary.h"
#include "tools/tools.h"

/* In the order and under the titles of --help. */
static const struct {
    const char *title;
    const struct cvg_command *command[8];
} groups[] = {
    {"One command, one host", {&cvg_cmd_run, &cvg_cmd_check, &cvg_cmd_why}},
    {"What happens, and what did",
     {&cvg_cmd_watch, &cvg_cmd_log, &cvg_cmd_report, &cvg_cmd_status}},
    {"For every program", {&cvg_cmd_enable, &cvg_cmd_disable, &cvg_cmd_mode, &cvg_cmd_doctor}},
    {"What it rests on", {&cvg_cmd_notary, &cvg_cmd_cache}},
};
#define GROUPS_COUNT (sizeof groups / sizeof groups[0])

static const char exit_codes[] =
    "Exit codes: 0 agreed or done, 1 refused, 2 wrong usage, 3 undecided or unreachable,\n"
    "4 a local fault. Every command takes --help and --json.\n";

static const struct cvg_command *find(const char *name)
{
    for (size_t i = 0; i < GROUPS_COUNT; i++)
        for (const struct cvg_command *const *at = groups[i].command; *at != NULL; at++)
            if (strcmp((*at)->name, name) == 0)
                return *at;
    return NULL;
}

static void print_help(FILE *out)
{
    fputs("Usage: converge COMMAND [OPTION]...\n"
          "Independent notaries watch over your TLS connections.\n",
          out);
    for (size_t i = 0; i < GROUPS_COUNT; i++) {
        fprintf(out, "\n%s:\n", groups[i].title);
        for (const struct cvg_command *const *at = groups[i].command; *at != NULL; at++)
            fprintf(out, "  %-8s %s\n", (*at)->name, (*at)->summary);
    }
    fprintf(out, "\nTry: converge COMMAND --help, converge --version\n%s", exit_codes);
}

static int without_command(const char *word)
{
    if (word != NULL &&
        (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)) {
        print_help(stdout);
        return CVG_EXIT_OK;
    }
    if (word != NULL && strcmp(word, "--version") == 0) {
        printf("converge %s\n", PACKAGE_VERSION);
        return CVG_EXIT_OK;
    }
    if (word != NULL)
        return cvg_output_fail(CVG_EXIT_USAGE, "there is no command %s; try: converge --help",
                               word);
    print_help(stderr);
    return CVG_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const struct cvg_command *command = argc > 1 ? find(argv[1]) : NULL;

    if (argc > 2 && strcmp(argv[1], "help") == 0 && (command = find(argv[2])) != NULL) {
        cvg_output_help(command);
        return CVG_EXIT_OK;
    }
    /* Not for people: the process that `enable` and `doctor` look at. It loads the configuration.
     */
    if (argc == 2 && strcmp(argv[1], "canary") == 0)
        return cvg_canary_main();
    /* From here on TLS is looked at with our own eyes: no configured provider takes part. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (argc == 4 && strcmp(argv[1], "canary") == 0)
        return cvg_canary_nss_main(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "canary") == 0)
        return cvg_canary_nss_create(argv[3], argv[4]);
    if (command == NULL)
        return without_command(argc > 1 ? argv[1] : NULL);
    cvg_output_begin(command->name);
    return command->run(command, argc - 1, argv + 1);
}
