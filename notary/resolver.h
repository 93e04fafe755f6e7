/* SPDX-License-Identifier: MIT */
/* Names to addresses, without blocking the loop: the hosts file, then DNS, A and AAAA together. One
 * loop. */
#ifndef CVG_NOTARY_RESOLVER_H
#define CVG_NOTARY_RESOLVER_H

#include "notary/dns.h"
#include "notary/filter.h"
#include "notary/hosts.h"

struct cvg_resolver;
struct cvg_lookup;

/* err: UNREACHABLE (no such name, or no answer that can be believed). */
typedef void cvg_lookup_done(enum cvg_error err, const struct cvg_found_addresses *addresses,
                             void *user);

CVG_MUST_USE enum cvg_error cvg_resolver_new(uv_loop_t *loop, struct cvg_resolver **ret_resolver);
/* Who still waits hears UNREACHABLE. NULL is allowed; the memory goes when the loop has run once
 * more. */
void cvg_resolver_free(struct cvg_resolver *resolver);

/* Replaces what the hosts file says; takes ownership. */
void cvg_resolver_set_hosts(struct cvg_resolver *resolver, struct cvg_hosts *hosts);
/* Replaces what is asked otherwise; takes ownership. Lookups under way go on with the former one;
 * what of them is left at the change after this one ends with UNREACHABLE. Not from a done
 * callback. Before the first, nothing is known but the hosts file. */
void cvg_resolver_set_dns(struct cvg_resolver *resolver, struct cvg_dns *dns);
/* For questions about other records; valid until it is replaced. */
struct cvg_dns *cvg_resolver_dns(const struct cvg_resolver *resolver);

/* Looks the endpoint's host up. Once an address is there that the filter (borrowed) lets through,
 * what else there may be is not waited for long; without one, it is. Either the addresses are known
 * at once (*ret_lookup is NULL and *ret_addresses is filled), or done is called later, once, unless
 * the lookup is cancelled. BUSY: too many lookups are under way. REFUSED: a name of special use
 * that the hosts file does not have, where the filter lets nothing inside through; nobody is asked.
 */
CVG_MUST_USE enum cvg_error
cvg_lookup_start(struct cvg_resolver *resolver, const struct cvg_filter *filter,
                 const struct cvg_endpoint *endpoint, cvg_lookup_done *done, void *user,
                 struct cvg_found_addresses *ret_addresses, struct cvg_lookup **ret_lookup);
void cvg_lookup_cancel(struct cvg_lookup *lookup);

#endif
