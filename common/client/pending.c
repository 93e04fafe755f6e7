/* SPDX-License-Identifier: MIT */
/* A question on its way, see pending.h. It holds a descriptor in a process that is not ours, so
 * each use begins with whose the descriptor is now. */
#include "config.h"

#include "common/client/pending.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"
#include "common/client/conclude.h"
#include "common/client/dialogue.h"
#include "common/client/guard.h"

struct cvg_pending {
    struct cvg_rules rules;
    struct cvg_paths paths;
    struct cvg_question question; /* its leaf is below */
    uint64_t start_ms, deadline_ms;
    int fd; /* -1 while there is no connection */
    dev_t device;
    ino_t inode; /* with device: which socket fd was */
    pid_t pid;   /* whose question it is */
    uint8_t leaf[];
};

/* Whether the descriptor is still the socket that was opened. */
static bool holds_socket(const struct cvg_pending *pending)
{
    struct stat st;

    return pending->fd >= 0 && fstat(pending->fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
           st.st_dev == pending->device && st.st_ino == pending->inode;
}

/* Closing a copy that was inherited takes nothing from the parent. */
static void let_go(struct cvg_pending *pending)
{
    if (holds_socket(pending))
        close(pending->fd);
    pending->fd = -1;
}

static enum cvg_error take_up(struct cvg_pending *pending, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        close(fd);
        return CVG_ERR_IO;
    }
    pending->fd = fd;
    pending->device = st.st_dev;
    pending->inode = st.st_ino;
    pending->pid = getpid();
    return CVG_OK;
}

static enum cvg_error ask(struct cvg_pending *pending, struct cvg_why *why)
{
    int fd = -1;
    enum cvg_error err = cvg_dialogue_ask(&pending->paths, &pending->question, pending->deadline_ms,
                                          false, &fd, why);

    return err == CVG_OK ? take_up(pending, fd) : err;
}

static bool has_time(const struct cvg_pending *pending)
{
    return cvg_clock_ms(cvg_clock_system()) < pending->deadline_ms;
}

/* TIMEOUT: nothing yet. What came before the deadline counts also for a host that looks late. */
static enum cvg_error look(struct cvg_pending *pending, struct cvg_answer *ret_answer,
                           struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;

    if (pending->pid != getpid() || !holds_socket(pending)) {
        let_go(pending);
        err = has_time(pending) ? ask(pending, why) : CVG_ERR_TIMEOUT;
    }
    if (err == CVG_OK)
        err = cvg_dialogue_answer(pending->fd, pending->question.id, 0, ret_answer, why);
    if (err == CVG_OK && cvg_dialogue_reduce(&pending->question, ret_answer)) {
        let_go(pending);
        err = has_time(pending) ? ask(pending, why) : CVG_ERR_TIMEOUT;
        err = err == CVG_OK ? CVG_ERR_TIMEOUT : err; /* asked; the next look has more */
    }
    return err;
}

static struct cvg_pending *make(const struct cvg_config *config, const struct cvg_paths *paths,
                                const struct cvg_question *question, uint64_t start_ms)
{
    struct cvg_pending *pending = malloc(sizeof *pending + question->leaf_len);

    if (!pending)
        return NULL;
    memset(pending, 0, sizeof *pending);
    pending->rules = cvg_rules_of(config);
    pending->paths = *paths;
    pending->question = *question;
    if (question->leaf_len > 0) {
        memcpy(pending->leaf, question->leaf, question->leaf_len);
        pending->question.leaf = pending->leaf;
    }
    pending->start_ms = start_ms;
    pending->deadline_ms = start_ms + config->deadline_ms;
    pending->fd = -1;
    return pending;
}

static struct cvg_pending *begin(const struct cvg_config *config, const struct cvg_paths *paths,
                                 struct cvg_question *question, struct cvg_answer *ret_answer)
{
    uint64_t start_ms = cvg_clock_ms(cvg_clock_system());
    enum cvg_error err = cvg_dialogue_name(question);
    struct cvg_pending *pending = NULL;
    struct cvg_why why = {""};

    if (err == CVG_OK) {
        pending = make(config, paths, question, start_ms);
        err = pending ? CVG_OK : CVG_ERR_NOMEM;
    }
    if (err == CVG_OK)
        err = ask(pending, &why);
    if (pending)
        question->timeout_ms = pending->question.timeout_ms;
    if (err == CVG_OK || err == CVG_ERR_TIMEOUT)
        return pending;
    cvg_conclude_unanswered(cvg_rules_of(config), question, err, &why, start_ms, ret_answer);
    free(pending);
    return NULL;
}

struct cvg_pending *cvg_pending_start(const struct cvg_config *config,
                                      const struct cvg_paths *paths, struct cvg_question *question,
                                      struct cvg_answer *ret_answer)
{
    struct cvg_guard guard = cvg_guard_begin();
    struct cvg_pending *pending = NULL;

    if (config->mode == CVG_MODE_MONITOR)
        cvg_client_ask(config, paths, question, ret_answer);
    else
        pending = begin(config, paths, question, ret_answer);
    cvg_guard_end(&guard);
    return pending;
}

bool cvg_pending_look(struct cvg_pending *pending, struct cvg_answer *ret_answer)
{
    struct cvg_guard guard = cvg_guard_begin();
    struct cvg_why why = {""};
    enum cvg_error err = look(pending, ret_answer, &why);
    bool there = err != CVG_ERR_TIMEOUT || !has_time(pending);

    if (err == CVG_OK)
        cvg_conclude_answered(pending->rules, &pending->question, ret_answer);
    else if (there)
        cvg_conclude_unanswered(pending->rules, &pending->question, err, &why, pending->start_ms,
                                ret_answer);
    cvg_guard_end(&guard);
    return there;
}

int cvg_pending_fd(const struct cvg_pending *pending)
{
    struct cvg_guard guard = cvg_guard_begin();
    int fd = holds_socket(pending) ? pending->fd : -1;

    cvg_guard_end(&guard);
    return fd;
}

int cvg_pending_left_ms(const struct cvg_pending *pending)
{
    uint64_t now = cvg_clock_ms(cvg_clock_system());

    return now < pending->deadline_ms ? (int)(pending->deadline_ms - now) : 0;
}

void cvg_pending_drop(struct cvg_pending *pending)
{
    struct cvg_guard guard = cvg_guard_begin();

    if (pending)
        let_go(pending);
    free(pending);
    cvg_guard_end(&guard);
}
