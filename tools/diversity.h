/* SPDX-License-Identifier: MIT */
/* How far apart notaries stand: in how many networks, countries, domains and hands. Notaries that share one
 * can be deceived, cut off or told what to say together. Pure. */
#ifndef CVG_TOOLS_DIVERSITY_H
#define CVG_TOOLS_DIVERSITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/protocol/bundle.h"

#define CVG_DIVERSITY_MAX 64 /* notaries looked at; others are left out */

/* One notary's place, as its bundle tells it: nobody has verified country or operator. */
struct cvg_diversity_place {
    const char *name;
    const char *region;        /* ISO country, "" if it is not told */
    const char *operator_name; /* "" if it is not told */
    const char *domain[CVG_BUNDLE_HOSTS_MAX]; /* of its hosts' names, as far as labels tell */
    size_t domain_count;                      /* 0: its hosts are addresses */
    const char *address[CVG_BUNDLE_HOSTS_MAX * (CVG_BUNDLE_ADDRESSES_MAX + 1)];
    size_t address_count; /* 0: they are not told, a name has to be resolved */
};

/* One thing that notaries may have in common. */
struct cvg_diversity_axis {
    size_t groups;    /* how many different ones */
    size_t unknown;   /* notaries that do not tell */
    size_t largest;   /* notaries in the largest group; 0: no group */
    char shared[128]; /* what the largest group has in common: "198.51.0.0/16", "CH", a name */
};

struct cvg_diversity {
    size_t count;
    struct cvg_diversity_axis network; /* one /16 of IPv4 or /32 of IPv6 counts as one */
    struct cvg_diversity_axis country;
    struct cvg_diversity_axis domain; /* who has it can lead all names in it elsewhere */
    struct cvg_diversity_axis operators; /* letters' case does not matter */
    size_t near; /* notaries all of whose addresses are special: on this machine or its network */
};

/* Points into the bundle. */
void cvg_diversity_place_of(const struct cvg_bundle *bundle, struct cvg_diversity_place *ret_place);

void cvg_diversity_judge(const struct cvg_diversity_place *places, size_t count,
                         struct cvg_diversity *ret_diversity);

/* Whether one group is more than half of two or more notaries: it alone can decide. */
bool cvg_diversity_decides_alone(const struct cvg_diversity_axis *axis, size_t count);

#endif
