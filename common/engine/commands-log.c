/* SPDX-License-Identifier: MIT */
/* log: the history, oldest first, in as many replies as it takes. One slice at a time: neither a
 * long history nor an asker who reads slowly holds up the loop, and no more than a page is kept. */
#include <stdlib.h>
#include <string.h>

#include "common/engine/commands-state.h"

#define PATIENCE_MS 60000 /* for an asker who does not take the next page */
#define LOGS_MAX    8     /* at once, in all; each holds files open */
#define LOGS_OF_UID 2

struct wish {
    uint32_t view;
    int64_t since_s, until_s;
    struct cvg_endpoint target;
    bool have_target;
    uint64_t limit; /* 0: all */
};

struct looking {
    struct errand *errand;
    struct cvg_history_reading *reading;
    uv_timer_t *timer;
    struct wish wish;
    bool counting;  /* the first time through: how many there are */
    uint64_t count; /* counting: found; then: to pass over */
    json_t *entries;
    size_t octets;
};

static bool wanted(const struct wish *wish, const struct cvg_verdict_entry *entry)
{
    if (wish->view != CVG_EVERYBODY && entry->uid != wish->view)
        return false;
    if (entry->time_s < wish->since_s || entry->time_s >= wish->until_s)
        return false;
    return !wish->have_target || (strcmp(entry->host, wish->target.host) == 0 &&
                                  (wish->target.port == 0 || wish->target.port == entry->port));
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void abandon(struct errand *errand)
{
    struct looking *looking = errand->extra;

    uv_close((uv_handle_t *)looking->timer, free_handle);
    cvg_history_end(looking->reading);
    json_decref(looking->entries);
    free(looking);
}

/* Takes the page that was gathered. */
static json_t *page(struct looking *looking)
{
    json_t *entries = looking->entries;

    looking->entries = json_array();
    looking->octets = 0;
    return json_pack("{s:b, s:o}", "ok", 1, "entries", entries);
}

static void on_turn(uv_timer_t *timer);

static void on_patience_over(uv_timer_t *timer)
{
    struct looking *looking = timer->data;

    cvg_errand_drop(looking->errand);
}

static void go_on(struct looking *looking)
{
    uv_timer_start(looking->timer, on_turn, 0, 0);
}

static void resume(struct errand *errand)
{
    go_on(errand->extra);
}

static void send_page(struct looking *looking)
{
    struct errand *errand = looking->errand;

    if (!cvg_errand_send(errand, page(looking)))
        return;
    if (errand->blocked)
        uv_timer_start(looking->timer, on_patience_over, PATIENCE_MS, 0);
    else
        go_on(looking);
}

static void count_over(struct looking *looking)
{
    uint64_t limit = looking->wish.limit;

    looking->counting = false;
    looking->count = looking->count > limit ? looking->count - limit : 0;
    cvg_history_rewind(looking->reading);
    go_on(looking);
}

static void take(struct looking *looking, const struct cvg_verdict_entry *entry)
{
    if (looking->counting) {
        looking->count++;
    } else if (looking->count > 0) {
        looking->count--;
    } else {
        looking->octets += cvg_json_entry_octets(entry->vote_count);
        json_array_append_new(looking->entries, cvg_json_entry(entry, "history"));
    }
}

static void on_turn(uv_timer_t *timer)
{
    struct looking *looking = timer->data;
    const struct cvg_verdict_entry *entry;
    bool pause;

    while ((entry = cvg_history_next(looking->reading, &pause)) != NULL) {
        if (!wanted(&looking->wish, entry))
            continue;
        take(looking, entry);
        if (looking->octets > CVG_REPLY_OCTETS - cvg_json_entry_octets(CVG_MESSAGE_VOTES_MAX)) {
            send_page(looking);
            return;
        }
    }
    if (pause)
        go_on(looking);
    else if (looking->counting)
        count_over(looking);
    else if (cvg_errand_send_last(looking->errand, page(looking)))
        uv_timer_start(timer, on_patience_over, PATIENCE_MS, 0);
}

/* An optional whole number that is not negative. */
static bool number_of(struct command *command, const char *name, json_int_t *ret_number)
{
    const json_t *value = json_object_get(command->body, name);

    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret_number = json_integer_value(value);
    return true;
}

/* False if the command is wrong, and answered. */
static bool read_wish(struct command *command, struct wish *ret_wish)
{
    json_int_t since_s = INT64_MIN, until_s = INT64_MAX, limit = 0;

    if (!number_of(command, "since_s", &since_s) || !number_of(command, "until_s", &until_s) ||
        !number_of(command, "limit", &limit)) {
        cvg_reply_error(command, "argument", "since_s, until_s and limit are numbers from 0");
        return false;
    }
    *ret_wish = (struct wish){
        .view = command->view, .since_s = since_s, .until_s = until_s, .limit = (uint64_t)limit};
    return cvg_command_target(command, false, &ret_wish->target, &ret_wish->have_target);
}

static bool too_many(const struct command *command)
{
    size_t all = 0, own = 0;

    for (const struct errand *errand = command->commands->errands; errand != NULL;
         errand = errand->next)
        if (errand->resume == resume) {
            all++;
            own += cvg_conn_uid(errand->conn) == cvg_conn_uid(command->conn);
        }
    return all >= LOGS_MAX || own >= LOGS_OF_UID;
}

static struct looking *new_looking(struct cvg_agent *agent)
{
    struct looking *looking = calloc(1, sizeof *looking);
    uv_timer_t *timer = calloc(1, sizeof *timer);

    if (looking == NULL || timer == NULL ||
        cvg_history_read(agent->history, &looking->reading) != CVG_OK) {
        free(looking);
        free(timer);
        return NULL;
    }
    uv_timer_init(&agent->loop, timer);
    timer->data = looking;
    looking->timer = timer;
    looking->entries = json_array();
    return looking;
}

bool cvg_command_log(struct command *command)
{
    struct cvg_agent *agent = command->agent;
    struct looking *looking;
    struct errand *errand;
    struct wish wish;

    if (!read_wish(command, &wish))
        return false;
    if (agent->history == NULL || agent->electorate->config.history == 0)
        return cvg_reply_error(command, "config", "no history is kept (history = 0)");
    if (too_many(command))
        return cvg_reply_error(command, "busy", "too many are reading the history");
    errand = cvg_errand_new(command);
    if (errand == NULL)
        return false;
    looking = new_looking(agent);
    if (looking == NULL) {
        cvg_errand_finish(errand, json_pack("{s:b, s:s, s:s}", "ok", 0, "error", "internal",
                                            "message", "out of memory"));
        return false;
    }
    looking->wish = wish;
    looking->counting = wish.limit != 0;
    looking->errand = errand;
    errand->extra = looking;
    errand->abandon = abandon;
    errand->resume = resume;
    go_on(looking);
    return true;
}
