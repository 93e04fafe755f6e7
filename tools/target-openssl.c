/* SPDX-License-Identifier: MIT */
/* The openssl target: converge.so in an openssl.cnf, and out of it again. */
#include "tools/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/conf-edit.h"
#include "tools/conf-file.h"
#include "tools/openssl-conf.h"
#include "tools/openssl-try.h"
#include "tools/openssl-where.h"
#include "tools/rehearsal.h"
#include "tools/standby.h"
#include "tools/target-user.h"

struct job {
    const struct cvg_target_options *options;
    struct cvg_installation installation;
    const char *module;
    struct cvg_conf_file file;
};

static int report_enabled(const struct job *job, const struct cvg_canary *canary,
                          const struct cvg_standby *standby, bool same)
{
    const char *path = job->file.file.path;
    char undo[PATH_MAX + 64];

    snprintf(undo, sizeof undo, "converge disable openssl%s%s",
             job->options->file != NULL ? " --file " : "", job->options->file != NULL ? path : "");
    if (cvg_output_is_json()) {
        cvg_standby_report(standby, undo);
        return cvg_output_json(json_pack("{s:b, s:o, s:b, s:b, s:b}", "ok", 1, "file",
                                         cvg_output_text(path), "changed", !same, "watching",
                                         canary->watching, "handshake", canary->obeys),
                               CVG_EXIT_OK);
    }
    printf("%s: %s; %s\n", path,
           same ? "enabled already" : cvg_rehearsal_word("enabled", "would be enabled"),
           canary->obeys ? "a canary handshake was watched, refused and accepted as told"
                         : "the module is loaded and watches");
    if (!same && !job->options->dry_run)
        printf("Programs that run already notice nothing until they are started again.\n");
    cvg_standby_report(standby, undo);
    if (job->options->file == NULL)
        cvg_openssl_say_others(path);
    return CVG_EXIT_OK;
}

static void target_line(const char *path, char ret_line[static PATH_MAX + 16])
{
    snprintf(ret_line, PATH_MAX + 16, "openssl %s", path);
}

/* The agent is ready before a program can be told to ask it. */
static int finish(struct job *job, const struct cvg_buffer *candidate)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_standby standby;
    struct cvg_why why = {""};
    char line[PATH_MAX + 16];
    bool same = cvg_edit_same(candidate, &job->file.file.text);
    int code = cvg_openssl_try(candidate, &canary);

    if (code == CVG_GO_ON)
        code = cvg_standby_begin(&job->installation, job->options, &standby);
    if (code != CVG_GO_ON)
        return code;
    code = cvg_target_set_mode(job->options, &job->installation);
    if (code == CVG_GO_ON && !same && cvg_conf_file_write(&job->file, candidate, &why) != CVG_OK)
        code = cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (code != CVG_GO_ON) {
        cvg_standby_undo(&standby);
        return code;
    }
    target_line(job->file.file.path, line);
    code = cvg_standby_keep(&standby, line);
    return code == CVG_GO_ON ? report_enabled(job, &canary, &standby, same) : code;
}

static int complete(struct job *job)
{
    const struct cvg_conf_file *file = &job->file;
    struct cvg_buffer block, candidate, check;
    struct cvg_why why = {""};
    enum cvg_error err;
    int code = CVG_EXIT_FAULT;

    cvg_buffer_init(&block, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&candidate, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&check, CVG_OPENSSL_CONF_MAX);
    err = cvg_openssl_block((const char *)file->stripped.data, file->stripped.len, file->file.path,
                            job->module, &block, &why);
    if (err == CVG_OK)
        err = cvg_buffer_put(&candidate, file->stripped.data, file->stripped.len);
    if (err == CVG_OK && block.len > 0)
        err = cvg_conf_append(&cvg_openssl_marks, &candidate, &block);
    if (err == CVG_OK)
        err = cvg_openssl_block((const char *)candidate.data, candidate.len, file->file.path,
                                job->module, &check, &why);
    if (err == CVG_OK && check.len > 0)
        err = cvg_fail(&why, CVG_ERR_CONFIG,
                       "%s: lines at its end do not count there; add the provider by hand",
                       file->file.path);
    if (err == CVG_OK)
        code = finish(job, &candidate);
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
        return cvg_output_usage(command, "openssl takes no %s",
                                options->create ? "--create" : "profiles");
    return CVG_GO_ON;
}

static int enable(const struct cvg_command *command, const struct cvg_target_options *options,
                  char *const operands[], int count)
{
    struct job job = {.options = options};
    struct cvg_why why = {""};
    int code = check_usage(command, options, operands, count);

    if (code == CVG_GO_ON && options->user)
        return cvg_user_enable(command, options);
    if (code == CVG_GO_ON)
        code = cvg_target_check_notaries(options, &job.installation);
    if (code != CVG_GO_ON)
        return code;
    if (cvg_module_path(&job.module, &why) != CVG_OK ||
        cvg_conf_file_open(options->file, &job.file, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    code = complete(&job);
    cvg_conf_file_free(&job.file);
    return code;
}

static int report_disabled(const struct cvg_conf_file *file)
{
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:o, s:b}", "ok", 1, "file",
                                         cvg_output_text(file->file.path), "changed",
                                         file->had_lines),
                               CVG_EXIT_OK);
    printf("%s: %s\n", file->file.path,
           file->had_lines ? cvg_rehearsal_word("disabled", "would be disabled")
                           : "was not enabled");
    return CVG_EXIT_OK;
}

static int disable(const struct cvg_command *command, const struct cvg_target_options *options,
                   char *const operands[], int count)
{
    struct cvg_conf_file file;
    struct cvg_why why = {""};
    char line[PATH_MAX + 16];
    int code = check_usage(command, options, operands, count);

    if (code != CVG_GO_ON)
        return code;
    if (options->user)
        return cvg_user_disable(command, options);
    if (cvg_conf_file_open(options->file, &file, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    target_line(file.file.path, line);
    if (file.had_lines && cvg_conf_file_write(&file, &file.stripped, &why) != CVG_OK)
        code = cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    else
        code = cvg_standby_end(line, false);
    if (code == CVG_EXIT_OK)
        code = report_disabled(&file);
    cvg_conf_file_free(&file);
    return code;
}

const struct cvg_target cvg_target_openssl = {
    .name = "openssl",
    .enable = enable,
    .disable = disable,
};
