/* SPDX-License-Identifier: MIT */
/* What a look says to a server. The choice and order of ciphers, groups and signatures, and the
 * extensions, are those of a browser as far as OpenSSL can say them: it has no GREASE (RFC 8701),
 * sends one key share (X25519) and orders extensions in its own way. A server that told this notary
 * from a browser could show it another certificate. */
#include "notary/hello.h"

/* The order and the choice are a browser's; the RSA and ECDSA forms offer one kind alone, so that a
 * server with several certificates shows the one it would show to such a client. */
static const struct {
    const char *ciphers; /* TLS 1.2 */
    const char *signatures;
} offers[CVG_OFFER_COUNT] = {
    [CVG_OFFER_ALL] = {"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                       "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                       "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                       "ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                       "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA",
                       "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
                       "ed25519:ed448:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                       "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                       "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:"
                       "ECDSA+SHA1:RSA+SHA1"},
    [CVG_OFFER_RSA] = {"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
                       "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:"
                       "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                       "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA",
                       "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                       "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                       "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:RSA+SHA1"},
    [CVG_OFFER_EC] = {"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA:"
                      "ECDHE-ECDSA-AES128-SHA",
                      "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
                      "ed25519:ed448:ECDSA+SHA1"},
};

static int on_verify(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* The extension by which browsers ask for SCTs comes with OpenSSL's own judgement of them, which
 * the end of the handshake in on_verify leaves no time for. */
static int ask_for_scts(SSL_CTX *context)
{
#ifdef OPENSSL_NO_CT
    (void)context;
    return 1;
#else
    return SSL_CTX_enable_ct(context, SSL_CT_VALIDATION_PERMISSIVE);
#endif
}

SSL_CTX *cvg_hello_context(enum cvg_offer offer)
{
    /* OpenSSL's macros cast const away, which it does not need. */
    char groups[] = "X25519:P-256:P-384:P-521:ffdhe2048:ffdhe3072";
    const char *suites =
        "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
    char *signatures = (char *)(uintptr_t)offers[offer].signatures;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, on_verify, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, suites) || !ask_for_scts(context) ||
        !SSL_CTX_set_cipher_list(context, offers[offer].ciphers) ||
        !SSL_CTX_set1_sigalgs_list(context, signatures) ||
        !SSL_CTX_set1_groups_list(context, groups)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}
