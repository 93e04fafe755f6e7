/* SPDX-License-Identifier: MIT */
/* Phrases and words for errors, and the formatting of a failure's sentence. */
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

const char *cvg_error_word(enum cvg_error err)
{
    static const char *const words[CVG_ERR_COUNT] = {
        [CVG_OK] = "none",
        [CVG_ERR_NOMEM] = "memory",
        [CVG_ERR_ARGUMENT] = "argument",
        [CVG_ERR_SYNTAX] = "syntax",
        [CVG_ERR_RANGE] = "too-large",
        [CVG_ERR_IO] = "io",
        [CVG_ERR_OWNER] = "owner",
        [CVG_ERR_NOT_FOUND] = "not-found",
        [CVG_ERR_EXISTS] = "exists",
        [CVG_ERR_TIMEOUT] = "timeout",
        [CVG_ERR_UNREACHABLE] = "unreachable",
        [CVG_ERR_PROTOCOL] = "protocol",
        [CVG_ERR_VERSION] = "version",
        [CVG_ERR_PIN] = "pin",
        [CVG_ERR_SIGNATURE] = "signature",
        [CVG_ERR_CORRUPT] = "corrupt",
        [CVG_ERR_BUSY] = "busy",
        [CVG_ERR_CONFIG] = "config",
        [CVG_ERR_CRYPTO] = "crypto",
        [CVG_ERR_REFUSED] = "refused",
    };

    return (unsigned)err < CVG_ERR_COUNT ? words[err] : "unknown";
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
