/* SPDX-License-Identifier: MIT */
/* The TLS libraries of a running process: by the files it has mapped, and by what is inside its
 * program file and in libraries of somebody's own. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/doctor-pid.h"
#include "tools/library-place.h"
#include "tools/nss-db.h"
#include "tools/openssl-conf.h"
#include "tools/proc-text.h"
#include "tools/tls-kind.h"

#define OWN_COPY                                                                                   \
    "that copy reads an openssl.cnf of its own: start the program with OPENSSL_CONF naming the "   \
    "system's"

static const struct {
    const char *prefix;
    enum cvg_process_library library;
    const char *what;
} libraries[] = {
    {"libssl.so.3", CVG_PROCESS_OPENSSL3, "OpenSSL 3"},
    {"libssl.so.1", CVG_PROCESS_OPENSSL_OLD, "OpenSSL 1.x"},
    {"libssl-", CVG_PROCESS_OPENSSL_OWN, "a bundled OpenSSL"},
    {"libssl3.so", CVG_PROCESS_NSS, "NSS"},
    {"libgnutls.so", CVG_PROCESS_OTHER, "GnuTLS"},
    {"libmbedtls.so", CVG_PROCESS_OTHER, "mbedTLS"},
    {"libwolfssl.so", CVG_PROCESS_OTHER, "wolfSSL"},
    {"libjvm.so", CVG_PROCESS_OTHER, "Java"},
    {"libnghttp3.so", CVG_PROCESS_QUIC, "nghttp3 (HTTP/3)"},
    {"libngtcp2.so", CVG_PROCESS_QUIC, "ngtcp2 (QUIC)"},
    {"libquiche.so", CVG_PROCESS_QUIC, "quiche (QUIC)"},
    {"converge.so", CVG_PROCESS_OURS, "converge.so"},
    {"libconverge-nss.so", CVG_PROCESS_OURS_NSS, "libconverge-nss.so"},
};
#define KNOWN (sizeof libraries / sizeof libraries[0])

/* Libraries that lie inside another file. */
static const struct {
    enum cvg_tls_kind kind;
    const char *what;
} insides[] = {
    {CVG_TLS_OPENSSL_INSIDE, "an OpenSSL"},
    {CVG_TLS_BORINGSSL, "BoringSSL"},
    {CVG_TLS_RUSTLS, "rustls"},
    {CVG_TLS_GO, "Go's own TLS"},
    {CVG_TLS_MBEDTLS, "mbedTLS"},
};

/* One walk over the mapped files. */
struct walk {
    struct cvg_doctor_process *process;
    struct cvg_tls_finder *finder;
    char exe[PATH_MAX];                /* what is looked at as the program, and not as a library */
    char nss[PATH_MAX], ssl[PATH_MAX]; /* the first file of each module of ours */
};

static void tell_replaced(const struct cvg_doctor_process *process, const struct cvg_proc_map *map)
{
    if (map->deleted)
        cvg_doctor_process_tell(process, "replaced", map->path, CVG_DOCTOR_WARNING,
                                "restart the program, so that it has the new one",
                                "the file was replaced while the process had it");
}

static bool is_another_file(const char *path, const char *other)
{
    struct stat one, two;

    if (strcmp(path, other) == 0)
        return false;
    return stat(path, &one) != 0 || stat(other, &two) != 0 || one.st_dev != two.st_dev ||
           one.st_ino != two.st_ino;
}

/* Which file of a module of ours it is: the installed one, and the only one. */
static void take_ours(const struct walk *walk, const char *path, const char *installed,
                      char first[static PATH_MAX])
{
    const struct cvg_doctor_process *process = walk->process;
    bool elsewhere = is_another_file(path, installed);
    char text[CVG_DOCTOR_TEXT_MAX];

    snprintf(text, sizeof text, "it has our module from there, not the installed %.300s",
             installed);
    cvg_doctor_process_tell(process, elsewhere ? "module-elsewhere" : "module-file", path,
                            elsewhere ? CVG_DOCTOR_NOTE : CVG_DOCTOR_GOOD,
                            elsewhere ? "if it is not meant: converge disable and converge enable, "
                                        "then restart the program"
                                      : NULL,
                            elsewhere ? text : "it has our module, the installed one");
    if (first[0] != '\0') {
        snprintf(text, sizeof text,
                 "it has this file of our module besides %.300s: what one of them lets pass, the "
                 "other may refuse",
                 first);
        cvg_doctor_process_tell(process, "module-twice", path, CVG_DOCTOR_WARNING,
                                "take one of them out of the database or openssl.cnf that names "
                                "it, then restart the program",
                                text);
    }
    snprintf(first, PATH_MAX, "%s", path);
}

