/* SPDX-License-Identifier: MIT */
/* Hash slots of Redis Cluster, as its specification has them. */
#include "notary/redis-slots.h"

#include <hiredis.h>
#include <string.h>

#define CRC16_POLYNOMIAL 0x1021

static unsigned crc16(const uint8_t *data, size_t len)
{
    unsigned crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ CRC16_POLYNOMIAL : crc << 1;
        crc &= 0xffff;
    }
    return crc;
}

unsigned cvg_redis_slot(const void *key, size_t len)
{
    const uint8_t *data = key;
    const uint8_t *open = len == 0 ? NULL : memchr(data, '{', len);
    if (open != NULL) {
        const uint8_t *tag = open + 1;
        const uint8_t *close = memchr(tag, '}', len - (size_t)(tag - data));
        if (close != NULL && close > tag)
            return crc16(tag, (size_t)(close - tag)) % CVG_REDIS_SLOTS;
    }
    return crc16(data, len) % CVG_REDIS_SLOTS;
}

static bool is_host_octet(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
}

bool cvg_redis_host(const char *text, size_t len, const char *asked, char ret_host[static 256])
{
    if (len == 0 || (len == 1 && *text == '?')) {
        text = asked;
        len = strlen(asked);
    }
    if (len == 0 || len >= CVG_REDIS_HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_host_octet(text[i]))
            return false;
    memcpy(ret_host, text, len);
    ret_host[len] = '\0';
    return true;
}

bool cvg_redis_node_equal(const struct cvg_redis_node *a, const struct cvg_redis_node *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* A server: an array that begins with host (text, or nil where it does not know) and port. */
static bool parse_node(const redisReply *reply, const char *asked, struct cvg_redis_node *ret_node)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2)
        return false;
    const redisReply *host = reply->element[0], *port = reply->element[1];
    if (port->type != REDIS_REPLY_INTEGER || port->integer < 1 || port->integer > UINT16_MAX)
        return false;
    ret_node->port = (uint16_t)port->integer;
    if (host->type == REDIS_REPLY_NIL)
        return cvg_redis_host("", 0, asked, ret_node->host);
    return host->type == REDIS_REPLY_STRING &&
           cvg_redis_host(host->str, host->len, asked, ret_node->host);
}

/* The server's place in the map; a new one is added. CVG_REDIS_NO_NODE: there is no room. */
static uint16_t place_of(struct cvg_redis_map *map, const struct cvg_redis_node *node)
{
    for (size_t i = 0; i < map->count; i++)
        if (cvg_redis_node_equal(&map->node[i], node))
            return (uint16_t)i;
    if (map->count == CVG_REDIS_NODES_MAX)
        return CVG_REDIS_NO_NODE;
    map->node[map->count] = *node;
    return (uint16_t)map->count++;
}

/* A range: first slot, last slot, its master; replicas follow, and nobody asks them. */
static enum cvg_error parse_range(const redisReply *reply, const char *asked,
                                  struct cvg_redis_map *map)
{
    struct cvg_redis_node node;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3)
        return CVG_ERR_PROTOCOL;
    const redisReply *first = reply->element[0], *last = reply->element[1];
    if (first->type != REDIS_REPLY_INTEGER || last->type != REDIS_REPLY_INTEGER ||
        first->integer < 0 || last->integer >= CVG_REDIS_SLOTS || first->integer > last->integer)
        return CVG_ERR_PROTOCOL;
    if (!parse_node(reply->element[2], asked, &node))
        return CVG_ERR_PROTOCOL;
    uint16_t place = place_of(map, &node);
    if (place == CVG_REDIS_NO_NODE)
        return CVG_ERR_RANGE;
    for (long long slot = first->integer; slot <= last->integer; slot++)
        map->owner[slot] = place;
    return CVG_OK;
}

enum cvg_error cvg_redis_map_parse(const redisReply *reply, const char *asked,
                                   struct cvg_redis_map *ret_map)
{
    ret_map->count = 0;
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++)
        ret_map->owner[i] = CVG_REDIS_NO_NODE;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements > CVG_REDIS_SLOTS)
        return CVG_ERR_PROTOCOL;
    for (size_t i = 0; i < reply->elements; i++) {
        enum cvg_error err = parse_range(reply->element[i], asked, ret_map);
        if (err != CVG_OK)
            return err;
    }
    return CVG_OK;
}
