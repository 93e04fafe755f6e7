/* SPDX-License-Identifier: MIT */
/* Phrases for errors, and the formatting of a failure's sentence. */
#include "common/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const phrases[CVG_ERR_COUNT] = {
    [CVG_OK] = "no error",
    [CVG_ERR_NOMEM] = "out of memory",
    [CVG_ERR_ARGUMENT] = "invalid argument",
    [CVG_ERR_SYNTAX] = "malformed input",
    [CVG_ERR_RANGE] = "out of range",
    [CVG_ERR_IO] = "input/output error",
    [CVG_ERR_OWNER] = "not owned or protected as it must be",
    [CVG_ERR_NOT_FOUND] = "not found",
    [CVG_ERR_EXISTS] = "exists already",
    [CVG_ERR_TIMEOUT] = "deadline passed",
    [CVG_ERR_UNREACHABLE] = "unreachable",
    [CVG_ERR_PROTOCOL] = "protocol violation",
    [CVG_ERR_VERSION] = "unsupported version",
    [CVG_ERR_PIN] = "certificate does not match its pin",
    [CVG_ERR_SIGNATURE] = "bad signature",
    [CVG_ERR_CORRUPT] = "damaged data",
    [CVG_ERR_BUSY] = "over budget",
    [CVG_ERR_CONFIG] = "configuration error",
    [CVG_ERR_CRYPTO] = "cryptographic failure",
    [CVG_ERR_REFUSED] = "refused",
};

const char *cvg_strerror(enum cvg_error err)
{
    if ((unsigned)err >= CVG_ERR_COUNT)
        return "unknown error";
    return phrases[err];
}

enum cvg_error cvg_fail(struct cvg_why *why, enum cvg_error err, const char *fmt, ...)
{
    int saved = errno;
    va_list args;

    if (why != NULL) {
        va_start(args, fmt);
        if (vsnprintf(why->text, sizeof why->text, fmt, args) < 0)
            why->text[0] = '\0';
        va_end(args);
    }
    errno = saved;
    return err;
}
