/* SPDX-License-Identifier: MIT */
/* Groups notaries by what they share, and counts the groups. */
#include "tools/diversity.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/special.h"

#define IPV4_OCTETS 2 /* what a provider is given, as far as prefixes tell */
#define IPV6_OCTETS 4

struct network {
    int family;
    uint8_t octet[16]; /* all but the prefix is 0 */
    bool special;
};

static bool network_of(const char *address, struct network *ret_network)
{
    memset(ret_network, 0, sizeof *ret_network);
    if (inet_pton(AF_INET, address, ret_network->octet) == 1) {
        ret_network->family = AF_INET;
        ret_network->special = cvg_special_ipv4(ret_network->octet);
        memset(ret_network->octet + IPV4_OCTETS, 0, sizeof ret_network->octet - IPV4_OCTETS);
        return true;
    }
    if (inet_pton(AF_INET6, address, ret_network->octet) != 1)
        return false;
    ret_network->family = AF_INET6;
    ret_network->special = cvg_special_ipv6(ret_network->octet);
    memset(ret_network->octet + IPV6_OCTETS, 0, sizeof ret_network->octet - IPV6_OCTETS);
    return true;
}

static bool same_network(const struct network *a, const struct network *b)
{
    return a->family == b->family && memcmp(a->octet, b->octet, sizeof a->octet) == 0;
}

/* Writes "198.51.0.0/16" or "2001:db8::/32". */
static void write_network(const struct network *network, char *ret_text, size_t size)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(network->family, network->octet, text, sizeof text);
    snprintf(ret_text, size, "%s/%d", text,
             8 * (network->family == AF_INET ? IPV4_OCTETS : IPV6_OCTETS));
}

/* Whether two have it in common; fills in what. With a twice: whether it is known of it. */
typedef bool shares_fn(const struct cvg_diversity_place *a, const struct cvg_diversity_place *b,
                       char *ret_shared, size_t size);

static bool shares_network(const struct cvg_diversity_place *a, const struct cvg_diversity_place *b,
                           char *ret_shared, size_t size)
{
    struct network left, right;

    for (size_t i = 0; i < a->address_count; i++)
        for (size_t k = 0; network_of(a->address[i], &left) && k < b->address_count; k++)
            if (network_of(b->address[k], &right) && same_network(&left, &right)) {
                write_network(&left, ret_shared, size);
                return true;
            }
    return false;
}

static bool shares_text(const char *a, const char *b, char *ret_shared, size_t size)
{
    if (a[0] == '\0' || strcasecmp(a, b) != 0)
        return false;
    snprintf(ret_shared, size, "%s", a);
    return true;
}

static bool shares_country(const struct cvg_diversity_place *a, const struct cvg_diversity_place *b,
                           char *ret_shared, size_t size)
{
    return shares_text(a->region, b->region, ret_shared, size);
}

static bool shares_operator(const struct cvg_diversity_place *a,
                            const struct cvg_diversity_place *b, char *ret_shared, size_t size)
{
    return shares_text(a->operator_name, b->operator_name, ret_shared, size);
}

static bool shares_domain(const struct cvg_diversity_place *a, const struct cvg_diversity_place *b,
                          char *ret_shared, size_t size)
{
    for (size_t i = 0; i < a->domain_count; i++)
        for (size_t k = 0; k < b->domain_count; k++)
            if (shares_text(a->domain[i], b->domain[k], ret_shared, size))
                return true;
    return false;
}

/* Who shares with one shares with all of its group: whatever befalls one of several addresses of a
 * notary befalls the notary. */
static void join(size_t *group, size_t count, size_t a, size_t b)
{
    size_t from = group[a] > group[b] ? group[a] : group[b];
    size_t to = group[a] > group[b] ? group[b] : group[a];

    for (size_t i = 0; i < count; i++)
        if (group[i] == from)
            group[i] = to;
}

