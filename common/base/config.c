/* SPDX-License-Identifier: MIT */
/* The keys of converge.conf, their defaults and what each allows. Where the file is found and
 * whether it is believed is in config-load.c. */
#include "common/base/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/endpoint.h"
#include "common/base/keys.h"

#define PROGRAM_MAX 63 /* octets of a program's name */
#define DAY_S       86400

#define HISTORY_DEFAULT (8U << 20)
#define HISTORY_MIN     (1U << 20)
#define HISTORY_MAX     (1U << 30)

/* The distribution's own certificates. Not /etc/ssl/certs: the administrator's private roots are
 * linked into that. */
#define PUBLIC_ANCHORS "/usr/share/ca-certificates/mozilla"

void cvg_config_init(struct cvg_config *ret_config)
{
    memset(ret_config, 0, sizeof *ret_config);
    ret_config->quorum = 3;
    ret_config->deadline_ms = 2000;
    ret_config->cache_ttl_s = 90 * DAY_S;
    ret_config->negative_ttl_s = 5;
    ret_config->exempt_private_pki = true;
    ret_config->exempt_special_names = true;
    strcpy(ret_config->public_anchors, PUBLIC_ANCHORS);
    ret_config->tunnel_ports[0] = 443;
    ret_config->tunnel_ports_count = 1;
    ret_config->allow_off = true;
    ret_config->budget_per_minute = 600;
    ret_config->idle_exit_s = 600;
    strcpy(ret_config->log, "syslog");
    ret_config->portal_check = true;
    ret_config->history = HISTORY_DEFAULT;
    ret_config->bundle_update = true;
}

/* The value's place in a NULL-terminated list of words, -1 if it is none of them. */
static int choose(const struct cvg_value *value, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (cvg_value_is(value, words[i]))
            return i;
    return -1;
}

static bool set_agent(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                      void *target)
{
    static const char *const words[] = {"system", "user", NULL};
    int choice = choose(value, words);

    if (choice >= 0)
        ((struct cvg_config *)target)->agent = (enum cvg_agent_kind)choice;
    return choice >= 0;
}

static bool set_mode(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                     void *target)
{
    static const char *const words[] = {"augment", "monitor", "replace", NULL};
    int choice = choose(value, words);

    if (choice >= 0)
        ((struct cvg_config *)target)->mode = (enum cvg_mode)choice;
    return choice >= 0;
}

static bool set_match(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                      void *target)
{
    static const char *const words[] = {"certificate", "public-key", NULL};
    int choice = choose(value, words);

    if (choice >= 0)
        ((struct cvg_config *)target)->match = (enum cvg_match)choice;
    return choice >= 0;
}

static bool set_threshold(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                          void *target)
{
    static const char *const words[] = {"majority", "consensus", NULL};
    struct cvg_config *config = target;
    int choice = choose(value, words);
    uint64_t number;

    if (choice >= 0) {
        config->threshold = (enum cvg_threshold)choice;
        return true;
    }
    if (!cvg_value_number(value, 1, CVG_QUORUM_MAX, &number))
        return false;
    config->threshold = CVG_THRESHOLD_COUNT;
    config->threshold_count = (unsigned)number;
    return true;
}

static bool set_on_unreachable(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                               void *target)
{
    static const char *const words[] = {"deny", "known", "allow", NULL};
    int choice = choose(value, words);

    if (choice >= 0)
        ((struct cvg_config *)target)->on_unreachable = (enum cvg_unreachable)choice;
    return choice >= 0;
}

static bool set_bounce(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                       void *target)
{
    static const char *const words[] = {"auto", "on", "off", NULL};
    int choice = choose(value, words);

    if (choice >= 0)
        ((struct cvg_config *)target)->bounce = (enum cvg_bounce)choice;
    return choice >= 0;
}

static bool set_log(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    if (!cvg_value_is(value, "syslog"))
        return cvg_set_path(key, value, target);
    strcpy((char *)target + key->offset, "syslog");
    return true;
}

