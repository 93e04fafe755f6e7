/* SPDX-License-Identifier: MIT */
/* Questions: from the message, through the check, to the answer, the log and the watchers. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/engine/agent-state.h"
#include "common/engine/commands.h"
#include "common/engine/portal.h"

#define FLUSH_MS    500  /* how long a new record may wait to be written */
#define REMEMBER_MS 1000 /* ... and a line of the history */
#define ORPHANS_MAX 1024 /* checks that nobody waits for */

/* One question on its way; it may outlive the connection it came by. */
struct asker {
    struct cvg_conn_work work; /* first: a connection's data */
    struct cvg_agent *agent;
    struct cvg_conn *conn; /* NULL: gone, or nobody waits */
    struct cvg_check *check;
    bool awaited;
    bool limited; /* it told no release: see cvg_answer_limit */
    uint32_t uid;
    int32_t pid;
};

static void send_answer(struct cvg_agent *agent, struct cvg_conn *conn,
                        const struct cvg_answer *answer)
{
    cvg_buffer_clear(&agent->out);
    if (cvg_answer_write(answer, &agent->out) == CVG_OK)
        cvg_conn_finish(conn, agent->out.data, agent->out.len);
    else
        cvg_conn_close(conn);
}

static void send_limited(struct cvg_agent *agent, const struct asker *asker,
                         const struct cvg_answer *answer)
{
    struct cvg_answer limited;

    if (!asker->limited || answer->reason <= CVG_REASON_INTERNAL) {
        send_answer(agent, asker->conn, answer);
        return;
    }
    limited = *answer;
    cvg_answer_limit(&limited, "");
    send_answer(agent, asker->conn, &limited);
}

static void on_flush(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;

    if (agent->cache != NULL)
        cvg_cache_flush(agent->cache);
}

static void on_remember(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;

    if (cvg_history_flush(agent->history))
        uv_timer_start(timer, on_remember, REMEMBER_MS, 0);
}

static void remember(struct cvg_agent *agent, const struct cvg_verdict_entry *entry)
{
    if (agent->history != NULL && cvg_history_note(agent->history, entry) &&
        !uv_is_active((uv_handle_t *)&agent->remember))
        uv_timer_start(&agent->remember, on_remember, REMEMBER_MS, 0);
}

static void on_verdict(const struct cvg_question *question, const struct cvg_answer *answer,
                       void *user)
{
    struct asker *asker = user;
    struct cvg_agent *agent = asker->agent;
    const struct cvg_verdict_entry *entry;

    /* The line first: whoever sees what the answer did can read why. */
    entry = cvg_verdict_log_note(agent->log, question, answer, asker->uid, asker->pid);
    if (asker->conn != NULL)
        send_limited(agent, asker, answer);
    remember(agent, entry);
    cvg_portal_hear(agent->portal, answer);
    cvg_commands_tell(agent->commands, entry);
    if (answer->reason == CVG_REASON_VOTE && !uv_is_active((uv_handle_t *)&agent->flush))
        uv_timer_start(&agent->flush, on_flush, FLUSH_MS, 0);
    free(asker);
}

/* Another release is no fault, but what a person who looks for one wants to know. */
static void hear_release(struct cvg_agent *agent, const char *name)
{
    struct cvg_releases *releases = &agent->releases;

    for (size_t i = 0; i < releases->count; i++)
        if (strcmp(releases->release[i].name, name) == 0) {
            releases->release[i].questions++;
            return;
        }
    if (releases->count == CVG_RELEASES_MAX) {
        releases->others++;
        return;
    }
    memcpy(releases->release[releases->count].name, name, CVG_MESSAGE_RELEASE_MAX);
    releases->release[releases->count++].questions = 1;
    if (strcmp(name, PACKAGE_VERSION) != 0)
        cvg_log(CVG_LOG_NOTICE, "programs ask with release %s; this agent is " PACKAGE_VERSION,
                name[0] != '\0' ? name : "0.1.0 or older");
}

static void answer_bad_question(struct cvg_agent *agent, struct cvg_conn *conn, uint64_t id)
{
    struct cvg_answer answer = {.id = id,
                                .verdict = CVG_VERDICT_UNDECIDED,
                                .action = CVG_ACTION_REFUSE,
                                .reason = CVG_REASON_BAD_QUESTION};

    send_answer(agent, conn, &answer);
}

void cvg_agent_ask_foreign(struct cvg_agent *agent, struct cvg_conn *conn, uint64_t id)
{
    if (!agent->releases.foreign)
        cvg_log(CVG_LOG_WARNING,
                "pid %d speaks another version of the agent's protocol than %d, and is refused: "
                "programs that were started before an update must be started again",
                (int)cvg_conn_pid(conn), CVG_MESSAGE_VERSION);
    agent->releases.foreign = true;
    answer_bad_question(agent, conn, id);
}

bool cvg_agent_ask(struct cvg_agent *agent, struct cvg_conn *conn, const void *data, size_t len,
                   uint64_t id)
{
    struct cvg_question question;
    struct cvg_check *check;
    struct asker *asker;

    if (cvg_question_parse(data, len, &question, NULL) != CVG_OK) {
        answer_bad_question(agent, conn, id);
        return false;
    }
    hear_release(agent, question.release);
    asker = calloc(1, sizeof *asker);
    if (asker == NULL) {
        cvg_conn_close(conn);
        return false;
    }
    *asker = (struct asker){.work.kind = CVG_CONN_CHECK,
                            .agent = agent,
                            .conn = conn,
                            .awaited = question.timeout_ms != 0,
                            .limited = question.release[0] == '\0',
                            .uid = cvg_conn_uid(conn),
                            .pid = cvg_conn_pid(conn)};
    cvg_checks_ask(agent->checks, &question, asker->uid, on_verdict, asker, &check);
    if (check == NULL)
        return false;
    asker->check = check;
    cvg_conn_set_data(conn, asker);
    return true;
}

/* Where nobody ever waited (monitor mode), the verdict is still wanted in the log. */
void cvg_agent_asker_gone(struct cvg_agent *agent, struct cvg_conn *conn)
{
    struct asker *asker = cvg_conn_data(conn);

    asker->conn = NULL;
    if (!asker->awaited && cvg_checks_pending(agent->checks) <= ORPHANS_MAX)
        return;
    cvg_check_forget(asker->check);
    free(asker);
}
