/* SPDX-License-Identifier: MIT */
/* The words a canary writes to its parent, one a line. */
#ifndef CVG_TOOLS_CANARY_REPORT_H
#define CVG_TOOLS_CANARY_REPORT_H

#define CVG_CANARY_HOST     "canary.converge.example"
#define CVG_CANARY_PRIVATE  "private" /* the parent's agent is the one that is asked */
#define CVG_CANARY_OPENED   "opened"  /* NSS has opened the database */
#define CVG_CANARY_LOADED   "loaded"
#define CVG_CANARY_WATCHING "watching"
#define CVG_CANARY_LEAF     "leaf" /* and the certificate's SHA-256 */
#define CVG_CANARY_PORT     "port" /* and a number: a handshake begins */
#define CVG_CANARY_PASSED   "passed"
#define CVG_CANARY_REFUSED  "refused" /* the certificate was not accepted */
#define CVG_CANARY_FAILED   "failed"  /* the handshake failed for another reason */

/* Writes CVG_CANARY_PRIVATE if it is so. */
void cvg_canary_report_private(void);

#endif
