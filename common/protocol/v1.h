/* SPDX-License-Identifier: MIT */
/* Version 1 on the wire: the original protocol's request and answer (doc/protocol.md, "Version 1").
 * Pure: bytes in, structs out. Any thread. */
#ifndef CVG_PROTOCOL_V1_H
#define CVG_PROTOCOL_V1_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/endpoint.h"
#include "common/base/fingerprint.h"

#define CVG_V1_RECORDS_MAX 256
#define CVG_V1_ANSWER_MAX  65536 /* octets of a JSON body */
#define CVG_V1_BODY_MAX    1024  /* octets of a form */

struct cvg_v1_record {
    int64_t start_s;  /* seconds since the epoch, first seen */
    int64_t finish_s; /* last seen */
    uint8_t sha1[CVG_SHA1_LEN];
};

struct cvg_v1_answer {
    struct cvg_v1_record record[CVG_V1_RECORDS_MAX];
    size_t count;
};

/* Appends "/target/<host>+<port>" to ret_path, "fingerprint=AA:BB:..." to ret_body. */
CVG_MUST_USE enum cvg_error cvg_v1_request_write(const struct cvg_endpoint *target,
                                                 const uint8_t sha1[static CVG_SHA1_LEN],
                                                 struct cvg_buffer *ret_path,
                                                 struct cvg_buffer *ret_body);

/* The notary's side: a request path (up to the query string, still percent-encoded) and a form body.
 * SYNTAX or RANGE: no target, no port, no valid host; no fingerprint, two, or not a SHA-1. */
CVG_MUST_USE enum cvg_error cvg_v1_path_parse(const char *path, size_t len,
                                              struct cvg_endpoint *ret_target,
                                              struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_v1_body_parse(const char *body, size_t len,
                                              uint8_t ret_sha1[static CVG_SHA1_LEN],
                                              struct cvg_why *ret_why);

/* Appends the answer's JSON, newest finish first as given; signature_base64 may be NULL (the text
 * that is signed is the same JSON without that member). */
CVG_MUST_USE enum cvg_error cvg_v1_answer_write(const struct cvg_v1_record *record, size_t count,
                                                const char *signature_base64,
                                                struct cvg_buffer *ret_json);

/* Strict: one object, no duplicate keys, depth bounded, strings of digits. Unknown members are
 * ignored. SYNTAX or RANGE otherwise. */
CVG_MUST_USE enum cvg_error cvg_v1_answer_parse(const char *json, size_t len,
                                                struct cvg_v1_answer *ret_answer,
                                                struct cvg_why *ret_why);

#endif
