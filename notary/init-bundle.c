/* SPDX-License-Identifier: MIT */
/* The bundles that a new notary hands out. */
#include "notary/init-bundle.h"

#include <jansson.h>
#include <string.h>

#include "common/protocol/base64.h"
#include "notary/bundle-seal.h"
#include "notary/route.h"

/* Where updates are: an IPv6 host in brackets, the port where it is not the usual one. */
static json_t *location(const struct cvg_init *init, const char *host, const char *path)
{
    bool v6 = strchr(host, ':') != NULL;
    if (init->ssl_port == 443)
        return json_sprintf("https://%s%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "", path);
    return json_sprintf("https://%s%s%s:%u%s", v6 ? "[" : "", host, v6 ? "]" : "", init->ssl_port,
                        path);
}

/* Sets a member; false without memory or if value is NULL. Takes value over. */
static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static bool set_common(json_t *bundle, const struct cvg_init *init, const char *host,
                       const char *path)
{
    return (init->region == NULL || set(bundle, "region", json_string(init->region))) &&
           set(bundle, "bundle_location", location(init, host, path));
}

static json_t *addresses(const struct cvg_init *init)
{
    json_t *list = json_array();
    for (size_t i = 0; i < init->addresses.count; i++) {
        char text[CVG_ADDRESS_TEXT_MAX];
        cvg_address_format(&init->addresses.address[i], text, sizeof(text));
        if (json_array_append_new(list, json_string(text)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* What is signed; NULL without memory. The caller releases it. */
static json_t *inner(const struct cvg_init *init, const char *host, const char *certificate,
                     const char *public_key)
{
    json_t *bundle = json_object();
    json_t *entry = json_object();
    bool good = set(entry, "host", json_string(host)) &&
                set(entry, "ssl_port", json_integer(init->ssl_port)) &&
                set(entry, "bounce_port", json_integer(init->bounce_port)) &&
                set(entry, "relay_port", json_integer(init->relay_port)) &&
                set(entry, "addresses", addresses(init)) &&
                set(entry, "certificate", json_string(certificate));
    good = good && set(bundle, "version", json_integer(2)) &&
           set(bundle, "name", json_string(init->name)) && set(bundle, "serial", json_integer(1)) &&
           (init->operator_name == NULL ||
            set(bundle, "operator", json_string(init->operator_name))) &&
           set_common(bundle, init, host, CVG_PATH_BUNDLE) &&
           set(bundle, "keys", json_pack("[s]", public_key)) &&
           set(bundle, "hosts", json_pack("[O]", entry));
    json_decref(entry);
    if (!good) {
        json_decref(bundle);
        bundle = NULL;
    }
    return bundle;
}

enum cvg_error cvg_init_bundle(const struct cvg_init *init, const char *host,
                               const char *certificate, const struct cvg_buffer *public_key,
                               struct cvg_signing_key *key, struct cvg_buffer *ret_text,
                               struct cvg_why *ret_why)
{
    struct cvg_buffer public_base64;
    json_t *bundle = NULL;
    cvg_buffer_init(&public_base64, 1024);
    enum cvg_error err = cvg_base64_put(&public_base64, public_key->data, public_key->len);
    if (err == CVG_OK)
        bundle = inner(init, host, certificate, (const char *)public_base64.data);
    if (err == CVG_OK)
        err = cvg_bundle_seal(bundle, key, ret_text, ret_why);
    json_decref(bundle);
    cvg_buffer_free(&public_base64);
    return err;
}

enum cvg_error cvg_init_bundle_v1(const struct cvg_init *init, const char *host,
                                  const char *certificate, struct cvg_buffer *ret_text,
                                  struct cvg_why *ret_why)
{
    json_t *bundle = json_object();
    json_t *entry = json_object();
    bool good = set(entry, "host", json_string(host)) &&
                set(entry, "ssl_port", json_integer(init->ssl_port)) &&
                set(entry, "http_port", json_integer(init->relay_port)) &&
                set(entry, "certificate", json_string(certificate));
    good = good && set(bundle, "version", json_integer(1)) &&
           set(bundle, "name", json_string(init->name)) &&
           set_common(bundle, init, host, CVG_PATH_BUNDLE_V1) &&
           set(bundle, "hosts", json_pack("[O]", entry));
    enum cvg_error err = good ? cvg_bundle_plain(bundle, ret_text, ret_why) : CVG_ERR_NOMEM;
    json_decref(entry);
    json_decref(bundle);
    return err;
}
