/* SPDX-License-Identifier: MIT */
/* Digests of octets, and of the parts of a certificate that notaries and clients compare. Decides
 * nothing about a certificate: whether it is valid is PKI's business. */
#include "common/protocol/digest.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

enum cvg_error cvg_sha1(const void *data, size_t len, uint8_t ret_digest[static CVG_SHA1_LEN])
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(data, len, digest, NULL, EVP_sha1(), NULL) != 1)
        return CVG_ERR_CRYPTO;
    for (size_t i = 0; i < CVG_SHA1_LEN; i++)
        ret_digest[i] = digest[i];
    return CVG_OK;
}

enum cvg_error cvg_sha256(const void *data, size_t len, uint8_t ret_digest[static CVG_SHA256_LEN])
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
        return CVG_ERR_CRYPTO;
    for (size_t i = 0; i < CVG_SHA256_LEN; i++)
        ret_digest[i] = digest[i];
    return CVG_OK;
}

static enum cvg_key_type key_type(X509_PUBKEY *spki)
{
    ASN1_OBJECT *algorithm = NULL;

    if (X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, spki) != 1)
        return CVG_KEY_OTHER;
    switch (OBJ_obj2nid(algorithm)) {
    case NID_rsaEncryption:
    case NID_rsassaPss:
        return CVG_KEY_RSA;
    case NID_X9_62_id_ecPublicKey:
        return CVG_KEY_EC;
    case NID_ED25519:
        return CVG_KEY_ED25519;
    case NID_ED448:
        return CVG_KEY_ED448;
    default:
        return CVG_KEY_OTHER;
    }
}

static enum cvg_error spki_digest(X509_PUBKEY *spki, uint8_t ret_digest[static CVG_SHA256_LEN])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(spki, &der);
    enum cvg_error err = CVG_ERR_CRYPTO;

    if (len > 0)
        err = cvg_sha256(der, (size_t)len, ret_digest);
    OPENSSL_free(der);
    return err;
}

static enum cvg_error leaf_of_certificate(X509 *certificate, const uint8_t *der, size_t len,
                                          struct cvg_leaf *ret_leaf)
{
    X509_PUBKEY *spki = X509_get_X509_PUBKEY(certificate);
    struct cvg_leaf leaf;
    enum cvg_error err;

    if (!spki)
        return CVG_ERR_SYNTAX;
    err = cvg_sha256(der, len, leaf.sha256);
    if (err == CVG_OK)
        err = cvg_sha1(der, len, leaf.sha1);
    if (err == CVG_OK)
        err = spki_digest(spki, leaf.spki_sha256);
    if (err != CVG_OK)
        return err;
    leaf.key_type = key_type(spki);
    *ret_leaf = leaf;
    return CVG_OK;
}

enum cvg_error cvg_leaf_of_der(const uint8_t *der, size_t len, struct cvg_leaf *ret_leaf)
{
    const unsigned char *end = der;
    X509 *certificate = NULL;
    enum cvg_error err = CVG_ERR_SYNTAX;

    if (len == 0 || len > LONG_MAX)
        return CVG_ERR_SYNTAX;
    ERR_set_mark();
    certificate = d2i_X509(NULL, &end, (long)len);
    if (certificate && end == der + len)
        err = leaf_of_certificate(certificate, der, len, ret_leaf);
    X509_free(certificate);
    ERR_pop_to_mark();
    return err;
}
