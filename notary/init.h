/* SPDX-License-Identifier: MIT */
/* Makes a notary: keys, certificate, bundles and configuration in a directory. */
#ifndef CVG_NOTARY_INIT_H
#define CVG_NOTARY_INIT_H

#include "common/base/fingerprint.h"
#include "notary/settings.h"

#define CVG_INIT_ADDRESSES 8 /* of a host in a bundle */

struct cvg_init {
    const char *directory;
    const char *name;
    const char *host;
    unsigned ssl_port, bounce_port, relay_port, status_port;
    const char *region;        /* NULL: not said */
    const char *operator_name; /* NULL: not said */
    const char *group;         /* may read the keys, too; NULL: their owner only */
    const char *database;      /* what notary.conf says */
    struct cvg_addresses addresses;
};

void cvg_init_defaults(struct cvg_init *ret_init);

/* Writes the files. EXISTS, with nothing written, if one of them is there already. The keys are
 * readable by their owner only, or by the group. The fingerprint is what clients are shown of the bundle. */
CVG_MUST_USE enum cvg_error cvg_init_write(const struct cvg_init *init,
                                           char ret_fingerprint[static CVG_FINGERPRINT_TEXT_MAX],
                                           struct cvg_why *ret_why);

#endif
