/* SPDX-License-Identifier: MIT */
/* Updates of the bundles: once a day and when asked to, one location after the other. Whether an
 * update is good is decided by its signature (bundle.h); here it is only fetched. */
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
#include "common/engine/bundle-updates.h"
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
    bool asked; /* this round, which on_look and on_end (NULL: nobody is left) are told of */
    char only[CVG_MESSAGE_NAME_MAX]; /* of that round: the one notary, or "" */
    cvg_look_fn *on_look;
    cvg_looked_fn *on_end;
    void *user;
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

static void tell_end(struct cvg_updates *updates)
{
    cvg_looked_fn *on_end = updates->on_end;
    void *user = updates->user;

    updates->asked = false;
    updates->only[0] = '\0';
    updates->on_look = NULL;
    updates->on_end = NULL;
    updates->user = NULL;
    if (on_end != NULL)
        on_end(user);
}

static void end_round(struct cvg_updates *updates)
{
    bool accepted = updates->accepted;

    cvg_electorate_unref(updates->electorate);
    updates->electorate = NULL;
    updates->accepted = false;
    if (updates->only[0] == '\0')
        stamp(updates);
    schedule(updates);
    if (accepted && cvg_agent_reload(updates->agent, NULL) != CVG_OK)
        cvg_log(CVG_LOG_WARNING, "the updates are in force after the next start");
    /* Who asked finds them in force. */
    tell_end(updates);
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

/* Tells who asked, and notes when it was. */
static void tell_look(struct cvg_updates *updates, const struct cvg_bundle *bundle,
                      const struct cvg_look *look)
{
    if (look->result != CVG_LOOK_NOWHERE)
        cvg_bundle_note_look(&updates->agent->paths, bundle);
    if (updates->on_look != NULL)
        updates->on_look(bundle, look, updates->user);
}

static void tell_fault(struct cvg_updates *updates, const struct cvg_bundle *bundle,
                       enum cvg_error err)
{
    struct cvg_look look = {.result = CVG_LOOK_FAILED, .serial = bundle->serial};

    snprintf(look.why, sizeof look.why, "%s", cvg_strerror(err));
    tell_look(updates, bundle, &look);
}

/* Whether its answer is waited for; what has no answer is told here. */
static bool look_at(struct cvg_updates *updates, const struct cvg_bundle *bundle)
{
    struct cvg_look nowhere = {.result = CVG_LOOK_NOWHERE, .serial = bundle->serial};
    enum cvg_error err;

    if (updates->only[0] != '\0' && strcmp(updates->only, bundle->name) != 0)
        return false;
    if (!cvg_bundle_updates_itself(bundle)) {
        tell_look(updates, bundle, &nowhere);
        return false;
    }
    err = begin_fetch(updates, bundle);
    if (err != CVG_OK)
        tell_fault(updates, bundle, err);
    return err == CVG_OK;
}

static void fetch_next(struct cvg_updates *updates)
{
    const struct cvg_bundles *bundles = &updates->electorate->bundles;

    while (updates->next < bundles->count)
        if (look_at(updates, bundles->bundle[updates->next++]))
            return;
    end_round(updates);
}

/* Whether there is a whole answer; why not is put into the look. */
static bool have_answer(struct cvg_updates *updates, const struct cvg_bundle *old, CURLcode code,
                        struct cvg_look *look)
{
    bool relay_failed;
    long status = 0;
    enum cvg_error err = cvg_easy_result(&updates->easy, code, false, &relay_failed);

    curl_easy_getinfo(updates->easy.curl, CURLINFO_RESPONSE_CODE, &status);
    if (err == CVG_OK && status == 200)
        return true;
    look->result = CVG_LOOK_FAILED;
    if (err != CVG_OK)
        snprintf(look->why, sizeof look->why, "%s", cvg_strerror(err));
    else
        snprintf(look->why, sizeof look->why, "the answer has HTTP status %ld", status);
    cvg_log(CVG_LOG_INFO, "no update of notary %s: %s", old->name, look->why);
    return false;
}

static bool is_older(const struct cvg_bundle *old, const struct cvg_buffer *body)
{
    struct cvg_bundle *bundle = NULL;
    bool older = cvg_bundle_parse((const char *)body->data, body->len, &bundle, NULL) == CVG_OK &&
                 (bundle->serial < old->serial || bundle->version < old->version);

    cvg_bundle_free(bundle);
    return older;
}

static void take(struct cvg_updates *updates, const struct cvg_bundle *old, struct cvg_look *look)
{
    const struct cvg_buffer *body = &updates->easy.answer;
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_bundle_accept(&updates->agent->paths, old, (const char *)body->data,
                                           body->len, &bundle, &why);

    /* The same serial again is what most days bring; an older one is a stale copy, or worse. */
    look->result = err == CVG_OK            ? CVG_LOOK_UPDATED
                   : err != CVG_ERR_VERSION ? CVG_LOOK_NOT_TAKEN
                   : is_older(old, body)    ? CVG_LOOK_OLDER
                                            : CVG_LOOK_UNCHANGED;
    if (look->result == CVG_LOOK_NOT_TAKEN || look->result == CVG_LOOK_OLDER) {
        snprintf(look->why, sizeof look->why, "%s", why.text);
        cvg_log(CVG_LOG_WARNING, "update of notary %s not taken: %s", old->name, why.text);
    }
    if (err != CVG_OK)
        return;
    look->serial = bundle->serial;
    cvg_log(CVG_LOG_NOTICE, "notary %s: bundle updated to serial %llu", old->name,
            (unsigned long long)bundle->serial);
    cvg_bundle_free(bundle);
    updates->accepted = true;
}

static void on_done(CURL *easy, CURLcode code, void *user)
{
    struct cvg_updates *updates = user;
    const struct cvg_bundle *bundle = updates->electorate->bundles.bundle[updates->next - 1];
    struct cvg_look look = {.result = CVG_LOOK_FAILED, .serial = bundle->serial};

    (void)easy;
    if (have_answer(updates, bundle, code, &look))
        take(updates, bundle, &look);
    end_fetch(updates);
    tell_look(updates, bundle, &look);
    fetch_next(updates);
}

static void on_due(uv_timer_t *timer)
{
    struct cvg_updates *updates = timer->data;

    if (!updates->asked && !updates->agent->electorate->config.bundle_update) {
        uv_timer_start(timer, on_due, DISABLED_MS, 0);
        return;
    }
    updates->electorate = cvg_electorate_ref(updates->agent->electorate);
    updates->next = 0;
    fetch_next(updates);
}

enum cvg_error cvg_updates_look(struct cvg_updates *updates, const char *name, cvg_look_fn *on_look,
                                cvg_looked_fn *on_end, void *user)
{
    if (updates->electorate != NULL || updates->asked)
        return CVG_ERR_BUSY;
    updates->asked = true;
    snprintf(updates->only, sizeof updates->only, "%s", name != NULL ? name : "");
    updates->on_look = on_look;
    updates->on_end = on_end;
    updates->user = user;
    uv_timer_start(updates->timer, on_due, 0, 0);
    return CVG_OK;
}

void cvg_updates_leave(struct cvg_updates *updates, const void *user)
{
    if (updates == NULL || updates->user != user)
        return;
    updates->on_look = NULL;
    updates->on_end = NULL;
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
