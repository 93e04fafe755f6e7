/* SPDX-License-Identifier: MIT */
/* Comparing the peer's certificate with a bundle's, inside the handshake. CAs, names and dates are
 * not looked at: the bundle is the only authority. */
#include "common/engine/pin.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

struct pin {
    uint8_t *der;
    size_t len;
};

struct cvg_pins {
    size_t count;
    struct pin pin[2 * CVG_BUNDLE_HOSTS_MAX];
};

void cvg_pins_free(struct cvg_pins *pins)
{
    if (pins == NULL)
        return;
    for (size_t i = 0; i < pins->count; i++)
        free(pins->pin[i].der);
    free(pins);
}

/* Copies a certificate; none is copied easily. False: out of memory. */
static bool add(struct cvg_pins *pins, const uint8_t *certificate, size_t len)
{
    uint8_t *der;

    if (certificate == NULL)
        return true;
    der = malloc(len);
    if (der == NULL)
        return false;
    memcpy(der, certificate, len);
    pins->pin[pins->count++] = (struct pin){.der = der, .len = len};
    return true;
}

enum cvg_error cvg_pins_new(const struct cvg_bundle *bundle, struct cvg_pins **ret_pins)
{
    struct cvg_pins *pins = calloc(1, sizeof *pins);

    if (pins == NULL)
        return CVG_ERR_NOMEM;
    for (size_t i = 0; i < bundle->host_count; i++) {
        const struct cvg_bundle_host *host = &bundle->host[i];

        if (!add(pins, host->certificate, host->certificate_len) ||
            !add(pins, host->next_certificate, host->next_certificate_len)) {
            cvg_pins_free(pins);
            return CVG_ERR_NOMEM;
        }
    }
    *ret_pins = pins;
    return CVG_OK;
}

/* Whether the pin at *at is this certificate; moves on to the next pin. No certificate at all is
 * in its place anywhere. */
static bool follows(const struct cvg_pins *pins, size_t *at, const uint8_t *der, size_t len)
{
    const struct pin *pin = &pins->pin[*at];

    if (der == NULL)
        return true;
    if (*at == pins->count || pin->len != len || memcmp(pin->der, der, len) != 0)
        return false;
    (*at)++;
    return true;
}

bool cvg_pins_are_of(const struct cvg_pins *pins, const struct cvg_bundle *bundle)
{
    size_t at = 0;

    for (size_t i = 0; i < bundle->host_count; i++) {
        const struct cvg_bundle_host *host = &bundle->host[i];

        if (!follows(pins, &at, host->certificate, host->certificate_len) ||
            !follows(pins, &at, host->next_certificate, host->next_certificate_len))
            return false;
    }
    return at == pins->count;
}

bool cvg_pins_match(const struct cvg_pins *pins, const uint8_t *der, size_t len)
{
    for (size_t i = 0; i < pins->count; i++)
        if (pins->pin[i].len == len && memcmp(pins->pin[i].der, der, len) == 0)
            return true;
    return false;
}

static int verify(X509_STORE_CTX *store, void *user)
{
    const struct cvg_pins *pins = user;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    uint8_t *der = NULL;
    int len = leaf == NULL ? -1 : i2d_X509(leaf, &der);
    bool match = len > 0 && cvg_pins_match(pins, der, (size_t)len);

    OPENSSL_free(der);
    X509_STORE_CTX_set_error(store, match ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return match ? 1 : 0;
}

void cvg_pins_install(const struct cvg_pins *pins, SSL_CTX *ctx)
{
    /* OpenSSL hands the pointer back to verify(), which only reads. */
    union {
        const struct cvg_pins *in;
        void *out;
    } user = {.in = pins};

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify, user.out);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}
