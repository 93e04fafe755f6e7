/* SPDX-License-Identifier: MIT */
/* International host names from people, by libidn2. */
#include "common/libconverge/idn.h"

#include <idn2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024 /* octets of UTF-8 that can still be a host name */

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

static enum cvg_error to_ascii(const char *host, char **ret_ascii, struct cvg_why *ret_why)
{
    int code;

    if (strlen(host) > TEXT_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a host name has at most 253 octets");
    code = idn2_to_ascii_8z(host, ret_ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code == IDN2_MALLOC)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    if (code != IDN2_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "not an international host name: %s",
                        idn2_strerror(code));
    return CVG_OK;
}

enum cvg_error cvg_user_endpoint_set(const char *host, unsigned port,
                                     struct cvg_endpoint *ret_endpoint, struct cvg_why *ret_why)
{
    char *ascii = NULL;
    enum cvg_error err;

    if (is_ascii(host))
        return cvg_endpoint_set(host, strlen(host), port, ret_endpoint, ret_why);
    err = to_ascii(host, &ascii, ret_why);
    if (err == CVG_OK)
        err = cvg_endpoint_set(ascii, strlen(ascii), port, ret_endpoint, ret_why);
    idn2_free(ascii);
    return err;
}

enum cvg_error cvg_user_endpoint_parse(const char *text, unsigned default_port,
                                       struct cvg_endpoint *ret_endpoint, struct cvg_why *ret_why)
{
    char host[TEXT_MAX + 1], joined[CVG_ENDPOINT_TEXT_MAX + 16];
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    char *ascii = NULL;
    enum cvg_error err;

    if (is_ascii(text))
        return cvg_endpoint_parse(text, default_port, ret_endpoint, ret_why);
    if (len > TEXT_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a host name has at most 253 octets");
    memcpy(host, text, len);
    host[len] = '\0';
    err = to_ascii(host, &ascii, ret_why);
    if (err == CVG_OK &&
        snprintf(joined, sizeof joined, "%s%s", ascii, text + len) >= (int)sizeof joined)
        err = cvg_fail(ret_why, CVG_ERR_RANGE, "a host name has at most 253 octets");
    if (err == CVG_OK)
        err = cvg_endpoint_parse(joined, default_port, ret_endpoint, ret_why);
    idn2_free(ascii);
    return err;
}
