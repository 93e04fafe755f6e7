/* SPDX-License-Identifier: MIT */
/* The one lock of the PKCS#11 surface. It guards a few words at a time, never a call that leaves
 * this library. */
#ifndef CVG_NSS_MODULE_SURFACE_H
#define CVG_NSS_MODULE_SURFACE_H

/* In a forked child the lock is a fresh one, whatever threads the parent had. */
void cvg_surface_lock(void);
void cvg_surface_unlock(void);

#endif
