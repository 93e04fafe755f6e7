/* SPDX-License-Identifier: MIT */
/* Commands of tools (doc/commands.md): what the agent tells and does on request. A user sees and
 * changes only what the user's own programs asked; root sees and changes all. One thread. */
#ifndef CVG_ENGINE_COMMANDS_H
#define CVG_ENGINE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/engine/listener.h"
#include "common/engine/verdict-log.h"

struct cvg_agent;
struct cvg_commands;

CVG_MUST_USE enum cvg_error cvg_commands_new(struct cvg_agent *agent,
                                             struct cvg_commands **ret_commands);
/* Errands end unanswered; their connections must have been closed. */
void cvg_commands_free(struct cvg_commands *commands);

/* The listener's events for connections that carry a command. */
bool cvg_commands_message(struct cvg_commands *commands, struct cvg_conn *conn, const void *data,
                          size_t len);
void cvg_commands_drained(struct cvg_commands *commands, struct cvg_conn *conn);
void cvg_commands_gone(struct cvg_commands *commands, struct cvg_conn *conn);

/* Sends the watchers away: the agent is about to end. */
void cvg_commands_dismiss(struct cvg_commands *commands);

/* A verdict, for those who watch. */
void cvg_commands_tell(struct cvg_commands *commands, const struct cvg_verdict_entry *entry);

#endif
