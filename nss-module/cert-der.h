/* SPDX-License-Identifier: MIT */
/* A certificate's own octets, as far as a lookup of its trust needs them. Pure: no NSS, which may
 * not be called within a lookup. */
#ifndef CVG_NSS_MODULE_CERT_DER_H
#define CVG_NSS_MODULE_CERT_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cvg_octets {
    const uint8_t *data;
    size_t len;
};

/* Pointers into the certificate: names with their tag and length, the serial number without. */
struct cvg_cert_names {
    struct cvg_octets serial, issuer, subject;
};

/* false unless these octets are one whole X.509 certificate, in DER as far as this looks. */
bool cvg_cert_names(struct cvg_octets cert, struct cvg_cert_names *ret_names);

/* The certificate that these two point into, as its issuer and its serial number; false if they do
 * not: then nothing but them and what is between them was read, or what stands before a serial
 * number that is followed by an algorithm and this issuer. */
bool cvg_cert_around(struct cvg_octets issuer, struct cvg_octets serial,
                     struct cvg_octets *ret_cert);

#endif
