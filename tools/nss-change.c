/* SPDX-License-Identifier: MIT */
/* The steps of enabling and disabling one database. */
#include "tools/nss-change.h"

#include <stdio.h>
#include <string.h>

#include "tools/mozilla-system.h"
#include "tools/nss-try.h"
#include "tools/user-js.h"

#define ATTEMPTS 5 /* another program may write to the list between our reading and writing */

static void take_state(const struct cvg_nss_db *db, struct cvg_nss_outcome *outcome)
{
    snprintf(outcome->database, sizeof outcome->database, "%s", db->directory);
    snprintf(outcome->file, sizeof outcome->file, "%s", db->file.path);
    snprintf(outcome->name, sizeof outcome->name, "%s", db->name);
    snprintf(outcome->old_library, sizeof outcome->old_library, "%s", db->old_library);
}

/* The candidate goes through a canary before it may become the list. */
static enum cvg_error try_candidate(const struct cvg_nss_db *db, const struct cvg_mozilla_app *app,
                                    bool anyway, struct cvg_nss_outcome *outcome)
{
    struct cvg_canary canary = {.loaded = false};
    enum cvg_error err = cvg_nss_try(db, app, &canary, &outcome->why);

    outcome->tried = err == CVG_OK;
    outcome->watching = canary.watching;
    outcome->handshake = canary.obeys;
    if (err == CVG_ERR_NOT_FOUND && anyway)
        return CVG_OK;
    if (err == CVG_ERR_NOT_FOUND)
        return cvg_fail(
            &outcome->why, err,
            "nothing was changed: no NSS on this machine (libnss3, Firefox, "
            "Thunderbird) could open the database and try the module (or say --anyway)");
    if (err == CVG_OK && !cvg_canary_good(&canary))
        return cvg_fail(&outcome->why, CVG_ERR_CONFIG, "nothing was changed: %s", canary.text);
    return err;
}

static enum cvg_error open_database(const char *dbdir, bool create, struct cvg_nss_db *ret_db,
                                    bool *ret_made, struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_nss_db_open(dbdir, ret_db, ret_why);

    if (err != CVG_ERR_NOT_FOUND || !create)
        return err;
    err = cvg_nss_db_create(dbdir, ret_why);
    *ret_made = err == CVG_OK;
    return err == CVG_OK ? cvg_nss_db_open(dbdir, ret_db, ret_why) : err;
}

static enum cvg_error change_profile(bool enabling, struct cvg_nss_outcome *outcome)
{
    bool changed = false;
    enum cvg_error err = enabling ? cvg_user_js_enable(outcome->database, &changed, &outcome->why)
                                  : cvg_user_js_disable(outcome->database, &changed, &outcome->why);

    outcome->changed = outcome->changed || (err == CVG_OK && changed);
    return err;
}

static enum cvg_error write_list(const struct cvg_nss_db *db, struct cvg_nss_outcome *outcome)
{
    enum cvg_error err = cvg_nss_db_write(db, &outcome->why);

    outcome->changed = outcome->changed || (err == CVG_OK && !db->same);
    return err;
}

static const struct cvg_mozilla_app *app_of(const struct cvg_nss_db *db,
                                            const struct cvg_mozilla_app *app,
                                            struct cvg_nss_outcome *outcome)
{
    if (app == NULL)
        app = cvg_mozilla_profile_app(db->directory);
    if (app != NULL)
        outcome->application = app->name;
    return app;
}

/* Both or neither: a profile's preferences do not stay changed for a module that is not there. */
static enum cvg_error write_enabled(const struct cvg_nss_db *db, const struct cvg_mozilla_app *app,
                                    struct cvg_nss_outcome *outcome)
{
    bool changed = false;
    enum cvg_error err = app != NULL ? change_profile(true, outcome) : CVG_OK;

