/* SPDX-License-Identifier: MIT */
/* Puts a question together and asks it. Whatever goes wrong here ends in the action of a check that
 * nobody answered, never in "trusted". */
#include "config.h"

#include "provider/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/client/client.h"
#include "provider/peer.h"

/* What must not leak into the host while our code runs: errno, and its wish to end this thread,
 * which would leave a lock, memory or a descriptor behind. */
struct guard {
    int saved_errno;
    int cancel_state;
};

static struct guard guard_begin(void)
{
    struct guard guard = {.saved_errno = errno};

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard.cancel_state);
    return guard;
}

static void guard_end(const struct guard *guard)
{
    pthread_setcancelstate(guard->cancel_state, NULL);
    errno = guard->saved_errno;
}

struct cvg_check *cvg_check_new(void)
{
    struct guard guard = guard_begin();
    struct cvg_check *check = malloc(sizeof *check);

    if (check)
        cvg_settings_get(&check->settings);
    guard_end(&guard);
    return check;
}

void cvg_check_free(struct cvg_check *check)
{
    int saved = errno;

    free(check);
    errno = saved;
}

/* What follows where no question could be asked. A configuration that cannot be believed counts as
 * the defaults, which refuse. */
static enum cvg_action unanswered(const struct cvg_settings *settings, enum cvg_pki pki)
{
    enum cvg_mode mode = settings ? settings->config.mode : CVG_MODE_AUGMENT;
    enum cvg_unreachable policy = settings ? settings->config.on_unreachable : CVG_UNREACHABLE_DENY;

    return cvg_action_of(mode, CVG_VERDICT_NONE, policy, pki == CVG_PKI_OK,
                         pki == CVG_PKI_TRUST_ERROR, false);
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
        return unanswered(&check->settings, question->pki);
    question->leaf = leaf;
    question->leaf_len = (size_t)len;
    memcpy(question->program, check->settings.program, sizeof question->program);
    if (question->pki == CVG_PKI_OK)
        set_anchor(ossl, ctx, question);
    cvg_client_ask(&check->settings.config, &check->settings.paths, question, &check->answer);
    return check->answer.action;
}

static enum cvg_action run(struct cvg_check *check, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                           const SSL *ssl)
{
    unsigned char *leaf = NULL;
    X509 *cert = ossl->crypto.X509_STORE_CTX_get0_cert(ctx);
    enum cvg_action action;
    int len;

    switch (cvg_peer_find(ossl, ctx, ssl, &check->settings.config, &check->question)) {
    case CVG_PEER_NOT_APPLICABLE:
        return CVG_ACTION_UNCHANGED;
    case CVG_PEER_FOUND:
        break;
    case CVG_PEER_BAD:
    default:
        return unanswered(&check->settings, check->question.pki);
    }
    len = cert ? ossl->crypto.i2d_X509(cert, &leaf) : 0;
    action = ask(check, ossl, ctx, leaf, len);
    ossl->crypto.CRYPTO_free(leaf, __FILE__, __LINE__);
    return action;
}

enum cvg_action cvg_check_run(struct cvg_check *check, struct cvg_ossl *ossl, X509_STORE_CTX *ctx,
                              const SSL *ssl, enum cvg_pki pki, int pki_error)
{
    struct guard guard = guard_begin();
    enum cvg_action action;

    if (!check || check->settings.broken) {
        action = unanswered(check ? &check->settings : NULL, pki);
    } else {
        memset(&check->question, 0, sizeof check->question);
        check->question.pki = pki;
        check->question.pki_error = pki_error;
        ossl->crypto.ERR_set_mark();
        action = run(check, ossl, ctx, ssl);
        ossl->crypto.ERR_pop_to_mark();
    }
    guard_end(&guard);
    return action == CVG_ACTION_ACCEPT || action == CVG_ACTION_UNCHANGED ? action
                                                                         : CVG_ACTION_REFUSE;
}
