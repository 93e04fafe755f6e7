/* SPDX-License-Identifier: MIT */
/* The module for all users of Firefox or Thunderbird. */
#include "tools/target-nss.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/mozilla-system.h"
#include "tools/nss-try.h"
#include "tools/rehearsal.h"

struct attempt {
    const struct cvg_nss_job *job;
    const struct cvg_mozilla_app *app;
    struct cvg_canary canary;
    bool tried;
};

static void remove_database(const char *directory)
{
    static const char *const names[] = {"cert9.db", "key4.db", "pkcs11.txt"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

static enum cvg_error try_in(const char *directory, struct attempt *attempt,
                             struct cvg_why *ret_why)
{
    struct cvg_nss_db db;
    enum cvg_error err = cvg_nss_db_create(directory, ret_why);

    if (err == CVG_OK)
        err = cvg_nss_db_open(directory, &db, ret_why);
    if (err != CVG_OK)
        return err;
    err = cvg_nss_db_add(&db, attempt->job->module, ret_why);
    if (err == CVG_OK)
        err = cvg_nss_try(&db, attempt->app, &attempt->canary, ret_why);
    cvg_nss_db_close(&db);
    return err;
}

/* What a new profile would be: our module and nothing else. */
static enum cvg_error try_module(void *context, struct cvg_why *ret_why)
{
    struct attempt *attempt = context;
    char directory[] = "/tmp/converge-database-XXXXXX";
    enum cvg_error err;

    if (mkdtemp(directory) == NULL)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot make %s: %s", directory,
                        strerrordesc_np(errno));
    err = try_in(directory, attempt, ret_why);
    remove_database(directory);
    attempt->tried = err == CVG_OK;
    if (err == CVG_ERR_NOT_FOUND && attempt->job->options->anyway)
        return CVG_OK;
    if (err == CVG_ERR_NOT_FOUND)
        return cvg_fail(ret_why, err,
                        "nothing was changed: no NSS on this machine (libnss3, Firefox, "
                        "Thunderbird) to try the module in (or say --anyway)");
    if (err == CVG_OK && !cvg_canary_good(&attempt->canary))
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "nothing was changed: %s", attempt->canary.text);
    return err;
}

static int report_enabled(const struct attempt *attempt, const struct cvg_mozilla_system *system)
{
    struct cvg_mozilla_told told = cvg_mozilla_system_look(attempt->app, attempt->job->module);
    bool found = cvg_mozilla_directory(attempt->app, 0) != NULL;
    bool good = found && attempt->tried && told.module && told.http3 && told.utility;
    int code = cvg_nss_code(attempt->job, CVG_EXIT_OK, good);

    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:b}", "ok", 1,
                                         "application", attempt->app->name, "file", system->file,
                                         "changed", system->changed, "found", found, "watching",
                                         attempt->canary.watching, "handshake",
                                         attempt->canary.obeys, "http3",
                                         told.http3 ? "locked" : "none", "protected", good),
                               code);
    printf("%s: %s for all users of %s; HTTP/3 is off and locked\n%s\n", system->file,
           system->changed ? cvg_rehearsal_word("enabled", "would be enabled") : "enabled already",
           attempt->app->title,
           !attempt->tried         ? "NOT TRIED, since there is no NSS here"
           : attempt->canary.obeys ? "A canary handshake was watched, refused and accepted as told."
                                   : "The module is loaded and watches.");
    if (!found)
        printf("NOT PROTECTED, as far as is known: %s was not found in any of the usual places.\n",
               attempt->app->title);
    printf("A profile is protected once %s has been started with it; that of a snap or a flatpak "
           "is not.\n",
           attempt->app->title);
    if (system->changed)
        cvg_nss_say_restart();
    return code;
}

static int enable(const struct cvg_nss_job *job, const struct cvg_mozilla_app *app)
{
    struct attempt attempt = {.job = job, .app = app};
    struct cvg_mozilla_system system;
    struct cvg_why why = {""};

    if (cvg_mozilla_system_enable(app, job->module, try_module, &attempt, &system, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    return report_enabled(&attempt, &system);
}

/* The application has written the module into every profile it was started with. */
static int disable(const struct cvg_nss_job *job, const struct cvg_mozilla_app *app)
{
    struct cvg_mozilla_system system;
    struct cvg_why why = {""};

    if (cvg_mozilla_system_disable(app, job->module, &system, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:s, s:b}", "ok", 1, "application", app->name,
                                         "file", system.file, "changed", system.changed),
                               CVG_EXIT_OK);
    printf("%s: %s for all users of %s\n", system.file,
           system.changed ? cvg_rehearsal_word("disabled", "would be disabled") : "was not enabled",
           app->title);
    if (system.changed)
        printf("Profiles that %s was started with keep the module until their users take it out: "
               "converge disable nss --profiles\n",
               app->title);
    return CVG_EXIT_OK;
}

int cvg_nss_run_system(const struct cvg_nss_job *job, const struct cvg_mozilla_app *app)
{
    return job->enabling ? enable(job, app) : disable(job, app);
}
