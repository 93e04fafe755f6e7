/* SPDX-License-Identifier: MIT */
/* A client's socket with TLS on it, on memory BIOs between libuv and OpenSSL: octets in, octets
 * out. What they mean, and how long anything may take, is the owner's business. One loop. */
#ifndef CVG_NOTARY_TLS_STREAM_H
#define CVG_NOTARY_TLS_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <uv.h>

#include "common/base/buffer.h"
#include "notary/address.h"

struct cvg_tls_stream;

/* Never called from inside the functions below, and never after cvg_tls_stream_close. */
struct cvg_tls_stream_events {
    void (*readable)(void *user); /* something came: the handshake or reading may go on */
    void (*written)(void *user);  /* what was sent with the result BUSY is out */
    void (*ended)(void *user);    /* the peer has closed, or the socket failed */
};

enum cvg_tls_state {
    CVG_TLS_MORE = 0, /* nothing more to be had before readable */
    CVG_TLS_DONE,     /* the handshake is complete; or octets were read */
    CVG_TLS_ENDED     /* over: close it */
};

/* Takes the accepted socket, which is closed on failure, too. scratch is where one read goes,
 * shared by all streams of a loop. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_new(uv_loop_t *loop, int fd, SSL_CTX *context,
                                               uv_buf_t scratch,
                                               const struct cvg_tls_stream_events *events,
                                               void *user, struct cvg_tls_stream **ret_stream);
/* Closes the socket; frees the stream when libuv is done with it. NULL is allowed. */
void cvg_tls_stream_close(struct cvg_tls_stream *stream);
CVG_MUST_USE enum cvg_error cvg_tls_stream_peer(const struct cvg_tls_stream *stream,
                                                struct cvg_address *ret_address);

/* Reads from the socket, or leaves what comes to the kernel. IO: close it. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_resume(struct cvg_tls_stream *stream);
void cvg_tls_stream_pause(struct cvg_tls_stream *stream);

/* One step of the handshake. */
enum cvg_tls_state cvg_tls_stream_handshake(struct cvg_tls_stream *stream);
/* Appends octets that the peer sent. */
enum cvg_tls_state cvg_tls_stream_read(struct cvg_tls_stream *stream, struct cvg_buffer *ret_data);
/* Sends; last: and says that nothing more will come. OK: it is out. BUSY: written will come. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_send(struct cvg_tls_stream *stream, const void *data,
                                                size_t len, bool last);
/* Ends our direction of the connection; what the peer still sends is thrown away. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_finish(struct cvg_tls_stream *stream);

#endif
