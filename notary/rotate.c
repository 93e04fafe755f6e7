/* SPDX-License-Identifier: MIT */
/* Changing a notary's keys on disk. The order of writing is what makes an interruption harmless: an
 * announcement comes after the files it names, and of a rotation the staged bundle is the beginning
 * and its renaming the end. */
#include "notary/rotate.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/protocol/bundle.h"
#include "notary/keypair.h"
#include "notary/rotate-bundle.h"
#include "notary/rotate-files.h"

/* What was read of the files. */
struct material {
    struct cvg_buffer bundle, bundle_v1;
    struct cvg_buffer certificate, next_certificate;
    struct cvg_signing_key *key, *next_key;
};

static void material_free(struct material *material)
{
    cvg_buffer_free(&material->bundle);
    cvg_buffer_free(&material->bundle_v1);
    cvg_buffer_free(&material->certificate);
    cvg_buffer_free(&material->next_certificate);
    cvg_signing_key_free(material->key);
    cvg_signing_key_free(material->next_key);
}

static struct cvg_succession succession_of(const struct material *material)
{
    return (struct cvg_succession){
        .certificate = (const char *)material->certificate.data,
        .key = material->key,
        .next_certificate = (const char *)material->next_certificate.data,
        .next_key = material->next_key,
    };
}

static void wipe(struct cvg_buffer *pem)
{
    if (pem->data != NULL)
        OPENSSL_cleanse(pem->data, pem->len);
    cvg_buffer_free(pem);
}

static enum cvg_error read_signing_key(const char *path, struct cvg_signing_key **ret_key,
                                       struct cvg_why *why)
{
    struct cvg_buffer pem = {0};
    struct cvg_why detail = {.text = ""};
    enum cvg_error err = cvg_rotate_read(path, &pem, why);
    if (err == CVG_OK) {
        err = cvg_signing_key_parse((const char *)pem.data, pem.len, ret_key, &detail);
        if (err != CVG_OK)
            err = cvg_fail(why, err, "%s: %.200s", path, detail.text);
    }
    wipe(&pem);
    return err;
}

static enum cvg_error read_current(const struct cvg_rotate_files *files, struct material *material,
                                   struct cvg_why *why)
{
    enum cvg_error err = cvg_rotate_read(files->settings.bundle, &material->bundle, why);
    if (err == CVG_OK && files->settings.bundle_v1[0] != '\0')
        err = cvg_rotate_read(files->settings.bundle_v1, &material->bundle_v1, why);
    if (err == CVG_OK)
        err = cvg_rotate_read(files->settings.tls_certificate, &material->certificate, why);
    if (err == CVG_OK)
        err = read_signing_key(files->settings.signing_key, &material->key, why);
    return err;
}

static enum cvg_error read_private_key(const char *path, EVP_PKEY **ret_key, struct cvg_why *why)
{
    struct cvg_buffer pem = {0};
    enum cvg_error err = cvg_rotate_read(path, &pem, why);
    BIO *bio = err == CVG_OK ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    wipe(&pem);
    ERR_clear_error();
    if (err == CVG_OK && key == NULL)
        err = cvg_fail(why, CVG_ERR_CONFIG, "%s: no private key", path);
    if (err == CVG_OK)
        *ret_key = key;
    return err;
}

static enum cvg_error make_key(const char *path, const char *like, struct cvg_why *why)
{
    struct cvg_buffer pem;
    EVP_PKEY *key = NULL;
    if (cvg_rotate_exists(path))
        return CVG_OK;
    cvg_buffer_init(&pem, CVG_BUNDLE_MAX);
    enum cvg_error err = cvg_keypair_new(&key);
    if (err == CVG_OK)
        err = cvg_keypair_pem(key, &pem);
    if (err == CVG_OK)
        err = cvg_rotate_write(path, &pem, like, why);
    EVP_PKEY_free(key);
    wipe(&pem);
    return err;
}

/* For the host that clients know, as the first certificate was. */
static enum cvg_error find_host(const struct cvg_buffer *bundle_file, struct cvg_endpoint *ret_host,
                                struct cvg_why *why)
{
    struct cvg_bundle *bundle = NULL;
    enum cvg_error err =
        cvg_bundle_parse((const char *)bundle_file->data, bundle_file->len, &bundle, why);
    if (err == CVG_OK)
        err = cvg_endpoint_set(bundle->host[0].host, strlen(bundle->host[0].host),
                               bundle->host[0].ssl_port, ret_host, why);
    cvg_bundle_free(bundle);
    return err;
}

