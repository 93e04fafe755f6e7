/* SPDX-License-Identifier: MIT */
/* Host and port of a TLS client over NSPR, see peer.h. Names come from the program; addresses only
 * stand in where it named nobody. */
#include "config.h"

#include "nss-module/peer.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/client/ports.h"
#include "common/client/socket.h"

/* Only the host counts where a name is read; the normaliser wants some port with it. */
#define ANY_PORT 443

struct search {
    struct cvg_nss *nss;
    PRFileDesc *tcp, *ssl;
    const struct cvg_spoken *spoken;
    const struct cvg_config *config;
    struct cvg_question *question;
    bool meant; /* the program named somebody, whether or not that can be used */
};

static bool normal(const char *name, struct cvg_endpoint *ret_endpoint)
{
    struct cvg_why why;

    return cvg_endpoint_set(name, strlen(name), ANY_PORT, ret_endpoint, &why) == CVG_OK;
}

/* Takes the host if it is one. */
static void take(struct search *search, const char *name, enum cvg_found found)
{
    struct cvg_endpoint endpoint;

    if (!normal(name, &endpoint))
        return;
    memcpy(search->question->host, endpoint.host, sizeof search->question->host);
    search->question->host_found = (uint8_t)found;
}

/* What the program told NSS to compare the certificate with; else whom it asked a proxy for. */
static void name_host(struct search *search)
{
    char *url = cvg_nss_ssl_of(search->nss, search->ssl)->SSL_RevealURL(search->ssl);

    if (url && url[0]) {
        search->meant = true;
        take(search, url, CVG_FOUND_SNI);
    } else if (search->spoken->connect_port != 0) {
        search->meant = true;
        take(search, search->spoken->connect_host, CVG_FOUND_CONNECT);
    }
    search->nss->PORT_Free(url);
    search->question->have_name = search->question->host[0] != '\0';
}

static void port_found(struct search *search, uint16_t port, enum cvg_found found)
{
    cvg_ports_add(search->question, port);
    search->question->port_found = (uint8_t)found;
}

/* The port that the proxy was asked for. A program that resolves names itself asks it for an
 * address; another name than the one that TLS is for may be a second proxy behind the first. */
static void port_of_connect(struct search *search)
{
    const struct cvg_spoken *spoken = search->spoken;
    struct cvg_endpoint asked;

    if (spoken->connect_port == 0 || !normal(spoken->connect_host, &asked))
        return;
    port_found(search, spoken->connect_port, CVG_FOUND_CONNECT);
    if (asked.kind != CVG_HOST_NAME || strcmp(asked.host, search->question->host) == 0)
        return;
    cvg_ports_tunnel(search->question, search->config);
    search->question->port_found = CVG_FOUND_TUNNEL;
}

/* NSPR's own form of an address; false for anything but an internet address. */
static bool internet(const PRNetAddr *from, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memset(ret_address, 0, sizeof *ret_address);
    if (from->raw.family == PR_AF_INET) {
        v4.sin_port = from->inet.port;
        memcpy(&v4.sin_addr, &from->inet.ip, sizeof v4.sin_addr);
        memcpy(ret_address, &v4, sizeof v4);
        return true;
    }
    if (from->raw.family == PR_AF_INET6) {
        v6.sin6_port = from->ipv6.port;
        memcpy(&v6.sin6_addr, &from->ipv6.ip, sizeof v6.sin6_addr);
        memcpy(ret_address, &v6, sizeof v6);
        return true;
    }
    return false;
}

static bool peer_of(struct cvg_nss *nss, PRFileDesc *fd, struct sockaddr_storage *ret_address)
{
    PRNetAddr address;

    memset(&address, 0, sizeof address);
    return nss->PR_GetPeerName(fd, &address) == PR_SUCCESS && internet(&address, ret_address);
}

static bool same_peer(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    struct cvg_question one = {.peer_family = 0}, other = one;

    cvg_ports_peer(&one, a);
    cvg_ports_peer(&other, b);
    return cvg_socket_port(a) == cvg_socket_port(b) && one.peer_family == other.peer_family &&
           memcmp(one.peer_address, other.peer_address, sizeof one.peer_address) == 0;
}

/* A layer that speaks SOCKS answers the destination; TLS asks the layer below. */
static void port_of_layers(struct search *search, const struct sockaddr_storage *below)
{
    struct sockaddr_storage above;
    PRFileDesc *top = search->tcp;

    while (top->higher)
        top = top->higher;
    if (top == search->tcp || (top == search->ssl && top->lower == search->tcp) ||
        !peer_of(search->nss, top, &above) || cvg_socket_port(&above) == 0 ||
        same_peer(&above, below))
        return;
    cvg_ports_peer(search->question, &above);
    port_found(search, cvg_socket_port(&above), CVG_FOUND_FD);
}

/* The socket's own; octets that nobody saw were said before NSPR got it. */
static void port_of_socket(struct search *search, const struct cvg_socket *found)
{
    const char *host = search->meant ? search->question->host : NULL;

    search->question->port_found =
        cvg_ports_of_socket(found, search->config, host, search->question) ? CVG_FOUND_TUNNEL
                                                                           : CVG_FOUND_FD;
}

/* Where the kernel's counters cannot be had, nothing is known to have been said. */
static bool look(struct search *search, struct cvg_socket *ret_found)
{
    const struct cvg_spoken *spoken = search->spoken;
    const struct cvg_counters counters = {.sent = spoken->sent, .received = spoken->received};
    int fd = search->nss->PR_FileDesc2NativeHandle(search->tcp);

    memset(ret_found, 0, sizeof *ret_found);
    return (fd >= 0 && cvg_socket_look(fd, &counters, ret_found)) ||
           peer_of(search->nss, search->tcp, &ret_found->peer);
}

static void find_port(struct search *search)
{
    struct cvg_socket found;
    bool socket = look(search, &found);

    if (socket)
        cvg_ports_peer(search->question, &found.peer);
    port_of_connect(search);
    if (search->question->port_count == 0 && socket)
        port_of_layers(search, &found.peer);
    if (search->question->port_count == 0 && socket)
        port_of_socket(search, &found);
    if (search->question->port_count == 0 && search->meant) {
        cvg_ports_tunnel(search->question, search->config);
        search->question->port_found = CVG_FOUND_TUNNEL;
    }
}

/* An unspecified address is a layer's that resolves names elsewhere: it says nothing. */
static void name_peer(struct search *search)
{
    static const uint8_t unspecified[16];
    const struct cvg_question *question = search->question;
    char text[INET6_ADDRSTRLEN];

    if (memcmp(question->peer_address, unspecified, sizeof unspecified) != 0 &&
        inet_ntop(question->peer_family == 4 ? AF_INET : AF_INET6, question->peer_address, text,
                  sizeof text))
        take(search, text, CVG_FOUND_PEER);
}

enum cvg_peer_found cvg_nss_peer_find(struct cvg_nss *nss, PRFileDesc *tcp, PRFileDesc *ssl,
                                      const struct cvg_spoken *spoken,
                                      const struct cvg_config *config,
                                      struct cvg_question *ret_question)
{
    struct search search = {nss, tcp, ssl, spoken, config, ret_question, .meant = false};

    name_host(&search);
    if (search.meant && !ret_question->host[0])
        return CVG_PEER_BAD;
    find_port(&search);
    if (!search.meant && ret_question->peer_family == 0)
        return CVG_PEER_NOT_APPLICABLE;
    if (!search.meant)
        name_peer(&search);
    return ret_question->host[0] && ret_question->port_count > 0 ? CVG_PEER_FOUND : CVG_PEER_BAD;
}
