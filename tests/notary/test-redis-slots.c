/* SPDX-License-Identifier: MIT */
/* Hash slots, the map of a cluster, and what error replies mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis.h>
#include <stdio.h>
#include <string.h>

#include "notary/redis-refusal.h"
#include "notary/redis-slots.h"

static unsigned slot(const char *key)
{
    return cvg_redis_slot(key, strlen(key));
}

static void slots_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(slot("123456789"), 0x31c3); /* CRC16/XMODEM's check value, below 16384 */
    assert_int_equal(slot("foo"), 12182);
    assert_int_equal(slot("somekey"), 11058);
    assert_int_equal(slot("bar"), 5061);
    assert_int_equal(slot(""), 0);
    assert_int_equal(cvg_redis_slot(NULL, 0), 0);
}

static void hash_tags(void **state)
{
    (void)state;
    assert_int_equal(slot("{user1000}.following"), slot("user1000"));
    assert_int_equal(slot("a{bar}{zap}"), slot("bar"));
    assert_int_equal(slot("foo{{bar}}zap"), slot("{bar"));
    assert_int_equal(cvg_redis_slot("{a\0b}", 5), cvg_redis_slot("a\0b", 3));
    /* No tag: empty, never closed, closed before it is opened. */
    assert_int_not_equal(slot("foo{}{bar}"), slot("bar"));
    assert_int_not_equal(slot("foo{bar"), slot("bar"));
    assert_int_not_equal(slot("}foo{"), slot("foo"));
    assert_int_not_equal(slot("{}"), slot(""));
}

static void every_slot_is_in_range(void **state)
{
    char key[16];
    (void)state;
    for (int i = 0; i < 50000; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        assert_in_range(slot(key), 0, CVG_REDIS_SLOTS - 1);
    }
}

static enum cvg_redis_refusal refusal(const char *text, unsigned *ret_slot,
                                      struct cvg_redis_node *ret_node)
{
    return cvg_redis_refusal(text, strlen(text), "asked.example", ret_slot, ret_node);
}

static void redirected(const char *text, enum cvg_redis_refusal kind, unsigned where,
                       const char *host, unsigned port)
{
    struct cvg_redis_node node = {.port = 0};
    unsigned found = CVG_REDIS_SLOTS;
    assert_int_equal(refusal(text, &found, &node), kind);
    assert_int_equal(found, where);
    assert_string_equal(node.host, host);
    assert_int_equal(node.port, port);
}

static void redirections(void **state)
{
    (void)state;
    redirected("MOVED 3999 127.0.0.1:6381", CVG_REDIS_MOVED, 3999, "127.0.0.1", 6381);
    redirected("ASK 0 127.0.0.1:1", CVG_REDIS_ASK, 0, "127.0.0.1", 1);
    redirected("ASK 16383 2001:db8::1:65535", CVG_REDIS_ASK, 16383, "2001:db8::1", 65535);
    redirected("MOVED 1 redis-1.example:6379", CVG_REDIS_MOVED, 1, "redis-1.example", 6379);
    redirected("MOVED 1 :6379", CVG_REDIS_MOVED, 1, "asked.example", 6379);
    redirected("MOVED 1 ?:6379", CVG_REDIS_MOVED, 1, "asked.example", 6379);
}

static void malformed_redirections(void **state)
{
    static const char *const bad[] = {
        "MOVED",
        "MOVED ",
        "MOVED 1",
        "MOVED 1 ",
        "MOVED 1 a",
        "MOVED 1 a:",
        "MOVED 1 a:0",
        "MOVED 1 a:65536",
        "MOVED 1 a:99999",
        "MOVED 1 a:123456",
        "MOVED 1 a:-1",
        "MOVED 1 a:1 ",
        "MOVED 16384 a:1",
        "MOVED 99999 a:1",
        "MOVED 100000 a:1",
        "MOVED -1 a:1",
        "MOVED x a:1",
        "MOVED  a:1",
        "MOVED 1 a b:1",
        "MOVED 1 a/b:1",
        "MOVED 1 a\nb:1",
        "MOVED 1 ??:1",
        "ASK",
        "ASK 1",
        "MOVEDX 1 a:1",
        "moved 1 a:1",
    };
    char text[CVG_REDIS_HOST_MAX + 32] = "MOVED 1 ";
    struct cvg_redis_node node = {.port = 0};
    unsigned found = CVG_REDIS_SLOTS;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(refusal(bad[i], &found, &node), CVG_REDIS_OTHER);
        assert_int_equal(found, CVG_REDIS_SLOTS);
        assert_int_equal(node.port, 0);
    }
    memset(text + 8, 'a', CVG_REDIS_HOST_MAX - 1);
    strcpy(text + 8 + CVG_REDIS_HOST_MAX - 1, ":1");
    assert_int_equal(refusal(text, &found, &node), CVG_REDIS_MOVED); /* the longest host */
    text[8 + CVG_REDIS_HOST_MAX - 1] = 'a';
    strcpy(text + 8 + CVG_REDIS_HOST_MAX, ":1");
    assert_int_equal(refusal(text, &found, &node), CVG_REDIS_OTHER);
}

