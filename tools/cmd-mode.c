/* SPDX-License-Identifier: MIT */
/* converge mode: what a verdict does, shown or changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/mode-change.h"
#include "tools/tools.h"

static const char help[] =
    "Without a mode: shows the one in force. With one: puts it into the converge.conf in force,\n"
    "where nothing else changes, and has the agent read it.\n"
    "\n"
    "  monitor   verdicts are logged, and nothing is refused\n"
    "  augment   what PKI accepts is refused where the notaries do not see it\n"
    "  replace   besides, what PKI does not trust is accepted where the notaries see it\n"
    "\n"
    "Begin with monitor, look at `converge report`, then change to augment.\n"
    "\n"
    "Options:\n"
    "      --anyway   from monitor to another mode also if fewer than two notaries answer now\n"
    "      --help     this text\n"
    "      --json     for programs\n"
    "\n"
    "Exit codes: 0 shown or changed, also if it was already so; 2 wrong usage; 3 fewer than two\n"
    "notaries answer, or no agent: nothing was changed; 4 the configuration cannot be read, or "
    "may\n"
    "not be changed by you.\n";

static void say_next(enum cvg_mode mode)
{
    if (mode == CVG_MODE_MONITOR)
        puts("Next: `converge report` tells what would have been refused; then `converge mode "
             "augment`.");
}

/* A directory that the environment names and that does not count must not be wondered about. */
static void note_ignored(const struct cvg_installation *installation)
{
    const char *own = getenv("CONVERGE_CONFIG_DIR");

    if (own != NULL && own[0] != '\0' && installation->config.lock &&
        strcmp(own, installation->paths.config_dir) != 0)
        cvg_output_note("CONVERGE_CONFIG_DIR does not count: %s/converge.conf says lock = yes",
                        installation->paths.config_dir);
}

static int tell(const struct cvg_installation *installation, bool changed)
{
    const char *name = cvg_mode_name(installation->config.mode);

    note_ignored(installation);
    if (cvg_output_is_json())
        return cvg_output_json(
            json_pack("{s:b, s:s, s:o, s:b, s:b}", "ok", 1, "mode", name, "file",
                      json_sprintf("%s/converge.conf", installation->paths.config_dir), "changed",
                      (int)changed, "locked", (int)installation->config.lock),
            CVG_EXIT_OK);
    cvg_output_word(CVG_PAINT_NONE, 0, installation->paths.config_dir);
    printf("/converge.conf: mode = %s%s: %s.\n", name, changed ? " from now on" : "",
           cvg_mode_meaning(installation->config.mode));
    say_next(installation->config.mode);
    return CVG_EXIT_OK;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    bool anyway = false, changed = false;
    const struct cvg_option options[] = {{"anyway", &anyway, NULL}, {NULL, NULL, NULL}};
    struct cvg_installation installation;
    enum cvg_mode mode = CVG_MODE_AUGMENT;
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first < argc - 1)
        return cvg_output_usage(command, "it takes one mode");
    if (first < argc && !cvg_mode_find(argv[first], &mode))
        return cvg_output_usage(command, "there is no mode %s; monitor, augment or replace",
                                argv[first]);
    code = cvg_installation_load(&installation);
    if (code == CVG_GO_ON && first < argc)
        code = cvg_mode_change(&installation, mode, anyway, &changed);
    return code == CVG_GO_ON ? tell(&installation, changed) : code;
}

const struct cvg_command cvg_cmd_mode = {
    .name = "mode",
    .synopsis = "mode [monitor | augment | replace] [--anyway] [--json]",
    .summary = "Show or change what a verdict does.",
    .help = help,
    .run = run,
};
