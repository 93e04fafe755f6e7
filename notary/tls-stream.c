/* SPDX-License-Identifier: MIT */
/* A client's socket with TLS on it. OpenSSL reads from where the socket's octets just arrived, and
 * writes to where they are gathered for one write: a BIO of our own, without queues. */
#include "notary/tls-stream.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX 16384
#define OUT_MAX  65536

struct cvg_tls_shared {
    unsigned references; /* the owner's, and each stream's until libuv is done with it */
    BIO_METHOD *method;
    struct cvg_tls_stream *out_of; /* whose octets wait in out; NULL: nobody's */
    size_t out_len;
    char in[READ_MAX];
    uint8_t plain[CVG_TLS_RECORD_MAX];
    uint8_t out[OUT_MAX];
};

struct cvg_tls_stream {
    uv_tcp_t tcp; /* first: casts */
    const struct cvg_tls_stream_events *events;
    void *user;
    struct cvg_tls_shared *shared;
    SSL *ssl;
    const uint8_t *in; /* octets that came and were not taken: shared->in, or rest */
    size_t in_len;
    uint8_t *rest; /* owned */
    bool reading;
    bool blocked;
    bool broken;   /* the socket or TLS failed: no goodbye */
    bool finished; /* our direction has ended */
    bool closed;
};

struct write {
    uv_write_t request;
    struct cvg_tls_stream *stream;
    char data[];
};

static uv_stream_t *uv_of(struct cvg_tls_stream *stream)
{
    return (uv_stream_t *)&stream->tcp;
}

static void wrote(uv_write_t *request, int status)
{
    struct write *write = request->data;
    struct cvg_tls_stream *stream = write->stream;
    free(write);
    if (stream->closed)
        return;
    stream->broken = stream->broken || status < 0;
    if (status < 0) {
        stream->events->ended(stream->user);
    } else if (uv_stream_get_write_queue_size(uv_of(stream)) == 0) {
        stream->blocked = false;
        stream->events->written(stream->user);
    }
}

/* Gives the octets that the kernel does not take now to libuv. */
static enum cvg_error queue(struct cvg_tls_stream *stream, const uint8_t *data, size_t len)
{
    struct write *write = malloc(sizeof(*write) + len);
    if (write == NULL)
        return CVG_ERR_NOMEM;
    memcpy(write->data, data, len);
    write->stream = stream;
    write->request.data = write;
    uv_buf_t buf = uv_buf_init(write->data, (unsigned)len);
    if (uv_write(&write->request, uv_of(stream), &buf, 1, wrote) == 0)
        return CVG_OK;
    free(write);
    return CVG_ERR_IO;
}

enum cvg_error cvg_tls_stream_flush(struct cvg_tls_stream *stream)
{
    struct cvg_tls_shared *shared = stream->shared;
    enum cvg_error err = CVG_OK;
    if (shared->out_of == stream && !stream->broken) {
        uv_buf_t buf = uv_buf_init((char *)shared->out, (unsigned)shared->out_len);
        int sent = uv_try_write(uv_of(stream), &buf, 1);
        size_t done = sent < 0 ? 0 : (size_t)sent;
        if (sent < 0 && sent != UV_EAGAIN)
            err = CVG_ERR_IO;
        else if (done < shared->out_len)
            err = queue(stream, shared->out + done, shared->out_len - done);
        stream->blocked = stream->blocked || done < shared->out_len;
        stream->broken = err != CVG_OK;
    }
    if (shared->out_of == stream) {
        shared->out_of = NULL;
        shared->out_len = 0;
    }
    if (stream->broken)
        return CVG_ERR_IO;
    return stream->blocked ? CVG_ERR_BUSY : CVG_OK;
}

static struct cvg_tls_stream *stream_of(BIO *bio)
{
    return BIO_get_data(bio);
}

static int bio_write(BIO *bio, const char *data, int len)
{
    struct cvg_tls_stream *stream = stream_of(bio);
    struct cvg_tls_shared *shared = stream->shared;
    if (len <= 0 || len > OUT_MAX)
        return -1;
    if (shared->out_of != NULL &&
        (shared->out_of != stream || shared->out_len + (size_t)len > OUT_MAX))
        (void)!cvg_tls_stream_flush(shared->out_of);
    if (stream->broken)
        return -1;
    memcpy(shared->out + shared->out_len, data, (size_t)len);
    shared->out_len += (size_t)len;
    shared->out_of = stream;
    return len;
}