/* Less than the least is not worth its files. */
static bool set_history(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    uint64_t octets;
    struct cvg_key any = *key;

    any.offset = 0;
    if (!cvg_set_octets(&any, value, &octets) || (octets != 0 && octets < HISTORY_MIN))
        return false;
    ((struct cvg_config *)target)->history = octets;
    return true;
}

static bool set_ports(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                      void *target)
{
    struct cvg_config *config = target;
    struct cvg_value rest = *value, word;
    uint64_t port;

    config->tunnel_ports_count = 0;
    while (cvg_value_word(&rest, &word)) {
        if (config->tunnel_ports_count == CVG_PORTS_MAX ||
            !cvg_value_number(&word, 1, UINT16_MAX, &port))
            return false;
        config->tunnel_ports[config->tunnel_ports_count++] = (uint16_t)port;
    }
    return true;
}

static bool pool_add(struct cvg_config *config, struct cvg_words *words, const char *text,
                     size_t len)
{
    char *place = config->pool + config->pool_len;

    if (words->count == CVG_LIST_MAX || len >= sizeof config->pool - config->pool_len)
        return false;
    memcpy(place, text, len);
    place[len] = '\0';
    config->pool_len += len + 1;
    words->word[words->count++] = place;
    return true;
}

/* A host, or "*." and a name; kept in normal form. */
static bool add_pattern(struct cvg_config *config, struct cvg_words *words,
                        const struct cvg_value *word)
{
    bool wild = word->len > 2 && memcmp(word->text, "*.", 2) == 0;
    char pattern[CVG_HOST_MAX + 2] = "*.";
    struct cvg_endpoint endpoint;

    if (cvg_endpoint_set(word->text + (wild ? 2 : 0), word->len - (wild ? 2 : 0), 1, &endpoint,
                         NULL) != CVG_OK)
        return false;
    if (wild && endpoint.kind != CVG_HOST_NAME)
        return false;
    strcpy(pattern + (wild ? 2 : 0), endpoint.host);
    return pool_add(config, words, pattern, strlen(pattern));
}

static bool set_names(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                      void *target)
{
    struct cvg_config *config = target;
    struct cvg_value rest = *value, word;

    while (cvg_value_word(&rest, &word))
        if (!add_pattern(config, &config->exempt_names, &word))
            return false;
    return true;
}

static bool set_programs(const struct cvg_key *key CVG_UNUSED, const struct cvg_value *value,
                         void *target)
{
    struct cvg_config *config = target;
    struct cvg_value rest = *value, word;

    while (cvg_value_word(&rest, &word))
        if (word.len > PROGRAM_MAX || memchr(word.text, '/', word.len) != NULL ||
            !pool_add(config, &config->exclude_programs, word.text, word.len))
            return false;
    return true;
}

#define FIELD(field)  offsetof(struct cvg_config, field)
#define YES_OR_NO     "yes or no is allowed"
#define ABSOLUTE_PATH "an absolute path of at most 511 octets is allowed"

