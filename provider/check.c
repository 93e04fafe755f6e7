/* SPDX-License-Identifier: MIT */
/* Puts a question together and asks it. Whatever goes wrong here ends in the action of a check that
 * nobody answered, never in "trusted". */
#include "config.h"

#include "provider/check.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/client/client.h"
#include "common/client/guard.h"
#include "provider/peer.h"

/* A generous guess of what is left of a process once exit() has come to OpenSSL. */
#define EXIT_TAKES_MS 1000

/* Too large for a stranger's stack, so it is on the heap. */
struct cvg_check {
    struct cvg_settings settings;
    struct cvg_question question;
    struct cvg_answer answer;
};

void cvg_check_prepare(struct cvg_brief *ret_brief)
{
    struct cvg_guard guard = cvg_guard_begin();

    cvg_settings_brief(ret_brief);
    cvg_guard_end(&guard);
}

/* The last certificate of a good chain is the anchor. */
static void set_anchor(const struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                       struct cvg_question *question)
{
    const OPENSSL_STACK *chain = (const void *)ossl->crypto.X509_STORE_CTX_get0_chain(ctx);
    int count = chain ? ossl->crypto.OPENSSL_sk_num(chain) : 0;
    unsigned len = 0;
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (count < 1 ||
        ossl->crypto.X509_digest(ossl->crypto.OPENSSL_sk_value(chain, count - 1),
                                 ossl->crypto.EVP_sha256(), digest, &len) != 1 ||
        len != CVG_SHA256_LEN)
        return;
    memcpy(question->anchor_sha256, digest, CVG_SHA256_LEN);
    question->have_anchor = true;
}

static enum cvg_action ask(struct cvg_check *check, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                           const unsigned char *leaf, int len)
{
    struct cvg_question *question = &check->question;

    if (len <= 0 || len > CVG_MESSAGE_LEAF_MAX)
        return cvg_settings_unanswered(&check->settings, question->pki);
    question->leaf = leaf;
    question->leaf_len = (size_t)len;
    memcpy(question->program, check->settings.program, sizeof question->program);
    if (question->pki == CVG_PKI_OK)
        set_anchor(ossl, ctx, question);
    cvg_client_ask(&check->settings.config, &check->settings.paths, question, &check->answer);
    return check->answer.action;
}

static enum cvg_action ask_about(struct cvg_check *check, struct cvg_ossl *ossl,
                                 X509_STORE_CTX *ctx, X509 *cert)
{
    unsigned char *leaf = NULL;
    int len = ossl->crypto.i2d_X509(cert, &leaf);
    enum cvg_action action = ask(check, ossl, ctx, leaf, len);

    ossl->crypto.CRYPTO_free(leaf, __FILE__, __LINE__);
    return action;
}

/* Without a certificate (a raw public key that the program trusts by itself) there is nothing that
 * a notary could compare. */
static enum cvg_action run(struct cvg_check *check, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                           const SSL *ssl)
{
    X509 *cert = ossl->crypto.X509_STORE_CTX_get0_cert(ctx);

    if (!cert)
        return CVG_ACTION_UNCHANGED;
    switch (cvg_peer_find(ossl, ctx, ssl, &check->settings.config, &check->question)) {
    case CVG_PEER_NOT_APPLICABLE:
        return CVG_ACTION_UNCHANGED;
    case CVG_PEER_FOUND:
        return ask_about(check, ossl, ctx, cert);
    case CVG_PEER_BAD:
    default:
        return cvg_settings_unanswered(&check->settings, check->question.pki);
    }
}

static enum cvg_action settle(struct cvg_check *check, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                              const SSL *ssl, enum cvg_pki pki, int pki_error)
{
    if (!check)
        return cvg_settings_unanswered(NULL, pki);
    cvg_settings_get(&check->settings);
    if (check->settings.broken)
        return cvg_settings_unanswered(&check->settings, pki);
    memset(&check->question, 0, sizeof check->question);
    check->question.pki = pki;
    check->question.pki_error = pki_error;
    return run(check, ossl, ctx, ssl);
}

/* If the last provider went while we waited, the process is on its way out of exit() and OpenSSL
 * has been cleaned up: a thread that went back into it would crash the program at its very end. */
static enum cvg_action leave_exit_alone(struct cvg_ossl *ossl, bool lived, enum cvg_action action)
{
    if (!lived || atomic_load(&ossl->instances) > 0)
        return action;
    poll(NULL, 0, EXIT_TAKES_MS);
    return CVG_ACTION_REFUSE;
}

enum cvg_action cvg_check_run(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, const SSL *ssl,
                              enum cvg_pki pki, int pki_error)
{
    struct cvg_guard guard = cvg_guard_begin();
    bool lived = atomic_load(&ossl->instances) > 0;
    struct cvg_check *check = malloc(sizeof *check);
    enum cvg_action action;

    ossl->crypto.ERR_set_mark();
    action = settle(check, ossl, ctx, ssl, pki, pki_error);
    action = leave_exit_alone(ossl, lived, action);
    ossl->crypto.ERR_pop_to_mark();
    free(check);
    cvg_guard_end(&guard);
    return action == CVG_ACTION_ACCEPT || action == CVG_ACTION_UNCHANGED ? action
                                                                         : CVG_ACTION_REFUSE;
}
