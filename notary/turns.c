/* SPDX-License-Identifier: MIT */
/* Work that waits for its turn in a loop. */
#include "notary/turns.h"

#include <stdlib.h>

struct cvg_turns {
    uv_idle_t idle; /* first: casts. Runs before each look for events, while something waits */
    struct cvg_link waiting;
    unsigned batch;
    void (*take)(struct cvg_link *link);
};

static void freed(uv_handle_t *handle)
{
    free((struct cvg_turns *)(void *)handle);
}

static void on_turn(uv_idle_t *idle)
{
    struct cvg_turns *turns = (struct cvg_turns *)(void *)idle;
    for (unsigned i = 0; i < turns->batch && !cvg_list_empty(&turns->waiting); i++) {
        struct cvg_link *link = turns->waiting.next;
        cvg_list_remove(link);
        turns->take(link);
    }
    if (cvg_list_empty(&turns->waiting))
        uv_idle_stop(idle);
}

enum cvg_error cvg_turns_new(uv_loop_t *loop, unsigned batch, void (*take)(struct cvg_link *link),
                             struct cvg_turns **ret_turns)
{
    struct cvg_turns *turns = calloc(1, sizeof(*turns));
    if (turns == NULL)
        return CVG_ERR_NOMEM;
    uv_idle_init(loop, &turns->idle);
    cvg_list_init(&turns->waiting);
    turns->batch = batch;
    turns->take = take;
    *ret_turns = turns;
    return CVG_OK;
}

void cvg_turns_free(struct cvg_turns *turns)
{
    if (turns != NULL)
        uv_close((uv_handle_t *)&turns->idle, freed);
}

void cvg_turns_wait(struct cvg_turns *turns, struct cvg_link *link)
{
    cvg_list_push(&turns->waiting, link);
    uv_idle_start(&turns->idle, on_turn);
}
