/* SPDX-License-Identifier: MIT */
/* The nss target: libconverge-nss.so in an NSS database, and out of it again. */
#include "tools/target-nss.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/enabled-list.h"
#include "tools/nss-db.h"
#include "tools/rehearsal.h"

static int check_usage(const struct cvg_command *command, const struct cvg_target_options *options,
                       char *const operands[], int count)
{
    int places = count + (options->profiles ? 1 : 0) + (options->firefox ? 1 : 0) +
                 (options->thunderbird ? 1 : 0);

    if (options->file != NULL)
        return cvg_output_usage(command, "nss takes no --file; a database is named by DBDIR");
    if (places == 0)
        return cvg_output_usage(command, "which database? DBDIR (DIR or sql:DIR), --profiles, "
                                         "--firefox or --thunderbird");
    if (places > 1)
        return cvg_output_usage(command,
                                "one at a time: DBDIR%s%s, --profiles, --firefox or "
                                "--thunderbird",
                                count > 1 ? ", not also " : "", count > 1 ? operands[1] : "");
    if (options->create && count == 0)
        return cvg_output_usage(command, "--create goes with a DBDIR");
    if ((options->firefox || options->thunderbird) && geteuid() != 0 && !options->dry_run)
        return cvg_output_fail(
            CVG_EXIT_FAULT,
            "--%s changes /etc for all users, which only root may: sudo converge "
            "%s nss --%s (your own profiles: --profiles)",
            options->firefox ? "firefox" : "thunderbird", command->name,
            options->firefox ? "firefox" : "thunderbird");
    return CVG_GO_ON;
}

void cvg_nss_change(const struct cvg_nss_job *job, const char *dbdir,
                    const struct cvg_mozilla_app *app, struct cvg_nss_outcome *ret_outcome)
{
    if (!job->enabling) {
        cvg_nss_disable(dbdir, app, ret_outcome);
        return;
    }
    cvg_nss_enable(dbdir, app, job->module, job->options, ret_outcome);
    if (ret_outcome->enabled && job->ret_any != NULL)
        *job->ret_any = true;
}

void cvg_nss_say_restart(void)
{
    if (cvg_rehearsal_is_on())
        return;
    printf("Programs that run already notice nothing until they are started again.\n");
}

int cvg_nss_code(const struct cvg_nss_job *job, int code, bool is_protected)
{
    return code == CVG_EXIT_OK && job->enabling && !is_protected && !cvg_rehearsal_is_on()
               ? CVG_EXIT_REFUSED
               : code;
}

int cvg_nss_run_database(const struct cvg_nss_job *job, const char *dbdir)
{
    struct cvg_nss_outcome outcome = {.code = CVG_EXIT_FAULT};
    int code;

    cvg_nss_change(job, dbdir, NULL, &outcome);
    if (outcome.code != CVG_EXIT_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", outcome.why.text);
    code = cvg_nss_code(job, outcome.code, cvg_nss_is_protected(&outcome));
    if (cvg_output_is_json())
        return cvg_output_json(cvg_nss_outcome_json(&outcome, job->enabling), code);
    cvg_nss_outcome_print(&outcome, job->enabling);
    if (outcome.changed)
        cvg_nss_say_restart();
    return code;
}

static int run(const struct cvg_nss_job *job, char *const operands[], int count)
{
    if (count > 0)
        return cvg_nss_run_database(job, operands[0]);
    if (job->options->profiles)
        return cvg_nss_run_profiles(job);
    return cvg_nss_run_system(
        job, &cvg_mozilla_apps[job->options->firefox ? CVG_FIREFOX : CVG_THUNDERBIRD]);
}

/* What cannot be is told at once, without an agent or a notary. */
static int look_at_database(const struct cvg_target_options *options, char *const operands[],
                            int count)
{
    struct cvg_nss_db db;
    struct cvg_why why = {""};
    enum cvg_error err;

    if (count == 0 || options->create)
        return CVG_GO_ON;
    err = cvg_nss_db_open(operands[0], &db, &why);
    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s%s", why.text,
                               err == CVG_ERR_NOT_FOUND ? "; --create makes one" : "");
    cvg_nss_db_close(&db);
    return CVG_GO_ON;
}

