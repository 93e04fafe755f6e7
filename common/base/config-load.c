/* SPDX-License-Identifier: MIT */
/* Which configuration applies to this process, and where its installation's files are. Runs inside
 * strangers' processes: whatever cannot be believed is an error, never a reason to go on with
 * something weaker. */
#include "common/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/user.h"

#define FILE_MAX   65536
#define PASSWD     "/etc/passwd"
#define NOBODY_UID 65534

/* Joins up to three parts into a path of ours. */
static enum cvg_error join(char ret_path[static CVG_PATH_MAX], const char *first,
                           const char *second, const char *third, struct cvg_why *why)
{
    int len = snprintf(ret_path, CVG_PATH_MAX, "%s%s%s", first, second, third);

    if (len < 0 || len >= CVG_PATH_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "a path that begins with %.100s is over %d octets",
                        first, CVG_PATH_MAX - 1);
    return CVG_OK;
}

/* Reads converge.conf in the directory over the defaults. NOT_FOUND leaves *ret_config alone. */
static enum cvg_error read_file(const char *dir, uid_t owner, struct cvg_config *ret_config,
                                struct cvg_why *why)
{
    char path[CVG_PATH_MAX];
    struct cvg_buffer data;
    enum cvg_error err = join(path, dir, "/converge.conf", "", why);

    if (err != CVG_OK)
        return err;
    err = cvg_file_read(path, owner, FILE_MAX, true, &data, why);
    if (err == CVG_OK)
        err = cvg_config_parse((const char *)data.data, data.len, path, ret_config, why);
    cvg_buffer_free(&data);
    return err;
}

/* Whom a system's agent runs as. Where that cannot be told just now, nobody is not believed
 * instead. */
static enum cvg_error agent_uid(uid_t *ret_uid, struct cvg_why *why)
{
    enum cvg_error err = cvg_user_find(PASSWD, CVG_AGENT_USER_NAME, ret_uid);

    if (err == CVG_ERR_NOT_FOUND)
        err = cvg_user_find(PASSWD, "nobody", ret_uid);
    if (err == CVG_ERR_NOT_FOUND) {
        *ret_uid = NOBODY_UID;
        return CVG_OK;
    }
    return err == CVG_OK ? err : cvg_fail(why, err, "%s: cannot be read", PASSWD);
}

static enum cvg_error system_paths(struct cvg_paths *paths, struct cvg_why *why)
{
    enum cvg_error err = agent_uid(&paths->owner, why);

    paths->kind = CVG_AGENT_SYSTEM;
    if (err == CVG_OK)
        err = join(paths->config_dir, CVG_SYSCONFDIR, "", "", why);
    if (err == CVG_OK)
        err = join(paths->runtime_dir, CVG_RUNTIMEDIR, "", "", why);
    if (err == CVG_OK)
        err = join(paths->cache_dir, CVG_CACHEDIR, "", "", why);
    return err == CVG_OK ? join(paths->state_dir, CVG_STATEDIR, "", "", why) : err;
}

/* Whether the directory that the environment names may be believed, and whose it is. */
static enum cvg_error check_own_dir(const char *dir, uid_t *ret_owner, struct cvg_why *why)
{
    uid_t uid = geteuid();
    struct stat st;

    if (dir[0] != '/')
        return cvg_fail(why, CVG_ERR_CONFIG, "CONVERGE_CONFIG_DIR=%.100s: not an absolute path",
                        dir);
    if (stat(dir, &st) != 0)
        return cvg_fail(why, errno == ENOENT ? CVG_ERR_NOT_FOUND : CVG_ERR_IO,
                        "CONVERGE_CONFIG_DIR=%.100s: %s", dir, strerrordesc_np(errno));
    if (!S_ISDIR(st.st_mode))
        return cvg_fail(why, CVG_ERR_CONFIG, "CONVERGE_CONFIG_DIR=%.100s: not a directory", dir);
    if ((st.st_uid != 0 && st.st_uid != uid) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return cvg_fail(why, CVG_ERR_OWNER,
                        "CONVERGE_CONFIG_DIR=%.100s: must belong to root%s and be writable by "
                        "nobody else",
                        dir, uid == 0 ? "" : " or to you");
    *ret_owner = st.st_uid;
    return CVG_OK;
}

/* A self-contained installation. Whoever owns the directory runs its agent. */
static enum cvg_error load_own_dir(const char *dir, struct cvg_config *config,
                                   struct cvg_paths *paths, struct cvg_why *why)
{
    uid_t owner = (uid_t)-1;
    enum cvg_error err = check_own_dir(dir, &owner, why);

