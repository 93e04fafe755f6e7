/* SPDX-License-Identifier: MIT */
/* The pin: a notary is recognised by its certificate, octet for octet, and by nothing else. */
#ifndef CVG_ENGINE_PIN_H
#define CVG_ENGINE_PIN_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/engine/bundle.h"

struct cvg_pins; /* copies of the certificates a bundle names, those to come included */

/* The caller frees; pins must outlive every SSL_CTX they were put into. */
CVG_MUST_USE enum cvg_error cvg_pins_new(const struct cvg_bundle *bundle,
                                         struct cvg_pins **ret_pins);
void cvg_pins_free(struct cvg_pins *pins);

/* From here on a handshake of ctx succeeds only with a peer that shows, and holds the key of, one
 * of the certificates. Nothing of the application is sent before. */
void cvg_pins_install(const struct cvg_pins *pins, SSL_CTX *ctx);

/* Whether they are exactly the bundle's certificates. */
bool cvg_pins_are_of(const struct cvg_pins *pins, const struct cvg_bundle *bundle);

/* Whether the octets are one of the certificates. */
bool cvg_pins_match(const struct cvg_pins *pins, const uint8_t *der, size_t len);

#endif
