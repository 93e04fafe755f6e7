/* SPDX-License-Identifier: MIT */
/* Refuses through the program's callback, see refuse.h: interactive and "insecure" programs keep
 * their say. */
#include "config.h"

#include "provider/refuse.h"

static X509 *cert_at(const struct cvg_ossl *ossl, X509_STORE_CTX *ctx, int depth)
{
    const OPENSSL_STACK *chain = (const void *)ossl->crypto.X509_STORE_CTX_get0_chain(ctx);

    if (depth > 0 && chain && depth < ossl->crypto.OPENSSL_sk_num(chain))
        return ossl->crypto.OPENSSL_sk_value(chain, depth);
    return ossl->crypto.X509_STORE_CTX_get0_cert(ctx);
}

int cvg_refuse(const struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
               X509_STORE_CTX_verify_cb program_cb, int error, int depth)
{
    ossl->crypto.X509_STORE_CTX_set_error(ctx, error);
    ossl->crypto.X509_STORE_CTX_set_error_depth(ctx, depth);
    ossl->crypto.X509_STORE_CTX_set_current_cert(ctx, cert_at(ossl, ctx, depth));
    if (program_cb && program_cb(0, ctx) > 0)
        return 1;
    if (ossl->crypto.X509_STORE_CTX_get_error(ctx) == X509_V_OK)
        ossl->crypto.X509_STORE_CTX_set_error(ctx, error);
    return 0;
}
