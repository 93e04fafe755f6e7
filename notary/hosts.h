/* SPDX-License-Identifier: MIT */
/* A hosts(5) file in memory: names that are known without DNS. Read once; one thread. */
#ifndef CVG_NOTARY_HOSTS_H
#define CVG_NOTARY_HOSTS_H

#include "notary/address.h"

#define CVG_NAME_ADDRESSES 16 /* of one name that are taken */

struct cvg_found_addresses {
    struct cvg_address address[CVG_NAME_ADDRESSES];
    size_t count;
    bool partial; /* there may be others: not every server has answered, or there were too many */
};

struct cvg_hosts;

/* path "" is no file: an empty table. The caller frees. */
CVG_MUST_USE enum cvg_error cvg_hosts_load(const char *path, struct cvg_hosts **ret_hosts,
                                           struct cvg_why *ret_why);
void cvg_hosts_free(struct cvg_hosts *hosts);

/* false: the file does not have the name. name is in normal form. */
bool cvg_hosts_find(const struct cvg_hosts *hosts, const char *name,
                    struct cvg_found_addresses *ret_addresses);

#endif
