/* SPDX-License-Identifier: MIT */
/* libcurl's options for a question to a notary, and libcurl's results as ours. Nothing from the
 * environment counts: no proxies, no netrc, no configuration, no redirects. */
#include "common/engine/notary-easy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/endpoint.h"

#define URL_MAX (CVG_HOST_MAX + 512)

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct cvg_easy *easy = user;
    size_t len = size * count;

    return cvg_buffer_put(&easy->answer, data, len) == CVG_OK ? len : 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct cvg_easy *easy = user;
    size_t len = size * count;

    (void)data;
    easy->header_octets += len;
    if (easy->header_octets > CVG_ANSWER_HEADERS_MAX) {
        easy->answer.error = CVG_ERR_RANGE;
        return 0;
    }
    return len;
}

static CURLcode on_ssl_ctx(CURL *curl, void *ssl_ctx, void *user)
{
    (void)curl;
    cvg_pins_install(user, ssl_ctx);
    return CURLE_OK;
}

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}

static bool set_headers(struct cvg_easy *easy, const struct cvg_request *request)
{
    char line[128];

    if (!append(&easy->headers, "Accept:") || !append(&easy->headers, "Expect:"))
        return false;
    if (request->content_type == NULL)
        return true;
    snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
    return append(&easy->headers, line);
}

static bool copy_body(struct cvg_easy *easy, const struct cvg_request *request)
{
    if (request->body == NULL)
        return true;
    easy->body = malloc(request->body_len + 1);
    if (easy->body == NULL)
        return false;
    memcpy(easy->body, request->body, request->body_len);
    easy->body_len = request->body_len;
    return true;
}

static void set_method(struct cvg_easy *easy)
{
    CURL *curl = easy->curl;

    if (easy->body == NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, easy->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)easy->body_len);
}

/* The pin takes the place of libcurl's own verification, see pin.c. libcurl must still want to
 * verify: should the pin not get in, there is no authority that would let the peer through. */
static bool set_tls(CURL *curl, const struct cvg_pins *pins)
{
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, pins) == CURLE_OK;
}

static void set_connection(CURL *curl)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Kept connections are used however old they are; libcurl's default is two minutes. */
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, 86400L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
}

static void set_callbacks(struct cvg_easy *easy, void *user)
{
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, easy->headers);
    curl_easy_setopt(easy->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy->curl, CURLOPT_WRITEDATA, easy);
    curl_easy_setopt(easy->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy->curl, CURLOPT_HEADERDATA, easy);
    curl_easy_setopt(easy->curl, CURLOPT_PRIVATE, user);
}

enum cvg_error cvg_easy_init(struct cvg_easy *easy, const struct cvg_request *request,
                             const struct cvg_pins *pins, void *user)
{
    *easy = (struct cvg_easy){.curl = curl_easy_init()};
    cvg_buffer_init(&easy->answer, request->answer_max);
    if (easy->curl == NULL || !set_headers(easy, request) || !copy_body(easy, request)) {
        cvg_easy_free(easy);
        return CVG_ERR_NOMEM;
    }
    set_connection(easy->curl);
    curl_easy_setopt(easy->curl, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy->curl, CURLOPT_FORBID_REUSE, request->fresh ? 1L : 0L);
    if (!set_tls(easy->curl, pins)) {
        cvg_easy_free(easy);
        return CVG_ERR_CRYPTO;
    }
    set_method(easy);
    set_callbacks(easy, user);
    return CVG_OK;
}

void cvg_easy_free(struct cvg_easy *easy)
{
    if (easy->curl != NULL)
        curl_easy_cleanup(easy->curl);
    curl_slist_free_all(easy->headers);
    curl_slist_free_all(easy->proxy_headers);
    curl_slist_free_all(easy->resolve);
    cvg_buffer_free(&easy->answer);
    free(easy->body);
    *easy = (struct cvg_easy){0};
}

/* "HOST:PORT:ADDRESS,ADDRESS": libcurl then asks no resolver. */
static bool add_addresses(struct cvg_easy *easy, const struct cvg_bundle_host *host, unsigned port)
{
    char line[CVG_HOST_MAX + CVG_BUNDLE_ADDRESSES_MAX * 49 + 8];
    size_t len;

    /* An IPv6 literal is its own address, and its colons would not be understood here. */
    if (host->address_count == 0 || strchr(host->host, ':') != NULL)
        return true;
    len = (size_t)snprintf(line, sizeof line, "%s:%u:", host->host, port);
    for (size_t i = 0; i < host->address_count; i++) {
        bool v6 = strchr(host->address[i], ':') != NULL;

        len += (size_t)snprintf(line + len, sizeof line - len, "%s%s%s%s", i == 0 ? "" : ",",
                                v6 ? "[" : "", host->address[i], v6 ? "]" : "");
    }
    return append(&easy->resolve, line);
}

/* A bundle's host in a URL: IPv6 literals need brackets. */
static const char *format_host(const char *host, char buf[static CVG_HOST_MAX + 2])
{
    snprintf(buf, CVG_HOST_MAX + 2, strchr(host, ':') != NULL ? "[%s]" : "%s", host);
    return buf;
}

