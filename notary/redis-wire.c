/* SPDX-License-Identifier: MIT */
/* A TCP connection with hiredis' reader behind it. The reader's own limits are too generous for a
 * server that may be hostile: arrays and octets of one reply are bounded here. */
#include "notary/redis-wire.h"

#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notary/redis-link.h"

#define CHUNK        65536
#define ELEMENTS_MAX 65536 /* of an array */

struct cvg_redis_wire {
    uv_tcp_t tcp; /* first: casts */
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    const struct cvg_redis_wire_calls *calls; /* NULL: freed, and calls nobody */
    void *user;
    unsigned turn;
    redisReader *reader;
    redisReplyObjectFunctions functions; /* the reader's, with a bounded createArray */
    void *(*create_array)(const redisReadTask *, int);
    size_t fed;          /* octets since the last whole reply */
    unsigned references; /* the handle, the lookup: the last one frees */
    char chunk[CHUNK];
};

struct outgoing {
    uv_write_t request; /* first: casts */
    char data[];
};

static void unref(struct cvg_redis_wire *wire)
{
    if (--wire->references > 0)
        return;
    redisReaderFree(wire->reader);
    free(wire);
}

static void closed(uv_handle_t *handle)
{
    unref((struct cvg_redis_wire *)(void *)handle);
}

static void lose(struct cvg_redis_wire *wire, const char *reason)
{
    if (wire->calls != NULL)
        wire->calls->lost(reason, wire->user);
}

static void *bounded_array(const redisReadTask *task, int elements)
{
    const struct cvg_redis_wire *wire = task->privdata;
    return elements > ELEMENTS_MAX ? NULL : wire->create_array(task, elements);
}

/* The functions are hiredis' own but for one. A task's privdata is the reader's. */
static bool make_reader(struct cvg_redis_wire *wire)
{
    wire->reader = redisReaderCreate();
    if (wire->reader == NULL)
        return false;
    wire->functions = *wire->reader->fn;
    wire->create_array = wire->functions.createArray;
    wire->functions.createArray = bounded_array;
    wire->reader->fn = &wire->functions;
    wire->reader->privdata = wire;
    return true;
}

/* Hands out the whole replies that were read. A call may free the wire: then there are no more. */
static void hand_out(struct cvg_redis_wire *wire)
{
    while (wire->calls != NULL) {
        void *reply = NULL;
        if (redisReaderGetReply(wire->reader, &reply) != REDIS_OK) {
            lose(wire, "it does not speak Redis' protocol");
            return;
        }
        if (reply == NULL)
            break;
        wire->fed = wire->reader->len - wire->reader->pos;
        wire->calls->reply(reply, wire->user);
        freeReplyObject(reply);
    }
    if (wire->fed > CVG_REDIS_REPLY_MAX)
        lose(wire, "a reply is too long");
}

static void lend_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct cvg_redis_wire *wire = (struct cvg_redis_wire *)(void *)handle;
    (void)suggested;
    *ret_buf = uv_buf_init(wire->chunk, CHUNK);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct cvg_redis_wire *wire = (struct cvg_redis_wire *)(void *)stream;
    if (len < 0) {
        lose(wire, len == UV_EOF ? "it hung up" : uv_strerror((int)len));
    } else if (len > 0 && wire->calls != NULL) {
        wire->fed += (size_t)len;
        if (redisReaderFeed(wire->reader, buf->base, (size_t)len) != REDIS_OK)
            lose(wire, "memory is exhausted");
        else
            hand_out(wire);
    }
}

static void on_connect(uv_connect_t *request, int status)
{
    struct cvg_redis_wire *wire = request->data;
    if (status == 0 && wire->calls != NULL) {
        uv_tcp_nodelay(&wire->tcp, 1);
        status = uv_read_start((uv_stream_t *)&wire->tcp, lend_chunk, on_read);
    }
    if (status != 0)
        lose(wire, uv_strerror(status));
    else if (wire->calls != NULL)
        wire->calls->connected(wire->user);
}

/* One address of those found; the next attempt takes the next. */
static const struct addrinfo *choose(const struct addrinfo *all, unsigned turn)
{
    unsigned count = 0;
    for (const struct addrinfo *one = all; one != NULL; one = one->ai_next)
        count++;
    for (unsigned skip = count == 0 ? 0 : turn % count; skip > 0; skip--)
        all = all->ai_next;
    return all;
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct cvg_redis_wire *wire = lookup->data;
    const struct addrinfo *address = status == 0 ? choose(found, wire->turn) : NULL;
    if (wire->calls != NULL) {
        if (address != NULL)
            status = uv_tcp_connect(&wire->connect, &wire->tcp, address->ai_addr, on_connect);
        else if (status == 0)
            status = UV_EAI_NONAME;
        if (status != 0)
            lose(wire, uv_strerror(status));
    }
    uv_freeaddrinfo(found);
    unref(wire);
}

enum cvg_error cvg_redis_wire_new(uv_loop_t *loop, const struct cvg_redis_node *node, unsigned turn,
                                  const struct cvg_redis_wire_calls *calls, void *user,
                                  struct cvg_redis_wire **ret_wire)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];
    struct cvg_redis_wire *wire = calloc(1, sizeof(*wire));
    if (wire == NULL || !make_reader(wire)) {
        free(wire);
        return CVG_ERR_NOMEM;
    }
    wire->calls = calls;
    wire->user = user;
    wire->turn = turn;
    wire->lookup.data = wire->connect.data = wire;
    uv_tcp_init(loop, &wire->tcp);
    wire->references = 1;
    snprintf(port, sizeof(port), "%u", node->port);
    if (uv_getaddrinfo(loop, &wire->lookup, on_lookup, node->host, port, &hints) != 0) {
        cvg_redis_wire_free(wire);
        return CVG_ERR_NOMEM;
    }
    wire->references++;
    *ret_wire = wire;
    return CVG_OK;
}

void cvg_redis_wire_free(struct cvg_redis_wire *wire)
{
    if (wire == NULL)
        return;
    wire->calls = NULL;
    (void)uv_cancel((uv_req_t *)&wire->lookup);
    uv_close((uv_handle_t *)&wire->tcp, closed);
}

static void written(uv_write_t *request, int status)
{
    (void)status; /* a connection that is broken is told by reading */
    free(request);
}

enum cvg_error cvg_redis_wire_write(struct cvg_redis_wire *wire, const void *data, size_t len)
{
    struct outgoing *out = malloc(sizeof(*out) + len);
    if (out == NULL)
        return CVG_ERR_NOMEM;
    memcpy(out->data, data, len);
    uv_buf_t buf = uv_buf_init(out->data, (unsigned)len);
    if (uv_write(&out->request, (uv_stream_t *)&wire->tcp, &buf, 1, written) != 0) {
        free(out);
        return CVG_ERR_UNREACHABLE;
    }
    return CVG_OK;
}
