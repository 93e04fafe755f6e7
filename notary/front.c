/* SPDX-License-Identifier: MIT */
/* What the connections of one loop share. */
#include "notary/front.h"

#include <stdlib.h>

#define HANDSHAKES       4 /* at a time: about a millisecond */
#define GUEST_HANDSHAKES 1
#define REQUESTS         16 /* connections at a time, each with a batch of its requests */

enum cvg_error cvg_front_new(uv_loop_t *loop, void (*on_handshake)(struct cvg_link *link),
                             void (*on_request)(struct cvg_link *link),
                             struct cvg_front **ret_front)
{
    struct cvg_front *front = calloc(1, sizeof(*front));
    if (front == NULL)
        return CVG_ERR_NOMEM;
    cvg_list_init(&front->idle);
    cvg_list_init(&front->shaking);
    cvg_list_init(&front->busy);
    cvg_list_init(&front->guests);
    cvg_buffer_init(&front->text, CVG_TLS_RECORD_MAX);
    enum cvg_error err = cvg_tls_shared_new(&front->tls);
    if (err == CVG_OK)
        err = cvg_turns_new(loop, HANDSHAKES, on_handshake, &front->handshakes);
    if (err == CVG_OK)
        err = cvg_turns_new(loop, GUEST_HANDSHAKES, on_handshake, &front->guest_handshakes);
    if (err == CVG_OK)
        err = cvg_turns_new(loop, REQUESTS, on_request, &front->requests);
    if (err != CVG_OK) {
        cvg_front_free(front);
        return err;
    }
    *ret_front = front;
    return CVG_OK;
}

void cvg_front_free(struct cvg_front *front)
{
    if (front == NULL)
        return;
    cvg_turns_free(front->handshakes);
    cvg_turns_free(front->guest_handshakes);
    cvg_turns_free(front->requests);
    cvg_tls_shared_free(front->tls);
    cvg_http_free(front->spare);
    cvg_buffer_free(&front->text);
    free(front);
}

struct cvg_http *cvg_front_take_http(struct cvg_front *front)
{
    struct cvg_http *http = front->spare;
    front->spare = NULL;
    if (http == NULL && cvg_http_new(&http) != CVG_OK)
        return NULL;
    return http;
}

void cvg_front_give_http(struct cvg_front *front, struct cvg_http *http)
{
    if (http == NULL)
        return;
    if (front->spare == NULL) {
        cvg_http_next(http);
        front->spare = http;
    } else {
        cvg_http_free(http);
    }
}
