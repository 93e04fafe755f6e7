/* SPDX-License-Identifier: MIT */
/* DNS without blocking the loop: libunbound asks, caches and, with an anchor, validates, in a
 * thread of its own beside each loop, so that what hostile zones cost (signatures, chains) stalls
 * nobody. One loop. */
#ifndef CVG_NOTARY_DNS_H
#define CVG_NOTARY_DNS_H

#include <uv.h>

#include "notary/settings.h"

enum cvg_dns_type { CVG_DNS_A = 1, CVG_DNS_AAAA = 28, CVG_DNS_TLSA = 52 };

/* What DNSSEC says of an answer, or of there being none. */
enum cvg_dns_security {
    CVG_DNS_BOGUS = 0, /* forged or broken; nothing of it is handed out */
    CVG_DNS_INSECURE,  /* not signed, or nothing is validated here */
    CVG_DNS_SECURE
};

struct cvg_dns_record {
    const uint8_t *rdata;
    size_t len;
};

#define CVG_DNS_RECORDS_MAX 64 /* of one answer that are handed out */

struct cvg_dns_answer {
    enum cvg_error err; /* OK: records follow; NOT_FOUND: no such name, or no such record there;
                           UNREACHABLE: no answer, or none that can be believed (SERVFAIL, bogus) */
    enum cvg_dns_security security; /* INSECURE where there is no answer at all */
    struct cvg_dns_record record[CVG_DNS_RECORDS_MAX]; /* of the type asked for, CNAMEs followed */
    size_t count;
    const char *canonical; /* the name that CNAMEs end in, as DNS writes it; NULL: nobody said */
};

struct cvg_dns;
struct cvg_dns_question; /* one under way */

/* Called once, from the loop, unless the question is cancelled; the question is gone afterwards.
 * The answer is valid during the call. */
typedef void cvg_dns_done(const struct cvg_dns_answer *answer, void *user);

/* Takes servers and anchor from the settings; reads resolv.conf where they name none. Begins no
 * thread and no socket yet. CONFIG: a file cannot be read. */
CVG_MUST_USE enum cvg_error cvg_dns_new(uv_loop_t *loop, const struct cvg_settings *settings,
                                        struct cvg_dns **ret_dns, struct cvg_why *ret_why);
/* Who still waits hears UNREACHABLE. Not from a cvg_dns_done. NULL is allowed; the memory goes when
 * the loop has run once more. */
void cvg_dns_free(struct cvg_dns *dns);
/* What is under way goes on; nothing is begun any more. Freed when all has ended, and until then it
 * is in *slot, where it may be freed at any time. Not from a cvg_dns_done. NULL is allowed. */
void cvg_dns_retire(struct cvg_dns *dns, struct cvg_dns **slot);

/* Asks for the records of that type at the name (without a final dot; taken as absolute, never with
 * a search list). BUSY: too many are under way, or nothing can be asked at all. There is no
 * deadline but the servers': who asks has one, and cancels. */
CVG_MUST_USE enum cvg_error cvg_dns_start(struct cvg_dns *dns, const char *name,
                                          enum cvg_dns_type type, cvg_dns_done *done, void *user,
                                          struct cvg_dns_question **ret_question);
void cvg_dns_cancel(struct cvg_dns_question *question); /* NULL is allowed */

#endif
