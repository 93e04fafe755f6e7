/* SPDX-License-Identifier: MIT */
/* The trust objects that lookups were given, and their attributes. */
#ifndef CVG_NSS_MODULE_OBJECT_H
#define CVG_NSS_MODULE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pkcs11.h>

#define CVG_OBJECTS_MAX 256 /* then the oldest goes, and its handle with it */

/* What tells one trust object from another; the octets belong to the caller. */
struct cvg_object_key {
    const void *issuer, *serial;
    size_t issuer_len, serial_len;
    const uint8_t *sha1; /* of the certificate, 20 octets; NULL while nobody knows */
};

/* Whether an object of this key has every attribute of the template, its value too. Where sha1 is
 * NULL, an attribute about it is taken to fit. Values are read only where their length is right. */
bool cvg_object_matches(const struct cvg_object_key *key, const CK_ATTRIBUTE *template,
                        CK_ULONG count);

/* The handle of the object with this key, made if there is none; CK_INVALID_HANDLE without memory.
 * Any thread. */
CK_OBJECT_HANDLE cvg_object_keep(const struct cvg_object_key *key);

/* Under the lock of surface.h, as in session.h. */
void cvg_object_clear_locked(void);
void cvg_object_renew_locked(void);

#endif
