/* SPDX-License-Identifier: MIT */
/* Inside the cache: packing a host's characters. Pure. */
#ifndef CVG_ENGINE_CACHE_HOST_H
#define CVG_ENGINE_CACHE_HOST_H

#include <stddef.h>
#include <stdint.h>

/* Packs a normal host without a colon of at most 253 characters into at most 170 octets; returns
 * how many. */
size_t cvg_cache_host_pack(const char *host, uint8_t *ret_octets);

/* The other way; ret_host needs len / 2 * 3 + 1 octets. Returns the length. */
size_t cvg_cache_host_unpack(const uint8_t *octets, size_t len, char *ret_host);

#endif
