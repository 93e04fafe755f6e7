/* SPDX-License-Identifier: MIT */
/* Bundles as files: writing the JSON, signing it, reading it back. */
#include "notary/bundle-seal.h"

#include <stdlib.h>

#include "common/protocol/base64.h"
#include "common/protocol/bundle.h"

#define JSON_STYLE (JSON_INDENT(2) | JSON_ENSURE_ASCII)

static enum cvg_error put_json(const json_t *object, struct cvg_buffer *ret_text)
{
    char *text = json_dumps(object, JSON_STYLE);
    if (text == NULL)
        return CVG_ERR_NOMEM;
    cvg_buffer_put_text(ret_text, text);
    free(text);
    return cvg_buffer_put_text(ret_text, "\n");
}

static enum cvg_error sign_text(struct cvg_signing_key *key, const struct cvg_buffer *text,
                                struct cvg_buffer *ret_base64)
{
    struct cvg_buffer octets, signature;
    cvg_buffer_init(&octets, CVG_BUNDLE_MAX);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    cvg_buffer_put(&octets, CVG_BUNDLE_DOMAIN, sizeof(CVG_BUNDLE_DOMAIN));
    enum cvg_error err = cvg_buffer_put(&octets, text->data, text->len);
    if (err == CVG_OK)
        err = cvg_sign(key, octets.data, octets.len, &signature);
    if (err == CVG_OK)
        err = cvg_base64_put(ret_base64, signature.data, signature.len);
    cvg_buffer_free(&octets);
    cvg_buffer_free(&signature);
    return err;
}

static enum cvg_error put_envelope(const struct cvg_buffer *inner, const struct cvg_buffer *base64,
                                   struct cvg_buffer *ret_text)
{
    json_t *envelope = json_pack("{s:s, s:s}", "bundle", (const char *)inner->data, "signature",
                                 (const char *)base64->data);
    enum cvg_error err = envelope != NULL ? put_json(envelope, ret_text) : CVG_ERR_NOMEM;
    json_decref(envelope);
    return err;
}

/* Reads the bundle as a client would: what it says must be allowed. */
static enum cvg_error try_bundle(const struct cvg_buffer *text, struct cvg_why *why)
{
    struct cvg_bundle *bundle = NULL;
    enum cvg_error err = cvg_bundle_parse((const char *)text->data, text->len, &bundle, why);
    cvg_bundle_free(bundle);
    return err;
}

enum cvg_error cvg_bundle_seal(const json_t *bundle, struct cvg_signing_key *key,
                               struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    struct cvg_buffer inner, signature;
    cvg_buffer_init(&inner, CVG_BUNDLE_MAX);
    cvg_buffer_init(&signature, 1024);
    enum cvg_error err = bundle == NULL ? CVG_ERR_NOMEM : put_json(bundle, &inner);
    if (err == CVG_OK)
        err = sign_text(key, &inner, &signature);
    if (err == CVG_OK)
        err = put_envelope(&inner, &signature, ret_text);
    if (err == CVG_OK)
        err = try_bundle(ret_text, ret_why);
    cvg_buffer_free(&inner);
    cvg_buffer_free(&signature);
    return err;
}

enum cvg_error cvg_bundle_plain(const json_t *bundle, struct cvg_buffer *ret_text,
                                struct cvg_why *ret_why)
{
    enum cvg_error err = bundle == NULL ? CVG_ERR_NOMEM : put_json(bundle, ret_text);
    return err == CVG_OK ? try_bundle(ret_text, ret_why) : err;
}