static const struct cvg_key keys[] = {
    {"agent", set_agent, 0, 0, 0, "system or user is allowed"},
    {"lock", cvg_set_bool, FIELD(lock), 0, 0, YES_OR_NO},
    {"mode", set_mode, 0, 0, 0, "augment, monitor or replace is allowed"},
    {"match", set_match, 0, 0, 0, "certificate or public-key is allowed"},
    {"threshold", set_threshold, 0, 0, 0,
     "majority, consensus or a number from 1 to 16 is allowed"},
    {"quorum", cvg_set_unsigned, FIELD(quorum), 1, CVG_QUORUM_MAX,
     "a number from 1 to 16 is allowed"},
    {"min_votes", cvg_set_unsigned, FIELD(min_votes), 0, CVG_QUORUM_MAX,
     "a number from 0 to 16 is allowed"},
    {"on_unreachable", set_on_unreachable, 0, 0, 0, "deny, known or allow is allowed"},
    {"deadline", cvg_set_duration_ms, FIELD(deadline_ms), 100, 60000,
     "100ms to 60s is allowed, for example 2s"},
    {"cache_ttl", cvg_set_duration_s64, FIELD(cache_ttl_s), 0, 3650 * DAY_S,
     "0 to 3650d is allowed, for example 90d"},
    {"negative_ttl", cvg_set_duration_s, FIELD(negative_ttl_s), 0, 3600,
     "0 to 1h is allowed, for example 5s"},
    {"bounce", set_bounce, 0, 0, 0, "auto, on or off is allowed"},
    {"exempt_private_pki", cvg_set_bool, FIELD(exempt_private_pki), 0, 0, YES_OR_NO},
    {"exempt_special_names", cvg_set_bool, FIELD(exempt_special_names), 0, 0, YES_OR_NO},
    {"exempt_names", set_names, 0, 0, 0,
     "at most 64 names like www.example.com or *.example.com are allowed, separated by blanks"},
    {"public_anchors", cvg_set_path, FIELD(public_anchors), 0, CVG_PATH_MAX, ABSOLUTE_PATH},
    {"tunnel_ports", set_ports, 0, 0, 0,
     "at most 16 ports from 1 to 65535 are allowed, separated by blanks"},
    {"exclude_programs", set_programs, 0, 0, 0,
     "at most 64 file names without '/' are allowed, separated by blanks"},
    {"allow_off", cvg_set_bool, FIELD(allow_off), 0, 0, YES_OR_NO},
    {"budget_per_minute", cvg_set_unsigned, FIELD(budget_per_minute), 1, 1000000,
     "a number from 1 to 1000000 is allowed"},
    {"idle_exit", cvg_set_duration_s, FIELD(idle_exit_s), 0, 365 * DAY_S,
     "0 (never) to 365d is allowed, for example 10m"},
    {"log", set_log, FIELD(log), 0, CVG_PATH_MAX, "syslog or an absolute path is allowed"},
    {"portal_check", cvg_set_bool, FIELD(portal_check), 0, 0, YES_OR_NO},
    {"history", set_history, FIELD(history), 0, HISTORY_MAX,
     "0 or 1M to 1G is allowed, for example 8M"},
    {"bundle_update", cvg_set_bool, FIELD(bundle_update), 0, 0, YES_OR_NO},
};

/* Words point into the pool of the configuration that they are part of. */
static void move_words(struct cvg_words *words, const char *from, const char *to)
{
    for (size_t i = 0; i < words->count; i++)
        words->word[i] = to + (words->word[i] - from);
}

void cvg_config_copy(const struct cvg_config *from, struct cvg_config *ret_to)
{
    if (from == ret_to)
        return;
    /* Once for each check: most of the pool is empty. */
    memcpy(ret_to, from, offsetof(struct cvg_config, pool));
    memcpy(ret_to->pool, from->pool, from->pool_len);
    ret_to->pool_len = from->pool_len;
    move_words(&ret_to->exempt_names, from->pool, ret_to->pool);
    move_words(&ret_to->exclude_programs, from->pool, ret_to->pool);
}

enum cvg_error cvg_config_parse(const char *text, size_t len, const char *name,
                                struct cvg_config *ret_config, struct cvg_why *ret_why)
{
    /* Not on the stack: it is 12 KB, and this runs on the small stacks of strangers' threads. */
    struct cvg_config *parsed = malloc(sizeof *parsed);
    enum cvg_error err;

    if (parsed == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s: %s", name, cvg_strerror(CVG_ERR_NOMEM));
    cvg_config_init(parsed);
    err = cvg_keys_parse(text, len, name, keys, sizeof keys / sizeof keys[0], parsed, ret_why);
    if (err == CVG_OK)
        cvg_config_copy(parsed, ret_config);
    free(parsed);
    return err;
}