static int bio_read(BIO *bio, char *data, int len)
{
    struct cvg_tls_stream *stream = stream_of(bio);
    size_t taken = len < 0 ? 0 : (size_t)len;
    BIO_clear_retry_flags(bio);
    if (stream->in_len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (taken > stream->in_len)
        taken = stream->in_len;
    memcpy(data, stream->in, taken);
    cvg_tls_stream_skip(stream, taken);
    return (int)taken;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

enum cvg_error cvg_tls_shared_new(struct cvg_tls_shared **ret_shared)
{
    struct cvg_tls_shared *shared = calloc(1, sizeof(*shared));
    if (shared == NULL)
        return CVG_ERR_NOMEM;
    shared->references = 1;
    shared->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "notary's stream");
    if (shared->method == NULL || !BIO_meth_set_write(shared->method, bio_write) ||
        !BIO_meth_set_read(shared->method, bio_read) ||
        !BIO_meth_set_ctrl(shared->method, bio_ctrl)) {
        cvg_tls_shared_free(shared);
        return CVG_ERR_NOMEM;
    }
    *ret_shared = shared;
    return CVG_OK;
}

void cvg_tls_shared_free(struct cvg_tls_shared *shared)
{
    if (shared == NULL || --shared->references > 0)
        return;
    BIO_meth_free(shared->method);
    free(shared);
}

static void freed(uv_handle_t *handle)
{
    struct cvg_tls_stream *stream = (struct cvg_tls_stream *)(void *)handle;
    SSL_free(stream->ssl);
    cvg_tls_shared_free(stream->shared);
    free(stream->rest);
    free(stream);
}

void cvg_tls_stream_close(struct cvg_tls_stream *stream)
{
    if (stream == NULL)
        return;
    if (!stream->broken && !stream->finished && stream->ssl != NULL &&
        SSL_is_init_finished(stream->ssl))
        cvg_tls_stream_write_end(stream);
    (void)!cvg_tls_stream_flush(stream);
    stream->closed = true;
    uv_close((uv_handle_t *)&stream->tcp, freed);
}

static enum cvg_error make_tls(struct cvg_tls_stream *stream, SSL_CTX *context)
{
    BIO *bio = BIO_new(stream->shared->method);
    stream->ssl = bio == NULL ? NULL : SSL_new(context);
    if (stream->ssl == NULL) {
        BIO_free(bio);
        return CVG_ERR_NOMEM;
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    SSL_set_accept_state(stream->ssl);
    return CVG_OK;
}

enum cvg_error cvg_tls_stream_new(uv_loop_t *loop, int fd, SSL_CTX *context,
                                  struct cvg_tls_shared *shared,
                                  const struct cvg_tls_stream_events *events, void *user,
                                  struct cvg_tls_stream **ret_stream)
{
    struct cvg_tls_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        close(fd);
        return CVG_ERR_NOMEM;
    }
    stream->events = events;
    stream->user = user;
    stream->shared = shared;
    shared->references++;
    uv_tcp_init(loop, &stream->tcp);
    enum cvg_error err = CVG_OK;
    if (uv_tcp_open(&stream->tcp, fd) != 0) {
        close(fd);
        err = CVG_ERR_IO;
    }
    if (err == CVG_OK)
        err = make_tls(stream, context);
    if (err != CVG_OK) {
        cvg_tls_stream_close(stream);
        return err;
    }
    uv_tcp_nodelay(&stream->tcp, 1);
    *ret_stream = stream;
    return CVG_OK;
}

enum cvg_error cvg_tls_stream_peer(const struct cvg_tls_stream *stream,
                                   struct cvg_address *ret_address)
{
    struct sockaddr_storage peer;
    int len = sizeof(peer);
    if (uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)&peer, &len) != 0)
        return CVG_ERR_IO;
    return cvg_address_of((struct sockaddr *)&peer, ret_address);
}

bool cvg_tls_stream_resumed(const struct cvg_tls_stream *stream)
{
    return SSL_session_reused(stream->ssl) == 1;
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct cvg_tls_shared *shared = ((struct cvg_tls_stream *)(void *)handle)->shared;
    (void)suggested;
    *buf = uv_buf_init(shared->in, READ_MAX);
}

/* Appends what came to what was not taken before, or keeps what is not taken now. */
static enum cvg_error keep(struct cvg_tls_stream *stream, const uint8_t *more, size_t more_len)
{
    uint8_t *rest = malloc(stream->in_len + more_len);
    if (rest == NULL)
        return CVG_ERR_NOMEM;
    memcpy(rest, stream->in, stream->in_len);
    if (more_len > 0)
        memcpy(rest + stream->in_len, more, more_len);
    free(stream->rest);
    stream->in = stream->rest = rest;
    stream->in_len += more_len;
    return CVG_OK;
}

