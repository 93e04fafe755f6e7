/* SPDX-License-Identifier: MIT */
/* Firefox and Thunderbird: whether their profiles have our module, and whether they can go round
 * it. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/doctor.h"
#include "tools/mozilla-prefs.h"
#include "tools/mozilla-system.h"
#include "tools/nss-db.h"
#include "tools/plain-file.h"

#define PREFS_MAX (4 * 1024 * 1024)
#define HTTP3     "network.http.http3.enable"
#define TRANSPORT "network.webtransport.enabled" /* over HTTP/3, too */
#define COALESCE  "network.http.http2.coalesce-hostnames"
#define UTILITY   "security.utility_pkcs11_module_process.enabled"
#define PROXY     "network.proxy.type"
#define BY_SCRIPT "2"

static bool find_in(const char *directory, const char *file, const char *name,
                    struct cvg_mozilla_pref *ret_pref)
{
    char path[PATH_MAX];
    struct cvg_buffer text;
    bool found;

    cvg_buffer_init(&text, PREFS_MAX);
    found = snprintf(path, sizeof path, "%s/%s", directory, file) < (int)sizeof path &&
            cvg_plain_file_read(path, &text, NULL) == CVG_OK &&
            cvg_mozilla_pref_find((const char *)text.data, name, ret_pref);
    cvg_buffer_free(&text);
    return found;
}

/* user.js is read after prefs.js. */
static bool find_pref(const char *profile, const char *name, struct cvg_mozilla_pref *ret_pref)
{
    static const char *const files[] = {"prefs.js", "user.js"};
    bool found = false;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        found = find_in(profile, files[i], name, ret_pref) || found;
    return found;
}

/* Whether one of the directory's .js files sets the preference to false for good. */
static bool is_locked_off_in(const char *directory, const char *name)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    bool off = false;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct cvg_mozilla_pref pref = {.locked = false};
        const char *dot = strrchr(entry->d_name, '.');

        if (dot != NULL && strcmp(dot, ".js") == 0 &&
            find_in(directory, entry->d_name, name, &pref) && pref.locked)
            off = strcmp(pref.value, "false") == 0;
    }
    if (dir != NULL)
        closedir(dir);
    return off;
}

/* An administrator may lock preferences in files of Debian's, too, without any policy. */
static bool is_locked_off(const struct cvg_mozilla_app *app, const char *name)
{
    static const char *const below[] = {"", "-esr", "/pref", "/defaults/pref"};
    char directory[PATH_MAX];
    bool off = false;

    for (size_t i = 0; !off && i < sizeof below / sizeof below[0]; i++)
        off = snprintf(directory, sizeof directory, "%s%s", app->system, below[i]) <
                  (int)sizeof directory &&
              is_locked_off_in(directory, name);
    return off;
}

static struct cvg_mozilla_told told_by_system(const struct cvg_mozilla_app *app)
{
    struct cvg_mozilla_told told;
    const char *module = "";

    if (cvg_nss_module_path(&module, NULL) != CVG_OK)
        module = "";
    told = cvg_mozilla_system_look(app, module);
    told.http3 = told.http3 || (is_locked_off(app, HTTP3) && is_locked_off(app, TRANSPORT) &&
                                is_locked_off(app, COALESCE));
    told.utility = told.utility || is_locked_off(app, UTILITY);
    return told;
}

/* What lets connections go by a module that works. */
static void judge_ways_round(const struct cvg_mozilla_profile *profile,
                             const struct cvg_mozilla_told *told,
                             struct cvg_doctor_finding *finding)
{
    struct cvg_mozilla_pref pref = {.locked = false};

    if (!told->http3) {
        cvg_doctor_set(finding, CVG_DOCTOR_BAD,
                       "not protected: HTTP/3, WebTransport or hosts that share a connection, "
                       "which go round the module, are not off and locked");
        cvg_doctor_remedy(finding, "sudo converge enable nss --%s", profile->app->name);
    } else if (!told->utility && find_pref(profile->directory, UTILITY, &pref) &&
               strcmp(pref.value, "true") == 0) {
        cvg_doctor_set(finding, CVG_DOCTOR_BAD,
                       "not protected: " UTILITY " is on, so modules are in a process without "
                       "connections");
        cvg_doctor_remedy(finding, "set " UTILITY " to false in about:config");
    } else if (find_pref(profile->directory, PROXY, &pref) && strcmp(pref.value, BY_SCRIPT) == 0) {
        cvg_doctor_set(finding, CVG_DOCTOR_WARNING,
                       "it works, but a script chooses the proxy: behind one that is spoken to in "
                       "TLS (\"HTTPS\") only the proxy's own certificate is seen");
        cvg_doctor_remedy(finding, "set the proxy by hand in the network settings, or none");
    }
}

