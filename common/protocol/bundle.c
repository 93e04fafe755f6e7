/* SPDX-License-Identifier: MIT */
/* Bundles of versions 0, 1 and 2: which version it is, who signed it, and what may replace what.
 * The members are bundle-members.c's. */
#include "common/protocol/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "common/protocol/base64.h"
#include "common/protocol/bundle-members.h"
#include "common/protocol/json.h"

/* A bundle's file: of version 2 it is an envelope around the text, which points into it; of the
 * others it is the text. */
struct envelope {
    json_t *file;
    const char *text; /* NULL: version 0 or 1, which nobody signs */
    size_t text_len;
    struct cvg_buffer signature;
};

static enum cvg_error read_envelope(const json_t *bundle, struct envelope *envelope,
                                    struct cvg_why *why)
{
    const json_t *signature = json_object_get(envelope->file, "signature");
    enum cvg_error err = CVG_ERR_SIGNATURE;

    if (!json_is_string(bundle))
        return cvg_fail(why, CVG_ERR_SYNTAX, "bundle must be the signed text");
    if (json_is_string(signature))
        err = cvg_base64_parse(json_string_value(signature), json_string_length(signature),
                               &envelope->signature);
    if (err != CVG_OK)
        return cvg_fail(why, err == CVG_ERR_NOMEM ? err : CVG_ERR_SIGNATURE,
                        "signature must be base64 of at most %d octets", CVG_SIGNATURE_MAX);
    envelope->text = json_string_value(bundle);
    envelope->text_len = json_string_length(bundle);
    return CVG_OK;
}

/* Whether one of the keys signed the text. */
static enum cvg_error check_signature(const struct envelope *envelope,
                                      struct cvg_verify_key *const key[], size_t key_count,
                                      const char *whose, struct cvg_why *why)
{
    struct cvg_buffer octets;
    enum cvg_error err = CVG_ERR_SIGNATURE;

    cvg_buffer_init(&octets, sizeof CVG_BUNDLE_DOMAIN + envelope->text_len);
    cvg_buffer_put(&octets, CVG_BUNDLE_DOMAIN, sizeof CVG_BUNDLE_DOMAIN);
    cvg_buffer_put(&octets, envelope->text, envelope->text_len);
    if (cvg_buffer_error(&octets) != CVG_OK)
        err = cvg_buffer_error(&octets);
    for (size_t i = 0; i < key_count && err == CVG_ERR_SIGNATURE; i++)
        err = cvg_verify(key[i], octets.data, octets.len, envelope->signature.data,
                         envelope->signature.len);
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

static enum cvg_error fill(const json_t *text, const struct envelope *envelope,
                           struct cvg_bundle *bundle, struct cvg_why *why)
{
    bool is_signed = envelope->text != NULL;
    enum cvg_error err = read_version(text, is_signed, &bundle->version, why);

    bundle->protocol = is_signed ? 2 : 1;
    if (err == CVG_OK)
        err = cvg_bundle_members(text, bundle, why);
    if (err == CVG_OK && is_signed)
        err = check_signature(envelope, bundle->key, bundle->key_count, "the bundle", why);
    if (err == CVG_OK && is_signed)
        memcpy(bundle->origin, cvg_verify_key_id(bundle->key[0]), sizeof bundle->origin);
    return err;
}

static enum cvg_error fill_new(const json_t *text, const struct envelope *envelope,
                               struct cvg_bundle **ret_bundle, struct cvg_why *why)
{
    struct cvg_bundle *bundle = calloc(1, sizeof *bundle);
    enum cvg_error err;

    if (bundle == NULL)
        return cvg_fail(why, CVG_ERR_NOMEM, "out of memory");
    err = fill(text, envelope, bundle, why);
    if (err == CVG_OK)
        *ret_bundle = bundle;
    else
        cvg_bundle_free(bundle);
    return err;
}

static enum cvg_error parse(const char *json, size_t len, struct envelope *envelope,
                            struct cvg_bundle **ret_bundle, struct cvg_why *why)
{
    const json_t *inside;
    json_t *text = NULL;
    enum cvg_error err = cvg_json_parse(json, len, CVG_BUNDLE_MAX, &envelope->file, why);

    if (err != CVG_OK)
        return err;
    inside = json_object_get(envelope->file, "bundle");
    if (inside == NULL)
        return fill_new(envelope->file, envelope, ret_bundle, why);
    err = read_envelope(inside, envelope, why);
    if (err == CVG_OK)
        err = cvg_json_parse(envelope->text, envelope->text_len, CVG_BUNDLE_MAX, &text, why);
    if (err == CVG_OK)
        err = fill_new(text, envelope, ret_bundle, why);
    json_decref(text);
    return err;
}

static void envelope_init(struct envelope *envelope)
{
    *envelope = (struct envelope){.file = NULL};
    cvg_buffer_init(&envelope->signature, CVG_SIGNATURE_MAX);
}

static void envelope_free(struct envelope *envelope)
{
    cvg_buffer_free(&envelope->signature);
    json_decref(envelope->file);
}

enum cvg_error cvg_bundle_parse(const char *json, size_t len, struct cvg_bundle **ret_bundle,
                                struct cvg_why *ret_why)
{
    struct envelope envelope;
    enum cvg_error err;

    envelope_init(&envelope);
    err = parse(json, len, &envelope, ret_bundle, ret_why);
    envelope_free(&envelope);
    return err;
}

static enum cvg_error may_replace(const struct cvg_bundle *old, const struct cvg_bundle *bundle,
                                  const struct envelope *envelope, struct cvg_why *why)
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
    return check_signature(envelope, old->key, old->key_count, "the bundle it replaces", why);
}

enum cvg_error cvg_bundle_update(const struct cvg_bundle *old, const char *json, size_t len,
                                 struct cvg_bundle **ret_bundle, struct cvg_why *ret_why)
{
    struct envelope envelope;
    struct cvg_bundle *bundle = NULL;
    enum cvg_error err;

    envelope_init(&envelope);
    err = parse(json, len, &envelope, &bundle, ret_why);
    if (err == CVG_OK)
        err = may_replace(old, bundle, &envelope, ret_why);
    if (err == CVG_OK) {
        memcpy(bundle->origin, old->origin, sizeof bundle->origin);
        *ret_bundle = bundle;
        bundle = NULL;
    }
    cvg_bundle_free(bundle);
    envelope_free(&envelope);
    return err;
}

void cvg_bundle_free(struct cvg_bundle *bundle)
{
    if (bundle == NULL)
        return;
    for (size_t i = 0; i < bundle->host_count; i++)
        cvg_bundle_host_free(&bundle->host[i]);
    for (size_t i = 0; i < CVG_BUNDLE_KEYS_MAX; i++)
        cvg_verify_key_free(bundle->key[i]);
    free(bundle);
}
