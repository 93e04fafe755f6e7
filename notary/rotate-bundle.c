/* SPDX-License-Identifier: MIT */
/* The bundles of a notary that changes its keys. Members that we do not know stay as they are. */
#include "notary/rotate-bundle.h"

#include <openssl/pem.h>
#include <string.h>

#include "common/protocol/base64.h"
#include "common/protocol/bundle.h"
#include "notary/bundle-seal.h"

/* A bundle as it is understood and as it is written. */
struct edit {
    struct cvg_bundle *bundle;
    json_t *members;
};

static json_t *load(const char *text, size_t len)
{
    return json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
}

/* The JSON of what cvg_bundle_parse has taken already, so what fails here is memory. */
static json_t *members_of(const struct cvg_buffer *file)
{
    json_t *outside = load((const char *)file->data, file->len);
    const json_t *inside = json_object_get(outside, "bundle");
    json_t *members = inside == NULL ? json_incref(outside)
                                     : load(json_string_value(inside), json_string_length(inside));
    json_decref(outside);
    return members;
}

static enum cvg_error edit_begin(const struct cvg_buffer *file, unsigned version,
                                 struct edit *ret_edit, struct cvg_why *why)
{
    struct edit edit = {.bundle = NULL};
    enum cvg_error err = cvg_bundle_parse((const char *)file->data, file->len, &edit.bundle, why);
    if (err == CVG_OK && edit.bundle->version != version)
        err = cvg_fail(why, CVG_ERR_VERSION, "the bundle is of version %u, not %u",
                       edit.bundle->version, version);
    if (err == CVG_OK) {
        edit.members = members_of(file);
        err = edit.members == NULL ? CVG_ERR_NOMEM : CVG_OK;
    }
    if (err == CVG_OK)
        *ret_edit = edit;
    else
        cvg_bundle_free(edit.bundle);
    return err;
}

static void edit_end(struct edit *edit)
{
    cvg_bundle_free(edit->bundle);
    json_decref(edit->members);
}

static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

/* Whether the certificate of the PEM text is these octets. */
static bool is_certificate(const char *pem, const uint8_t *der, size_t der_len)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char *mine = NULL;
    int len = certificate == NULL ? -1 : i2d_X509(certificate, &mine);
    bool same = len > 0 && (size_t)len == der_len && memcmp(mine, der, der_len) == 0;
    OPENSSL_free(mine);
    X509_free(certificate);
    BIO_free(bio);
    return same;
}

static bool announces(const struct cvg_bundle_host *host, const char *pem)
{
    return host->next_certificate != NULL &&
           is_certificate(pem, host->next_certificate, host->next_certificate_len);
}

static json_t *host_at(const struct edit *edit, size_t i)
{
    return json_array_get(json_object_get(edit->members, "hosts"), i);
}

/* Where the key is among the bundle's; key_count if it is not. */
static size_t find_key(const struct cvg_bundle *bundle, const struct cvg_signing_key *key)
{
    size_t i = 0;
    while (i < bundle->key_count &&
           memcmp(cvg_verify_key_id(bundle->key[i]), cvg_signing_key_id(key), CVG_SHA256_LEN) != 0)
        i++;
    return i;
}

static json_t *public_text(const struct cvg_signing_key *key)
{
    struct cvg_buffer der, base64;
    json_t *text = NULL;
    cvg_buffer_init(&der, 1024);
    cvg_buffer_init(&base64, 2048);
    if (cvg_signing_key_public(key, &der) == CVG_OK &&
        cvg_base64_put(&base64, der.data, der.len) == CVG_OK)
        text = json_string((const char *)base64.data);
    cvg_buffer_free(&der);
    cvg_buffer_free(&base64);
    return text;
}

/* The serial rises, the signature is there, and who has the former bundle takes it. */
static enum cvg_error finish(struct edit *edit, struct cvg_signing_key *signer,
                             struct cvg_buffer *ret_text, struct cvg_why *why)
{
    struct cvg_bundle *updated = NULL;
    if (!set(edit->members, "serial", json_integer((json_int_t)edit->bundle->serial + 1)))
        return CVG_ERR_NOMEM;
    enum cvg_error err = cvg_bundle_seal(edit->members, signer, ret_text, why);
    if (err == CVG_OK)
        err = cvg_bundle_update(edit->bundle, (const char *)ret_text->data, ret_text->len, &updated,
                                why);
    cvg_bundle_free(updated);
    return err;
}

static enum cvg_error announce_certificate(struct edit *edit, const struct cvg_succession *s,
                                           bool *changed, struct cvg_why *why)
{
    size_t found = 0;
    for (size_t i = 0; s->next_certificate != NULL && i < edit->bundle->host_count; i++) {
        const struct cvg_bundle_host *host = &edit->bundle->host[i];
        if (!is_certificate(s->certificate, host->certificate, host->certificate_len))
            continue;
        found++;
        if (announces(host, s->next_certificate))
            continue;
        *changed = true;
        if (!set(host_at(edit, i), "next_certificate", json_string(s->next_certificate)))
            return CVG_ERR_NOMEM;
    }
    if (s->next_certificate != NULL && found == 0)
        return cvg_fail(why, CVG_ERR_CONFIG, "no host of the bundle has tls_certificate");
    return CVG_OK;
}

