/* SPDX-License-Identifier: MIT */
/* Keeps one copy of the configuration per process, see settings.h.
 *
 * The lock is only ever tried: in a child forked while another thread held it, it stays locked, and
 * such a process reads its files each time. */
#include "config.h"

#include "common/client/settings.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"

/* Even if the files look the same, who may write to their directories may have changed. */
#define REREAD_AFTER_MS 60000

/* The two looks of one check, and the checks of a busy program, share one. */
#define LOOK_AGAIN_AFTER_MS 50

/* A file changed within the last tick of the file system's clock may change again unseen. */
#define SETTLED_AFTER_S 2

struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed;
};

static struct {
    struct cvg_settings settings;
    struct stamp system, own;
    uid_t uid;
    uint64_t read_at_ms;
    uint64_t looked_at_ms;
    bool valid;
} cache;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void stamp_of(const char *path, struct stamp *ret_stamp)
{
    struct stat st;

    memset(ret_stamp, 0, sizeof *ret_stamp);
    if (stat(path, &st) != 0)
        return;
    ret_stamp->device = st.st_dev;
    ret_stamp->inode = st.st_ino;
    ret_stamp->size = st.st_size;
    ret_stamp->modified = st.st_mtim;
    ret_stamp->changed = st.st_ctim;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

static void stamps(const struct cvg_settings *settings, struct stamp *ret_system,
                   struct stamp *ret_own)
{
    char path[CVG_PATH_MAX + 16];

    stamp_of(CVG_SYSCONFDIR "/converge.conf", ret_system);
    snprintf(path, sizeof path, "%s/converge.conf", settings->paths.config_dir);
    stamp_of(path, ret_own);
}

/* Where nobody can tell whether the administrator allows it, it is not allowed. */
static bool switched_off(const struct cvg_settings *settings)
{
    return !settings->broken && settings->config.allow_off && cvg_client_off();
}

static void read_files(struct cvg_settings *ret_settings)
{
    struct cvg_why why;

    memset(ret_settings, 0, sizeof *ret_settings);
    ret_settings->broken =
        cvg_config_load(&ret_settings->config, &ret_settings->paths, &why) != CVG_OK;
    if (ret_settings->broken)
        cvg_config_init(&ret_settings->config);
    cvg_client_program_name(ret_settings->program);
    ret_settings->excluded = cvg_client_excluded(&ret_settings->config, ret_settings->program) ||
                             switched_off(ret_settings);
}

static void copy(const struct cvg_settings *from, struct cvg_settings *ret_to)
{
    cvg_config_copy(&from->config, &ret_to->config);
    ret_to->paths = from->paths;
    memcpy(ret_to->program, from->program, sizeof ret_to->program);
    ret_to->broken = from->broken;
    ret_to->excluded = from->excluded;
}

static bool fresh_locked(void)
{
    uint64_t now_ms = cvg_clock_ms(cvg_clock_system());
    struct stamp system, own;

    if (!cache.valid || cache.uid != geteuid() || now_ms - cache.read_at_ms > REREAD_AFTER_MS)
        return false;
    if (now_ms - cache.looked_at_ms < LOOK_AGAIN_AFTER_MS)
        return true;
    stamps(&cache.settings, &system, &own);
    if (!same(&system, &cache.system) || !same(&own, &cache.own))
        return false;
    cache.looked_at_ms = now_ms;
    return true;
}

static void brief_of(const struct cvg_settings *settings, struct cvg_brief *ret_brief)
{
    ret_brief->mode = settings->config.mode;
    ret_brief->broken = settings->broken;
    ret_brief->excluded = settings->excluded;
}

static void keep_locked(const struct cvg_settings *settings)
{
    int64_t now_s = cvg_clock_wall_s(cvg_clock_system());

    cache.valid = false;
    stamps(settings, &cache.system, &cache.own);
    if (settings->broken || now_s - cache.system.changed.tv_sec < SETTLED_AFTER_S ||
        now_s - cache.own.changed.tv_sec < SETTLED_AFTER_S)
        return;
    copy(settings, &cache.settings);
    cache.uid = geteuid();
    cache.read_at_ms = cvg_clock_ms(cvg_clock_system());
    cache.looked_at_ms = cache.read_at_ms;
    cache.valid = true;
}

/* Gives what is kept, if it still holds: the whole, or the brief. */
static bool recall(struct cvg_settings *ret_settings, struct cvg_brief *ret_brief)
{
    bool known = false;

    if (pthread_mutex_trylock(&lock) != 0)
        return false;
    known = fresh_locked();
    if (known && ret_settings)
        copy(&cache.settings, ret_settings);
    if (known && ret_brief)
        brief_of(&cache.settings, ret_brief);
    pthread_mutex_unlock(&lock);
    return known;
}

void cvg_settings_get(struct cvg_settings *ret_settings)
{
    if (recall(ret_settings, NULL))
        return;
    read_files(ret_settings);
    if (pthread_mutex_trylock(&lock) == 0) {
        keep_locked(ret_settings);
        pthread_mutex_unlock(&lock);
    }
}

void cvg_settings_brief(struct cvg_brief *ret_brief)
{
    struct cvg_settings *settings;

    if (recall(NULL, ret_brief))
        return;
    ret_brief->broken = true;
    ret_brief->excluded = false;
    ret_brief->mode = CVG_MODE_AUGMENT;
    settings = malloc(sizeof *settings);
    if (!settings)
        return;
    cvg_settings_get(settings);
    brief_of(settings, ret_brief);
    free(settings);
}

enum cvg_action cvg_settings_unanswered(const struct cvg_settings *settings, enum cvg_pki pki)
{
    enum cvg_mode mode = settings ? settings->config.mode : CVG_MODE_AUGMENT;
    enum cvg_unreachable policy = settings ? settings->config.on_unreachable : CVG_UNREACHABLE_DENY;

    return cvg_action_of(mode, CVG_VERDICT_NONE, policy, pki == CVG_PKI_OK,
                         pki == CVG_PKI_TRUST_ERROR, false);
}
