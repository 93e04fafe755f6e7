/* SPDX-License-Identifier: MIT */
/* Takes certificates out of a TLS Certificate message. */
#include "notary/leaf-message.h"

#include <string.h>

#include "common/base/buffer.h"

static size_t read_u24(struct cvg_reader *reader)
{
    size_t high = cvg_reader_u8(reader);
    return high << 16 | cvg_reader_u16(reader);
}

/* The list of certificates, which must end where the message does. */
static enum cvg_error open_list(const uint8_t *message, size_t len, bool tls13,
                                struct cvg_reader *ret_list)
{
    cvg_reader_init(ret_list, message, len);
    if (cvg_reader_u8(ret_list) != CVG_HANDSHAKE_CERTIFICATE)
        return CVG_ERR_SYNTAX;
    size_t body_len = read_u24(ret_list);
    if (ret_list->error != CVG_OK || body_len != ret_list->left)
        return CVG_ERR_SYNTAX;
    if (tls13)
        (void)cvg_reader_take(ret_list, cvg_reader_u8(ret_list));
    size_t list_len = read_u24(ret_list);
    return ret_list->error != CVG_OK || list_len != ret_list->left ? CVG_ERR_SYNTAX : CVG_OK;
}

static const uint8_t *read_der(struct cvg_reader *list, size_t *ret_len)
{
    *ret_len = read_u24(list);
    return *ret_len == 0 ? NULL : cvg_reader_take(list, *ret_len);
}

enum cvg_error cvg_leaf_of_message(const uint8_t *message, size_t len, bool tls13,
                                   const uint8_t **ret_der, size_t *ret_der_len)
{
    struct cvg_reader list;
    size_t der_len = 0;
    enum cvg_error err = open_list(message, len, tls13, &list);
    if (err != CVG_OK)
        return err;
    const uint8_t *der = read_der(&list, &der_len);
    if (der == NULL)
        return CVG_ERR_SYNTAX;
    *ret_der = der;
    *ret_der_len = der_len;
    return CVG_OK;
}

enum cvg_error cvg_chain_of_message(const uint8_t *message, size_t len, bool tls13,
                                    struct cvg_blob **ret_chain)
{
    struct cvg_reader list;
    enum cvg_error err = open_list(message, len, tls13, &list);
    if (err != CVG_OK || list.left == 0)
        return CVG_ERR_SYNTAX;
    /* Without the extensions the certificates are as they stand there, only closer together. */
    struct cvg_blob *chain = cvg_blob_new(list.data, list.left);
    if (chain == NULL)
        return CVG_ERR_NOMEM;
    chain->len = 0;
    while (list.left > 0 && err == CVG_OK) {
        const uint8_t *entry = list.data;
        size_t der_len = 0;
        if (read_der(&list, &der_len) == NULL)
            err = CVG_ERR_SYNTAX;
        else
            memcpy(chain->octets + chain->len, entry, 3 + der_len);
        chain->len += 3 + der_len;
        if (tls13)
            (void)cvg_reader_take(&list, cvg_reader_u16(&list));
        if (list.error != CVG_OK)
            err = CVG_ERR_SYNTAX;
    }
    if (err != CVG_OK) {
        cvg_blob_unref(chain);
        return err;
    }
    *ret_chain = chain;
    return CVG_OK;
}
