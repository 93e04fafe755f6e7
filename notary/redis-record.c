/* SPDX-License-Identifier: MIT */
/* The form: u8 version, u16 length of the signature, signature, value. The signature is over the
 * domain with its NUL, the version, u16 length of the key, key, value. */
#include "notary/redis-record.h"

#include <stdlib.h>

#include "common/protocol/bundle.h"

#define VERSION    1
#define SIGNED_MAX (sizeof(CVG_RECORD_DOMAIN) + 3 + CVG_KEY_MAX + CVG_VALUE_MAX)

_Static_assert(CVG_RECORD_MAX == 3 + CVG_SIGNATURE_MAX + CVG_VALUE_MAX, "the longest record");

struct cvg_record_keys {
    struct cvg_signing_key *own;
    struct cvg_verify_key *own_public;
    struct cvg_bundle *bundle; /* NULL: none */
};

static enum cvg_error derive_public(struct cvg_record_keys *keys, struct cvg_why *why)
{
    struct cvg_buffer der;
    cvg_buffer_init(&der, 4096);
    enum cvg_error err = cvg_signing_key_public(keys->own, &der);
    if (err == CVG_OK)
        err = cvg_verify_key_parse(der.data, der.len, &keys->own_public, why);
    cvg_buffer_free(&der);
    return err;
}

enum cvg_error cvg_record_keys_new(const struct cvg_signing_key *key, const void *bundle,
                                   size_t len, struct cvg_record_keys **ret_keys,
                                   struct cvg_why *ret_why)
{
    struct cvg_record_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = cvg_signing_key_copy(key, &keys->own);
    if (err == CVG_OK)
        err = derive_public(keys, ret_why);
    if (err == CVG_OK && len > 0)
        err = cvg_bundle_parse(bundle, len, &keys->bundle, ret_why);
    if (err != CVG_OK) {
        cvg_record_keys_free(keys);
        return err;
    }
    *ret_keys = keys;
    return CVG_OK;
}

void cvg_record_keys_free(struct cvg_record_keys *keys)
{
    if (keys == NULL)
        return;
    cvg_signing_key_free(keys->own);
    cvg_verify_key_free(keys->own_public);
    cvg_bundle_free(keys->bundle);
    free(keys);
}

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
        err = cvg_sign(keys->own, octets.data, octets.len, &signature);
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

/* Good under any of the keys. */
static enum cvg_error check(const struct cvg_record_keys *keys, const struct cvg_buffer *octets,
                            const uint8_t *signature, size_t len)
{
    enum cvg_error err = cvg_verify(keys->own_public, octets->data, octets->len, signature, len);
    size_t count = keys->bundle == NULL ? 0 : keys->bundle->key_count;
    for (size_t i = 0; i < count && err == CVG_ERR_SIGNATURE; i++)
        err = cvg_verify(keys->bundle->key[i], octets->data, octets->len, signature, len);
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
        err = check(keys, &octets, signature, signature_len);
    if (err == CVG_OK) {
        *ret_value = reader.data;
        *ret_value_len = reader.left;
    }
    cvg_buffer_free(&octets);
    return err;
}