static void take_foreign(struct walk *walk, const char *path, size_t which)
{
    bool own =
        libraries[which].library == CVG_PROCESS_OPENSSL_OWN ||
        (libraries[which].library == CVG_PROCESS_OPENSSL3 && !cvg_library_is_the_systems(path));
    char text[128];

    walk->process->seen[own ? CVG_PROCESS_OPENSSL_OWN : libraries[which].library] = true;
    snprintf(text, sizeof text, "it has %s%s", libraries[which].what,
             own ? ", of its own and not the system's" : "");
    cvg_doctor_process_tell(walk->process, "library", path, CVG_DOCTOR_NOTE, own ? OWN_COPY : NULL,
                            text);
}

static void take_known(struct walk *walk, const struct cvg_proc_map *map, size_t which)
{
    const char *wish = NULL;

    tell_replaced(walk->process, map);
    if (libraries[which].library == CVG_PROCESS_OURS_NSS) {
        walk->process->seen[CVG_PROCESS_OURS_NSS] = true;
        take_ours(walk, map->path, cvg_nss_module_wish(), walk->nss);
    } else if (libraries[which].library == CVG_PROCESS_OURS) {
        walk->process->seen[CVG_PROCESS_OURS] = true;
        if (cvg_module_path(&wish, NULL) == CVG_OK)
            take_ours(walk, map->path, wish, walk->ssl);
    } else {
        take_foreign(walk, map->path, which);
    }
}

static const char *what_is_inside(const struct walk *walk, const char *file,
                                  enum cvg_tls_kind *ret_kind)
{
    *ret_kind = cvg_tls_inside(walk->finder, file);
    for (size_t i = 0; i < sizeof insides / sizeof insides[0]; i++)
        if (insides[i].kind == *ret_kind)
            return insides[i].what;
    return NULL;
}

/* A library of somebody's own may have a whole TLS library in it: Python's cryptography has an
 * OpenSSL, its grpc BoringSSL. The system's are not built so. */
static void take_unknown(struct walk *walk, const char *path)
{
    enum cvg_tls_kind kind = CVG_TLS_NONE;
    char file[PATH_MAX + 64], text[128];
    const char *what;

    if (walk->finder == NULL || cvg_library_is_the_systems(path) || strcmp(path, walk->exe) == 0 ||
        strstr(path, ".so") == NULL)
        return;
    snprintf(file, sizeof file, "/proc/%s/root%s", walk->process->pid, path);
    what = what_is_inside(walk, file, &kind);
    if (what == NULL)
        return;
    walk->process
        ->seen[kind == CVG_TLS_OPENSSL_INSIDE ? CVG_PROCESS_OPENSSL_OWN : CVG_PROCESS_OTHER] = true;
    snprintf(text, sizeof text, "it has %s inside this library", what);
    cvg_doctor_process_tell(walk->process, "library-inside", path, CVG_DOCTOR_NOTE,
                            kind == CVG_TLS_OPENSSL_INSIDE ? OWN_COPY : NULL, text);
}

static void take_program(struct walk *walk)
{
    enum cvg_tls_kind kind = CVG_TLS_NONE;
    char text[128];
    const char *what;

    if (walk->finder == NULL)
        return;
    snprintf(text, sizeof text, "/proc/%s/exe", walk->process->pid);
    what = what_is_inside(walk, text, &kind);
    if (what == NULL)
        return;
    walk->process
        ->seen[kind == CVG_TLS_OPENSSL_INSIDE ? CVG_PROCESS_OPENSSL_EXE : CVG_PROCESS_OWN_TLS] =
        true;
    snprintf(text, sizeof text, "it has %s inside its program file", what);
    cvg_doctor_process_tell(walk->process, "inside", walk->exe, CVG_DOCTOR_NOTE,
                            kind == CVG_TLS_OPENSSL_INSIDE
                                ? "only one that exports its functions (official node does) and "
                                  "reads openssl.cnf can load our module"
                                : NULL,
                            text);
}

static void take_map(struct walk *walk, const struct cvg_proc_map *map)
{
    const char *name = strrchr(map->path, '/') + 1;

    for (size_t i = 0; i < KNOWN; i++)
        if (strncmp(name, libraries[i].prefix, strlen(libraries[i].prefix)) == 0) {
            take_known(walk, map, i);
            return;
        }
    take_unknown(walk, map->path);
}

/* A library is mapped in several parts, which follow each other. */
void cvg_doctor_process_libraries(struct cvg_doctor_process *process)
{
    struct walk walk = {.process = process, .finder = cvg_tls_finder_new()};
    const char *maps = cvg_doctor_process_text(&process->maps);
    char last[PATH_MAX] = "";
    struct cvg_proc_map map;
    size_t offset = 0;

    cvg_doctor_process_exe(process->pid, walk.exe);
    take_program(&walk);
    while (cvg_proc_maps_next(maps, process->maps.len, &offset, &map)) {
        if (strcmp(map.path, last) == 0)
            continue;
        memcpy(last, map.path, sizeof last);
        take_map(&walk, &map);
    }
    cvg_tls_finder_free(walk.finder);
}
