/* SPDX-License-Identifier: MIT */
/* Circuit breaker: a notary host that failed several times in a row is left alone for a while, then
 * tried by one query at a time, so that a dead host costs its slots no time. One thread.
 *
 * It only orders the choice of hosts. A slot whose notaries are all left alone ends silent, like
 * any other that got no answer. */
#ifndef CVG_ENGINE_BREAKER_H
#define CVG_ENGINE_BREAKER_H

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/error.h"

#define CVG_BREAKER_FAILURES     3    /* in a row open it */
#define CVG_BREAKER_PAUSE_MS     1000 /* the first pause; each failed trial doubles it */
#define CVG_BREAKER_PAUSE_MAX_MS 30000

struct cvg_breaker;

/* The clock must outlive it. The caller frees it. */
CVG_MUST_USE enum cvg_error cvg_breaker_new(const struct cvg_clock *clock,
                                            struct cvg_breaker **ret_breaker);
void cvg_breaker_free(struct cvg_breaker *breaker);

/* Whether the host ("host:port", or any text that names it) may be asked now. While open, true once
 * a pause: the query that got it is the trial. */
CVG_MUST_USE bool cvg_breaker_allows(struct cvg_breaker *breaker, const char *host);

/* Whether it is open; changes nothing. */
bool cvg_breaker_open(const struct cvg_breaker *breaker, const char *host);

/* How a query ended. Success closes the breaker. A query that was cancelled is neither. */
void cvg_breaker_success(struct cvg_breaker *breaker, const char *host);
void cvg_breaker_failure(struct cvg_breaker *breaker, const char *host);

/* All closed: the notaries or the network changed. */
void cvg_breaker_reset(struct cvg_breaker *breaker);

#endif
