/* SPDX-License-Identifier: MIT */
/* Commands to the agent and their replies (doc/commands.md). */
#ifndef CVG_TOOLS_AGENT_COMMAND_H
#define CVG_TOOLS_AGENT_COMMAND_H

#include <jansson.h>

#include "common/base/config.h"

/* Sends the command (released here, also on failure; NULL is out of memory) to the installation's
 * agent, which is not started, and gives each reply to the callback until the last one, or until it
 * returns false. UNREACHABLE: no agent; REFUSED: it answered with an error, ret_why is its message;
 * TIMEOUT, PROTOCOL: it did not answer as it should. */
typedef bool cvg_reply_handler(const json_t *reply, void *user);
CVG_MUST_USE enum cvg_error cvg_agent_command(const struct cvg_paths *paths, json_t *command,
                                              unsigned timeout_ms, cvg_reply_handler *handler,
                                              void *user, struct cvg_why *ret_why);

/* The same for who has more to wait for than the next reply: fd is readable when there is one.
 * cvg_agent_next's *ret_reply is the caller's; PROTOCOL also if the agent hung up. */
struct cvg_agent_stream {
    int fd;
    uint64_t id;
    bool more; /* the last reply was not the last one */
};
CVG_MUST_USE enum cvg_error cvg_agent_open(const struct cvg_paths *paths, json_t *command,
                                           uint64_t deadline_ms,
                                           struct cvg_agent_stream *ret_stream,
                                           struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_agent_next(struct cvg_agent_stream *stream, uint64_t deadline_ms,
                                           json_t **ret_reply, struct cvg_why *ret_why);
void cvg_agent_close(struct cvg_agent_stream *stream);

/* For commands with a single reply: *ret_reply is the caller's. */
CVG_MUST_USE enum cvg_error cvg_agent_ask(const struct cvg_paths *paths, json_t *command,
                                          unsigned timeout_ms, json_t **ret_reply,
                                          struct cvg_why *ret_why);

/* A member's text or number, or "" and 0 where there is none of that kind. */
const char *cvg_reply_text(const json_t *object, const char *member);
long long cvg_reply_number(const json_t *object, const char *member);

#endif
