/* SPDX-License-Identifier: MIT */
/* Whether certificate, keys and bundle belong together. */
#include "notary/identity-check.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/base/log.h"
#include "common/protocol/bundle.h"

#define DAY_S     86400
#define SOON_DAYS 30

/* The bundle that is handed out; NULL: none, or none that says anything of keys. */
static struct cvg_bundle *bundle_of(const struct cvg_identity *identity)
{
    struct cvg_bundle *bundle = NULL;
    if (cvg_bundle_parse((const char *)identity->bundle.data, identity->bundle.len, &bundle,
                         NULL) != CVG_OK)
        return NULL;
    if (bundle->key_count > 0)
        return bundle;
    cvg_bundle_free(bundle);
    return NULL;
}

static bool names_key(const struct cvg_bundle *bundle, const struct cvg_signing_key *key)
{
    for (size_t i = 0; i < bundle->key_count; i++)
        if (memcmp(cvg_verify_key_id(bundle->key[i]), cvg_signing_key_id(key), CVG_SHA256_LEN) == 0)
            return true;
    return false;
}

static bool names_certificate(const struct cvg_bundle *bundle, const X509 *certificate)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    bool named = false;
    for (size_t i = 0; len > 0 && !named && i < bundle->host_count; i++)
        named = cvg_bundle_host_pins(&bundle->host[i], der, (size_t)len);
    OPENSSL_free(der);
    return named;
}

/* Whether the PEM text is the certificate that is shown. */
static bool is_shown(const struct cvg_buffer *pem, const SSL_CTX *tls)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool same = certificate != NULL && X509_cmp(certificate, SSL_CTX_get0_certificate(tls)) == 0;
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return same;
}

enum cvg_error cvg_identity_check_kept(const struct cvg_identity *in_use,
                                       const struct cvg_identity *loaded, struct cvg_why *ret_why)
{
    struct cvg_bundle *bundle = bundle_of(loaded);
    bool named = bundle == NULL || names_key(bundle, in_use->signing_key);
    cvg_bundle_free(bundle);
    if (named && is_shown(&loaded->certificate_pem, in_use->tls))
        return CVG_OK;
    return cvg_fail(ret_why, CVG_ERR_CONFIG,
                    "the keys were changed, and this process, no longer root, cannot read them: "
                    "start the notary anew");
}

int64_t cvg_identity_end_s(const struct cvg_identity *identity)
{
    const X509 *certificate =
        identity->tls == NULL ? NULL : SSL_CTX_get0_certificate(identity->tls);
    struct tm when;
    if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1)
        return 0;
    return timegm(&when);
}

void cvg_certificate_warn(int64_t end_s, int64_t now_s)
{
    if (end_s == 0)
        return;
    if (end_s <= now_s)
        cvg_log(CVG_LOG_WARNING, "tls_certificate ended %lld days ago; clients pin it all the same",
                (long long)((now_s - end_s) / DAY_S));
    else if (end_s - now_s < (int64_t)SOON_DAYS * DAY_S)
        cvg_log(CVG_LOG_WARNING, "tls_certificate ends in %lld days: see --next-keys",
                (long long)((end_s - now_s) / DAY_S));
}

void cvg_identity_warn(const struct cvg_identity *identity, int64_t now_s)
{
    struct cvg_bundle *bundle = bundle_of(identity);
    if (bundle != NULL && !names_certificate(bundle, SSL_CTX_get0_certificate(identity->tls)))
        cvg_log(CVG_LOG_WARNING, "the bundle does not name tls_certificate: clients that have it "
                                 "will not recognise this notary");
    if (bundle != NULL && !names_key(bundle, identity->signing_key))
        cvg_log(CVG_LOG_WARNING, "the bundle does not name signing_key: clients that have it will "
                                 "not believe this notary");
    cvg_bundle_free(bundle);
    cvg_certificate_warn(cvg_identity_end_s(identity), now_s);
}
