/* SPDX-License-Identifier: MIT */
/* A probe of one target, in one or two rounds. Many may be under way, most of them waiting for
 * servers that are slow or dead: what a probe needs only once it sees something is made then. */
#include "notary/probe.h"

#include <stdlib.h>
#include <string.h>

#define STAGGER_MS      250 /* until the next address is tried beside the silent one (RFC 8305) */
#define OTHER_ADDRESSES 2   /* looked at in the second round while somebody waits */
#define MORE_ADDRESSES  6   /* ... and when nobody does */
#define LOOKS_MAX       8   /* of one probe at once */

struct attempt {
    struct cvg_probe *probe;
    struct cvg_look *look; /* NULL: none or ended */
    size_t address;        /* index of what is looked at */
};

struct cvg_probe {
    uv_timer_t timer; /* first: closed() casts. The deadline, or the next address's turn */
    uint64_t started_ms;
    uint64_t deadline_ms;
    const struct cvg_prober *prober;
    struct cvg_endpoint endpoint;
    uint8_t starttls; /* enum cvg_starttls */
    bool second;
    bool turned_away; /* by the budget of a target network, or for want of descriptors */
    struct cvg_lookup *lookup;
    struct cvg_found_addresses addresses; /* those that may be connected to */
    size_t next;                          /* the next address to try in the first round */
    size_t winner;                        /* the address that the first round saw */
    struct attempt attempt[LOOKS_MAX];
    size_t under_way;
    struct cvg_probe_result *result; /* of this round; NULL: nothing was seen yet */
    cvg_probe_done *done;
    void *user;
};

static void count(const struct cvg_probe *probe, enum cvg_metric metric, int64_t n)
{
    if (probe->prober->metrics != NULL)
        cvg_metrics_add(probe->prober->metrics, metric, n);
}

static void closed(uv_handle_t *handle)
{
    free((struct cvg_probe *)(void *)handle);
}

static void stop(struct cvg_probe *probe)
{
    uv_timer_stop(&probe->timer);
    cvg_lookup_cancel(probe->lookup);
    probe->lookup = NULL;
    for (size_t i = 0; i < LOOKS_MAX; i++) {
        cvg_look_cancel(probe->attempt[i].look);
        probe->attempt[i].look = NULL;
    }
    probe->under_way = 0;
}

static void free_result(struct cvg_probe_result *result)
{
    for (size_t i = 0; result != NULL && i < result->count; i++)
        cvg_blob_unref(result->sighting[i].chain);
    free(result);
}

void cvg_probe_free(struct cvg_probe *probe)
{
    if (probe == NULL)
        return;
    stop(probe);
    free_result(probe->result);
    count(probe, CVG_METRIC_PROBES_OPEN, -1);
    uv_close((uv_handle_t *)&probe->timer, closed);
}

/* The first round says how a probe ended. */
static void count_outcome(const struct cvg_probe *probe, enum cvg_error err)
{
    enum cvg_metric outcome = err == CVG_OK            ? CVG_METRIC_PROBES_SEEN
                              : err == CVG_ERR_REFUSED ? CVG_METRIC_PROBES_REFUSED
                              : err == CVG_ERR_TIMEOUT ? CVG_METRIC_PROBES_TIMEOUT
                                                       : CVG_METRIC_PROBES_UNREACHABLE;
    uint64_t taken_ms = uv_now(probe->prober->loop) - probe->started_ms;
    count(probe, outcome, 1);
    if (probe->prober->metrics != NULL)
        cvg_metrics_time(probe->prober->metrics, CVG_TIMING_PROBE, taken_ms * 1000);
}

/* Ends a round. The caller may free the probe in done. Where an address was not looked at for want
 * of something here, that there is nothing at the others says nothing about the target. */
static void report(struct cvg_probe *probe, enum cvg_error nothing_seen)
{
    struct cvg_probe_result *result = probe->result;
    struct cvg_probe_result nothing;
    stop(probe);
    probe->result = NULL;
    if (!probe->second && (probe->turned_away || nothing_seen == CVG_ERR_NOMEM))
        nothing_seen = CVG_ERR_BUSY;
    if (!probe->second)
        count_outcome(probe, result == NULL ? nothing_seen : CVG_OK);
    if (result == NULL) {
        nothing.error = nothing_seen;
        nothing.count = 0;
    } else {
        result->error = CVG_OK;
    }
    probe->done(probe, result == NULL ? &nothing : result, probe->user);
    free_result(result);
}

