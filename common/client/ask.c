/* SPDX-License-Identifier: MIT */
/* One question to the agent and what follows from it. Every way in which this can go wrong ends in
 * the same place, where the mode and on_unreachable decide, and nobody's word is taken. */
#include "common/client/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/clock.h"

#define WAITED_MS 10

/* What the table of modes says. known_key: only an agent can know one. */
static enum cvg_action action_of(const struct cvg_config *config,
                                 const struct cvg_question *question, enum cvg_verdict verdict,
                                 bool known_key)
{
    return cvg_action_of(config->mode, verdict, config->on_unreachable, question->pki == CVG_PKI_OK,
                         question->pki == CVG_PKI_TRUST_ERROR, known_key);
}

static enum cvg_reason reason_of(enum cvg_error err)
{
    switch ((int)err) {
    case CVG_ERR_TIMEOUT:
        return CVG_REASON_DEADLINE;
    case CVG_ERR_NOMEM:
        return CVG_REASON_INTERNAL;
    case CVG_ERR_ARGUMENT:
    case CVG_ERR_SYNTAX:
        return CVG_REASON_BAD_QUESTION;
    default:
        return CVG_REASON_NO_AGENT;
    }
}

static void answer_without_agent(const struct cvg_config *config,
                                 const struct cvg_question *question, enum cvg_error err,
                                 const struct cvg_why *why, struct cvg_answer *ret_answer)
{
    const char *text = why->text[0] != '\0' ? why->text : cvg_strerror(err);

    memset(ret_answer, 0, sizeof *ret_answer);
    ret_answer->id = question->id;
    ret_answer->verdict = CVG_VERDICT_NONE;
    ret_answer->action = action_of(config, question, CVG_VERDICT_NONE, false);
    ret_answer->reason = reason_of(err);
    snprintf(ret_answer->text, sizeof ret_answer->text, "%s", text);
}

/* An agent may be stricter than the table. But an action that the table cannot give for its verdict
 * is a fault: of memory, of the agent, or of a configuration that it has not read again. Then the
 * table may refuse for the verdict, but not accept for it: no acceptance that the agent did not
 * speak is made up here. */
static void limit_action(const struct cvg_config *config, const struct cvg_question *question,
                         struct cvg_answer *answer)
{
    if (answer->action == CVG_ACTION_REFUSE ||
        answer->action == action_of(config, question, answer->verdict, true))
        return;
    answer->action = action_of(config, question, answer->verdict, false);
    if (answer->action == CVG_ACTION_ACCEPT)
        answer->action = action_of(config, question, CVG_VERDICT_NONE, false);
}

/* Without blocking, also early in boot: the number tells answers apart, it is no secret. */
static enum cvg_error random_id(uint64_t *ret_id)
{
    if (getrandom(ret_id, sizeof *ret_id, GRND_NONBLOCK) == (ssize_t)sizeof *ret_id ||
        getrandom(ret_id, sizeof *ret_id, GRND_INSECURE) == (ssize_t)sizeof *ret_id)
        return CVG_OK;
    return CVG_ERR_IO;
}

static void set_timeout(struct cvg_question *question, uint64_t deadline_ms)
{
    uint64_t now = cvg_clock_ms(cvg_clock_system());
    uint64_t left = deadline_ms > now ? deadline_ms - now : 0;

    question->timeout_ms = left == 0 ? 0 : (uint32_t)(left - left / 10);
}

static enum cvg_error write_question(struct cvg_question *question, uint64_t deadline_ms,
                                     struct cvg_buffer *message)
{
    cvg_buffer_clear(message);
    set_timeout(question, deadline_ms);
    return cvg_question_write(question, message);
}

/* The question is ready before the agent hears of us: it wakes when we connect, and finds it there.
 * If connecting had to wait, what was written of the time left is no longer true. */
static enum cvg_error send_question(const struct cvg_paths *paths, struct cvg_question *question,
                                    uint64_t deadline_ms, int *ret_fd, struct cvg_why *why)
{
    struct cvg_buffer message;
    uint64_t written_ms = cvg_clock_ms(cvg_clock_system());
    enum cvg_error err;

    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    err = write_question(question, deadline_ms, &message);
    if (err == CVG_OK)
        err = cvg_client_connect(paths, deadline_ms, ret_fd, why);
    if (err == CVG_OK && cvg_clock_ms(cvg_clock_system()) - written_ms > WAITED_MS)
        err = write_question(question, deadline_ms, &message);
    if (err == CVG_OK)
        err = cvg_client_send(*ret_fd, message.data, message.len, deadline_ms);
    cvg_buffer_free(&message);
    return err;
}

static enum cvg_error receive_answer(int fd, uint64_t id, uint64_t deadline_ms,
                                     struct cvg_answer *ret_answer, struct cvg_why *why)
{
    struct cvg_buffer message;
    enum cvg_error err;

    cvg_buffer_init(&message, CVG_MESSAGE_VERDICT_MAX);
    err = cvg_client_receive(fd, &message, deadline_ms);
    if (err == CVG_OK && cvg_answer_parse(message.data, message.len, id, ret_answer, why) != CVG_OK)
        err = CVG_ERR_PROTOCOL; /* whatever was wrong with it, the question was not */
    cvg_buffer_free(&message);
    return err;
}

/* deadline_ms 0: send if that can be done at once, and wait for nothing. */
static enum cvg_error ask(const struct cvg_paths *paths, struct cvg_question *question,
                          uint64_t deadline_ms, struct cvg_answer *ret_answer, struct cvg_why *why)
{
    int fd = -1;
    enum cvg_error err = random_id(&question->id);

    if (err == CVG_OK)
        err = send_question(paths, question, deadline_ms, &fd, why);
    if (err == CVG_OK && deadline_ms != 0)
        err = receive_answer(fd, question->id, deadline_ms, ret_answer, why);
    if (fd >= 0)
        close(fd);
    return err;
}

void cvg_client_ask(const struct cvg_config *config, const struct cvg_paths *paths,
                    struct cvg_question *question, struct cvg_answer *ret_answer)
{
    bool wait = config->mode != CVG_MODE_MONITOR;
    uint64_t start_ms = cvg_clock_ms(cvg_clock_system());
    struct cvg_why why = {""};
    int saved = errno, cancel;
    enum cvg_error err;

    /* A host that cancels its threads must not leave our descriptor and memory behind. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    err = ask(paths, question, wait ? start_ms + config->deadline_ms : 0, ret_answer, &why);
    pthread_setcancelstate(cancel, NULL);
    if (err == CVG_OK && wait)
        limit_action(config, question, ret_answer);
    else
        answer_without_agent(config, question, err, &why, ret_answer);
    if (err != CVG_OK || !wait)
        ret_answer->elapsed_ms = (uint32_t)(cvg_clock_ms(cvg_clock_system()) - start_ms);
    errno = saved;
}
