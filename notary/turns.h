/* SPDX-License-Identifier: MIT */
/* Work that waits for its turn in a loop, a few pieces each time round, so that what is ready and
 * cheap need not wait for what is dear. One loop. */
#ifndef CVG_NOTARY_TURNS_H
#define CVG_NOTARY_TURNS_H

#include <uv.h>

#include "common/base/error.h"
#include "notary/list.h"

struct cvg_turns;

/* take gets each link, out of the queue, when its turn has come. */
CVG_MUST_USE enum cvg_error cvg_turns_new(uv_loop_t *loop, unsigned batch,
                                          void (*take)(struct cvg_link *link),
                                          struct cvg_turns **ret_turns);
/* Nothing may wait any more. The memory goes when the loop is done with it. NULL is allowed. */
void cvg_turns_free(struct cvg_turns *turns);

/* Queues the link; cvg_list_remove() takes it out again. */
void cvg_turns_wait(struct cvg_turns *turns, struct cvg_link *link);

#endif