    if (err != CVG_OK)
        return err;
    cvg_config_init(config);
    err = read_file(dir, owner, config, why);
    if (err != CVG_OK && err != CVG_ERR_NOT_FOUND)
        return err;
    paths->kind = owner == 0 ? CVG_AGENT_SYSTEM : CVG_AGENT_USER;
    paths->owner = owner;
    err = owner == 0 ? agent_uid(&paths->owner, why) : CVG_OK;
    if (err == CVG_OK)
        err = join(paths->config_dir, dir, "", "", why);
    if (err == CVG_OK)
        err = join(paths->runtime_dir, dir, "/run", "", why);
    if (err == CVG_OK)
        err = join(paths->cache_dir, dir, "/cache", "", why);
    return err == CVG_OK ? join(paths->state_dir, dir, "/state", "", why) : err;
}

/* $variable/converge, else $HOME/fallback/converge. Relative values are ignored, as the XDG
 * specification has it. */
static enum cvg_error xdg_dir(const char *variable, const char *fallback,
                              char ret_path[static CVG_PATH_MAX], struct cvg_why *why)
{
    const char *dir = secure_getenv(variable);
    const char *home = secure_getenv("HOME");

    if (dir != NULL && dir[0] == '/')
        return join(ret_path, dir, "/converge", "", why);
    if (home == NULL || home[0] != '/')
        return cvg_fail(why, CVG_ERR_CONFIG, "neither %s nor HOME is set to an absolute path",
                        variable);
    return join(ret_path, home, fallback, "/converge", why);
}

static enum cvg_error xdg_runtime_dir(char ret_path[static CVG_PATH_MAX], struct cvg_why *why)
{
    const char *dir = secure_getenv("XDG_RUNTIME_DIR");
    char fallback[32];

    snprintf(fallback, sizeof fallback, "/run/user/%u", (unsigned)geteuid());
    return join(ret_path, dir != NULL && dir[0] == '/' ? dir : fallback, "/converge", "", why);
}

/* The user's own installation; where the user has no file, the administrator's values stay. */
static enum cvg_error load_xdg(struct cvg_config *config, struct cvg_paths *paths,
                               struct cvg_why *why)
{
    enum cvg_error err = xdg_dir("XDG_CONFIG_HOME", "/.config", paths->config_dir, why);

    if (err == CVG_OK)
        err = xdg_runtime_dir(paths->runtime_dir, why);
    if (err == CVG_OK)
        err = xdg_dir("XDG_CACHE_HOME", "/.cache", paths->cache_dir, why);
    if (err == CVG_OK)
        err = xdg_dir("XDG_DATA_HOME", "/.local/share", paths->state_dir, why);
    if (err != CVG_OK)
        return err;
    paths->kind = CVG_AGENT_USER;
    paths->owner = geteuid();
    err = read_file(paths->config_dir, paths->owner, config, why);
    return err == CVG_ERR_NOT_FOUND ? CVG_OK : err;
}

/* The administrator's file is in *config; another may take its place. */
static enum cvg_error load_in_force(struct cvg_config *config, struct cvg_paths *paths,
                                    struct cvg_why *why)
{
    const char *own_dir = secure_getenv("CONVERGE_CONFIG_DIR");

    if (config->lock || getauxval(AT_SECURE) != 0)
        return system_paths(paths, why);
    if (own_dir != NULL && own_dir[0] != '\0')
        return load_own_dir(own_dir, config, paths, why);
    if (config->agent == CVG_AGENT_USER && geteuid() != 0)
        return load_xdg(config, paths, why);
    return system_paths(paths, why);
}

static enum cvg_error load(struct cvg_config *config, struct cvg_paths *paths, struct cvg_why *why)
{
    enum cvg_error err = read_file(CVG_SYSCONFDIR, 0, config, why);
    bool allowed;

    if (err != CVG_OK && err != CVG_ERR_NOT_FOUND)
        return err;
    allowed = config->allow_off;
    err = load_in_force(config, paths, why);
    config->allow_off = config->allow_off && allowed;
    return err;
}

enum cvg_error cvg_config_load(struct cvg_config *ret_config, struct cvg_paths *ret_paths,
                               struct cvg_why *ret_why)
{
    int saved = errno;
    struct cvg_config *config = malloc(sizeof *config);
    struct cvg_paths paths;
    enum cvg_error err;

    if (config == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "configuration: %s", cvg_strerror(CVG_ERR_NOMEM));
    cvg_config_init(config);
    memset(&paths, 0, sizeof paths);
    err = load(config, &paths, ret_why);
    if (err == CVG_OK) {
        cvg_config_copy(config, ret_config);
        *ret_paths = paths;
    }
    free(config);
    errno = saved;
    return err;
}