/* The relay takes the first that connects: the target notary's other hosts are alternates. */
static bool aim_relay(struct cvg_easy *easy, const struct cvg_request *request, size_t host,
                      const struct cvg_bundle_host *relay)
{
    char text[CVG_HOST_MAX + 64], name[CVG_HOST_MAX + 2];

    for (size_t i = 0; i < request->notary->host_count; i++) {
        const struct cvg_bundle_host *other = &request->notary->host[i];

        if (i == host || other->bounce_port == 0)
            continue;
        snprintf(text, sizeof text, "X-Convergence-Notary: %s:%u", format_host(other->host, name),
                 other->bounce_port);
        if (!append(&easy->proxy_headers, text))
            return false;
    }
    /* Two items of libcurl's own that a relay does not need. */
    if (!append(&easy->proxy_headers, "User-Agent:") ||
        !append(&easy->proxy_headers, "Proxy-Connection:"))
        return false;
    snprintf(text, sizeof text, "http://%s:%u", format_host(relay->host, name), relay->relay_port);
    curl_easy_setopt(easy->curl, CURLOPT_PROXY, text);
    curl_easy_setopt(easy->curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_PROXYHEADER, easy->proxy_headers);
    curl_easy_setopt(easy->curl, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    return add_addresses(easy, relay, relay->relay_port);
}

enum cvg_error cvg_easy_aim(struct cvg_easy *easy, const struct cvg_request *request, size_t host,
                            size_t relay_host, uint64_t timeout_ms)
{
    const struct cvg_bundle_host *target = &request->notary->host[host];
    unsigned port = request->relay != NULL ? target->bounce_port : target->ssl_port;
    char url[URL_MAX], name[CVG_HOST_MAX + 2];
    int len = snprintf(url, sizeof url, "https://%s:%u%s", format_host(target->host, name), port,
                       request->path);

    if (len < 0 || (size_t)len >= sizeof url)
        return CVG_ERR_RANGE;
    curl_slist_free_all(easy->resolve);
    curl_slist_free_all(easy->proxy_headers);
    easy->resolve = easy->proxy_headers = NULL;
    easy->header_octets = 0;
    cvg_buffer_clear(&easy->answer);
    if (request->relay != NULL) {
        if (!aim_relay(easy, request, host, &request->relay->host[relay_host]))
            return CVG_ERR_NOMEM;
    } else if (!add_addresses(easy, target, port)) {
        return CVG_ERR_NOMEM;
    }
    if (curl_easy_setopt(easy->curl, CURLOPT_URL, url) != CURLE_OK)
        return CVG_ERR_NOMEM;
    curl_easy_setopt(easy->curl, CURLOPT_RESOLVE, easy->resolve);
    curl_easy_setopt(easy->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    return CVG_OK;
}

/* The host of the bundle that the location is at; NULL if it is elsewhere. */
static const struct cvg_bundle_host *find_own_host(const struct cvg_bundle *bundle)
{
    const struct cvg_bundle_host *own = NULL;
    char *host = NULL, *port = NULL, name[CVG_HOST_MAX + 2];
    CURLU *url = curl_url();

    if (url != NULL && curl_url_set(url, CURLUPART_URL, bundle->location, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        for (size_t i = 0; i < bundle->host_count && own == NULL; i++)
            if (strcmp(format_host(bundle->host[i].host, name), host) == 0 &&
                strtoul(port, NULL, 10) == bundle->host[i].ssl_port)
                own = &bundle->host[i];
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return own;
}

enum cvg_error cvg_easy_init_location(struct cvg_easy *easy, const struct cvg_bundle *bundle,
                                      const struct cvg_pins *pins, uint64_t timeout_ms, void *user)
{
    const struct cvg_bundle_host *own = find_own_host(bundle);

    *easy = (struct cvg_easy){.curl = curl_easy_init()};
    cvg_buffer_init(&easy->answer, CVG_BUNDLE_MAX);
    if (bundle->location[0] == '\0' || easy->curl == NULL ||
        (own != NULL && !add_addresses(easy, own, own->ssl_port)) ||
        curl_easy_setopt(easy->curl, CURLOPT_URL, bundle->location) != CURLE_OK) {
        cvg_easy_free(easy);
        return bundle->location[0] == '\0' ? CVG_ERR_CONFIG : CVG_ERR_NOMEM;
    }
    set_connection(easy->curl);
    if (own != NULL && !set_tls(easy->curl, pins)) {
        cvg_easy_free(easy);
        return CVG_ERR_CRYPTO;
    }
    set_method(easy);
    set_callbacks(easy, user);
    curl_easy_setopt(easy->curl, CURLOPT_RESOLVE, easy->resolve);
    curl_easy_setopt(easy->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    return CVG_OK;
}

static enum cvg_error translate(const struct cvg_easy *easy, CURLcode code)
{
    if (cvg_buffer_error(&easy->answer) != CVG_OK)
        return cvg_buffer_error(&easy->answer);
    /* A list of the codes that mean something particular; all others are the peer's fault. */
    if (code == CURLE_OK)
        return CVG_OK;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return CVG_ERR_TIMEOUT;
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return CVG_ERR_PIN;
    if (code == CURLE_OUT_OF_MEMORY)
        return CVG_ERR_NOMEM;
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
        code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
        code == CURLE_SEND_ERROR)
        return CVG_ERR_UNREACHABLE;
    return CVG_ERR_PROTOCOL;
}

enum cvg_error cvg_easy_result(const struct cvg_easy *easy, CURLcode code, bool bounced,
                               bool *ret_relay_failed)
{
    enum cvg_error err = translate(easy, code);
    long connect_code = 0, connects = 0;

    *ret_relay_failed = false;
    if (err == CVG_OK || !bounced)
        return err;
    curl_easy_getinfo(easy->curl, CURLINFO_HTTP_CONNECTCODE, &connect_code);
    curl_easy_getinfo(easy->curl, CURLINFO_NUM_CONNECTS, &connects);
    /* 404 is how a relay says that the target did not let it connect; no code at all is natural
     * where a kept tunnel was used. A wrong certificate is put down to the relay, which sits in the
     * path and was told the target's name. */
    *ret_relay_failed =
        err == CVG_ERR_PIN || (connect_code != 200 && connect_code != 404 &&
                               !(connect_code == 0 && connects == 0 && err == CVG_ERR_TIMEOUT));
    return err;
}
