/* SPDX-License-Identifier: MIT */
/* One host of a bundle: its name, ports, pinned certificate and addresses. */
#include "common/protocol/bundle-members.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/protocol/digest.h"

#define SSL_PORT_DEFAULT    443
#define RELAY_PORT_V1       80
#define BOUNCE_PORT_DEFAULT 4242

/* A member that is missing leaves *ret_port as it is. lowest: 1, or 0 where there may be no such
 * service. */
static enum cvg_error read_port(const json_t *object, const char *where, const char *member,
                                json_int_t lowest, uint16_t *ret_port, struct cvg_why *why)
{
    const json_t *value = json_object_get(object, member);
    json_int_t number = json_integer_value(value);

    if (value == NULL)
        return CVG_OK;
    if (!json_is_integer(value))
        return cvg_fail(why, CVG_ERR_SYNTAX, "%s%s must be an integer", where, member);
    if (number < lowest || number > 65535)
        return cvg_fail(why, CVG_ERR_RANGE, "%s%s must be from %d to 65535", where, member,
                        (int)lowest);
    *ret_port = (uint16_t)number;
    return CVG_OK;
}

static bool only_white(const char *text, size_t len)
{
    return strspn(text, " \t\r\n") >= len;
}

/* The octets of the one CERTIFICATE block that text consists of; OPENSSL_free releases them. */
static uint8_t *pem_block(const char *text, size_t len, long *ret_len)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    char *name = NULL, *header = NULL, *rest = NULL;
    uint8_t *data = NULL;
    bool good = false;

    if (bio != NULL && PEM_read_bio(bio, &name, &header, &data, ret_len) == 1) {
        long left = BIO_get_mem_data(bio, &rest);

        good = strcmp(name, PEM_STRING_X509) == 0 && header[0] == '\0' &&
               (left <= 0 || only_white(rest, (size_t)left));
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    BIO_free(bio);
    if (!good) {
        OPENSSL_free(data);
        data = NULL;
    }
    return data;
}

/* The block must begin the text: PEM readers skip what comes before it, we do not. */
static uint8_t *strict_pem_block(const char *text, size_t len, long *ret_len)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    size_t white = strspn(text, " \t\r\n");
    uint8_t *data;

    if (strncmp(text + white, begin, sizeof begin - 1) != 0)
        return NULL;
    ERR_set_mark();
    data = pem_block(text + white, len - white, ret_len);
    ERR_pop_to_mark();
    return data;
}

static enum cvg_error copy_certificate(const uint8_t *der, size_t len, const char *where,
                                       const char *member, uint8_t **ret_copy, struct cvg_why *why)
{
    struct cvg_leaf leaf;
    enum cvg_error err;
    uint8_t *copy;

    if (len > CVG_MESSAGE_LEAF_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "%s%s is longer than %d octets", where, member,
                        CVG_MESSAGE_LEAF_MAX);
    err = cvg_leaf_of_der(der, len, &leaf);
    if (err != CVG_OK)
        return cvg_fail(why, err, "%s%s is not an X.509 certificate", where, member);
    copy = malloc(len);
    if (copy == NULL)
        return cvg_fail(why, CVG_ERR_NOMEM, "out of memory");
    memcpy(copy, der, len);
    *ret_copy = copy;
    return CVG_OK;
}

static enum cvg_error read_certificate(const json_t *object, const char *where, const char *member,
                                       uint8_t **ret_der, size_t *ret_len, struct cvg_why *why)
{
    const json_t *value = json_object_get(object, member);
    uint8_t *der = NULL;
    long len = 0;
    enum cvg_error err;

    if (json_is_string(value))
        der = strict_pem_block(json_string_value(value), json_string_length(value), &len);
    if (der == NULL)
        return cvg_fail(why, CVG_ERR_SYNTAX, "%s%s must be one certificate in PEM", where, member);
    err = copy_certificate(der, (size_t)len, where, member, ret_der, why);
    if (err == CVG_OK)
        *ret_len = (size_t)len;
    OPENSSL_free(der);
    return err;
}

/* The pin, and the one that is announced to follow it. */
static enum cvg_error read_certificates(const json_t *object, const char *where, unsigned version,
                                        struct cvg_bundle_host *host, struct cvg_why *why)
{
    enum cvg_error err = read_certificate(object, where, "certificate", &host->certificate,
                                          &host->certificate_len, why);

