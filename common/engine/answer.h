/* SPDX-License-Identifier: MIT */
/* What a notary is asked about a certificate, and what its answer means: a transport's octets
 * become one vote. Pure; any thread. */
#ifndef CVG_ENGINE_ANSWER_H
#define CVG_ENGINE_ANSWER_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/endpoint.h"
#include "common/engine/bundle.h"
#include "common/protocol/digest.h"
#include "common/protocol/message.h"

/* What is asked about: may this certificate serve this endpoint? */
struct cvg_subject {
    struct cvg_endpoint endpoint;
    bool have_leaf; /* leaf is known whole; else only the fingerprint */
    struct cvg_leaf leaf;
    struct cvg_fingerprint fingerprint; /* of the certificate, SHA-256 where have_leaf */
    enum cvg_match match;
};

/* One notary's opinion. */
struct cvg_opinion {
    enum cvg_vote_kind kind;
    bool not_public;      /* with ASIDE: "only special-purpose addresses", counts for exemption */
    enum cvg_error error; /* with SILENT: why */
    bool have_leaf;       /* with YES, version 2: the record that matched */
    struct cvg_leaf leaf;
    uint8_t
        said[CVG_SAYERS]; /* ... and what its verifiers say of that: told, and counts for nothing */
};

/* Whether the notary's protocol can carry the question (version 1 needs the SHA-1). */
bool cvg_notary_can_answer(const struct cvg_bundle *notary, const struct cvg_subject *subject);

/* Path and body of the question in the notary's protocol, and how large an answer may be. The
 * buffers are initialised by the caller and replaced. */
CVG_MUST_USE enum cvg_error
cvg_question_for_notary(const struct cvg_bundle *notary, const struct cvg_subject *subject,
                        struct cvg_buffer *ret_path, struct cvg_buffer *ret_body,
                        const char **ret_content_type, size_t *ret_answer_max);

/* The opinion in what the transport brought. Whatever is not a complete, authentic answer to just
 * this question is SILENT. */
struct cvg_opinion cvg_opinion_of(const struct cvg_bundle *notary,
                                  const struct cvg_subject *subject, enum cvg_error err,
                                  unsigned status, const void *body, size_t len);

#endif
