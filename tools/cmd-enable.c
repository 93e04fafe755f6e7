/* SPDX-License-Identifier: MIT */
/* converge enable: converge.so for every program that reads this openssl.cnf. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/canary.h"
#include "tools/conf-edit.h"
#include "tools/conf-file.h"
#include "tools/notary-command.h"
#include "tools/openssl-conf.h"
#include "tools/tools.h"

#define NOTARIES_NEEDED 2

static const char help[] =
    "Adds marked lines at the end of openssl.cnf that make OpenSSL load converge.so, for programs\n"
    "that are started from then on. Providers, includes and sections that are there stay; the\n"
    "default provider is activated only if no provider is. Before anything is written, a process\n"
    "of its own shakes hands with the new file and shows that the module is at work. The file as\n"
    "it was is kept beside it (FILE.before-converge). Doing it again changes nothing.\n"
    "\n"
    "Options:\n"
    "      --file FILE   this openssl.cnf instead of the system's\n"
    "      --anyway      also if fewer than two notaries answer now\n"
    "      --help        this text\n"
    "      --json        for programs\n"
    "\n"
    "Exit codes: 0 enabled, also if it was already; 2 wrong usage; 3 fewer than two notaries\n"
    "answer, or no agent; 4 the file, the module or the canary is at fault: nothing was changed.\n";

static int check_notaries(const struct cvg_installation *installation)
{
    size_t configured = 0, answering = 0;
    int code = cvg_notary_count_answering(installation, &configured, &answering);

    if (code != CVG_GO_ON || answering >= NOTARIES_NEEDED)
        return code;
    return cvg_output_fail(CVG_EXIT_UNDECIDED,
                           "%zu of %zu configured notaries answer; with fewer than two, every "
                           "program's TLS connections would be refused (or say --anyway)",
                           answering, configured);
}

/* The candidate goes through a canary before it may become the file. */
static int try_candidate(const struct cvg_buffer *candidate, struct cvg_canary *ret_canary)
{
    char path[] = "/tmp/converge-openssl-XXXXXX";
    struct cvg_why why = {""};
    enum cvg_error err;
    int fd = mkstemp(path);

    if (fd < 0)
        return cvg_output_fail(CVG_EXIT_FAULT, "cannot make a temporary file");
    if (write(fd, candidate->data, candidate->len) != (ssize_t)candidate->len)
        err = cvg_fail(&why, CVG_ERR_IO, "cannot write a temporary file");
    else
        err = cvg_canary_run(path, ret_canary, &why);
    close(fd);
    unlink(path);
    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (!cvg_canary_good(ret_canary))
        return cvg_output_fail(CVG_EXIT_FAULT, "nothing was changed: %s", ret_canary->text);
    return CVG_GO_ON;
}

static int finish(const struct cvg_conf_file *file, const struct cvg_buffer *candidate)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};
    bool same = candidate->len == file->text.len &&
                memcmp(candidate->data, file->text.data, candidate->len) == 0;
    int code = try_candidate(candidate, &canary);

    if (code != CVG_GO_ON)
        return code;
    if (!same && cvg_conf_file_write(file, candidate, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:b, s:b, s:b}", "ok", 1, "file", file->path,
                                         "changed", !same, "watching", canary.watching, "handshake",
                                         canary.obeys),
                               CVG_EXIT_OK);
    printf("%s: %s; %s\n", file->path, same ? "enabled already" : "enabled",
           canary.obeys ? "a canary handshake was watched, refused and accepted as told"
                        : "the module is loaded and watches");
    if (!same)
        printf("Programs that run already notice nothing until they are started again.\n");
    return CVG_EXIT_OK;
}

static int enable(const struct cvg_conf_file *file, const char *module)
{
    struct cvg_buffer block, candidate, check;
    struct cvg_why why = {""};
    enum cvg_error err;
    int code = CVG_EXIT_FAULT;

    cvg_buffer_init(&block, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&candidate, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&check, CVG_OPENSSL_CONF_MAX);
    err = cvg_openssl_block((const char *)file->stripped.data, file->stripped.len, file->path,
                            module, &block, &why);
    if (err == CVG_OK)
        err = cvg_buffer_put(&candidate, file->stripped.data, file->stripped.len);
    if (err == CVG_OK && block.len > 0)
        err = cvg_conf_append(&candidate, &block);
    if (err == CVG_OK)
        err = cvg_openssl_block((const char *)candidate.data, candidate.len, file->path, module,
                                &check, &why);
    if (err == CVG_OK && check.len > 0)
        err = cvg_fail(&why, CVG_ERR_CONFIG,
                       "%s: lines at its end do not count there; add the provider by hand",
                       file->path);
    if (err == CVG_OK)
        code = finish(file, &candidate);
    else
        cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text[0] != '\0' ? why.text : cvg_strerror(err));
    cvg_buffer_free(&block);
    cvg_buffer_free(&candidate);
    cvg_buffer_free(&check);
    return code;
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const char *path = NULL, *module = NULL;
    bool anyway = false;
    const struct cvg_option options[] = {
        {"file", NULL, &path}, {"anyway", &anyway, NULL}, {NULL, NULL, NULL}};
    struct cvg_installation installation;
    struct cvg_conf_file file;
    struct cvg_why why = {""};
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first != argc - 1 || strcmp(argv[first], "openssl") != 0)
        return cvg_output_usage(command, "what? There is: openssl");
    code = cvg_installation_load(&installation);
    if (code == CVG_GO_ON && !anyway)
        code = check_notaries(&installation);
    if (code != CVG_GO_ON)
        return code;
    if (cvg_module_path(&module, &why) != CVG_OK || cvg_conf_file_read(path, &file, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    code = enable(&file, module);
    cvg_conf_file_free(&file);
    return code;
}

const struct cvg_command cvg_cmd_enable = {
    .name = "enable",
    .synopsis = "enable openssl [--file FILE] [--anyway]",
    .summary = "Check the connections of every program that uses OpenSSL 3.",
    .help = help,
    .run = run,
};