static enum cvg_error announce_key(struct edit *edit, const struct cvg_succession *s, bool *changed)
{
    if (s->next_key == NULL || find_key(edit->bundle, s->next_key) < edit->bundle->key_count)
        return CVG_OK;
    *changed = true;
    return json_array_append_new(json_object_get(edit->members, "keys"),
                                 public_text(s->next_key)) == 0
               ? CVG_OK
               : CVG_ERR_NOMEM;
}

static enum cvg_error check_signer(const struct edit *edit, const struct cvg_succession *s,
                                   struct cvg_why *why)
{
    if (find_key(edit->bundle, s->key) == 0)
        return CVG_OK;
    return cvg_fail(why, CVG_ERR_CONFIG, "signing_key is not the first of the bundle's keys");
}

enum cvg_error cvg_bundle_announce(const struct cvg_buffer *file,
                                   const struct cvg_succession *succession,
                                   struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    struct edit edit;
    bool changed = false;
    enum cvg_error err = edit_begin(file, 2, &edit, ret_why);
    if (err != CVG_OK)
        return err;
    err = check_signer(&edit, succession, ret_why);
    if (err == CVG_OK)
        err = announce_certificate(&edit, succession, &changed, ret_why);
    if (err == CVG_OK)
        err = announce_key(&edit, succession, &changed);
    if (err == CVG_OK && !changed)
        err = cvg_fail(ret_why, CVG_ERR_EXISTS, "it is announced already");
    if (err == CVG_OK)
        err = finish(&edit, succession->key, ret_text, ret_why);
    edit_end(&edit);
    return err;
}

static enum cvg_error succeed_certificate(struct edit *edit, const struct cvg_succession *s,
                                          struct cvg_why *why)
{
    size_t found = 0;
    for (size_t i = 0; s->next_certificate != NULL && i < edit->bundle->host_count; i++) {
        json_t *host = host_at(edit, i);
        if (!announces(&edit->bundle->host[i], s->next_certificate))
            continue;
        found++;
        if (!set(host, "certificate", json_string(s->next_certificate)) ||
            json_object_del(host, "next_certificate") != 0)
            return CVG_ERR_NOMEM;
    }
    if (s->next_certificate != NULL && found == 0)
        return cvg_fail(why, CVG_ERR_CONFIG, "the bundle does not announce the next certificate");
    return CVG_OK;
}

/* The next key comes first, the former one goes or comes last; others keep their order. */
static enum cvg_error succeed_key(struct edit *edit, const struct cvg_succession *s, bool keep_key,
                                  struct cvg_why *why)
{
    json_t *keys = json_object_get(edit->members, "keys");
    if (s->next_key == NULL)
        return CVG_OK;
    size_t at = find_key(edit->bundle, s->next_key);
    if (at == 0 || at == edit->bundle->key_count)
        return cvg_fail(why, CVG_ERR_CONFIG, "the bundle does not announce the next signing key");
    bool good = json_array_remove(keys, at) == 0 && json_array_remove(keys, 0) == 0 &&
                json_array_insert_new(keys, 0, public_text(s->next_key)) == 0 &&
                (!keep_key || json_array_append_new(keys, public_text(s->key)) == 0);
    return good ? CVG_OK : CVG_ERR_NOMEM;
}

enum cvg_error cvg_bundle_succeed(const struct cvg_buffer *file,
                                  const struct cvg_succession *succession, bool keep_key,
                                  struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    struct edit edit;
    bool next_signs = succession->next_key != NULL && !keep_key;
    enum cvg_error err = edit_begin(file, 2, &edit, ret_why);
    if (err != CVG_OK)
        return err;
    err = check_signer(&edit, succession, ret_why);
    if (err == CVG_OK)
        err = succeed_certificate(&edit, succession, ret_why);
    if (err == CVG_OK)
        err = succeed_key(&edit, succession, keep_key, ret_why);
    if (err == CVG_OK)
        err = finish(&edit, next_signs ? succession->next_key : succession->key, ret_text, ret_why);
    edit_end(&edit);
    return err;
}

enum cvg_error cvg_bundle_succeed_v1(const struct cvg_buffer *file,
                                     const struct cvg_succession *succession,
                                     struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    struct edit edit;
    enum cvg_error err = edit_begin(file, 1, &edit, ret_why);
    if (err != CVG_OK)
        return err;
    for (size_t i = 0; i < edit.bundle->host_count && err == CVG_OK; i++) {
        const struct cvg_bundle_host *host = &edit.bundle->host[i];
        if (is_certificate(succession->certificate, host->certificate, host->certificate_len) &&
            !set(host_at(&edit, i), "certificate", json_string(succession->next_certificate)))
            err = CVG_ERR_NOMEM;
    }
    if (err == CVG_OK)
        err = cvg_bundle_plain(edit.members, ret_text, ret_why);
    edit_end(&edit);
    return err;
}
