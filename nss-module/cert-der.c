/* SPDX-License-Identifier: MIT */
/* Walks through a certificate's outermost elements, see cert-der.h. */
#include "config.h"

#include "nss-module/cert-der.h"

#include <string.h>

#include "common/protocol/message.h"

#define TAG_INTEGER    0x02
#define TAG_BIT_STRING 0x03
#define TAG_SEQUENCE   0x30
#define TAG_VERSION    0xa0

#define ALGORITHM_MAX 256
#define HEADER_MAX    4 /* a tag, and the length of up to 65535 octets */
#define VERSION_LEN   5

/* The contents of the element at the beginning, and what comes after it. */
struct element {
    struct cvg_octets contents, whole, rest;
};

/* The octets of a header that its length needs, and no more: DER. */
static size_t header_len(size_t len)
{
    return len < 0x80 ? 2 : len < 0x100 ? 3 : HEADER_MAX;
}

static bool take(struct cvg_octets from, uint8_t tag, struct element *ret)
{
    size_t header = 2, len;

    if (from.len < 2 || from.data[0] != tag)
        return false;
    len = from.data[1];
    if (len >= 0x80) {
        header += len & 0x7f;
        if (header < 3 || header > HEADER_MAX || from.len < header)
            return false;
        len = from.data[2];
        if (header == HEADER_MAX)
            len = len << 8 | from.data[3];
    }
    if (header != header_len(len) || from.len - header < len)
        return false;
    ret->contents = (struct cvg_octets){from.data + header, len};
    ret->whole = (struct cvg_octets){from.data, header + len};
    ret->rest = (struct cvg_octets){from.data + header + len, from.len - header - len};
    return true;
}

/* The one element that these octets are. */
static bool take_all(struct cvg_octets from, uint8_t tag, struct element *ret)
{
    struct element element;

    if (!take(from, tag, &element) || element.rest.len != 0)
        return false;
    *ret = element;
    return true;
}

/* One octet of version, as every certificate with extensions has it. More room there could hold
 * another certificate's beginning. */
static bool is_version(const uint8_t *data, size_t len)
{
    static const uint8_t head[] = {TAG_VERSION, VERSION_LEN - 2, TAG_INTEGER, 1};

    return len == VERSION_LEN && memcmp(data, head, sizeof head) == 0;
}

static bool take_names(struct cvg_octets tbs, struct cvg_cert_names *ret_names)
{
    struct element version, serial, algorithm, issuer, validity, subject;

    if (take(tbs, TAG_VERSION, &version)) {
        if (!is_version(version.whole.data, version.whole.len))
            return false;
        tbs = version.rest;
    }
    if (!take(tbs, TAG_INTEGER, &serial) || serial.contents.len == 0 ||
        !take(serial.rest, TAG_SEQUENCE, &algorithm) ||
        !take(algorithm.rest, TAG_SEQUENCE, &issuer) ||
        !take(issuer.rest, TAG_SEQUENCE, &validity) || !take(validity.rest, TAG_SEQUENCE, &subject))
        return false;
    *ret_names = (struct cvg_cert_names){serial.contents, issuer.whole, subject.whole};
    return true;
}

bool cvg_cert_names(struct cvg_octets cert, struct cvg_cert_names *ret_names)
{
    struct element outer, tbs, algorithm, signature;

    return take_all(cert, TAG_SEQUENCE, &outer) && take(outer.contents, TAG_SEQUENCE, &tbs) &&
           take(tbs.rest, TAG_SEQUENCE, &algorithm) &&
           take_all(algorithm.rest, TAG_BIT_STRING, &signature) &&
           take_names(tbs.contents, ret_names);
}

/* Serial number, algorithm and issuer, one right after the other. */
static bool adjoin(struct cvg_octets issuer, struct cvg_octets serial)
{
    uintptr_t end = (uintptr_t)serial.data + serial.len, begin = (uintptr_t)issuer.data;
    struct element element;

    return serial.len > 0 && serial.len < 0x80 && begin > end && begin - end <= ALGORITHM_MAX &&
           take_all((struct cvg_octets){serial.data + serial.len, begin - end}, TAG_SEQUENCE,
                    &element) &&
           take_all(issuer, TAG_SEQUENCE, &element);
}

/* Where the sequence begins whose contents begin here, with a header of this length; it reaches to
 * end at least. NULL if it does not. */
static const uint8_t *with_header(size_t header, const uint8_t *contents, const uint8_t *end,
                                  size_t *ret_len)
{
    const uint8_t *begin = contents - header;
    size_t len;

    if (begin[0] != TAG_SEQUENCE || (header > 2 && begin[1] != (0x80 | (header - 2))))
        return NULL;
    len = header == HEADER_MAX ? begin[2] << 8 | begin[3] : begin[header - 1];
    if (header_len(len) != header || len < (size_t)(end - contents) ||
        header + len > CVG_MESSAGE_LEAF_MAX)
        return NULL;
    *ret_len = header + len;
    return begin;
}

/* With any header from this length on. Three octets are tried first: a certificate's own header has
 * three or four, as none is shorter than 128 octets, so nothing before the certificate is read. */
static const uint8_t *enclosing(size_t shortest, const uint8_t *contents, const uint8_t *end,
                                size_t *ret_len)
{
    const uint8_t *begin = with_header(3, contents, end, ret_len);

    if (!begin)
        begin = with_header(HEADER_MAX, contents, end, ret_len);
    if (!begin && shortest == 2)
        begin = with_header(2, contents, end, ret_len);
    return begin;
}

/* Where the contents of the part that is signed begin: at its version, which X.509 v1 has not. */
static const uint8_t *tbs_contents(struct cvg_octets serial)
{
    const uint8_t *element = serial.data - 2;

    if (element[0] != TAG_INTEGER || element[1] != serial.len)
        return NULL;
    return is_version(element - VERSION_LEN, VERSION_LEN) ? element - VERSION_LEN : element;
}

bool cvg_cert_around(struct cvg_octets issuer, struct cvg_octets serial,
                     struct cvg_octets *ret_cert)
{
    const uint8_t *tbs, *cert;
    struct cvg_cert_names names;
    size_t len = 0;

    if (!adjoin(issuer, serial))
        return false;
    tbs = tbs_contents(serial);
    if (tbs)
        tbs = enclosing(2, tbs, issuer.data + issuer.len, &len);
    cert = tbs ? enclosing(3, tbs, tbs + len, &len) : NULL;
    if (!cert || !cvg_cert_names((struct cvg_octets){cert, len}, &names) ||
        names.serial.data != serial.data || names.serial.len != serial.len ||
        names.issuer.data != issuer.data || names.issuer.len != issuer.len)
        return false;
    *ret_cert = (struct cvg_octets){cert, len};
    return true;
}
