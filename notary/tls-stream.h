/* SPDX-License-Identifier: MIT */
/* A client's socket with TLS on it: octets in, octets out, through buffers that all streams of a
 * loop share, so that an idle one holds none. What the octets mean, and how long anything may take,
 * is the owner's business. One loop. */
#ifndef CVG_NOTARY_TLS_STREAM_H
#define CVG_NOTARY_TLS_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <uv.h>

#include "common/base/buffer.h"
#include "notary/address.h"

#define CVG_TLS_RECORD_MAX 16384 /* octets of one TLS record */

struct cvg_tls_stream;

/* What the streams of one loop share. Its memory goes with the last of them. */
struct cvg_tls_shared;
CVG_MUST_USE enum cvg_error cvg_tls_shared_new(struct cvg_tls_shared **ret_shared);
void cvg_tls_shared_free(struct cvg_tls_shared *shared);

/* Never called from inside the functions below, and never after cvg_tls_stream_close. */
struct cvg_tls_stream_events {
    void (*readable)(void *user); /* something came: the handshake or reading may go on */
    void (*written)(void *user);  /* what was flushed with the result BUSY is out */
    void (*ended)(void *user);    /* the peer has closed, or the socket failed */
};

enum cvg_tls_state {
    CVG_TLS_MORE = 0, /* nothing more to be had before readable */
    CVG_TLS_DONE,     /* the handshake is complete; or octets were read */
    CVG_TLS_ENDED     /* over: close it */
};

/* Takes the accepted socket, which is closed on failure, too. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_new(uv_loop_t *loop, int fd, SSL_CTX *context,
                                               struct cvg_tls_shared *shared,
                                               const struct cvg_tls_stream_events *events,
                                               void *user, struct cvg_tls_stream **ret_stream);
/* Says goodbye where TLS can still speak, closes the socket; frees the stream when libuv is done
 * with it. NULL is allowed. */
void cvg_tls_stream_close(struct cvg_tls_stream *stream);
CVG_MUST_USE enum cvg_error cvg_tls_stream_peer(const struct cvg_tls_stream *stream,
                                                struct cvg_address *ret_address);
/* Whether the handshake took up an earlier session. */
bool cvg_tls_stream_resumed(const struct cvg_tls_stream *stream);

/* Reads from the socket, or leaves what comes to the kernel. Octets that came and were not taken
 * stay with the stream, one read's at most: pause it then. IO: close it. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_resume(struct cvg_tls_stream *stream);
void cvg_tls_stream_pause(struct cvg_tls_stream *stream);

/* What came before TLS, as it came: looks at it, takes len octets of it away. */
size_t cvg_tls_stream_peek(const struct cvg_tls_stream *stream, const uint8_t **ret_octets);
void cvg_tls_stream_skip(struct cvg_tls_stream *stream, size_t len);

/* One step of the handshake. What it has to say goes out with the next flush. */
enum cvg_tls_state cvg_tls_stream_handshake(struct cvg_tls_stream *stream);
/* The octets of the next record; they are the loop's, and good until the next read of any of its
 * streams. */
enum cvg_tls_state cvg_tls_stream_read(struct cvg_tls_stream *stream, const uint8_t **ret_data,
                                       size_t *ret_len);

/* Encrypts len octets, at most a record's, for the next flush. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_write(struct cvg_tls_stream *stream, const void *data,
                                                 size_t len);
/* Says that nothing more will be written. */
void cvg_tls_stream_write_end(struct cvg_tls_stream *stream);
/* Whether the peer takes nothing at the moment: do not write more before written. */
bool cvg_tls_stream_blocked(const struct cvg_tls_stream *stream);
/* Sends what was produced. To be called before the loop goes on. OK: it is out. BUSY: written will
 * come. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_flush(struct cvg_tls_stream *stream);
/* Ends our direction of the connection; what the peer still sends is thrown away. */
CVG_MUST_USE enum cvg_error cvg_tls_stream_finish(struct cvg_tls_stream *stream);

#endif
