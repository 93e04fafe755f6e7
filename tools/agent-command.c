/* SPDX-License-Identifier: MIT */
/* One connection per command, one deadline. */
#include "tools/agent-command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"
#include "common/protocol/json.h"

static enum cvg_error send_command(int fd, uint64_t id, json_t *command, uint64_t deadline_ms)
{
    struct cvg_buffer message;
    char *text = json_dumps(command, JSON_COMPACT);
    enum cvg_error err = text == NULL ? CVG_ERR_NOMEM : CVG_OK;

    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    if (err == CVG_OK)
        err = cvg_command_write(CVG_MESSAGE_COMMAND, id, false, text, strlen(text), &message);
    if (err == CVG_OK)
        err = cvg_client_send(fd, message.data, message.len, deadline_ms);
    cvg_buffer_free(&message);
    free(text);
    return err;
}

/* One reply, checked to be an answer to this command. */
static enum cvg_error receive_reply(int fd, uint64_t expected_id, uint64_t deadline_ms,
                                    json_t **ret_reply, bool *ret_more)
{
    struct cvg_buffer message;
    const char *text = NULL;
    size_t len = 0;
    uint64_t id = 0;
    enum cvg_error err;

    cvg_buffer_init(&message, CVG_MESSAGE_MAX);
    err = cvg_client_receive(fd, &message, deadline_ms);
    if (err == CVG_OK)
        err = cvg_command_parse(message.data, message.len, CVG_MESSAGE_REPLY, &id, ret_more, &text,
                                &len);
    if (err == CVG_OK && id != expected_id)
        err = CVG_ERR_PROTOCOL;
    if (err == CVG_OK)
        err = cvg_json_parse(text, len, CVG_MESSAGE_JSON_MAX, ret_reply, NULL);
    cvg_buffer_free(&message);
    return err;
}

static enum cvg_error reply_error(const json_t *reply, struct cvg_why *ret_why)
{
    if (json_is_true(json_object_get(reply, "ok")))
        return CVG_OK;
    return cvg_fail(ret_why,
                    strcmp(cvg_reply_text(reply, "error"), "not-found") == 0 ? CVG_ERR_NOT_FOUND
                                                                             : CVG_ERR_REFUSED,
                    "the agent says: %s", cvg_reply_text(reply, "message"));
}

enum cvg_error cvg_agent_next(struct cvg_agent_stream *stream, uint64_t deadline_ms,
                              json_t **ret_reply, struct cvg_why *ret_why)
{
    json_t *reply = NULL;
    enum cvg_error err = receive_reply(stream->fd, stream->id, deadline_ms, &reply, &stream->more);

    if (err == CVG_ERR_UNREACHABLE)
        err = cvg_fail(ret_why, CVG_ERR_PROTOCOL, "the agent hung up without an answer");
    else if (err != CVG_OK)
        cvg_fail(ret_why, err, "the agent did not answer as it should: %s", cvg_strerror(err));
    else
        err = reply_error(reply, ret_why);
    if (err == CVG_OK)
        *ret_reply = reply;
    else
        json_decref(reply);
    return err;
}

enum cvg_error cvg_agent_open(const struct cvg_paths *paths, json_t *command, uint64_t deadline_ms,
                              struct cvg_agent_stream *ret_stream, struct cvg_why *ret_why)
{
    struct cvg_agent_stream stream = {.fd = -1, .id = 0, .more = true};
    enum cvg_error err;

    if (command == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    if (getrandom(&stream.id, sizeof stream.id, 0) != sizeof stream.id)
        err = cvg_fail(ret_why, CVG_ERR_IO, "no random numbers");
    else
        err = cvg_client_connect(paths, deadline_ms, &stream.fd, ret_why);
    if (err == CVG_OK) {
        err = send_command(stream.fd, stream.id, command, deadline_ms);
        if (err != CVG_OK) {
            cvg_fail(ret_why, err, "cannot send to the agent: %s", cvg_strerror(err));
            close(stream.fd);
        }
    }
    json_decref(command);
    if (err == CVG_OK)
        *ret_stream = stream;
    return err;
}

void cvg_agent_close(struct cvg_agent_stream *stream)
{
    close(stream->fd);
    stream->fd = -1;
}

enum cvg_error cvg_agent_command(const struct cvg_paths *paths, json_t *command,
                                 unsigned timeout_ms, cvg_reply_handler *handler, void *user,
                                 struct cvg_why *ret_why)
{
    uint64_t deadline_ms = cvg_clock_ms(cvg_clock_system()) + timeout_ms;
    struct cvg_agent_stream stream;
    enum cvg_error err = cvg_agent_open(paths, command, deadline_ms, &stream, ret_why);
    bool go_on = true;

    if (err != CVG_OK)
        return err;
    while (err == CVG_OK && go_on) {
        json_t *reply = NULL;

        err = cvg_agent_next(&stream, deadline_ms, &reply, ret_why);
        if (err == CVG_OK)
            go_on = handler(reply, user) && stream.more;
        json_decref(reply);
    }
    cvg_agent_close(&stream);
    return err;
}

static bool keep_reply(const json_t *reply, void *user)
{
    json_t **kept = user;

    json_decref(*kept);
    *kept = json_deep_copy(reply);
    return false;
}

enum cvg_error cvg_agent_ask(const struct cvg_paths *paths, json_t *command, unsigned timeout_ms,
                             json_t **ret_reply, struct cvg_why *ret_why)
{
    json_t *reply = NULL;
    enum cvg_error err = cvg_agent_command(paths, command, timeout_ms, keep_reply, &reply, ret_why);

    if (err == CVG_OK && reply == NULL)
        err = cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    if (err == CVG_OK)
        *ret_reply = reply;
    else
        json_decref(reply);
    return err;
}

const char *cvg_reply_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : "";
}

long long cvg_reply_number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}
