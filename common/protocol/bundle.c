/* SPDX-License-Identifier: MIT */
/* Bundles of versions 0, 1 and 2: which version it is, who signed it, and what may replace what.
 * The members are bundle-members.c's. */
#include "common/protocol/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "common/protocol/bundle-members.h"

/* The file around a version 2 text. text points into file. */
struct signed_text {
    json_t *file;
    const char *text;
    size_t text_len;
    uint8_t signature[CVG_SIGNATURE_MAX];
    size_t signature_len; /* 0: version 0 or 1, which nobody signs */
};

static enum cvg_error read_signed(const json_t *bundle, struct signed_text *ret_signed,
                                  struct cvg_why *why)
{
    const json_t *signature = json_object_get(ret_signed->file, "signature");

    if (!json_is_string(bundle))
        return cvg_fail(why, CVG_ERR_SYNTAX, "bundle must be the signed text");
    if (!json_is_string(signature) ||
        cvg_bundle_base64(json_string_value(signature), json_string_length(signature),
                          sizeof ret_signed->signature, ret_signed->signature,
                          &ret_signed->signature_len) != CVG_OK)
        return cvg_fail(why, CVG_ERR_SIGNATURE, "signature must be base64");
    ret_signed->text = json_string_value(bundle);
    ret_signed->text_len = json_string_length(bundle);
    return CVG_OK;
}

/* Whether one of the keys signed the text. */
static enum cvg_error check_signature(const struct signed_text *signed_text,
                                      struct cvg_verify_key *const key[], size_t key_count,
                                      const char *whose, struct cvg_why *why)
{
    struct cvg_buffer octets;
    enum cvg_error err = CVG_ERR_SIGNATURE;

    cvg_buffer_init(&octets, sizeof CVG_BUNDLE_DOMAIN + signed_text->text_len);
    cvg_buffer_put(&octets, CVG_BUNDLE_DOMAIN, sizeof CVG_BUNDLE_DOMAIN);
    cvg_buffer_put(&octets, signed_text->text, signed_text->text_len);
    if (cvg_buffer_error(&octets) != CVG_OK)
        err = cvg_buffer_error(&octets);
    for (size_t i = 0; i < key_count && err == CVG_ERR_SIGNATURE; i++)
        err = cvg_verify(key[i], octets.data, octets.len, signed_text->signature,
                         signed_text->signature_len);
    cvg_buffer_free(&octets);
    if (err != CVG_OK)
        return cvg_fail(why, err, "signature: not by a key of %s (%s)", whose, cvg_strerror(err));
    return CVG_OK;
}

static enum cvg_error read_version(const json_t *text, bool is_signed, unsigned *ret_version,
                                   struct cvg_why *why)
{
    const json_t *value = json_object_get(text, "version");
    json_int_t version = json_integer_value(value);

    if (value != NULL && !json_is_integer(value))
        return cvg_fail(why, CVG_ERR_SYNTAX, "version must be an integer");
    if (is_signed && version != 2)
        return cvg_fail(why, CVG_ERR_VERSION, "version must be 2 in a signed bundle");
    if (!is_signed && version == 2)
        return cvg_fail(why, CVG_ERR_SIGNATURE, "a version 2 bundle must be signed");
    if (version < 0 || version > 2)
        return cvg_fail(why, CVG_ERR_VERSION, "version must be 0, 1 or 2");
    *ret_version = (unsigned)version;
    return CVG_OK;
}

static enum cvg_error fill(const json_t *text, const struct signed_text *signed_text,
                           struct cvg_bundle *bundle, struct cvg_why *why)
{
    bool is_signed = signed_text->signature_len > 0;
    enum cvg_error err = read_version(text, is_signed, &bundle->version, why);

    bundle->protocol = is_signed ? 2 : 1;
    if (err == CVG_OK)
        err = cvg_bundle_members(text, bundle, why);
    if (err == CVG_OK && is_signed)
        err = check_signature(signed_text, bundle->key, bundle->key_count, "the bundle", why);
    return err;
}

