/* SPDX-License-Identifier: MIT */
/* One question out, one answer in, see dialogue.h. */
#include "config.h"

#include "common/client/dialogue.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"

#define WAITED_MS 10

/* Without blocking, also early in boot: the number tells answers apart, it is no secret. */
enum cvg_error cvg_dialogue_name(struct cvg_question *question)
{
    const ssize_t whole = sizeof question->id;

    snprintf(question->release, sizeof question->release, "%s", PACKAGE_VERSION);
    if (getrandom(&question->id, sizeof question->id, GRND_NONBLOCK) == whole ||
        getrandom(&question->id, sizeof question->id, GRND_INSECURE) == whole)
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
enum cvg_error cvg_dialogue_ask(const struct cvg_paths *paths, struct cvg_question *question,
                                uint64_t deadline_ms, bool wait, int *ret_fd,
                                struct cvg_why *ret_why)
{
    uint64_t written_ms = cvg_clock_ms(cvg_clock_system());
    uint64_t until_ms = wait ? deadline_ms : 0;
    struct cvg_buffer message;
    enum cvg_error err;
    int fd = -1;

    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    err = write_question(question, deadline_ms, &message);
    if (err == CVG_OK)
        err = cvg_client_connect(paths, until_ms, &fd, ret_why);
    if (err == CVG_OK && cvg_clock_ms(cvg_clock_system()) - written_ms > WAITED_MS)
        err = write_question(question, deadline_ms, &message);
    if (err == CVG_OK)
        err = cvg_client_send(fd, message.data, message.len, until_ms);
    cvg_buffer_free(&message);
    if (err == CVG_OK)
        *ret_fd = fd;
    else if (fd >= 0)
        close(fd);
    return err;
}

enum cvg_error cvg_dialogue_answer(int fd, uint64_t id, uint64_t deadline_ms,
                                   struct cvg_answer *ret_answer, struct cvg_why *ret_why)
{
    struct cvg_buffer message;
    enum cvg_error err;

    cvg_buffer_init(&message, CVG_MESSAGE_VERDICT_MAX);
    err = cvg_client_receive(fd, &message, deadline_ms);
    if (err == CVG_OK &&
        cvg_answer_parse(message.data, message.len, id, ret_answer, ret_why) != CVG_OK)
        err = CVG_ERR_PROTOCOL; /* whatever was wrong with it, the question was not */
    cvg_buffer_free(&message);
    return err;
}

/* An agent that could read the question says in words what was wrong with it. */
bool cvg_dialogue_reduce(struct cvg_question *question, const struct cvg_answer *answer)
{
    if (question->release[0] == '\0' || answer->verdict != CVG_VERDICT_UNDECIDED ||
        answer->reason != CVG_REASON_BAD_QUESTION || answer->text[0] != '\0')
        return false;
    question->release[0] = '\0';
    return true;
}
