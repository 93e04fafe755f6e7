/* SPDX-License-Identifier: MIT */
/* An entry as one line of text. */
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "tools/agent-command.h"
#include "tools/entry.h"

#define WORD_MAX 320

#define PLAIN  ""
#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define DIM    "\033[2m"

struct line {
    char *text;
    size_t size, used;
    bool colour;
};

static void put_raw(struct line *line, const char *text)
{
    size_t len = strlen(text);

    if (len >= line->size - line->used)
        return;
    memcpy(line->text + line->used, text, len + 1);
    line->used += len;
}

/* Names come from notaries and programs: nothing in them may drive a terminal. A word that does not
 * fit is left out as a whole, with its colour. */
CVG_PRINTF(3, 4) static void put(struct line *line, const char *colour, const char *fmt, ...)
{
    char word[WORD_MAX];
    va_list args;
    bool painted = line->colour && colour[0] != '\0';

    va_start(args, fmt);
    if (vsnprintf(word, sizeof word, fmt, args) < 0)
        word[0] = '\0';
    va_end(args);
    cvg_mask_controls(word);
    if (strlen(word) + 16 >= line->size - line->used)
        return;
    if (painted)
        put_raw(line, colour);
    put_raw(line, word);
    if (painted)
        put_raw(line, "\033[0m");
}

static void put_when(struct line *line, int64_t time_s, enum cvg_when when)
{
    time_t seconds = (time_t)time_s;
    struct tm parts;
    char text[40] = "?";

    if (localtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof text, when == CVG_WHEN_DATE ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S",
                 &parts);
    put(line, DIM, "%s", text);
}

static void put_action(struct line *line, const struct cvg_entry *entry,
                       enum cvg_unreachable on_unreachable)
{
    if (entry->action == CVG_ACTION_REFUSE)
        put(line, RED, "  %-12s", "refuse");
    else if (cvg_entry_refused_in(entry, CVG_MODE_AUGMENT, on_unreachable))
        put(line, YELLOW, "  %-12s", "would refuse");
    else
        put(line, entry->action == CVG_ACTION_ACCEPT ? GREEN : PLAIN, "  %-12s",
            cvg_action_name(entry->action));
}

static const char *colour_of(const char *answer)
{
    return strcmp(answer, "yes") == 0 ? GREEN : strcmp(answer, "no") == 0 ? RED : YELLOW;
}

static void put_vote(struct line *line, const json_t *vote)
{
    const char *answer = cvg_reply_text(vote, "answer"), *error = cvg_reply_text(vote, "error");

    put(line, PLAIN, "  %.64s ", cvg_reply_text(vote, "notary"));
    put(line, colour_of(answer), "%.16s", answer);
    if (error[0] != '\0')
        put(line, DIM, "(%.32s)", error);
    put(line, DIM, " %lld ms", cvg_reply_number(vote, "elapsed_ms"));
    if (json_is_true(json_object_get(vote, "bounced")))
        put(line, DIM, " relayed");
}

void cvg_entry_line(const struct cvg_entry *entry, enum cvg_when when,
                    enum cvg_unreachable on_unreachable, bool colour, char *ret_line, size_t size)
{
    struct line line = {.text = ret_line, .size = size, .colour = colour};
    const json_t *vote;
    size_t index;

    ret_line[0] = '\0';
    put_when(&line, entry->time_s, when);
    put_action(&line, entry, on_unreachable);
    put(&line, PLAIN, "  %-9s", cvg_verdict_name(entry->verdict));
    put(&line, PLAIN, "  %.255s:%u", entry->host, (unsigned)entry->port);
    put(&line, PLAIN, "  %.64s(%lld)", entry->program, entry->pid);
    put(&line, DIM, "  %.32s", entry->reason);
    json_array_foreach(entry->votes, index, vote)
        put_vote(&line, vote);
}
