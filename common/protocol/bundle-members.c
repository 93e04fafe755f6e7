/* SPDX-License-Identifier: MIT */
/* The members of a bundle's text: each is checked here, and a failure names the member and what is
 * allowed. */
#include "common/protocol/bundle-members.h"

#include <stdio.h>
#include <string.h>

#include "common/protocol/base64.h"

#define KEY_DER_MAX 256 /* octets of a SubjectPublicKeyInfo of a kind we take */
#define WHERE_MAX   32
#define SERIAL_MAX  9007199254740991 /* 2^53 - 1: exact in every JSON reader */

/* jansson has checked that it is UTF-8. The C1 controls are C2 80 to C2 9F there. */
static bool has_controls(const char *text, size_t len)
{
    const uint8_t *octet = (const uint8_t *)text;

    for (size_t i = 0; i < len; i++)
        if (octet[i] < 0x20 || octet[i] == 0x7f || (octet[i] == 0xc2 && octet[i + 1] < 0xa0))
            return true;
    return false;
}

enum cvg_error cvg_bundle_text(const json_t *object, const char *where, const char *member,
                               bool required, char *ret_text, size_t size, struct cvg_why *ret_why)
{
    const json_t *value = json_object_get(object, member);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (value == NULL && !required)
        return CVG_OK;
    if (text == NULL || (required && len == 0))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "%s%s must be a text", where, member);
    if (len >= size)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s%s is longer than %zu octets", where, member,
                        size - 1);
    if (has_controls(text, len))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "%s%s must be without control characters", where,
                        member);
    memcpy(ret_text, text, len + 1);
    return CVG_OK;
}

static enum cvg_error read_region(const json_t *text, struct cvg_bundle *bundle,
                                  struct cvg_why *why)
{
    char region[sizeof bundle->region] = "";
    enum cvg_error err = cvg_bundle_text(text, "", "region", false, region, sizeof region, why);

    if (err != CVG_OK || region[0] == '\0')
        return err;
    if (strspn(region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
        return cvg_fail(why, CVG_ERR_SYNTAX, "region must be two capital letters (ISO 3166)");
    memcpy(bundle->region, region, sizeof region);
    return CVG_OK;
}

static bool location_good(const char *location)
{
    static const char scheme[] = "https://", ending[] = ".notary";
    size_t len = strlen(location);

    return len > sizeof scheme + sizeof ending && strpbrk(location, " @?#\\") == NULL &&
           strncmp(location, scheme, sizeof scheme - 1) == 0 &&
           location[sizeof scheme - 1] != '/' &&
           strcmp(location + len - (sizeof ending - 1), ending) == 0;
}

static enum cvg_error read_location(const json_t *text, struct cvg_bundle *bundle,
                                    struct cvg_why *why)
{
    char *location = bundle->location;
    enum cvg_error err =
        cvg_bundle_text(text, "", "bundle_location", false, location, sizeof bundle->location, why);

    if (err == CVG_OK && location[0] != '\0' && !location_good(location))
        return cvg_fail(why, CVG_ERR_SYNTAX,
                        "bundle_location must be https://HOST/....notary without user, query or "
                        "fragment");
    return err;
}

static enum cvg_error parse_key(const json_t *value, size_t i, struct cvg_verify_key **ret_key,
                                struct cvg_why *why)
{
    struct cvg_buffer der;
    struct cvg_why inner = {""};
    enum cvg_error err = CVG_ERR_SYNTAX;

    cvg_buffer_init(&der, KEY_DER_MAX);
    if (json_is_string(value))
        err = cvg_base64_parse(json_string_value(value), json_string_length(value), &der);
    if (err == CVG_OK)
        err = cvg_verify_key_parse(der.data, der.len, ret_key, &inner);
    else
        cvg_fail(&inner, err, "must be base64 of at most %d octets", KEY_DER_MAX);
    cvg_buffer_free(&der);
    return err == CVG_OK ? CVG_OK : cvg_fail(why, err, "keys[%zu]: %s", i, inner.text);
}

static enum cvg_error read_key(const json_t *value, size_t i, struct cvg_bundle *bundle,
                               struct cvg_why *why)
{
    enum cvg_error err = parse_key(value, i, &bundle->key[i], why);

    if (err != CVG_OK)
        return err;
    bundle->key_count = i + 1;
    for (size_t j = 0; j < i; j++)
        if (memcmp(cvg_verify_key_id(bundle->key[i]), cvg_verify_key_id(bundle->key[j]),
                   CVG_SHA256_LEN) == 0)
            return cvg_fail(why, CVG_ERR_SYNTAX, "keys[%zu] is keys[%zu] again", i, j);
    return CVG_OK;
}

static enum cvg_error read_keys(const json_t *text, struct cvg_bundle *bundle, struct cvg_why *why)
{
    const json_t *list = json_object_get(text, "keys");
    size_t count = json_array_size(list);
    enum cvg_error err = CVG_OK;

    if (!json_is_array(list) || count == 0 || count > CVG_BUNDLE_KEYS_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "keys must be a list of 1 to %d", CVG_BUNDLE_KEYS_MAX);
    for (size_t i = 0; i < count && err == CVG_OK; i++)
        err = read_key(json_array_get(list, i), i, bundle, why);
    return err;
}

static enum cvg_error read_serial(const json_t *text, struct cvg_bundle *bundle,
                                  struct cvg_why *why)
{
    const json_t *value = json_object_get(text, "serial");

    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > SERIAL_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "serial must be an integer from 1 to %lld",
                        (long long)SERIAL_MAX);
    bundle->serial = (uint64_t)json_integer_value(value);
    return CVG_OK;
}

/* The same service twice would be a host that is tried twice, and a bundle nobody meant. */
static enum cvg_error refuse_same_host(const struct cvg_bundle *bundle, size_t i,
                                       struct cvg_why *why)
{
    for (size_t j = 0; j < i; j++)
        if (bundle->host[i].ssl_port == bundle->host[j].ssl_port &&
            strcmp(bundle->host[i].host, bundle->host[j].host) == 0)
            return cvg_fail(why, CVG_ERR_SYNTAX, "hosts[%zu] is hosts[%zu] again", i, j);
    return CVG_OK;
}

static enum cvg_error read_hosts(const json_t *text, struct cvg_bundle *bundle, struct cvg_why *why)
{
    const json_t *list = json_object_get(text, "hosts");
    size_t count = json_array_size(list);
    char where[WHERE_MAX];
    enum cvg_error err = CVG_OK;

