/* SPDX-License-Identifier: MIT */
/* The octets of one answer on their way to a client, a TLS record at a time, so that a slow reader
 * holds what the answer's owner has anyway, and little more. One loop. */
#ifndef CVG_NOTARY_REPLY_H
#define CVG_NOTARY_REPLY_H

#include "notary/blob.h"
#include "notary/tls-stream.h"

struct cvg_reply {
    struct cvg_blob *body; /* what one record did not hold, or NULL */
    size_t sent;
};

/* Writes the head and as much of the body as one record takes. Of a longer body the rest is kept:
 * in blob, if the body is a blob's, else in a copy. */
CVG_MUST_USE enum cvg_error cvg_reply_begin(struct cvg_reply *reply, struct cvg_tls_stream *stream,
                                            struct cvg_buffer *head, const void *body,
                                            size_t body_len, struct cvg_blob *blob);
/* Writes the next record. */
CVG_MUST_USE enum cvg_error cvg_reply_go_on(struct cvg_reply *reply, struct cvg_tls_stream *stream);
void cvg_reply_drop(struct cvg_reply *reply);

static inline bool cvg_reply_done(const struct cvg_reply *reply)
{
    return reply->body == NULL;
}

#endif
