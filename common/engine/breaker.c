/* SPDX-License-Identifier: MIT */
/* The circuit breaker's table. Only hosts that failed are in it, and there are no more of them than
 * hosts in bundles; one that finds no place is asked always. */
#include "common/engine/breaker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 1024

struct failing {
    char *host;
    unsigned failures; /* in a row */
    uint64_t pause_ms;
    uint64_t retry_ms; /* when open: not before */
};

struct cvg_breaker {
    const struct cvg_clock *clock;
    struct failing host[HOSTS_MAX];
    size_t count;
};

enum cvg_error cvg_breaker_new(const struct cvg_clock *clock, struct cvg_breaker **ret_breaker)
{
    struct cvg_breaker *breaker = calloc(1, sizeof *breaker);

    if (breaker == NULL)
        return CVG_ERR_NOMEM;
    breaker->clock = clock;
    *ret_breaker = breaker;
    return CVG_OK;
}

void cvg_breaker_reset(struct cvg_breaker *breaker)
{
    for (size_t i = 0; i < breaker->count; i++)
        free(breaker->host[i].host);
    breaker->count = 0;
}

void cvg_breaker_free(struct cvg_breaker *breaker)
{
    if (breaker == NULL)
        return;
    cvg_breaker_reset(breaker);
    free(breaker);
}

/* Its index, or count if it is not there. */
static size_t find(const struct cvg_breaker *breaker, const char *host)
{
    size_t i = 0;

    while (i < breaker->count && strcmp(breaker->host[i].host, host) != 0)
        i++;
    return i;
}

bool cvg_breaker_open(const struct cvg_breaker *breaker, const char *host)
{
    size_t i = find(breaker, host);

    return i < breaker->count && breaker->host[i].failures >= CVG_BREAKER_FAILURES;
}

bool cvg_breaker_allows(struct cvg_breaker *breaker, const char *host)
{
    uint64_t now_ms = cvg_clock_ms(breaker->clock);
    struct failing *failing;

    if (!cvg_breaker_open(breaker, host))
        return true;
    failing = &breaker->host[find(breaker, host)];
    if (now_ms < failing->retry_ms)
        return false;
    failing->retry_ms = now_ms + failing->pause_ms;
    return true;
}

void cvg_breaker_success(struct cvg_breaker *breaker, const char *host)
{
    size_t i = find(breaker, host);

    if (i == breaker->count)
        return;
    free(breaker->host[i].host);
    breaker->host[i] = breaker->host[--breaker->count];
}

static struct failing *place(struct cvg_breaker *breaker, const char *host)
{
    size_t i = find(breaker, host);
    struct failing *failing = &breaker->host[i];

    if (i < breaker->count)
        return failing;
    if (breaker->count == HOSTS_MAX)
        return NULL;
    *failing = (struct failing){.host = strdup(host)};
    if (failing->host == NULL)
        return NULL;
    breaker->count++;
    return failing;
}

void cvg_breaker_failure(struct cvg_breaker *breaker, const char *host)
{
    struct failing *failing = place(breaker, host);

    if (failing == NULL)
        return;
    failing->failures++;
    if (failing->failures < CVG_BREAKER_FAILURES)
        return;
    if (failing->failures == CVG_BREAKER_FAILURES)
        failing->pause_ms = CVG_BREAKER_PAUSE_MS;
    else if (failing->pause_ms < CVG_BREAKER_PAUSE_MAX_MS / 2)
        failing->pause_ms *= 2;
    else
        failing->pause_ms = CVG_BREAKER_PAUSE_MAX_MS;
    failing->retry_ms = cvg_clock_ms(breaker->clock) + failing->pause_ms;
}
