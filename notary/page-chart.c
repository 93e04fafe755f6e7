/* SPDX-License-Identifier: MIT */
/* The charts of the status page. */
#include "notary/page-chart.h"

#include <string.h>

#include "notary/page-text.h"

#define WIDTH        CVG_HISTORY_STEPS
#define HEIGHT       60
#define MINUTE_STEPS (60 / CVG_HISTORY_STEP_S)
#define SMOOTHED     3 /* steps that one point tells of */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A chart shows the sum of some metrics a second, or as a share of the sum of others. */
static const struct chart {
    const char *name;
    enum cvg_metric part[3];
    size_t parts;
    enum cvg_metric whole[3];
    size_t wholes; /* 0: a rate */
} charts[] = {
    {"requests",
     {CVG_METRIC_REQUESTS_V1, CVG_METRIC_REQUESTS_V2, CVG_METRIC_REQUESTS_OTHER},
     3,
     {0},
     0},
    {"probes", {CVG_METRIC_PROBES}, 1, {0}, 0},
    {"hits",
     {CVG_METRIC_TARGETS_HIT},
     1,
     {CVG_METRIC_TARGETS_HIT, CVG_METRIC_TARGETS_STORE, CVG_METRIC_TARGETS_MISS},
     3},
};

static double rate_of(const struct cvg_history *history, size_t step, const enum cvg_metric *metric,
                      size_t count)
{
    double rate = 0;
    for (size_t i = 0; i < count; i++)
        rate += cvg_history_rate(history, step, metric[i]);
    return rate;
}

/* The chart's value over the steps from first up to, not including, end. */
static double value(const struct chart *chart, const struct cvg_history *history, size_t first,
                    size_t end)
{
    double part = 0, whole = 0;
    for (size_t step = first; step < end; step++) {
        part += rate_of(history, step, chart->part, chart->parts);
        whole += rate_of(history, step, chart->whole, chart->wholes);
    }
    if (chart->wholes == 0)
        return end > first ? part / (double)(end - first) : 0;
    return whole > 0 ? part / whole : 0;
}

/* One point: the mean of what is around it. */
static double point(const struct chart *chart, const struct cvg_history *history, size_t step)
{
    return value(chart, history, step < SMOOTHED ? 0 : step + 1 - SMOOTHED, step + 1);
}

/* A share's chart reaches up to 1; a rate's up to the highest rate. */
static double top(const struct chart *chart, const struct cvg_history *history)
{
    double highest = chart->wholes > 0 ? 1 : 0;
    for (size_t step = 0; step < cvg_history_steps(history); step++)
        if (point(chart, history, step) > highest)
            highest = point(chart, history, step);
    return highest;
}

static void put_points(const struct chart *chart, const struct cvg_history *history,
                       struct cvg_buffer *text)
{
    size_t steps = cvg_history_steps(history);
    double scale = top(chart, history) > 0 ? HEIGHT / top(chart, history) : 0;
    for (size_t step = 0; step < steps; step++)
        cvg_buffer_printf(text, "%s%zu,%.1f", step == 0 ? "" : " ", WIDTH - steps + step + 1,
                          HEIGHT - scale * point(chart, history, step));
    if (steps == 0)
        cvg_buffer_printf(text, "%d,%d", WIDTH, HEIGHT);
}

static void put_value(const struct chart *chart, double number, struct cvg_buffer *text)
{
    if (chart->wholes > 0)
        cvg_buffer_printf(text, "%.0f %%", number * 100);
    else
        cvg_text_rate(text, number);
}

static enum cvg_error put(const struct chart *chart, const struct cvg_history *history,
                          const char *what, struct cvg_buffer *text)
{
    size_t steps = cvg_history_steps(history);
    if (strcmp(what, "line") == 0) {
        cvg_buffer_put_text(text, "M");
        put_points(chart, history, text);
    } else if (strcmp(what, "area") == 0) {
        cvg_buffer_printf(text, "M%zu,%d L", steps == 0 ? WIDTH : WIDTH - steps + 1, HEIGHT);
        put_points(chart, history, text);
        cvg_buffer_printf(text, " %d,%d Z", WIDTH, HEIGHT);
    } else if (strcmp(what, "top") == 0) {
        put_value(chart, top(chart, history), text);
    } else if (strcmp(what, "now") == 0) {
        put_value(chart,
                  value(chart, history, steps < MINUTE_STEPS ? 0 : steps - MINUTE_STEPS, steps),
                  text);
    } else {
        return CVG_ERR_NOT_FOUND;
    }
    return CVG_OK;
}

enum cvg_error cvg_page_chart(const struct cvg_page_data *data, const char *name, size_t len,
                              struct cvg_buffer *ret_text)
{
    static const char prefix[] = "chart.";
    char rest[32];
    if (len < sizeof(prefix) || len - sizeof(prefix) + 1 >= sizeof(rest) ||
        memcmp(name, prefix, sizeof(prefix) - 1) != 0)
        return CVG_ERR_NOT_FOUND;
    memcpy(rest, name + sizeof(prefix) - 1, len - sizeof(prefix) + 1);
    rest[len - sizeof(prefix) + 1] = '\0';
    char *dot = strchr(rest, '.');
    if (dot == NULL)
        return CVG_ERR_NOT_FOUND;
    *dot = '\0';
    for (size_t i = 0; i < COUNT(charts); i++)
        if (strcmp(charts[i].name, rest) == 0)
            return put(&charts[i], data->history, dot + 1, ret_text);
    return CVG_ERR_NOT_FOUND;
}
