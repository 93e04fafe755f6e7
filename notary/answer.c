/* SPDX-License-Identifier: MIT */
/* Signed answers about targets. */
#include "notary/answer.h"

#include <stdlib.h>
#include <string.h>

#include "notary/memory.h"
#include "notary/opinions.h"

/* What is kept, if it still holds; else NULL. */
static struct cvg_blob *use_kept(const struct cvg_answerer *answerer,
                                 const struct cvg_kept_answer *kept, int64_t now_s)
{
    if (kept->blob == NULL || kept->generation != answerer->generation || now_s < kept->from_s ||
        now_s >= kept->until_s)
        return NULL;
    return cvg_blob_ref(kept->blob);
}

/* Keeps what was made, beside the caller's reference. */
static void keep(const struct cvg_answerer *answerer, struct cvg_kept_answer *kept,
                 struct cvg_blob *blob, int64_t from_s, int64_t until_s)
{
    cvg_blob_unref(kept->blob);
    *kept = (struct cvg_kept_answer){
        .blob = cvg_blob_ref(blob),
        .generation = answerer->generation,
        .from_s = from_s,
        .until_s = until_s,
    };
}

static enum cvg_error blob_of(const struct cvg_buffer *octets, struct cvg_blob **ret_blob)
{
    struct cvg_blob *blob = cvg_blob_new(octets->data, octets->len);
    if (blob == NULL)
        return CVG_ERR_NOMEM;
    *ret_blob = blob;
    return CVG_OK;
}

/* Writes the statement, signs it, and makes the body of an answer from both. */
static enum cvg_error sign_statement(const struct cvg_answerer *answerer,
                                     struct cvg_v2_statement *statement, struct cvg_blob **ret_body)
{
    struct cvg_buffer bytes, signature, body;
    struct cvg_signing_key *key = answerer->identity->signing_key;
    cvg_buffer_init(&bytes, CVG_V2_STATEMENT_MAX);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    cvg_buffer_init(&body, CVG_V2_STATEMENT_MAX + 2 * CVG_SIGNATURE_MAX);
    memcpy(statement->key_id, cvg_signing_key_id(key), CVG_SHA256_LEN);
    enum cvg_error err = cvg_v2_statement_write(statement, &bytes);
    if (err == CVG_OK)
        err = cvg_sign(key, bytes.data, bytes.len, &signature);
    if (err == CVG_OK)
        err = cvg_v2_answer_begin(1, &body);
    if (err == CVG_OK)
        err = cvg_v2_answer_item(bytes.data, bytes.len, signature.data, signature.len, &body);
    if (err == CVG_OK)
        err = blob_of(&body, ret_body);
    cvg_buffer_free(&bytes);
    cvg_buffer_free(&signature);
    cvg_buffer_free(&body);
    return err;
}

/* What was seen is current only in a statement that says "seen": where the newest look failed, it
 * is history for whoever asks about something else, fresh or not. And "seen" with nothing that is
 * current any more has become "not reached". */
static void fit_status(struct cvg_v2_statement *statement)
{
    bool current = false;
    for (size_t i = 0; i < statement->count; i++) {
        statement->record[i].current =
            statement->record[i].current && statement->status == CVG_V2_SEEN;
        current = current || statement->record[i].current;
    }
    if (statement->status == CVG_V2_SEEN && !current)
        statement->status = CVG_V2_UNREACHABLE;
}

static enum cvg_error make_v2(const struct cvg_answerer *answerer, const struct cvg_target *target,
                              enum cvg_v2_status status, int64_t now_s, struct cvg_blob **ret_body)
{
    const struct cvg_observations *observations = &target->observations;
    struct cvg_v2_statement *statement = calloc(1, sizeof(*statement));
    if (statement == NULL)
        return CVG_ERR_NOMEM;
    statement->hint = cvg_target_hint(target);
    statement->status = status;
    enum cvg_error err = cvg_target_endpoint(target, &statement->endpoint);
    if (err == CVG_OK && status != CVG_V2_NOT_PUBLIC) {
        statement->observed_s = cvg_observations_newest(observations);
        statement->count = cvg_observations_list(observations, now_s, (int64_t)answerer->max_age_s,
                                                 statement->record);
        fit_status(statement);
        cvg_opinions_tell(observations, answerer->verifiers, statement);
    }
    if (err == CVG_OK)
        err = sign_statement(answerer, statement, ret_body);
    free(statement);
    return err;
}

