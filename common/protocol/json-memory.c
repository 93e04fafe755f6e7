/* SPDX-License-Identifier: MIT */
/* jansson (2.14) does not look whether its string buffer could grow: without memory it drops
 * characters silently, so that two members become one or a closing quote is never found. A parse
 * must therefore not see a failed allocation. It sees memory from a reserve instead, is cut off,
 * and its result is thrown away. */
#include "common/protocol/json-memory.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <jansson.h>

/* What jansson may still want after the first failure: for what it has read ahead (at most 1,024
 * octets, 100 octets of memory each at the worst), and to double what it has already built. */
#define RESERVE_BASE      262144
#define RESERVE_PER_OCTET 24

static _Thread_local struct cvg_json_reserve *current;

static void *reserve_take(struct cvg_json_reserve *reserve, size_t size)
{
    size_t rounded =
        (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    void *block = reserve->start + reserve->used;

    /* By the reckoning above this cannot be; were it wrong, ending beats reading past a buffer. */
    if (rounded < size || rounded > reserve->size - reserve->used)
        abort();
    reserve->used += rounded;
    return block;
}

static void *json_malloc(size_t size)
{
    void *block = malloc(size);

    if (block || !current)
        return block;
    current->failed = true;
    return reserve_take(current, size);
}

static bool in_reserve(const struct cvg_json_reserve *reserve, const void *block)
{
    uintptr_t at = (uintptr_t)block, start = (uintptr_t)reserve->start;

    return at >= start && at - start < reserve->size;
}

static void json_free(void *block)
{
    if (!current || !in_reserve(current, block))
        free(block);
}

static void install(void)
{
    json_set_alloc_funcs(json_malloc, json_free);
}

enum cvg_error cvg_json_reserve_begin(struct cvg_json_reserve *reserve, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (len > (SIZE_MAX - RESERVE_BASE) / RESERVE_PER_OCTET || pthread_once(&once, install) != 0)
        return CVG_ERR_NOMEM;
    *reserve = (struct cvg_json_reserve){.size = RESERVE_BASE + RESERVE_PER_OCTET * len};
    reserve->start = malloc(reserve->size);
    if (!reserve->start)
        return CVG_ERR_NOMEM;
    current = reserve;
    return CVG_OK;
}

void cvg_json_reserve_end(struct cvg_json_reserve *reserve)
{
    current = NULL;
    free(reserve->start);
}
