/* SPDX-License-Identifier: MIT */
/* The misbehaving agent: honest answers, spoilt octet by octet. */
#include "tests/common/client/fake-agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/protocol/message.h"

/* Where the octets of an answer are: "CVGA", version, type, id, verdict, action, reason. */
enum { AT_VERSION = 4, AT_TYPE = 5, AT_ID = 6, AT_VERDICT = 14, AT_ACTION = 15, AT_REASON = 16 };

static void need(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(99);
    }
}

static void honest_answer(enum fake_kind kind, uint64_t id, struct cvg_buffer *ret_message)
{
    struct cvg_answer *answer = calloc(1, sizeof *answer);

    need(answer != NULL, "calloc");
    answer->id = id;
    answer->verdict = kind == FAKE_SAYS_REFUSE      ? CVG_VERDICT_DISAGREE
                      : kind == FAKE_SAYS_UNCHANGED ? CVG_VERDICT_EXEMPT
                                                    : CVG_VERDICT_AGREE;
    answer->action = kind == FAKE_SAYS_REFUSE      ? CVG_ACTION_REFUSE
                     : kind == FAKE_SAYS_UNCHANGED ? CVG_ACTION_UNCHANGED
                                                   : CVG_ACTION_ACCEPT;
    answer->reason = CVG_REASON_VOTE;
    answer->port = 443;
    answer->elapsed_ms = 7;
    strcpy(answer->text, "as the fake agent says");
    strcpy(answer->vote[0].notary, "alpha");
    answer->vote[0].kind = CVG_VOTE_YES;
    answer->vote_count = 1;
    cvg_buffer_init(ret_message, 2 * CVG_MESSAGE_MAX);
    need(cvg_answer_write(answer, ret_message) == CVG_OK, "cvg_answer_write");
    free(answer);
}

/* As the first release's agent answers what is longer than it should be. */
static bool is_bad_question(enum fake_kind kind, const uint8_t *octets, size_t len)
{
    struct cvg_question question;

    if (kind != FAKE_FIRST_RELEASE)
        return kind == FAKE_UNDERSTANDS_NOTHING;
    need(cvg_question_parse(octets, len, &question, NULL) == CVG_OK, "a bad question");
    return question.release[0] != '\0';
}

static void say_bad_question(uint64_t id, struct cvg_buffer *message)
{
    struct cvg_answer *answer = calloc(1, sizeof *answer);

    need(answer != NULL, "calloc");
    answer->id = id;
    answer->verdict = CVG_VERDICT_UNDECIDED;
    answer->action = CVG_ACTION_REFUSE;
    answer->reason = CVG_REASON_BAD_QUESTION;
    cvg_buffer_clear(message);
    need(cvg_answer_write(answer, message) == CVG_OK, "cvg_answer_write");
    free(answer);
}

static void spoil(enum fake_kind kind, struct cvg_buffer *message)
{
    static const struct {
        enum fake_kind kind;
        uint8_t verdict, action;
    } mismatches[] = {
        {FAKE_NO_VERDICT, 0, CVG_ACTION_UNCHANGED},
        {FAKE_NO_ACTION, CVG_VERDICT_UNDECIDED, 0},
        {FAKE_DISAGREES_BUT_ACCEPTS, CVG_VERDICT_DISAGREE, CVG_ACTION_ACCEPT},
        {FAKE_UNDECIDED_BUT_ACCEPTS, CVG_VERDICT_UNDECIDED, CVG_ACTION_ACCEPT},
        {FAKE_DISAGREES_BUT_UNCHANGED, CVG_VERDICT_DISAGREE, CVG_ACTION_UNCHANGED},
        {FAKE_UNDECIDED_BUT_UNCHANGED, CVG_VERDICT_UNDECIDED, CVG_ACTION_UNCHANGED},
        {FAKE_NOTHING_DECIDED_BUT_ACCEPTS, CVG_VERDICT_NONE, CVG_ACTION_ACCEPT},
        {FAKE_AGREES_WITHOUT_ACTION, CVG_VERDICT_AGREE, 0},
        {FAKE_AGREES_BUT_UNCHANGED, CVG_VERDICT_AGREE, CVG_ACTION_UNCHANGED},
        {FAKE_EXEMPT_BUT_ACCEPTS, CVG_VERDICT_EXEMPT, CVG_ACTION_ACCEPT},
    };
    uint8_t *octets = message->data;

    for (size_t i = 0; i < sizeof mismatches / sizeof mismatches[0]; i++)
        if (mismatches[i].kind == kind) {
            octets[AT_VERDICT] = mismatches[i].verdict;
            octets[AT_ACTION] = mismatches[i].action;
        }
    octets[AT_ID] ^= kind == FAKE_WRONG_ID;
    octets[AT_VERSION] ^= kind == FAKE_OTHER_VERSION;
    if (kind == FAKE_OTHER_TYPE)
        octets[AT_TYPE] = CVG_MESSAGE_CHECK;
    if (kind == FAKE_UNKNOWN_VERDICT)
        octets[AT_VERDICT] = 0x58;
    if (kind == FAKE_UNKNOWN_ACTION)
        octets[AT_ACTION] = 0x01;
    if (kind == FAKE_UNKNOWN_REASON)
        octets[AT_REASON] = 0xff;
    if (kind == FAKE_SHORT)
        message->len--;
    if (kind == FAKE_EMPTY)
        message->len = 0;
    if (kind == FAKE_GARBAGE)
        memset(octets, CVG_ACTION_ACCEPT, message->len);
    if (kind == FAKE_LONG)
        cvg_buffer_put_u8(message, 0);
    while (kind == FAKE_OVERSIZED && message->len <= CVG_MESSAGE_MAX)
        cvg_buffer_put_u8(message, 0);
}