static enum cvg_error make_certificate(const struct cvg_rotate_files *files,
                                       const struct material *material, struct cvg_why *why)
{
    struct cvg_buffer pem;
    struct cvg_endpoint host;
    EVP_PKEY *key = NULL;
    if (cvg_rotate_exists(files->next[CVG_ROTATE_CERTIFICATE]))
        return CVG_OK;
    cvg_buffer_init(&pem, CVG_BUNDLE_MAX);
    enum cvg_error err = read_private_key(files->next[CVG_ROTATE_KEY], &key, why);
    if (err == CVG_OK)
        err = find_host(&material->bundle, &host, why);
    if (err == CVG_OK)
        err = cvg_keypair_certificate(key, &host, files->settings.name, &pem);
    if (err == CVG_OK)
        err = cvg_rotate_write(files->next[CVG_ROTATE_CERTIFICATE], &pem,
                               files->settings.tls_certificate, why);
    EVP_PKEY_free(key);
    cvg_buffer_free(&pem);
    return err;
}

/* A certificate that the next key does not fit would lock all clients out. */
static enum cvg_error read_next_certificate(const struct cvg_rotate_files *files,
                                            struct material *material, struct cvg_why *why)
{
    EVP_PKEY *key = NULL;
    const char *path = files->next[CVG_ROTATE_CERTIFICATE];
    enum cvg_error err = read_private_key(files->next[CVG_ROTATE_KEY], &key, why);
    if (err == CVG_OK)
        err = cvg_rotate_read(path, &material->next_certificate, why);
    BIO *bio = err == CVG_OK ? BIO_new_mem_buf(material->next_certificate.data,
                                               (int)material->next_certificate.len)
                             : NULL;
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (err == CVG_OK && (certificate == NULL || X509_check_private_key(certificate, key) != 1))
        err = cvg_fail(why, CVG_ERR_CONFIG, "%s: not a certificate of %s", path,
                       files->next[CVG_ROTATE_KEY]);
    X509_free(certificate);
    BIO_free(bio);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

static enum cvg_error make_next(const struct cvg_rotate *rotate,
                                const struct cvg_rotate_files *files, struct material *material,
                                struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;
    if (rotate->tls)
        err = make_key(files->next[CVG_ROTATE_KEY], files->settings.tls_key, why);
    if (err == CVG_OK && rotate->tls)
        err = make_certificate(files, material, why);
    if (err == CVG_OK && rotate->tls)
        err = read_next_certificate(files, material, why);
    if (err == CVG_OK && rotate->signing)
        err = make_key(files->next[CVG_ROTATE_SIGNING], files->settings.signing_key, why);
    if (err == CVG_OK && rotate->signing)
        err = read_signing_key(files->next[CVG_ROTATE_SIGNING], &material->next_key, why);
    return err;
}

static enum cvg_error announce(const struct cvg_rotate *rotate,
                               const struct cvg_rotate_files *files, struct material *material,
                               struct cvg_why *why)
{
    struct cvg_buffer text;
    cvg_buffer_init(&text, CVG_BUNDLE_MAX);
    if (cvg_rotate_exists(files->staged))
        return cvg_fail(why, CVG_ERR_BUSY, "a rotation was interrupted: finish it with --rotate");
    enum cvg_error err = read_current(files, material, why);
    if (err == CVG_OK)
        err = make_next(rotate, files, material, why);
    if (err != CVG_OK)
        return err;
    const struct cvg_succession succession = succession_of(material);
    err = cvg_bundle_announce(&material->bundle, &succession, &text, why);
    if (err == CVG_OK)
        err = cvg_rotate_write(files->settings.bundle, &text, files->settings.bundle, why);
    else if (err == CVG_ERR_EXISTS)
        err = CVG_OK;
    cvg_buffer_free(&text);
    return err;
}

enum cvg_error cvg_rotate_announce(const struct cvg_rotate *rotate, struct cvg_why *ret_why)
{
    struct cvg_rotate_files files;
    struct material material = {.key = NULL};
    enum cvg_error err = cvg_rotate_open(rotate->directory, &files, ret_why);
    if (err != CVG_OK)
        return err;
    err = announce(rotate, &files, &material, ret_why);
    material_free(&material);
    cvg_rotate_close(&files);
    return err;
}

/* What is there to follow. A next key that no bundle announces is none to change to. */
static enum cvg_error read_next(const struct cvg_rotate_files *files, struct material *material,
                                struct cvg_why *why)
{
    bool tls = cvg_rotate_exists(files->next[CVG_ROTATE_KEY]) ||
               cvg_rotate_exists(files->next[CVG_ROTATE_CERTIFICATE]);
    bool signing = cvg_rotate_exists(files->next[CVG_ROTATE_SIGNING]);
    enum cvg_error err = CVG_OK;
    if (!tls && !signing)
        return cvg_fail(why, CVG_ERR_NOT_FOUND,
                        "there are no next keys: make them with --next-keys");
    if (tls)
        err = read_next_certificate(files, material, why);
    if (err == CVG_OK && signing)
        err = read_signing_key(files->next[CVG_ROTATE_SIGNING], &material->next_key, why);
    return err;
}

/* Where the certificate stays so does the bundle; what an interrupted rotation has staged is not
 * for this one. */
static enum cvg_error stage_v1(const struct cvg_rotate_files *files,
                               const struct material *material,
                               const struct cvg_succession *succession, struct cvg_why *why)
{
    struct cvg_buffer text;
    if (material->bundle_v1.len == 0)
        return CVG_OK;
    if (succession->next_certificate == NULL)
        return cvg_rotate_remove(files->staged_v1, why);
    cvg_buffer_init(&text, CVG_BUNDLE_MAX);
    enum cvg_error err = cvg_bundle_succeed_v1(&material->bundle_v1, succession, &text, why);
    if (err == CVG_OK)
        err = cvg_rotate_write(files->staged_v1, &text, files->settings.bundle_v1, why);
    cvg_buffer_free(&text);
    return err;
}

static enum cvg_error stage(const struct cvg_rotate *rotate, const struct cvg_rotate_files *files,
                            struct material *material, struct cvg_why *why)
{
    struct cvg_buffer text;
    enum cvg_error err = read_current(files, material, why);
    if (err == CVG_OK)
        err = read_next(files, material, why);
    if (err != CVG_OK)
        return err;
    const struct cvg_succession succession = succession_of(material);
    cvg_buffer_init(&text, CVG_BUNDLE_MAX);
    err = cvg_bundle_succeed(&material->bundle, &succession, rotate->keep_key, &text, why);
    if (err == CVG_OK)
        err = stage_v1(files, material, &succession, why);
    if (err == CVG_OK)
        err = cvg_rotate_write(files->staged, &text, files->settings.bundle, why);
    cvg_buffer_free(&text);
    return err;
}

static enum cvg_error find_serial(const char *path, uint64_t *ret_serial, struct cvg_why *why)
{
    struct cvg_buffer file = {0};
    struct cvg_bundle *bundle = NULL;
    enum cvg_error err = cvg_rotate_read(path, &file, why);
    if (err == CVG_OK)
        err = cvg_bundle_parse((const char *)file.data, file.len, &bundle, why);
    if (err == CVG_OK)
        *ret_serial = bundle->serial;
    cvg_bundle_free(bundle);
    cvg_buffer_free(&file);
    return err;
}

enum cvg_error cvg_rotate_finish(const struct cvg_rotate *rotate, struct cvg_why *ret_why)
{
    struct cvg_rotate_files files;
    struct material material = {.key = NULL};
    uint64_t serial = 0;
    enum cvg_error err = cvg_rotate_open(rotate->directory, &files, ret_why);
    if (err != CVG_OK)
        return err;
    if (!cvg_rotate_exists(files.staged))
        err = stage(rotate, &files, &material, ret_why);
    if (err == CVG_OK)
        err = find_serial(files.settings.bundle, &serial, ret_why);
    if (err == CVG_OK)
        err = cvg_rotate_move(&files, serial, ret_why);
    material_free(&material);
    cvg_rotate_close(&files);
    return err;
}

static enum cvg_error tell_certificate(const char *path, char *ret_text, struct cvg_why *why)
{
    struct cvg_buffer pem = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    enum cvg_error err = cvg_rotate_read(path, &pem, why);
    BIO *bio = err == CVG_OK ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (certificate != NULL && X509_digest(certificate, EVP_sha256(), digest, &len) == 1)
        cvg_fingerprint_format(digest, len, ret_text, CVG_FINGERPRINT_TEXT_MAX);
    else if (err == CVG_OK)
        err = cvg_fail(why, CVG_ERR_CONFIG, "%s: no certificate", path);
    X509_free(certificate);
    BIO_free(bio);
    cvg_buffer_free(&pem);
    ERR_clear_error();
    return err;
}

static enum cvg_error tell_signing(const char *path, char *ret_text, struct cvg_why *why)
{
    struct cvg_signing_key *key = NULL;
    enum cvg_error err = read_signing_key(path, &key, why);
    if (err == CVG_OK)
        cvg_fingerprint_format(cvg_signing_key_id(key), CVG_SHA256_LEN, ret_text,
                               CVG_FINGERPRINT_TEXT_MAX);
    cvg_signing_key_free(key);
    return err;
}

enum cvg_error cvg_rotate_tell(const struct cvg_rotate *rotate, bool next,
                               struct cvg_rotate_told *ret_told, struct cvg_why *ret_why)
{
    struct cvg_rotate_files files;
    *ret_told = (struct cvg_rotate_told){.signing = ""};
    enum cvg_error err = cvg_rotate_open(rotate->directory, &files, ret_why);
    if (err != CVG_OK)
        return err;
    if (!next || rotate->signing)
        err = tell_signing(next ? files.next[CVG_ROTATE_SIGNING] : files.settings.signing_key,
                           ret_told->signing, ret_why);
    if (err == CVG_OK && (!next || rotate->tls))
        err = tell_certificate(next ? files.next[CVG_ROTATE_CERTIFICATE]
                                    : files.settings.tls_certificate,
                               ret_told->certificate, ret_why);
    cvg_rotate_close(&files);
    return err;
}
