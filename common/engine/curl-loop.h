/* SPDX-License-Identifier: MIT */
/* libcurl's multi interface on a libuv loop: sockets and timer, nothing about notaries. One thread.
 */
#ifndef CVG_ENGINE_CURL_LOOP_H
#define CVG_ENGINE_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

#include "common/base/error.h"

struct cvg_curl_loop;

/* A transfer is over; the handle has been removed and belongs to the callee, who may add others. */
typedef void cvg_curl_done(CURL *easy, CURLcode code, void *user);

CVG_MUST_USE enum cvg_error cvg_curl_loop_new(uv_loop_t *loop, cvg_curl_done *done, void *user,
                                              struct cvg_curl_loop **ret_loop);
/* All handles must have been removed. Kept connections are closed. Not from within done. */
void cvg_curl_loop_free(struct cvg_curl_loop *loop);

CVG_MUST_USE enum cvg_error cvg_curl_loop_add(struct cvg_curl_loop *loop, CURL *easy);
void cvg_curl_loop_remove(struct cvg_curl_loop *loop, CURL *easy);

/* Whether done is being called further up the stack. */
bool cvg_curl_loop_busy(const struct cvg_curl_loop *loop);

#endif
