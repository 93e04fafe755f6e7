/* SPDX-License-Identifier: MIT */
/* Which command is which, replies, and the errands of commands that take longer. */
#include "common/engine/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/engine/commands-state.h"
#include "common/protocol/json.h"

#define ERRANDS_MAX    64 /* in all */
#define ERRANDS_OF_UID 8

enum cvg_error cvg_commands_new(struct cvg_agent *agent, struct cvg_commands **ret_commands)
{
    struct cvg_commands *commands = calloc(1, sizeof *commands);

    if (commands == NULL)
        return CVG_ERR_NOMEM;
    commands->agent = agent;
    cvg_buffer_init(&commands->out, CVG_MESSAGE_MAX);
    *ret_commands = commands;
    return CVG_OK;
}

static void free_errand(struct errand *errand)
{
    *errand->link = errand->next;
    if (errand->next != NULL)
        errand->next->link = errand->link;
    errand->commands->count--;
    if (errand->abandon != NULL)
        errand->abandon(errand);
    json_decref(errand->pages);
    free(errand);
}

void cvg_commands_free(struct cvg_commands *commands)
{
    if (commands == NULL)
        return;
    while (commands->errands != NULL)
        free_errand(commands->errands);
    cvg_buffer_free(&commands->out);
    free(commands);
}

/* The message of a reply in commands->out; takes over the JSON. */
static bool write_reply(struct cvg_commands *commands, uint64_t id, bool more, json_t *reply)
{
    char *text = reply == NULL ? NULL : json_dumps(reply, JSON_COMPACT);
    enum cvg_error err = CVG_ERR_NOMEM;

    json_decref(reply);
    cvg_buffer_clear(&commands->out);
    if (text != NULL)
        err = cvg_command_write(CVG_MESSAGE_REPLY, id, more, text, strlen(text), &commands->out);
    free(text);
    return err == CVG_OK;
}

static void finish(struct cvg_commands *commands, struct cvg_conn *conn, uint64_t id, json_t *reply)
{
    if (write_reply(commands, id, false, reply))
        cvg_conn_finish(conn, commands->out.data, commands->out.len);
    else
        cvg_conn_close(conn);
}

bool cvg_reply(struct command *command, json_t *reply)
{
    finish(command->commands, command->conn, command->id, reply);
    return false;
}

bool cvg_reply_error(struct command *command, const char *word, const char *message)
{
    return cvg_reply(command,
                     json_pack("{s:b, s:s, s:s}", "ok", 0, "error", word, "message", message));
}

static bool too_many_errands(const struct cvg_commands *commands, uid_t uid)
{
    size_t own = 0;

    for (const struct errand *errand = commands->errands; errand != NULL; errand = errand->next)
        if (cvg_conn_uid(errand->conn) == uid)
            own++;
    return commands->count >= ERRANDS_MAX || own >= ERRANDS_OF_UID;
}

struct errand *cvg_errand_new(struct command *command)
{
    struct cvg_commands *commands = command->commands;
    struct errand *errand;

    if (too_many_errands(commands, cvg_conn_uid(command->conn))) {
        cvg_reply_error(command, "busy", "too many commands are under way");
        return NULL;
    }
    errand = calloc(1, sizeof *errand);
    if (errand == NULL) {
        cvg_reply_error(command, "internal", "out of memory");
        return NULL;
    }
    *errand = (struct errand){.work.kind = CVG_CONN_COMMAND,
                              .commands = commands,
                              .conn = command->conn,
                              .id = command->id,
                              .uid = command->view,
                              .next = commands->errands,
                              .link = &commands->errands};
    if (errand->next != NULL)
        errand->next->link = &errand->next;
    commands->errands = errand;
    commands->count++;
    cvg_conn_set_data(command->conn, errand);
    return errand;
}

void cvg_errand_finish(struct errand *errand, json_t *reply)
{
    finish(errand->commands, errand->conn, errand->id, reply);
    free_errand(errand);
}

void cvg_errand_drop(struct errand *errand)
{
    cvg_conn_close(errand->conn);
    free_errand(errand);
}

static bool send_reply(struct errand *errand, bool more, json_t *reply)
{
    struct cvg_commands *commands = errand->commands;
    enum cvg_error err = CVG_ERR_NOMEM;

    if (write_reply(commands, errand->id, more, reply))
        err = cvg_conn_send(errand->conn, commands->out.data, commands->out.len);
    errand->blocked = err == CVG_ERR_BUSY;
    if (err == CVG_OK || err == CVG_ERR_BUSY)
        return true;
    cvg_errand_drop(errand);
    return false;
}

bool cvg_errand_send(struct errand *errand, json_t *reply)
{
    return send_reply(errand, true, reply);
}

bool cvg_errand_send_last(struct errand *errand, json_t *reply)
{
    if (!send_reply(errand, false, reply))
        return false;
    if (!errand->blocked) {
        cvg_errand_drop(errand);
        return false;
    }
    errand->ended = true;
    return true;
}

bool cvg_errand_pages(struct errand *errand)
{
    while (!errand->blocked && json_array_size(errand->pages) > 1) {
        json_t *page = json_incref(json_array_get(errand->pages, 0));

        json_array_remove(errand->pages, 0);
        if (!cvg_errand_send(errand, page))
            return false;
    }
    if (errand->blocked)
        return true;
    return cvg_errand_send_last(errand, json_incref(json_array_get(errand->pages, 0)));
}

