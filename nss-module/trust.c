/* SPDX-License-Identifier: MIT */
/* Compares a lookup with the certificate of the running handshake, see trust.h. NSS looks up the
 * trust of every certificate of a chain, and of the same one again and again: all but one of these
 * lookups end here without a question. */
#include "config.h"

#include "nss-module/trust.h"

#include <string.h>

#include "nss-module/cert-der.h"
#include "nss-module/gate.h"
#include "nss-module/lookup.h"

#define TAG_INTEGER 0x02

static bool equal(struct cvg_octets a, struct cvg_octets b)
{
    return a.len == b.len && a.len > 0 && memcmp(a.data, b.data, a.len) == 0;
}

/* The contents of a DER INTEGER that fills its octets (a serial number has at most 20: RFC 5280,
 * 4.1.2.2; the short form of a length suffices for what is in use), else the octets as they are. */
static struct cvg_octets serial_contents(struct cvg_octets serial)
{
    if (serial.len > 2 && serial.data[0] == TAG_INTEGER && serial.data[1] == serial.len - 2 &&
        serial.data[1] < 0x80)
        return (struct cvg_octets){serial.data + 2, serial.len - 2};
    return serial;
}

static bool same_serial(struct cvg_octets asked, struct cvg_octets leaf)
{
    return equal(asked, leaf) || equal(serial_contents(asked), leaf);
}

/* Only the self-signed, as far as names tell: the notaries vouch for the certificate itself, its
 * signature says nothing more. */
bool cvg_lookup_is_about(const struct cvg_lookup *lookup, const struct cvg_leaf *leaf)
{
    struct cvg_cert_names names;

    return cvg_cert_names((struct cvg_octets){leaf->der, leaf->len}, &names) &&
           equal(names.issuer, names.subject) && equal(lookup->issuer, names.issuer) &&
           same_serial(lookup->serial, names.serial);
}

bool cvg_lookup_leaf(const struct cvg_lookup *lookup, struct cvg_leaf *ret_leaf)
{
    struct cvg_octets cert;

    if (!cvg_cert_around(lookup->issuer, lookup->serial, &cert))
        return false;
    *ret_leaf = (struct cvg_leaf){cert.data, cert.len};
    return true;
}

bool cvg_trust_lookup(const void *issuer, size_t issuer_len, const void *serial, size_t serial_len,
                      uint8_t ret_leaf_sha1[static 20])
{
    const struct cvg_lookup lookup = {{issuer, issuer_len}, {serial, serial_len}};

    return cvg_gate_vouch(&lookup, ret_leaf_sha1);
}
