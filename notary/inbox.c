/* SPDX-License-Identifier: MIT */
/* A table and two lists under one lock. */
#include "notary/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cvg_inbox {
    uv_async_t *wake; /* NULL: closed */
    pthread_mutex_t lock;
    struct cvg_table *table;
    struct cvg_link parcels; /* oldest first */
    struct cvg_link fetches;
    atomic_uint_fast64_t octets;
};

enum cvg_error cvg_inbox_new(uv_async_t *wake, struct cvg_inbox **ret_inbox)
{
    struct cvg_inbox *inbox = calloc(1, sizeof(*inbox));
    if (inbox == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = cvg_table_new(&inbox->table);
    if (err != CVG_OK) {
        free(inbox);
        return err;
    }
    inbox->wake = wake;
    pthread_mutex_init(&inbox->lock, NULL);
    cvg_list_init(&inbox->parcels);
    cvg_list_init(&inbox->fetches);
    *ret_inbox = inbox;
    return CVG_OK;
}

static uint64_t weight(const struct cvg_parcel *parcel)
{
    return sizeof(*parcel) + parcel->key_len + parcel->value_len;
}

static void remove_locked(struct cvg_inbox *inbox, struct cvg_parcel *parcel)
{
    cvg_table_remove(inbox->table, &parcel->node);
    cvg_list_remove(&parcel->link);
    atomic_fetch_sub(&inbox->octets, weight(parcel));
}

void cvg_inbox_free(struct cvg_inbox *inbox)
{
    if (inbox == NULL)
        return;
    struct cvg_parcel *parcel = NULL;
    while ((parcel = cvg_inbox_take(inbox)) != NULL)
        free(parcel);
    cvg_table_free(inbox->table);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
}

static struct cvg_parcel *wrap(const void *key, size_t key_len, const void *value, size_t value_len)
{
    struct cvg_parcel *parcel = calloc(1, sizeof(*parcel) + key_len + value_len);
    if (parcel == NULL)
        return NULL;
    memcpy(parcel->octets, key, key_len);
    memcpy(parcel->octets + key_len, value, value_len);
    parcel->key_len = parcel->node.key_len = key_len;
    parcel->value_len = value_len;
    parcel->node.key = parcel->octets;
    cvg_list_init(&parcel->link);
    return parcel;
}

static struct cvg_parcel *find_locked(struct cvg_inbox *inbox, const void *key, size_t key_len)
{
    struct cvg_node *node = cvg_table_find(inbox->table, key, key_len);
    return node == NULL ? NULL : CVG_CONTAINER_OF(node, struct cvg_parcel, node);
}

/* A newer value takes the older one's turn, so that a target that changes all the time is written
 * all the same. */
static void add_locked(struct cvg_inbox *inbox, struct cvg_parcel *parcel, struct cvg_parcel *older)
{
    struct cvg_link *next = &inbox->parcels;
    if (older != NULL) {
        next = older->link.next;
        remove_locked(inbox, older);
    }
    cvg_list_push(next, &parcel->link);
    cvg_table_add(inbox->table, &parcel->node);
    atomic_fetch_add(&inbox->octets, weight(parcel));
}

enum cvg_error cvg_inbox_put(struct cvg_inbox *inbox, const void *key, size_t key_len,
                             const void *value, size_t value_len)
{
    struct cvg_parcel *parcel = wrap(key, key_len, value, value_len);
    if (parcel == NULL)
        return CVG_ERR_NOMEM;
    pthread_mutex_lock(&inbox->lock);
    struct cvg_parcel *older = find_locked(inbox, key, key_len);
    bool has_room =
        inbox->wake != NULL && atomic_load(&inbox->octets) + weight(parcel) <= CVG_INBOX_MAX;
    if (has_room && cvg_list_empty(&inbox->parcels))
        uv_async_send(inbox->wake);
    if (has_room)
        add_locked(inbox, parcel, older);
    pthread_mutex_unlock(&inbox->lock);
    free(has_room ? older : parcel);
    return has_room ? CVG_OK : CVG_ERR_BUSY;
}

bool cvg_inbox_ask(struct cvg_inbox *inbox, struct cvg_fetch *fetch)
{
    pthread_mutex_lock(&inbox->lock);
    bool open = inbox->wake != NULL;
    if (open) {
        cvg_list_push(&inbox->fetches, &fetch->letter.link);
        uv_async_send(inbox->wake);
    }
    pthread_mutex_unlock(&inbox->lock);
    return open;
}

uint64_t cvg_inbox_octets(const struct cvg_inbox *inbox)
{
    return atomic_load(&inbox->octets);
}

void cvg_inbox_wake(struct cvg_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    if (inbox->wake != NULL)
        uv_async_send(inbox->wake);
    pthread_mutex_unlock(&inbox->lock);
}

void cvg_inbox_close(struct cvg_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->wake = NULL;
    pthread_mutex_unlock(&inbox->lock);
}

struct cvg_parcel *cvg_inbox_take(struct cvg_inbox *inbox)
{
    struct cvg_parcel *parcel = NULL;
    pthread_mutex_lock(&inbox->lock);
    if (!cvg_list_empty(&inbox->parcels)) {
        parcel = CVG_CONTAINER_OF(inbox->parcels.next, struct cvg_parcel, link);
        remove_locked(inbox, parcel);
    }
    pthread_mutex_unlock(&inbox->lock);
    return parcel;
}

void cvg_inbox_give_back(struct cvg_inbox *inbox, struct cvg_parcel *parcel)
{
    pthread_mutex_lock(&inbox->lock);
    bool is_newest = find_locked(inbox, parcel->octets, parcel->key_len) == NULL;
    if (is_newest) {
        cvg_list_push(inbox->parcels.next, &parcel->link);
        cvg_table_add(inbox->table, &parcel->node);
        atomic_fetch_add(&inbox->octets, weight(parcel));
    }
    pthread_mutex_unlock(&inbox->lock);
    if (!is_newest)
        free(parcel);
}

enum cvg_error cvg_inbox_find(struct cvg_inbox *inbox, const void *key, size_t key_len,
                              struct cvg_buffer *ret_value)
{
    pthread_mutex_lock(&inbox->lock);
    const struct cvg_parcel *parcel = find_locked(inbox, key, key_len);
    enum cvg_error err =
        parcel == NULL
            ? CVG_ERR_NOT_FOUND
            : cvg_buffer_put(ret_value, parcel->octets + parcel->key_len, parcel->value_len);
    pthread_mutex_unlock(&inbox->lock);
    return err;
}

struct cvg_fetch *cvg_inbox_next_fetch(struct cvg_inbox *inbox)
{
    struct cvg_fetch *fetch = NULL;
    pthread_mutex_lock(&inbox->lock);
    if (!cvg_list_empty(&inbox->fetches)) {
        fetch = CVG_CONTAINER_OF(inbox->fetches.next, struct cvg_fetch, letter.link);
        cvg_list_remove(&fetch->letter.link);
    }
    pthread_mutex_unlock(&inbox->lock);
    return fetch;
}
