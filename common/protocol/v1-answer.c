/* SPDX-License-Identifier: MIT */
/* Version 1's answer: the JSON list of what a notary has seen. Its signature is written for
 * original clients' sake and never relied on: it does not say which target it speaks of. */
#include "common/protocol/v1.h"

#include <stdbool.h>
#include <string.h>

#include "common/protocol/json.h"

/* 18 digits fit an int64_t, and no clock of ours reaches them. */
enum { DIGITS_MAX = 18 };

static bool is_base64(const char *text)
{
    return text[strspn(
               text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == '\0';
}

static void record_put(struct cvg_buffer *buffer, const struct cvg_v1_record *record)
{
    char text[CVG_FINGERPRINT_TEXT_MAX];

    cvg_fingerprint_format(record->sha1, CVG_SHA1_LEN, text, sizeof text);
    cvg_buffer_printf(buffer,
                      "{\"timestamp\": {\"start\": \"%lld\", \"finish\": \"%lld\"}, "
                      "\"fingerprint\": \"%s\"}",
                      (long long)record->start_s, (long long)record->finish_s, text);
}

enum cvg_error cvg_v1_answer_write(const struct cvg_v1_record *record, size_t count,
                                   const char *signature_base64, struct cvg_buffer *ret_json)
{
    if (count > CVG_V1_RECORDS_MAX || (signature_base64 && !is_base64(signature_base64)))
        return CVG_ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        if (record[i].start_s < 0 || record[i].finish_s < 0)
            return CVG_ERR_ARGUMENT;
    cvg_buffer_put_text(ret_json, "{\"fingerprintList\": [");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            cvg_buffer_put_text(ret_json, ", ");
        record_put(ret_json, &record[i]);
    }
    cvg_buffer_put_text(ret_json, "]");
    if (signature_base64)
        cvg_buffer_printf(ret_json, ", \"signature\": \"%s\"", signature_base64);
    cvg_buffer_put_text(ret_json, "}");
    return cvg_buffer_error(ret_json);
}

/* "Not there" is an error of the answer like any other. */
static enum cvg_error required(enum cvg_error err)
{
    return err == CVG_ERR_NOT_FOUND ? CVG_ERR_SYNTAX : err;
}

static enum cvg_error time_read(const json_t *timestamp, const char *name, int64_t *ret_time_s,
                                struct cvg_why *ret_why)
{
    const char *text = NULL;
    int64_t time_s = 0;
    enum cvg_error err = required(cvg_json_text(timestamp, name, DIGITS_MAX, &text, ret_why));

    if (err != CVG_OK)
        return err;
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "%s is not a string of decimal digits", name);
    for (; *text != '\0'; text++)
        time_s = time_s * 10 + (*text - '0');
    *ret_time_s = time_s;
    return CVG_OK;
}

static enum cvg_error record_read(const json_t *entry, struct cvg_v1_record *ret_record,
                                  struct cvg_why *ret_why)
{
    const json_t *timestamp = json_object_get(entry, "timestamp");
    struct cvg_fingerprint fingerprint = {.len = 0};
    const char *text = NULL;
    enum cvg_error err;

    if (!json_is_object(timestamp))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "a record without an object timestamp");
    err = required(cvg_json_text(entry, "fingerprint", CVG_FINGERPRINT_TEXT_MAX, &text, ret_why));
    if (err == CVG_OK)
        err = cvg_fingerprint_parse(text, strlen(text), &fingerprint, ret_why);
    if (err == CVG_OK && fingerprint.len != CVG_SHA1_LEN)
        err = cvg_fail(ret_why, CVG_ERR_SYNTAX, "a fingerprint that is not a SHA-1");
    if (err == CVG_OK)
        err = time_read(timestamp, "start", &ret_record->start_s, ret_why);
    if (err == CVG_OK)
        err = time_read(timestamp, "finish", &ret_record->finish_s, ret_why);
    if (err == CVG_OK)
        memcpy(ret_record->sha1, fingerprint.bytes, CVG_SHA1_LEN);
    return err;
}

static enum cvg_error answer_read(const json_t *object, struct cvg_v1_answer *answer,
                                  struct cvg_why *ret_why)
{
    const json_t *list = NULL;
    enum cvg_error err =
        required(cvg_json_array(object, "fingerprintList", CVG_V1_RECORDS_MAX, &list, ret_why));

    if (err != CVG_OK)
        return err;
    answer->count = json_array_size(list);
    for (size_t i = 0; err == CVG_OK && i < answer->count; i++)
        err = record_read(json_array_get(list, i), &answer->record[i], ret_why);
    return err;
}

enum cvg_error cvg_v1_answer_parse(const char *json, size_t len, struct cvg_v1_answer *ret_answer,
                                   struct cvg_why *ret_why)
{
    struct cvg_v1_answer answer;
    json_t *object = NULL;
    enum cvg_error err = cvg_json_parse(json, len, CVG_V1_ANSWER_MAX, &object, ret_why);

    if (err != CVG_OK)
        return err;
    memset(&answer, 0, sizeof answer);
    err = answer_read(object, &answer, ret_why);
    json_decref(object);
    if (err == CVG_OK)
        *ret_answer = answer;
    return err;
}
