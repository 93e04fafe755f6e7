/* SPDX-License-Identifier: MIT */
/* What the parts of the commands share; for commands*.c only. */
#ifndef CVG_ENGINE_COMMANDS_STATE_H
#define CVG_ENGINE_COMMANDS_STATE_H

#include <jansson.h>

#include "common/engine/agent-state.h"
#include "common/engine/commands.h"

#define CVG_EVERYBODY UINT32_MAX /* the uid that stands for all, as in cache.h */

/* A command that takes longer than its message: a long list, a watch, a test of notaries. */
struct errand {
    struct cvg_conn_work work; /* first: a connection's data */
    struct errand *next, **link;
    struct cvg_commands *commands;
    struct cvg_conn *conn;
    uint64_t id;
    uint32_t uid;                           /* whose view: CVG_EVERYBODY for root */
    bool watching, blocked;                 /* blocked: the last message is not out yet */
    bool ended;                             /* ... and was the last one of all */
    json_t *pages;                          /* replies still to send, in order */
    void (*abandon)(struct errand *errand); /* stops what is under way; may be NULL */
    void (*resume)(struct errand *errand);  /* the asker takes more; NULL: pages go on */
    void *extra;                            /* abandon's, freed by it */
};

struct cvg_commands {
    struct cvg_agent *agent;
    struct errand *errands;
    size_t count;
    struct cvg_buffer out;
};

/* One command at work. */
struct command {
    struct cvg_commands *commands;
    struct cvg_agent *agent;
    struct cvg_conn *conn;
    uint64_t id;
    uint32_t view; /* the asker's uid, or CVG_EVERYBODY */
    const json_t *body;
};

/* commands.c: replies. All take over the JSON (NULL: out of memory) and end the connection, but
 * cvg_reply_more, which keeps it. */
bool cvg_reply(struct command *command, json_t *reply);
bool cvg_reply_error(struct command *command, const char *word, const char *message);
/* An errand for the rest of the command; NULL: refused, and answered. */
struct errand *cvg_errand_new(struct command *command);
/* The errand's last reply; frees the errand. */
void cvg_errand_finish(struct errand *errand, json_t *reply);
/* Ends the errand without a further reply, and its connection. */
void cvg_errand_drop(struct errand *errand);
/* Sends one of several replies; blocked says whether the asker has to catch up first. False if the
 * errand has ended: the asker is gone. */
bool cvg_errand_send(struct errand *errand, json_t *reply);
/* Sends the last of several, and ends the errand as soon as it is out. True if that is later. */
bool cvg_errand_send_last(struct errand *errand, json_t *reply);
/* Sends the errand's pages as far as the asker takes them; true while there are more. */
bool cvg_errand_pages(struct errand *errand);

/* The optional members host (in normal form) and port; false if they are wrong, and answered. */
bool cvg_command_target(struct command *command, bool required, struct cvg_endpoint *ret_endpoint,
                        bool *ret_given);

/* commands-json.c */
/* source: where it is remembered, "recent" or "history". */
json_t *cvg_json_entry(const struct cvg_verdict_entry *entry, const char *source);
json_t *cvg_json_cached_entry(const struct cvg_cache_record *record);
json_t *cvg_json_record(const struct cvg_cache_record *record, uint64_t ttl_s);
json_t *cvg_json_status(struct cvg_agent *agent);

/* What an entry takes as JSON at most, and what a reply should not go beyond by more than one. */
#define CVG_REPLY_OCTETS 65536
size_t cvg_json_entry_octets(size_t votes);

/* commands-cache.c, commands-log.c, commands-test.c, commands-update.c: each returns whether the
 * connection is kept. */
bool cvg_command_why(struct command *command);
bool cvg_command_cache_list(struct command *command);
bool cvg_command_cache_forget(struct command *command);
bool cvg_command_cache_clear(struct command *command);
bool cvg_command_log(struct command *command);
bool cvg_command_notary_test(struct command *command);
bool cvg_command_notary_update(struct command *command);

#endif
