/* SPDX-License-Identifier: MIT */
/* Judging notaries' answers. The protocol is the bundle's: an answer in another is no answer. */
#include "common/engine/answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/protocol/v1.h"
#include "common/protocol/v2.h"

#define V1_CURRENT_S 86400 /* as long as an observation of a version 2 notary is current */

static struct cvg_opinion silent(enum cvg_error err)
{
    return (struct cvg_opinion){.kind = CVG_VOTE_SILENT, .error = err};
}

static struct cvg_opinion opinion(enum cvg_vote_kind kind)
{
    return (struct cvg_opinion){.kind = kind};
}

/* The SHA-1 or SHA-256 of the certificate asked about, if it is known; else NULL. */
static const uint8_t *sha1_of(const struct cvg_subject *subject)
{
    if (subject->have_leaf)
        return subject->leaf.sha1;
    return subject->fingerprint.len == CVG_SHA1_LEN ? subject->fingerprint.bytes : NULL;
}

static const uint8_t *sha256_of(const struct cvg_subject *subject)
{
    if (subject->have_leaf)
        return subject->leaf.sha256;
    return subject->fingerprint.len == CVG_SHA256_LEN ? subject->fingerprint.bytes : NULL;
}

bool cvg_notary_can_answer(const struct cvg_bundle *notary, const struct cvg_subject *subject)
{
    return notary->protocol == 2 || sha1_of(subject) != NULL;
}

static enum cvg_error write_v2(const struct cvg_subject *subject, struct cvg_buffer *ret_path,
                               struct cvg_buffer *ret_body)
{
    struct cvg_v2_request *request = calloc(1, sizeof *request);
    const uint8_t *sha256 = sha256_of(subject);
    enum cvg_error err;

    if (request == NULL)
        return CVG_ERR_NOMEM;
    request->count = 1;
    request->target[0].endpoint = subject->endpoint;
    request->target[0].hint = CVG_STARTTLS_AUTO;
    if (sha256 != NULL)
        memcpy(request->target[0].leaf_sha256, sha256, CVG_SHA256_LEN);
    cvg_buffer_put_text(ret_path, CVG_V2_PATH);
    err = cvg_v2_request_write(request, ret_body);
    free(request);
    return err;
}

enum cvg_error cvg_question_for_notary(const struct cvg_bundle *notary,
                                       const struct cvg_subject *subject,
                                       struct cvg_buffer *ret_path, struct cvg_buffer *ret_body,
                                       const char **ret_content_type, size_t *ret_answer_max)
{
    enum cvg_error err;

    if (!cvg_notary_can_answer(notary, subject))
        return CVG_ERR_ARGUMENT;
    cvg_buffer_clear(ret_path);
    cvg_buffer_clear(ret_body);
    if (notary->protocol == 2) {
        err = write_v2(subject, ret_path, ret_body);
        *ret_content_type = CVG_V2_CONTENT_TYPE;
        *ret_answer_max = CVG_V2_STATEMENT_MAX + 1024;
    } else {
        err = cvg_v1_request_write(&subject->endpoint, sha1_of(subject), ret_path, ret_body);
        *ret_content_type = "application/x-www-form-urlencoded";
        *ret_answer_max = CVG_V1_ANSWER_MAX;
    }
    if (err == CVG_OK)
        err = cvg_buffer_error(ret_path);
    return err != CVG_OK ? err : cvg_buffer_error(ret_body);
}

/* Statuses that mean the same in both versions: the notary has no answer now. */
static enum cvg_error error_of_status(unsigned status)
{
    if (status == 503)
        return CVG_ERR_REFUSED;
    return status == 429 ? CVG_ERR_BUSY : CVG_ERR_PROTOCOL;
}

/* Yes for a record last seen within a day of the newest one: a site may have several certificates,
 * by key type and address, which version 1 does not tell apart; what is older is history. */
static struct cvg_opinion judge_v1_list(const struct cvg_v1_answer *answer, const uint8_t *sha1)
{
    int64_t newest = INT64_MIN, ours = INT64_MIN;

    for (size_t i = 0; i < answer->count; i++) {
        const struct cvg_v1_record *record = &answer->record[i];

        if (record->finish_s > newest)
            newest = record->finish_s;
        if (memcmp(record->sha1, sha1, CVG_SHA1_LEN) == 0 && record->finish_s > ours)
            ours = record->finish_s;
    }
    if (answer->count == 0)
        return silent(CVG_ERR_PROTOCOL);
    return opinion(ours != INT64_MIN && newest - ours <= V1_CURRENT_S ? CVG_VOTE_YES : CVG_VOTE_NO);
}

