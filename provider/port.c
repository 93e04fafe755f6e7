/* SPDX-License-Identifier: MIT */
/* Finds the socket of a TLS connection, see port.h. */
#include "config.h"

#include "provider/port.h"

#include <stdlib.h>
#include <string.h>

#include "common/client/ports.h"

/* A filter in front of the BIO that moves the octets may count less, never more. But below a TLS
 * connection that carries this one the octets are not ours. */
static uint64_t most(const struct cvg_ossl *ossl, BIO *bio, bool written)
{
    uint64_t max = 0;
    bool below = false;

    for (; bio && !below; bio = ossl->crypto.BIO_next(bio)) {
        uint64_t n =
            written ? ossl->crypto.BIO_number_written(bio) : ossl->crypto.BIO_number_read(bio);

        if (n > max)
            max = n;
        below = ossl->crypto.BIO_method_type(bio) == BIO_TYPE_SSL;
    }
    return max;
}

/* A BIO of the program's own may answer anything. */
static uint64_t sane(size_t waiting)
{
    return waiting <= UINT32_MAX ? waiting : 0;
}

static void count_octets(const struct cvg_ossl *ossl, BIO *in, BIO *out,
                         struct cvg_counters *ret_counters)
{
    memset(ret_counters, 0, sizeof *ret_counters);
    ret_counters->received = most(ossl, in, false);
    ret_counters->sent = most(ossl, out, true);
    if (in)
        ret_counters->received_waiting = sane(ossl->crypto.BIO_ctrl_pending(in));
    if (out)
        ret_counters->sent_waiting = sane(out == in ? ossl->crypto.BIO_ctrl_wpending(out)
                                                    : ossl->crypto.BIO_ctrl_pending(out));
}

static void from_descriptor(int fd, const struct cvg_counters *counters,
                            const struct cvg_config *config, const char *host,
                            struct cvg_question *question)
{
    struct cvg_socket found;

    if (!cvg_socket_look(fd, counters, &found) && !cvg_socket_look(fd, NULL, &found))
        return;
    cvg_ports_peer(question, &found.peer);
    question->port_found = CVG_FOUND_FD;
    if (cvg_ports_of_socket(&found, config, host, question))
        question->port_found = CVG_FOUND_TUNNEL;
}

static void from_connect_bio(const struct cvg_ossl *ossl, BIO *bio, struct cvg_question *question)
{
    const char *text = cvg_ossl_connect_bio(ossl, bio, 1);
    char *end;
    unsigned long port;

    if (!text)
        return;
    port = strtoul(text, &end, 10);
    if (end == text || *end || port > UINT16_MAX)
        return;
    cvg_ports_add(question, (uint16_t)port);
    question->port_found = CVG_FOUND_BIO;
}

static bool several_peers(const struct cvg_sockmatch *match)
{
    struct cvg_question first = {.peer_family = 0}, other = first;

    cvg_ports_peer(&first, &match->socket[0].peer);
    for (size_t i = 1; i < match->count; i++) {
        cvg_ports_peer(&other, &match->socket[i].peer);
        if (other.peer_family != first.peer_family ||
            memcmp(other.peer_address, first.peer_address, sizeof first.peer_address) != 0)
            return true;
    }
    return false;
}

static void from_counters(const struct cvg_counters *counters, const struct cvg_config *config,
                          const char *host, struct cvg_question *question)
{
    struct cvg_sockmatch match;
    bool tunnel = false;

    if (counters->sent == 0 && counters->received == 0)
        return;
    cvg_sockmatch_scan(counters, host != NULL, &match);
    if (match.count == 0)
        return;
    cvg_ports_peer(question, &match.socket[0].peer);
    if (!host && several_peers(&match))
        return;
    for (size_t i = 0; i < match.count; i++)
        tunnel = cvg_ports_of_socket(&match.socket[i], config, host, question) || tunnel;
    question->port_found = tunnel                     ? CVG_FOUND_TUNNEL
                           : question->port_count > 1 ? CVG_FOUND_SEVERAL
                                                      : CVG_FOUND_COUNTERS;
}

void cvg_port_find(const struct cvg_ossl *ossl, const struct cvg_ssl_functions *functions,
                   const SSL *ssl, const struct cvg_config *config, const char *host,
                   struct cvg_question *ret_question)
{
    struct cvg_counters counters;
    BIO *in = functions->SSL_get_rbio(ssl);
    int fd = functions->SSL_get_fd(ssl);

    count_octets(ossl, in, functions->SSL_get_wbio(ssl), &counters);
    if (fd >= 0)
        from_descriptor(fd, &counters, config, host, ret_question);
    if (ret_question->port_count == 0)
        from_connect_bio(ossl, in, ret_question);
    if (ret_question->port_count == 0 && fd < 0)
        from_counters(&counters, config, host, ret_question);
    if (ret_question->port_count == 0 && host) {
        cvg_ports_tunnel(ret_question, config);
        ret_question->port_found = CVG_FOUND_TUNNEL;
    }
}
