/* SPDX-License-Identifier: MIT */
/* Compares a lookup with the certificate of the running handshake, see trust.h. NSS looks up the
 * trust of every certificate of a chain, and of the same one again and again: all but one of these
 * lookups end here without a question. */
#include "config.h"

#include "nss-module/trust.h"

#include <string.h>

#include "nss-module/gate.h"

#define TAG_INTEGER 0x02

struct octets {
    const uint8_t *data;
    size_t len;
};

struct lookup {
    struct octets issuer, serial;
};

static bool equal(struct octets a, struct octets b)
{
    return a.len == b.len && a.len > 0 && memcmp(a.data, b.data, a.len) == 0;
}

static struct octets of_item(SECItem item)
{
    return (struct octets){item.data, item.len};
}

/* The contents of a DER INTEGER that fills its octets (a serial number has at most 20: RFC 5280,
 * 4.1.2.2; the short form of a length suffices for what is in use), else the octets as they are. */
static struct octets serial_contents(struct octets serial)
{
    if (serial.len > 2 && serial.data[0] == TAG_INTEGER && serial.data[1] == serial.len - 2 &&
        serial.data[1] < 0x80)
        return (struct octets){serial.data + 2, serial.len - 2};
    return serial;
}

static bool same_serial(struct octets asked, struct octets leaf)
{
    return equal(asked, leaf) || equal(serial_contents(asked), leaf);
}

/* Self-signed, as far as names tell: the notaries vouch for the certificate itself, its signature
 * says nothing more. */
static bool is_self_issued(const CERTCertificate *leaf)
{
    return equal(of_item(leaf->derIssuer), of_item(leaf->derSubject));
}

static bool matches(const CERTCertificate *leaf, const void *context)
{
    const struct lookup *lookup = context;

    return is_self_issued(leaf) && equal(lookup->issuer, of_item(leaf->derIssuer)) &&
           same_serial(lookup->serial, of_item(leaf->serialNumber));
}

bool cvg_trust_lookup(const void *issuer, size_t issuer_len, const void *serial, size_t serial_len,
                      uint8_t ret_leaf_sha1[static 20])
{
    const struct lookup lookup = {{issuer, issuer_len}, {serial, serial_len}};

    return cvg_gate_vouch(matches, &lookup, ret_leaf_sha1);
}