static void other_refusals(void **state)
{
    static const struct {
        const char *text;
        enum cvg_redis_refusal refusal;
    } cases[] = {
        {"TRYAGAIN Multiple keys request during rehashing of slot", CVG_REDIS_LATER},
        {"CLUSTERDOWN The cluster is down", CVG_REDIS_LATER},
        {"LOADING Redis is loading the dataset in memory", CVG_REDIS_LATER},
        {"NOREPLICAS Not enough good replicas to write.", CVG_REDIS_LATER},
        {"READONLY You can't write against a read only replica.", CVG_REDIS_READONLY},
        {"NOAUTH Authentication required.", CVG_REDIS_DENIED},
        {"WRONGPASS invalid username-password pair or user is disabled.", CVG_REDIS_DENIED},
        {"NOPERM this user has no permissions to run the 'get' command", CVG_REDIS_DENIED},
        {"ERR This instance has cluster support disabled", CVG_REDIS_NO_CLUSTER},
        {"ERR unknown command 'CLUSTER'", CVG_REDIS_NO_CLUSTER},
        {"NOSCRIPT No matching script. Please use EVAL.", CVG_REDIS_NO_SCRIPT},
        {"WRONGTYPE Operation against a key holding the wrong kind", CVG_REDIS_WRONG_TYPE},
        {"ERR syntax error", CVG_REDIS_OTHER},
        {"LOADINGX now", CVG_REDIS_OTHER},
        {"", CVG_REDIS_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cvg_redis_node node;
        unsigned found;
        assert_int_equal(refusal(cases[i].text, &found, &node), cases[i].refusal);
    }
}

static enum cvg_error parse(const char *octets, struct cvg_redis_map *ret_map)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    assert_non_null(reader);
    assert_int_equal(redisReaderFeed(reader, octets, strlen(octets)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    enum cvg_error err = cvg_redis_map_parse(reply, "asked", ret_map);
    freeReplyObject(reply);
    redisReaderFree(reader);
    return err;
}

static void map_of_two_masters(void **state)
{
    static struct cvg_redis_map map;
    (void)state;
    assert_int_equal(parse("*3\r\n"
                           "*4\r\n:0\r\n:5460\r\n*3\r\n$9\r\n127.0.0.1\r\n:7000\r\n$2\r\nid\r\n"
                           "*3\r\n$9\r\n127.0.0.1\r\n:7003\r\n$2\r\nid\r\n"
                           "*3\r\n:5462\r\n:16382\r\n*4\r\n$-1\r\n:7001\r\n$2\r\nid\r\n*0\r\n"
                           "*3\r\n:16383\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:7000\r\n",
                           &map),
                     CVG_OK);
    assert_int_equal(map.count, 2);
    assert_string_equal(map.node[0].host, "127.0.0.1");
    assert_int_equal(map.node[0].port, 7000);
    assert_string_equal(map.node[1].host, "asked"); /* does not know its own address */
    assert_int_equal(map.owner[0], 0);
    assert_int_equal(map.owner[5460], 0);
    assert_int_equal(map.owner[5461], CVG_REDIS_NO_NODE);
    assert_int_equal(map.owner[5462], 1);
    assert_int_equal(map.owner[16382], 1);
    assert_int_equal(map.owner[16383], 0);
    assert_int_equal(parse("*0\r\n", &map), CVG_OK);
    assert_int_equal(map.owner[0], CVG_REDIS_NO_NODE);
}

static void maps_that_make_no_sense(void **state)
{
    static struct cvg_redis_map map;
    static const char *const bad[] = {
        "+OK\r\n",
        ":1\r\n",
        "$-1\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*0\r\n",
        "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n:2\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n:1\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n+1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:65536\r\n",
        "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n+0\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$3\r\na b\r\n:1\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse(bad[i], &map), CVG_ERR_PROTOCOL);
}

static void too_many_masters(void **state)
{
    static struct cvg_redis_map map;
    static char octets[64 * (CVG_REDIS_NODES_MAX + 1)];
    (void)state;
    for (int masters = CVG_REDIS_NODES_MAX; masters <= CVG_REDIS_NODES_MAX + 1; masters++) {
        int at = sprintf(octets, "*%d\r\n", masters);
        for (int i = 0; i < masters; i++)
            at += sprintf(octets + at, "*3\r\n:%d\r\n:%d\r\n*2\r\n$1\r\na\r\n:%d\r\n", i, i, i + 1);
        assert_int_equal(parse(octets, &map),
                         masters > CVG_REDIS_NODES_MAX ? CVG_ERR_RANGE : CVG_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_of_the_specification), cmocka_unit_test(hash_tags),
        cmocka_unit_test(every_slot_is_in_range),     cmocka_unit_test(redirections),
        cmocka_unit_test(malformed_redirections),     cmocka_unit_test(other_refusals),
        cmocka_unit_test(map_of_two_masters),         cmocka_unit_test(maps_that_make_no_sense),
        cmocka_unit_test(too_many_masters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
