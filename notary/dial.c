/* SPDX-License-Identifier: MIT */
/* Connects to one endpoint for the relay. */
#include "notary/dial.h"

#include <stdlib.h>

#define ATTEMPT_MS 1500 /* for one address, while there are others */

struct cvg_dial {
    uv_timer_t timer; /* first: casts */
    uv_loop_t *loop;
    struct cvg_resolver *resolver;
    const struct cvg_filter *filter;
    struct cvg_budget *budget;
    struct cvg_endpoint endpoint;
    struct cvg_lookup *lookup;
    struct cvg_found_addresses addresses;
    size_t next;
    bool turned_away;        /* from an address, by its network's budget */
    struct attempt *attempt; /* under way, or NULL */
    cvg_dial_done *done;
    void *user;
};

struct attempt {
    uv_tcp_t tcp; /* first: casts */
    uv_connect_t request;
    struct cvg_dial *dial; /* NULL: given up */
};

static void freed(uv_handle_t *handle)
{
    free(handle);
}

static void give_up(struct attempt *attempt)
{
    attempt->dial = NULL;
    uv_close((uv_handle_t *)&attempt->tcp, freed);
}

void cvg_dial_cancel(struct cvg_dial *dial)
{
    if (dial == NULL)
        return;
    cvg_lookup_cancel(dial->lookup);
    if (dial->attempt != NULL)
        give_up(dial->attempt);
    uv_close((uv_handle_t *)&dial->timer, freed);
}

static void finish(struct cvg_dial *dial, uv_tcp_t *tcp)
{
    cvg_dial_done *done = dial->done;
    void *user = dial->user;
    enum cvg_error err = tcp != NULL         ? CVG_OK
                         : dial->turned_away ? CVG_ERR_BUSY
                                             : CVG_ERR_UNREACHABLE;
    cvg_dial_cancel(dial);
    done(err, tcp, user);
}

static void try_next(struct cvg_dial *dial);

static void connected(uv_connect_t *request, int status)
{
    struct attempt *attempt = request->data;
    struct cvg_dial *dial = attempt->dial;
    if (dial == NULL)
        return;
    dial->attempt = NULL;
    if (status == 0) {
        finish(dial, &attempt->tcp);
    } else {
        give_up(attempt);
        try_next(dial);
    }
}

static void next_turn(uv_timer_t *timer)
{
    struct cvg_dial *dial = (struct cvg_dial *)(void *)timer;
    if (dial->attempt != NULL && dial->next < dial->addresses.count) {
        give_up(dial->attempt);
        dial->attempt = NULL;
    }
    if (dial->attempt == NULL)
        try_next(dial);
}

/* Connects to the next address that may be connected to. */
static void try_next(struct cvg_dial *dial)
{
    while (dial->next < dial->addresses.count) {
        const struct cvg_address *address = &dial->addresses.address[dial->next++];
        union cvg_socket_address sa;
        if (!cvg_filter_allows(dial->filter, address))
            continue;
        if (!cvg_budget_target(dial->budget, address, uv_now(dial->loop))) {
            dial->turned_away = true;
            continue;
        }
        struct attempt *attempt = calloc(1, sizeof(*attempt));
        if (attempt == NULL)
            break;
        cvg_address_socket(address, dial->endpoint.port, &sa);
        uv_tcp_init(dial->loop, &attempt->tcp);
        attempt->request.data = attempt;
        attempt->dial = dial;
        if (uv_tcp_connect(&attempt->request, &attempt->tcp, &sa.any, connected) != 0) {
            give_up(attempt);
            continue;
        }
        dial->attempt = attempt;
        uv_timer_start(&dial->timer, next_turn, ATTEMPT_MS, 0);
        return;
    }
    finish(dial, NULL);
}

static void found(enum cvg_error err, const struct cvg_found_addresses *addresses, void *user)
{
    struct cvg_dial *dial = user;
    dial->lookup = NULL;
    if (err == CVG_OK)
        dial->addresses = *addresses;
    try_next(dial);
}

/* The first turn, from the loop, so that done never comes inside start. */
static void begin(uv_timer_t *timer)
{
    struct cvg_dial *dial = (struct cvg_dial *)(void *)timer;
    struct cvg_found_addresses addresses = {.count = 0};
    enum cvg_error err = cvg_lookup_start(dial->resolver, dial->filter, &dial->endpoint, found,
                                          dial, &addresses, &dial->lookup);
    if (err != CVG_OK || dial->lookup == NULL)
        found(err, &addresses, dial);
}

enum cvg_error cvg_dial_start(uv_loop_t *loop, struct cvg_resolver *resolver,
                              const struct cvg_filter *filter, struct cvg_budget *budget,
                              const struct cvg_endpoint *endpoint, cvg_dial_done *done, void *user,
                              struct cvg_dial **ret_dial)
{
    struct cvg_dial *dial = calloc(1, sizeof(*dial));
    if (dial == NULL)
        return CVG_ERR_NOMEM;
    dial->loop = loop;
    dial->resolver = resolver;
    dial->filter = filter;
    dial->budget = budget;
    dial->endpoint = *endpoint;
    dial->done = done;
    dial->user = user;
    uv_timer_init(loop, &dial->timer);
    uv_timer_start(&dial->timer, begin, 0, 0);
    *ret_dial = dial;
    return CVG_OK;
}
