/* SPDX-License-Identifier: MIT */
/* The Date field of answers (RFC 9110, 6.6.1), put together once a second. One thread. */
#ifndef CVG_NOTARY_HTTP_DATE_H
#define CVG_NOTARY_HTTP_DATE_H

#include <stdint.h>

#define CVG_HTTP_DATE_MAX 40 /* "Date: Sun, 06 Nov 1994 08:49:37 GMT" and what ends it */

/* All zero: nothing is put together yet. */
struct cvg_http_date {
    int64_t wall_s;
    char line[CVG_HTTP_DATE_MAX];
};

/* The field's line with CR and LF; valid until the next call. Empty where the clock cannot be
 * right: who has no clock must not send a date. */
const char *cvg_http_date(struct cvg_http_date *date, int64_t wall_s);

#endif
