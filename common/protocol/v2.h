/* SPDX-License-Identifier: MIT */
/* Version 2 on the wire: POST /v2/query with a binary request of several targets, answered by one
 * signed statement per target in the same order (doc/protocol.md, "Version 2").
 * Pure: bytes in, structs out. Any thread.
 *
 * Request                         Answer
 *   u8  version = 2                 u8  version = 2
 *   u8  count, 1..16                u8  count
 *   count times:                    count times:
 *     u8  host length                 u16 statement length
 *     host (normal form)              statement
 *     u16 port                        u16 signature length
 *     u8  hint (STARTTLS)             signature over the statement's octets
 *     32  SHA-256 of the leaf seen
 *
 * Statement
 *   26  "converge notary statement" and a NUL     (domain)
 *   u8  version = 2
 *   32  signing key: SHA-256 of its SubjectPublicKeyInfo
 *   u8  host length, host, u16 port, u8 hint
 *   u8  status
 *   u64 observed: seconds since the epoch of the newest observation (0: none)
 *   u8  record count, 0..64
 *   per record: u8 flags (bit 0: current), u8 key type, 32 SHA-256 of the certificate,
 *     20 SHA-1 of it, 32 SHA-256 of the public key, u64 first seen, u64 last seen
 *   u16 extensions' length; per extension: u16 type, u16 length, octets
 *   Opinions (type 1, one extension per verifier): u8 verifier, u64 checked, u8 count,
 *     count times: u8 record's index (rising), u8 opinion (1 yes, 2 no)
 * All integers big-endian. Unknown extensions and flag bits are skipped; unknown statuses and
 * versions are errors. */
#ifndef CVG_PROTOCOL_V2_H
#define CVG_PROTOCOL_V2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/endpoint.h"
#include "common/protocol/digest.h"
#include "common/protocol/sign.h"

#define CVG_V2_VERSION       2
#define CVG_V2_DOMAIN        "converge notary statement" /* signed with its NUL */
#define CVG_V2_PATH          "/v2/query"
#define CVG_V2_CONTENT_TYPE  "application/vnd.converge.v2"
#define CVG_V2_TARGETS_MAX   16
#define CVG_V2_RECORDS_MAX   64
#define CVG_V2_VERIFIERS_MAX 8 /* with opinions in one statement */
#define CVG_V2_STATEMENT_MAX 16384
#define CVG_V2_SIGNATURE_MAX CVG_SIGNATURE_MAX
#define CVG_V2_REQUEST_MAX   8192
#define CVG_V2_ANSWER_MAX    (CVG_V2_TARGETS_MAX * (CVG_V2_STATEMENT_MAX + 1024))

enum cvg_v2_status {
    CVG_V2_SEEN = 1,       /* records follow, at least one of them current; those say yes */
    CVG_V2_NOT_PUBLIC = 2, /* the name has only special-purpose addresses */
    CVG_V2_ASIDE = 3,      /* no opinion */
    CVG_V2_UNREACHABLE = 4 /* no TLS service could be reached there; records may tell history */
    /* Records of any status but SEEN are history: none is current. */
};

/* How TLS begins at a target. AUTO: as the port is registered (doc/protocol.md has the table).
 * Parsers take any octet: a notary stands aside where it does not know the hint. */
enum cvg_starttls {
    CVG_STARTTLS_AUTO = 0,
    CVG_STARTTLS_NONE = 1, /* TLS from the first octet */
    CVG_STARTTLS_SMTP = 2,
    CVG_STARTTLS_IMAP = 3,
    CVG_STARTTLS_POP3 = 4,
    CVG_STARTTLS_FTP = 5,
    CVG_STARTTLS_LDAP = 6,
    CVG_STARTTLS_XMPP = 7, /* client to server */
    CVG_STARTTLS_POSTGRESQL = 8,
    CVG_STARTTLS_MYSQL = 9,
    CVG_STARTTLS_MANAGESIEVE = 10,
    CVG_STARTTLS_NNTP = 11,
    CVG_STARTTLS_IRC = 12,
    CVG_STARTTLS_XMPP_SERVER = 13,
    CVG_STARTTLS_COUNT
};

