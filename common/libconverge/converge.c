/* SPDX-License-Identifier: MIT */
/* The public API: options, the question, and its answer as an X509_V_* value. */
#include "config.h"

#include "common/libconverge/converge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/libconverge/ask.h"
#include "common/libconverge/idn.h"
#include "common/libconverge/result.h"

enum {
    V_OK = 0,
    V_UNSPECIFIED = 1,
    V_CERT_REJECTED = 28,
    V_APPLICATION_VERIFICATION = 50,
};

#define TIMEOUT_MIN_MS 100
#define TIMEOUT_MAX_MS 60000
#define PKI_UNSET      (-1)

struct converge_options {
    unsigned timeout_ms; /* 0: the configuration's */
    unsigned char *certificate;
    size_t certificate_len;
    int pki; /* X509_V_*, or PKI_UNSET */
    int start_agent;
};

static const converge_options defaults = {.pki = PKI_UNSET, .start_agent = 1};

converge_options *converge_options_new(void)
{
    converge_options *options = malloc(sizeof *options);

    if (options != NULL)
        *options = defaults;
    return options;
}

void converge_options_free(converge_options *options)
{
    if (options == NULL)
        return;
    free(options->certificate);
    free(options);
}

int converge_options_set_timeout_ms(converge_options *options, unsigned timeout_ms)
{
    if (timeout_ms < TIMEOUT_MIN_MS || timeout_ms > TIMEOUT_MAX_MS)
        return -1;
    options->timeout_ms = timeout_ms;
    return 0;
}

int converge_options_set_certificate(converge_options *options, const void *der, size_t len)
{
    unsigned char *copy;

    if (der == NULL || len == 0 || len > CVG_MESSAGE_LEAF_MAX)
        return -1;
    copy = malloc(len);
    if (copy == NULL)
        return -1;
    memcpy(copy, der, len);
    free(options->certificate);
    options->certificate = copy;
    options->certificate_len = len;
    return 0;
}

int converge_options_set_pki_result(converge_options *options, int x509_v_result)
{
    if (x509_v_result < 0)
        return -1;
    options->pki = x509_v_result;
    return 0;
}

int converge_options_set_start_agent(converge_options *options, int start)
{
    options->start_agent = start != 0;
    return 0;
}

static enum cvg_error set_endpoint(const char *host, int port, struct cvg_question *ret_question,
                                   struct cvg_why *ret_why)
{
    struct cvg_endpoint endpoint;
    enum cvg_error err;

    if (host == NULL || port < 1 || port > 65535)
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT,
                        host == NULL ? "no host" : "a port is 1 to 65535, not %d", port);
    err = cvg_user_endpoint_set(host, (unsigned)port, &endpoint, ret_why);
    if (err != CVG_OK)
        return err;
    memcpy(ret_question->host, endpoint.host, sizeof ret_question->host);
    ret_question->have_name = true;
    ret_question->host_found = CVG_FOUND_GIVEN;
    ret_question->port[0] = endpoint.port;
    ret_question->port_count = 1;
    ret_question->port_found = CVG_FOUND_GIVEN;
    return CVG_OK;
}

static enum cvg_error make_question(const char *host, int port, const char *fingerprint,
                                    const converge_options *options,
                                    struct cvg_question *ret_question, struct cvg_why *ret_why)
{
    enum cvg_error err = set_endpoint(host, port, ret_question, ret_why);

    if (err != CVG_OK)
        return err;
    cvg_client_program_name(ret_question->program);
    /* Not told about PKI, the policy must not count it as failed: the notaries alone decide. */
    ret_question->pki = options->pki == PKI_UNSET ? CVG_PKI_OK : cvg_pki_of_x509(options->pki);
    ret_question->pki_error = options->pki == PKI_UNSET ? V_OK : options->pki;
    if (options->certificate != NULL) {
        ret_question->leaf = options->certificate;
        ret_question->leaf_len = options->certificate_len;
        return CVG_OK;
    }
    if (fingerprint == NULL)
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT, "neither a fingerprint nor a certificate");
    return cvg_fingerprint_parse(fingerprint, strlen(fingerprint), &ret_question->fingerprint,
                                 ret_why);
}

static void refuse_malformed(const struct cvg_why *why, struct cvg_answer *ret_answer)
{
    ret_answer->verdict = CVG_VERDICT_NONE;
    ret_answer->action = CVG_ACTION_REFUSE;
    ret_answer->reason = CVG_REASON_BAD_QUESTION;
    snprintf(ret_answer->text, sizeof ret_answer->text, "%.*s", (int)sizeof ret_answer->text - 1,
             why->text);
}

/* Only an accepting action, and where nobody was asked PKI's own good word, give X509_V_OK. */
static int value_of(const struct cvg_answer *answer, int pki)
{
    if (answer->action == CVG_ACTION_ACCEPT)
        return V_OK;
    if (answer->verdict == CVG_VERDICT_DISAGREE)
        return V_CERT_REJECTED;
    if (answer->action == CVG_ACTION_UNCHANGED && pki != PKI_UNSET)
        return pki;
    return pki > V_OK ? pki : V_APPLICATION_VERIFICATION;
}

int converge_check(const char *host, int port, const char *fingerprint,
                   const converge_options *options, converge_result **ret_result)
{
    converge_result *result = calloc(1, sizeof *result);
    struct cvg_question question = {.host = ""};
    struct cvg_why why = {""};
    int value = V_UNSPECIFIED;

    if (options == NULL)
        options = &defaults;
    if (ret_result != NULL)
        *ret_result = result;
    if (result == NULL)
        return V_APPLICATION_VERIFICATION;
    if (make_question(host, port, fingerprint, options, &question, &why) != CVG_OK) {
        refuse_malformed(&why, &result->answer);
    } else {
        cvg_ask(&question, options->start_agent != 0, options->timeout_ms, &result->answer);
        value = value_of(&result->answer, options->pki);
    }
    if (ret_result == NULL)
        converge_result_free(result);
    return value;
}

int converge(const char *host, int port, const char *sha1sum)
{
    return converge_check(host, port, sha1sum, NULL, NULL);
}

const char *converge_strerror(int result)
{
    switch (result) {
    case V_OK:
        return "the notaries agree";
    case V_UNSPECIFIED:
        return "the host, the port or the fingerprint is malformed";
    case V_CERT_REJECTED:
        return "the notaries see another certificate there";
    case V_APPLICATION_VERIFICATION:
        return "too few notaries could be asked to decide";
    default:
        return "the certificate chain was not accepted";
    }
}

const char *converge_version(void)
{
    return PACKAGE_VERSION;
}
