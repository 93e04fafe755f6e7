/* SPDX-License-Identifier: MIT */
/* Servers as links, slots as indices of them, and the question who has what. */
#include "notary/redis-nodes.h"

#include <hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "notary/redis-refusal.h"

#define PLACES_MAX 512 /* the settings' servers, the map's, and those of redirections */
#define REFRESH_MS 250 /* between two questions */

enum kind { UNKNOWN = 0, SINGLE, CLUSTER };

struct place {
    struct cvg_redis_node node;
    struct cvg_redis_link *link;
    bool seed;    /* the settings name it */
    bool owns;    /* some slot */
    bool replica; /* a single server that said so */
    bool up;      /* when it last changed */
};

struct cvg_redis_nodes {
    uv_timer_t timer; /* first: casts */
    uv_loop_t *loop;
    const struct cvg_redis_login *login;
    struct place *place[PLACES_MAX]; /* NULL: free; those of the settings come first */
    uint16_t owner[CVG_REDIS_SLOTS]; /* index of a place, or CVG_REDIS_NO_NODE */
    enum kind kind;
    bool settled;
    bool asking; /* a question is under way */
    bool told;   /* that an answer made no sense, once */
    bool freed;
    unsigned losses;
    size_t cursor; /* where to ask next */
    uint64_t asked_ms;
    struct cvg_redis_map map; /* the answer, while it is taken over */
};

static void ask(struct cvg_redis_nodes *nodes);

static uint16_t find(const struct cvg_redis_nodes *nodes, const struct cvg_redis_node *node)
{
    for (uint16_t i = 0; i < PLACES_MAX; i++)
        if (nodes->place[i] != NULL && cvg_redis_node_equal(&nodes->place[i]->node, node))
            return i;
    return CVG_REDIS_NO_NODE;
}

static void on_timer(uv_timer_t *timer)
{
    ask((struct cvg_redis_nodes *)(void *)timer);
}

void cvg_redis_nodes_doubt(struct cvg_redis_nodes *nodes)
{
    uint64_t now_ms = uv_now(nodes->loop), at_ms = nodes->asked_ms + REFRESH_MS;
    if (nodes->freed || nodes->asking || uv_is_active((uv_handle_t *)&nodes->timer))
        return;
    uv_timer_start(&nodes->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

/* Nobody can be asked, now or soon. */
static bool all_away(const struct cvg_redis_nodes *nodes)
{
    for (size_t i = 0; i < PLACES_MAX; i++)
        if (nodes->place[i] != NULL && !cvg_redis_link_away(nodes->place[i]->link))
            return false;
    return true;
}

static void changed(struct cvg_redis_link *link, void *user)
{
    struct cvg_redis_nodes *nodes = user;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place *place = nodes->place[i];
        if (place == NULL || place->link != link)
            continue;
        if (place->up && !cvg_redis_link_up(link))
            nodes->losses++;
        place->up = cvg_redis_link_up(link);
    }
    if (all_away(nodes))
        nodes->settled = true;
    cvg_redis_nodes_doubt(nodes);
}

/* The server's place; made if there is none yet. */
static uint16_t add(struct cvg_redis_nodes *nodes, const struct cvg_redis_node *node)
{
    uint16_t at = find(nodes, node);
    if (at != CVG_REDIS_NO_NODE)
        return at;
    for (at = 0; at < PLACES_MAX && nodes->place[at] != NULL; at++)
        ;
    struct place *place = at == PLACES_MAX ? NULL : calloc(1, sizeof(*place));
    if (place == NULL)
        return CVG_REDIS_NO_NODE;
    place->node = *node;
    if (cvg_redis_link_new(nodes->loop, node, nodes->login, changed, nodes, &place->link) !=
        CVG_OK) {
        free(place);
        return CVG_REDIS_NO_NODE;
    }
    nodes->place[at] = place;
    return at;
}

/* Notes who owns something; drops servers that nobody needs any more. */
static void sweep(struct cvg_redis_nodes *nodes)
{
    for (size_t i = 0; i < PLACES_MAX; i++)
        if (nodes->place[i] != NULL)
            nodes->place[i]->owns = false;
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++)
        if (nodes->owner[i] != CVG_REDIS_NO_NODE)
            nodes->place[nodes->owner[i]]->owns = true;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place *place = nodes->place[i];
        if (place == NULL || place->seed || place->owns || cvg_redis_link_busy(place->link) > 0)
            continue;
        cvg_redis_link_free(place->link);
        free(place);
        nodes->place[i] = NULL;
    }
}

