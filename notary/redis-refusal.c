/* SPDX-License-Identifier: MIT */
/* The first word of an error reply, and the server that redirections name. */
#include "notary/redis-refusal.h"

#include <string.h>

static const struct {
    const char *word; /* with the blank that must follow it */
    enum cvg_redis_refusal refusal;
} words[] = {
    {"MOVED ", CVG_REDIS_MOVED},
    {"ASK ", CVG_REDIS_ASK},
    {"TRYAGAIN ", CVG_REDIS_LATER},
    {"CLUSTERDOWN ", CVG_REDIS_LATER},
    {"LOADING ", CVG_REDIS_LATER},
    {"MASTERDOWN ", CVG_REDIS_LATER},
    {"NOREPLICAS ", CVG_REDIS_LATER},
    {"BUSY ", CVG_REDIS_LATER},
    {"MISCONF ", CVG_REDIS_LATER},
    {"OOM ", CVG_REDIS_LATER},
    {"UNBLOCKED ", CVG_REDIS_LATER},
    {"READONLY ", CVG_REDIS_READONLY},
    {"NOAUTH ", CVG_REDIS_DENIED},
    {"WRONGPASS ", CVG_REDIS_DENIED},
    {"NOPERM ", CVG_REDIS_DENIED},
    {"NOSCRIPT ", CVG_REDIS_NO_SCRIPT},
    {"WRONGTYPE ", CVG_REDIS_WRONG_TYPE},
    {"ERR unknown command ", CVG_REDIS_NO_CLUSTER},
    {"ERR This instance has cluster support disabled", CVG_REDIS_NO_CLUSTER},
};

static bool begins(const char *text, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    return len >= word_len && memcmp(text, word, word_len) == 0;
}

/* Digits up to the end, at most max; false for anything else. */
static bool number(const char *text, size_t len, unsigned max, unsigned *ret_number)
{
    unsigned value = 0;
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *ret_number = value;
    return value <= max;
}

/* "SLOT HOST:PORT"; an IPv6 address stands without brackets, so the last colon counts. */
static bool parse_redirect(const char *text, size_t len, const char *asked, unsigned *ret_slot,
                           struct cvg_redis_node *ret_node)
{
    const char *blank = memchr(text, ' ', len);
    if (blank == NULL)
        return false;
    const char *host = blank + 1, *end = text + len;
    const char *colon = memrchr(host, ':', (size_t)(end - host));
    unsigned slot = 0, port = 0;
    struct cvg_redis_node node;
    if (colon == NULL || !number(text, (size_t)(blank - text), CVG_REDIS_SLOTS - 1, &slot) ||
        !number(colon + 1, (size_t)(end - colon - 1), UINT16_MAX, &port) || port == 0 ||
        !cvg_redis_host(host, (size_t)(colon - host), asked, node.host))
        return false;
    node.port = (uint16_t)port;
    *ret_slot = slot;
    *ret_node = node;
    return true;
}

enum cvg_redis_refusal cvg_redis_refusal(const char *text, size_t len, const char *asked,
                                         unsigned *ret_slot, struct cvg_redis_node *ret_node)
{
    enum cvg_redis_refusal refusal = CVG_REDIS_OTHER;
    size_t word_len = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && refusal == CVG_REDIS_OTHER; i++)
        if (begins(text, len, words[i].word)) {
            refusal = words[i].refusal;
            word_len = strlen(words[i].word);
        }
    if ((refusal == CVG_REDIS_MOVED || refusal == CVG_REDIS_ASK) &&
        !parse_redirect(text + word_len, len - word_len, asked, ret_slot, ret_node))
        return CVG_REDIS_OTHER;
    return refusal;
}
