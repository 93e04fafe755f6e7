/* SPDX-License-Identifier: MIT */
/* How a record is found: in the inbox, else in the journal, else in the store. */
#include <stdlib.h>

#include "notary/keeper-parts.h"

/* One look into the store. */
struct get {
    struct cvg_link link; /* in the keeper's list */
    struct cvg_keeper *keeper;
    struct cvg_fetch *fetch;
};

void cvg_keeper_answer(struct cvg_fetch *fetch, enum cvg_error err)
{
    fetch->err = err;
    cvg_mailbox_post(fetch->mailbox, &fetch->letter);
}

/* What fails its checksum or signature is as if it were not there. */
static void reject(struct cvg_keeper *keeper)
{
    cvg_metrics_add(keeper->metrics, CVG_METRIC_STORE_REJECTED, 1);
}

static void forget(struct get *get)
{
    get->keeper->gets--;
    cvg_list_remove(&get->link);
    free(get);
}

static void got(enum cvg_error err, const void *value, size_t len, void *user)
{
    struct get get = *(struct get *)user;
    forget(user);
    if (err == CVG_OK)
        err = cvg_buffer_put(&get.fetch->value, value, len);
    if (err == CVG_ERR_CORRUPT || err == CVG_ERR_SIGNATURE) {
        reject(get.keeper);
        err = CVG_ERR_NOT_FOUND;
    }
    cvg_keeper_answer(get.fetch, err);
    if (!cvg_list_empty(&get.keeper->waiting))
        uv_async_send(&get.keeper->wake);
}

static void look_into_store(struct cvg_keeper *keeper, struct cvg_fetch *fetch)
{
    struct get *get = malloc(sizeof(*get));
    if (get == NULL) {
        cvg_keeper_answer(fetch, CVG_ERR_NOMEM);
        return;
    }
    *get = (struct get){.keeper = keeper, .fetch = fetch};
    cvg_list_init(&get->link);
    cvg_list_push(&keeper->under_way, &get->link);
    keeper->gets++;
    keeper->backend->get(keeper->backend, fetch->key, fetch->key_len, got, get);
}

static void serve_waiting(struct cvg_keeper *keeper)
{
    while (!cvg_list_empty(&keeper->waiting) && keeper->gets < CVG_KEEPER_GETS) {
        struct cvg_fetch *fetch =
            CVG_CONTAINER_OF(keeper->waiting.next, struct cvg_fetch, letter.link);
        cvg_list_remove(&fetch->letter.link);
        look_into_store(keeper, fetch);
    }
}

static enum cvg_error look_into_journal(struct cvg_keeper *keeper, struct cvg_fetch *fetch)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    enum cvg_error err =
        cvg_journal_get(keeper->journal, fetch->key, fetch->key_len, &buffer, &record);
    if (err == CVG_OK)
        err = cvg_buffer_put(&fetch->value, record.value, record.value_len);
    cvg_buffer_free(&buffer);
    if (err == CVG_ERR_CORRUPT)
        reject(keeper);
    return err == CVG_OK || err == CVG_ERR_NOMEM ? err : CVG_ERR_NOT_FOUND;
}

static void serve(struct cvg_keeper *keeper, struct cvg_fetch *fetch)
{
    enum cvg_error err = cvg_inbox_find(keeper->inbox, fetch->key, fetch->key_len, &fetch->value);
    if (err == CVG_ERR_NOT_FOUND && (keeper->is_over || keeper->backend == NULL))
        err = CVG_ERR_IO;
    if (err == CVG_ERR_NOT_FOUND)
        err = look_into_journal(keeper, fetch);
    if (err == CVG_ERR_NOT_FOUND)
        cvg_list_push(&keeper->waiting, &fetch->letter.link);
    else
        cvg_keeper_answer(fetch, err);
}

void cvg_keeper_serve(struct cvg_keeper *keeper)
{
    struct cvg_fetch *fetch = NULL;
    while ((fetch = cvg_inbox_next_fetch(keeper->inbox)) != NULL)
        serve(keeper, fetch);
    serve_waiting(keeper);
}

void cvg_keeper_give_up(struct cvg_keeper *keeper)
{
    while (!cvg_list_empty(&keeper->under_way)) {
        struct get *get = CVG_CONTAINER_OF(keeper->under_way.next, struct get, link);
        cvg_keeper_answer(get->fetch, CVG_ERR_IO);
        forget(get);
    }
    while (!cvg_list_empty(&keeper->waiting)) {
        struct cvg_link *link = keeper->waiting.next;
        cvg_list_remove(link);
        cvg_keeper_answer(CVG_CONTAINER_OF(link, struct cvg_fetch, letter.link), CVG_ERR_IO);
    }
    cvg_keeper_serve(keeper);
}