    if (!json_is_array(list) || count == 0 || count > CVG_BUNDLE_HOSTS_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "hosts must be a list of 1 to %d",
                        CVG_BUNDLE_HOSTS_MAX);
    for (size_t i = 0; i < count && err == CVG_OK; i++) {
        snprintf(where, sizeof where, "hosts[%zu].", i);
        bundle->host_count = i + 1;
        err =
            cvg_bundle_host(json_array_get(list, i), where, bundle->version, &bundle->host[i], why);
        if (err == CVG_OK)
            err = refuse_same_host(bundle, i, why);
    }
    return err;
}

/* Version 0 is one host's members; its name is the host's. */
static enum cvg_error read_version_0(const json_t *text, struct cvg_bundle *bundle,
                                     struct cvg_why *why)
{
    enum cvg_error err;

    bundle->host_count = 1;
    err = cvg_bundle_host(text, "", 0, &bundle->host[0], why);
    if (err != CVG_OK)
        return err;
    if (strlen(bundle->host[0].host) >= sizeof bundle->name)
        return cvg_fail(why, CVG_ERR_RANGE, "host is the name, and longer than %zu octets",
                        sizeof bundle->name - 1);
    memcpy(bundle->name, bundle->host[0].host, strlen(bundle->host[0].host) + 1);
    err = read_region(text, bundle, why);
    return err == CVG_OK ? read_location(text, bundle, why) : err;
}

/* A version 2 name becomes part of a file's name, where an update is kept. */
static enum cvg_error read_name(const json_t *text, struct cvg_bundle *bundle, struct cvg_why *why)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *name = bundle->name;
    enum cvg_error err =
        cvg_bundle_text(text, "", "name", true, bundle->name, sizeof bundle->name, why);

    if (err == CVG_OK && bundle->version == 2 &&
        (name[strspn(name, allowed)] != '\0' || name[0] == '.' || name[0] == '-'))
        return cvg_fail(why, CVG_ERR_SYNTAX,
                        "name must be of A-Z a-z 0-9 . _ - and not begin with . or -");
    return err;
}

enum cvg_error cvg_bundle_members(const json_t *text, struct cvg_bundle *bundle,
                                  struct cvg_why *ret_why)
{
    enum cvg_error err;

    if (bundle->version == 0)
        return read_version_0(text, bundle, ret_why);
    err = read_name(text, bundle, ret_why);
    if (err == CVG_OK)
        err = read_region(text, bundle, ret_why);
    if (err == CVG_OK)
        err = read_location(text, bundle, ret_why);
    if (err == CVG_OK)
        err = read_hosts(text, bundle, ret_why);
    if (err != CVG_OK || bundle->version == 1)
        return err;
    err = cvg_bundle_text(text, "", "operator", false, bundle->operator_name,
                          sizeof bundle->operator_name, ret_why);
    if (err == CVG_OK)
        err = read_serial(text, bundle, ret_why);
    if (err == CVG_OK)
        err = read_keys(text, bundle, ret_why);
    return err;
}
