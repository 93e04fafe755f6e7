/* SPDX-License-Identifier: MIT */
/* The one error enumeration of the tree, and the sentence that goes with an error.
 *
 * An error says that something could not be done. It is never a verdict (verdict.h): code that
 * meets an error has no verdict at all, and "no verdict" is never "trusted". */
#ifndef CVG_BASE_ERROR_H
#define CVG_BASE_ERROR_H

#include "common/base/attr.h"

enum cvg_error {
    CVG_OK = 0,
    CVG_ERR_NOMEM,       /* memory is exhausted */
    CVG_ERR_ARGUMENT,    /* the caller passed what the function does not take */
    CVG_ERR_SYNTAX,      /* the bytes are not of the form they should have */
    CVG_ERR_RANGE,       /* well formed, but too long, too large or too many */
    CVG_ERR_IO,          /* a system call failed; errno tells why */
    CVG_ERR_OWNER,       /* a file, directory or socket somebody else could have written */
    CVG_ERR_NOT_FOUND,   /* there is no such thing */
    CVG_ERR_EXISTS,      /* there is one already */
    CVG_ERR_TIMEOUT,     /* the deadline passed */
    CVG_ERR_UNREACHABLE, /* the peer could not be reached, or hung up */
    CVG_ERR_PROTOCOL,    /* the peer spoke, but not the protocol */
    CVG_ERR_VERSION,     /* a version this program does not speak, or a downgrade */
    CVG_ERR_PIN,         /* the peer's certificate is not one the bundle names */
    CVG_ERR_SIGNATURE,   /* a signature is missing, malformed or wrong */
    CVG_ERR_CORRUPT,     /* stored data fails its checksum or its format */
    CVG_ERR_BUSY,        /* a budget is used up; later may succeed */
    CVG_ERR_CONFIG,      /* the configuration forbids it or is wrong */
    CVG_ERR_CRYPTO,      /* the crypto library failed */
    CVG_ERR_REFUSED,     /* the peer answered and declined */
    CVG_ERR_COUNT
};

/* A short lower-case phrase for err, static, never NULL, also for values out of range. */
const char *cvg_strerror(enum cvg_error err);

/* One word for logs and JSON ("timeout", "pin"), static, never NULL, also for values out of range.
 */
const char *cvg_error_word(enum cvg_error err);

/* Why something failed, for a person: what, where, and what is allowed. Functions that take a
 * `struct cvg_why *ret_why` accept NULL and fill it only when they fail. */
#define CVG_WHY_MAX 512
struct cvg_why {
    char text[CVG_WHY_MAX];
};

/* Formats the sentence (cut at CVG_WHY_MAX - 1 bytes) and returns err, so that a caller can write
 * `return cvg_fail(ret_why, CVG_ERR_SYNTAX, "...", ...)`. why may be NULL. Keeps errno. */
enum cvg_error cvg_fail(struct cvg_why *why, enum cvg_error err, const char *fmt, ...)
    CVG_PRINTF(3, 4);

#endif
