/* SPDX-License-Identifier: MIT */
/* SIGHUP: every worker loads what the new settings name, beside what it serves with; only when all
 * have succeeded do all of them take it. */
#include "notary/reload.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/activation.h"
#include "notary/watch.h"
#include "notary/identity-check.h"

static void tell_failure(enum cvg_error err, const struct cvg_why *why)
{
    cvg_log(CVG_LOG_ERROR, "not reloaded: %s", why->text[0] ? why->text : cvg_strerror(err));
    cvg_activation_notify("READY=1");
}

/* All that is loaded by the main thread: settings and keys, once for every worker. */
static enum cvg_error load(struct cvg_server *server, const struct cvg_settings *settings,
                           struct cvg_why *why)
{
    for (size_t i = 0; i < server->shared.workers; i++) {
        struct cvg_change *change = calloc(1, sizeof(*change));
        if (change == NULL)
            return CVG_ERR_NOMEM;
        server->change[i] = change;
        change->worker = server->worker[i];
        change->settings = *settings;
        change->control = server->mailbox;
        change->user = server;
        change->generation = server->generation + 1;
        enum cvg_error err = cvg_identity_load(settings, server->keys, &change->identity, why);
        if (err != CVG_OK)
            return err;
    }
    if (server->keys)
        cvg_identity_warn(server->change[0]->identity, cvg_clock_wall_s(server->shared.clock));
    return cvg_server_record_keys(settings, server->change[0]->identity, &server->record_keys, why);
}

static void forget(struct cvg_server *server)
{
    for (size_t i = 0; server->change != NULL && i < server->shared.workers; i++) {
        cvg_change_free(server->change[i]);
        server->change[i] = NULL;
    }
    cvg_record_keys_free(server->record_keys);
    server->record_keys = NULL;
}

void cvg_reload_abandon(struct cvg_server *server)
{
    for (size_t i = 0; server->unprepared > 0 && i < server->shared.workers; i++)
        cvg_mailbox_flush(server->worker[i]->mailbox);
    cvg_mailbox_flush(server->mailbox);
    forget(server);
}

/* A store that is not signed, and one that the settings name only now, needs none of them. */
static void give_record_keys(struct cvg_server *server, bool take)
{
    struct cvg_keeper *keeper = server->shared.keeper;
    if (take && server->record_keys != NULL && keeper != NULL && cvg_keeper_signs(keeper))
        cvg_keeper_change_keys(keeper, server->record_keys);
    else
        cvg_record_keys_free(server->record_keys);
    server->record_keys = NULL;
}

/* As it has to be where root started the notary, so once is enough, and no fault. */
static void tell_keys(struct cvg_server *server)
{
    if (server->keys || server->told_keys)
        return;
    server->told_keys = true;
    cvg_log(CVG_LOG_NOTICE,
            "keys are those of the start, as user %s may not read their files: nothing is wrong, "
            "but after --rotate start the notary anew",
            server->user);
}

/* All workers have tried: takes it everywhere, or nowhere. */
static void finish(struct cvg_server *server)
{
    const struct cvg_change *failed = NULL;
    for (size_t i = 0; i < server->shared.workers; i++)
        if (server->change[i]->err != CVG_OK)
            failed = server->change[i];
    if (failed != NULL) {
        tell_failure(failed->err, &failed->why);
    } else {
        server->generation++;
        server->settings = server->change[0]->settings;
        cvg_server_apply(server);
        if (cvg_watch_take(server->watch, server->settings.name, server->change[0]->identity) !=
            CVG_OK)
            cvg_log(CVG_LOG_WARNING, "no memory: the status page tells of the former bundle");
    }
    bool take = failed == NULL;
    give_record_keys(server, take);
    for (size_t i = 0; i < server->shared.workers; i++) {
        cvg_change_end(server->change[i], take);
        server->change[i] = NULL;
    }
    if (!take)
        return;
    cvg_activation_notify("READY=1");
    cvg_log(CVG_LOG_NOTICE, "reloaded %s", server->config);
    tell_keys(server);
}

static void prepared(struct cvg_change *change)
{
    struct cvg_server *server = change->user;
    if (--server->unprepared > 0 || server->stopped)
        return;
    finish(server);
    if (server->again)
        cvg_server_reload(server);
}

void cvg_server_reload(struct cvg_server *server)
{
    struct cvg_settings settings;
    struct cvg_why why = {.text = ""};
    server->again = server->unprepared > 0;
    if (server->again)
        return;
    cvg_activation_notify_reloading();
    enum cvg_error err = cvg_settings_load(server->config, &settings, &why);
    if (err == CVG_OK) {
        server->keys =
            access(settings.tls_key, R_OK) == 0 && access(settings.signing_key, R_OK) == 0;
        err = load(server, &settings, &why);
    }
    if (err != CVG_OK) {
        tell_failure(err, &why);
        forget(server);
        return;
    }
    server->unprepared = server->shared.workers;
    for (size_t i = 0; i < server->shared.workers; i++) {
        server->change[i]->prepared = prepared;
        cvg_change_prepare(server->change[i]);
    }
}
