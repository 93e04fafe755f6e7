/* SPDX-License-Identifier: MIT */
/* How one thread hands work to another thread's loop. Letters are opened in the loop's thread, in
 * the order in which they were posted, a bounded number in one turn of the loop. */
#ifndef CVG_NOTARY_MAILBOX_H
#define CVG_NOTARY_MAILBOX_H

#include <uv.h>

#include "notary/list.h"

/* Embedded in what is handed over. open may free it, post it again, or post others. */
struct cvg_letter {
    struct cvg_link link;
    void (*open)(struct cvg_letter *letter);
};

struct cvg_mailbox;

/* In the loop's thread. It keeps the loop alive until it is freed. */
CVG_MUST_USE enum cvg_error cvg_mailbox_new(uv_loop_t *loop, struct cvg_mailbox **ret_mailbox);
/* In the loop's thread, when nobody posts any more. Opens what is still in it; the memory goes when
 * the loop has run once more. NULL is allowed. */
void cvg_mailbox_free(struct cvg_mailbox *mailbox);

/* Any thread. The letter belongs to the mailbox until it is opened or withdrawn. */
void cvg_mailbox_post(struct cvg_mailbox *mailbox, struct cvg_letter *letter);

/* In the loop's thread, or after it has ended: opens all that is in it, and what comes of that. */
void cvg_mailbox_flush(struct cvg_mailbox *mailbox);

/* In the loop's thread: takes a posted letter back that has not been opened. */
void cvg_mailbox_withdraw(struct cvg_mailbox *mailbox, struct cvg_letter *letter);

#endif
