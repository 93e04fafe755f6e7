/* SPDX-License-Identifier: MIT */
/* The hooks, see hooks.h. They decide when a question is asked and what becomes of its answer; how
 * it is asked is check.c's.
 *
 * Nothing of ours is stored in OpenSSL's objects: the callbacks carry their table as an argument or
 * by their slot, and what a running check knows is in its frame. */
#include "config.h"

#include "provider/hooks.h"

#include <errno.h>

#include "provider/check.h"
#include "provider/frame.h"
#include "provider/refuse.h"

/* The errors that mean "no anchor vouches for it", and nothing else. Only these may be overruled,
 * and only in replace mode. */
static bool is_trust_error(int error)
{
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return true;
    default:
        return false;
    }
}

/* The client-side SSL whose peer is being verified; NULL for everything else OpenSSL verifies. */
static const SSL *client_of(struct cvg_ossl *ossl, const X509_STORE_CTX *ctx)
{
    struct cvg_ssl_functions room;
    const struct cvg_ssl_functions *functions = cvg_ossl_ssl(ossl, &room);
    const SSL *ssl;

    if (!functions)
        return NULL;
    ssl = ossl->crypto.X509_STORE_CTX_get_ex_data(ctx,
                                                  functions->SSL_get_ex_data_X509_STORE_CTX_idx());
    return ssl && !functions->SSL_is_server(ssl) ? ssl : NULL;
}

/* Stands before the program's own verify callback while our X509_verify_cert runs. */
static int watch_errors(struct cvg_ossl *ossl, int ok, X509_STORE_CTX *ctx)
{
    struct cvg_frame *frame = cvg_frame_find(ctx);
    int error = ossl->crypto.X509_STORE_CTX_get_error(ctx);
    int result;

    if (!frame)
        return ok;
    if (!ok && frame->suppress && is_trust_error(error)) {
        if (frame->trust_error == 0) {
            frame->trust_error = error;
            frame->trust_depth = ossl->crypto.X509_STORE_CTX_get_error_depth(ctx);
        }
        ossl->crypto.X509_STORE_CTX_set_error(ctx, frame->passed_error);
        return 1;
    }
    result = frame->program_cb ? frame->program_cb(ok, ctx) : ok;
    frame = cvg_frame_find(ctx);
    if (frame && !ok && result) {
        frame->trust_passed = frame->trust_passed || is_trust_error(error);
        frame->passed_error = ossl->crypto.X509_STORE_CTX_get_error(ctx);
    }
    return result;
}

/* A good chain, or one that only lacks an anchor: the notaries' turn. A trust error that the
 * program let pass is its own wish. An error of another kind that it let pass is no obstacle to a
 * question, but one more reason not to overrule a trust error. */
static int judge(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, const SSL *ssl,
                 const struct cvg_frame *frame)
{
    enum cvg_action action = CVG_ACTION_UNCHANGED;

    if (frame->trust_passed)
        return 1;
    if (frame->trust_error == 0) {
        action = cvg_check_run(ossl, ctx, ssl, CVG_PKI_OK, frame->passed_error);
        return action != CVG_ACTION_REFUSE
                   ? 1
                   : cvg_refuse(ossl, ctx, frame->program_cb, X509_V_ERR_CERT_REJECTED, 0);
    }
    if (frame->passed_error == X509_V_OK)
        action = cvg_check_run(ossl, ctx, ssl, CVG_PKI_TRUST_ERROR, frame->trust_error);
    if (action == CVG_ACTION_ACCEPT)
        return 1;
    return cvg_refuse(ossl, ctx, frame->program_cb, frame->trust_error, frame->trust_depth);
}

/* libssl reads a negative result of a callback as "try again", of X509_verify_cert as "no". */
static int plain_verify(struct cvg_ossl *ossl, X509_STORE_CTX *ctx)
{
    return ossl->crypto.X509_verify_cert(ctx) > 0;
}

static int fail(struct cvg_ossl *ossl, X509_STORE_CTX *ctx)
{
    ossl->crypto.X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
    return 0;
}

static int verify_watched(const struct cvg_brief *brief, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                          const SSL *ssl, X509_STORE_CTX_verify_cb watcher)
{
    struct cvg_frame *frame = cvg_frame_push(ctx), seen;
    X509_STORE_CTX_verify_cb program_cb = ossl->crypto.X509_STORE_CTX_get_verify_cb(ctx);
    uint64_t sequence;
    int ok;

    if (!frame)
        return fail(ossl, ctx);
    sequence = frame->sequence;
    frame->program_cb = program_cb == watcher ? NULL : program_cb;
    frame->suppress = brief->mode == CVG_MODE_REPLACE && !brief->broken;
    ossl->crypto.X509_STORE_CTX_set_verify_cb(ctx, watcher);
    ok = ossl->crypto.X509_verify_cert(ctx) > 0;
    if (ossl->crypto.X509_STORE_CTX_get_verify_cb(ctx) == watcher)
        ossl->crypto.X509_STORE_CTX_set_verify_cb(ctx, program_cb);
    frame = cvg_frame_find(ctx);
    if (!frame || frame->sequence != sequence)
        return fail(ossl, ctx);
    seen = *frame;
    if (ok)
        ok = judge(ossl, ctx, ssl, &seen);
    cvg_frame_drop(ctx);
    return ok;
}

static int verify_peer(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, X509_STORE_CTX_verify_cb watcher)
{
    const SSL *ssl = client_of(ossl, ctx);
    struct cvg_brief brief;

    if (!ssl)
        return plain_verify(ossl, ctx);
    cvg_check_prepare(&brief);
    if (brief.excluded)
        return plain_verify(ossl, ctx);
    return verify_watched(&brief, ossl, ctx, ssl, watcher);
}