static enum cvg_error fill_new(const json_t *text, const struct signed_text *signed_text,
                               struct cvg_bundle **ret_bundle, struct cvg_why *why)
{
    struct cvg_bundle *bundle = calloc(1, sizeof *bundle);
    enum cvg_error err;

    if (bundle == NULL)
        return cvg_fail(why, CVG_ERR_NOMEM, "out of memory");
    err = fill(text, signed_text, bundle, why);
    if (err == CVG_OK)
        *ret_bundle = bundle;
    else
        cvg_bundle_free(bundle);
    return err;
}

/* The caller releases ret_signed->file, also after a failure. */
static enum cvg_error parse(const char *json, size_t len, struct signed_text *ret_signed,
                            struct cvg_bundle **ret_bundle, struct cvg_why *why)
{
    const json_t *signed_member;
    json_t *text = NULL;
    enum cvg_error err;

    if (len > CVG_BUNDLE_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "a bundle has at most %d octets", CVG_BUNDLE_MAX);
    err = cvg_bundle_json(json, len, &ret_signed->file, why);
    if (err != CVG_OK)
        return err;
    signed_member = json_object_get(ret_signed->file, "bundle");
    if (signed_member == NULL)
        return fill_new(ret_signed->file, ret_signed, ret_bundle, why);
    err = read_signed(signed_member, ret_signed, why);
    if (err == CVG_OK)
        err = cvg_bundle_json(ret_signed->text, ret_signed->text_len, &text, why);
    if (err == CVG_OK)
        err = fill_new(text, ret_signed, ret_bundle, why);
    json_decref(text);
    return err;
}

enum cvg_error cvg_bundle_parse(const char *json, size_t len, struct cvg_bundle **ret_bundle,
                                struct cvg_why *ret_why)
{
    struct signed_text signed_text = {.file = NULL};
    enum cvg_error err = parse(json, len, &signed_text, ret_bundle, ret_why);

    json_decref(signed_text.file);
    return err;
}

static enum cvg_error may_replace(const struct cvg_bundle *old, const struct cvg_bundle *bundle,
                                  const struct signed_text *signed_text, struct cvg_why *why)
{
    if (strcmp(old->name, bundle->name) != 0)
        return cvg_fail(why, CVG_ERR_SYNTAX, "name is %s, and must stay %s", bundle->name,
                        old->name);
    if (bundle->version < old->version)
        return cvg_fail(why, CVG_ERR_VERSION, "version %u is lower than %u", bundle->version,
                        old->version);
    if (old->key_count == 0)
        return cvg_fail(why, CVG_ERR_SIGNATURE,
                        "a version %u bundle has no key: only a person can replace it",
                        old->version);
    if (bundle->serial <= old->serial)
        return cvg_fail(why, CVG_ERR_VERSION, "serial %llu is not above %llu",
                        (unsigned long long)bundle->serial, (unsigned long long)old->serial);
    return check_signature(signed_text, old->key, old->key_count, "the bundle it replaces", why);
}

enum cvg_error cvg_bundle_update(const struct cvg_bundle *old, const char *json, size_t len,
                                 struct cvg_bundle **ret_bundle, struct cvg_why *ret_why)
{
    struct signed_text signed_text = {.file = NULL};
    struct cvg_bundle *bundle = NULL;
    enum cvg_error err = parse(json, len, &signed_text, &bundle, ret_why);

    if (err == CVG_OK)
        err = may_replace(old, bundle, &signed_text, ret_why);
    if (err == CVG_OK) {
        *ret_bundle = bundle;
        bundle = NULL;
    }
    cvg_bundle_free(bundle);
    json_decref(signed_text.file);
    return err;
}

void cvg_bundle_free(struct cvg_bundle *bundle)
{
    if (bundle == NULL)
        return;
    for (size_t i = 0; i < bundle->host_count; i++)
        free(bundle->host[i].certificate);
    for (size_t i = 0; i < CVG_BUNDLE_KEYS_MAX; i++)
        cvg_verify_key_free(bundle->key[i]);
    free(bundle);
}
