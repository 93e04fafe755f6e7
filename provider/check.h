/* SPDX-License-Identifier: MIT */
/* One check: the question about a chain OpenSSL has just verified, and what to do about it. */
#ifndef CVG_PROVIDER_CHECK_H
#define CVG_PROVIDER_CHECK_H

#include "common/base/verdict.h"
#include "common/protocol/message.h"
#include "provider/ossl.h"
#include "provider/settings.h"

struct cvg_check {
    struct cvg_settings settings;
    struct cvg_question question;
    struct cvg_answer answer;
};

/* Reads the settings; too large for a stranger's stack, so from the heap. NULL: no memory. */
struct cvg_check *cvg_check_new(void);
void cvg_check_free(struct cvg_check *check);

/* Asks, and returns ACCEPT, REFUSE or UNCHANGED. pki: OK or TRUST_ERROR, with its error. check may
 * be NULL (there was no memory): then the answer is the one of a check nobody answered. Keeps errno
 * and OpenSSL's error queue. */
enum cvg_action cvg_check_run(struct cvg_check *check, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                              const SSL *ssl, enum cvg_pki pki, int pki_error);

#endif
