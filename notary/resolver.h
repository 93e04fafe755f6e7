/* SPDX-License-Identifier: MIT */
/* Names to addresses, without blocking the loop: the hosts file, then the system's resolver on
 * libuv's threads. One loop. */
#ifndef CVG_NOTARY_RESOLVER_H
#define CVG_NOTARY_RESOLVER_H

#include <uv.h>

#include "notary/hosts.h"

struct cvg_resolver;
struct cvg_lookup;

/* err: UNREACHABLE (no such name, or no answer), BUSY (too many lookups under way). */
typedef void cvg_lookup_done(enum cvg_error err, const struct cvg_found_addresses *addresses,
                             void *user);

CVG_MUST_USE enum cvg_error cvg_resolver_new(uv_loop_t *loop, struct cvg_resolver **ret_resolver);
/* Lookups under way go on in libuv; nobody hears of them. */
void cvg_resolver_free(struct cvg_resolver *resolver);
/* Replaces the hosts file's content; takes ownership. */
void cvg_resolver_set_hosts(struct cvg_resolver *resolver, struct cvg_hosts *hosts);
bool cvg_resolver_in_hosts(const struct cvg_resolver *resolver, const char *name);

/* Looks the endpoint's host up. Either the addresses are known at once (*ret_lookup is NULL and
 * *ret_addresses is filled), or done is called later, once, unless the lookup is cancelled. */
CVG_MUST_USE enum cvg_error cvg_lookup_start(struct cvg_resolver *resolver,
                                             const struct cvg_endpoint *endpoint,
                                             cvg_lookup_done *done, void *user,
                                             struct cvg_found_addresses *ret_addresses,
                                             struct cvg_lookup **ret_lookup);
void cvg_lookup_cancel(struct cvg_lookup *lookup);

#endif