static void on_timer(uv_timer_t *timer);

static void wait_until(struct cvg_probe *probe, uint64_t at_ms)
{
    uint64_t now = uv_now(probe->prober->loop);
    uv_timer_start(&probe->timer, on_timer, at_ms > now ? at_ms - now : 0, 0);
}

static void seen(enum cvg_error err, const struct cvg_leaf *leaf, struct cvg_blob *chain,
                 void *user);

static struct attempt *free_attempt(struct cvg_probe *probe)
{
    for (size_t i = 0; i < LOOKS_MAX; i++)
        if (probe->attempt[i].look == NULL)
            return &probe->attempt[i];
    return NULL;
}

/* Looks at an address, beside what is under way. The address is the very one that the filter let
 * through, and its network's budget is asked here, so that nothing comes between. */
static enum cvg_error look(struct cvg_probe *probe, size_t index, enum cvg_offer offer)
{
    const struct cvg_prober *prober = probe->prober;
    const struct cvg_address *address = &probe->addresses.address[index];
    struct attempt *attempt = free_attempt(probe);
    if (attempt == NULL)
        return CVG_ERR_BUSY;
    if (prober->budget != NULL &&
        !cvg_budget_target(prober->budget, address, uv_now(prober->loop))) {
        probe->turned_away = true;
        return CVG_ERR_BUSY;
    }
    struct cvg_look_target target = {
        .host = probe->endpoint.host,
        .is_name = probe->endpoint.kind == CVG_HOST_NAME,
        .starttls = (enum cvg_starttls)probe->starttls,
        .offer = offer,
    };
    cvg_address_socket(address, probe->endpoint.port, &target.address);
    *attempt = (struct attempt){.probe = probe, .address = index};
    enum cvg_error err = cvg_look_start(prober->looker, &target, seen, attempt, &attempt->look);
    if (err == CVG_OK)
        probe->under_way++;
    else if (err != CVG_ERR_UNREACHABLE)
        probe->turned_away = true;
    return err;
}

/* Tries the next address of the first round that can be tried at all; false: there is none. */
static bool try_next(struct cvg_probe *probe)
{
    while (probe->next < probe->addresses.count && free_attempt(probe) != NULL) {
        if (look(probe, probe->next++, CVG_OFFER_ALL) != CVG_OK)
            continue;
        uint64_t at = uv_now(probe->prober->loop) + STAGGER_MS;
        bool more = probe->next < probe->addresses.count && at < probe->deadline_ms;
        wait_until(probe, more ? at : probe->deadline_ms);
        return true;
    }
    return false;
}

/* Takes the chain. What there is no memory for was not seen. */
static enum cvg_error add_sighting(struct cvg_probe *probe, const struct attempt *attempt,
                                   const struct cvg_leaf *leaf, struct cvg_blob *chain)
{
    if (probe->result == NULL)
        probe->result = calloc(1, sizeof(*probe->result));
    if (probe->result == NULL || probe->result->count == CVG_SIGHTINGS_MAX) {
        cvg_blob_unref(chain);
        return CVG_ERR_NOMEM;
    }
    probe->result->sighting[probe->result->count++] = (struct cvg_sighting){
        .leaf = *leaf,
        .address = probe->addresses.address[attempt->address],
        .chain = chain,
    };
    return CVG_OK;
}

static void seen(enum cvg_error err, const struct cvg_leaf *leaf, struct cvg_blob *chain,
                 void *user)
{
    struct attempt *attempt = user;
    struct cvg_probe *probe = attempt->probe;
    attempt->look = NULL;
    probe->under_way--;
    if (err == CVG_OK)
        err = add_sighting(probe, attempt, leaf, chain);
    if (probe->second) {
        if (probe->under_way == 0)
            report(probe, err);
    } else if (err == CVG_OK) {
        probe->winner = attempt->address;
        report(probe, CVG_OK);
    } else if (!try_next(probe) && probe->under_way == 0) {
        report(probe, err);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct cvg_probe *probe = (struct cvg_probe *)(void *)timer;
    if (uv_now(probe->prober->loop) >= probe->deadline_ms)
        report(probe, CVG_ERR_TIMEOUT);
    else if (probe->lookup != NULL || !try_next(probe))
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
        if (!known && cvg_filter_allows(probe->prober->filter, &addresses->address[i]))
            kept->address[kept->count++] = addresses->address[i];
    }
}

