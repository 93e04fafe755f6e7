/* SPDX-License-Identifier: MIT */
/* libconverge: ask the user's notaries about a certificate.
 *
 * Every function may be called from any thread, starts the user's agent if none is running, prints
 * nothing, and returns within the configured deadline (2 seconds unless set). */
#ifndef CONVERGE_H
#define CONVERGE_H

#include <stddef.h>

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* The drop-in for SSL_get_verify_result(): 0 (X509_V_OK) if the notaries agree that a server at
 * host:port shows the certificate with this fingerprint (or the configuration accepts without:
 * on_unreachable, mode = monitor), else an X509_V_ERR_* value:
 *   28 X509_V_ERR_CERT_REJECTED            the notaries disagree
 *   50 X509_V_ERR_APPLICATION_VERIFICATION undecided and on_unreachable denies; no agent; or the
 *                                          endpoint is exempt: nobody vouches for it
 *   1  X509_V_ERR_UNSPECIFIED              host, port or fingerprint is malformed
 * host: a name or IP address, NUL-terminated, also an international one in UTF-8; port: 1..65535;
 * sha1sum: SHA-1 or SHA-256 of the DER certificate in hexadecimal, with or without colons. */
int converge(const char *host, int port, const char *sha1sum);

/* The fuller call. */
typedef struct converge_options converge_options;
typedef struct converge_result converge_result;

/* All options at their defaults; NULL without memory. The caller frees it. */
converge_options *converge_options_new(void);
void converge_options_free(converge_options *options);
/* Setters return 0, or -1 for a value that is not allowed. */
/* Milliseconds, 100..60000; the configuration's deadline is the default. */
int converge_options_set_timeout_ms(converge_options *options, unsigned timeout_ms);
/* Ask about a whole DER certificate (copied, at most 65536 octets); fingerprint may then be NULL.
 */
int converge_options_set_certificate(converge_options *options, const void *der, size_t len);
/* What PKI said: 0 or an X509_V_ERR_* value. Unless set, the notaries alone decide. Once set, it is
 * also what converge_check() returns where the notaries are not asked (an exempt endpoint) or PKI
 * keeps its say (a wrong name; any failure outside `replace` mode). */
int converge_options_set_pki_result(converge_options *options, int x509_v_result);
/* Whether to start an agent if there is none (default 1). */
int converge_options_set_start_agent(converge_options *options, int start);

/* Like converge(); *ret_result (never NULL on return unless memory ran out) tells who said what and
 * is freed by the caller. options and ret_result may be NULL. */
int converge_check(const char *host, int port, const char *fingerprint,
                   const converge_options *options, converge_result **ret_result);
void converge_result_free(converge_result *result);

/* Strings live as long as the result. */
const char *converge_result_verdict(const converge_result *result); /* "agree", "disagree", ... */
const char *converge_result_action(const converge_result *result);  /* "accept", "refuse", ... */
const char *converge_result_reason(const converge_result *result);  /* "vote", "cache", ... */
const char *converge_result_text(const converge_result *result);    /* one sentence */
unsigned converge_result_elapsed_ms(const converge_result *result);
size_t converge_result_vote_count(const converge_result *result);
/* index < vote_count; else NULL or 0. */
const char *converge_result_vote_notary(const converge_result *result, size_t index);
const char *converge_result_vote_answer(const converge_result *result, size_t index);
unsigned converge_result_vote_elapsed_ms(const converge_result *result, size_t index);
/* Why a silent notary gave no answer ("timeout", "pin", "unreachable" ...); "" for all others. */
const char *converge_result_vote_error(const converge_result *result, size_t index);
/* Whether it was asked through another notary: 0 or 1. */
int converge_result_vote_bounced(const converge_result *result, size_t index);

/* A phrase for a value converge() returned; static. */
const char *converge_strerror(int result);
/* "MAJOR.MINOR.PATCH"; static. */
const char *converge_version(void);

#ifdef __cplusplus
}
#endif
#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#endif
