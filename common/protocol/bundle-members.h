/* SPDX-License-Identifier: MIT */
/* Inside the bundle codec: reading the members of a bundle's JSON into struct cvg_bundle. */
#ifndef CVG_PROTOCOL_BUNDLE_MEMBERS_H
#define CVG_PROTOCOL_BUNDLE_MEMBERS_H

#include <jansson.h>

#include "common/protocol/bundle.h"

/* Fills bundle, whose version and protocol are set, from its text. What a failure leaves behind,
 * cvg_bundle_free releases. */
CVG_MUST_USE enum cvg_error cvg_bundle_members(const json_t *text, struct cvg_bundle *bundle,
                                               struct cvg_why *ret_why);

/* Fills one entry of hosts; where names it in messages ("hosts[0]."). */
CVG_MUST_USE enum cvg_error cvg_bundle_host(const json_t *object, const char *where,
                                            unsigned version, struct cvg_bundle_host *host,
                                            struct cvg_why *ret_why);

/* Releases what the host owns. */
void cvg_bundle_host_free(struct cvg_bundle_host *host);

/* A member that is text of fewer than size octets, without control characters; left alone if it is
 * missing and not required. */
CVG_MUST_USE enum cvg_error cvg_bundle_text(const json_t *object, const char *where,
                                            const char *member, bool required, char *ret_text,
                                            size_t size, struct cvg_why *ret_why);

#endif