enum cvg_error cvg_answer_v2(const struct cvg_answerer *answerer, struct cvg_target *target,
                             enum cvg_v2_status status, struct cvg_blob **ret_body)
{
    int64_t now_s = cvg_clock_wall_s(answerer->clock);
    struct cvg_kept_answer *kept =
        &target->answer[status == CVG_V2_SEEN ? CVG_ANSWER_V2_SEEN : CVG_ANSWER_V2_FAILED];
    struct cvg_blob *body = use_kept(answerer, kept, now_s);
    enum cvg_error err = CVG_OK;
    if (body == NULL) {
        err = make_v2(answerer, target, status, now_s, &body);
        if (err == CVG_OK)
            keep(answerer, kept, body, now_s,
                 cvg_observations_expiry(&target->observations, now_s,
                                         (int64_t)answerer->max_age_s));
    }
    if (err == CVG_OK)
        *ret_body = body;
    return err;
}

enum cvg_error cvg_answer_aside(const struct cvg_answerer *answerer,
                                const struct cvg_endpoint *endpoint, uint8_t hint,
                                struct cvg_blob **ret_body)
{
    struct cvg_v2_statement *statement = calloc(1, sizeof(*statement));
    if (statement == NULL)
        return CVG_ERR_NOMEM;
    statement->endpoint = *endpoint;
    statement->hint = hint;
    statement->status = CVG_V2_ASIDE;
    enum cvg_error err = sign_statement(answerer, statement, ret_body);
    free(statement);
    return err;
}

static size_t list_v1(const struct cvg_observations *observations,
                      struct cvg_v1_record ret_record[static CVG_V2_RECORDS_MAX])
{
    struct cvg_v2_record seen[CVG_V2_RECORDS_MAX];
    size_t count = cvg_observations_list(observations, 0, 0, seen);
    for (size_t i = 0; i < count; i++) {
        ret_record[i] =
            (struct cvg_v1_record){.start_s = seen[i].first_s, .finish_s = seen[i].last_s};
        memcpy(ret_record[i].sha1, seen[i].leaf.sha1, CVG_SHA1_LEN);
    }
    return count;
}

static enum cvg_error make_v1(const struct cvg_answerer *answerer,
                              const struct cvg_v1_record *record, size_t count,
                              struct cvg_blob **ret_body)
{
    struct cvg_buffer unsigned_json, base64, json;
    cvg_buffer_init(&unsigned_json, CVG_V1_ANSWER_MAX);
    cvg_buffer_init(&base64, 2 * CVG_SIGNATURE_MAX);
    cvg_buffer_init(&json, CVG_V1_ANSWER_MAX);
    enum cvg_error err = cvg_v1_answer_write(record, count, NULL, &unsigned_json);
    if (err == CVG_OK)
        err =
            cvg_v1_sign(answerer->identity->v1_key, unsigned_json.data, unsigned_json.len, &base64);
    if (err == CVG_OK)
        err = cvg_v1_answer_write(record, count, (const char *)base64.data, &json);
    if (err == CVG_OK)
        err = blob_of(&json, ret_body);
    cvg_buffer_free(&unsigned_json);
    cvg_buffer_free(&base64);
    cvg_buffer_free(&json);
    return err;
}

enum cvg_error cvg_answer_v1(const struct cvg_answerer *answerer, struct cvg_target *target,
                             struct cvg_blob **ret_body)
{
    struct cvg_v1_record record[CVG_V2_RECORDS_MAX];
    struct cvg_kept_answer *kept = &target->answer[CVG_ANSWER_V1];
    struct cvg_blob *body = use_kept(answerer, kept, cvg_clock_wall_s(answerer->clock));
    if (body != NULL) {
        *ret_body = body;
        return CVG_OK;
    }
    size_t count = list_v1(&target->observations, record);
    unsigned version = target->version;
    target->pins++;
    cvg_memory_release(target);
    enum cvg_error err = make_v1(answerer, record, count, &body);
    cvg_memory_lock(target);
    target->pins--;
    if (err != CVG_OK)
        return err;
    if (target->version == version)
        keep(answerer, kept, body, INT64_MIN, INT64_MAX);
    *ret_body = body;
    return CVG_OK;
}