    if (err != CVG_OK || version != 2 || json_object_get(object, "next_certificate") == NULL)
        return err;
    err = read_certificate(object, where, "next_certificate", &host->next_certificate,
                           &host->next_certificate_len, why);
    if (err == CVG_OK && host->next_certificate_len == host->certificate_len &&
        memcmp(host->next_certificate, host->certificate, host->certificate_len) == 0)
        return cvg_fail(why, CVG_ERR_SYNTAX, "%snext_certificate is certificate again", where);
    return err;
}

static enum cvg_error read_address(const json_t *value, const char *where, size_t i,
                                   struct cvg_bundle_host *host, struct cvg_why *why)
{
    struct cvg_endpoint endpoint;

    if (!json_is_string(value) ||
        cvg_endpoint_set(json_string_value(value), json_string_length(value), host->ssl_port,
                         &endpoint, NULL) != CVG_OK ||
        endpoint.kind == CVG_HOST_NAME || strlen(endpoint.host) >= sizeof host->address[i])
        return cvg_fail(why, CVG_ERR_SYNTAX, "%saddresses[%zu] must be an IPv4 or IPv6 address",
                        where, i);
    memcpy(host->address[i], endpoint.host, strlen(endpoint.host) + 1);
    host->address_count = i + 1;
    return CVG_OK;
}

static enum cvg_error read_addresses(const json_t *object, const char *where,
                                     struct cvg_bundle_host *host, struct cvg_why *why)
{
    const json_t *list = json_object_get(object, "addresses");
    enum cvg_error err = CVG_OK;

    if (list == NULL)
        return CVG_OK;
    if (!json_is_array(list) || json_array_size(list) > CVG_BUNDLE_ADDRESSES_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "%saddresses must be a list of at most %d", where,
                        CVG_BUNDLE_ADDRESSES_MAX);
    for (size_t i = 0; i < json_array_size(list) && err == CVG_OK; i++)
        err = read_address(json_array_get(list, i), where, i, host, why);
    return err;
}

static enum cvg_error read_ports(const json_t *object, const char *where, unsigned version,
                                 struct cvg_bundle_host *host, struct cvg_why *why)
{
    const char *relay = version == 2 ? "relay_port" : "http_port";
    enum cvg_error err;

    host->ssl_port = SSL_PORT_DEFAULT;
    host->bounce_port = BOUNCE_PORT_DEFAULT;
    host->relay_port = version == 2 ? 0 : RELAY_PORT_V1;
    err = read_port(object, where, "ssl_port", 1, &host->ssl_port, why);
    if (err == CVG_OK)
        err = read_port(object, where, relay, 0, &host->relay_port, why);
    if (err == CVG_OK && version == 2)
        err = read_port(object, where, "bounce_port", 1, &host->bounce_port, why);
    return err;
}

static enum cvg_error read_host_name(const json_t *object, const char *where,
                                     struct cvg_bundle_host *host, struct cvg_why *why)
{
    const json_t *value = json_object_get(object, "host");
    struct cvg_endpoint endpoint;
    struct cvg_why inner;
    enum cvg_error err;

    if (!json_is_string(value))
        return cvg_fail(why, CVG_ERR_SYNTAX, "%shost must be a name or an address", where);
    err = cvg_endpoint_set(json_string_value(value), json_string_length(value), host->ssl_port,
                           &endpoint, &inner);
    if (err != CVG_OK)
        return cvg_fail(why, err, "%shost: %s", where, inner.text);
    memcpy(host->host, endpoint.host, sizeof host->host);
    return CVG_OK;
}

enum cvg_error cvg_bundle_host(const json_t *object, const char *where, unsigned version,
                               struct cvg_bundle_host *host, struct cvg_why *ret_why)
{
    enum cvg_error err;

    if (!json_is_object(object))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "%s must be an object", where);
    err = read_ports(object, where, version, host, ret_why);
    if (err == CVG_OK)
        err = read_host_name(object, where, host, ret_why);
    if (err == CVG_OK)
        err = read_certificates(object, where, version, host, ret_why);
    if (err == CVG_OK && version == 2)
        err = read_addresses(object, where, host, ret_why);
    return err;
}

void cvg_bundle_host_free(struct cvg_bundle_host *host)
{
    free(host->certificate);
    free(host->next_certificate);
}
