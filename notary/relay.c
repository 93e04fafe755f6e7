/* SPDX-License-Identifier: MIT */
/* The relay's front: who comes, what they ask for, and which of the notary's hosts answers. The
 * octets are tunnel.c's business. */
#include "notary/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notary/dial.h"
#include "notary/guests.h"
#include "notary/http.h"
#include "notary/proxy.h"
#include "notary/route.h"
#include "notary/tunnel.h"

#define SETUP_MS  5000 /* from the request to the answer */
#define BUSY_S    5    /* when to come again where a budget was in the way */
#define DIALS_MAX (1 + CVG_HTTP_ALTERNATES_MAX)

struct candidate {
    struct cvg_relay *relay;
    struct cvg_endpoint endpoint;
    struct cvg_dial *dial; /* under way, or NULL */
};

struct refusal {
    const char *status, *text;
};

struct cvg_relay {
    uv_timer_t timer;     /* first: casts */
    struct cvg_link link; /* among the server's tunnels */
    struct cvg_worker *worker;
    struct cvg_budget_client *client;
    struct cvg_tunnel *tunnel;
    struct cvg_http *http;
    struct candidate candidate[DIALS_MAX];
    size_t candidates;
    size_t dialling;
    bool turned_away;            /* from a candidate, by its network's budget */
    const struct refusal *guest; /* why it is one, or NULL */
    struct cvg_buffer header;    /* of the PROXY protocol, while it is not complete */
    bool proxied;                /* it comes first */
    uint64_t octets;             /* that went through */
    uint64_t end_ms;             /* when the tunnel ends at the latest; 0: it has not begun */
    bool closed;
};

static void freed(uv_handle_t *handle)
{
    struct cvg_relay *relay = (struct cvg_relay *)(void *)handle;
    cvg_http_free(relay->http);
    cvg_buffer_free(&relay->header);
    free(relay);
}

static void stop_dialling(struct cvg_relay *relay)
{
    for (size_t i = 0; i < relay->candidates; i++) {
        cvg_dial_cancel(relay->candidate[i].dial);
        relay->candidate[i].dial = NULL;
    }
    relay->dialling = 0;
}

static void close_relay(struct cvg_relay *relay)
{
    struct cvg_worker *worker = relay->worker;
    if (relay->closed)
        return;
    relay->closed = true;
    stop_dialling(relay);
    cvg_tunnel_close(relay->tunnel);
    cvg_list_remove(&relay->link);
    if (relay->end_ms > 0)
        cvg_metrics_add(worker->metrics, CVG_METRIC_TUNNELS_OPEN, -1);
    if (relay->client != NULL)
        cvg_budget_leave(worker->budget, relay->client);
    uv_close((uv_handle_t *)&relay->timer, freed);
    if (relay->guest != NULL)
        cvg_guest_leave(&worker->shared->relay_guests);
    else
        cvg_worker_tunnel_went(worker);
}

static void timed_out(uv_timer_t *timer)
{
    close_relay((struct cvg_relay *)(void *)timer);
}

static void set_timer(struct cvg_relay *relay, uint64_t ms)
{
    uv_timer_start(&relay->timer, timed_out, ms, 0);
}

/* The original's answers, but for the last two, which it does not know. */
static const struct refusal forbidden = {"403 Access Denied", "Not an authorized notary request."},
                            not_connected = {"404 Unable to connect",
                                             "Unable to connect to notary!"},
                            over_budget = {"429 Too Many Requests", "Too many requests."},
                            busy = {"503 Service Unavailable", "Too busy."};

static void decline(struct cvg_relay *relay, const struct refusal *refusal, unsigned retry_after_s)
{
    char answer[512], body[128], later[64] = "";
    int body_len = snprintf(body, sizeof(body), "<html><body>%s</body></html>\n", refusal->text);
    if (retry_after_s > 0)
        snprintf(later, sizeof(later), "Retry-After: %u\r\n", retry_after_s);
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.0 %s\r\nConnection: close\r\nContent-Type: text/html\r\n%s"
                       "Content-Length: %d\r\n\r\n%s",
                       refusal->status, later, body_len, body);
    if (relay->guest == NULL) /* whose time runs from the beginning */
        set_timer(relay, relay->worker->settings.client_timeout_ms);
    cvg_tunnel_decline(relay->tunnel, answer, (size_t)len);
}

/* The original's 404 says that a notary does not answer; one that was not asked may. */
static void give_up(struct cvg_relay *relay)
{
    if (relay->turned_away)
        decline(relay, &busy, BUSY_S);
    else
        decline(relay, &not_connected, 0);
}

static void too_late(uv_timer_t *timer)
{
    struct cvg_relay *relay = (struct cvg_relay *)(void *)timer;
    stop_dialling(relay);
    give_up(relay);
}

