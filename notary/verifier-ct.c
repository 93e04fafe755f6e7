/* SPDX-License-Identifier: MIT */
/* The verifier of Certificate Transparency: SCTs that are embedded in the leaf (RFC 6962, 3.3),
 * checked against a list of logs with OpenSSL's code. That takes the issuer's key, so it goes by
 * what the server shows behind the leaf. */
#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "notary/chain.h"
#include "notary/verifier.h"

#define SCTS_MAX      64 /* each takes a signature's verification */
#define ISSUERS_MAX   2  /* each as well: who has the issuer's name and is not the issuer is rare */
#define LOGS_FILE_MAX (1 << 20)

struct ct_verifier {
    struct cvg_verifier base; /* first: casts */
    CTLOG_STORE *logs;
    unsigned min;
};

/* The certificate behind the leaf that has signed it, or NULL. */
static X509 *issuer_of(X509 *leaf, STACK_OF(X509) * chain)
{
    int tried = 0;
    for (int i = 1; i < sk_X509_num(chain) && tried < ISSUERS_MAX; i++) {
        X509 *candidate = sk_X509_value(chain, i);
        if (X509_check_issued(candidate, leaf) != X509_V_OK)
            continue;
        if (X509_verify(leaf, X509_get0_pubkey(candidate)) == 1)
            return candidate;
        tried++;
    }
    return NULL;
}

static bool same_log(const SCT *a, const SCT *b)
{
    unsigned char *id_a = NULL, *id_b = NULL;
    size_t len_a = SCT_get0_log_id(a, &id_a), len_b = SCT_get0_log_id(b, &id_b);
    return len_a == len_b && memcmp(id_a, id_b, len_a) == 0;
}

/* A log counts once, however many SCTs it has given. */
static unsigned count_logs(const STACK_OF(SCT) * scts)
{
    unsigned logs = 0;
    for (int i = 0; i < sk_SCT_num(scts); i++) {
        bool counted =
            SCT_get_validation_status(sk_SCT_value(scts, i)) != SCT_VALIDATION_STATUS_VALID;
        for (int k = 0; k < i && !counted; k++)
            counted =
                SCT_get_validation_status(sk_SCT_value(scts, k)) == SCT_VALIDATION_STATUS_VALID &&
                same_log(sk_SCT_value(scts, i), sk_SCT_value(scts, k));
        logs += !counted;
    }
    return logs;
}

/* Negative values of SCT_LIST_validate are failures of its own, not of an SCT. */
static enum cvg_v2_opinion judge_scts(const struct ct_verifier *self, X509 *leaf, X509 *issuer,
                                      const STACK_OF(SCT) * scts)
{
    enum cvg_v2_opinion opinion = CVG_V2_OPINION_NONE;
    CT_POLICY_EVAL_CTX *context = CT_POLICY_EVAL_CTX_new();
    if (context != NULL && CT_POLICY_EVAL_CTX_set1_cert(context, leaf) == 1 &&
        CT_POLICY_EVAL_CTX_set1_issuer(context, issuer) == 1) {
        CT_POLICY_EVAL_CTX_set_shared_CTLOG_STORE(context, self->logs);
        if (SCT_LIST_validate(scts, context) >= 0)
            opinion = count_logs(scts) >= self->min ? CVG_V2_OPINION_YES : CVG_V2_OPINION_NO;
    }
    CT_POLICY_EVAL_CTX_free(context);
    return opinion;
}

static enum cvg_v2_opinion judge_chain(const struct ct_verifier *self, STACK_OF(X509) * chain)
{
    X509 *leaf = sk_X509_value(chain, 0);
    enum cvg_v2_opinion opinion = CVG_V2_OPINION_NONE;
    STACK_OF(SCT) *scts = X509_get_ext_d2i(leaf, NID_ct_precert_scts, NULL, NULL);
    X509 *issuer = sk_SCT_num(scts) > 0 ? issuer_of(leaf, chain) : NULL;
    if (issuer != NULL && sk_SCT_num(scts) <= SCTS_MAX)
        opinion = judge_scts(self, leaf, issuer, scts);
    SCT_LIST_free(scts);
    return opinion;
}

static struct cvg_verification *judge(struct cvg_verifier *verifier,
                                      const struct cvg_evidence *evidence, cvg_verifier_done *done,
                                      void *user, struct cvg_judgements *ret_judgements)
{
    const struct ct_verifier *self = (const struct ct_verifier *)(const void *)verifier;
    (void)done;
    (void)user;
    ERR_set_mark();
    for (size_t i = 0; i < evidence->count; i++) {
        STACK_OF(X509) *chain = NULL;
        if (cvg_chain_read(evidence->sighting[i].chain, &chain) != CVG_OK)
            continue;
        ret_judgements->opinion[i] = (uint8_t)judge_chain(self, chain);
        sk_X509_pop_free(chain, X509_free);
    }
    ERR_pop_to_mark();
    return NULL;
}

static void free_verifier(struct cvg_verifier *verifier)
{
    struct ct_verifier *self = (struct ct_verifier *)(void *)verifier;
    CTLOG_STORE_free(self->logs);
    free(self);
}

/* OpenSSL opens the file itself; that nobody else can have written it is seen before. */
static enum cvg_error load_logs(const char *file, CTLOG_STORE *logs, struct cvg_why *why)
{
    struct cvg_buffer text = {0};
    enum cvg_error err = cvg_file_read(file, geteuid(), LOGS_FILE_MAX, false, &text, why);
    cvg_buffer_free(&text);
    if (err == CVG_OK && CTLOG_STORE_load_file(logs, file) != 1)
        err = cvg_fail(why, CVG_ERR_CONFIG, "%s: no list of logs as OpenSSL reads them", file);
    ERR_clear_error();
    return err;
}

enum cvg_error cvg_verifier_ct_new(const char *logs, unsigned min,
                                   struct cvg_verifier **ret_verifier, struct cvg_why *ret_why)
{
    struct ct_verifier *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return CVG_ERR_NOMEM;
    self->base =
        (struct cvg_verifier){.id = CVG_VERIFIER_CT, .start = judge, .free = free_verifier};
    self->min = min;
    self->logs = CTLOG_STORE_new();
    enum cvg_error err = self->logs == NULL ? CVG_ERR_NOMEM : CVG_OK;
    if (err == CVG_OK)
        err = load_logs(logs, self->logs, ret_why);
    if (err != CVG_OK) {
        free_verifier(&self->base);
        return err;
    }
    *ret_verifier = &self->base;
    return CVG_OK;
}
