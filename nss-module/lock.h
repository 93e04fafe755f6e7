/* SPDX-License-Identifier: MIT */
/* The module's locks. Each is held for a few instructions and never while anything is called (NSS,
 * the loader, malloc ...), so that a fork may wait for all of them: the child finds every one free
 * and what they guard whole. The thread that forks may use them in its handlers. */
#ifndef CVG_NSS_MODULE_LOCK_H
#define CVG_NSS_MODULE_LOCK_H

enum cvg_lock_name {
    CVG_LOCK_NSS,        /* the table of known NSSs, and their SSL functions */
    CVG_LOCK_VOUCHED,    /* the leaves that were vouched for */
    CVG_LOCK_ANCHORS,    /* the anchors that were found */
    CVG_LOCK_METHODS,    /* NSPR's table of methods, while we change it: all of it or nothing */
    CVG_LOCK_CONNECTIONS /* and the ones after it: one for each part of the connections */
};

#define CVG_LOCK_PARTS 16
#define CVG_LOCKS      (CVG_LOCK_CONNECTIONS + CVG_LOCK_PARTS)

void cvg_lock(unsigned which);
void cvg_unlock(unsigned which);

#endif
