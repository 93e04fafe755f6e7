/* SPDX-License-Identifier: MIT */
/* Judges a program's libraries by their names and places, and searches the program for traces of a
 * TLS library inside it. */
#include "tools/tls-kind.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/library-place.h"
#include "tools/tls-libraries.h"

#define CHUNK     (256 * 1024)
#define OVERLAP   64
#define SCAN_FROM (256 * 1024) /* nothing smaller has a TLS library inside */
#define SCAN_MAX  (512L * 1024 * 1024)
#define FAR       UINT_MAX /* no library is as far off */

#define BIT(kind) (1U << (kind))
#define QUIC      (1U << 30)
#define BY_CURL   (1U << 29) /* libcurl's own choice counts, whatever else is linked */

static const struct trait {
    const char *text;
    unsigned bits;
} by_name[] = {
    {"libssl.so.3", BIT(CVG_TLS_OPENSSL3)},
    {"libssl.so.1", BIT(CVG_TLS_OPENSSL1)},
    {"libssl-", BIT(CVG_TLS_OPENSSL_BUNDLED)}, /* as Python's wheels name it */
    {"libcurl-gnutls.so", BIT(CVG_TLS_GNUTLS) | BY_CURL},
    {"libgnutls.so", BIT(CVG_TLS_GNUTLS)},
    {"libssl3.so", BIT(CVG_TLS_NSS)},
    {"libmbedtls.so", BIT(CVG_TLS_MBEDTLS)},
    {"libwolfssl.so", BIT(CVG_TLS_WOLFSSL)},
    {"libjvm.so", BIT(CVG_TLS_JAVA)},
    {"libjli.so", BIT(CVG_TLS_JAVA)},
    {"libQt5WebEngineCore.so", BIT(CVG_TLS_BORINGSSL)},
    {"libQt6WebEngineCore.so", BIT(CVG_TLS_BORINGSSL)},
    {"libnghttp3.so", QUIC},
    {"libngtcp2.so", QUIC},
    {"libquiche.so", QUIC},
};
/* What a library's own code has in it, and not the headers of who links it. */
static const struct trait by_text[] = {
    {"Go buildinf:", BIT(CVG_TLS_GO)},
    {"third_party/boringssl", BIT(CVG_TLS_BORINGSSL)},
    {"tls13_client.cc", BIT(CVG_TLS_BORINGSSL)},
    {"rustls::", BIT(CVG_TLS_RUSTLS)},
    {"/rustls-0.", BIT(CVG_TLS_RUSTLS)},
    {"statem_clnt.c", BIT(CVG_TLS_OPENSSL_INSIDE)},
    {"tls_process_server_hello", BIT(CVG_TLS_OPENSSL_INSIDE)},
    {"mbedtls_ssl_handshake", BIT(CVG_TLS_MBEDTLS)},
    {"libssl.so", BIT(CVG_TLS_LATER)},
    {"libgnutls.so", BIT(CVG_TLS_LATER)},
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct cvg_tls_finder {
    struct cvg_libraries *libraries;
    struct cvg_elf own, program; /* own: this command's, to know the machine */
    char chunk[CHUNK + OVERLAP];
};

/* What a program links. */
struct links {
    unsigned depth[CVG_TLS_KINDS]; /* how far off the nearest library of a kind is; FAR: none */
    bool quic, by_curl;
    bool native; /* the program is for this machine, as our modules are */
};

struct cvg_tls_finder *cvg_tls_finder_new(void)
{
    struct cvg_tls_finder *finder = calloc(1, sizeof *finder);

    if (finder != NULL)
        finder->libraries = cvg_libraries_new();
    if (finder != NULL &&
        (finder->libraries == NULL || !cvg_libraries_parse("/proc/self/exe", &finder->own))) {
        cvg_tls_finder_free(finder);
        return NULL;
    }
    return finder;
}

void cvg_tls_finder_free(struct cvg_tls_finder *finder)
{
    if (finder == NULL)
        return;
    cvg_libraries_free(finder->libraries);
    free(finder);
}

/* A copy of OpenSSL that is not the system's reads an openssl.cnf of its own, which has not our
 * module; and one for another machine cannot load ours. A name that was not found in the system's
 * places is no system's library. */
static enum cvg_tls_kind kind_of_openssl3(const struct links *links,
                                          const struct cvg_library *library)
{
    if (library->path == NULL || !cvg_library_is_the_systems(library->path))
        return CVG_TLS_OPENSSL_BUNDLED;
    return links->native ? CVG_TLS_OPENSSL3 : CVG_TLS_OPENSSL_OTHER;
}

static void take_library(void *context, const struct cvg_library *library)
{
    struct links *links = context;

    for (size_t i = 0; i < COUNT(by_name); i++) {
        unsigned bits = by_name[i].bits;

        if (strncmp(library->name, by_name[i].text, strlen(by_name[i].text)) != 0)
            continue;
        links->quic = links->quic || (bits & QUIC) != 0;
        links->by_curl = links->by_curl || (bits & BY_CURL) != 0;
        if ((bits & BIT(CVG_TLS_OPENSSL3)) != 0)
            bits = BIT(kind_of_openssl3(links, library));
        for (size_t kind = 0; kind < CVG_TLS_KINDS; kind++)
            if ((bits & BIT(kind)) != 0 && library->depth < links->depth[kind])
                links->depth[kind] = library->depth;
    }
}

static unsigned bits_of_text(struct cvg_tls_finder *finder, int fd)
{
    unsigned bits = 0;
    size_t kept = 0;
    ssize_t got;
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size < SCAN_FROM || st.st_size > SCAN_MAX)
        return 0;
    for (off_t at = 0; (got = pread(fd, finder->chunk + kept, CHUNK, at)) > 0; at += got) {
        size_t have = kept + (size_t)got;

        for (size_t i = 0; i < COUNT(by_text); i++)
            if ((bits & by_text[i].bits) == 0 &&
                memmem(finder->chunk, have, by_text[i].text, strlen(by_text[i].text)) != NULL)
                bits |= by_text[i].bits;
        kept = have < OVERLAP ? have : OVERLAP;
        memmove(finder->chunk, finder->chunk + have - kept, kept);
    }
    return bits;
}

