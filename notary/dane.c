/* SPDX-License-Identifier: MIT */
/* OpenSSL's DANE, without a connection: it hangs on an SSL object, which here never speaks. */
#include "notary/dane.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>

#include "notary/chain.h"

#define TLSA_HEAD 3 /* usage, selector, matching type */

enum { USAGE_PKIX_TA = 0, USAGE_PKIX_EE = 1, USAGE_DANE_TA = 2, USAGE_DANE_EE = 3 };

struct cvg_dane {
    SSL_CTX *context;
};

enum cvg_error cvg_dane_new(struct cvg_dane **ret_dane)
{
    struct cvg_dane *dane = calloc(1, sizeof(*dane));
    if (dane == NULL)
        return CVG_ERR_NOMEM;
    dane->context = SSL_CTX_new(TLS_client_method());
    if (dane->context == NULL || SSL_CTX_dane_enable(dane->context) != 1) {
        cvg_dane_free(dane);
        return CVG_ERR_CRYPTO;
    }
    /* Neither names nor dates count where the record is the leaf's own (RFC 7671, 5.1). */
    (void)SSL_CTX_dane_set_flags(dane->context, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    *ret_dane = dane;
    return CVG_OK;
}

void cvg_dane_free(struct cvg_dane *dane)
{
    if (dane == NULL)
        return;
    SSL_CTX_free(dane->context);
    free(dane);
}

static uint8_t constraint_of(uint8_t usage)
{
    return usage == USAGE_PKIX_TA ? USAGE_DANE_TA : usage == USAGE_PKIX_EE ? USAGE_DANE_EE : usage;
}

/* Whether the record carries a whole authority whose signatures cost more than any that is used:
 * the owner of a zone must not hold up the loop. */
static bool is_dear(const struct cvg_dns_record *record)
{
    const unsigned char *at = record->rdata + TLSA_HEAD;
    long len = (long)(record->len - TLSA_HEAD);
    if (constraint_of(record->rdata[0]) != USAGE_DANE_TA || record->rdata[2] != 0)
        return false;
    if (record->rdata[1] != 0) {
        EVP_PKEY *key = d2i_PUBKEY(NULL, &at, len);
        bool dear = cvg_chain_key_is_dear(key);
        EVP_PKEY_free(key);
        return dear;
    }
    X509 *certificate = d2i_X509(NULL, &at, len);
    bool dear = certificate != NULL && cvg_chain_key_is_dear(X509_get0_pubkey(certificate));
    X509_free(certificate);
    return dear;
}

/* How many of the records are usable. What is malformed, or of a kind that nobody knows, is not
 * there (RFC 6698, 4.1). */
static unsigned add_records(SSL *ssl, const struct cvg_dns_answer *records)
{
    unsigned usable = 0;
    for (size_t i = 0; i < records->count; i++) {
        const struct cvg_dns_record *record = &records->record[i];
        if (record->len > TLSA_HEAD && !is_dear(record) &&
            SSL_dane_tlsa_add(ssl, constraint_of(record->rdata[0]), record->rdata[1],
                              record->rdata[2], record->rdata + TLSA_HEAD,
                              record->len - TLSA_HEAD) > 0)
            usable++;
    }
    return usable;
}

static bool set_names(X509_VERIFY_PARAM *param, const char *host, const char *canonical)
{
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           (canonical == NULL || X509_VERIFY_PARAM_add1_host(param, canonical, 0) == 1);
}

/* Whether the verification itself failed, rather than the certificates. */
static bool failed(int error)
{
    return error == X509_V_ERR_OUT_OF_MEM || error == X509_V_ERR_UNSPECIFIED ||
           error == X509_V_ERR_INVALID_CALL || error == X509_V_ERR_STORE_LOOKUP;
}

static enum cvg_v2_opinion verify(SSL *ssl, X509_STORE *none, const char *host,
                                  const char *canonical, STACK_OF(X509) * chain)
{
    enum cvg_v2_opinion opinion = CVG_V2_OPINION_NONE;
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context != NULL &&
        X509_STORE_CTX_init(context, none, sk_X509_value(chain, 0), chain) == 1 &&
        X509_STORE_CTX_set_default(context, "ssl_server") == 1 &&
        set_names(X509_STORE_CTX_get0_param(context), host, canonical)) {
        X509_STORE_CTX_set0_dane(context, SSL_get0_dane(ssl));
        if (X509_verify_cert(context) == 1)
            opinion = CVG_V2_OPINION_YES;
        else if (!failed(X509_STORE_CTX_get_error(context)))
            opinion = CVG_V2_OPINION_NO;
    }
    X509_STORE_CTX_free(context);
    return opinion;
}

enum cvg_v2_opinion cvg_dane_judge(struct cvg_dane *dane, const char *host, const char *canonical,
                                   const struct cvg_dns_answer *records, STACK_OF(X509) * chain)
{
    enum cvg_v2_opinion opinion = CVG_V2_OPINION_NONE;
    ERR_set_mark();
    SSL *ssl = SSL_new(dane->context);
    X509_STORE *none = X509_STORE_new(); /* no authority is trusted but the records' */
    if (ssl != NULL && none != NULL && SSL_dane_enable(ssl, host) == 1 &&
        add_records(ssl, records) > 0)
        opinion = verify(ssl, none, host, canonical, chain);
    X509_STORE_free(none);
    SSL_free(ssl);
    ERR_pop_to_mark();
    return opinion;
}
