/* SPDX-License-Identifier: MIT */
/* Lines that both texts begin and end with are left aside; what is between is compared by the
 * longest common subsequence, or, where that is too much to compare, told as exchanged. */
#include "tools/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT   3
#define CELLS_MAX 4000000 /* of the table, 16 MB */

struct line {
    const char *text;
    size_t len; /* with its newline */
};

struct lines {
    struct line *line;
    size_t count;
};

struct step {
    char kind; /* ' ', '-' or '+' */
    const struct line *line;
};

struct comparison {
    struct lines before, after;
    struct step *step;
    size_t steps;
};

static bool split(const struct cvg_buffer *text, struct lines *ret_lines)
{
    const char *at = text != NULL ? (const char *)text->data : NULL;
    const char *end = at != NULL ? at + text->len : NULL;
    size_t count = 1;

    for (const char *c = at; c != end; c++)
        count += *c == '\n' ? 1 : 0;
    ret_lines->line = calloc(count, sizeof *ret_lines->line);
    if (ret_lines->line == NULL)
        return false;
    while (at != end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline != NULL ? newline + 1 : end;

        ret_lines->line[ret_lines->count++] = (struct line){at, (size_t)(next - at)};
        at = next;
    }
    return true;
}

static bool same(const struct line *one, const struct line *other)
{
    return one->len == other->len && memcmp(one->text, other->text, one->len) == 0;
}

static void add(struct comparison *all, char kind, const struct line *line)
{
    all->step[all->steps++] = (struct step){kind, line};
}

static void exchange(struct comparison *all, const struct lines *was, const struct lines *is)
{
    for (size_t i = 0; i < was->count; i++)
        add(all, '-', &was->line[i]);
    for (size_t i = 0; i < is->count; i++)
        add(all, '+', &is->line[i]);
}

/* table[i * width + j]: how many lines was has in common with is, from i and j on. */
static void walk(struct comparison *all, const struct lines *was, const struct lines *is,
                 const unsigned *table)
{
    size_t i = 0, j = 0, width = is->count + 1;

    while (i < was->count || j < is->count) {
        if (i < was->count && j < is->count && same(&was->line[i], &is->line[j])) {
            add(all, ' ', &was->line[i++]);
            j++;
        } else if (j == is->count ||
                   (i < was->count && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
            add(all, '-', &was->line[i++]);
        } else {
            add(all, '+', &is->line[j++]);
        }
    }
}

static void compare_middle(struct comparison *all, const struct lines *was, const struct lines *is)
{
    size_t width = is->count + 1, height = was->count + 1;
    unsigned *table = height <= CELLS_MAX / width ? calloc(width * height, sizeof *table) : NULL;

    if (table == NULL) {
        exchange(all, was, is);
        return;
    }
    for (size_t i = was->count; i-- > 0;)
        for (size_t j = is->count; j-- > 0;) {
            unsigned down = table[(i + 1) * width + j], right = table[i * width + j + 1];

            table[i * width + j] = same(&was->line[i], &is->line[j])
                                       ? table[(i + 1) * width + j + 1] + 1
                                   : down > right ? down
                                                  : right;
        }
    walk(all, was, is, table);
    free(table);
}

static void compare(struct comparison *all)
{
    struct lines was = all->before, is = all->after;
    size_t tail = 0;

    while (was.count > 0 && is.count > 0 && same(was.line, is.line)) {
        add(all, ' ', was.line);
        was = (struct lines){was.line + 1, was.count - 1};
        is = (struct lines){is.line + 1, is.count - 1};
    }
    while (was.count > 0 && is.count > 0 &&
           same(&was.line[was.count - 1], &is.line[is.count - 1])) {
        was.count--;
        is.count--;
        tail++;
    }
    compare_middle(all, &was, &is);
    for (size_t i = 0; i < tail; i++)
        add(all, ' ', &was.line[was.count + i]);
}

static void put_line(struct cvg_buffer *diff, const struct step *step)
{
    cvg_buffer_put_u8(diff, (uint8_t)step->kind);
    cvg_buffer_put(diff, step->line->text, step->line->len);
    if (step->line->text[step->line->len - 1] != '\n')
        cvg_buffer_put_text(diff, "\n\\ No newline at end of file\n");
}

/* Of the steps [first, end), the lines that each side has; before them there were `was` and `is`.
 */
static void put_hunk(struct cvg_buffer *diff, const struct comparison *all, size_t first,
                     size_t end)
{
    size_t was = 0, is = 0, olds = 0, news = 0;

    for (size_t i = 0; i < end; i++) {
        was += i < first && all->step[i].kind != '+' ? 1 : 0;
        is += i < first && all->step[i].kind != '-' ? 1 : 0;
        olds += i >= first && all->step[i].kind != '+' ? 1 : 0;
        news += i >= first && all->step[i].kind != '-' ? 1 : 0;
    }
    cvg_buffer_printf(diff, "@@ -%zu,%zu +%zu,%zu @@\n", was + (olds > 0 ? 1 : 0), olds,
                      is + (news > 0 ? 1 : 0), news);
    for (size_t i = first; i < end; i++)
        put_line(diff, &all->step[i]);
}

/* The first step from `from` on that changes something, or the end. */
static size_t next_change(const struct comparison *all, size_t from)
{
    while (from < all->steps && all->step[from].kind == ' ')
        from++;
    return from;
}

static void put_hunks(struct cvg_buffer *diff, const struct comparison *all)
{
    size_t change = next_change(all, 0);

    while (change < all->steps) {
        size_t first = change > CONTEXT ? change - CONTEXT : 0, end = change + 1;

        for (change = next_change(all, end); change < all->steps && change - end <= 2 * CONTEXT;
             change = next_change(all, end))
            end = change + 1;
        end = all->steps - end > CONTEXT ? end + CONTEXT : all->steps;
        put_hunk(diff, all, first, end);
    }
}

enum cvg_error cvg_diff(const char *path, const struct cvg_buffer *before,
                        const struct cvg_buffer *after, struct cvg_buffer *ret_diff)
{
    struct comparison all = {.steps = 0};
    enum cvg_error err = CVG_ERR_NOMEM;

    if (split(before, &all.before) && split(after, &all.after))
        all.step = calloc(all.before.count + all.after.count + 1, sizeof *all.step);
    if (all.step != NULL) {
        compare(&all);
        if (next_change(&all, 0) < all.steps || before == NULL || after == NULL)
            cvg_buffer_printf(ret_diff, "--- %s\n+++ %s\n", before != NULL ? path : "/dev/null",
                              after != NULL ? path : "/dev/null");
        put_hunks(ret_diff, &all);
        err = cvg_buffer_error(ret_diff);
    }
    free(all.before.line);
    free(all.after.line);
    free(all.step);
    return err;
}
