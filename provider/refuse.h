/* SPDX-License-Identifier: MIT */
/* Telling a program that a certificate is not accepted, the way OpenSSL would. */
#ifndef CVG_PROVIDER_REFUSE_H
#define CVG_PROVIDER_REFUSE_H

#include "provider/ossl.h"

/* Reports the error at this depth of the chain through the program's own callback and returns what
 * follows: 1 if the program lets it pass, else 0 with an error set. */
int cvg_refuse(const struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
               X509_STORE_CTX_verify_cb program_cb, int error, int depth);

#endif