    if (err == CVG_OK)
        err = write_list(db, outcome);
    if (err != CVG_OK && app != NULL && !db->had &&
        cvg_user_js_disable(outcome->database, &changed, NULL) == CVG_OK)
        outcome->changed = false;
    return err;
}

/* What was made is not taken away again: a key may have been there before. */
static void say_made(struct cvg_nss_outcome *outcome)
{
    size_t len = strlen(outcome->why.text);

    snprintf(outcome->why.text + len, sizeof outcome->why.text - len,
             " (the database that was made is there, without the module)");
}

static enum cvg_error enable_once(const char *dbdir, const struct cvg_mozilla_app *app,
                                  const char *module, const struct cvg_target_options *options,
                                  struct cvg_nss_outcome *outcome)
{
    struct cvg_nss_db db;
    bool made = false;
    enum cvg_error err = open_database(dbdir, options->create, &db, &made, &outcome->why);

    if (err != CVG_OK)
        return err;
    app = app_of(&db, app, outcome);
    err = cvg_nss_db_add(&db, module, &outcome->why);
    take_state(&db, outcome);
    if (err == CVG_OK)
        err = try_candidate(&db, app, options->anyway, outcome);
    if (err == CVG_OK)
        err = write_enabled(&db, app, outcome);
    if (err != CVG_OK && made)
        say_made(outcome);
    cvg_nss_db_close(&db);
    if (err == CVG_OK && app != NULL)
        outcome->http3 =
            cvg_mozilla_system_look(app, module).http3 ? CVG_HTTP3_LOCKED : CVG_HTTP3_OFF;
    return err;
}

void cvg_nss_enable(const char *dbdir, const struct cvg_mozilla_app *app, const char *module,
                    const struct cvg_target_options *options, struct cvg_nss_outcome *ret_outcome)
{
    enum cvg_error err = CVG_ERR_BUSY;

    snprintf(ret_outcome->database, sizeof ret_outcome->database, "%s", dbdir);
    for (int i = 0; i < ATTEMPTS && err == CVG_ERR_BUSY; i++)
        err = enable_once(dbdir, app, module, options, ret_outcome);
    ret_outcome->enabled = err == CVG_OK;
    ret_outcome->code = err == CVG_OK ? CVG_EXIT_OK : CVG_EXIT_FAULT;
}

static enum cvg_error disable_once(const char *dbdir, const struct cvg_mozilla_app *app,
                                   struct cvg_nss_outcome *outcome)
{
    struct cvg_nss_db db;
    enum cvg_error err = cvg_nss_db_open(dbdir, &db, &outcome->why);

    if (err != CVG_OK)
        return err;
    app = app_of(&db, app, outcome);
    err = cvg_nss_db_remove(&db, &outcome->why);
    take_state(&db, outcome);
    if (err == CVG_OK)
        err = write_list(&db, outcome);
    if (err == CVG_OK && app != NULL)
        err = change_profile(false, outcome);
    cvg_nss_db_close(&db);
    outcome->returns = app != NULL && cvg_mozilla_system_look(app, cvg_nss_module_wish()).module;
    return err;
}

void cvg_nss_disable(const char *dbdir, const struct cvg_mozilla_app *app,
                     struct cvg_nss_outcome *ret_outcome)
{
    enum cvg_error err = CVG_ERR_BUSY;

    snprintf(ret_outcome->database, sizeof ret_outcome->database, "%s", dbdir);
    for (int i = 0; i < ATTEMPTS && err == CVG_ERR_BUSY; i++)
        err = disable_once(dbdir, app, ret_outcome);
    ret_outcome->code = err == CVG_OK ? CVG_EXIT_OK : CVG_EXIT_FAULT;
}

bool cvg_nss_is_protected(const struct cvg_nss_outcome *outcome)
{
    return outcome->enabled && outcome->confined == NULL && outcome->tried &&
           (outcome->application == NULL || outcome->http3 == CVG_HTTP3_LOCKED);
}