/* What stands behind "nss" on the command line, as it is remembered and told. */
static void name_target(const struct cvg_target_options *options, char *const operands[], int count,
                        char ret_name[static PATH_MAX])
{
    const char *directory = NULL;
    char real[PATH_MAX];

    if (count == 0)
        snprintf(ret_name, PATH_MAX, "--%s",
                 options->profiles  ? "profiles"
                 : options->firefox ? "firefox"
                                    : "thunderbird");
    else if (cvg_nss_db_directory(operands[0], &directory, NULL) == CVG_OK &&
             realpath(directory, real) != NULL)
        snprintf(ret_name, PATH_MAX, "%s", real);
    else
        snprintf(ret_name, PATH_MAX, "%s", operands[0]);
}

/* The agent is ready before a program can be told to ask it. */
static int run_with_agent(struct cvg_nss_job *job, struct cvg_installation *installation,
                          char *const operands[], int count)
{
    char name[PATH_MAX], line[PATH_MAX + 8], undo[PATH_MAX + 32];
    bool any = false;
    int kept, code = cvg_standby_begin(installation, job->options, &job->standby);

    job->ret_any = &any;
    if (code != CVG_GO_ON)
        return code;
    name_target(job->options, operands, count, name);
    snprintf(line, sizeof line, "nss %s", name);
    snprintf(undo, sizeof undo, "converge disable nss %s", name);
    code = cvg_target_set_mode(job->options, installation);
    if (code == CVG_GO_ON && cvg_output_is_json())
        cvg_standby_report(&job->standby, undo);
    if (code == CVG_GO_ON)
        code = run(job, operands, count);
    if (code != CVG_EXIT_OK && code != CVG_EXIT_REFUSED && !any) {
        cvg_standby_undo(&job->standby);
        return code;
    }
    if (!cvg_output_is_json())
        cvg_standby_report(&job->standby, undo);
    kept = cvg_standby_keep(&job->standby, line);
    return kept == CVG_GO_ON ? code : kept;
}

/* What a rehearsal cannot go through: nothing is there to be changed. */
static bool would_make(const struct cvg_target_options *options, char *const operands[])
{
    struct cvg_nss_db db;
    enum cvg_error err;

    if (!options->create || !options->dry_run)
        return false;
    err = cvg_nss_db_open(operands[0], &db, NULL);
    if (err == CVG_OK)
        cvg_nss_db_close(&db);
    return err == CVG_ERR_NOT_FOUND;
}

/* --user is --profiles. */
static struct cvg_target_options as_profiles(const struct cvg_target_options *given)
{
    struct cvg_target_options options = *given;

    options.profiles = options.profiles || options.user;
    return options;
}

static int enable(const struct cvg_command *command, const struct cvg_target_options *given,
                  char *const operands[], int count)
{
    const struct cvg_target_options wished = as_profiles(given), *options = &wished;
    struct cvg_nss_job job = {.options = options, .enabling = true};
    struct cvg_installation installation;
    struct cvg_why why = {""};
    int code = check_usage(command, options, operands, count);

    if (code == CVG_GO_ON)
        code = look_at_database(options, operands, count);
    if (code == CVG_GO_ON)
        code = cvg_target_check_notaries(options, &installation);
    if (code != CVG_GO_ON)
        return code;
    if (cvg_nss_module_path(&job.module, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (!would_make(options, operands))
        return run_with_agent(&job, &installation, operands, count);
    cvg_rehearsal_step("make an NSS database in %s, with %s in it", operands[0], job.module);
    return cvg_output_is_json() ? cvg_output_json(json_pack("{s:b}", "ok", 1), CVG_EXIT_OK)
                                : CVG_EXIT_OK;
}

static int disable(const struct cvg_command *command, const struct cvg_target_options *given,
                   char *const operands[], int count)
{
    const struct cvg_target_options wished = as_profiles(given), *options = &wished;
    struct cvg_nss_job job = {.options = options, .module = cvg_nss_module_wish()};
    char name[PATH_MAX], line[PATH_MAX + 8];
    bool was_on;
    int code = check_usage(command, options, operands, count);

    if (code != CVG_GO_ON)
        return code;
    name_target(options, operands, count, name);
    snprintf(line, sizeof line, "nss %s", name);
    was_on = cvg_enabled_has(line);
    code = run(&job, operands, count);
    return code == CVG_EXIT_OK
               ? cvg_standby_end(line, was_on && (options->firefox || options->thunderbird))
               : code;
}

const struct cvg_target cvg_target_nss = {
    .name = "nss",
    .enable = enable,
    .disable = disable,
};
