/* SPDX-License-Identifier: MIT */
/* Takes the leaf out of a TLS Certificate message. */
#include "notary/leaf-message.h"

#include "common/base/buffer.h"

static size_t read_u24(struct cvg_reader *reader)
{
    size_t high = cvg_reader_u8(reader);
    return high << 16 | cvg_reader_u16(reader);
}

enum cvg_error cvg_leaf_of_message(const uint8_t *message, size_t len, bool tls13,
                                   const uint8_t **ret_der, size_t *ret_der_len)
{
    struct cvg_reader reader;
    cvg_reader_init(&reader, message, len);
    if (cvg_reader_u8(&reader) != CVG_HANDSHAKE_CERTIFICATE)
        return CVG_ERR_SYNTAX;
    size_t body_len = read_u24(&reader);
    if (reader.error != CVG_OK || body_len != reader.left)
        return CVG_ERR_SYNTAX;
    if (tls13)
        (void)cvg_reader_take(&reader, cvg_reader_u8(&reader));
    size_t list_len = read_u24(&reader);
    if (reader.error != CVG_OK || list_len != reader.left)
        return CVG_ERR_SYNTAX;
    size_t der_len = read_u24(&reader);
    const uint8_t *der = der_len == 0 ? NULL : cvg_reader_take(&reader, der_len);
    if (der == NULL)
        return CVG_ERR_SYNTAX;
    *ret_der = der;
    *ret_der_len = der_len;
    return CVG_OK;
}
