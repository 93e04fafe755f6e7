/* SPDX-License-Identifier: MIT */
/* What the operator's requests are answered with. Knows nothing of sockets; one thread. */
#ifndef CVG_NOTARY_ADMIN_ANSWER_H
#define CVG_NOTARY_ADMIN_ANSWER_H

#include "common/base/clock.h"
#include "notary/history.h"
#include "notary/http.h"
#include "notary/status.h"

#define CVG_ADMIN_ANSWER_MAX (1024 * 1024)

/* Where the answers come from; asked in the admin's loop. */
struct cvg_admin_source {
    void (*status)(void *user, struct cvg_status *ret_status);
    /* A bundle that is handed out, an empty one if there is none; valid until the loop goes on. */
    const struct cvg_buffer *(*bundle)(void *user, bool v1);
    void *user;
    const struct cvg_clock *clock;
};

/* Appends the whole answer to the request, head and body. */
CVG_MUST_USE enum cvg_error cvg_admin_answer(const struct cvg_admin_source *source,
                                             const struct cvg_history *history, uint64_t now_ms,
                                             const struct cvg_http_request *request,
                                             struct cvg_buffer *ret_answer);
/* Appends an answer that says no more than its status. */
CVG_MUST_USE enum cvg_error cvg_admin_decline(const struct cvg_admin_source *source,
                                              unsigned status, bool with_body,
                                              struct cvg_buffer *ret_answer);

#endif
