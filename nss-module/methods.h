/* SPDX-License-Identifier: MIT */
/* NSPR's table of TCP methods, with ours in front. */
#ifndef CVG_NSS_MODULE_METHODS_H
#define CVG_NSS_MODULE_METHODS_H

#include "nss-module/nss.h"

/* Puts our recv, read, send, sendto, write, writev and close into the table, originals saved first,
 * unless they (or those of another copy of this module) are there. Whoever hooked before us is
 * called by us; who hooks after us calls us, also once we are removed: then everything passes. */
void cvg_methods_install(struct cvg_nss *nss);

/* Puts back the originals where the slot is still ours, and lets everything pass. */
void cvg_methods_remove(struct cvg_nss *nss);

#endif
