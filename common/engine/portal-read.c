/* SPDX-License-Identifier: MIT */
/* Telling a portal's page from what a notary's host answers itself. A relay, also an original one,
 * refuses whatever is no CONNECT with 4xx; a web server on port 80 may show anything, and redirect
 * to itself. */
#include "common/engine/portal-read.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "common/base/special.h"

/* An address that a person can be shown: nothing that a terminal or a notification could take for
 * more than text. */
static bool presentable(const char *url)
{
    size_t len = strlen(url);

    if (len >= CVG_PORTAL_URL_MAX ||
        (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return false;
    for (size_t i = 0; i < len; i++)
        if (url[i] <= ' ' || url[i] >= 0x7f || strchr("\"'<>\\`{}|^", url[i]) != NULL)
            return false;
    return true;
}

static bool is_or_is_below(const char *name, const char *parent)
{
    size_t len = strlen(name), parent_len = strlen(parent);

    if (len < parent_len || strcasecmp(name + len - parent_len, parent) != 0)
        return false;
    return len == parent_len || name[len - parent_len - 1] == '.';
}

/* One address may be written in several ways, in IPv6 above all. */
static bool same_address(const char *a, const char *b)
{
    uint8_t first[16], second[16];

    return (inet_pton(AF_INET, a, first) == 1 && inet_pton(AF_INET, b, second) == 1 &&
            memcmp(first, second, 4) == 0) ||
           (inet_pton(AF_INET6, a, first) == 1 && inet_pton(AF_INET6, b, second) == 1 &&
            memcmp(first, second, 16) == 0);
}

static bool is_host(const struct cvg_bundle_host *host, const char *name)
{
    if (is_or_is_below(name, host->host) || same_address(name, host->host))
        return true;
    for (size_t i = 0; i < host->address_count; i++)
        if (same_address(name, host->address[i]))
            return true;
    return false;
}

/* [2001:db8::1] as a URL has it, in place. */
static char *without_brackets(char *name)
{
    size_t len = strlen(name);

    if (len < 2 || name[0] != '[' || name[len - 1] != ']')
        return name;
    name[len - 1] = '\0';
    return name + 1;
}

/* Whether the redirect stays at the notary's host. What is no URL stays nowhere. */
static bool stays(const struct cvg_bundle_host *host, const char *redirect)
{
    CURLU *url = curl_url();
    char *name = NULL;
    bool same = false;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, redirect, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &name, 0) == CURLUE_OK)
        same = is_host(host, without_brackets(name));
    curl_free(name);
    curl_url_cleanup(url);
    return same;
}

static bool special_address(const char *text)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, text, address) == 1)
        return cvg_special_ipv4(address);
    return inet_pton(AF_INET6, text, address) == 1 && cvg_special_ipv6(address);
}

/* A public name that DNS leads to an address of the local network. */
static bool led_astray(const struct cvg_bundle_host *host, const struct cvg_portal_page *page)
{
    return host->address_count == 0 && !cvg_special_name(host->host) &&
           !special_address(host->host) && page->address != NULL && special_address(page->address);
}

static enum cvg_portal_sign judge(const struct cvg_bundle_host *host,
                                  const struct cvg_portal_page *page)
{
    if (page->status == 511)
        return CVG_PORTAL_HERE;
    if (page->status >= 300 && page->status < 400 && page->redirect != NULL)
        return stays(host, page->redirect) ? CVG_PORTAL_NONE : CVG_PORTAL_HERE;
    if (page->status >= 200 && page->status < 300) {
        if (page->at_relay || led_astray(host, page))
            return CVG_PORTAL_HERE;
        return CVG_PORTAL_NOTHING;
    }
    return page->status >= 400 ? CVG_PORTAL_NONE : CVG_PORTAL_NOTHING;
}

enum cvg_portal_sign cvg_portal_judge(const struct cvg_bundle_host *host,
                                      const struct cvg_portal_page *page,
                                      char ret_url[static CVG_PORTAL_URL_MAX])
{
    enum cvg_portal_sign sign = judge(host, page);

    if (sign != CVG_PORTAL_HERE)
        return sign;
    ret_url[0] = '\0';
    if (page->redirect != NULL && presentable(page->redirect))
        strcpy(ret_url, page->redirect);
    return sign;
}