static void count_groups(const struct cvg_diversity_place *places, size_t count, shares_fn *shares,
                         const size_t *group, struct cvg_diversity_axis *axis)
{
    char shared[sizeof axis->shared];

    for (size_t i = 0; i < count; i++) {
        size_t members = 0, other = i;

        if (!shares(&places[i], &places[i], shared, sizeof shared)) {
            axis->unknown++;
            continue;
        }
        if (group[i] != i)
            continue;
        axis->groups++;
        for (size_t k = 0; k < count; k++)
            members += group[k] == i ? 1 : 0;
        if (members <= axis->largest)
            continue;
        axis->largest = members;
        for (size_t k = i + 1; k < count && other == i; k++)
            other = shares(&places[i], &places[k], shared, sizeof shared) ? k : i;
        memcpy(axis->shared, shared, sizeof shared);
    }
}

static struct cvg_diversity_axis judge_axis(const struct cvg_diversity_place *places, size_t count,
                                            shares_fn *shares)
{
    struct cvg_diversity_axis axis = {.groups = 0};
    size_t group[CVG_DIVERSITY_MAX];
    char shared[sizeof axis.shared];

    for (size_t i = 0; i < count; i++)
        group[i] = i;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (shares(&places[i], &places[k], shared, sizeof shared))
                join(group, count, i, k);
    count_groups(places, count, shares, group, &axis);
    return axis;
}

static bool is_near(const struct cvg_diversity_place *place)
{
    struct network network;

    for (size_t i = 0; i < place->address_count; i++)
        if (!network_of(place->address[i], &network) || !network.special)
            return false;
    return place->address_count > 0;
}

void cvg_diversity_judge(const struct cvg_diversity_place *places, size_t count,
                         struct cvg_diversity *ret_diversity)
{
    memset(ret_diversity, 0, sizeof *ret_diversity);
    if (count > CVG_DIVERSITY_MAX)
        count = CVG_DIVERSITY_MAX;
    ret_diversity->count = count;
    ret_diversity->network = judge_axis(places, count, shares_network);
    ret_diversity->country = judge_axis(places, count, shares_country);
    ret_diversity->domain = judge_axis(places, count, shares_domain);
    ret_diversity->operators = judge_axis(places, count, shares_operator);
    for (size_t i = 0; i < count; i++)
        ret_diversity->near += is_near(&places[i]) ? 1 : 0;
}

bool cvg_diversity_decides_alone(const struct cvg_diversity_axis *axis, size_t count)
{
    return axis->largest >= 2 && 2 * axis->largest > count;
}

static void add_address(struct cvg_diversity_place *place, const char *address)
{
    struct network network;

    if (network_of(address, &network))
        place->address[place->address_count++] = address;
}

/* Where the last label but n begins; the name's begin if it has no more. */
static const char *last_labels(const char *name, unsigned n)
{
    const char *at = name + strlen(name);

    while (at > name)
        if (*--at == '.' && --n == 0)
            return at + 1;
    return name;
}

/* The name that its owner registered, without a list of all registries: two labels, or three below
 * what many countries register under (co.uk, com.au). Two that share it by mistake are told to be
 * nearer than they are, never farther. */
static const char *registered_domain(const char *name)
{
    static const char *const common[] = {"co", "com", "net", "org", "gov", "edu", "ac", "or", "ne"};
    const char *two = last_labels(name, 2), *dot = strchr(two, '.');

    for (size_t i = 0; dot != NULL && strlen(dot) == 3 && i < sizeof common / sizeof *common; i++)
        if (strlen(common[i]) == (size_t)(dot - two) &&
            strncasecmp(common[i], two, (size_t)(dot - two)) == 0)
            return last_labels(name, 3);
    return two;
}

static void add_domain(struct cvg_diversity_place *place, const char *host)
{
    struct network network;

    if (strchr(host, '.') != NULL && !network_of(host, &network))
        place->domain[place->domain_count++] = registered_domain(host);
}

void cvg_diversity_place_of(const struct cvg_bundle *bundle, struct cvg_diversity_place *ret_place)
{
    memset(ret_place, 0, sizeof *ret_place);
    ret_place->name = bundle->name;
    ret_place->region = bundle->region;
    ret_place->operator_name = bundle->operator_name;
    for (size_t i = 0; i < bundle->host_count; i++) {
        const struct cvg_bundle_host *host = &bundle->host[i];

        for (size_t k = 0; k < host->address_count; k++)
            add_address(ret_place, host->address[k]);
        if (host->address_count == 0)
            add_address(ret_place, host->host);
        add_domain(ret_place, host->host);
    }
}
