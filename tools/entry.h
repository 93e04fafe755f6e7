/* SPDX-License-Identifier: MIT */
/* One verdict as the agent tells it (doc/commands.md): read, filtered, and printed as a line. What
 * `watch`, `log` and `report` share. */
#ifndef CVG_TOOLS_ENTRY_H
#define CVG_TOOLS_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "common/base/endpoint.h"
#include "common/base/verdict.h"
#include "common/protocol/message.h"

/* Points into the JSON object that it was read from. */
struct cvg_entry {
    int64_t time_s;
    const char *host;
    uint16_t port;
    const char *sha256;
    enum cvg_verdict verdict; /* NONE also for words of a later version */
    enum cvg_action action;
    enum cvg_pki pki;
    const char *reason, *text, *program;
    long long pid, elapsed_ms;
    const json_t *votes;
};

/* False for what is no entry. */
bool cvg_entry_read(const json_t *object, struct cvg_entry *ret_entry);

/* What mode would have made of it. An agent that does not tell what PKI had said said nothing of
 * failures: then PKI counts as good. */
enum cvg_action cvg_entry_action_in(const struct cvg_entry *entry, enum cvg_mode mode,
                                    enum cvg_unreachable on_unreachable);
/* Whether mode would have refused what PKI accepted. */
bool cvg_entry_refused_in(const struct cvg_entry *entry, enum cvg_mode mode,
                          enum cvg_unreachable on_unreachable);

/* Which entries are wanted; all zero: all of them. */
struct cvg_entry_filter {
    const char *host;    /* normalised; NULL: any */
    uint16_t port;       /* 0: any */
    const char *program; /* NULL: any */
    enum cvg_verdict verdict;
    bool refused;     /* only what was refused, or would be in augment mode */
    const char *text; /* in host, program, verdict or reason; NULL or "": any */
    enum cvg_unreachable on_unreachable;
};
bool cvg_entry_wanted(const struct cvg_entry *entry, const struct cvg_entry_filter *filter);

/* A verdict's word; false if there is none. */
bool cvg_verdict_find(const char *word, enum cvg_verdict *ret_verdict);

/* The entry in one line, without its end: when, what was done, the verdict, where, who asked, why,
 * and what each notary said and how long it took. No control characters, whatever names there are.
 * colour: with a terminal's colours. on_unreachable tells whether an entry of monitor mode would
 * have been refused, which is said. */
enum cvg_when { CVG_WHEN_TIME, CVG_WHEN_DATE };
void cvg_entry_line(const struct cvg_entry *entry, enum cvg_when when,
                    enum cvg_unreachable on_unreachable, bool colour, char *ret_line, size_t size);

#endif
