/* SPDX-License-Identifier: MIT */
/* An agent for tests that misbehaves in one chosen way: a child process on a socket of its own in a
 * fresh directory. Every failure to set it up ends the program. */
#ifndef CVG_TESTS_FAKE_AGENT_H
#define CVG_TESTS_FAKE_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/config.h"

enum fake_kind {
    FAKE_SAYS_ACCEPT, /* the honest ones: agree, disagree, exempt */
    FAKE_SAYS_REFUSE,
    FAKE_SAYS_UNCHANGED,
    FAKE_WRONG_ID, /* from here on the answer begins as FAKE_SAYS_ACCEPT's and is then spoilt */
    FAKE_SHORT,
    FAKE_LONG,
    FAKE_OVERSIZED,
    FAKE_UNKNOWN_VERDICT,
    FAKE_UNKNOWN_ACTION,
    FAKE_UNKNOWN_REASON,
    FAKE_NO_VERDICT,
    FAKE_NO_ACTION,
    FAKE_OTHER_VERSION,
    FAKE_OTHER_TYPE,
    FAKE_DISAGREES_BUT_ACCEPTS,
    FAKE_UNDECIDED_BUT_ACCEPTS,
    FAKE_DISAGREES_BUT_UNCHANGED,
    FAKE_UNDECIDED_BUT_UNCHANGED,
    FAKE_NOTHING_DECIDED_BUT_ACCEPTS,
    FAKE_AGREES_WITHOUT_ACTION,
    FAKE_AGREES_BUT_UNCHANGED,
    FAKE_EXEMPT_BUT_ACCEPTS,
    FAKE_EMPTY,
    FAKE_GARBAGE,
    FAKE_ECHOES,
    FAKE_SILENT,
    FAKE_CLOSES_AFTER_QUESTION,
    FAKE_CLOSES_AT_ONCE,
    FAKE_NEVER_ACCEPTS,
    FAKE_FIRST_RELEASE, /* takes no question with appended fields; else honest */
    FAKE_UNDERSTANDS_NOTHING,
    FAKE_COUNT
};

struct fake {
    enum fake_kind kind;
    pid_t pid;
    int heard; /* the child writes one octet here for each message that it got, 'q' for a question
                */
    struct cvg_paths paths;
};

/* Starts one below dir as uid (needs root unless it is one's own). backlog as for listen(). */
void fake_start(struct fake *ret_fake, enum fake_kind kind, const char *dir, uid_t uid,
                int backlog);

/* What was heard so far: 'q' for a question, 'x' for anything else, 0 for nothing yet. */
char fake_heard(const struct fake *fake, int timeout_ms);

void fake_stop(struct fake *fake);

#endif
