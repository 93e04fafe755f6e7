/* SPDX-License-Identifier: MIT */
/* The form: u8 version, u16 length of the signature, signature, value. The signature is over the
 * domain with its NUL, the version, u16 length of the key, key, value. */
#include "notary/redis-record.h"

#define VERSION    1
#define SIGNED_MAX (sizeof(CVG_RECORD_DOMAIN) + 3 + CVG_KEY_MAX + CVG_VALUE_MAX)

_Static_assert(CVG_RECORD_MAX == 3 + CVG_SIGNATURE_MAX + CVG_VALUE_MAX, "the longest record");

/* What is signed. The caller frees the buffer. */
static enum cvg_error signed_octets(const void *key, size_t key_len, const void *value,
                                    size_t value_len, struct cvg_buffer *ret_octets)
{
    cvg_buffer_init(ret_octets, SIGNED_MAX);
    if (key_len > CVG_KEY_MAX || value_len > CVG_VALUE_MAX)
        return CVG_ERR_RANGE;
    cvg_buffer_put(ret_octets, CVG_RECORD_DOMAIN, sizeof(CVG_RECORD_DOMAIN));
    cvg_buffer_put_u8(ret_octets, VERSION);
    cvg_buffer_put_u16(ret_octets, (uint16_t)key_len);
    cvg_buffer_put(ret_octets, key, key_len);
    return cvg_buffer_put(ret_octets, value, value_len);
}

enum cvg_error cvg_record_seal(struct cvg_record_keys *keys, const void *key, size_t key_len,
                               const void *value, size_t value_len, struct cvg_buffer *ret_record)
{
    struct cvg_buffer octets, signature;
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    enum cvg_error err = signed_octets(key, key_len, value, value_len, &octets);
    if (err == CVG_OK)
        err = cvg_record_keys_sign(keys, octets.data, octets.len, &signature);
    if (err == CVG_OK) {
        cvg_buffer_clear(ret_record);
        cvg_buffer_put_u8(ret_record, VERSION);
        cvg_buffer_put_u16(ret_record, (uint16_t)signature.len);
        cvg_buffer_put(ret_record, signature.data, signature.len);
        err = cvg_buffer_put(ret_record, value, value_len);
    }
    cvg_buffer_free(&signature);
    cvg_buffer_free(&octets);
    return err;
}

enum cvg_error cvg_record_open(const struct cvg_record_keys *keys, const void *key, size_t key_len,
                               const void *record, size_t len, const void **ret_value,
                               size_t *ret_value_len)
{
    struct cvg_reader reader;
    struct cvg_buffer octets;
    cvg_reader_init(&reader, record, len);
    unsigned version = cvg_reader_u8(&reader);
    size_t signature_len = cvg_reader_u16(&reader);
    const uint8_t *signature = cvg_reader_take(&reader, signature_len);
    if (reader.error != CVG_OK || version != VERSION || signature_len == 0 ||
        signature_len > CVG_SIGNATURE_MAX || reader.left > CVG_VALUE_MAX)
        return CVG_ERR_SIGNATURE;
    enum cvg_error err = signed_octets(key, key_len, reader.data, reader.left, &octets);
    if (err == CVG_OK)
        err = cvg_record_keys_verify(keys, octets.data, octets.len, signature, signature_len);
    if (err == CVG_OK) {
        *ret_value = reader.data;
        *ret_value_len = reader.left;
    }
    cvg_buffer_free(&octets);
    return err;
}
