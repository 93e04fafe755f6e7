/* SPDX-License-Identifier: MIT */
/* Updates of the bundles: once a day, one location after the other. Whether an update is good is
 * decided by its signature (bundle.h); here it is only fetched. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/agent-state.h"
#include "common/engine/curl-loop.h"
#include "common/engine/notary-easy.h"

#define DISABLED_MS 3600000 /* how often it is looked whether updates are wanted again */
#define DAY_S       86400
#define FIRST_MS    2000 /* not while the first programs wait */
#define SPREAD_MS   3000 /* machines that start together do not ask together */
#define FETCH_MS    20000

struct cvg_updates {
    struct cvg_agent *agent;
    uv_timer_t *timer;
    struct cvg_curl_loop *loop;
    struct cvg_electorate *electorate; /* whose bundles are gone through; NULL: none now */
    size_t next;
    struct cvg_pins *pins;
    struct cvg_easy easy; /* curl is NULL while nothing is under way */
    bool accepted;
};

static char *stamp_path(const struct cvg_updates *updates, char buf[static CVG_PATH_MAX + 16])
{
    snprintf(buf, CVG_PATH_MAX + 16, "%s/updates.stamp", updates->agent->paths.state_dir);
    return buf;
}

/* How long until a day has passed since the last round; a clock that stepped counts as a day. */
static int64_t seconds_left(const struct cvg_updates *updates)
{
    char path[CVG_PATH_MAX + 16];
    struct stat status;
    int64_t past;

    if (stat(stamp_path(updates, path), &status) != 0)
        return 0;
    past = cvg_clock_wall_s(updates->agent->world.clock) - (int64_t)status.st_mtime;
    return past < 0 || past >= DAY_S ? 0 : DAY_S - past;
}

static void stamp(const struct cvg_updates *updates)
{
    char path[CVG_PATH_MAX + 16];
    int fd = open(stamp_path(updates, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                  0600);

    if (fd < 0 || write(fd, "\n", 1) != 1)
        cvg_log(CVG_LOG_WARNING, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void on_due(uv_timer_t *timer);

static void schedule(struct cvg_updates *updates)
{
    const struct cvg_world *world = &updates->agent->world;

    uv_timer_start(updates->timer, on_due,
                   FIRST_MS + (uint64_t)seconds_left(updates) * 1000 +
                       world->below(world->user, SPREAD_MS),
                   0);
}

static void end_round(struct cvg_updates *updates)
{
    cvg_electorate_unref(updates->electorate);
    updates->electorate = NULL;
    stamp(updates);
    schedule(updates);
    if (!updates->accepted)
        return;
    updates->accepted = false;
    if (cvg_agent_reload(updates->agent, NULL) != CVG_OK)
        return;
}

static void end_fetch(struct cvg_updates *updates)
{
    cvg_easy_free(&updates->easy);
    cvg_pins_free(updates->pins);
    updates->pins = NULL;
}

static enum cvg_error begin_fetch(struct cvg_updates *updates, const struct cvg_bundle *bundle)
{
    enum cvg_error err = cvg_pins_new(bundle, &updates->pins);

    if (err == CVG_OK)
        err = cvg_easy_init_location(&updates->easy, bundle, updates->pins, FETCH_MS, updates);
    if (err == CVG_OK)
        err = cvg_curl_loop_add(updates->loop, updates->easy.curl);
    if (err != CVG_OK)
        end_fetch(updates);
    return err;
}

/* Only bundles with a key of their own can be updated (bundle.h). */
static void fetch_next(struct cvg_updates *updates)
{
    const struct cvg_bundles *bundles = &updates->electorate->bundles;

    while (updates->next < bundles->count) {
        const struct cvg_bundle *bundle = bundles->bundle[updates->next++];

        if (bundle->key_count > 0 && bundle->location[0] != '\0' &&
            begin_fetch(updates, bundle) == CVG_OK)
            return;
    }
    end_round(updates);
}

static void take(struct cvg_updates *updates, const struct cvg_bundle *old, CURLcode code)
{
    const struct cvg_buffer *body = &updates->easy.answer;
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {""};
    bool relay_failed;
    long status = 0;
    enum cvg_error err = cvg_easy_result(&updates->easy, code, false, &relay_failed);

    curl_easy_getinfo(updates->easy.curl, CURLINFO_RESPONSE_CODE, &status);
    if (err != CVG_OK || status != 200) {
        cvg_log(CVG_LOG_INFO, "no update of notary %s: %s (%ld)", old->name,
                err != CVG_OK ? cvg_strerror(err) : "HTTP status", status);
        return;
    }
    err = cvg_bundle_accept(&updates->agent->paths, old, (const char *)body->data, body->len,
                            &bundle, &why);
    /* The same serial again is what most days bring. */
    if (err != CVG_OK && err != CVG_ERR_VERSION)
        cvg_log(CVG_LOG_WARNING, "update of notary %s not taken: %s", old->name, why.text);
    if (err != CVG_OK)
        return;
    cvg_log(CVG_LOG_NOTICE, "notary %s: bundle updated to serial %llu", old->name,
            (unsigned long long)bundle->serial);
    cvg_bundle_free(bundle);
    updates->accepted = true;
}

static void on_done(CURL *easy, CURLcode code, void *user)
{
    struct cvg_updates *updates = user;

    (void)easy;
    take(updates, updates->electorate->bundles.bundle[updates->next - 1], code);
    end_fetch(updates);
    fetch_next(updates);
}

static void on_due(uv_timer_t *timer)
{
    struct cvg_updates *updates = timer->data;

    if (!updates->agent->electorate->config.bundle_update) {
        uv_timer_start(timer, on_due, DISABLED_MS, 0);
        return;
    }
    updates->electorate = cvg_electorate_ref(updates->agent->electorate);
    updates->next = 0;
    fetch_next(updates);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

enum cvg_error cvg_updates_new(struct cvg_agent *agent, struct cvg_updates **ret_updates)
{
    struct cvg_updates *updates = calloc(1, sizeof *updates);
    uv_timer_t *timer = calloc(1, sizeof *timer);
    enum cvg_error err = CVG_ERR_NOMEM;

    if (updates != NULL && timer != NULL)
        err = cvg_curl_loop_new(&agent->loop, on_done, updates, &updates->loop);
    if (err != CVG_OK) {
        free(updates);
        free(timer);
        return err;
    }
    uv_timer_init(&agent->loop, timer);
    timer->data = updates;
    updates->timer = timer;
    updates->agent = agent;
    schedule(updates);
    *ret_updates = updates;
    return CVG_OK;
}

void cvg_updates_free(struct cvg_updates *updates)
{
    if (updates == NULL)
        return;
    if (updates->easy.curl != NULL)
        cvg_curl_loop_remove(updates->loop, updates->easy.curl);
    end_fetch(updates);
    cvg_curl_loop_free(updates->loop);
    cvg_electorate_unref(updates->electorate);
    uv_close((uv_handle_t *)updates->timer, free_handle);
    free(updates);
}