void cvg_doctor_profile(const struct cvg_mozilla_profile *profile, const char *nss_directory,
                        bool *ret_listed, struct cvg_doctor_finding *ret_finding)
{
    struct cvg_mozilla_told told = told_by_system(profile->app);

    *ret_listed = false;
    if (profile->confined != NULL) {
        cvg_doctor_set(ret_finding, CVG_DOCTOR_NOTE,
                       "cannot be covered: it is of a %s, where neither our modules nor the "
                       "agent's socket are",
                       profile->confined);
        cvg_doctor_remedy(ret_finding, "use the distribution's %s, or Mozilla's own archive",
                          profile->app->title);
        return;
    }
    cvg_doctor_database(nss_directory, profile->directory, ret_listed, ret_finding);
    if (*ret_listed && ret_finding->state != CVG_DOCTOR_BAD)
        judge_ways_round(profile, &told, ret_finding);
    else if (!*ret_listed && ret_finding->state != CVG_DOCTOR_BAD && told.module) {
        cvg_doctor_set(ret_finding, CVG_DOCTOR_WARNING,
                       "not enabled yet: the system's policies do that when %s is started",
                       profile->app->title);
        cvg_doctor_remedy(ret_finding, "start %s once", profile->app->title);
    } else if (!*ret_listed && ret_finding->state != CVG_DOCTOR_BAD) {
        cvg_doctor_set(ret_finding, CVG_DOCTOR_WARNING, "not enabled");
        cvg_doctor_remedy(ret_finding, "converge enable nss --profiles");
    }
}

bool cvg_doctor_all_users(const struct cvg_mozilla_app *app, struct cvg_doctor_finding *ret_finding)
{
    struct cvg_mozilla_told told = told_by_system(app);

    if (!told.module)
        return false;
    if (told.gone[0] != '\0')
        cvg_doctor_set(ret_finding, CVG_DOCTOR_BAD,
                       "not protected: the module is for every profile, but %.300s is gone",
                       told.gone);
    else if (told.http3)
        cvg_doctor_set(ret_finding, CVG_DOCTOR_GOOD,
                       "the module is for every profile that is started; HTTP/3 is off and locked");
    else
        cvg_doctor_set(ret_finding, CVG_DOCTOR_BAD,
                       "not protected: the module is for every profile, but HTTP/3, which goes "
                       "round it, is not off and locked");
    if (ret_finding->state != CVG_DOCTOR_GOOD)
        cvg_doctor_remedy(ret_finding, "sudo converge enable nss --%s", app->name);
    return true;
}

struct cvg_mozilla_profile *cvg_doctor_profiles(size_t *ret_count)
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    char below[PATH_MAX];

    *ret_count = 0;
    if (home == NULL || snprintf(below, sizeof below, "%s/.config", home) >= (int)sizeof below)
        return NULL;
    return cvg_mozilla_profiles_find(home, config != NULL && config[0] == '/' ? config : below,
                                     ret_count);
}

/* Good only if all that this user has are: the next start may take any. */
static void judge_profiles(const char *name, const char *directory, struct cvg_doctor_nss *nss)
{
    size_t count = 0, seen = 0;
    struct cvg_mozilla_profile *profiles = cvg_doctor_profiles(&count);

    cvg_doctor_nss_judge(nss, CVG_COVERED, "the module is at work in each profile of yours");
    for (size_t i = 0; i < count; i++) {
        struct cvg_doctor_finding finding = {.state = CVG_DOCTOR_BAD};
        bool listed = false;

        if (strcmp(profiles[i].app->title, name) != 0)
            continue;
        seen++;
        cvg_doctor_profile(&profiles[i], directory, &listed, &finding);
        cvg_doctor_nss_add(nss, profiles[i].directory, &finding);
        if ((!listed || finding.state == CVG_DOCTOR_BAD) && nss->coverage == CVG_COVERED) {
            cvg_doctor_nss_judge(nss, CVG_NOT_COVERED, "profile %.100s: %.400s", profiles[i].name,
                                 finding.text);
            snprintf(nss->remedy, sizeof nss->remedy, "%s", finding.remedy);
        }
    }
    free(profiles);
    if (seen == 0) {
        cvg_doctor_nss_judge(nss, CVG_NOT_COVERED, "you have no profile of %s yet", name);
        snprintf(nss->remedy, sizeof nss->remedy,
                 "start %s once, then: converge enable nss --profiles", name);
    }
}

void cvg_doctor_mozilla(const struct cvg_application *application, struct cvg_doctor_nss *nss)
{
    for (size_t i = 0; i < CVG_MOZILLA_COUNT; i++)
        if (strcmp(application->name, cvg_mozilla_apps[i].title) == 0) {
            judge_profiles(application->name, application->directory, nss);
            return;
        }
    cvg_doctor_nss_judge(nss, CVG_COVERAGE_UNKNOWN,
                         "%s is made of Firefox; where its profiles are is not known here",
                         application->name);
    snprintf(nss->remedy, sizeof nss->remedy,
             "converge enable nss DIRECTORY, for each of its profiles");
}
