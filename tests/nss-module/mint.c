/* SPDX-License-Identifier: MIT */
/* Makes certificates with OpenSSL, see mint.h: another library than the one under test. */
#include "config.h"

#include "tests/nss-module/mint.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define DAY_S 86400

struct mint_key {
    EVP_PKEY *pkey;
};

static void must(int good)
{
    if (!good)
        abort();
}

struct mint_key *mint_key_new(void)
{
    struct mint_key *key = malloc(sizeof *key);

    must(key != NULL);
    key->pkey = EVP_EC_gen("P-256");
    must(key->pkey != NULL);
    return key;
}

void mint_key_free(struct mint_key *key)
{
    if (key)
        EVP_PKEY_free(key->pkey);
    free(key);
}

static void name(X509_NAME *at, const char *text)
{
    must(X509_NAME_add_entry_by_txt(at, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
                                    0));
}

static void extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;

    if (!value)
        return;
    must(extension && X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

static void number(X509 *cert)
{
    static long last;

    must(ASN1_INTEGER_set(X509_get_serialNumber(cert), ++last));
}

void mint(const struct mint_wish *wish, struct minted *ret_minted)
{
    X509 *cert = X509_new();
    int from_s = wish->valid_from_s ? wish->valid_from_s : -DAY_S;
    int to_s = wish->valid_to_s ? wish->valid_to_s : DAY_S;
    unsigned char *end = ret_minted->der;

    must(cert && X509_set_version(cert, X509_VERSION_3));
    number(cert);
    name(X509_get_subject_name(cert), wish->subject);
    name(X509_get_issuer_name(cert), wish->issuer);
    must(X509_gmtime_adj(X509_getm_notBefore(cert), from_s) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(cert), to_s) != NULL);
    must(X509_set_pubkey(cert, wish->key->pkey));
    extend(cert, NID_basic_constraints, wish->basic);
    extend(cert, NID_key_usage, wish->usage);
    extend(cert, NID_name_constraints, wish->constraints);
    must(X509_sign(cert, wish->signer->pkey, EVP_sha256()) > 0);
    must(i2d_X509(cert, NULL) <= MINT_MAX);
    ret_minted->len = (size_t)i2d_X509(cert, &end);
    X509_free(cert);
}
