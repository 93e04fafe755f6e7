/* SPDX-License-Identifier: MIT */
/* An honest list of ports, see ports.h: where the port cannot be known, every one it may be is
 * asked about. */
#include "config.h"

#include "common/client/ports.h"

#include <netinet/in.h>
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
 * mysql, nut, xmpp, postgresql, managesieve, irc, amqp ... */
static const uint16_t starttls_ports[] = {21,   24,   25,   110,  119,  143,  194,  389,
                                          433,  587,  1433, 2525, 3306, 3389, 3493, 4190,
                                          5222, 5269, 5432, 5672, 6667, 24224};

static bool among(const uint16_t *list, size_t count, uint16_t port)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == port)
            return true;
    return false;
}

#define AMONG(list, port) among(list, sizeof(list) / sizeof((list)[0]), port)

void cvg_ports_add(struct cvg_question *question, uint16_t port)
{
    if (port != 0 && question->port_count < CVG_MESSAGE_PORTS_MAX &&
        !among(question->port, question->port_count, port))
        question->port[question->port_count++] = port;
}

void cvg_ports_tunnel(struct cvg_question *question, const struct cvg_config *config)
{
    for (size_t i = 0; i < config->tunnel_ports_count; i++)
        cvg_ports_add(question, config->tunnel_ports[i]);
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

bool cvg_ports_of_socket(const struct cvg_socket *found, const struct cvg_config *config,
                         const char *host, struct cvg_question *ret_question)
{
    uint16_t port = cvg_socket_port(&found->peer);
    bool spoke = found->sent_before != 0 || found->received_before != 0;

    if (spoke && AMONG(proxy_ports, port)) {
        if (host)
            cvg_ports_tunnel(ret_question, config);
        return true;
    }
    if (!host || !spoke || AMONG(starttls_ports, port) || !may_be_tunnel(found, host)) {
        cvg_ports_add(ret_question, port);
        return false;
    }
    cvg_ports_tunnel(ret_question, config);
    cvg_ports_add(ret_question, port);
    return true;
}

void cvg_ports_peer(struct cvg_question *question, const struct sockaddr_storage *peer)
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
