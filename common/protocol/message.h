/* SPDX-License-Identifier: MIT */
/* The messages between a program and its agent, over a SOCK_SEQPACKET socket: one question, one
 * answer, one connection (doc/protocol.md, "The agent's socket"). Pure, libc only: this is in
 * strangers' processes. Any thread.
 *
 * Every message begins: 4 octets "CVGA", u8 version, u8 type, u64 request id (random, echoed). */
#ifndef CVG_PROTOCOL_MESSAGE_H
#define CVG_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/endpoint.h"
#include "common/base/fingerprint.h"
#include "common/base/verdict.h"

#define CVG_MESSAGE_VERSION   1
#define CVG_MESSAGE_MAX       98304 /* octets of any message */
#define CVG_MESSAGE_VERDICT_MAX 4096 /* octets of an answer, with all its votes and text */
#define CVG_MESSAGE_JSON_MAX  (CVG_MESSAGE_MAX - 15) /* octets of a command's or reply's JSON */
#define CVG_MESSAGE_LEAF_MAX  65536 /* octets of a DER certificate */
#define CVG_MESSAGE_PORTS_MAX 16
#define CVG_MESSAGE_VOTES_MAX 32
#define CVG_MESSAGE_NAME_MAX  64
#define CVG_MESSAGE_RELEASE_MAX 32
#define CVG_MESSAGE_TEXT_MAX  512

enum cvg_message_type {
    CVG_MESSAGE_CHECK = 1,   /* question: may this leaf serve this endpoint? */
    CVG_MESSAGE_VERDICT = 2, /* its answer */
    CVG_MESSAGE_COMMAND = 3, /* a tool's request: a JSON object */
    CVG_MESSAGE_REPLY = 4,   /* one JSON object; more follow while `more` is set */
};

/* How a candidate was found; only for the log. */
enum cvg_found {
    CVG_FOUND_GIVEN = 1,  /* the caller named it (API, command line) */
    CVG_FOUND_PARAM,      /* host: verify parameter */
    CVG_FOUND_SNI,        /* host: server name indication */
    CVG_FOUND_BIO,        /* host or port: connect BIO */
    CVG_FOUND_PEER,       /* host: the peer's address */
    CVG_FOUND_FD,         /* port: peer of the SSL's descriptor */
    CVG_FOUND_COUNTERS,   /* port: the socket whose byte counters match */
    CVG_FOUND_TUNNEL,     /* port: inside a CONNECT tunnel: the configured tunnel_ports */
    CVG_FOUND_SEVERAL,    /* port: several sockets match; all are candidates */
    CVG_FOUND_CONNECT,    /* port: the CONNECT request that was seen on this connection */
    CVG_FOUND_COUNT
};

/* What PKI said. */
enum cvg_pki {
    CVG_PKI_UNKNOWN = 0, /* the caller did not say: treated as failed */
    CVG_PKI_OK = 1,
    CVG_PKI_TRUST_ERROR = 2, /* no anchor, self-signed, not trusted: `replace` may overrule */
    CVG_PKI_OTHER_ERROR = 3  /* name, time, purpose, revoked ...: never overruled */
};

struct cvg_question {
    uint64_t id;
    bool have_name;               /* the host was a name or address the program meant; else the
                                     peer's address stands in */
    char host[CVG_HOST_MAX];      /* normal form; empty only if not applicable */
    uint8_t host_found;           /* enum cvg_found */
    uint16_t port[CVG_MESSAGE_PORTS_MAX]; /* candidates, best first */
    size_t port_count;
    uint8_t port_found;
    uint8_t peer_family;          /* 0 none, 4, 6: the connected peer's address */
    uint8_t peer_address[16];
    enum cvg_pki pki;
    int32_t pki_error;            /* X509_V_ERR_*, for the log */
    bool have_anchor;
    uint8_t anchor_sha256[CVG_SHA256_LEN]; /* of the DER anchor the chain ended in */
    uint32_t timeout_ms;          /* how long the asker will wait; 0: nobody waits (monitor) */
    char program[CVG_MESSAGE_NAME_MAX]; /* advisory; printable ASCII, others become '?' */
    char release[CVG_MESSAGE_RELEASE_MAX]; /* version of the asking software; "": one that does not
                                     tell it, and reads only what the first release could say */
    const uint8_t *leaf;          /* DER; or, for the API, fingerprint below. Points into the bytes
                                     parsed, or is the caller's. */
    size_t leaf_len;
    struct cvg_fingerprint fingerprint; /* len 0 if leaf is given */
};