/* Both how long nothing goes through and how long it all takes are limited. */
static void wait_for_octets(struct cvg_relay *relay)
{
    uint64_t now = uv_now(&relay->worker->loop);
    uint64_t left = relay->end_ms > now ? relay->end_ms - now : 0;
    uint64_t idle = relay->worker->settings.idle_timeout_ms;
    set_timer(relay, idle < left ? idle : left);
}

static void dialled(enum cvg_error err, uv_tcp_t *tcp, void *user)
{
    struct candidate *candidate = user;
    struct cvg_relay *relay = candidate->relay;
    char answer[CVG_HOST_MAX + 128];
    candidate->dial = NULL;
    relay->dialling--;
    if (err == CVG_ERR_BUSY)
        relay->turned_away = true;
    if (tcp == NULL) {
        if (relay->dialling == 0)
            give_up(relay);
        return;
    }
    stop_dialling(relay);
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.0 200 Connection Established\r\nProxy-Agent: Convergence\r\n"
                       "X-Convergence-Notary: %s\r\n\r\n",
                       candidate->endpoint.host);
    relay->end_ms = uv_now(&relay->worker->loop) + relay->worker->settings.tunnel_max_time_ms;
    cvg_metrics_add(relay->worker->metrics, CVG_METRIC_TUNNELS, 1);
    cvg_metrics_add(relay->worker->metrics, CVG_METRIC_TUNNELS_OPEN, 1);
    wait_for_octets(relay);
    cvg_tunnel_join(relay->tunnel, tcp, answer, (size_t)len);
}

static bool port_allowed(const struct cvg_worker *worker, uint16_t port)
{
    for (size_t i = 0; i < worker->settings.relay_ports.count; i++)
        if (worker->settings.relay_ports.port[i] == port)
            return true;
    return false;
}

static bool host_allowed(const struct cvg_worker *worker, const char *host)
{
    const struct cvg_relay_hosts *hosts = &worker->settings.relay_hosts;
    for (size_t i = 0; i < hosts->count; i++)
        if (strcmp(hosts->host[i], host) == 0)
            return true;
    return hosts->count == 0;
}

/* As the original: one destination that is not permitted spoils the request. */
static bool add_candidate(struct cvg_relay *relay, const char *text, size_t len)
{
    struct candidate *candidate = &relay->candidate[relay->candidates];
    if (cvg_route_relay(text, len, &candidate->endpoint) != CVG_OK ||
        !port_allowed(relay->worker, candidate->endpoint.port) ||
        !host_allowed(relay->worker, candidate->endpoint.host))
        return false;
    candidate->relay = relay;
    relay->candidates++;
    return true;
}

static bool take_request(struct cvg_relay *relay, const struct cvg_http_request *request)
{
    if (request->method != CVG_HTTP_CONNECT ||
        !add_candidate(relay, request->path, request->path_len))
        return false;
    for (size_t i = 0; i < request->alternate_count; i++)
        if (!add_candidate(relay, request->alternate[i], strlen(request->alternate[i])))
            return false;
    return true;
}

/* Counts as a probe: it looks names up and connects as one does. */
static void dial_all(struct cvg_relay *relay)
{
    struct cvg_worker *worker = relay->worker;
    unsigned wait_s = cvg_budget_probe(worker->budget, relay->client, cvg_clock_ms(worker->clock));
    if (wait_s > 0) {
        decline(relay, &over_budget, wait_s);
        return;
    }
    for (size_t i = 0; i < relay->candidates; i++)
        if (cvg_dial_start(&worker->loop, worker->resolver, worker->filter, worker->budget,
                           &relay->candidate[i].endpoint, dialled, &relay->candidate[i],
                           &relay->candidate[i].dial) == CVG_OK)
            relay->dialling++;
    if (relay->dialling == 0)
        decline(relay, &not_connected, 0);
    else
        uv_timer_start(&relay->timer, too_late, SETUP_MS, 0);
}

/* There is no room for it: it is told so, if there is a place for that. */
static enum cvg_error take_as_guest(struct cvg_relay *relay, const struct refusal *why)
{
    struct cvg_worker *worker = relay->worker;
    if (!cvg_guest_enter(&worker->shared->relay_guests, worker->settings.max_tunnels))
        return CVG_ERR_BUSY;
    relay->guest = why;
    cvg_metrics_add(worker->metrics, CVG_METRIC_CONNECTIONS_REFUSED, 1);
    cvg_worker_tunnel_went(worker);
    set_timer(relay, CVG_GUEST_MS);
    return CVG_OK;
}

/* From here on it is known whose budget pays. */
static enum cvg_error enter(struct cvg_relay *relay, const struct cvg_address *peer)
{
    struct cvg_worker *worker = relay->worker;
    if (relay->guest != NULL)
        return CVG_OK;
    enum cvg_error err =
        cvg_budget_enter(worker->budget, peer, uv_now(&worker->loop), &relay->client);
    return err == CVG_ERR_BUSY ? take_as_guest(relay, &over_budget) : err;
}

