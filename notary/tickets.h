/* SPDX-License-Identifier: MIT */
/* The keys of TLS session tickets: the same ones for all loops, so that a client may come back to
 * any of them; a new one every hour; each good for as long as its tickets are. They are in memory
 * only. Any thread. */
#ifndef CVG_NOTARY_TICKETS_H
#define CVG_NOTARY_TICKETS_H

#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/error.h"

#define CVG_TICKETS_PERIOD_S   3600
#define CVG_TICKETS_LIFETIME_S 21600

struct cvg_tickets;

/* clock is borrowed. The caller frees, after every context that uses them. */
CVG_MUST_USE enum cvg_error cvg_tickets_new(const struct cvg_clock *clock,
                                            struct cvg_tickets **ret_tickets);
void cvg_tickets_free(struct cvg_tickets *tickets); /* NULL is allowed */

/* Has the context's tickets made and read with these keys; if that cannot be, it makes none. */
void cvg_tickets_use(struct cvg_tickets *tickets, SSL_CTX *context);

#endif
