/* SPDX-License-Identifier: MIT */
/* One question to the agent, waited for, and what follows from it. */
#include "config.h"

#include "common/client/client.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/conclude.h"
#include "common/client/dialogue.h"
#include "common/client/guard.h"

/* deadline_ms 0: send if that can be done at once, and wait for nothing. */
static enum cvg_error ask_once(const struct cvg_paths *paths, struct cvg_question *question,
                               uint64_t deadline_ms, struct cvg_answer *ret_answer,
                               struct cvg_why *why)
{
    int fd = -1;
    enum cvg_error err = cvg_dialogue_ask(paths, question, deadline_ms, true, &fd, why);

    if (err == CVG_OK && deadline_ms != 0)
        err = cvg_dialogue_answer(fd, question->id, deadline_ms, ret_answer, why);
    if (fd >= 0)
        close(fd);
    return err;
}

static enum cvg_error ask(const struct cvg_paths *paths, struct cvg_question *question,
                          uint64_t deadline_ms, struct cvg_answer *ret_answer, struct cvg_why *why)
{
    enum cvg_error err = cvg_dialogue_name(question);

    if (err == CVG_OK)
        err = ask_once(paths, question, deadline_ms, ret_answer, why);
    if (err == CVG_OK && deadline_ms != 0 && cvg_dialogue_reduce(question, ret_answer))
        err = ask_once(paths, question, deadline_ms, ret_answer, why);
    return err;
}

void cvg_client_ask(const struct cvg_config *config, const struct cvg_paths *paths,
                    struct cvg_question *question, struct cvg_answer *ret_answer)
{
    struct cvg_guard guard = cvg_guard_begin();
    const struct cvg_rules rules = cvg_rules_of(config);
    bool wait = config->mode != CVG_MODE_MONITOR;
    uint64_t start_ms = cvg_clock_ms(cvg_clock_system());
    struct cvg_why why = {""};
    enum cvg_error err;

    err = ask(paths, question, wait ? start_ms + config->deadline_ms : 0, ret_answer, &why);
    if (err == CVG_OK && wait)
        cvg_conclude_answered(rules, question, ret_answer);
    else
        cvg_conclude_unanswered(rules, question, err, &why, start_ms, ret_answer);
    cvg_guard_end(&guard);
}