static void set_owner(struct cvg_redis_nodes *nodes, size_t slot, uint16_t owner)
{
    if (nodes->owner[slot] != CVG_REDIS_NO_NODE && nodes->owner[slot] != owner)
        nodes->losses++;
    nodes->owner[slot] = owner;
}

static void take_map(struct cvg_redis_nodes *nodes)
{
    uint16_t index[CVG_REDIS_NODES_MAX];
    for (size_t i = 0; i < nodes->map.count; i++)
        index[i] = add(nodes, &nodes->map.node[i]);
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++) {
        uint16_t master = nodes->map.owner[i];
        set_owner(nodes, i, master == CVG_REDIS_NO_NODE ? CVG_REDIS_NO_NODE : index[master]);
    }
    nodes->kind = CLUSTER;
    sweep(nodes);
}

static void take_single(struct cvg_redis_nodes *nodes, uint16_t at)
{
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++)
        set_owner(nodes, i, at);
    nodes->kind = SINGLE;
    sweep(nodes);
}

static void make_no_sense(struct cvg_redis_nodes *nodes, const struct place *place,
                          const char *what)
{
    if (!nodes->told)
        cvg_log(CVG_LOG_WARNING, "redis %s port %u does not tell who has what: %s",
                place->node.host, place->node.port, what);
    nodes->told = true;
}

static void take(struct cvg_redis_nodes *nodes, uint16_t at, const redisReply *reply)
{
    const struct place *place = nodes->place[at];
    struct cvg_redis_node node;
    unsigned slot;
    enum cvg_error err = CVG_OK;
    if (reply->type == REDIS_REPLY_ERROR) {
        if (place->seed && cvg_redis_refusal(reply->str, reply->len, place->node.host, &slot,
                                             &node) == CVG_REDIS_NO_CLUSTER)
            take_single(nodes, at);
        else
            make_no_sense(nodes, place, reply->str);
        return;
    }
    err = cvg_redis_map_parse(reply, place->node.host, &nodes->map);
    if (err == CVG_OK)
        take_map(nodes);
    else
        make_no_sense(nodes, place, cvg_strerror(err));
    if (err == CVG_OK)
        nodes->told = false;
}

static void on_slots(enum cvg_error err, const redisReply *reply, void *user)
{
    struct cvg_redis_nodes *nodes = user;
    nodes->asking = false;
    nodes->settled = true;
    if (err == CVG_OK && nodes->place[nodes->cursor] != NULL)
        take(nodes, (uint16_t)nodes->cursor, reply);
    if (!cvg_redis_nodes_up(nodes))
        cvg_redis_nodes_doubt(nodes);
}

/* Whom to ask: of a cluster one after another, for one of them may be cut off and know nothing new;
 * of single servers the first of the settings that is no replica. */
static struct place *choose(struct cvg_redis_nodes *nodes)
{
    size_t first = nodes->kind == CLUSTER ? nodes->cursor + 1 : 0;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        size_t at = (first + i) % PLACES_MAX;
        struct place *place = nodes->place[at];
        if (place != NULL && cvg_redis_link_up(place->link) &&
            (nodes->kind == CLUSTER || !place->replica)) {
            nodes->cursor = at;
            return place;
        }
    }
    for (size_t i = 0; i < PLACES_MAX; i++)
        if (nodes->place[i] != NULL)
            nodes->place[i]->replica = false; /* one may have been promoted meanwhile */
    return NULL;
}

