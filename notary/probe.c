/* SPDX-License-Identifier: MIT */
/* A probe of one target, in one or two rounds. */
#include "notary/probe.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/special.h"

#define STAGGER_MS      250 /* until the next address is tried beside the silent one (RFC 8305) */
#define OTHER_ADDRESSES 2   /* looked at in the second round while somebody waits */
#define MORE_ADDRESSES  6   /* ... and when nobody does */
#define LOOKS_MAX       CVG_NAME_ADDRESSES

struct attempt {
    struct cvg_probe *probe;
    struct cvg_look *look; /* NULL: none or ended */
    struct cvg_address address;
};

struct cvg_probe {
    uv_timer_t timer; /* first: closed() casts. The deadline, or the next address's turn */
    uint64_t deadline_ms;
    struct cvg_prober prober;
    struct cvg_endpoint endpoint;
    uint8_t hint;
    struct cvg_lookup *lookup;
    struct cvg_found_addresses addresses; /* those that may be connected to */
    size_t next;                          /* the next address to try in the first round */
    size_t winner;                        /* the address that the first round saw */
    bool second;
    struct attempt attempt[LOOKS_MAX];
    size_t attempts;
    size_t under_way;
    struct cvg_probe_result result;
    cvg_probe_done *done;
    void *user;
};

static void closed(uv_handle_t *handle)
{
    free((struct cvg_probe *)(void *)handle);
}

static void stop(struct cvg_probe *probe)
{
    uv_timer_stop(&probe->timer);
    cvg_lookup_cancel(probe->lookup);
    probe->lookup = NULL;
    for (size_t i = 0; i < probe->attempts; i++) {
        cvg_look_cancel(probe->attempt[i].look);
        probe->attempt[i].look = NULL;
    }
    probe->attempts = 0;
    probe->under_way = 0;
}

void cvg_probe_free(struct cvg_probe *probe)
{
    if (probe == NULL)
        return;
    stop(probe);
    uv_close((uv_handle_t *)&probe->timer, closed);
}

/* Ends a round. The caller may free the probe in done. */
static void report(struct cvg_probe *probe, enum cvg_error nothing_seen)
{
    stop(probe);
    probe->result.error = probe->result.count > 0 ? CVG_OK : nothing_seen;
    probe->done(probe, &probe->result, probe->user);
}

static void on_timer(uv_timer_t *timer);

static void wait_until(struct cvg_probe *probe, uint64_t at_ms)
{
    uint64_t now = uv_now(probe->prober.loop);
    uv_timer_start(&probe->timer, on_timer, at_ms > now ? at_ms - now : 0, 0);
}

static void seen(enum cvg_error err, const struct cvg_leaf *leaf, void *user);

/* Looks at an address, beside what is under way. */
static enum cvg_error look(struct cvg_probe *probe, const struct cvg_address *address,
                           enum cvg_offer offer)
{
    struct attempt *attempt = &probe->attempt[probe->attempts];
    union cvg_socket_address sa;
    *attempt = (struct attempt){.probe = probe, .address = *address};
    cvg_address_socket(address, probe->endpoint.port, &sa);
    const char *name = probe->endpoint.kind == CVG_HOST_NAME ? probe->endpoint.host : NULL;
    enum cvg_error err =
        cvg_look_start(probe->prober.looker, &sa, name, offer, seen, attempt, &attempt->look);
    if (err == CVG_OK) {
        probe->attempts++;
        probe->under_way++;
    }
    return err;
}

/* Tries the next address of the first round that can be tried at all; false: there is none. */
static bool try_next(struct cvg_probe *probe)
{
    while (probe->next < probe->addresses.count) {
        if (look(probe, &probe->addresses.address[probe->next++], CVG_OFFER_ALL) != CVG_OK)
            continue;
        uint64_t at = uv_now(probe->prober.loop) + STAGGER_MS;
        bool more = probe->next < probe->addresses.count && at < probe->deadline_ms;
        wait_until(probe, more ? at : probe->deadline_ms);
        return true;
    }
    return false;
}

static void add_sighting(struct cvg_probe *probe, const struct attempt *attempt,
                         const struct cvg_leaf *leaf)
{
    struct cvg_probe_result *result = &probe->result;
    if (result->count < CVG_SIGHTINGS_MAX)
        result->sighting[result->count++] =
            (struct cvg_sighting){.leaf = *leaf, .address = attempt->address};
}

