/* SPDX-License-Identifier: MIT */
/* An agent that thinks nothing: logs each question on a line of its own and answers as it is told.
 * It speaks with the real codec, so it cannot drift from the protocol.
 *
 *   fake-agent SOCKET LOG READY-FD [RULE...]
 *
 * A rule is "HOST=ANSWER"; "*" is any host, and the first match counts. ANSWER is accept, refuse,
 * unchanged, none, close (hang up), silent (never answer), slow (accept after 300 ms), late
 * (after 1500 ms), foreign (another id), short (half an answer) or junk. Without a rule: accept.
 * SIGTERM ends it. One after the other, but for those that wait. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/protocol/message.h"

static int log_fd;
static char **rules;

static const char *rule_for(const char *host)
{
    for (char **rule = rules; *rule; rule++) {
        const char *equals = strchr(*rule, '=');
        size_t len = equals ? (size_t)(equals - *rule) : 0;

        if (equals && ((len == 1 && **rule == '*') ||
                       (strlen(host) == len && strncmp(host, *rule, len) == 0)))
            return equals + 1;
    }
    return "accept";
}

static void write_log(const struct cvg_question *question, const char *what)
{
    char line[1024];
    size_t len;

    len = (size_t)snprintf(line, sizeof line, "host=%s found=%u/%u ports=", question->host,
                           question->host_found, question->port_found);
    for (size_t i = 0; i < question->port_count; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%u", i ? "," : "",
                                question->port[i]);
    len += (size_t)snprintf(
        line + len, sizeof line - len,
        " name=%d peer=%u pki=%u/%d anchor=%d leaf=%zu wait=%u program=%s answer=%s\n",
        question->have_name, question->peer_family, (unsigned)question->pki, question->pki_error,
        question->have_anchor, question->leaf_len, question->timeout_ms, question->program, what);
    if (write(log_fd, line, len) != (ssize_t)len)
        abort();
}

static enum cvg_action action_of(const char *what)
{
    if (strcmp(what, "refuse") == 0)
        return CVG_ACTION_REFUSE;
    if (strcmp(what, "unchanged") == 0)
        return CVG_ACTION_UNCHANGED;
    if (strcmp(what, "none") == 0)
        return CVG_ACTION_NONE;
    return CVG_ACTION_ACCEPT;
}

static enum cvg_verdict verdict_of(enum cvg_action action)
{
    if (action == CVG_ACTION_ACCEPT)
        return CVG_VERDICT_AGREE;
    return action == CVG_ACTION_UNCHANGED ? CVG_VERDICT_EXEMPT : CVG_VERDICT_DISAGREE;
}

static void answer(int fd, const struct cvg_question *question, const char *what)
{
    struct cvg_answer reply;
    struct cvg_buffer buffer;

    memset(&reply, 0, sizeof reply);
    reply.id = question->id + (strcmp(what, "foreign") == 0);
    reply.action = action_of(what);
    reply.verdict = verdict_of(reply.action);
    reply.reason = CVG_REASON_VOTE;
    cvg_buffer_init(&buffer, CVG_MESSAGE_MAX);
    if (cvg_answer_write(&reply, &buffer) != CVG_OK)
        abort();
    if (strcmp(what, "junk") == 0)
        memset(buffer.data, 0x59, buffer.len);
    send(fd, buffer.data, strcmp(what, "short") == 0 ? buffer.len / 2 : buffer.len, MSG_NOSIGNAL);
    cvg_buffer_free(&buffer);
}

struct delayed {
    int fd;
    int delay_ms;
    struct cvg_question question;
};

static void *answer_later(void *user)
{
    struct delayed *delayed = user;

    poll(NULL, 0, delayed->delay_ms);
    answer(delayed->fd, &delayed->question, "accept");
    close(delayed->fd);
    free(delayed);
    return NULL;
}

static void delay(int fd, const struct cvg_question *question, int delay_ms)
{
    struct delayed *delayed = malloc(sizeof *delayed);
    pthread_attr_t attr;
    pthread_t thread;

    if (!delayed)
        abort();
    *delayed = (struct delayed){.fd = fd, .delay_ms = delay_ms, .question = *question};
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, answer_later, delayed) != 0)
        abort();
    pthread_attr_destroy(&attr);
}

static int delay_of(const char *what)
{
    if (strcmp(what, "slow") == 0)
        return 300;
    if (strcmp(what, "late") == 0)
        return 1500;
    return strcmp(what, "silent") == 0 ? 20000 : 0;
}

static void serve(int fd)
{
    static char data[CVG_MESSAGE_MAX];
    ssize_t len = recv(fd, data, sizeof data, 0);
    struct cvg_question question;
    struct cvg_why why;
    const char *what = "malformed";

    memset(&question, 0, sizeof question);
    if (len > 0) {
        if (cvg_question_parse(data, (size_t)len, &question, &why) == CVG_OK)
            what = rule_for(question.host);
        write_log(&question, what);
        if (delay_of(what) > 0) {
            delay(fd, &question, delay_of(what));
            return;
        }
        if (strcmp(what, "close") != 0 && strcmp(what, "malformed") != 0)
            answer(fd, &question, what);
    }
    close(fd);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        exit(2);
    strcpy(address.sun_path, path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 512) != 0) {
        perror(path);
        exit(2);
    }
    return fd;
}

int main(int argc, char **argv)
{
    int fd, client;

    if (argc < 4)
        return 2;
    fd = listen_at(argv[1]);
    log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    rules = argv + 4;
    if (log_fd < 0 || write(atoi(argv[3]), "ready\n", 6) != 6)
        return 2;
    close(atoi(argv[3]));
    for (;;) {
        client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            serve(client);
    }
}