/* One notary's part in a vote. */
enum cvg_vote_kind {
    CVG_VOTE_SILENT = 0,
    CVG_VOTE_YES = 0x59,
    CVG_VOTE_NO = 0x4e,
    CVG_VOTE_ASIDE = 0x53
};

/* What a notary's verifiers besides its own view say of the certificate. */
enum cvg_said {
    CVG_SAID_NOTHING = 0, /* it has no such verifier, or has not told */
    CVG_SAID_YES,
    CVG_SAID_NO,
    CVG_SAID_ASIDE
};

enum cvg_sayer { CVG_SAYER_DANE = 0, CVG_SAYER_CT, CVG_SAYER_PINS, CVG_SAYERS };

struct cvg_vote {
    char notary[CVG_MESSAGE_NAME_MAX]; /* logical name */
    enum cvg_vote_kind kind;
    enum cvg_error error; /* for a silent one: why */
    uint32_t elapsed_ms;
    bool bounced;
    uint8_t said[CVG_SAYERS]; /* enum cvg_said; known to the agent, not in its messages */
};

/* "yes", "no", "aside" or "silent", also for values out of range; static. */
const char *cvg_vote_word(enum cvg_vote_kind kind);

struct cvg_answer {
    uint64_t id;
    enum cvg_verdict verdict;
    enum cvg_action action;
    enum cvg_reason reason;
    uint16_t port;       /* the candidate that decided; 0 if none */
    uint32_t elapsed_ms;
    struct cvg_vote vote[CVG_MESSAGE_VOTES_MAX];
    size_t vote_count;
    char text[CVG_MESSAGE_TEXT_MAX]; /* one sentence for a person */
};

/* Writers append to a buffer that the caller has initialised (CVG_MESSAGE_MAX suffices). ARGUMENT,
 * with nothing appended, for what no parser would take: an unknown enumeration value, a host that is
 * not in normal form, texts without an end, neither a certificate nor a fingerprint. Control
 * characters in texts become '?'. */
CVG_MUST_USE enum cvg_error cvg_question_write(const struct cvg_question *question,
                                               struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_question_parse(const void *data, size_t len,
                                               struct cvg_question *ret_question,
                                               struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_answer_write(const struct cvg_answer *answer,
                                             struct cvg_buffer *ret_buffer);
/* Refuses (PROTOCOL) an answer whose id is not expected_id, and any verdict, action or vote octet that
 * is not in its enumeration. An agent that is newer may give reasons that are not known here (their
 * name is "unknown"), and append fields, which are passed over. */
CVG_MUST_USE enum cvg_error cvg_answer_parse(const void *data, size_t len, uint64_t expected_id,
                                             struct cvg_answer *ret_answer,
                                             struct cvg_why *ret_why);

/* Reduces an answer to what the asker can read (cvg_question.release). */
void cvg_answer_limit(struct cvg_answer *answer, const char *release);

/* Type of a message and its id, before parsing it; PROTOCOL if the head is not ours, VERSION if it
 * is of another version, with the id set if one is there. */
CVG_MUST_USE enum cvg_error cvg_message_peek(const void *data, size_t len,
                                             enum cvg_message_type *ret_type, uint64_t *ret_id);

/* COMMAND and REPLY: the JSON text (not empty, no NUL, not NUL-terminated) is passed through and
 * points into the message. `more`, in replies only: further replies follow. */
CVG_MUST_USE enum cvg_error cvg_command_write(enum cvg_message_type type, uint64_t id, bool more,
                                              const void *json, size_t len,
                                              struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_command_parse(const void *data, size_t len,
                                              enum cvg_message_type expected_type,
                                              uint64_t *ret_id, bool *ret_more,
                                              const char **ret_json, size_t *ret_json_len);

#endif