static void seen(enum cvg_error err, const struct cvg_leaf *leaf, void *user)
{
    struct attempt *attempt = user;
    struct cvg_probe *probe = attempt->probe;
    attempt->look = NULL;
    probe->under_way--;
    if (err == CVG_OK)
        add_sighting(probe, attempt, leaf);
    if (probe->second) {
        if (probe->under_way == 0)
            report(probe, err);
        return;
    }
    if (err == CVG_OK) {
        for (size_t i = 0; i < probe->addresses.count; i++)
            if (cvg_address_equal(&probe->addresses.address[i], &attempt->address))
                probe->winner = i;
        report(probe, CVG_OK);
    } else if (!try_next(probe) && probe->under_way == 0) {
        report(probe, err);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct cvg_probe *probe = (struct cvg_probe *)(void *)timer;
    if (uv_now(probe->prober.loop) >= probe->deadline_ms)
        report(probe, CVG_ERR_TIMEOUT);
    else if (probe->lookup != NULL)
        wait_until(probe, probe->deadline_ms);
    else if (!try_next(probe))
        wait_until(probe, probe->deadline_ms);
}

/* Keeps the addresses that may be connected to, each once. */
static void keep_allowed(struct cvg_probe *probe, const struct cvg_found_addresses *addresses)
{
    struct cvg_found_addresses *kept = &probe->addresses;
    for (size_t i = 0; i < addresses->count; i++) {
        bool known = false;
        for (size_t j = 0; j < kept->count; j++)
            known = known || cvg_address_equal(&kept->address[j], &addresses->address[i]);
        if (!known && cvg_filter_allows(probe->prober.filter, &addresses->address[i]))
            kept->address[kept->count++] = addresses->address[i];
    }
}

static void found(enum cvg_error err, const struct cvg_found_addresses *addresses, void *user)
{
    struct cvg_probe *probe = user;
    probe->lookup = NULL;
    if (err != CVG_OK) {
        report(probe, err);
        return;
    }
    keep_allowed(probe, addresses);
    if (probe->addresses.count == 0)
        report(probe, CVG_ERR_REFUSED);
    else if (!try_next(probe))
        report(probe, CVG_ERR_UNREACHABLE);
}

/* The first turn of a probe, from the loop, so that done never comes inside start. */
static void begin(uv_timer_t *timer)
{
    struct cvg_probe *probe = (struct cvg_probe *)(void *)timer;
    const struct cvg_prober *prober = &probe->prober;
    struct cvg_found_addresses addresses = {.count = 0};
    if (probe->endpoint.kind == CVG_HOST_NAME && cvg_special_name(probe->endpoint.host) &&
        !cvg_filter_inside(prober->filter) &&
        !cvg_resolver_in_hosts(prober->resolver, probe->endpoint.host)) {
        report(probe, CVG_ERR_REFUSED);
        return;
    }
    wait_until(probe, probe->deadline_ms);
    enum cvg_error err = cvg_lookup_start(prober->resolver, &probe->endpoint, found, probe,
                                          &addresses, &probe->lookup);
    if (err != CVG_OK || probe->lookup == NULL)
        found(err, &addresses, probe);
}

enum cvg_error cvg_probe_start(const struct cvg_prober *prober, const struct cvg_endpoint *endpoint,
                               uint8_t hint, cvg_probe_done *done, void *user,
                               struct cvg_probe **ret_probe)
{
    struct cvg_probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return CVG_ERR_NOMEM;
    probe->prober = *prober;
    probe->endpoint = *endpoint;
    probe->hint = hint;
    probe->done = done;
    probe->user = user;
    probe->deadline_ms = uv_now(prober->loop) + prober->timeout_ms;
    uv_timer_init(prober->loop, &probe->timer);
    uv_timer_start(&probe->timer, begin, 0, 0);
    *ret_probe = probe;
    return CVG_OK;
}

/* Somebody who waits for a "no" has a deadline, too: an address that is silent must not take all
 * the time. Where nobody waits, what was seen so far is kept already. */
static uint64_t second_deadline(const struct cvg_probe *probe, bool thorough)
{
    uint64_t now_ms = uv_now(probe->prober.loop);
    uint64_t half_ms = now_ms + probe->prober.timeout_ms / 2;
    if (thorough)
        return now_ms + probe->prober.timeout_ms;
    return half_ms < probe->deadline_ms ? half_ms : probe->deadline_ms;
}

enum cvg_error cvg_probe_again(struct cvg_probe *probe, bool thorough, cvg_probe_done *done)
{
    const struct cvg_found_addresses *addresses = &probe->addresses;
    uint64_t deadline_ms = second_deadline(probe, thorough);
    if (probe->second || addresses->count == 0 || uv_now(probe->prober.loop) >= deadline_ms)
        return CVG_ERR_BUSY;
    probe->second = true;
    probe->done = done;
    probe->result.count = 0;
    const struct cvg_address *same = &addresses->address[probe->winner];
    (void)look(probe, same, CVG_OFFER_RSA);
    (void)look(probe, same, CVG_OFFER_EC);
    size_t others = thorough ? MORE_ADDRESSES : OTHER_ADDRESSES;
    if (others > addresses->count - 1)
        others = addresses->count - 1;
    for (size_t i = 1; i <= others; i++)
        (void)look(probe, &addresses->address[(probe->winner + i) % addresses->count],
                   CVG_OFFER_ALL);
    if (probe->under_way == 0)
        return CVG_ERR_BUSY;
    probe->deadline_ms = deadline_ms;
    wait_until(probe, deadline_ms);
    return CVG_OK;
}
