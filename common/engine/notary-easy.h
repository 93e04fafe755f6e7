/* SPDX-License-Identifier: MIT */
/* One HTTPS request to one host of a notary, as libcurl wants it described. */
#ifndef CVG_ENGINE_NOTARY_EASY_H
#define CVG_ENGINE_NOTARY_EASY_H

#include <curl/curl.h>

#include "common/base/buffer.h"
#include "common/engine/pin.h"
#include "common/engine/transport.h"

#define CVG_ANSWER_HEADERS_MAX 16384 /* octets of an answer's (and a relay's) HTTP head */

struct cvg_easy {
    CURL *curl;
    struct curl_slist *headers, *proxy_headers, *resolve;
    struct cvg_buffer answer;
    size_t header_octets;
    char *body;
    size_t body_len;
};

/* A POST of body (copied; NULL: a GET, to connect ahead) with at most answer_max octets of answer.
 * The struct must not move until it is freed. pins must outlive the connections. */
CVG_MUST_USE enum cvg_error cvg_easy_init(struct cvg_easy *easy, const struct cvg_request *request,
                                          const struct cvg_pins *pins, void *user);
void cvg_easy_free(struct cvg_easy *easy);

/* A GET of the bundle's location: at a host of the bundle under its pin, elsewhere with a chain
 * that PKI accepts. CONFIG if it has none. As above otherwise. */
CVG_MUST_USE enum cvg_error cvg_easy_init_location(struct cvg_easy *easy,
                                                   const struct cvg_bundle *bundle,
                                                   const struct cvg_pins *pins, uint64_t timeout_ms,
                                                   void *user);

/* Aims it at one host of the notary (and, with a relay, through one of its hosts). */
CVG_MUST_USE enum cvg_error cvg_easy_aim(struct cvg_easy *easy, const struct cvg_request *request,
                                         size_t host, size_t relay_host, uint64_t timeout_ms);

/* What libcurl's result means; ret_relay_failed: the fault was before the tunnel stood. */
enum cvg_error cvg_easy_result(const struct cvg_easy *easy, CURLcode code, bool bounced,
                               bool *ret_relay_failed);

#endif
