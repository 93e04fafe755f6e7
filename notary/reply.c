/* SPDX-License-Identifier: MIT */
/* The octets of one answer on their way to a client. */
#include "notary/reply.h"

static enum cvg_error keep(struct cvg_reply *reply, const uint8_t *body, size_t len, size_t sent,
                           struct cvg_blob *blob)
{
    reply->body = blob != NULL ? cvg_blob_ref(blob) : cvg_blob_new(body + sent, len - sent);
    reply->sent = blob != NULL ? sent : 0;
    return reply->body == NULL ? CVG_ERR_NOMEM : CVG_OK;
}

enum cvg_error cvg_reply_begin(struct cvg_reply *reply, struct cvg_tls_stream *stream,
                               struct cvg_buffer *head, const void *body, size_t body_len,
                               struct cvg_blob *blob)
{
    size_t room = CVG_TLS_RECORD_MAX - head->len;
    size_t begun = body_len < room ? body_len : room;
    enum cvg_error err = cvg_buffer_put(head, body, begun);
    if (err == CVG_OK)
        err = cvg_tls_stream_write(stream, head->data, head->len);
    if (err == CVG_OK && begun < body_len)
        err = keep(reply, body, body_len, begun, blob);
    return err;
}

enum cvg_error cvg_reply_go_on(struct cvg_reply *reply, struct cvg_tls_stream *stream)
{
    size_t left = reply->body->len - reply->sent;
    size_t len = left < CVG_TLS_RECORD_MAX ? left : CVG_TLS_RECORD_MAX;
    enum cvg_error err = cvg_tls_stream_write(stream, reply->body->octets + reply->sent, len);
    reply->sent += len;
    if (left == len)
        cvg_reply_drop(reply);
    return err;
}

void cvg_reply_drop(struct cvg_reply *reply)
{
    cvg_blob_unref(reply->body);
    *reply = (struct cvg_reply){.body = NULL};
}
