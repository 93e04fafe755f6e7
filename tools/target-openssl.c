/* SPDX-License-Identifier: MIT */
/* The openssl target: converge.so in an openssl.cnf, and out of it again. */
#include "tools/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/canary.h"
#include "tools/conf-edit.h"
#include "tools/conf-file.h"
#include "tools/openssl-conf.h"

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
    bool same = cvg_edit_same(candidate, &file->file.text);
    int code = try_candidate(candidate, &canary);

    if (code != CVG_GO_ON)
        return code;
    if (!same && cvg_conf_file_write(file, candidate, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:b, s:b, s:b}", "ok", 1, "file",
                                         file->file.path, "changed", !same, "watching",
                                         canary.watching, "handshake", canary.obeys),
                               CVG_EXIT_OK);
    printf("%s: %s; %s\n", file->file.path, same ? "enabled already" : "enabled",
           canary.obeys ? "a canary handshake was watched, refused and accepted as told"
                        : "the module is loaded and watches");
    if (!same)
        printf("Programs that run already notice nothing until they are started again.\n");
    return CVG_EXIT_OK;
}

static int complete(const struct cvg_conf_file *file, const char *module)
{
    struct cvg_buffer block, candidate, check;
    struct cvg_why why = {""};
    enum cvg_error err;
    int code = CVG_EXIT_FAULT;

    cvg_buffer_init(&block, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&candidate, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&check, CVG_OPENSSL_CONF_MAX);
    err = cvg_openssl_block((const char *)file->stripped.data, file->stripped.len, file->file.path,
                            module, &block, &why);
    if (err == CVG_OK)
        err = cvg_buffer_put(&candidate, file->stripped.data, file->stripped.len);
    if (err == CVG_OK && block.len > 0)
        err = cvg_conf_append(&cvg_openssl_marks, &candidate, &block);
    if (err == CVG_OK)
        err = cvg_openssl_block((const char *)candidate.data, candidate.len, file->file.path,
                                module, &check, &why);
    if (err == CVG_OK && check.len > 0)
        err = cvg_fail(&why, CVG_ERR_CONFIG,
                       "%s: lines at its end do not count there; add the provider by hand",
                       file->file.path);
    if (err == CVG_OK)
        code = finish(file, &candidate);
    else
        cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text[0] != '\0' ? why.text : cvg_strerror(err));
    cvg_buffer_free(&block);
    cvg_buffer_free(&candidate);
    cvg_buffer_free(&check);
    return code;
}

static int check_usage(const struct cvg_command *command, const struct cvg_target_options *options,
                       char *const operands[], int count)
{
    if (count > 0)
        return cvg_output_usage(command, "openssl takes no %s", operands[0]);
    if (options->create || options->profiles || options->firefox || options->thunderbird)
        return cvg_output_usage(command, "openssl takes --file and --anyway only");
    return CVG_GO_ON;
}

static int enable(const struct cvg_command *command, const struct cvg_target_options *options,
                  char *const operands[], int count)
{
    const char *module = NULL;
    struct cvg_conf_file file;
    struct cvg_why why = {""};
    int code = check_usage(command, options, operands, count);

    if (code == CVG_GO_ON)
        code = cvg_target_check_notaries(options);
    if (code != CVG_GO_ON)
        return code;
    if (cvg_module_path(&module, &why) != CVG_OK ||
        cvg_conf_file_read(options->file, &file, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    code = complete(&file, module);
    cvg_conf_file_free(&file);
    return code;
}

static int report_disabled(const struct cvg_conf_file *file)
{
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:b}", "ok", 1, "file", file->file.path,
                                         "changed", file->had_lines),
                               CVG_EXIT_OK);
    printf("%s: %s\n", file->file.path, file->had_lines ? "disabled" : "was not enabled");
    return CVG_EXIT_OK;
}

static int disable(const struct cvg_command *command, const struct cvg_target_options *options,
                   char *const operands[], int count)
{
    struct cvg_conf_file file;
    struct cvg_why why = {""};
    int code = check_usage(command, options, operands, count);

    if (code != CVG_GO_ON)
        return code;
    if (cvg_conf_file_read(options->file, &file, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (file.had_lines && cvg_conf_file_write(&file, &file.stripped, &why) != CVG_OK)
        code = cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    else
        code = report_disabled(&file);
    cvg_conf_file_free(&file);
    return code;
}

const struct cvg_target cvg_target_openssl = {
    .name = "openssl",
    .enable = enable,
    .disable = disable,
};