void cvg_commands_drained(struct cvg_commands *commands, struct cvg_conn *conn)
{
    struct errand *errand = cvg_conn_data(conn);

    (void)commands;
    errand->blocked = false;
    if (errand->ended)
        cvg_errand_drop(errand);
    else if (errand->resume != NULL)
        errand->resume(errand);
    else if (!errand->watching)
        cvg_errand_pages(errand);
}

void cvg_commands_gone(struct cvg_commands *commands, struct cvg_conn *conn)
{
    (void)commands;
    free_errand(cvg_conn_data(conn));
}

void cvg_commands_dismiss(struct cvg_commands *commands)
{
    struct errand *next;

    for (struct errand *errand = commands->errands; errand != NULL; errand = next) {
        next = errand->next;
        if (errand->watching)
            cvg_errand_drop(errand);
    }
}

void cvg_commands_tell(struct cvg_commands *commands, const struct cvg_verdict_entry *entry)
{
    struct errand *next;

    for (struct errand *errand = commands->errands; errand != NULL; errand = next) {
        next = errand->next;
        if (!errand->watching || (errand->uid != CVG_EVERYBODY && errand->uid != entry->uid))
            continue;
        /* A watcher who does not keep up is let go rather than kept up for. */
        if (errand->blocked)
            cvg_errand_drop(errand);
        else
            (void)cvg_errand_send(
                errand, json_pack("{s:b, s:o}", "ok", 1, "entry", cvg_json_entry(entry, "recent")));
    }
}

bool cvg_command_target(struct command *command, bool required, struct cvg_endpoint *ret_endpoint,
                        bool *ret_given)
{
    const json_t *host = json_object_get(command->body, "host");
    const json_t *port = json_object_get(command->body, "port");
    json_int_t number = json_is_integer(port) ? json_integer_value(port) : 0;
    struct cvg_why why;

    *ret_given = host != NULL;
    if (host == NULL && !required)
        return true;
    if (!json_is_string(host) || (port != NULL && !json_is_integer(port)) || number < 0 ||
        number > 65535) {
        cvg_reply_error(command, "argument", "host (text) and port (0..65535) are needed");
        return false;
    }
    if (cvg_endpoint_set(json_string_value(host), json_string_length(host),
                         number == 0 ? 1 : (unsigned)number, ret_endpoint, &why) != CVG_OK) {
        cvg_reply_error(command, "argument", why.text);
        return false;
    }
    ret_endpoint->port = (uint16_t)number;
    return true;
}

static bool command_status(struct command *command)
{
    return cvg_reply(command, cvg_json_status(command->agent));
}

static bool command_reload(struct command *command)
{
    struct cvg_agent *agent = command->agent;
    struct cvg_why why;

    if (agent->paths.kind == CVG_AGENT_SYSTEM && command->view != CVG_EVERYBODY)
        return cvg_reply_error(command, "denied", "only root may reload the system's agent");
    if (cvg_agent_reload(agent, &why) != CVG_OK)
        return cvg_reply_error(command, "config", why.text);
    return cvg_reply(command, json_pack("{s:b, s:I}", "ok", 1, "notaries",
                                        (json_int_t)agent->electorate->bundles.count));
}

static bool command_watch(struct command *command)
{
    struct errand *errand = cvg_errand_new(command);

    if (errand == NULL)
        return false;
    errand->watching = true;
    return true;
}

static bool dispatch(struct command *command, const char *name)
{
    static const struct {
        const char *name;
        bool (*run)(struct command *command);
    } known[] = {
        {"status", command_status},
        {"why", cvg_command_why},
        {"cache-list", cvg_command_cache_list},
        {"cache-forget", cvg_command_cache_forget},
        {"cache-clear", cvg_command_cache_clear},
        {"log", cvg_command_log},
        {"notary-test", cvg_command_notary_test},
        {"notary-update", cvg_command_notary_update},
        {"reload", command_reload},
        {"watch", command_watch},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].run(command);
    return cvg_reply_error(command, "unknown-command", "there is no such command");
}

bool cvg_commands_message(struct cvg_commands *commands, struct cvg_conn *conn, const void *data,
                          size_t len)
{
    struct command command = {.commands = commands, .agent = commands->agent, .conn = conn};
    const char *json, *name;
    size_t json_len;
    json_t *body = NULL;
    bool more, kept;

    if (cvg_command_parse(data, len, CVG_MESSAGE_COMMAND, &command.id, &more, &json, &json_len) !=
        CVG_OK) {
        cvg_conn_close(conn);
        return false;
    }
    /* A text that is not JSON leaves the body NULL, in which no member is found. */
    (void)!cvg_json_parse(json, json_len, CVG_MESSAGE_JSON_MAX, &body, NULL);
    name = json_string_value(json_object_get(body, "command"));
    command.view = cvg_conn_uid(conn) == 0 ? CVG_EVERYBODY : cvg_conn_uid(conn);
    command.body = body;
    if (name == NULL)
        kept = cvg_reply_error(&command, "syntax",
                               "a command is a JSON object with the member \"command\"");
    else
        kept = dispatch(&command, name);
    json_decref(body);
    return kept;
}
