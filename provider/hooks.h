/* SPDX-License-Identifier: MIT */
/* Where we stand in OpenSSL's verification: the verify callback of every SSL_CTX, and a net under
 * programs that set one of their own. */
#ifndef CVG_PROVIDER_HOOKS_H
#define CVG_PROVIDER_HOOKS_H

#include "provider/ossl.h"

/* Hooks what will be made in this library context; a context that is hooked already stays as it
 * is. NULL: the calling thread's default context. */
void cvg_hooks_install(struct cvg_ossl *ossl, OSSL_LIB_CTX *libctx);

#endif
