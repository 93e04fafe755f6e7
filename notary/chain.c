/* SPDX-License-Identifier: MIT */
/* The certificates that a server showed, read. */
#include "notary/chain.h"

#include <openssl/err.h>

#include "common/base/buffer.h"

/* The next certificate of the chain; NULL if it is none. */
static X509 *read_one(struct cvg_reader *reader)
{
    size_t len = (size_t)cvg_reader_u8(reader) << 16;
    len |= cvg_reader_u16(reader);
    const uint8_t *der = cvg_reader_take(reader, len);
    const unsigned char *end = der;
    X509 *certificate = der == NULL || len == 0 ? NULL : d2i_X509(NULL, &end, (long)len);
    if (certificate != NULL && end != der + len) {
        X509_free(certificate);
        certificate = NULL;
    }
    return certificate;
}

bool cvg_chain_key_is_dear(const EVP_PKEY *key)
{
    return key != NULL && EVP_PKEY_get_bits(key) > CVG_CHAIN_KEY_BITS_MAX;
}

static bool push(STACK_OF(X509) * certificates, X509 *certificate)
{
    if (sk_X509_push(certificates, certificate) > 0)
        return true;
    X509_free(certificate);
    return false;
}

enum cvg_error cvg_chain_read(const struct cvg_blob *chain, STACK_OF(X509) * *ret_certificates)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    enum cvg_error err = certificates == NULL ? CVG_ERR_NOMEM : CVG_OK;
    struct cvg_reader reader;
    cvg_reader_init(&reader, chain == NULL ? NULL : chain->octets, chain == NULL ? 0 : chain->len);
    ERR_set_mark();
    for (size_t i = 0; err == CVG_OK && i < CVG_CHAIN_MAX && (i == 0 || reader.left > 0); i++) {
        X509 *certificate = read_one(&reader);
        if (i > 0 && certificate != NULL && cvg_chain_key_is_dear(X509_get0_pubkey(certificate)))
            X509_free(certificate);
        else if (certificate != NULL)
            err = push(certificates, certificate) ? CVG_OK : CVG_ERR_NOMEM;
        else if (i == 0)
            err = CVG_ERR_SYNTAX;
    }
    ERR_pop_to_mark();
    if (err != CVG_OK) {
        sk_X509_pop_free(certificates, X509_free);
        return err;
    }
    *ret_certificates = certificates;
    return CVG_OK;
}
