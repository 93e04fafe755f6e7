/* SPDX-License-Identifier: MIT */
/* The verifiers of one loop, and their examinations. */
#include "notary/verifiers.h"

#include <stdlib.h>
#include <string.h>

#include "notary/list.h"
#include "notary/table.h"

struct cvg_verifiers {
    uv_loop_t *loop;
    struct cvg_metrics *metrics;
    struct cvg_verifier *verifier[CVG_OPINIONS];
    size_t count;
    struct cvg_link under_way;
    bool given_up; /* goes with the last examination */
};

/* One verifier's part. */
struct part {
    struct cvg_examination *examination;
    struct cvg_verification *verification; /* NULL: has spoken */
};

struct cvg_examination {
    uv_timer_t timer; /* first: closed() casts */
    struct cvg_link link;
    struct cvg_verifiers *verifiers;
    struct cvg_evidence evidence;
    struct part part[CVG_OPINIONS];
    struct cvg_judgements judgements[CVG_OPINIONS];
    struct cvg_examined *examined; /* the caller's */
    cvg_examination_done *done;
    void *user;
};

static enum cvg_error add(struct cvg_verifiers *verifiers, enum cvg_verifier_id id,
                          const struct cvg_settings *settings, struct cvg_resolver *resolver,
                          struct cvg_why *why)
{
    struct cvg_verifier *verifier = NULL;
    enum cvg_error err = CVG_OK;
    if ((settings->verifiers & 1U << id) == 0)
        return CVG_OK;
    if (id == CVG_VERIFIER_DANE)
        err = cvg_verifier_dane_new(resolver, verifiers->metrics, &verifier);
    else if (id == CVG_VERIFIER_CT)
        err = cvg_verifier_ct_new(settings->ct_logs, settings->ct_min, &verifier, why);
    else
        err = cvg_verifier_pins_new(settings->pins, &verifier, why);
    if (err == CVG_OK)
        verifiers->verifier[verifiers->count++] = verifier;
    return err;
}

enum cvg_error cvg_verifiers_new(uv_loop_t *loop, const struct cvg_settings *settings,
                                 struct cvg_resolver *resolver, struct cvg_metrics *metrics,
                                 struct cvg_verifiers **ret_verifiers, struct cvg_why *ret_why)
{
    struct cvg_verifiers *verifiers = calloc(1, sizeof(*verifiers));
    if (verifiers == NULL)
        return CVG_ERR_NOMEM;
    verifiers->loop = loop;
    verifiers->metrics = metrics;
    cvg_list_init(&verifiers->under_way);
    enum cvg_error err = add(verifiers, CVG_VERIFIER_DANE, settings, resolver, ret_why);
    if (err == CVG_OK)
        err = add(verifiers, CVG_VERIFIER_CT, settings, resolver, ret_why);
    if (err == CVG_OK)
        err = add(verifiers, CVG_VERIFIER_PINS, settings, resolver, ret_why);
    if (err != CVG_OK) {
        cvg_verifiers_free(verifiers);
        return err;
    }
    *ret_verifiers = verifiers;
    return CVG_OK;
}

static void closed(uv_handle_t *handle)
{
    free((struct cvg_examination *)(void *)handle);
}

/* Who has not spoken by now no longer will. Returns how many that were. */
static unsigned hush(struct cvg_examination *examination)
{
    unsigned silent = 0;
    for (size_t i = 0; i < examination->verifiers->count; i++) {
        struct part *part = &examination->part[i];
        if (part->verification == NULL)
            continue;
        examination->verifiers->verifier[i]->cancel(part->verification);
        part->verification = NULL;
        silent++;
    }
    return silent;
}

static void free_if_unused(struct cvg_verifiers *verifiers)
{
    if (!verifiers->given_up || !cvg_list_empty(&verifiers->under_way))
        return;
    for (size_t i = 0; i < verifiers->count; i++)
        verifiers->verifier[i]->free(verifiers->verifier[i]);
    free(verifiers);
}

void cvg_verifiers_free(struct cvg_verifiers *verifiers)
{
    if (verifiers == NULL)
        return;
    verifiers->given_up = true;
    free_if_unused(verifiers);
}

void cvg_examination_cancel(struct cvg_examination *examination)
{
    if (examination == NULL)
        return;
    struct cvg_verifiers *verifiers = examination->verifiers;
    (void)hush(examination);
    cvg_list_remove(&examination->link);
    for (size_t i = 0; i < examination->evidence.count; i++)
        cvg_blob_unref(examination->evidence.sighting[i].chain);
    uv_close((uv_handle_t *)&examination->timer, closed);
    free_if_unused(verifiers);
}

static struct cvg_examined_leaf *find_leaf(struct cvg_examined *examined, const uint8_t *sha256)
{
    for (size_t i = 0; i < examined->count; i++)
        if (memcmp(examined->leaf[i].sha256, sha256, CVG_SHA256_LEN) == 0)
            return &examined->leaf[i];
    return NULL;
}

/* One certificate may have been seen at several addresses, with other chains: NO is more than YES,
 * and that more than NONE. */
static void add_opinion(struct cvg_verifiers *verifiers, struct cvg_examined_leaf *leaf,
                        enum cvg_verifier_id verifier, uint8_t opinion)
{
    static const enum cvg_metric first[CVG_OPINIONS] = {
        CVG_METRIC_OPINIONS_DANE, CVG_METRIC_OPINIONS_CT, CVG_METRIC_OPINIONS_PINS};
    size_t index = cvg_opinion_index(verifier);
    cvg_metrics_add(verifiers->metrics, first[index] + opinion, 1);
    if (leaf->opinion[index] < opinion)
        leaf->opinion[index] = opinion;
}

