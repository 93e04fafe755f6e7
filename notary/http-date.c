/* SPDX-License-Identifier: MIT */
/* The Date field of answers, in English whatever the locale. */
#include "notary/http-date.h"

#include <stdio.h>
#include <time.h>

#define YEAR_MAX 9999 /* the form has four digits */

static void put_together(struct cvg_http_date *date)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t second = (time_t)date->wall_s;
    struct tm t;
    date->line[0] = '\0';
    if (date->wall_s <= 0 || gmtime_r(&second, &t) == NULL || t.tm_year + 1900 > YEAR_MAX)
        return;
    (void)snprintf(date->line, sizeof(date->line), "Date: %s, %02u %s %04u %02u:%02u:%02u GMT\r\n",
                   days[t.tm_wday], (unsigned)t.tm_mday % 100, months[t.tm_mon],
                   (unsigned)(t.tm_year + 1900) % 10000, (unsigned)t.tm_hour % 100,
                   (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
}

const char *cvg_http_date(struct cvg_http_date *date, int64_t wall_s)
{
    if (date->wall_s != wall_s) {
        date->wall_s = wall_s;
        put_together(date);
    }
    return date->line;
}