static void ask(struct cvg_redis_nodes *nodes)
{
    static const char command[] = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
    struct place *place = choose(nodes);
    nodes->asked_ms = uv_now(nodes->loop);
    if (place != NULL &&
        cvg_redis_link_send(place->link, command, sizeof(command) - 1, on_slots, nodes) == CVG_OK)
        nodes->asking = true;
    else if (!all_away(nodes))
        cvg_redis_nodes_doubt(nodes);
}

enum cvg_error cvg_redis_nodes_new(uv_loop_t *loop, const struct cvg_redis_node *server,
                                   size_t count, const struct cvg_redis_login *login,
                                   struct cvg_redis_nodes **ret_nodes)
{
    struct cvg_redis_nodes *nodes = calloc(1, sizeof(*nodes));
    if (nodes == NULL)
        return CVG_ERR_NOMEM;
    nodes->loop = loop;
    nodes->login = login;
    uv_timer_init(loop, &nodes->timer);
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++)
        nodes->owner[i] = CVG_REDIS_NO_NODE;
    for (size_t i = 0; i < count; i++) {
        uint16_t at = add(nodes, &server[i]);
        if (at == CVG_REDIS_NO_NODE) {
            cvg_redis_nodes_free(nodes);
            return CVG_ERR_NOMEM;
        }
        nodes->place[at]->seed = true;
    }
    *ret_nodes = nodes;
    return CVG_OK;
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

void cvg_redis_nodes_free(struct cvg_redis_nodes *nodes)
{
    if (nodes == NULL)
        return;
    nodes->freed = true;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        if (nodes->place[i] != NULL)
            cvg_redis_link_free(nodes->place[i]->link);
        free(nodes->place[i]);
        nodes->place[i] = NULL;
    }
    uv_close((uv_handle_t *)&nodes->timer, closed);
}

struct cvg_redis_link *cvg_redis_nodes_owner(const struct cvg_redis_nodes *nodes, unsigned slot)
{
    uint16_t at = nodes->owner[slot];
    return at == CVG_REDIS_NO_NODE ? NULL : nodes->place[at]->link;
}

struct cvg_redis_link *cvg_redis_nodes_at(struct cvg_redis_nodes *nodes,
                                          const struct cvg_redis_node *node)
{
    uint16_t at = add(nodes, node);
    return at == CVG_REDIS_NO_NODE ? NULL : nodes->place[at]->link;
}

void cvg_redis_nodes_moved(struct cvg_redis_nodes *nodes, unsigned slot,
                           const struct cvg_redis_node *node)
{
    uint16_t at = add(nodes, node);
    if (at != CVG_REDIS_NO_NODE)
        set_owner(nodes, slot, at);
    cvg_redis_nodes_doubt(nodes);
}

void cvg_redis_nodes_replica(struct cvg_redis_nodes *nodes, const struct cvg_redis_link *link)
{
    for (size_t i = 0; i < PLACES_MAX; i++)
        if (nodes->place[i] != NULL && nodes->place[i]->link == link)
            nodes->place[i]->replica = true;
    cvg_redis_nodes_doubt(nodes);
}

size_t cvg_redis_nodes_masters(const struct cvg_redis_nodes *nodes,
                               struct cvg_redis_link **ret_link, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < PLACES_MAX && count < max; i++)
        if (nodes->place[i] != NULL && nodes->place[i]->owns)
            ret_link[count++] = nodes->place[i]->link;
    return count;
}

unsigned cvg_redis_nodes_losses(const struct cvg_redis_nodes *nodes)
{
    return nodes->losses;
}

bool cvg_redis_nodes_settled(const struct cvg_redis_nodes *nodes)
{
    return nodes->settled;
}

bool cvg_redis_nodes_up(const struct cvg_redis_nodes *nodes)
{
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++)
        if (nodes->owner[i] == CVG_REDIS_NO_NODE)
            return false;
    for (size_t i = 0; i < PLACES_MAX; i++)
        if (nodes->place[i] != NULL && nodes->place[i]->owns &&
            !cvg_redis_link_up(nodes->place[i]->link))
            return false;
    return true;
}
