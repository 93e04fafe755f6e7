/* SPDX-License-Identifier: MIT */
/* What an HTTP request asks a notary for. Pure; any thread. */
#ifndef CVG_NOTARY_ROUTE_H
#define CVG_NOTARY_ROUTE_H

#include "common/protocol/v1.h"
#include "common/protocol/v2.h"
#include "notary/http.h"

enum cvg_route_kind {
    CVG_ROUTE_PROBLEM = 0, /* answer the status */
    CVG_ROUTE_V1,
    CVG_ROUTE_V2,
    CVG_ROUTE_BUNDLE,
    CVG_ROUTE_BUNDLE_V1
};

#define CVG_PATH_BUNDLE    "/bundle.notary"
#define CVG_PATH_BUNDLE_V1 "/bundle-v1.notary"

struct cvg_route {
    enum cvg_route_kind kind;
    unsigned status;            /* of a problem */
    const char *allow;          /* with 405: the methods that the resource takes */
    struct cvg_endpoint target; /* version 1 */
    bool have_sha1;
    uint8_t sha1[CVG_SHA1_LEN];
    struct cvg_v2_request v2;
};

void cvg_route_find(const struct cvg_http_request *request, struct cvg_route *ret_route);

/* What a relay is asked for: "host+port" or "host:port". SYNTAX or RANGE otherwise. */
CVG_MUST_USE enum cvg_error cvg_route_relay(const char *text, size_t len,
                                            struct cvg_endpoint *ret_endpoint);

#endif
