/* SPDX-License-Identifier: MIT */
/* The agent: whether one runs and can be believed, of which version, in which mode, and its cache.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "tools/agent-command.h"
#include "tools/doctor.h"

#define STATUS_TIMEOUT_MS 3000
#define DAMAGED           "cache.gdbm.damaged"
#define FULL_BELOW        (1024UL * 1024UL)

/* How this installation gets its agent back. */
static const char *how_to_start(const struct cvg_paths *paths)
{
    if (strcmp(paths->runtime_dir, CVG_RUNTIMEDIR) == 0)
        return "sudo systemctl enable --now converge-agent.socket (without systemd: start "
               "converge-agent at boot, with idle_exit = 0)";
    if (strncmp(paths->runtime_dir, paths->config_dir, strlen(paths->config_dir)) == 0)
        return "converge check HOST starts it, and so does converge run";
    return "systemctl --user enable --now converge-agent.socket (without systemd: `converge check "
           "HOST` starts it)";
}

static void tell_no_agent(const struct cvg_paths *paths, enum cvg_error err,
                          const struct cvg_why *why, struct cvg_doctor_report *report)
{
    const char *remedy = err == CVG_ERR_UNREACHABLE ? how_to_start(paths)
                         : err == CVG_ERR_OWNER
                             ? "find out who listens there, end it, and start the agent again"
                             : "sudo systemctl restart converge-agent, and see its log";

    cvg_doctor_add(report, CVG_DOCTOR_AGENT, "agent", "", CVG_DOCTOR_BAD, remedy, "%s", why->text);
}

/* Said first: it explains most of what follows. */
static void tell_portal(const json_t *status, struct cvg_doctor_report *report)
{
    const json_t *portal = json_object_get(status, "portal");
    const char *url = cvg_reply_text(portal, "url");
    char remedy[CVG_DOCTOR_DO_MAX];

    if (!json_is_true(json_object_get(portal, "found")))
        return;
    snprintf(remedy, sizeof remedy, "log in to this network first%s%s", url[0] != '\0' ? ": " : "",
             url);
    cvg_doctor_add(report, CVG_DOCTOR_AGENT, "captive-portal", "", CVG_DOCTOR_WARNING, remedy,
                   "this network lets nobody out before a login: the notaries cannot be reached");
}

static void tell_version(const json_t *status, struct cvg_doctor_report *report)
{
    const char *version = cvg_reply_text(status, "version");

    if (version[0] != '\0' && strcmp(version, PACKAGE_VERSION) != 0)
        cvg_doctor_add(report, CVG_DOCTOR_AGENT, "agent-version", "", CVG_DOCTOR_WARNING,
                       "end the agent that runs (`kill` and its pid): the next one is new",
                       "the agent is of version %s, this command of version " PACKAGE_VERSION,
                       version);
}

/* A program keeps the plug-in that it was started with. */
static void tell_releases(const json_t *status, struct cvg_doctor_report *report)
{
    const json_t *releases = json_object_get(status, "releases"), *heard;
    size_t index;

    json_array_foreach(json_object_get(releases, "heard"), index, heard) {
        const char *release = cvg_reply_text(heard, "release");

        if (release[0] != '\0' && strcmp(release, PACKAGE_VERSION) != 0)
            cvg_doctor_add(report, CVG_DOCTOR_AGENT, "plug-in-version", release, CVG_DOCTOR_NOTE,
                           "restart the programs that run since before the upgrade",
                           "programs with a plug-in of that release ask the agent");
    }
    if (json_is_true(json_object_get(releases, "foreign")))
        cvg_doctor_add(report, CVG_DOCTOR_AGENT, "plug-in-foreign", "", CVG_DOCTOR_WARNING,
                       "install plug-ins and agent of one major version, then restart the programs",
                       "a program whose plug-in speaks another version of the agent's protocol was "
                       "not answered");
}

/* Why the cache is not written, as far as can be seen from here. */
static const char *why_not_written(const char *directory, const char **ret_remedy)
{
    struct statvfs space;
    struct stat st;

    *ret_remedy = "see the agent's log, mend it, then: converge cache clear";
    if (stat(directory, &st) != 0)
        return strerror(errno);
    if (statvfs(directory, &space) != 0)
        return strerror(errno);
    if ((space.f_flag & ST_RDONLY) != 0)
        return "the file system is read-only";
    if ((unsigned long long)space.f_bavail * space.f_frsize < FULL_BELOW) {
        *ret_remedy = "make room on its file system, then restart the agent";
        return "the disk is full";
    }
    return "the agent could not make or write its file";
}

static void tell_damaged(const char *directory, struct cvg_doctor_report *report)
{
    char path[CVG_PATH_MAX + 32], remedy[CVG_PATH_MAX + 128];
    struct stat st;

    snprintf(path, sizeof path, "%s/" DAMAGED, directory);
    if (stat(path, &st) != 0)
        return;
    snprintf(remedy, sizeof remedy, "look for the disk's faults in the system's log; then: rm %s",
             path);
    cvg_doctor_add(report, CVG_DOCTOR_AGENT, "cache-damaged", path, CVG_DOCTOR_NOTE, remedy,
                   "a damaged cache was moved aside, and a new one begun");
}

static void tell_cache(const struct cvg_paths *paths, const json_t *status,
                       struct cvg_doctor_report *report)
{
    const json_t *cache = json_object_get(status, "cache");
    const char *remedy = NULL;

    if (cache == NULL)
        return;
    if (json_is_false(json_object_get(cache, "writing"))) {
        const char *reason = why_not_written(paths->cache_dir, &remedy);

        cvg_doctor_add(report, CVG_DOCTOR_AGENT, "cache", paths->cache_dir, CVG_DOCTOR_WARNING,
                       remedy,
                       "the cache is not written (%s): what was verified is forgotten "
                       "when the agent ends",
                       reason);
    } else {
        cvg_doctor_add(report, CVG_DOCTOR_AGENT, "cache", "", CVG_DOCTOR_GOOD, NULL,
                       "the cache has %lld records in %lld KiB", cvg_reply_number(cache, "records"),
                       (cvg_reply_number(cache, "octets") + 1023) / 1024);
    }
    tell_damaged(paths->cache_dir, report);
}

bool cvg_doctor_agent(const struct cvg_installation *installation, struct cvg_doctor_report *report)
{
    struct cvg_why why = {""};
    json_t *status = NULL;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "status"),
                      STATUS_TIMEOUT_MS, &status, &why);

    if (err != CVG_OK) {
        tell_no_agent(&installation->paths, err, &why, report);
        return false;
    }
    tell_portal(status, report);
    if (cvg_reply_text(status, "config_error")[0] != '\0')
        cvg_doctor_add(report, CVG_DOCTOR_AGENT, "agent", "", CVG_DOCTOR_WARNING,
                       "mend what it names: the agent reads it again by itself",
                       "the agent runs on an old configuration: %s",
                       cvg_reply_text(status, "config_error"));
    else
        cvg_doctor_add(report, CVG_DOCTOR_AGENT, "agent", "", CVG_DOCTOR_GOOD, NULL,
                       "the agent runs (pid %lld), mode %s", cvg_reply_number(status, "pid"),
                       cvg_reply_text(status, "mode"));
    tell_version(status, report);
    tell_releases(status, report);
    tell_cache(&installation->paths, status, report);
    json_decref(status);
    return true;
}
