/* SPDX-License-Identifier: MIT */
/* What an answer in plain HTTP says about the way to a notary: a notary, a captive portal, or
 * nothing. Pure; any thread. */
#ifndef CVG_ENGINE_PORTAL_READ_H
#define CVG_ENGINE_PORTAL_READ_H

#include <stdbool.h>

#include "common/protocol/bundle.h"

#define CVG_PORTAL_URL_MAX 256 /* octets of a portal's address, with its NUL */

enum cvg_portal_sign {
    CVG_PORTAL_NOTHING = 0, /* no answer, or one that may be anybody's */
    CVG_PORTAL_NONE,        /* what a notary's host would say itself */
    CVG_PORTAL_HERE
};

struct cvg_portal_page {
    long status;
    const char *redirect; /* absolute, as the answer says it; NULL: none */
    const char *address;  /* the peer's, as text */
    bool at_relay;        /* asked at the relay's port, where a notary gives no pages */
};

/* ret_url: the portal's address where the page named one, fit to be shown; else "". Set with
 * HERE only. */
enum cvg_portal_sign cvg_portal_judge(const struct cvg_bundle_host *host,
                                      const struct cvg_portal_page *page,
                                      char ret_url[static CVG_PORTAL_URL_MAX]);

#endif
