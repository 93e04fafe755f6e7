/* SPDX-License-Identifier: MIT */
/* What a Redis server says: an error line (redirections), or octets of its protocol that are taken
 * as the answer to CLUSTER SLOTS. */
#include <hiredis.h>

#include "notary/redis-refusal.h"
#include "notary/redis-slots.h"
#include "tests/fuzz/fuzz.h"

static void line(const char *text, size_t size)
{
    struct cvg_redis_node node = {.port = 0};
    unsigned slot = CVG_REDIS_SLOTS;
    enum cvg_redis_refusal refusal = cvg_redis_refusal(text, size, "asked", &slot, &node);
    if (refusal == CVG_REDIS_MOVED || refusal == CVG_REDIS_ASK)
        FUZZ_CHECK(slot < CVG_REDIS_SLOTS && node.port != 0 && node.host[0] != '\0' &&
                   strlen(node.host) < sizeof(node.host));
    else
        FUZZ_CHECK(slot == CVG_REDIS_SLOTS && node.port == 0);
    FUZZ_CHECK(cvg_redis_slot(text, size) < CVG_REDIS_SLOTS);
}

static void slots(const void *reply)
{
    static struct cvg_redis_map map;
    if (cvg_redis_map_parse(reply, "asked", &map) != CVG_OK)
        return;
    FUZZ_CHECK(map.count <= CVG_REDIS_NODES_MAX);
    for (size_t i = 0; i < CVG_REDIS_SLOTS; i++)
        FUZZ_CHECK(map.owner[i] == CVG_REDIS_NO_NODE || map.owner[i] < map.count);
    for (size_t i = 0; i < map.count; i++)
        FUZZ_CHECK(map.node[i].port != 0 && map.node[i].host[0] != '\0');
}

static void *no_array(const redisReadTask *task, int elements)
{
    (void)task;
    (void)elements;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    redisReader *reader = redisReaderCreate();
    redisReplyObjectFunctions functions;
    void *reply = NULL;
    FUZZ_CHECK(reader != NULL);
    line((const char *)data, size);
    functions = *reader->fn;
    if (size > 16 && data[size - 1] == 'N') /* memory that is exhausted within the reply */
        functions.createArray = no_array;
    reader->fn = &functions;
    if (redisReaderFeed(reader, (const char *)data, size) == REDIS_OK)
        while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL) {
            slots(reply);
            freeReplyObject(reply);
        }
    redisReaderFree(reader);
    return 0;
}
