/* SPDX-License-Identifier: MIT */
/* One process-wide handler for diagnostics; without one everything is discarded. */
#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024 /* with the NUL */

static struct {
    cvg_log_handler *handler;
    enum cvg_log_level level;
    void *user;
} sink;

void cvg_log_set_handler(cvg_log_handler *handler, enum cvg_log_level level, void *user)
{
    sink.handler = handler;
    sink.level = level;
    sink.user = user;
}

/* What is told may come from outside: it must not forge lines or drive a terminal, and some
 * terminals obey the controls of 0x80 to 0x9f as well. */
void cvg_mask_controls(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char octet = (unsigned char)text[0], next = (unsigned char)text[1];

        if (octet < 0x20 || octet == 0x7f)
            text[0] = '?';
        else if (octet == 0xc2 && next >= 0x80 && next <= 0x9f)
            text[0] = text[1] = '?';
    }
}

void cvg_log(enum cvg_log_level level, const char *fmt, ...)
{
    char line[LINE_MAX_OCTETS];
    int saved = errno;
    va_list args;
    int len;

    if (sink.handler == NULL || level > sink.level)
        return;
    va_start(args, fmt);
    len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (len >= 0) {
        cvg_mask_controls(line);
        sink.handler(level, line, sink.user);
    }
    errno = saved;
}

static const char *level_word(enum cvg_log_level level)
{
    static const char *const words[] = {"error", "warning", "notice", "info", "debug"};

    return (unsigned)level < sizeof words / sizeof words[0] ? words[level] : "?";
}

void cvg_log_to_fd(enum cvg_log_level level, const char *line, void *user)
{
    char text[LINE_MAX_OCTETS + 16];
    int len = snprintf(text, sizeof text, "%s: %s\n", level_word(level), line);
    size_t left, done = 0;

    if (len < 0)
        return;
    left = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    while (left > 0) {
        ssize_t n = write(*(int *)user, text + done, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        done += (size_t)n;
        left -= (size_t)n;
    }
}
