/* SPDX-License-Identifier: MIT */
/* A client's socket with TLS on it. */
#include "notary/tls-stream.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAIN_MAX 16384 /* octets of a TLS record */

struct cvg_tls_stream {
    uv_tcp_t tcp; /* first: casts */
    const struct cvg_tls_stream_events *events;
    void *user;
    uv_buf_t scratch;
    SSL *ssl;
    BIO *in, *out;
    bool reading;
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

static void freed(uv_handle_t *handle)
{
    struct cvg_tls_stream *stream = (struct cvg_tls_stream *)(void *)handle;
    SSL_free(stream->ssl);
    free(stream);
}

void cvg_tls_stream_close(struct cvg_tls_stream *stream)
{
    if (stream == NULL)
        return;
    stream->closed = true;
    uv_close((uv_handle_t *)&stream->tcp, freed);
}

static enum cvg_error make_tls(struct cvg_tls_stream *stream, SSL_CTX *context)
{
    stream->ssl = SSL_new(context);
    stream->in = BIO_new(BIO_s_mem());
    stream->out = BIO_new(BIO_s_mem());
    if (stream->ssl == NULL || stream->in == NULL || stream->out == NULL) {
        BIO_free(stream->in);
        BIO_free(stream->out);
        return CVG_ERR_NOMEM;
    }
    BIO_set_mem_eof_return(stream->in, -1);
    SSL_set_bio(stream->ssl, stream->in, stream->out);
    SSL_set_accept_state(stream->ssl);
    return CVG_OK;
}

enum cvg_error cvg_tls_stream_new(uv_loop_t *loop, int fd, SSL_CTX *context, uv_buf_t scratch,
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
    stream->scratch = scratch;
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

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    *buf = ((struct cvg_tls_stream *)(void *)handle)->scratch;
}

static void received(uv_stream_t *uv, ssize_t len, const uv_buf_t *buf)
{
    struct cvg_tls_stream *stream = (struct cvg_tls_stream *)(void *)uv;
    if (len == 0 || (len > 0 && stream->finished))
        return;
    if (len < 0 || BIO_write(stream->in, buf->base, (int)len) != (int)len)
        stream->events->ended(stream->user);
    else
        stream->events->readable(stream->user);
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

static void wrote(uv_write_t *request, int status)
{
    struct write *write = request->data;
    struct cvg_tls_stream *stream = write->stream;
    free(write);
    if (stream->closed)
        return;
    if (status < 0)
        stream->events->ended(stream->user);
    else if (uv_stream_get_write_queue_size(uv_of(stream)) == 0)
        stream->events->written(stream->user);
}

/* Gives the octets that the kernel does not take now to libuv. */
static enum cvg_error queue(struct cvg_tls_stream *stream, const char *data, size_t len)
{
    struct write *write = malloc(sizeof(*write) + len);
    if (write == NULL)
        return CVG_ERR_NOMEM;
    memcpy(write->data, data, len);
    write->stream = stream;
    write->request.data = write;
    uv_buf_t buf = uv_buf_init(write->data, (unsigned)len);
    if (uv_write(&write->request, uv_of(stream), &buf, 1, wrote) == 0)
        return CVG_ERR_BUSY;
    free(write);
    return CVG_ERR_IO;
}

/* Sends what TLS has produced. */
static enum cvg_error flush(struct cvg_tls_stream *stream)
{
    char *data = NULL;
    long len = BIO_get_mem_data(stream->out, &data);
    if (len <= 0)
        return CVG_OK;
    uv_buf_t buf = uv_buf_init(data, (unsigned)len);
    int sent = uv_try_write(uv_of(stream), &buf, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        return CVG_ERR_IO;
    size_t done = sent < 0 ? 0 : (size_t)sent;
    enum cvg_error err =
        done < (size_t)len ? queue(stream, data + done, (size_t)len - done) : CVG_OK;
    (void)BIO_reset(stream->out);
    return err;
}

enum cvg_tls_state cvg_tls_stream_handshake(struct cvg_tls_stream *stream)
{
    ERR_clear_error();
    int result = SSL_accept(stream->ssl);
    int reason = SSL_get_error(stream->ssl, result);
    ERR_clear_error();
    enum cvg_error err = flush(stream);
    if (err != CVG_OK && err != CVG_ERR_BUSY)
        return CVG_TLS_ENDED;
    if (result == 1)
        return CVG_TLS_DONE;
    return reason == SSL_ERROR_WANT_READ ? CVG_TLS_MORE : CVG_TLS_ENDED;
}

enum cvg_tls_state cvg_tls_stream_read(struct cvg_tls_stream *stream, struct cvg_buffer *ret_data)
{
    uint8_t data[PLAIN_MAX];
    ERR_clear_error();
    int len = SSL_read(stream->ssl, data, sizeof(data));
    int reason = SSL_get_error(stream->ssl, len);
    ERR_clear_error();
    if (len > 0)
        return cvg_buffer_put(ret_data, data, (size_t)len) == CVG_OK ? CVG_TLS_DONE : CVG_TLS_ENDED;
    return reason == SSL_ERROR_WANT_READ ? CVG_TLS_MORE : CVG_TLS_ENDED;
}

enum cvg_error cvg_tls_stream_send(struct cvg_tls_stream *stream, const void *data, size_t len,
                                   bool last)
{
    ERR_clear_error();
    int written = SSL_write(stream->ssl, data, (int)len);
    if (written == (int)len && last)
        (void)SSL_shutdown(stream->ssl);
    ERR_clear_error();
    return written == (int)len ? flush(stream) : CVG_ERR_IO;
}

enum cvg_error cvg_tls_stream_finish(struct cvg_tls_stream *stream)
{
    int fd = -1;
    stream->finished = true;
    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0 || shutdown(fd, SHUT_WR) != 0)
        return CVG_ERR_IO;
    return cvg_tls_stream_resume(stream);
}