enum cvg_v2_extension {
    CVG_V2_EXT_OPINIONS = 1, /* what one verifier says of the records */
    CVG_V2_EXT_NEXT_KEY = 2  /* reserved: the notary's next key */
};

/* Who has opinions at a notary. */
enum cvg_verifier_id {
    CVG_VERIFIER_NETWORK = 1, /* what it sees from its place: the records that are current */
    CVG_VERIFIER_DANE = 2,    /* TLSA records under DNSSEC (RFC 6698) */
    CVG_VERIFIER_CT = 3,      /* embedded SCTs (RFC 6962) */
    CVG_VERIFIER_PINS = 4     /* what its operator knows */
};

enum cvg_v2_opinion { CVG_V2_OPINION_NONE = 0, CVG_V2_OPINION_YES = 1, CVG_V2_OPINION_NO = 2 };

struct cvg_v2_target {
    struct cvg_endpoint endpoint;
    uint8_t hint;
    uint8_t leaf_sha256[CVG_SHA256_LEN];
};

struct cvg_v2_request {
    struct cvg_v2_target target[CVG_V2_TARGETS_MAX];
    size_t count;
};

struct cvg_v2_record {
    struct cvg_leaf leaf;
    bool current;
    int64_t first_s;
    int64_t last_s;
};

/* What a verifier other than the network perspective says of a statement's records. */
struct cvg_v2_opinions {
    uint8_t verifier;  /* enum cvg_verifier_id, or one that only others know; not NETWORK */
    int64_t checked_s; /* when it was last asked; 0: never */
    uint8_t opinion[CVG_V2_RECORDS_MAX]; /* by record, enum cvg_v2_opinion; only NONE: it stands
                                            aside */
};

struct cvg_v2_statement {
    uint8_t key_id[CVG_SHA256_LEN];
    struct cvg_endpoint endpoint;
    uint8_t hint;
    enum cvg_v2_status status;
    int64_t observed_s;
    struct cvg_v2_record record[CVG_V2_RECORDS_MAX];
    size_t count;
    struct cvg_v2_opinions opinions[CVG_V2_VERIFIERS_MAX]; /* one per verifier */
    size_t opinions_count;
};

/* One signed statement inside an answer, still as bytes; pointers into the answer. */
struct cvg_v2_signed {
    const uint8_t *statement;
    size_t statement_len;
    const uint8_t *signature;
    size_t signature_len;
};

struct cvg_v2_answer {
    struct cvg_v2_signed item[CVG_V2_TARGETS_MAX];
    size_t count;
};

/* Writers append to the buffer, nothing of what no parser would take (ARGUMENT); parsers are strict
 * (SYNTAX, RANGE, VERSION, PROTOCOL) and leave the result untouched on failure. */
CVG_MUST_USE enum cvg_error cvg_v2_request_write(const struct cvg_v2_request *request,
                                                 struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_v2_request_parse(const void *data, size_t len,
                                                 struct cvg_v2_request *ret_request,
                                                 struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_v2_statement_write(const struct cvg_v2_statement *statement,
                                                   struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_v2_statement_parse(const void *data, size_t len,
                                                   struct cvg_v2_statement *ret_statement,
                                                   struct cvg_why *ret_why);
/* Puts the answer's head (before the first statement), then one item. */
CVG_MUST_USE enum cvg_error cvg_v2_answer_begin(size_t count, struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_v2_answer_item(const void *statement, size_t statement_len,
                                               const void *signature, size_t signature_len,
                                               struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_v2_answer_parse(const void *data, size_t len,
                                                struct cvg_v2_answer *ret_answer,
                                                struct cvg_why *ret_why);

/* All that stands between the octets of one item and believing them: it parses, it is signed by the
 * key it names, that key is one of the bundle's, and it speaks of the endpoint and hint that were
 * asked for. SIGNATURE: a key the bundle does not name, or not its signature; PROTOCOL: another
 * target; else the parser's errors. */
CVG_MUST_USE enum cvg_error
cvg_v2_statement_verify(const struct cvg_v2_signed *item, struct cvg_verify_key *const *key,
                        size_t key_count, const struct cvg_endpoint *asked, uint8_t asked_hint,
                        struct cvg_v2_statement *ret_statement, struct cvg_why *ret_why);

#endif
