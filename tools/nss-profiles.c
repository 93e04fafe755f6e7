/* SPDX-License-Identifier: MIT */
/* Every database of the calling user: the profiles of Firefox and Thunderbird, and the one that
 * other programs share. */
#include "tools/target-nss.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/nss-db.h"

struct walk {
    const struct cvg_nss_job *job;
    json_t *list; /* what came of each */
    size_t count;
    int code; /* the worst so far */
    bool all_protected, changed;
};

static void take(struct walk *walk, const struct cvg_nss_outcome *outcome)
{
    walk->count++;
    if (outcome->code != CVG_EXIT_OK)
        walk->code = outcome->code;
    walk->all_protected = walk->all_protected && cvg_nss_is_protected(outcome);
    walk->changed = walk->changed || outcome->changed;
    if (cvg_output_is_json())
        json_array_append_new(walk->list, cvg_nss_outcome_json(outcome, walk->job->enabling));
    else
        cvg_nss_outcome_print(outcome, walk->job->enabling);
}

static void run_profile(struct walk *walk, const struct cvg_mozilla_profile *profile)
{
    struct cvg_nss_outcome outcome = {
        .code = CVG_EXIT_OK, .application = profile->app->name, .confined = profile->confined};

    snprintf(outcome.profile, sizeof outcome.profile, "%s", profile->name);
    if (profile->confined != NULL)
        snprintf(outcome.database, sizeof outcome.database, "%s", profile->directory);
    else
        cvg_nss_change(walk->job, profile->directory, profile->app, &outcome);
    take(walk, &outcome);
}

/* One that cannot be opened is one, too: that is to be told. */
static bool is_database(const char *directory)
{
    struct cvg_nss_db db;
    enum cvg_error err = cvg_nss_db_open(directory, &db, NULL);

    if (err == CVG_OK)
        cvg_nss_db_close(&db);
    return err != CVG_ERR_NOT_FOUND;
}

/* The database that programs without one of their own share. */
static void run_shared(struct walk *walk, const char *base, const char *below)
{
    struct cvg_nss_outcome outcome = {.code = CVG_EXIT_OK};
    char directory[PATH_MAX];

    if (snprintf(directory, sizeof directory, "%s%s", base, below) >= (int)sizeof directory ||
        !is_database(directory))
        return;
    cvg_nss_change(walk->job, directory, NULL, &outcome);
    take(walk, &outcome);
}

/* Where the calling user's files are. Under sudo, HOME may still be another's. */
static const char *home_of_user(void)
{
    const char *home = secure_getenv("HOME");
    const struct passwd *user = getuid() == 0 || home == NULL ? getpwuid(getuid()) : NULL;

    return user != NULL ? user->pw_dir : home;
}

static void xdg_directory(const char *variable, const char *home, const char *below,
                          char ret_path[static PATH_MAX])
{
    const char *wish = getuid() != 0 ? secure_getenv(variable) : NULL;

    if (wish != NULL && wish[0] == '/')
        snprintf(ret_path, PATH_MAX, "%s", wish);
    else
        snprintf(ret_path, PATH_MAX, "%s%s", home, below);
}

static int finish(struct walk *walk)
{
    int code = cvg_nss_code(walk->job, walk->code, walk->all_protected);
    json_t *object;

    if (!cvg_output_is_json()) {
        if (walk->changed)
            cvg_nss_say_restart();
        return code;
    }
    object = json_pack("{s:b, s:O}", "ok", walk->code == CVG_EXIT_OK, "databases", walk->list);
    if (object != NULL && walk->job->enabling)
        json_object_set_new(object, "protected", json_boolean(walk->all_protected));
    return cvg_output_json(object, code);
}

int cvg_nss_run_profiles(const struct cvg_nss_job *job)
{
    struct walk walk = {.job = job, .code = CVG_EXIT_OK, .all_protected = true};
    char config[PATH_MAX], data[PATH_MAX];
    const char *home = home_of_user();
    struct cvg_mozilla_profile *profiles;
    size_t count = 0;
    int code;

    if (home == NULL)
        return cvg_output_fail(CVG_EXIT_FAULT, "this user has no home directory");
    xdg_directory("XDG_CONFIG_HOME", home, "/.config", config);
    xdg_directory("XDG_DATA_HOME", home, "/.local/share", data);
    profiles = cvg_mozilla_profiles_find(home, config, &count);
    walk.list = json_array();
    if (profiles == NULL || walk.list == NULL)
        return cvg_output_fail(CVG_EXIT_FAULT, "out of memory");
    for (size_t i = 0; i < count; i++)
        run_profile(&walk, &profiles[i]);
    free(profiles);
    run_shared(&walk, home, "/.pki/nssdb");
    run_shared(&walk, data, "/pki/nssdb");
    if (walk.count == 0) {
        walk.all_protected = false;
        if (!cvg_output_is_json())
            printf(
                "%s: no profile of Firefox or Thunderbird that was ever started is there, and no "
                "shared database; each user calls this for itself\n",
                home);
    }
    code = finish(&walk);
    json_decref(walk.list);
    return code;
}