static struct cvg_opinion judge_v1(const struct cvg_subject *subject, unsigned status,
                                   const void *body, size_t len)
{
    struct cvg_v1_answer *answer;
    struct cvg_opinion result;
    enum cvg_error err;

    if (status == 303)
        return opinion(CVG_VOTE_ASIDE);
    if (status == 409)
        return opinion(CVG_VOTE_NO);
    if (status != 200 && status != 202)
        return silent(error_of_status(status));
    answer = malloc(sizeof *answer);
    if (answer == NULL)
        return silent(CVG_ERR_NOMEM);
    err = cvg_v1_answer_parse(body, len, answer, NULL);
    result = err == CVG_OK ? judge_v1_list(answer, sha1_of(subject)) : silent(CVG_ERR_PROTOCOL);
    free(answer);
    return result;
}

static bool record_matches(const struct cvg_v2_record *record, const struct cvg_subject *subject)
{
    const uint8_t *sha256 = sha256_of(subject), *sha1 = sha1_of(subject);

    if (subject->match == CVG_MATCH_PUBLIC_KEY && subject->have_leaf &&
        memcmp(record->leaf.spki_sha256, subject->leaf.spki_sha256, CVG_SHA256_LEN) == 0)
        return true;
    if (sha256 != NULL)
        return memcmp(record->leaf.sha256, sha256, CVG_SHA256_LEN) == 0;
    return sha1 != NULL && memcmp(record->leaf.sha1, sha1, CVG_SHA1_LEN) == 0;
}

/* What the notary's verifiers say of a record. Those we do not know are passed over. */
static void hear_verifiers(const struct cvg_v2_statement *statement, size_t record,
                           uint8_t ret_said[static CVG_SAYERS])
{
    static const uint8_t said[] = {[CVG_V2_OPINION_NONE] = CVG_SAID_ASIDE,
                                   [CVG_V2_OPINION_YES] = CVG_SAID_YES,
                                   [CVG_V2_OPINION_NO] = CVG_SAID_NO};
    static const uint8_t verifier[CVG_SAYERS] = {[CVG_SAYER_DANE] = CVG_VERIFIER_DANE,
                                                 [CVG_SAYER_CT] = CVG_VERIFIER_CT,
                                                 [CVG_SAYER_PINS] = CVG_VERIFIER_PINS};

    for (size_t i = 0; i < statement->opinions_count; i++)
        for (size_t k = 0; k < CVG_SAYERS; k++)
            if (statement->opinions[i].verifier == verifier[k])
                ret_said[k] = said[statement->opinions[i].opinion[record]];
}

static struct cvg_opinion judge_records(const struct cvg_v2_statement *statement,
                                        const struct cvg_subject *subject)
{
    size_t current = 0;

    for (size_t i = 0; i < statement->count; i++) {
        if (!statement->record[i].current)
            continue;
        current++;
        if (record_matches(&statement->record[i], subject)) {
            struct cvg_opinion yes = {
                .kind = CVG_VOTE_YES, .have_leaf = true, .leaf = statement->record[i].leaf};

            hear_verifiers(statement, i, yes.said);
            return yes;
        }
    }
    return current > 0 ? opinion(CVG_VOTE_NO) : silent(CVG_ERR_PROTOCOL);
}

static struct cvg_opinion judge_statement(const struct cvg_v2_statement *statement,
                                          const struct cvg_subject *subject)
{
    struct cvg_opinion result;

    switch (statement->status) {
    case CVG_V2_SEEN:
        return judge_records(statement, subject);
    case CVG_V2_NOT_PUBLIC:
        result = opinion(CVG_VOTE_ASIDE);
        result.not_public = true;
        return result;
    case CVG_V2_ASIDE:
        return opinion(CVG_VOTE_ASIDE);
    case CVG_V2_UNREACHABLE:
        return silent(CVG_ERR_REFUSED);
    }
    return silent(CVG_ERR_PROTOCOL);
}

static struct cvg_opinion judge_v2(const struct cvg_bundle *notary,
                                   const struct cvg_subject *subject, unsigned status,
                                   const void *body, size_t len)
{
    struct cvg_v2_answer answer;
    struct cvg_v2_statement *statement;
    struct cvg_opinion result;
    enum cvg_error err;

    if (status != 200)
        return silent(error_of_status(status));
    if (cvg_v2_answer_parse(body, len, &answer, NULL) != CVG_OK || answer.count != 1)
        return silent(CVG_ERR_PROTOCOL);
    statement = malloc(sizeof *statement);
    if (statement == NULL)
        return silent(CVG_ERR_NOMEM);
    err = cvg_v2_statement_verify(&answer.item[0], notary->key, notary->key_count,
                                  &subject->endpoint, CVG_STARTTLS_AUTO, statement, NULL);
    result = err == CVG_OK ? judge_statement(statement, subject) : silent(err);
    free(statement);
    return result;
}

struct cvg_opinion cvg_opinion_of(const struct cvg_bundle *notary,
                                  const struct cvg_subject *subject, enum cvg_error err,
                                  unsigned status, const void *body, size_t len)
{
    if (err != CVG_OK)
        return silent(err);
    if (!cvg_notary_can_answer(notary, subject))
        return silent(CVG_ERR_ARGUMENT);
    return notary->protocol == 2 ? judge_v2(notary, subject, status, body, len)
                                 : judge_v1(subject, status, body, len);
}
