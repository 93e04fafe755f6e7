/* SPDX-License-Identifier: MIT */
/* All targets in memory, in the order of use, over a store. */
#include "notary/memory.h"

#include <stdlib.h>

#include "common/base/log.h"

struct cvg_memory {
    struct cvg_table *table;
    struct cvg_link used;    /* least recently used first */
    struct cvg_link unsaved; /* not in the store as they are here */
    size_t max_targets;
    struct cvg_store *store;
    bool written; /* since the last sync */
};

enum cvg_error cvg_memory_new(size_t max_targets, struct cvg_memory **ret_memory)
{
    struct cvg_memory *memory = calloc(1, sizeof(*memory));
    if (memory == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = cvg_table_new(&memory->table);
    if (err != CVG_OK) {
        free(memory);
        return err;
    }
    cvg_list_init(&memory->used);
    cvg_list_init(&memory->unsaved);
    memory->max_targets = max_targets;
    *ret_memory = memory;
    return CVG_OK;
}

void cvg_memory_set_store(struct cvg_memory *memory, struct cvg_store *store)
{
    memory->store = store;
}

static void drop(struct cvg_memory *memory, struct cvg_target *target)
{
    cvg_table_remove(memory->table, &target->node);
    cvg_list_remove(&target->used);
    cvg_list_remove(&target->unsaved);
    cvg_target_free(target);
}

void cvg_memory_free(struct cvg_memory *memory)
{
    if (memory == NULL)
        return;
    cvg_memory_save(memory);
    cvg_memory_sync(memory);
    while (!cvg_list_empty(&memory->used))
        drop(memory, CVG_CONTAINER_OF(memory->used.next, struct cvg_target, used));
    if (memory->store != NULL)
        memory->store->free(memory->store);
    cvg_table_free(memory->table);
    free(memory);
}

void cvg_memory_set_max(struct cvg_memory *memory, size_t max_targets)
{
    memory->max_targets = max_targets;
}

static void save(struct cvg_memory *memory, struct cvg_target *target)
{
    struct cvg_buffer value;
    cvg_buffer_init(&value, CVG_STORE_VALUE_MAX);
    if (memory->store != NULL && cvg_observations_write(&target->observations, &value) == CVG_OK)
        (void)memory->store->put(memory->store, target->key, target->key_len, value.data,
                                 value.len);
    cvg_buffer_free(&value);
    cvg_list_remove(&target->unsaved);
    memory->written = true;
}

void cvg_memory_save(struct cvg_memory *memory)
{
    while (!cvg_list_empty(&memory->unsaved))
        save(memory, CVG_CONTAINER_OF(memory->unsaved.next, struct cvg_target, unsaved));
}

void cvg_memory_sync(struct cvg_memory *memory)
{
    if (memory->written && memory->store != NULL)
        memory->store->sync(memory->store);
    memory->written = false;
}

/* Makes room: the least recently used target that nothing is being done about. Those that are busy
 * go to the end of the order as they are met. */
static void make_room(struct cvg_memory *memory)
{
    size_t count = cvg_table_count(memory->table);
    for (size_t i = 0; i < count && cvg_table_count(memory->table) >= memory->max_targets; i++) {
        struct cvg_target *target = CVG_CONTAINER_OF(memory->used.next, struct cvg_target, used);
        if (target->flight != NULL) {
            cvg_list_remove(&target->used);
            cvg_list_push(&memory->used, &target->used);
            continue;
        }
        if (!cvg_list_empty(&target->unsaved))
            save(memory, target);
        drop(memory, target);
    }
}

/* What the store has of the target; a record that cannot be read counts as none. That the store as
 * a whole fails it has told itself. */
static void load(struct cvg_memory *memory, struct cvg_target *target)
{
    struct cvg_buffer value;
    if (memory->store == NULL)
        return;
    cvg_buffer_init(&value, CVG_STORE_VALUE_MAX);
    enum cvg_error err = memory->store->get(memory->store, target->key, target->key_len, &value);
    if (err == CVG_OK)
        err = cvg_observations_parse(value.data, value.len, &target->observations);
    if (err != CVG_OK && err != CVG_ERR_NOT_FOUND && err != CVG_ERR_IO)
        cvg_log(CVG_LOG_WARNING, "a stored record is left out: %s", cvg_strerror(err));
    cvg_buffer_free(&value);
}

enum cvg_error cvg_memory_target(struct cvg_memory *memory, const struct cvg_endpoint *endpoint,
                                 uint8_t hint, struct cvg_target **ret_target)
{
    uint8_t key[CVG_TARGET_KEY_MAX];
    size_t key_len = cvg_target_key(endpoint, hint, key);
    struct cvg_target *target = NULL;
    struct cvg_node *node = cvg_table_find(memory->table, key, key_len);
    if (node == NULL) {
        make_room(memory);
        enum cvg_error err = cvg_target_new(key, key_len, &target);
        if (err != CVG_OK)
            return err;
        load(memory, target);
        cvg_table_add(memory->table, &target->node);
    } else {
        target = CVG_CONTAINER_OF(node, struct cvg_target, node);
        cvg_list_remove(&target->used);
    }
    cvg_list_push(&memory->used, &target->used);
    *ret_target = target;
    return CVG_OK;
}

void cvg_memory_changed(struct cvg_memory *memory, struct cvg_target *target)
{
    cvg_target_changed(target);
    cvg_list_remove(&target->unsaved);
    cvg_list_push(&memory->unsaved, &target->unsaved);
}

void cvg_memory_forget_answers(struct cvg_memory *memory)
{
    for (struct cvg_link *link = memory->used.next; link != &memory->used; link = link->next)
        cvg_target_changed(CVG_CONTAINER_OF(link, struct cvg_target, used));
}
