/* SPDX-License-Identifier: MIT */
/* The special-purpose tables, as IANA's registries have them (IPv4 and IPv6: October 2024; names:
 * RFC 6761's registry). Everything listed there is special, also the few anycast services that are
 * marked globally reachable: no website lives there, and they end at whichever machine is near. */
#include "common/base/special.h"

#include <netinet/in.h>
#include <string.h>

struct prefix4 {
    uint8_t address[4];
    uint8_t bits;
};

static const struct prefix4 special4[] = {
    {{0, 0, 0, 0}, 8},        /* this host on this network */
    {{10, 0, 0, 0}, 8},       /* private use */
    {{100, 64, 0, 0}, 10},    /* shared address space */
    {{127, 0, 0, 0}, 8},      /* loopback */
    {{168, 63, 129, 16}, 32}, /* not IANA's: a cloud's metadata service at a public address */
    {{169, 254, 0, 0}, 16},   /* link local, with most clouds' metadata */
    {{172, 16, 0, 0}, 12},    /* private use */
    {{192, 0, 0, 0}, 24},     /* IETF protocol assignments, all of them */
    {{192, 0, 2, 0}, 24},     /* documentation */
    {{192, 31, 196, 0}, 24},  /* AS112 */
    {{192, 52, 193, 0}, 24},  /* AMT */
    {{192, 88, 99, 0}, 24},   /* 6to4 relay anycast, deprecated */
    {{192, 168, 0, 0}, 16},   /* private use */
    {{192, 175, 48, 0}, 24},  /* AS112, direct delegation */
    {{198, 18, 0, 0}, 15},    /* benchmarking */
    {{198, 51, 100, 0}, 24},  /* documentation */
    {{203, 0, 113, 0}, 24},   /* documentation */
    {{224, 0, 0, 0}, 4},      /* multicast */
    {{240, 0, 0, 0}, 4},      /* reserved, and the limited broadcast address */
};

struct prefix6 {
    uint8_t address[6]; /* no prefix inside 2000::/3 is longer */
    uint8_t bits;
};

/* Inside 2000::/3. All else is special as such: what is embedded or translated (v4-mapped, NAT64),
 * local, multicast, segment routing, discard-only, or not allocated. */
static const struct prefix6 special6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},             /* IETF protocol assignments: Teredo, ORCHID ... */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
    {{0x20, 0x02}, 16},                         /* 6to4 */
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48}, /* AS112, direct delegation */
    {{0x3f, 0xff, 0x00}, 20},                   /* documentation */
};

static bool prefix_matches(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(address, prefix, whole) != 0)
        return false;
    return rest == 0 || ((address[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

bool cvg_special_ipv4(const uint8_t address[static 4])
{
    for (size_t i = 0; i < sizeof special4 / sizeof special4[0]; i++)
        if (prefix_matches(address, special4[i].address, special4[i].bits))
            return true;
    return false;
}

bool cvg_special_ipv6(const uint8_t address[static 16])
{
    static const uint8_t global_unicast[1] = {0x20};

    if (!prefix_matches(address, global_unicast, 3))
        return true;
    for (size_t i = 0; i < sizeof special6 / sizeof special6[0]; i++)
        if (prefix_matches(address, special6[i].address, special6[i].bits))
            return true;
    return false;
}

bool cvg_special_sockaddr(const struct sockaddr *sa)
{
    uint8_t address[16];

    switch (sa->sa_family) {
    case AF_INET:
        memcpy(address, (const char *)sa + offsetof(struct sockaddr_in, sin_addr), 4);
        return cvg_special_ipv4(address);
    case AF_INET6:
        memcpy(address, (const char *)sa + offsetof(struct sockaddr_in6, sin6_addr), 16);
        return cvg_special_ipv6(address);
    default:
        return true;
    }
}

/* Names that the public DNS does not hold. example.com, .net and .org are in the registry, too, but
 * are real sites with real certificates; so they are asked about. */
static const char *const special_domains[] = {
    "alt",
    "example",
    "internal", /* reserved for private use by ICANN */
    "invalid",
    "local",
    "localhost",
    "onion",
    "test",
    "6tisch.arpa",
    "eap-noob.arpa",
    "home.arpa",
    "ipv4only.arpa",
    "resolver.arpa",
    "service.arpa",
    "10.in-addr.arpa",
    "254.169.in-addr.arpa",
    "168.192.in-addr.arpa",
    "170.0.0.192.in-addr.arpa",
    "171.0.0.192.in-addr.arpa",
    "16.172.in-addr.arpa",
    "17.172.in-addr.arpa",
    "18.172.in-addr.arpa",
    "19.172.in-addr.arpa",
    "20.172.in-addr.arpa",
    "21.172.in-addr.arpa",
    "22.172.in-addr.arpa",
    "23.172.in-addr.arpa",
    "24.172.in-addr.arpa",
    "25.172.in-addr.arpa",
    "26.172.in-addr.arpa",
    "27.172.in-addr.arpa",
    "28.172.in-addr.arpa",
    "29.172.in-addr.arpa",
    "30.172.in-addr.arpa",
    "31.172.in-addr.arpa",
    "8.e.f.ip6.arpa",
    "9.e.f.ip6.arpa",
    "a.e.f.ip6.arpa",
    "b.e.f.ip6.arpa",
};

static bool in_domain(const char *host, const char *domain)
{
    size_t host_len = strlen(host), domain_len = strlen(domain);

    if (host_len < domain_len || strcmp(host + host_len - domain_len, domain) != 0)
        return false;
    return host_len == domain_len || host[host_len - domain_len - 1] == '.';
}

bool cvg_special_name(const char *host)
{
    if (strchr(host, '.') == NULL)
        return true;
    for (size_t i = 0; i < sizeof special_domains / sizeof special_domains[0]; i++)
        if (in_domain(host, special_domains[i]))
            return true;
    return false;
}
