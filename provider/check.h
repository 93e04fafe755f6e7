/* SPDX-License-Identifier: MIT */
/* One check: the question about a chain OpenSSL has just verified, and what to do about it. */
#ifndef CVG_PROVIDER_CHECK_H
#define CVG_PROVIDER_CHECK_H

#include "common/base/verdict.h"
#include "common/protocol/message.h"
#include "provider/ossl.h"
#include "common/client/settings.h"

/* What to do about the check that begins; nothing is kept for its end, because a program's callback
 * may leave it by longjmp. Keeps errno. */
void cvg_check_prepare(struct cvg_brief *ret_brief);

/* Asks, and returns ACCEPT, REFUSE or UNCHANGED. pki: OK or TRUST_ERROR, with its error. Keeps
 * errno and OpenSSL's error queue. */
enum cvg_action cvg_check_run(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, const SSL *ssl,
                              enum cvg_pki pki, int pki_error);

#endif