/* What the X509_STORE_CTX would verify with if we were not there. */
static X509_STORE_CTX_verify_fn original_verify(const struct cvg_ossl *ossl,
                                                const X509_STORE_CTX *ctx,
                                                X509_STORE_CTX_verify_fn ours)
{
    const X509_STORE *store = ossl->crypto.X509_STORE_CTX_get0_store(ctx);
    X509_STORE_CTX_verify_fn verify = store ? ossl->crypto.X509_STORE_get_verify(store) : NULL;

    return verify && verify != ours ? verify : atomic_load(&ossl->default_verify);
}

/* The net: OpenSSL's own last step of a verification. A frame means that our callback is at work
 * above and will ask; without one the program has replaced it. The net can only refuse: what PKI
 * refuses has mostly been refused before OpenSSL comes here. */
static int verify_net(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, X509_STORE_CTX_verify_fn ours)
{
    int ok = original_verify(ossl, ctx, ours)(ctx);
    int passed_error = ossl->crypto.X509_STORE_CTX_get_error(ctx);
    const SSL *ssl;
    struct cvg_brief brief;

    if (ok <= 0 || cvg_frame_find(ctx) || is_trust_error(passed_error))
        return ok;
    ssl = client_of(ossl, ctx);
    if (!ssl)
        return ok;
    cvg_check_prepare(&brief);
    if (brief.excluded ||
        cvg_check_run(ossl, ctx, ssl, CVG_PKI_OK, passed_error) != CVG_ACTION_REFUSE)
        return ok;
    return cvg_refuse(ossl, ctx, ossl->crypto.X509_STORE_CTX_get_verify_cb(ctx),
                      X509_V_ERR_CERT_REJECTED, 0);
}

/* Two of OpenSSL's callbacks carry no argument, so each table has functions of its own. */
#define SLOT(n)                                                                                    \
    static int net_##n(X509_STORE_CTX *ctx)                                                        \
    {                                                                                              \
        return verify_net(cvg_ossl_slot(n), ctx, net_##n);                                         \
    }                                                                                              \
    static int watch_##n(int ok, X509_STORE_CTX *ctx)                                              \
    {                                                                                              \
        return watch_errors(cvg_ossl_slot(n), ok, ctx);                                            \
    }

SLOT(0)
SLOT(1)
SLOT(2)
SLOT(3)
_Static_assert(CVG_OSSL_MAX == 4, "one SLOT for each table");

static const X509_STORE_CTX_verify_fn nets[CVG_OSSL_MAX] = {net_0, net_1, net_2, net_3};
static const X509_STORE_CTX_verify_cb watchers[CVG_OSSL_MAX] = {watch_0, watch_1, watch_2, watch_3};

static int verify_callback(X509_STORE_CTX *ctx, void *user)
{
    struct cvg_ossl *ossl = user;

    return verify_peer(ossl, ctx, watchers[ossl->slot]);
}

static bool wanted(struct cvg_ossl *ossl)
{
    return atomic_load_explicit(&ossl->instances, memory_order_relaxed) > 0;
}

static void new_ssl_ctx(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    struct cvg_ossl *ossl = argp;
    const struct cvg_ssl_functions *functions;
    struct cvg_ssl_functions room;
    int saved = errno;

    (void)ptr, (void)data, (void)index, (void)argl;
    functions = wanted(ossl) ? cvg_ossl_ssl(ossl, &room) : NULL;
    if (functions)
        functions->SSL_CTX_set_cert_verify_callback(parent, verify_callback, ossl);
    errno = saved;
}

static void new_store_ctx(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                          void *argp)
{
    struct cvg_ossl *ossl = argp;

    (void)ptr, (void)data, (void)index, (void)argl;
    cvg_frame_drop(parent);
    if (wanted(ossl) && atomic_load(&ossl->default_verify))
        ossl->crypto.X509_STORE_CTX_set_verify(parent, nets[ossl->slot]);
}

/* Asks OpenSSL itself whether this context is hooked: a list of our own would go stale when
 * contexts are freed and their addresses used again. Learns the default verification by the way.
 * Without memory the answer is no: hooking twice does no harm, hooking never does. */
static bool hooked(struct cvg_ossl *ossl)
{
    X509_STORE_CTX *probe = ossl->crypto.X509_STORE_CTX_new();
    X509_STORE_CTX_verify_fn verify = NULL, unknown = NULL;

    if (probe && ossl->crypto.X509_STORE_CTX_init(probe, NULL, NULL, NULL))
        verify = ossl->crypto.X509_STORE_CTX_get_verify(probe);
    ossl->crypto.X509_STORE_CTX_free(probe);
    if (verify && verify != nets[ossl->slot])
        atomic_compare_exchange_strong(&ossl->default_verify, &unknown, verify);
    return verify == nets[ossl->slot];
}

static void install(struct cvg_ossl *ossl)
{
    if (hooked(ossl))
        return;
    ossl->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE_CTX, 0, ossl, new_store_ctx,
                                         NULL, NULL);
    ossl->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, ossl, new_ssl_ctx, NULL, NULL);
}

void cvg_hooks_install(struct cvg_ossl *ossl, OSSL_LIB_CTX *libctx)
{
    OSSL_LIB_CTX *previous = libctx ? ossl->crypto.OSSL_LIB_CTX_set0_default(libctx) : NULL;

    if (libctx && !previous)
        return;
    install(ossl);
    if (libctx)
        ossl->crypto.OSSL_LIB_CTX_set0_default(previous);
}
