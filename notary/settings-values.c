/* SPDX-License-Identifier: MIT */
/* The values of notary.conf's keys, read into their fields. */
#include "notary/settings-values.h"

#include <string.h>

#define REDIS_PORT 6379

/* The word as a string; false if it is longer than size allows. */
static bool text_of(const struct cvg_value *value, char *ret_text, size_t size)
{
    if (value->len == 0 || value->len >= size)
        return false;
    memcpy(ret_text, value->text, value->len);
    ret_text[value->len] = '\0';
    return true;
}

/* A path; one that is not absolute starts at the configuration's directory. */
bool cvg_setting_path(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    const struct cvg_settings_parse *parse = target;
    char *path = (char *)target + key->offset;
    if (value->len == 0)
        return false;
    size_t before = value->text[0] == '/' ? 0 : parse->directory_len;
    if (before + value->len >= CVG_PATH_MAX)
        return false;
    memcpy(path, parse->directory, before);
    memcpy(path + before, value->text, value->len);
    path[before + value->len] = '\0';
    return true;
}

bool cvg_setting_word(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_value rest = *value, word;
    return cvg_value_word(&rest, &word) && word.len == value->len &&
           memchr(value->text, '/', value->len) == NULL &&
           text_of(value, (char *)target + key->offset, CVG_MESSAGE_NAME_MAX);
}

bool cvg_setting_addresses(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_addresses *list = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    char text[CVG_ADDRESS_TEXT_MAX];
    list->count = 0;
    while (cvg_value_word(&rest, &word)) {
        if (list->count == CVG_SETTINGS_ADDRESSES || !text_of(&word, text, sizeof(text)) ||
            cvg_address_parse(text, &list->address[list->count]) != CVG_OK)
            return false;
        list->count++;
    }
    return list->count >= key->min;
}

/* "none", or a path. */
bool cvg_setting_anchor(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    if (value->len != strlen(CVG_DNS_ANCHOR_NONE) ||
        memcmp(value->text, CVG_DNS_ANCHOR_NONE, value->len) != 0)
        return cvg_setting_path(key, value, target);
    return text_of(value, (char *)target + key->offset, CVG_PATH_MAX);
}

/* "192.0.2.53" or "2001:db8::53@5353". */
bool cvg_setting_dns_servers(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_dns_servers *list = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    list->count = 0;
    while (cvg_value_word(&rest, &word)) {
        const char *at = memchr(word.text, '@', word.len);
        struct cvg_value address = {.text = word.text,
                                    .len = at == NULL ? word.len : (size_t)(at - word.text)};
        struct cvg_value port = {.text = at == NULL ? "" : at + 1,
                                 .len = at == NULL ? 0 : word.len - address.len - 1};
        char text[CVG_ADDRESS_TEXT_MAX];
        uint64_t number = 53;
        if (list->count == CVG_SETTINGS_DNS_SERVERS || !text_of(&address, text, sizeof(text)) ||
            (at != NULL && !cvg_value_number(&port, 1, UINT16_MAX, &number)) ||
            cvg_address_parse(text, &list->server[list->count].address) != CVG_OK)
            return false;
        list->server[list->count++].port = (uint16_t)number;
    }
    return list->count > 0;
}

bool cvg_setting_networks(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_networks *list = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    char text[CVG_ADDRESS_TEXT_MAX + 4];
    list->count = 0;
    while (cvg_value_word(&rest, &word)) {
        if (list->count == CVG_SETTINGS_NETWORKS || !text_of(&word, text, sizeof(text)) ||
            cvg_network_parse(text, &list->network[list->count]) != CVG_OK)
            return false;
        list->count++;
    }
    return true;
}

bool cvg_setting_ports(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_ports *list = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    uint64_t port;
    list->count = 0;
    while (cvg_value_word(&rest, &word)) {
        if (list->count == CVG_SETTINGS_RELAY_PORTS ||
            !cvg_value_number(&word, 1, UINT16_MAX, &port))
            return false;
        list->port[list->count++] = (uint16_t)port;
    }
    return list->count > 0;
}

bool cvg_setting_hosts(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_relay_hosts *list = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    struct cvg_endpoint endpoint;
    list->count = 0;
    while (cvg_value_word(&rest, &word)) {
        if (list->count == CVG_SETTINGS_RELAY_HOSTS ||
            cvg_endpoint_set(word.text, word.len, 1, &endpoint, NULL) != CVG_OK)
            return false;
        memcpy(list->host[list->count++], endpoint.host, sizeof(endpoint.host));
    }
    return list->count > 0;
}

/* Servers, each HOST:PORT or HOST. */
bool cvg_setting_redis(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_redis_servers *list = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    char text[CVG_ENDPOINT_TEXT_MAX];
    struct cvg_endpoint endpoint;
    list->count = 0;
    while (cvg_value_word(&rest, &word)) {
        if (list->count == CVG_SETTINGS_REDIS_SERVERS || !text_of(&word, text, sizeof(text)) ||
            cvg_endpoint_parse(text, REDIS_PORT, &endpoint, NULL) != CVG_OK)
            return false;
        struct cvg_redis_node *node = &list->server[list->count++];
        memcpy(node->host, endpoint.host, sizeof(endpoint.host));
        node->port = endpoint.port;
    }
    return list->count > 0;
}

/* A word with any octets but blanks. */
bool cvg_setting_prefix(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    struct cvg_value rest = *value, word;
    return cvg_value_word(&rest, &word) && word.len == value->len &&
           text_of(value, (char *)target + key->offset, CVG_MESSAGE_NAME_MAX);
}

/* Octets, in units of M (MiB) or G (GiB). */
bool cvg_setting_size(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    uint64_t number = 0;
    if (value->len < 2)
        return false;
    char unit = value->text[value->len - 1];
    const struct cvg_value digits = {.text = value->text, .len = value->len - 1};
    unsigned shift = unit == 'M' ? 20 : 30;
    if ((unit != 'M' && unit != 'G') ||
        !cvg_value_number(&digits, key->min >> shift, key->max >> shift, &number) || number == 0)
        return false;
    *(uint64_t *)(void *)((char *)target + key->offset) = number << shift;
    return true;
}

/* A set; the network perspective is in it whether it is named or not. */
bool cvg_setting_verifiers(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    static const struct {
        const char *name;
        enum cvg_verifier_id id;
    } names[] = {{"network", CVG_VERIFIER_NETWORK},
                 {"dane", CVG_VERIFIER_DANE},
                 {"ct", CVG_VERIFIER_CT},
                 {"pins", CVG_VERIFIER_PINS}};
    unsigned *set = (void *)((char *)target + key->offset);
    struct cvg_value rest = *value, word;
    unsigned named = 0;
    while (cvg_value_word(&rest, &word)) {
        size_t i = 0;
        while (i < sizeof(names) / sizeof(names[0]) && !cvg_value_is(&word, names[i].name))
            i++;
        if (i == sizeof(names) / sizeof(names[0]) || (named & 1U << names[i].id) != 0)
            return false;
        named |= 1U << names[i].id;
    }
    *set = named | 1U << CVG_VERIFIER_NETWORK;
    return named != 0;
}

bool cvg_setting_v1_verdict(const struct cvg_key *key, const struct cvg_value *value, void *target)
{
    static const char *const names[] = {"network", "all", "any", "majority"};
    enum cvg_v1_verdict *verdict = (void *)((char *)target + key->offset);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (cvg_value_is(value, names[i])) {
            *verdict = (enum cvg_v1_verdict)i;
            return true;
        }
    return false;
}
