/* SPDX-License-Identifier: MIT */
/* How a page stores a host: a normal name has 39 different characters, so three of them fit two
 * octets (40^3 = 64000). IPv6 addresses have a colon, too, and are stored as they are. */
#include "common/engine/cache-host.h"

#include <string.h>

static const char alphabet[] = "\0abcdefghijklmnopqrstuvwxyz0123456789-._";

#define BASE  40
#define GROUP 3

/* Its digit; 0 stands for the end, so for a character that no name has, too. */
static unsigned digit(char c)
{
    const char *at = c == '\0' ? NULL : memchr(alphabet, c, BASE);

    return at == NULL ? 0 : (unsigned)(at - alphabet);
}

size_t cvg_cache_host_pack(const char *host, uint8_t *ret_octets)
{
    size_t len = 0;

    while (*host != '\0') {
        unsigned value = 0;

        for (size_t i = 0; i < GROUP; i++) {
            value = value * BASE + digit(*host);
            host += *host != '\0';
        }
        ret_octets[len++] = (uint8_t)(value >> 8);
        ret_octets[len++] = (uint8_t)value;
    }
    return len;
}

size_t cvg_cache_host_unpack(const uint8_t *octets, size_t len, char *ret_host)
{
    size_t out = 0;

    for (size_t i = 0; i + 1 < len; i += 2) {
        unsigned value = (unsigned)octets[i] << 8 | octets[i + 1];

        ret_host[out++] = alphabet[value / (BASE * BASE) % BASE];
        ret_host[out++] = alphabet[value / BASE % BASE];
        ret_host[out++] = alphabet[value % BASE];
    }
    ret_host[out] = '\0';
    return strlen(ret_host);
}