static void received(uv_stream_t *uv, ssize_t len, const uv_buf_t *buf)
{
    struct cvg_tls_stream *stream = (struct cvg_tls_stream *)(void *)uv;
    const uint8_t *octets = (const uint8_t *)buf->base;
    enum cvg_error err = CVG_OK;
    if (len == 0 || (len > 0 && stream->finished))
        return;
    if (len > 0 && stream->in_len > 0) {
        err = keep(stream, octets, (size_t)len);
    } else if (len > 0) {
        stream->in = octets;
        stream->in_len = (size_t)len;
    }
    if (len < 0 || err != CVG_OK) {
        stream->broken = true;
        stream->events->ended(stream->user);
        return;
    }
    stream->events->readable(stream->user);
    if (!stream->closed && stream->in_len > 0 && stream->rest == NULL &&
        keep(stream, NULL, 0) != CVG_OK) {
        stream->broken = true;
        stream->events->ended(stream->user);
    }
}

enum cvg_error cvg_tls_stream_resume(struct cvg_tls_stream *stream)
{
    if (!stream->reading && uv_read_start(uv_of(stream), allocate, received) != 0)
        return CVG_ERR_IO;
    stream->reading = true;
    return CVG_OK;
}

void cvg_tls_stream_pause(struct cvg_tls_stream *stream)
{
    if (stream->reading)
        uv_read_stop(uv_of(stream));
    stream->reading = false;
}

size_t cvg_tls_stream_peek(const struct cvg_tls_stream *stream, const uint8_t **ret_octets)
{
    *ret_octets = stream->in;
    return stream->in_len;
}

void cvg_tls_stream_skip(struct cvg_tls_stream *stream, size_t len)
{
    stream->in += len;
    stream->in_len -= len;
    if (stream->in_len == 0) {
        free(stream->rest);
        stream->rest = NULL;
    }
}

/* SSL_get_error takes what other code left behind for the stream's own. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* What a step of OpenSSL came to. */
static enum cvg_tls_state state_of(struct cvg_tls_stream *stream, int result)
{
    if (result > 0)
        return CVG_TLS_DONE;
    int reason = SSL_get_error(stream->ssl, result);
    ERR_clear_error();
    if (reason == SSL_ERROR_WANT_READ)
        return CVG_TLS_MORE;
    stream->broken = stream->broken || reason == SSL_ERROR_SYSCALL;
    return CVG_TLS_ENDED;
}

enum cvg_tls_state cvg_tls_stream_handshake(struct cvg_tls_stream *stream)
{
    forget_errors();
    return state_of(stream, SSL_accept(stream->ssl));
}

enum cvg_tls_state cvg_tls_stream_read(struct cvg_tls_stream *stream, const uint8_t **ret_data,
                                       size_t *ret_len)
{
    uint8_t *plain = stream->shared->plain;
    if (stream->in_len == 0 && SSL_has_pending(stream->ssl) == 0)
        return CVG_TLS_MORE; /* what OpenSSL would say, too, but at some length */
    forget_errors();
    int len = SSL_read(stream->ssl, plain, CVG_TLS_RECORD_MAX);
    enum cvg_tls_state state = state_of(stream, len);
    if (state == CVG_TLS_DONE) {
        *ret_data = plain;
        *ret_len = (size_t)len;
    }
    return state;
}

enum cvg_error cvg_tls_stream_write(struct cvg_tls_stream *stream, const void *data, size_t len)
{
    forget_errors();
    return state_of(stream, SSL_write(stream->ssl, data, (int)len)) == CVG_TLS_DONE ? CVG_OK
                                                                                    : CVG_ERR_IO;
}

void cvg_tls_stream_write_end(struct cvg_tls_stream *stream)
{
    (void)SSL_shutdown(stream->ssl);
    ERR_clear_error();
}

bool cvg_tls_stream_blocked(const struct cvg_tls_stream *stream)
{
    return stream->blocked;
}

enum cvg_error cvg_tls_stream_finish(struct cvg_tls_stream *stream)
{
    int fd = -1;
    stream->finished = true;
    cvg_tls_stream_skip(stream, stream->in_len);
    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0 || shutdown(fd, SHUT_WR) != 0)
        return CVG_ERR_IO;
    return cvg_tls_stream_resume(stream);
}