/* What a load balancer says first; ret_taken: of these octets. False: there is more of it to come,
 * or the relay is closed. */
static bool take_header(struct cvg_relay *relay, const char *data, size_t len, size_t *ret_taken)
{
    struct cvg_proxy proxy;
    size_t before = relay->header.len;
    enum cvg_error err = cvg_buffer_put(&relay->header, data, len);
    enum cvg_proxy_state state = cvg_proxy_parse(relay->header.data, relay->header.len, &proxy);
    if (err == CVG_OK && state == CVG_PROXY_MORE)
        return false;
    if (err == CVG_OK && state == CVG_PROXY_DONE && !proxy.named)
        err = cvg_tunnel_peer(relay->tunnel, &proxy.source);
    if (err == CVG_OK && state == CVG_PROXY_DONE)
        err = enter(relay, &proxy.source);
    if (err == CVG_ERR_BUSY)
        cvg_metrics_add(relay->worker->metrics, CVG_METRIC_CONNECTIONS_REFUSED, 1);
    if (err != CVG_OK || state == CVG_PROXY_BAD) {
        close_relay(relay);
        return false;
    }
    *ret_taken = proxy.len - before;
    relay->proxied = false;
    cvg_buffer_free(&relay->header);
    return true;
}

/* The head of the request; what follows it is for the other notary. */
static size_t on_head(struct cvg_tunnel *tunnel, const char *data, size_t len, void *user)
{
    struct cvg_relay *relay = user;
    size_t before = 0, taken = 0;
    (void)tunnel;
    if (relay->proxied && !take_header(relay, data, len, &before))
        return len;
    enum cvg_http_state state = cvg_http_feed(relay->http, data + before, len - before, &taken);
    if (state == CVG_HTTP_MORE)
        return before + taken;
    cvg_tunnel_head_done(relay->tunnel);
    if (relay->guest != NULL)
        decline(relay, relay->guest, CVG_GUEST_RETRY_AFTER_S);
    else if (state == CVG_HTTP_BAD || !take_request(relay, cvg_http_request(relay->http)))
        decline(relay, &forbidden, 0);
    else
        dial_all(relay);
    return before + taken;
}

static void on_active(struct cvg_tunnel *tunnel, size_t octets, void *user)
{
    struct cvg_relay *relay = user;
    (void)tunnel;
    relay->octets += octets;
    cvg_metrics_add(relay->worker->metrics, CVG_METRIC_TUNNEL_OCTETS, (int64_t)octets);
    if (relay->octets > relay->worker->settings.tunnel_max_bytes)
        close_relay(relay);
    else
        wait_for_octets(relay);
}

static void on_end(struct cvg_tunnel *tunnel, void *user)
{
    (void)tunnel;
    close_relay(user);
}

static const struct cvg_tunnel_events events = {
    .head = on_head,
    .active = on_active,
    .end = on_end,
};

static enum cvg_error begin(struct cvg_relay *relay)
{
    const struct cvg_settings *settings = &relay->worker->settings;
    struct cvg_address peer;
    enum cvg_error err = cvg_tunnel_peer(relay->tunnel, &peer);
    if (err == CVG_OK && atomic_load(&relay->worker->shared->tunnels) > settings->max_tunnels)
        err = take_as_guest(relay, &busy);
    if (err == CVG_OK)
        err = cvg_http_new(&relay->http);
    if (err == CVG_OK && cvg_networks_contain(&settings->proxy_from, &peer))
        relay->proxied = true;
    else if (err == CVG_OK)
        err = enter(relay, &peer);
    return err;
}

void cvg_relay_accept(struct cvg_worker *worker, int fd)
{
    struct cvg_relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL) {
        close(fd);
        return;
    }
    relay->worker = worker;
    if (cvg_tunnel_new(&worker->loop, fd, &events, relay, &relay->tunnel) != CVG_OK) {
        free(relay);
        return;
    }
    uv_timer_init(&worker->loop, &relay->timer);
    cvg_list_push(&worker->tunnels, &relay->link);
    cvg_worker_tunnel_came(worker);
    cvg_buffer_init(&relay->header, CVG_PROXY_MAX);
    set_timer(relay, worker->settings.client_timeout_ms);
    if (begin(relay) != CVG_OK) {
        cvg_metrics_add(worker->metrics, CVG_METRIC_CONNECTIONS_REFUSED, 1);
        close_relay(relay);
        return;
    }
    cvg_tunnel_start(relay->tunnel);
}

void cvg_tunnels_close(struct cvg_worker *worker)
{
    while (!cvg_list_empty(&worker->tunnels))
        close_relay(CVG_CONTAINER_OF(worker->tunnels.next, struct cvg_relay, link));
}
