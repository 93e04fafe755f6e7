/* SPDX-License-Identifier: MIT */
/* The verifier of DANE: where the host's CNAMEs end, then the TLSA records there, then those at the
 * host itself (RFC 7671, 7), as far as DNSSEC proves them; and what they say of the leaf. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notary/chain.h"
#include "notary/dane.h"
#include "notary/verifier.h"

struct dane_verifier {
    struct cvg_verifier base; /* first: casts */
    struct cvg_resolver *resolver;
    struct cvg_metrics *metrics;
    struct cvg_dane *dane;
};

struct cvg_verification {
    struct dane_verifier *verifier;
    const struct cvg_evidence *evidence;
    char canonical[CVG_HOST_MAX]; /* where the CNAMEs end, if that is proven and another name */
    struct cvg_dns_question *question;
    cvg_verifier_done *done;
    void *user;
};

static void finish(struct cvg_verification *verification, const struct cvg_dns_answer *records)
{
    struct cvg_judgements judgements = {.verifier = CVG_VERIFIER_DANE};
    const struct cvg_evidence *evidence = verification->evidence;
    const char *canonical = verification->canonical[0] == '\0' ? NULL : verification->canonical;
    for (size_t i = 0; records != NULL && i < evidence->count; i++) {
        STACK_OF(X509) *chain = NULL;
        if (cvg_chain_read(evidence->sighting[i].chain, &chain) != CVG_OK)
            continue;
        judgements.opinion[i] = (uint8_t)cvg_dane_judge(
            verification->verifier->dane, evidence->endpoint.host, canonical, records, chain);
        sk_X509_pop_free(chain, X509_free);
    }
    cvg_verifier_done *done = verification->done;
    void *user = verification->user;
    free(verification);
    done(&judgements, user);
}

/* Whether DNSSEC proves the answer; counts where it shows that to be forged. */
static bool is_proven(struct cvg_verification *verification, const struct cvg_dns_answer *answer)
{
    verification->question = NULL;
    if (answer->security == CVG_DNS_BOGUS)
        cvg_metrics_add(verification->verifier->metrics, CVG_METRIC_DNS_BOGUS, 1);
    return answer->security == CVG_DNS_SECURE;
}

static bool ask(struct cvg_verification *verification, const char *host, cvg_dns_done *done)
{
    char name[CVG_HOST_MAX + sizeof("_65535._tcp.")];
    (void)snprintf(name, sizeof(name), "_%u._tcp.%s",
                   (unsigned)verification->evidence->endpoint.port, host);
    return cvg_dns_start(cvg_resolver_dns(verification->verifier->resolver), name, CVG_DNS_TLSA,
                         done, verification, &verification->question) == CVG_OK;
}

static void at_host(const struct cvg_dns_answer *answer, void *user)
{
    struct cvg_verification *verification = user;
    bool proven = is_proven(verification, answer);
    finish(verification, proven && answer->err == CVG_OK ? answer : NULL);
}

/* Only a proof that there are no records sends the question to the host itself: whoever can merely
 * suppress an answer must not choose which records count. */
static void at_canonical(const struct cvg_dns_answer *answer, void *user)
{
    struct cvg_verification *verification = user;
    bool proven = is_proven(verification, answer);
    if (proven && answer->err == CVG_OK)
        finish(verification, answer);
    else if (!proven || answer->err != CVG_ERR_NOT_FOUND ||
             !ask(verification, verification->evidence->endpoint.host, at_host))
        finish(verification, NULL);
}

/* The host's address is asked for because of the names on the way to it. */
static void addressed(const struct cvg_dns_answer *answer, void *user)
{
    struct cvg_verification *verification = user;
    const char *host = verification->evidence->endpoint.host;
    struct cvg_endpoint end = {.host = ""};
    bool proven = is_proven(verification, answer);
    if (answer->err != CVG_OK && answer->err != CVG_ERR_NOT_FOUND) {
        finish(verification, NULL);
        return;
    }
    bool elsewhere =
        proven && answer->canonical != NULL &&
        cvg_endpoint_set(answer->canonical, strlen(answer->canonical), 1, &end, NULL) == CVG_OK &&
        strcmp(end.host, host) != 0;
    if (elsewhere)
        memcpy(verification->canonical, end.host, sizeof(verification->canonical));
    if (!ask(verification, elsewhere ? end.host : host, elsewhere ? at_canonical : at_host))
        finish(verification, NULL);
}

static struct cvg_verification *start(struct cvg_verifier *verifier,
                                      const struct cvg_evidence *evidence, cvg_verifier_done *done,
                                      void *user, struct cvg_judgements *ret_judgements)
{
    struct dane_verifier *self = (struct dane_verifier *)(void *)verifier;
    (void)ret_judgements; /* aside, if nobody is asked */
    if (evidence->endpoint.kind != CVG_HOST_NAME)
        return NULL;
    struct cvg_verification *verification = calloc(1, sizeof(*verification));
    if (verification == NULL)
        return NULL;
    *verification = (struct cvg_verification){
        .verifier = self, .evidence = evidence, .done = done, .user = user};
    if (cvg_dns_start(cvg_resolver_dns(self->resolver), evidence->endpoint.host, CVG_DNS_A,
                      addressed, verification, &verification->question) != CVG_OK) {
        free(verification);
        return NULL;
    }
    return verification;
}

static void cancel(struct cvg_verification *verification)
{
    cvg_dns_cancel(verification->question);
    free(verification);
}

static void free_verifier(struct cvg_verifier *verifier)
{
    struct dane_verifier *self = (struct dane_verifier *)(void *)verifier;
    cvg_dane_free(self->dane);
    free(self);
}

enum cvg_error cvg_verifier_dane_new(struct cvg_resolver *resolver, struct cvg_metrics *metrics,
                                     struct cvg_verifier **ret_verifier)
{
    struct dane_verifier *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return CVG_ERR_NOMEM;
    self->base = (struct cvg_verifier){
        .id = CVG_VERIFIER_DANE, .start = start, .cancel = cancel, .free = free_verifier};
    self->resolver = resolver;
    self->metrics = metrics;
    enum cvg_error err = cvg_dane_new(&self->dane);
    if (err != CVG_OK) {
        free(self);
        return err;
    }
    *ret_verifier = &self->base;
    return CVG_OK;
}
