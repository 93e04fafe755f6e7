/* SPDX-License-Identifier: MIT */
/* What each STARTTLS protocol is to the dialogue that runs it (starttls.c). */
#ifndef CVG_NOTARY_STARTTLS_PROTOCOL_H
#define CVG_NOTARY_STARTTLS_PROTOCOL_H

#include "notary/starttls.h"

/* How a line tells what it is. */
enum cvg_starttls_reply {
    CVG_REPLY_CODE,   /* three digits, over several lines where a '-' follows them */
    CVG_REPLY_WORD,   /* what it begins with */
    CVG_REPLY_NUMERIC /* three digits behind the sender's name */
};

/* One turn of a protocol made of lines: what we say, and what the server then must say. */
struct cvg_starttls_step {
    const char *say; /* NULL: the server speaks first */
    enum cvg_starttls_reply reply;
    const char *yes[2];
    const char *skip; /* WORD: lines that begin so are passed over; NULL: none is */
};

struct cvg_starttls_protocol {
    /* Writes what is said first; NULL: nothing. */
    void (*begin)(struct cvg_starttls_dialogue *dialogue);
    enum cvg_starttls_verdict (*take)(struct cvg_starttls_dialogue *dialogue, uint8_t octet);
    const struct cvg_starttls_step *step; /* of a protocol made of lines */
    size_t steps;
};

/* Appends to what is to be sent. */
void cvg_starttls_say(struct cvg_starttls_dialogue *dialogue, const void *octets, size_t len);

/* Keeps one more octet of the current unit, its beginning at least. */
void cvg_starttls_hold(struct cvg_starttls_dialogue *dialogue, uint8_t octet);

void cvg_starttls_lines_begin(struct cvg_starttls_dialogue *dialogue);
enum cvg_starttls_verdict cvg_starttls_lines_take(struct cvg_starttls_dialogue *dialogue,
                                                  uint8_t octet);

void cvg_starttls_ldap_begin(struct cvg_starttls_dialogue *dialogue);
enum cvg_starttls_verdict cvg_starttls_ldap_take(struct cvg_starttls_dialogue *dialogue,
                                                 uint8_t octet);
void cvg_starttls_postgresql_begin(struct cvg_starttls_dialogue *dialogue);
enum cvg_starttls_verdict cvg_starttls_postgresql_take(struct cvg_starttls_dialogue *dialogue,
                                                       uint8_t octet);
enum cvg_starttls_verdict cvg_starttls_mysql_take(struct cvg_starttls_dialogue *dialogue,
                                                  uint8_t octet);

void cvg_starttls_xmpp_begin(struct cvg_starttls_dialogue *dialogue);
void cvg_starttls_xmpp_server_begin(struct cvg_starttls_dialogue *dialogue);
enum cvg_starttls_verdict cvg_starttls_xmpp_take(struct cvg_starttls_dialogue *dialogue,
                                                 uint8_t octet);

#endif
