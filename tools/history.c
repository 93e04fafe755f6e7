/* SPDX-License-Identifier: MIT */
/* Asks the agent for its history. */
#include "tools/history.h"

#include "common/libconverge/agent-start.h"
#include "tools/agent-command.h"
#include "tools/tools.h"

#define START_TIMEOUT_MS 5000
#define READ_TIMEOUT_MS  300000

struct reader {
    cvg_history_handler *handler;
    void *user;
};

static bool take_reply(const json_t *reply, void *user)
{
    const struct reader *reader = user;
    const json_t *object;
    struct cvg_entry entry;
    size_t index;

    json_array_foreach(json_object_get(reply, "entries"), index, object)
        if (cvg_entry_read(object, &entry) && !reader->handler(&entry, object, reader->user))
            return false;
    return true;
}

static json_t *command_of(const struct cvg_history_query *query)
{
    json_t *command = json_pack("{s:s}", "command", "log");
    int failed = command == NULL;

    if (query->since_s != 0)
        failed |= json_object_set_new(command, "since_s", json_integer(query->since_s));
    if (query->have_until)
        failed |= json_object_set_new(command, "until_s", json_integer(query->until_s));
    if (query->host != NULL)
        failed |= json_object_set_new(command, "host", json_string(query->host));
    if (query->port != 0)
        failed |= json_object_set_new(command, "port", json_integer(query->port));
    if (failed == 0)
        return command;
    json_decref(command);
    return NULL;
}

int cvg_history_read(const struct cvg_installation *installation,
                     const struct cvg_history_query *query, cvg_history_handler *handler,
                     void *user)
{
    struct reader reader = {handler, user};
    struct cvg_why why = {""};
    enum cvg_error err = cvg_agent_start(&installation->paths, START_TIMEOUT_MS, &why);

    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    err = cvg_agent_command(&installation->paths, command_of(query), READ_TIMEOUT_MS, take_reply,
                            &reader, &why);
    if (err == CVG_ERR_PROTOCOL)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "the history was not read to its end: %s",
                               why.text);
    return err == CVG_OK ? CVG_GO_ON : cvg_installation_fault(installation, err, &why);
}
