/* SPDX-License-Identifier: MIT */
/* Looks for a captive portal when no notary can be reached: asks a few notaries' own hosts, and
 * nobody else, for a page in plain HTTP. Rarely and bounded; nothing is sent that tells of a site
 * or a program. What is found is told, and decides nothing. One thread. */
#ifndef CVG_ENGINE_PORTAL_H
#define CVG_ENGINE_PORTAL_H

#include "common/base/error.h"
#include "common/engine/portal-read.h"
#include "common/protocol/message.h"

struct cvg_agent;
struct cvg_portal;

CVG_MUST_USE enum cvg_error cvg_portal_new(struct cvg_agent *agent, struct cvg_portal **ret_portal);
void cvg_portal_free(struct cvg_portal *portal);

/* No notary could be reached: begins a look, if none was made a moment ago. Whether one is under
 * way; its end is told to the agent's checks. */
bool cvg_portal_look(struct cvg_portal *portal);

/* A check has its answer: one that notaries have just given ends what was thought of portals. */
void cvg_portal_hear(struct cvg_portal *portal, const struct cvg_answer *answer);

/* The portal's address, "" for one that named none; NULL: none is known of just now. */
const char *cvg_portal_url(struct cvg_portal *portal);

#endif