static enum cvg_tls_kind nearest(const struct links *links, const enum cvg_tls_kind *kinds,
                                 size_t count)
{
    enum cvg_tls_kind found = kinds[0];

    for (size_t i = 1; i < count; i++)
        if (links->depth[kinds[i]] < links->depth[found])
            found = kinds[i];
    return found;
}

/* What is inside counts before what is linked, except that whoever links a library has its name in
 * its texts. Where one library is watched and another is not, the nearer one is likely to do the
 * program's TLS, and the other that of a library on the way (libcurl's LDAP). The watched one is
 * believed only if it is nearer; else nobody can tell, and nothing is promised. */
static enum cvg_tls_kind kind_of(struct links *links, unsigned inside)
{
    static const enum cvg_tls_kind whole[] = {CVG_TLS_JAVA, CVG_TLS_GO, CVG_TLS_BORINGSSL,
                                              CVG_TLS_RUSTLS, CVG_TLS_OPENSSL_INSIDE};
    static const enum cvg_tls_kind watched[] = {CVG_TLS_OPENSSL3, CVG_TLS_NSS};
    static const enum cvg_tls_kind unwatched[] = {CVG_TLS_OPENSSL_BUNDLED, CVG_TLS_OPENSSL_OTHER,
                                                  CVG_TLS_OPENSSL1,        CVG_TLS_GNUTLS,
                                                  CVG_TLS_MBEDTLS,         CVG_TLS_WOLFSSL};
    enum cvg_tls_kind seen = nearest(links, watched, COUNT(watched)), other;

    if (links->by_curl)
        return CVG_TLS_GNUTLS;
    for (size_t i = 0; i < COUNT(whole); i++)
        if (links->depth[whole[i]] != FAR || (inside & BIT(whole[i])) != 0)
            return whole[i];
    if ((inside & BIT(CVG_TLS_MBEDTLS)) != 0)
        links->depth[CVG_TLS_MBEDTLS] = 1;
    other = nearest(links, unwatched, COUNT(unwatched));
    if (links->depth[seen] != FAR && links->depth[other] != FAR)
        return links->depth[seen] < links->depth[other] ? seen : CVG_TLS_SEVERAL;
    if (links->depth[seen] != FAR)
        return seen;
    if (links->depth[other] != FAR)
        return other;
    return (inside & BIT(CVG_TLS_LATER)) != 0 ? CVG_TLS_LATER : CVG_TLS_NONE;
}

bool cvg_tls_look(struct cvg_tls_finder *finder, const char *path, struct cvg_tls_look *ret_look)
{
    const struct cvg_elf *elf = &finder->program;
    struct links links = {.quic = false};
    int fd;

    if (!cvg_libraries_parse(path, &finder->program))
        return false;
    if (elf->foreign) {
        *ret_look = (struct cvg_tls_look){.kind = CVG_TLS_FOREIGN};
        return true;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    for (size_t i = 0; i < CVG_TLS_KINDS; i++)
        links.depth[i] = FAR;
    links.native = elf->narrow == finder->own.narrow && elf->machine == finder->own.machine;
    cvg_libraries_walk(finder->libraries, path, elf, take_library, &links);
    *ret_look = (struct cvg_tls_look){kind_of(&links, bits_of_text(finder, fd)), links.quic};
    close(fd);
    return true;
}

enum cvg_tls_kind cvg_tls_inside(struct cvg_tls_finder *finder, const char *path)
{
    static const enum cvg_tls_kind kinds[] = {CVG_TLS_GO, CVG_TLS_BORINGSSL, CVG_TLS_RUSTLS,
                                              CVG_TLS_OPENSSL_INSIDE, CVG_TLS_MBEDTLS};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    unsigned bits = fd >= 0 ? bits_of_text(finder, fd) : 0;

    if (fd >= 0)
        close(fd);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if ((bits & BIT(kinds[i])) != 0)
            return kinds[i];
    return CVG_TLS_NONE;
}
