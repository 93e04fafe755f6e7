/* SPDX-License-Identifier: MIT */
/* IP addresses and networks as values. */
#include "notary/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK_BITS_V4 24
#define NETWORK_BITS_V6 56

enum cvg_error cvg_address_of(const struct sockaddr *sa, struct cvg_address *ret_address)
{
    struct cvg_address address = {0};
    if (sa->sa_family == AF_INET) {
        address.family = 4;
        memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        address.family = 6;
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    } else {
        return CVG_ERR_ARGUMENT;
    }
    *ret_address = address;
    return CVG_OK;
}

void cvg_address_socket(const struct cvg_address *address, uint16_t port,
                        union cvg_socket_address *ret_sa)
{
    memset(ret_sa, 0, sizeof(*ret_sa));
    if (address->family == 4) {
        ret_sa->v4.sin_family = AF_INET;
        ret_sa->v4.sin_port = htons(port);
        memcpy(&ret_sa->v4.sin_addr, address->bytes, 4);
    } else {
        ret_sa->v6.sin6_family = AF_INET6;
        ret_sa->v6.sin6_port = htons(port);
        memcpy(&ret_sa->v6.sin6_addr, address->bytes, 16);
    }
}

socklen_t cvg_socket_address_len(const union cvg_socket_address *sa)
{
    return sa->any.sa_family == AF_INET ? sizeof(sa->v4) : sizeof(sa->v6);
}

bool cvg_address_equal(const struct cvg_address *a, const struct cvg_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

enum cvg_error cvg_address_parse(const char *text, struct cvg_address *ret_address)
{
    struct cvg_address address = {0};
    if (inet_pton(AF_INET, text, address.bytes) == 1)
        address.family = 4;
    else if (inet_pton(AF_INET6, text, address.bytes) == 1)
        address.family = 6;
    else
        return CVG_ERR_SYNTAX;
    *ret_address = address;
    return CVG_OK;
}

char *cvg_address_format(const struct cvg_address *address, char *buf, size_t size)
{
    if (inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, buf,
                  (socklen_t)size) == NULL)
        buf[0] = '\0';
    return buf;
}

enum cvg_error cvg_network_parse(const char *text, struct cvg_network *ret_network)
{
    char host[CVG_ADDRESS_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (len >= sizeof(host))
        return CVG_ERR_SYNTAX;
    memcpy(host, text, len);
    host[len] = '\0';
    struct cvg_network network;
    if (cvg_address_parse(host, &network.address) != CVG_OK)
        return CVG_ERR_SYNTAX;
    unsigned long max = network.address.family == 4 ? 32 : 128;
    unsigned long bits = max;
    if (slash != NULL) {
        char *end = NULL;
        if (slash[1] < '0' || slash[1] > '9')
            return CVG_ERR_SYNTAX;
        bits = strtoul(slash + 1, &end, 10);
        if (*end != '\0' || bits > max)
            return CVG_ERR_SYNTAX;
    }
    network.bits = (uint8_t)bits;
    *ret_network = network;
    return CVG_OK;
}

bool cvg_network_contains(const struct cvg_network *network, const struct cvg_address *address)
{
    if (network->address.family != address->family)
        return false;
    size_t whole = network->bits / 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    unsigned rest = network->bits % 8;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

void cvg_address_client(const struct cvg_address *address, struct cvg_address *ret_network)
{
    size_t kept = (address->family == 6 ? NETWORK_BITS_V6 : NETWORK_BITS_V4) / 8;
    *ret_network = *address;
    memset(ret_network->bytes + kept, 0, sizeof(ret_network->bytes) - kept);
}
