/* SPDX-License-Identifier: MIT */
/* One transfer by libcurl. */
#include "tools/fetch-url.h"

#include <curl/curl.h>

#define TIMEOUT_S     20L
#define REDIRECTS_MAX 3L

static size_t take(char *data, size_t size, size_t count, void *user)
{
    struct cvg_buffer *buffer = user;

    return cvg_buffer_put(buffer, data, size * count) == CVG_OK ? size * count : 0;
}

static CURLcode transfer(CURL *curl, const char *url, struct cvg_buffer *data)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, data);
    return curl_easy_perform(curl);
}

enum cvg_error cvg_fetch_url(const char *url, struct cvg_buffer *ret_data, struct cvg_why *ret_why)
{
    CURL *curl = curl_easy_init();
    CURLcode code;

    if (curl == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    code = transfer(curl, url, ret_data);
    curl_easy_cleanup(curl);
    if (cvg_buffer_error(ret_data) != CVG_OK)
        return cvg_fail(ret_why, cvg_buffer_error(ret_data), "%s: more than %zu octets", url,
                        ret_data->max);
    if (code != CURLE_OK)
        return cvg_fail(ret_why, CVG_ERR_UNREACHABLE, "cannot fetch %s: %s", url,
                        curl_easy_strerror(code));
    return CVG_OK;
}
