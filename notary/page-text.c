/* SPDX-License-Identifier: MIT */
/* Numbers as people read them. */
#include "notary/page-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NONE "\xe2\x80\x93" /* a dash */

void cvg_text_count(struct cvg_buffer *text, int64_t count)
{
    char digits[32];
    uint64_t size = count < 0 ? -(uint64_t)count : (uint64_t)count;
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, size);
    if (count < 0)
        cvg_buffer_put_text(text, "-");
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            cvg_buffer_put_text(text, ",");
        cvg_buffer_put(text, &digits[i], 1);
    }
}

void cvg_text_duration(struct cvg_buffer *text, uint64_t us)
{
    double value = (double)us;
    if (us == 0)
        cvg_buffer_put_text(text, NONE);
    else if (us < 1000)
        cvg_buffer_printf(text, "%" PRIu64 " \xc2\xb5s", us);
    else if (us < 10000)
        cvg_buffer_printf(text, "%.1f ms", value / 1e3);
    else if (us < 1000000)
        cvg_buffer_printf(text, "%.0f ms", value / 1e3);
    else
        cvg_buffer_printf(text, "%.2f s", value / 1e6);
}

void cvg_text_span(struct cvg_buffer *text, int64_t seconds)
{
    int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days > 0)
        cvg_buffer_printf(text, "%" PRId64 " d %" PRId64 " h", days, hours % 24);
    else if (hours > 0)
        cvg_buffer_printf(text, "%" PRId64 " h %" PRId64 " min", hours, minutes % 60);
    else if (minutes > 0)
        cvg_buffer_printf(text, "%" PRId64 " min", minutes);
    else
        cvg_buffer_printf(text, "%" PRId64 " s", seconds);
}

void cvg_text_octets(struct cvg_buffer *text, int64_t octets)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)octets;
    size_t unit = 0;
    if (octets < 0) {
        cvg_buffer_put_text(text, "not known");
        return;
    }
    for (; value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1024;
    cvg_buffer_printf(text, unit > 0 && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void cvg_text_rate(struct cvg_buffer *text, double rate)
{
    if (rate >= 100)
        cvg_text_count(text, (int64_t)(rate + 0.5));
    else
        cvg_buffer_printf(text, rate >= 10 ? "%.1f" : "%.2f", rate);
}

void cvg_text_share(struct cvg_buffer *text, int64_t part, int64_t whole)
{
    if (whole <= 0)
        cvg_buffer_put_text(text, NONE);
    else
        cvg_buffer_printf(text, "%.1f %%", (double)part * 100 / (double)whole);
}

void cvg_text_instant(struct cvg_buffer *text, int64_t unix_s)
{
    time_t when = (time_t)unix_s;
    char line[64];
    struct tm parts;
    if (unix_s == 0 || gmtime_r(&when, &parts) == NULL ||
        strftime(line, sizeof(line), "%Y-%m-%d %H:%M UTC", &parts) == 0)
        cvg_buffer_put_text(text, "not known");
    else
        cvg_buffer_put_text(text, line);
}