/* That a name has no public address is signed, so it is said only of a whole answer. */
static void found(enum cvg_error err, const struct cvg_found_addresses *addresses, void *user)
{
    struct cvg_probe *probe = user;
    probe->lookup = NULL;
    if (err != CVG_OK) {
        report(probe, err);
        return;
    }
    keep_allowed(probe, addresses);
    if (probe->addresses.count == 0 && !addresses->partial)
        report(probe, CVG_ERR_REFUSED);
    else if (!try_next(probe))
        report(probe, CVG_ERR_UNREACHABLE);
}

/* The first turn of a probe, from the loop, so that done never comes inside start. */
static void begin(uv_timer_t *timer)
{
    struct cvg_probe *probe = (struct cvg_probe *)(void *)timer;
    const struct cvg_prober *prober = probe->prober;
    struct cvg_found_addresses addresses = {.count = 0};
    wait_until(probe, probe->deadline_ms);
    enum cvg_error err = cvg_lookup_start(prober->resolver, prober->filter, &probe->endpoint, found,
                                          probe, &addresses, &probe->lookup);
    if (err != CVG_OK || probe->lookup == NULL)
        found(err, &addresses, probe);
}

enum cvg_error cvg_probe_start(const struct cvg_prober *prober, const struct cvg_endpoint *endpoint,
                               uint8_t hint, cvg_probe_done *done, void *user,
                               struct cvg_probe **ret_probe)
{
    struct cvg_probe *probe = NULL;
    if (!cvg_starttls_known(hint))
        return CVG_ERR_ARGUMENT;
    probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return CVG_ERR_NOMEM;
    probe->prober = prober;
    probe->endpoint = *endpoint;
    probe->starttls = (uint8_t)cvg_starttls_kind(hint, endpoint->port);
    probe->done = done;
    probe->user = user;
    probe->started_ms = uv_now(prober->loop);
    probe->deadline_ms = probe->started_ms + prober->timeout_ms;
    uv_timer_init(prober->loop, &probe->timer);
    uv_timer_start(&probe->timer, begin, 0, 0);
    count(probe, CVG_METRIC_PROBES, 1);
    count(probe, CVG_METRIC_PROBES_OPEN, 1);
    *ret_probe = probe;
    return CVG_OK;
}

/* Somebody who waits for a "no" has a deadline, too: an address that is silent must not take all
 * the time. Where nobody waits, what was seen so far is kept already. */
static uint64_t second_deadline(const struct cvg_probe *probe, bool thorough)
{
    uint64_t now_ms = uv_now(probe->prober->loop);
    uint64_t half_ms = now_ms + probe->prober->timeout_ms / 2;
    if (thorough)
        return now_ms + probe->prober->timeout_ms;
    return half_ms < probe->deadline_ms ? half_ms : probe->deadline_ms;
}

enum cvg_error cvg_probe_again(struct cvg_probe *probe, bool thorough, cvg_probe_done *done)
{
    size_t known = probe->addresses.count;
    uint64_t deadline_ms = second_deadline(probe, thorough);
    if (probe->second || known == 0 || uv_now(probe->prober->loop) >= deadline_ms)
        return CVG_ERR_BUSY;
    probe->second = true;
    probe->done = done;
    (void)look(probe, probe->winner, CVG_OFFER_RSA);
    (void)look(probe, probe->winner, CVG_OFFER_EC);
    size_t others = thorough ? MORE_ADDRESSES : OTHER_ADDRESSES;
    for (size_t i = 1; i <= others && i < known; i++)
        (void)look(probe, (probe->winner + i) % known, CVG_OFFER_ALL);
    if (probe->under_way == 0)
        return CVG_ERR_BUSY;
    probe->deadline_ms = deadline_ms;
    wait_until(probe, deadline_ms);
    return CVG_OK;
}
