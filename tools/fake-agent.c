/* SPDX-License-Identifier: MIT */
/* The agent's side of the socket, for one question at a time. */
#include "tools/fake-agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"
#include "common/protocol/digest.h"

#define QUESTION_TIMEOUT_MS 1000

static enum cvg_error listen_at(struct cvg_fake_agent *agent)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/run/agent.sock",
                 agent->directory) >= (int)sizeof address.sun_path)
        return CVG_ERR_RANGE;
    agent->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (agent->fd < 0 || bind(agent->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(agent->fd, 8) != 0)
        return CVG_ERR_IO;
    return CVG_OK;
}

/* `replace`: so that a question is asked also where PKI does not know the certificate. */
static enum cvg_error write_configuration(const struct cvg_fake_agent *agent)
{
    char path[CVG_PATH_MAX + 32];
    FILE *file;
    bool fine;

    snprintf(path, sizeof path, "%s/converge.conf", agent->directory);
    file = fopen(path, "we");
    if (file == NULL)
        return CVG_ERR_IO;
    fine = fputs("mode = replace\n", file) >= 0 && fchmod(fileno(file), 0600) == 0;
    return fclose(file) == 0 && fine ? CVG_OK : CVG_ERR_IO;
}

enum cvg_error cvg_fake_agent_open(struct cvg_fake_agent *ret_agent, struct cvg_why *ret_why)
{
    const char *base = secure_getenv("TMPDIR");
    char run[CVG_PATH_MAX + 8];
    enum cvg_error err;

    ret_agent->fd = -1;
    if (base == NULL || base[0] != '/' || strlen(base) > 40)
        base = "/tmp"; /* a socket's path is short */
    snprintf(ret_agent->directory, sizeof ret_agent->directory, "%s/converge-XXXXXX", base);
    if (mkdtemp(ret_agent->directory) == NULL) {
        ret_agent->directory[0] = '\0';
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot make a directory in %s: %s", base,
                        strerror(errno));
    }
    snprintf(run, sizeof run, "%s/run", ret_agent->directory);
    err = mkdir(run, 0700) == 0 ? listen_at(ret_agent) : CVG_ERR_IO;
    if (err == CVG_OK)
        err = write_configuration(ret_agent);
    if (err != CVG_OK) {
        cvg_fail(ret_why, err, "cannot listen in %s: %s", run, strerror(errno));
        cvg_fake_agent_close(ret_agent);
    }
    return err;
}

static enum cvg_error reply(int fd, const struct cvg_question *question, bool accept,
                            uint64_t deadline_ms)
{
    struct cvg_answer answer = {.id = question->id,
                                .verdict = accept ? CVG_VERDICT_AGREE : CVG_VERDICT_DISAGREE,
                                .action = accept ? CVG_ACTION_ACCEPT : CVG_ACTION_REFUSE,
                                .reason = CVG_REASON_VOTE,
                                .port = question->port_count > 0 ? question->port[0] : 0};
    struct cvg_buffer message;
    enum cvg_error err;

    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    err = cvg_answer_write(&answer, &message);
    if (err == CVG_OK)
        err = cvg_client_send(fd, message.data, message.len, deadline_ms);
    cvg_buffer_free(&message);
    return err;
}

enum cvg_error cvg_fake_agent_answer(const struct cvg_fake_agent *agent, bool accept,
                                     struct cvg_question *ret_question,
                                     uint8_t ret_leaf_sha256[static CVG_SHA256_LEN])
{
    uint64_t deadline_ms = cvg_clock_ms(cvg_clock_system()) + QUESTION_TIMEOUT_MS;
    struct cvg_buffer message;
    int fd = accept4(agent->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    enum cvg_error err;

    if (fd < 0)
        return CVG_ERR_IO;
    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    err = cvg_client_receive(fd, &message, deadline_ms);
    if (err == CVG_OK)
        err = cvg_question_parse(message.data, message.len, ret_question, NULL);
    if (err == CVG_OK)
        err = cvg_sha256(ret_question->leaf, ret_question->leaf_len, ret_leaf_sha256);
    if (err == CVG_OK)
        err = reply(fd, ret_question, accept, deadline_ms);
    ret_question->leaf = NULL;
    cvg_buffer_free(&message);
    close(fd);
    return err;
}

void cvg_fake_agent_close(struct cvg_fake_agent *agent)
{
    char path[CVG_PATH_MAX + 32];

    if (agent->fd >= 0)
        close(agent->fd);
    agent->fd = -1;
    if (agent->directory[0] == '\0')
        return;
    snprintf(path, sizeof path, "%s/run/agent.sock", agent->directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/run", agent->directory);
    rmdir(path);
    snprintf(path, sizeof path, "%s/converge.conf", agent->directory);
    unlink(path);
    rmdir(agent->directory);
    agent->directory[0] = '\0';
}
