/* SPDX-License-Identifier: MIT */
/* What was decided and why: one line per verdict in the log, and the recent ones in memory for
 * `why` and `watch`. One thread. */
#ifndef CVG_ENGINE_VERDICT_LOG_H
#define CVG_ENGINE_VERDICT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/message.h"

#define CVG_RECENT_MAX       1024 /* verdicts kept in memory */
#define CVG_VERDICT_LINE_MAX 4096

struct cvg_verdict_log;

/* One verdict as it is remembered. */
struct cvg_verdict_entry {
    int64_t time_s;
    char host[CVG_HOST_MAX];
    uint16_t port;                      /* the one that decided, else the first candidate */
    struct cvg_fingerprint fingerprint; /* len 0: none was known */
    enum cvg_verdict verdict;
    enum cvg_action action;
    enum cvg_reason reason;
    enum cvg_pki pki; /* what PKI had said */
    char program[CVG_MESSAGE_NAME_MAX];
    int32_t pid;
    uint32_t uid;
    uint32_t elapsed_ms;
    char *text;
    struct cvg_vote *vote;
    size_t vote_count;
};

/* path: the file to append to, or "syslog" (openlog is the caller's business). The file is opened
 * here, so before privileges drop. */
CVG_MUST_USE enum cvg_error cvg_verdict_log_new(const char *path, const struct cvg_clock *clock,
                                                struct cvg_verdict_log **ret_log,
                                                struct cvg_why *ret_why);
void cvg_verdict_log_free(struct cvg_verdict_log *log);

/* Writes elsewhere from now on; on failure as before. Also to begin a new file after rotation. */
CVG_MUST_USE enum cvg_error cvg_verdict_log_reopen(struct cvg_verdict_log *log, const char *path,
                                                   struct cvg_why *ret_why);

/* A diagnostic line to the same place: a cvg_log_handler whose user is the log. */
void cvg_verdict_log_line(enum cvg_log_level level, const char *line, void *user);

/* Notes a verdict. The entry lives until CVG_RECENT_MAX others have been noted. */
const struct cvg_verdict_entry *cvg_verdict_log_note(struct cvg_verdict_log *log,
                                                     const struct cvg_question *question,
                                                     const struct cvg_answer *answer, uint32_t uid,
                                                     int32_t pid);

/* The entry noted index verdicts ago; NULL past the oldest. */
const struct cvg_verdict_entry *cvg_verdict_log_recent(const struct cvg_verdict_log *log,
                                                       size_t index);

/* The line, without a newline: key=value in a fixed order, values without spaces. Returns buf. */
char *cvg_verdict_line(const struct cvg_question *question, const struct cvg_answer *answer,
                       uint32_t uid, int32_t pid, int64_t time_s, char *buf, size_t size);

const char *cvg_pki_word(enum cvg_pki pki);       /* "trust-error" */
const char *cvg_sayer_word(enum cvg_sayer sayer); /* "dane" */
const char *cvg_said_word(enum cvg_said said);    /* "yes", "no", "aside"; NOTHING: "" */

#endif
