/* SPDX-License-Identifier: MIT */
/* Reads spans back from now, and ISO 8601's dates and times. */
#include "tools/when.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define DAY_S   86400
#define AGE_MAX (INT64_C(1) << 40)

static bool take_number(const char **at, int64_t *ret_number)
{
    int64_t number = 0;
    const char *begin = *at;

    for (; **at >= '0' && **at <= '9'; ++*at) {
        number = number * 10 + (**at - '0');
        if (number > AGE_MAX)
            return false;
    }
    *ret_number = number;
    return *at > begin;
}

/* Exactly so many digits. */
static bool take_digits(const char **at, int count, int *ret_number)
{
    *ret_number = 0;
    for (; count > 0; count--, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        *ret_number = *ret_number * 10 + (**at - '0');
    }
    return true;
}

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static bool parse_span(const char *text, int64_t now_s, int64_t *ret_time_s)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', INT64_C(7) * DAY_S}};
    int64_t number;

    if (!take_number(&text, &number) || text[0] == '\0' || text[1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].unit == text[0] && number <= now_s / units[i].seconds) {
            *ret_time_s = now_s - number * units[i].seconds;
            return true;
        }
    return false;
}

static bool take_clock(const char **at, struct tm *ret_parts)
{
    if (!take_digits(at, 2, &ret_parts->tm_hour) || !take(at, ':') ||
        !take_digits(at, 2, &ret_parts->tm_min))
        return false;
    if (take(at, ':') && !take_digits(at, 2, &ret_parts->tm_sec))
        return false;
    return ret_parts->tm_hour < 24 && ret_parts->tm_min < 60 && ret_parts->tm_sec < 60;
}

/* *ret_local: nothing is said about it. */
static bool take_zone(const char **at, bool *ret_local, int *ret_offset_s)
{
    int sign = **at == '-' ? -1 : 1, hours, minutes;

    *ret_offset_s = 0;
    *ret_local = **at == '\0';
    if (*ret_local || take(at, 'Z'))
        return true;
    if (!(take(at, '+') || take(at, '-')) || !take_digits(at, 2, &hours))
        return false;
    (void)take(at, ':');
    if (!take_digits(at, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    *ret_offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool parse_date(const char *at, int64_t *ret_time_s)
{
    struct tm parts = {.tm_isdst = -1}, made;
    bool local = true;
    int offset_s = 0;
    time_t seconds;

    if (!take_digits(&at, 4, &parts.tm_year) || !take(&at, '-') ||
        !take_digits(&at, 2, &parts.tm_mon) || !take(&at, '-') ||
        !take_digits(&at, 2, &parts.tm_mday))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    if ((take(&at, 'T') || take(&at, ' ')) &&
        (!take_clock(&at, &parts) || !take_zone(&at, &local, &offset_s)))
        return false;
    made = parts;
    seconds = local ? mktime(&made) : timegm(&made);
    /* The 31st of February is no day that somebody meant. */
    if (*at != '\0' || made.tm_mday != parts.tm_mday || made.tm_mon != parts.tm_mon)
        return false;
    *ret_time_s = (int64_t)seconds - offset_s;
    return true;
}

bool cvg_when_parse(const char *text, int64_t now_s, int64_t *ret_time_s)
{
    const char *at = text + 1;
    int64_t seconds;

    if (text[0] != '@')
        return strlen(text) < 64 &&
               (parse_span(text, now_s, ret_time_s) || parse_date(text, ret_time_s));
    if (!take_number(&at, &seconds) || *at != '\0')
        return false;
    *ret_time_s = seconds;
    return true;
}
