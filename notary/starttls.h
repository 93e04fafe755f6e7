/* SPDX-License-Identifier: MIT */
/* What is said before TLS begins, in the protocols that begin without it: octets in, octets out,
 * and whether TLS may begin now. Strict where it matters: whoever says more than the protocol's
 * answer before TLS is refused, so that nothing said in the clear is taken for part of what
 * follows. Pure; one thread. */
#ifndef CVG_NOTARY_STARTTLS_H
#define CVG_NOTARY_STARTTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/protocol/v2.h"

#define CVG_STARTTLS_RECEIVED_MAX 16384 /* octets that a server may say before TLS */
#define CVG_STARTTLS_SENT_MAX     512   /* octets of one of our turns */
#define CVG_STARTTLS_HELD_MAX     256

enum cvg_starttls_verdict {
    CVG_STARTTLS_REFUSED = 0, /* the server does not start TLS, or does not speak the protocol */
    CVG_STARTTLS_MORE,
    CVG_STARTTLS_READY /* send what is to be sent, then begin with TLS */
};

struct cvg_starttls_protocol;

/* One dialogue. All but `sent` and `sent_len` is this module's and its protocols' own. */
struct cvg_starttls_dialogue {
    uint8_t sent[CVG_STARTTLS_SENT_MAX]; /* for the caller to send, who then sets sent_len to 0 */
    size_t sent_len;
    const struct cvg_starttls_protocol *protocol;
    const char *host;
    size_t received;
    unsigned step;
    bool flag;
    uint8_t quote, last;
    uint8_t held[CVG_STARTTLS_HELD_MAX]; /* the beginning of the line, tag or message */
    size_t len;                          /* of all of it so far */
};

/* Whether the hint is one of the table in doc/protocol.md. */
bool cvg_starttls_known(uint8_t hint);

/* How TLS begins at the port under that hint: the hint itself, or, for AUTO, what the port is
 * registered for. */
enum cvg_starttls cvg_starttls_kind(uint8_t hint, uint16_t port);

/* Begins a dialogue of a kind other than NONE. host (normal form, borrowed) is whom the server is
 * called where the protocol wants to know. What is to be sent first is in sent. */
void cvg_starttls_begin(enum cvg_starttls kind, const char *host,
                        struct cvg_starttls_dialogue *ret_dialogue);

/* Takes what the server said. sent must have been sent. After anything but MORE the dialogue is
 * over. */
enum cvg_starttls_verdict cvg_starttls_take(struct cvg_starttls_dialogue *dialogue,
                                            const void *octets, size_t len);

#endif
