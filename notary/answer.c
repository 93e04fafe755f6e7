/* SPDX-License-Identifier: MIT */
/* Signed answers about targets. */
#include "notary/answer.h"

#include <stdlib.h>
#include <string.h>

/* Hands out what is kept, if it still holds. */
static bool use_kept(const struct cvg_kept_answer *kept, int64_t now_s,
                     struct cvg_buffer *ret_bytes, enum cvg_error *ret_err)
{
    if (kept->bytes == NULL || now_s >= kept->until_s)
        return false;
    *ret_err = cvg_buffer_put(ret_bytes, kept->bytes, kept->len);
    return true;
}

/* Keeps a copy of what was made. Without memory it is made again next time. */
static void keep(struct cvg_kept_answer *kept, const uint8_t *bytes, size_t len, int64_t until_s)
{
    free(kept->bytes);
    *kept = (struct cvg_kept_answer){.bytes = malloc(len), .len = len, .until_s = until_s};
    if (kept->bytes != NULL)
        memcpy(kept->bytes, bytes, len);
}

/* Writes the statement, signs it, and appends both. */
static enum cvg_error sign_statement(const struct cvg_answerer *answerer,
                                     struct cvg_v2_statement *statement,
                                     struct cvg_buffer *ret_item)
{
    struct cvg_buffer bytes, signature;
    struct cvg_signing_key *key = answerer->identity->signing_key;
    cvg_buffer_init(&bytes, CVG_V2_STATEMENT_MAX);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    memcpy(statement->key_id, cvg_signing_key_id(key), CVG_SHA256_LEN);
    enum cvg_error err = cvg_v2_statement_write(statement, &bytes);
    if (err == CVG_OK)
        err = cvg_sign(key, bytes.data, bytes.len, &signature);
    if (err == CVG_OK)
        err = cvg_v2_answer_item(bytes.data, bytes.len, signature.data, signature.len, ret_item);
    cvg_buffer_free(&bytes);
    cvg_buffer_free(&signature);
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

static enum cvg_error make_v2(const struct cvg_answerer *answerer,
                              const struct cvg_finding *finding, int64_t now_s,
                              struct cvg_buffer *ret_item)
{
    const struct cvg_observations *observations = &finding->target->observations;
    struct cvg_v2_statement *statement = calloc(1, sizeof(*statement));
    if (statement == NULL)
        return CVG_ERR_NOMEM;
    statement->hint = cvg_target_hint(finding->target);
    statement->status = finding->status;
    enum cvg_error err = cvg_target_endpoint(finding->target, &statement->endpoint);
    if (err == CVG_OK && finding->status != CVG_V2_NOT_PUBLIC) {
        statement->observed_s = cvg_observations_newest(observations);
        statement->count = cvg_observations_list(observations, now_s, (int64_t)answerer->max_age_s,
                                                 statement->record);
        fit_status(statement);
    }
    if (err == CVG_OK)
        err = sign_statement(answerer, statement, ret_item);
    free(statement);
    return err;
}

enum cvg_error cvg_answer_v2(const struct cvg_answerer *answerer, const struct cvg_finding *finding,
                             struct cvg_buffer *ret_item)
{
    int64_t now_s = cvg_clock_wall_s(answerer->clock);
    struct cvg_kept_answer *kept =
        &finding->target
             ->answer[finding->status == CVG_V2_SEEN ? CVG_ANSWER_V2_SEEN : CVG_ANSWER_V2_FAILED];
    enum cvg_error err = CVG_OK;
    if (use_kept(kept, now_s, ret_item, &err))
        return err;
    size_t before = ret_item->len;
    err = make_v2(answerer, finding, now_s, ret_item);
    if (err == CVG_OK)
        keep(kept, ret_item->data + before, ret_item->len - before,
             cvg_observations_expiry(&finding->target->observations, now_s,
                                     (int64_t)answerer->max_age_s));
    return err;
}

enum cvg_error cvg_answer_aside(const struct cvg_answerer *answerer,
                                const struct cvg_endpoint *endpoint, uint8_t hint,
                                struct cvg_buffer *ret_item)
{
    struct cvg_v2_statement *statement = calloc(1, sizeof(*statement));
    if (statement == NULL)
        return CVG_ERR_NOMEM;
    statement->endpoint = *endpoint;
    statement->hint = hint;
    statement->status = CVG_V2_ASIDE;
    enum cvg_error err = sign_statement(answerer, statement, ret_item);
    free(statement);
    return err;
}

static enum cvg_error make_v1(const struct cvg_answerer *answerer,
                              const struct cvg_observations *observations,
                              struct cvg_buffer *ret_json)
{
    struct cvg_v2_record seen[CVG_V2_RECORDS_MAX];
    struct cvg_v1_record record[CVG_V2_RECORDS_MAX];
    struct cvg_buffer unsigned_json, base64;
    const struct cvg_buffer *pem = &answerer->identity->tls_key_pem;
    cvg_buffer_init(&unsigned_json, CVG_V1_ANSWER_MAX);
    cvg_buffer_init(&base64, 2 * CVG_SIGNATURE_MAX);
    size_t count = cvg_observations_list(observations, 0, 0, seen);
    for (size_t i = 0; i < count; i++) {
        record[i] = (struct cvg_v1_record){.start_s = seen[i].first_s, .finish_s = seen[i].last_s};
        memcpy(record[i].sha1, seen[i].leaf.sha1, CVG_SHA1_LEN);
    }
    enum cvg_error err = cvg_v1_answer_write(record, count, NULL, &unsigned_json);
    if (err == CVG_OK)
        err = cvg_v1_sign((const char *)pem->data, pem->len, unsigned_json.data, unsigned_json.len,
                          &base64);
    if (err == CVG_OK)
        err = cvg_v1_answer_write(record, count, (const char *)base64.data, ret_json);
    cvg_buffer_free(&unsigned_json);
    cvg_buffer_free(&base64);
    return err;
}

enum cvg_error cvg_answer_v1(const struct cvg_answerer *answerer, struct cvg_target *target,
                             struct cvg_buffer *ret_json)
{
    struct cvg_kept_answer *kept = &target->answer[CVG_ANSWER_V1];
    enum cvg_error err = CVG_OK;
    if (use_kept(kept, cvg_clock_wall_s(answerer->clock), ret_json, &err))
        return err;
    size_t before = ret_json->len;
    err = make_v1(answerer, &target->observations, ret_json);
    if (err == CVG_OK)
        keep(kept, ret_json->data + before, ret_json->len - before, INT64_MAX);
    return err;
}