static void answer_one(enum fake_kind kind, int fd, int heard)
{
    static uint8_t question[CVG_MESSAGE_MAX];
    ssize_t n = recv(fd, question, sizeof question, 0);
    enum cvg_message_type type = CVG_MESSAGE_REPLY;
    uint64_t id = 0;
    struct cvg_buffer message;

    if (n <= 0)
        return;
    need(cvg_message_peek(question, (size_t)n, &type, &id) == CVG_OK, "a message without a head");
    need(write(heard, type == CVG_MESSAGE_CHECK ? "q" : "x", 1) == 1, "pipe");
    honest_answer(kind, id, &message);
    spoil(kind, &message);
    if (is_bad_question(kind, question, (size_t)n))
        say_bad_question(id, &message);
    if (kind == FAKE_SILENT)
        recv(fd, question, sizeof question, 0); /* until the asker gives up */
    else if (kind == FAKE_ECHOES)
        send(fd, question, (size_t)n, MSG_NOSIGNAL);
    else if (kind != FAKE_CLOSES_AFTER_QUESTION)
        send(fd, message.data, message.len, MSG_NOSIGNAL);
    cvg_buffer_free(&message);
}

static _Noreturn void serve(enum fake_kind kind, int listener, int heard)
{
    while (kind == FAKE_NEVER_ACCEPTS)
        pause();
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        need(fd >= 0, "accept4");
        if (kind != FAKE_CLOSES_AT_ONCE)
            answer_one(kind, fd, heard);
        close(fd);
    }
}

static int listen_at(const char *dir, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    need(snprintf(address.sun_path, sizeof address.sun_path, "%s/agent.sock", dir) <
             (int)sizeof address.sun_path,
         dir);
    need(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
             chmod(address.sun_path, 0666) == 0 && listen(fd, backlog) == 0,
         address.sun_path);
    return fd;
}

static _Noreturn void run(const struct fake *fake, uid_t uid, int backlog, int ready, int heard)
{
    int listener;

    need(uid == geteuid() || setresuid(uid, uid, uid) == 0, "setresuid");
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* only now: setresuid() forgets it */
    listener = listen_at(fake->paths.runtime_dir, backlog);
    need(write(ready, "", 1) == 1, "pipe");
    serve(fake->kind, listener, heard);
}

void fake_start(struct fake *ret_fake, enum fake_kind kind, const char *dir, uid_t uid, int backlog)
{
    int ready[2], heard[2];
    char octet;

    memset(ret_fake, 0, sizeof *ret_fake);
    ret_fake->kind = kind;
    ret_fake->paths.kind = CVG_AGENT_USER;
    ret_fake->paths.owner = geteuid();
    need(snprintf(ret_fake->paths.runtime_dir, CVG_PATH_MAX, "%s/run", dir) < CVG_PATH_MAX, dir);
    need(mkdir(ret_fake->paths.runtime_dir, 0700) == 0, ret_fake->paths.runtime_dir);
    need(uid == geteuid() || chown(ret_fake->paths.runtime_dir, uid, (gid_t)-1) == 0, "chown");
    need(pipe2(ready, O_CLOEXEC) == 0 && pipe2(heard, O_CLOEXEC) == 0, "pipe");
    ret_fake->pid = fork();
    need(ret_fake->pid >= 0, "fork");
    if (ret_fake->pid == 0)
        run(ret_fake, uid, backlog, ready[1], heard[1]);
    close(ready[1]);
    close(heard[1]);
    ret_fake->heard = heard[0];
    need(read(ready[0], &octet, 1) == 1, "the fake agent did not start");
    close(ready[0]);
}

char fake_heard(const struct fake *fake, int timeout_ms)
{
    struct pollfd one = {.fd = fake->heard, .events = POLLIN};
    char octet = 0;

    if (poll(&one, 1, timeout_ms) == 1 && read(fake->heard, &octet, 1) != 1)
        return 0;
    return octet;
}

void fake_stop(struct fake *fake)
{
    kill(fake->pid, SIGKILL);
    waitpid(fake->pid, NULL, 0);
    close(fake->heard);
}
