/* SPDX-License-Identifier: MIT */
/* The status page: status-page.html, which is built in, with what a status and its history say in
 * its places. Pure; any thread. */
#ifndef CVG_NOTARY_PAGE_H
#define CVG_NOTARY_PAGE_H

#include "notary/history.h"
#include "notary/status.h"

#define CVG_PAGE_MAX 262144

/* The file's text, with a NUL at its end. */
extern const unsigned char cvg_page_template[];

/* Appends the page. In the template {{NAME}} is a place; all that goes into one is escaped.
 * NOT_FOUND: the template names something that is not known. */
CVG_MUST_USE enum cvg_error cvg_page_write(const char *page_template,
                                           const struct cvg_status *status,
                                           const struct cvg_history *history, uint64_t now_ms,
                                           struct cvg_buffer *ret_page);

/* Appends the Content-Security-Policy that allows the template's one style and one script, by their
 * hashes, and nothing else. */
CVG_MUST_USE enum cvg_error cvg_page_policy(const char *page_template,
                                            struct cvg_buffer *ret_policy);

#endif
