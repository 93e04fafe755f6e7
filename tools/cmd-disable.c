/* SPDX-License-Identifier: MIT */
/* converge disable: takes exactly our lines out of openssl.cnf again. */
#include <stdio.h>
#include <string.h>

#include "tools/conf-file.h"
#include "tools/tools.h"

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

static int report(const struct cvg_conf_file *file)
{
    if (cvg_output_is_json())
        return cvg_output_json(
            json_pack("{s:b, s:s, s:b}", "ok", 1, "file", file->path, "changed", file->had_lines),
            CVG_EXIT_OK);
    printf("%s: %s\n", file->path, file->had_lines ? "disabled" : "was not enabled");
    return CVG_EXIT_OK;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const char *path = NULL;
    const struct cvg_option options[] = {{"file", NULL, &path}, {NULL, NULL, NULL}};
    struct cvg_conf_file file;
    struct cvg_why why = {""};
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first != argc - 1 || strcmp(argv[first], "openssl") != 0)
        return cvg_output_usage(command, "what? There is: openssl");
    if (cvg_conf_file_read(path, &file, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (file.had_lines && cvg_conf_file_write(&file, &file.stripped, &why) != CVG_OK)
        code = cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    else
        code = report(&file);
    cvg_conf_file_free(&file);
    return code;
}

const struct cvg_command cvg_cmd_disable = {
    .name = "disable",
    .synopsis = "disable openssl [--file FILE]",
    .summary = "Undo what enable did.",
    .help = help,
    .run = run,
};