/* Adds up what has been said. */
static void conclude(struct cvg_examination *examination)
{
    struct cvg_verifiers *verifiers = examination->verifiers;
    const struct cvg_evidence *evidence = &examination->evidence;
    for (size_t i = 0; i < evidence->count; i++) {
        struct cvg_examined_leaf *leaf =
            find_leaf(examination->examined, evidence->sighting[i].leaf.sha256);
        for (size_t k = 0; k < verifiers->count; k++)
            add_opinion(verifiers, leaf, verifiers->verifier[k]->id,
                        examination->judgements[k].opinion[i]);
    }
}

/* Ends it with what has been said. The user may begin others, or give the verifiers up. */
static void finish(struct cvg_examination *examination)
{
    cvg_examination_done *done = examination->done;
    void *user = examination->user;
    conclude(examination);
    cvg_examination_cancel(examination);
    done(user);
}

static void on_timer(uv_timer_t *timer)
{
    struct cvg_examination *examination = (struct cvg_examination *)(void *)timer;
    cvg_metrics_add(examination->verifiers->metrics, CVG_METRIC_VERIFIERS_LATE, hush(examination));
    finish(examination);
}

static bool is_waiting(const struct cvg_examination *examination)
{
    for (size_t i = 0; i < examination->verifiers->count; i++)
        if (examination->part[i].verification != NULL)
            return true;
    return false;
}

static void spoken(const struct cvg_judgements *judgements, void *user)
{
    struct part *part = user;
    struct cvg_examination *examination = part->examination;
    examination->judgements[part - examination->part] = *judgements;
    part->verification = NULL;
    if (!is_waiting(examination))
        finish(examination);
}

/* Makes room for what will be said: nobody has spoken yet. */
static void add_leaves(const struct cvg_verifiers *verifiers, const struct cvg_probe_result *seen,
                       struct cvg_examined *examined)
{
    for (size_t i = 0; i < verifiers->count; i++)
        examined->verifiers |= 1U << verifiers->verifier[i]->id;
    for (size_t i = 0; i < seen->count; i++) {
        const uint8_t *sha256 = seen->sighting[i].leaf.sha256;
        if (find_leaf(examined, sha256) != NULL)
            continue;
        struct cvg_examined_leaf *leaf = &examined->leaf[examined->count++];
        *leaf = (struct cvg_examined_leaf){.opinion = {CVG_V2_OPINION_NONE}};
        memcpy(leaf->sha256, sha256, CVG_SHA256_LEN);
    }
}

/* Takes what shows the leaves from that one on. */
static void take_evidence(struct cvg_examination *examination, const struct cvg_probe_result *seen,
                          size_t first)
{
    struct cvg_evidence *evidence = &examination->evidence;
    struct cvg_examined *examined = examination->examined;
    for (size_t i = 0; i < seen->count; i++) {
        const struct cvg_sighting *sighting = &seen->sighting[i];
        if (find_leaf(examined, sighting->leaf.sha256) < &examined->leaf[first])
            continue;
        evidence->sighting[evidence->count] = *sighting;
        evidence->sighting[evidence->count++].chain = cvg_blob_ref(sighting->chain);
    }
}

static struct cvg_examination *new_examination(struct cvg_verifiers *verifiers,
                                               struct cvg_examined *examined)
{
    struct cvg_examination *examination = calloc(1, sizeof(*examination));
    if (examination == NULL)
        return NULL;
    examination->verifiers = verifiers;
    examination->examined = examined;
    uv_timer_init(verifiers->loop, &examination->timer);
    cvg_list_push(&verifiers->under_way, &examination->link);
    return examination;
}

static void ask(struct cvg_examination *examination)
{
    for (size_t i = 0; i < examination->verifiers->count; i++) {
        struct cvg_verifier *verifier = examination->verifiers->verifier[i];
        struct part *part = &examination->part[i];
        part->examination = examination;
        examination->judgements[i].verifier = verifier->id;
        part->verification = verifier->start(verifier, &examination->evidence, spoken, part,
                                             &examination->judgements[i]);
    }
}

struct cvg_examination *cvg_examination_start(struct cvg_verifiers *verifiers,
                                              const struct cvg_endpoint *endpoint,
                                              const struct cvg_probe_result *seen,
                                              uint64_t timeout_ms, cvg_examination_done *done,
                                              void *user, struct cvg_examined *examined)
{
    size_t first = examined->count;
    if (verifiers->count == 0)
        return NULL;
    add_leaves(verifiers, seen, examined);
    struct cvg_examination *examination =
        examined->count > first ? new_examination(verifiers, examined) : NULL;
    if (examination == NULL)
        return NULL;
    examination->done = done;
    examination->user = user;
    examination->evidence.endpoint = *endpoint;
    take_evidence(examination, seen, first);
    ask(examination);
    if (is_waiting(examination)) {
        uv_timer_start(&examination->timer, on_timer, timeout_ms, 0);
        return examination;
    }
    conclude(examination);
    cvg_examination_cancel(examination);
    return NULL;
}

void cvg_examined_keep(const struct cvg_examined *examined, int64_t now_s,
                       struct cvg_observations *observations)
{
    static const enum cvg_verifier_id verifiers[CVG_OPINIONS] = {CVG_VERIFIER_DANE, CVG_VERIFIER_CT,
                                                                 CVG_VERIFIER_PINS};
    for (size_t i = 0; i < examined->count; i++)
        for (size_t k = 0; k < CVG_OPINIONS; k++)
            if ((examined->verifiers & 1U << verifiers[k]) != 0)
                cvg_observations_judge(observations, verifiers[k], examined->leaf[i].sha256,
                                       (enum cvg_v2_opinion)examined->leaf[i].opinion[k], now_s);
}
