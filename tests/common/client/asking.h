/* SPDX-License-Identifier: MIT */
/* Asking a fake agent, and what must hold whatever it does. */
#ifndef CVG_TESTS_ASKING_H
#define CVG_TESTS_ASKING_H

#include "common/client/client.h"
#include "common/client/pending.h"
#include "tests/common/base/scratch.h"
#include "tests/common/client/fake-agent.h"

#define DEADLINE_MS 120
#define SLACK_MS    1500 /* a loaded machine may be late, but a second deadline would show */

extern struct cvg_config config; /* that ask_as() asks with */
extern struct cvg_answer answer; /* that it got */
extern const uint8_t leaf[CVG_MESSAGE_LEAF_MAX + 1];
extern const enum cvg_pki all_pki[4];

void configure(enum cvg_mode mode, enum cvg_unreachable on_unreachable);
struct cvg_question question(enum cvg_pki pki);

/* One question as the program is built to ask it: waiting for the answer, or (ASKING_PENDING)
 * coming back for it as an event loop does. */
void ask_question(const struct cvg_paths *paths, struct cvg_question *question,
                  struct cvg_answer *ret_answer);

/* Comes back for it until the answer is there, and drops it. */
void ask_again(struct cvg_pending *pending, struct cvg_answer *ret_answer);

/* Asks, and checks what holds for every question: time, descriptors, errno, a definite action. */
enum cvg_action ask_as(const struct cvg_paths *paths, enum cvg_pki pki);

/* What must follow when nobody's word counts, in either mode that waits: refused, or left as PKI
 * had it if that said no for another reason than trust. reason NONE: any. */
void assert_not_accepted(const struct cvg_paths *paths, enum cvg_reason reason);

/* A fake agent in the test's scratch directory. */
static inline void start(struct fake *fake, enum fake_kind kind)
{
    fake_start(fake, kind, scratch, geteuid(), 16);
}

#endif
