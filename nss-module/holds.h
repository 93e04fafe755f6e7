/* SPDX-License-Identifier: MIT */
/* Who initialised the module: NSS by itself, p11-kit, several copies of NSS. Each holds it once,
 * and the module stays until the last lets go. */
#ifndef CVG_NSS_MODULE_HOLDS_H
#define CVG_NSS_MODULE_HOLDS_H

#include <stdbool.h>

struct cvg_nss;

#define CVG_HOLDS_MAX 16

/* A hold outlives fork(), for the sockets of the gate that the child inherits; but by it the child
 * has not initialised the module. All of these under the lock of surface.h. */

/* Whether this process took any; whether it took one for the object at this base address. */
bool cvg_holds_any_locked(void);
bool cvg_holds_has_locked(const void *base);

/* The object at this base address takes hold; nss may be NULL. Returns false if they are too many.
 */
bool cvg_holds_take_locked(const void *base, struct cvg_nss *nss);

/* Ends the hold of the object at this base address. An object that has none may stand for one
 * without an NSS, never for one with. Returns the NSS that nobody holds any more, or NULL. */
struct cvg_nss *cvg_holds_drop_locked(const void *base);

/* The NSS of the hold number i < CVG_HOLDS_MAX; NULL if there is none. */
struct cvg_nss *cvg_holds_nss_locked(unsigned i);

/* The base address of an object that holds without an NSS, or NULL; and giving all such this NSS.
 */
const void *cvg_holds_without_nss_locked(void);
void cvg_holds_adopt_locked(struct cvg_nss *nss);

#endif
