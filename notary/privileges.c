/* SPDX-License-Identifier: MIT */
/* What the process may do and use. */
#include "notary/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"

#define SPARE_DESCRIPTORS   64
#define LOOKS_PER_PROBE     8
#define QUESTIONS_PER_PROBE 2 /* to DNS, which go on when the probe has ended */

static enum cvg_error set_descriptors(const struct cvg_settings *settings, struct cvg_why *why)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)settings->max_connections + 2 * (rlim_t)settings->max_tunnels +
                    (LOOKS_PER_PROBE + QUESTIONS_PER_PROBE) * (rlim_t)settings->max_probes +
                    SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return cvg_fail(why, CVG_ERR_IO, "getrlimit: %s", strerror(errno));
    if (limit.rlim_cur >= wanted)
        return CVG_OK;
    if (limit.rlim_max < wanted && geteuid() == 0) {
        struct rlimit raised = {.rlim_cur = wanted, .rlim_max = wanted};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            return CVG_OK;
    }
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return cvg_fail(why, CVG_ERR_IO, "setrlimit: %s", strerror(errno));
    if (limit.rlim_cur < wanted)
        cvg_log(CVG_LOG_WARNING,
                "only %llu descriptors are allowed; %llu may be needed at the configured caps",
                (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
    return CVG_OK;
}

enum cvg_error cvg_limits_set(const struct cvg_settings *settings, struct cvg_why *ret_why)
{
    const struct rlimit no_core = {0, 0};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    umask(077);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0 ||
        sigaction(SIGXFSZ, &ignore, NULL) != 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "setting limits: %s", strerror(errno));
    return set_descriptors(settings, ret_why);
}

struct user {
    uid_t uid;
    gid_t gid;
};

static bool look_up(const char *name, struct user *ret_user)
{
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL)
        return false;
    *ret_user = (struct user){.uid = entry->pw_uid, .gid = entry->pw_gid};
    return true;
}

static enum cvg_error find_user(const struct cvg_settings *settings, struct user *ret_user,
                                struct cvg_why *why)
{
    if (settings->user[0] != '\0') {
        if (!look_up(settings->user, ret_user))
            return cvg_fail(why, CVG_ERR_CONFIG, "there is no user %s", settings->user);
    } else if (!look_up(CVG_NOTARY_USER_NAME, ret_user) && !look_up("nobody", ret_user)) {
        return cvg_fail(why, CVG_ERR_CONFIG, "there is neither a user %s nor nobody",
                        CVG_NOTARY_USER_NAME);
    }
    return CVG_OK;
}

/* Whether the user exists in this user namespace. Who is root only of a namespace of its own often
 * has nobody else there to become. Without the file there are no namespaces: everybody exists. */
