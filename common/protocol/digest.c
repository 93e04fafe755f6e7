/* SPDX-License-Identifier: MIT */
/* Digests of octets, and of the parts of a certificate that notaries and clients compare. Decides
 * nothing about a certificate: whether it is valid is PKI's business. */
#include "common/protocol/digest.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* Looked up once: OpenSSL's own look-up costs more than the digest of a certificate. Kept as long
 * as the process lives. */
static EVP_MD *sha1, *sha256;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static enum cvg_error digest(EVP_MD *const *algorithm, const void *data, size_t len,
                             uint8_t *ret_digest, size_t digest_len)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (pthread_once(&once, fetch) != 0 || *algorithm == NULL ||
        EVP_Digest(data, len, digest, NULL, *algorithm, NULL) != 1)
        return CVG_ERR_CRYPTO;
    memcpy(ret_digest, digest, digest_len);
    return CVG_OK;
}

enum cvg_error cvg_sha1(const void *data, size_t len, uint8_t ret_digest[static CVG_SHA1_LEN])
{
    return digest(&sha1, data, len, ret_digest, CVG_SHA1_LEN);
}

enum cvg_error cvg_sha256(const void *data, size_t len, uint8_t ret_digest[static CVG_SHA256_LEN])
{
    return digest(&sha256, data, len, ret_digest, CVG_SHA256_LEN);
}

struct span {
    const uint8_t *data;
    size_t len;
};

/* Takes the next element, which must be of this kind and of definite length. */
static bool take(struct span *rest, int class, int tag, struct span *ret_whole,
                 struct span *ret_inside)
{
    const unsigned char *at = rest->data;
    bool constructed = tag == V_ASN1_SEQUENCE || class == V_ASN1_CONTEXT_SPECIFIC;
    int found_tag, found_class;
    long len;

    if (ASN1_get_object(&at, &len, &found_tag, &found_class, (long)rest->len) !=
            (constructed ? V_ASN1_CONSTRUCTED : 0) ||
        found_class != class || found_tag != tag)
        return false;
    *ret_inside = (struct span){at, (size_t)len};
    *ret_whole = (struct span){rest->data, (size_t)(at - rest->data) + (size_t)len};
    rest->data += ret_whole->len;
    rest->len -= ret_whole->len;
    return true;
}

static bool take_sequence(struct span *rest, struct span *ret_whole, struct span *ret_inside)
{
    return take(rest, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, ret_whole, ret_inside);
}

static bool skip(struct span *rest, int tag)
{
    struct span whole, inside;

    return take(rest, V_ASN1_UNIVERSAL, tag, &whole, &inside);
}

/* Certificate: SEQUENCE { tbsCertificate, signatureAlgorithm, signature }. */
static bool find_tbs(const uint8_t *der, size_t len, struct span *ret_tbs)
{
    struct span rest = {der, len}, whole, certificate;

    return take_sequence(&rest, &whole, &certificate) && rest.len == 0 &&
           take_sequence(&certificate, &whole, ret_tbs) && skip(&certificate, V_ASN1_SEQUENCE) &&
           skip(&certificate, V_ASN1_BIT_STRING) && certificate.len == 0;
}

/* The key's place, by walking over what stands before it. OpenSSL's own parser would decode the key
 * as well, which nobody here needs and which takes ten times as long as everything else. */
static bool find_spki(struct span tbs, struct span *ret_whole, struct span *ret_inside)
{
    struct span whole, inside;

    if (tbs.len > 0 && tbs.data[0] == (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED) &&
        !take(&tbs, V_ASN1_CONTEXT_SPECIFIC, 0, &whole, &inside))
        return false;                     /* version */
    return skip(&tbs, V_ASN1_INTEGER) &&  /* serial number */
           skip(&tbs, V_ASN1_SEQUENCE) && /* signature algorithm */
           skip(&tbs, V_ASN1_SEQUENCE) && /* issuer */
           skip(&tbs, V_ASN1_SEQUENCE) && /* validity */
           skip(&tbs, V_ASN1_SEQUENCE) && /* subject */
           take_sequence(&tbs, ret_whole, ret_inside);
}

static enum cvg_key_type key_type_of_nid(int nid)
{
    switch (nid) {
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

/* SubjectPublicKeyInfo: SEQUENCE { SEQUENCE { algorithm, parameters }, key }. */
static bool read_key_type(struct span spki, enum cvg_key_type *ret_type)
{
    struct span whole, identifier;
    const unsigned char *at;
    ASN1_OBJECT *algorithm;

    if (!take_sequence(&spki, &whole, &identifier) || !skip(&spki, V_ASN1_BIT_STRING) ||
        spki.len != 0)
        return false;
    at = identifier.data;
    algorithm = d2i_ASN1_OBJECT(NULL, &at, (long)identifier.len);
    if (!algorithm)
        return false;
    *ret_type = key_type_of_nid(OBJ_obj2nid(algorithm));
    ASN1_OBJECT_free(algorithm);
    return true;
}

static enum cvg_error leaf_read(const uint8_t *der, size_t len, struct cvg_leaf *ret_leaf)
{
    struct span tbs, whole, inside;
    struct cvg_leaf leaf;
    enum cvg_error err;

    if (!find_tbs(der, len, &tbs) || !find_spki(tbs, &whole, &inside) ||
        !read_key_type(inside, &leaf.key_type))
        return CVG_ERR_SYNTAX;
    err = cvg_sha256(der, len, leaf.sha256);
    if (err == CVG_OK)
        err = cvg_sha1(der, len, leaf.sha1);
    if (err == CVG_OK)
        err = cvg_sha256(whole.data, whole.len, leaf.spki_sha256);
    if (err == CVG_OK)
        *ret_leaf = leaf;
    return err;
}

enum cvg_error cvg_leaf_of_der(const uint8_t *der, size_t len, struct cvg_leaf *ret_leaf)
{
    enum cvg_error err;

    if (len == 0 || len > LONG_MAX)
        return CVG_ERR_SYNTAX;
    ERR_set_mark();
    err = leaf_read(der, len, ret_leaf);
    ERR_pop_to_mark();
    return err;
}
