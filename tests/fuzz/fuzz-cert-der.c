/* SPDX-License-Identifier: MIT */
/* Any octets as a certificate, in memory of their very size: what its names say lies within, and
 * the certificate around them is found whole or not at all. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "nss-module/cert-der.h"
#include "tests/fuzz/fuzz.h"

#define CERT_MIN 128

static void check_within(struct cvg_octets part, struct cvg_octets whole)
{
    if (part.data < whole.data || part.data + part.len > whole.data + whole.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    const struct cvg_octets cert = {copy, size};
    struct cvg_cert_names names;
    struct cvg_octets found;

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (cvg_cert_names(cert, &names)) {
        check_within(names.serial, cert);
        check_within(names.issuer, cert);
        check_within(names.subject, cert);
        if (size >= CERT_MIN && cvg_cert_around(names.issuer, names.serial, &found) &&
            (found.data != copy || found.len != size))
            abort();
    }
    free(copy);
    return 0;
}