static bool is_mapped(uid_t uid)
{
    unsigned long inside = 0, outside = 0, count = 0;
    bool mapped = false;
    FILE *file = fopen("/proc/self/uid_map", "re");
    if (file == NULL)
        return true;
    while (!mapped && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
        mapped = uid >= inside && uid - inside < count;
    fclose(file);
    return mapped;
}

static bool is_empty(const char *directory)
{
    DIR *list = opendir(directory);
    bool empty = list != NULL;
    const struct dirent *entry = NULL;
    while (empty && (entry = readdir(list)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (list != NULL)
        closedir(list);
    return empty;
}

/* Gives root's directory to the user, unless somebody else's files are in it: a database that is
 * configured to be in /etc must not cost the machine that directory. */
static enum cvg_error hand_over(const char *directory, uid_t owner, gid_t group,
                                struct cvg_why *why)
{
    struct stat info;
    if (stat(directory, &info) != 0)
        return cvg_fail(why, CVG_ERR_IO, "%s: %s", directory, strerror(errno));
    if (info.st_uid == owner)
        return CVG_OK;
    if (!is_empty(directory))
        return cvg_fail(
            why, CVG_ERR_OWNER,
            "%s: database and journal need a directory of their own: this one is not empty and "
            "belongs to uid %u, not to uid %u",
            directory, (unsigned)info.st_uid, (unsigned)owner);
    if (lchown(directory, owner, group) != 0)
        return cvg_fail(why, CVG_ERR_IO, "%s: chown: %s", directory, strerror(errno));
    return CVG_OK;
}

/* The file's directory; false if there is none of its own. */
static bool find_directory(const char *path, char ret_directory[static CVG_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return false;
    memcpy(ret_directory, path, (size_t)(slash - path));
    ret_directory[slash - path] = '\0';
    return true;
}

static enum cvg_error make_directory(const char *path, uid_t owner, gid_t group,
                                     struct cvg_why *why)
{
    char directory[CVG_PATH_MAX];
    if (!find_directory(path, directory))
        return CVG_OK;
    enum cvg_error err = cvg_directory_make(directory, owner, 0700, why);
    if (err == CVG_OK && geteuid() == 0)
        err = hand_over(directory, owner, group, why);
    return err;
}

/* The directories of database and journal belong to the user. */
static enum cvg_error make_directories(const struct cvg_settings *settings, uid_t owner,
                                       gid_t group, struct cvg_why *why)
{
    enum cvg_error err = make_directory(settings->database, owner, group, why);
    return err == CVG_OK ? make_directory(settings->journal, owner, group, why) : err;
}

/* Whether the user, who we are now, gets to the file: below /root, for example, nobody does. */
static enum cvg_error check_reach(const char *path, struct cvg_why *why)
{
    char directory[CVG_PATH_MAX];
    if (!find_directory(path, directory) || access(directory, R_OK | W_OK | X_OK) == 0)
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_OWNER,
                    "%s: uid %ld cannot get there: %s; choose a place to which every directory on "
                    "the way is open to it",
                    directory, (long)geteuid(), strerror(errno));
}

/* No program that this process could run would be given them back. */
static void empty_bounding_set(void)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         capability++)
        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/* A sandbox that lets nobody change capabilities has taken them already, perhaps. */
static bool has_none(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.effective = 1}};
    static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    return syscall(SYS_capget, &header, data) == 0 && memcmp(data, none, sizeof(data)) == 0;
}

/* Those that a service manager may have given for binding low ports, above all. */
static enum cvg_error drop_capabilities(struct cvg_why *why)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{.effective = 0}};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) != 0 && !has_none())
        return cvg_fail(why, CVG_ERR_IO, "capabilities cannot be dropped: %s", strerror(errno));
    return CVG_OK;
}

static enum cvg_error become(const struct user *user, struct cvg_why *why)
{
    empty_bounding_set();
    if (setgroups(0, NULL) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
        return cvg_fail(why, CVG_ERR_IO, "cannot become user %ld: %s", (long)user->uid,
                        strerror(errno));
    if (setuid(0) == 0)
        return cvg_fail(why, CVG_ERR_OWNER, "root could be regained");
    return CVG_OK;
}

/* What holds for whoever serves from here on. */
static enum cvg_error lock_down(struct cvg_why *why)
{
    enum cvg_error err = geteuid() == 0 ? CVG_OK : drop_capabilities(why);
    if (err == CVG_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        err = cvg_fail(why, CVG_ERR_IO, "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
    /* Others of the same user need not read the keys out of memory. */
    if (err == CVG_OK && prctl(PR_SET_DUMPABLE, 0) != 0)
        err = cvg_fail(why, CVG_ERR_IO, "PR_SET_DUMPABLE: %s", strerror(errno));
    return err;
}

static enum cvg_error drop_root(const struct cvg_settings *settings, struct cvg_why *why)
{
    struct user user = {0};
    enum cvg_error err = find_user(settings, &user, why);
    if (err == CVG_OK && settings->user[0] == '\0' && !is_mapped(user.uid)) {
        cvg_log(CVG_LOG_NOTICE, "nobody else to become in this user namespace");
        user = (struct user){.uid = 0, .gid = 0};
    }
    if (err == CVG_OK)
        err = make_directories(settings, user.uid, user.gid, why);
    if (err == CVG_OK && user.uid != 0)
        err = become(&user, why);
    if (err == CVG_OK)
        err = check_reach(settings->database, why);
    return err == CVG_OK ? check_reach(settings->journal, why) : err;
}

enum cvg_error cvg_privileges_drop(const struct cvg_settings *settings, struct cvg_why *ret_why)
{
    enum cvg_error err = geteuid() == 0 ? drop_root(settings, ret_why)
                                        : make_directories(settings, geteuid(), getegid(), ret_why);
    return err == CVG_OK ? lock_down(ret_why) : err;
}
