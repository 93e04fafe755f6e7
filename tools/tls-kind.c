/* SPDX-License-Identifier: MIT */
/* Looks at a program's libraries, by name and in turn, and searches the program for traces of a TLS
 * library inside it. */
#include "tools/tls-kind.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/elf-needed.h"

#define KNOWN_MAX   4096
#define DEPTH_MAX   12
#define CHUNK       (256 * 1024)
#define OVERLAP     64
#define SCAN_FROM   (256 * 1024) /* nothing smaller has a TLS library inside */
#define SCAN_MAX    (512L * 1024 * 1024)
#define PATH_OCTETS 512

#define BIT(kind) (1U << (kind))
#define QUIC      (1U << 30)
#define BY_CURL   (1U << 29) /* libcurl's own choice counts, whatever else is linked */

static const struct trait {
    const char *text;
    unsigned bits;
} by_name[] = {
    {"libssl.so.3", BIT(CVG_TLS_OPENSSL3)},
    {"libssl.so.1", BIT(CVG_TLS_OPENSSL1)},
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

struct known {
    char name[CVG_ELF_NAME_MAX];
    unsigned bits;
};

struct cvg_tls_finder {
    glob_t places; /* of libraries */
    struct known known[KNOWN_MAX];
    size_t count;
    char chunk[CHUNK + OVERLAP];
};

struct cvg_tls_finder *cvg_tls_finder_new(void)
{
    static const char *const patterns[] = {"/usr/lib/*-linux-gnu*", "/lib/*-linux-gnu*",
                                           "/usr/lib64", "/usr/local/lib", "/usr/lib"};
    struct cvg_tls_finder *finder = calloc(1, sizeof *finder);

    for (size_t i = 0; finder != NULL && i < COUNT(patterns); i++)
        (void)glob(patterns[i], GLOB_ONLYDIR | (i > 0 ? GLOB_APPEND : 0), NULL, &finder->places);
    return finder;
}

void cvg_tls_finder_free(struct cvg_tls_finder *finder)
{
    if (finder == NULL)
        return;
    globfree(&finder->places);
    free(finder);
}

static bool read_at(void *context, uint64_t offset, void *ret_octets, size_t len)
{
    return offset <= INT64_MAX &&
           pread(*(int *)context, ret_octets, len, (off_t)offset) == (ssize_t)len;
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static unsigned bits_of_libraries(struct cvg_tls_finder *finder, const struct cvg_elf *elf,
                                  int depth);

static unsigned bits_of_file(struct cvg_tls_finder *finder, const char *name, int depth)
{
    struct cvg_elf *elf = malloc(sizeof *elf);
    unsigned bits = 0;
    int fd = -1;

    for (size_t i = 0; elf != NULL && fd < 0 && i < finder->places.gl_pathc; i++) {
        char path[PATH_OCTETS];

        snprintf(path, sizeof path, "%s/%s", finder->places.gl_pathv[i], name);
        fd = open_file(path);
    }
    if (fd >= 0 && cvg_elf_parse(read_at, &fd, elf))
        bits = bits_of_libraries(finder, elf, depth + 1);
    if (fd >= 0)
        close(fd);
    free(elf);
    return bits;
}

/* Remembered before it is looked into: libraries may need each other in a circle. */
static unsigned bits_of_library(struct cvg_tls_finder *finder, const char *name, int depth)
{
    struct known *known;
    unsigned bits = 0;

    for (size_t i = 0; i < finder->count; i++)
        if (strcmp(finder->known[i].name, name) == 0)
            return finder->known[i].bits;
    for (size_t i = 0; i < COUNT(by_name); i++)
        if (strncmp(name, by_name[i].text, strlen(by_name[i].text)) == 0)
            bits |= by_name[i].bits;
    if (finder->count == KNOWN_MAX || depth >= DEPTH_MAX || strchr(name, '/') != NULL)
        return bits;
    known = &finder->known[finder->count++];
    snprintf(known->name, sizeof known->name, "%s", name);
    known->bits = bits;
    known->bits |= bits_of_file(finder, name, depth);
    return known->bits;
}

static unsigned bits_of_libraries(struct cvg_tls_finder *finder, const struct cvg_elf *elf,
                                  int depth)
{
    unsigned bits = 0;

    for (size_t i = 0; i < elf->count; i++)
        bits |= bits_of_library(finder, elf->needed[i], depth);
    return bits;
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

/* What is inside counts before what is linked, except that whoever links a library has its name in
 * its texts. A program that links several is taken for the one that is not watched: no promise. */
static enum cvg_tls_kind kind_of(unsigned linked, unsigned inside)
{
    static const enum cvg_tls_kind order[] = {
        CVG_TLS_JAVA,           CVG_TLS_GO,       CVG_TLS_BORINGSSL, CVG_TLS_RUSTLS,
        CVG_TLS_OPENSSL_INSIDE, CVG_TLS_OPENSSL3, CVG_TLS_NSS,       CVG_TLS_OPENSSL1,
        CVG_TLS_MBEDTLS,        CVG_TLS_WOLFSSL,  CVG_TLS_GNUTLS};

    if ((linked & BY_CURL) != 0)
        return CVG_TLS_GNUTLS;
    for (size_t i = 0; i < COUNT(order); i++)
        if (((linked | inside) & BIT(order[i])) != 0)
            return order[i];
    return (inside & BIT(CVG_TLS_LATER)) != 0 ? CVG_TLS_LATER : CVG_TLS_NONE;
}

bool cvg_tls_look(struct cvg_tls_finder *finder, const char *path, struct cvg_tls_look *ret_look)
{
    struct cvg_elf *elf = malloc(sizeof *elf);
    int fd = open_file(path);
    bool good = elf != NULL && fd >= 0 && cvg_elf_parse(read_at, &fd, elf);
    unsigned linked, inside;

    if (good && elf->foreign) {
        *ret_look = (struct cvg_tls_look){.kind = CVG_TLS_FOREIGN};
    } else if (good) {
        linked = bits_of_libraries(finder, elf, 0);
        inside = bits_of_text(finder, fd);
        *ret_look = (struct cvg_tls_look){kind_of(linked, inside), (linked & QUIC) != 0};
    }
    if (fd >= 0)
        close(fd);
    free(elf);
    return good;
}
