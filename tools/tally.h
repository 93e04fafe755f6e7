/* SPDX-License-Identifier: MIT */
/* What a mode would have done with what was logged, by host. Pure: entries in, counts out. Holds
 * something for each host, and nothing for each entry. */
#ifndef CVG_TOOLS_TALLY_H
#define CVG_TOOLS_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/entry.h"

#define CVG_TALLY_PROGRAMS 8 /* that are told by name */
#define CVG_TALLY_CERTS    8 /* certificates of a host that are told apart */

/* Why a host would have been refused, and so what to do about it. */
enum cvg_cause {
    CVG_CAUSE_DISAGREE = 0, /* the notaries see another certificate */
    CVG_CAUSE_MANY,         /* the site has several certificates, each confirmed at other times */
    CVG_CAUSE_UNREACHABLE,  /* too few notaries answered */
    CVG_CAUSE_UNSEEN,       /* the notaries answered, and cannot see the host: is it private? */
    CVG_CAUSE_PORTAL,       /* a captive portal was in the way */
    CVG_CAUSE_NO_NOTARIES,  /* none are configured */
    CVG_CAUSE_BUDGET,       /* more questions than allowed */
    CVG_CAUSE_OTHER
};

struct cvg_tally_cert {
    uint64_t hash; /* of its fingerprint */
    bool confirmed, denied;
};

struct cvg_tally_host {
    char *host;
    uint16_t port;
    uint64_t checks, agreed, refused;
    int64_t first_s, last_s; /* of the refusals */
    enum cvg_verdict verdict;
    char reason[32]; /* of the newest refusal */
    uint64_t disagreed, unreachable, unseen, portal, no_notaries, budget;
    char *program[CVG_TALLY_PROGRAMS];
    size_t programs; /* may be more than have a name here */
    struct cvg_tally_cert cert[CVG_TALLY_CERTS];
    size_t certs;
    bool denied_other; /* a certificate without a fingerprint, or a place here */
};

struct cvg_tally {
    enum cvg_mode mode;
    enum cvg_unreachable on_unreachable;
    uint64_t checks, refused, accepted_over_pki; /* the last: in replace mode */
    int64_t first_s, last_s;
    struct cvg_tally_host *host; /* sorted by cvg_tally_sort */
    size_t hosts, refused_hosts;
    uint32_t *slot; /* index + 1 of a host, by hash */
    size_t slots;
};

void cvg_tally_init(struct cvg_tally *ret_tally, enum cvg_mode mode,
                    enum cvg_unreachable on_unreachable);
void cvg_tally_free(struct cvg_tally *tally);

/* False without memory: what was counted before stays. The canary's entries are passed over. */
bool cvg_tally_add(struct cvg_tally *tally, const struct cvg_entry *entry);

/* Those most often refused first; no entry can be added afterwards. */
void cvg_tally_sort(struct cvg_tally *tally);

enum cvg_cause cvg_tally_cause(const struct cvg_tally_host *host);
const char *cvg_cause_word(enum cvg_cause cause);

#endif
