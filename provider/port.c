/* SPDX-License-Identifier: MIT */
/* Finds port candidates, see port.h. An honest list: where the port cannot be known, every one it
 * may be is asked about. */
#include "config.h"

#include "provider/port.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* The shortest "CONNECT h:1 HTTP/1.0" with its empty line, but for the host; and the shortest
 * answer to it. */
#define CONNECT_MIN        23
#define CONNECT_ANSWER_MIN 17

/* The shortest SOCKS request (version 4). */
#define SOCKS_MIN 9

/* Where proxies listen by custom: what was said before TLS there was for the proxy. */
static const uint16_t proxy_ports[] = {1080, 3128, 8080, 8118, 8123, 8888, 9050, 9150};

/* Where a service itself speaks first in clear: ftp, smtp, pop3, nntp, imap, ldap, submission,
 * mysql, xmpp, postgresql, managesieve, irc, amqp ... */
static const uint16_t starttls_ports[] = {21,   24,   25,   110,  119,  143,  194,
                                          389,  433,  587,  1433, 2525, 3306, 3389,
                                          4190, 5222, 5269, 5432, 5672, 6667, 24224};

static bool among(const uint16_t *list, size_t count, uint16_t port)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == port)
            return true;
    return false;
}

#define AMONG(list, port) among(list, sizeof(list) / sizeof((list)[0]), port)

static void add(struct cvg_question *question, uint16_t port)
{
    if (port != 0 && question->port_count < CVG_MESSAGE_PORTS_MAX &&
        !among(question->port, question->port_count, port))
        question->port[question->port_count++] = port;
}

static void add_tunnel(struct cvg_question *question, const struct cvg_config *config)
{
    for (size_t i = 0; i < config->tunnel_ports_count; i++)
        add(question, config->tunnel_ports[i]);
}

/* The answer to a SOCKS 4 request, and to a SOCKS 5 greeting and request with an address of either
 * family, each with and without a password. */
static bool socks_answer(uint64_t octets)
{
    return octets == 8 || octets == 12 || octets == 14 || octets == 24 || octets == 26;
}

static bool may_be_tunnel(const struct cvg_socket *found, const char *host)
{
    if (found->sent_before >= CONNECT_MIN + strlen(host) &&
        found->received_before >= CONNECT_ANSWER_MIN)
        return true;
    return found->sent_before >= SOCKS_MIN && socks_answer(found->received_before);
}

bool cvg_port_candidates(const struct cvg_socket *found, const struct cvg_config *config,
                         const char *host, struct cvg_question *ret_question)
{
    uint16_t port = cvg_socket_port(&found->peer);
    bool spoke = found->sent_before != 0 || found->received_before != 0;

    if (spoke && AMONG(proxy_ports, port)) {
        if (host)
            add_tunnel(ret_question, config);
        return true;
    }
    if (!host || !spoke || AMONG(starttls_ports, port) || !may_be_tunnel(found, host)) {
        add(ret_question, port);
        return false;
    }
    add_tunnel(ret_question, config);
    add(ret_question, port);
    return true;
}

static void set_peer(struct cvg_question *question, const struct sockaddr_storage *peer)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    memset(question->peer_address, 0, sizeof question->peer_address);
    if (peer->ss_family == AF_INET) {
        memcpy(&v4, peer, sizeof v4);
        question->peer_family = 4;
        memcpy(question->peer_address, &v4.sin_addr, 4);
        return;
    }
    memcpy(&v6, peer, sizeof v6);
    if (memcmp(&v6.sin6_addr, mapped, sizeof mapped) == 0) {
        question->peer_family = 4;
        memcpy(question->peer_address, v6.sin6_addr.s6_addr + 12, 4);
        return;
    }
    question->peer_family = 6;
    memcpy(question->peer_address, &v6.sin6_addr, 16);
}

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
    set_peer(question, &found.peer);
    question->port_found = CVG_FOUND_FD;
    if (cvg_port_candidates(&found, config, host, question))
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
    add(question, (uint16_t)port);
    question->port_found = CVG_FOUND_BIO;
}

static bool several_peers(const struct cvg_sockmatch *match)
{
    struct cvg_question first = {.peer_family = 0}, other = first;

    set_peer(&first, &match->socket[0].peer);
    for (size_t i = 1; i < match->count; i++) {
        set_peer(&other, &match->socket[i].peer);
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
    set_peer(question, &match.socket[0].peer);
    if (!host && several_peers(&match))
        return;
    for (size_t i = 0; i < match.count; i++)
        tunnel = cvg_port_candidates(&match.socket[i], config, host, question) || tunnel;
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
        add_tunnel(ret_question, config);
        ret_question->port_found = CVG_FOUND_TUNNEL;
    }
}
