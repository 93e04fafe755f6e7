/* SPDX-License-Identifier: MIT */
/* One running process: which TLS libraries it has mapped, whether our modules are among them, and
 * what keeps it from the agent. It may end at any moment, and then it is told that it did. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/client/client.h"
#include "tools/doctor-environment.h"
#include "tools/doctor.h"
#include "tools/plain-file.h"
#include "tools/proc-text.h"
#include "tools/tools.h"

#define TEXT_MAX  (8 * 1024 * 1024)
#define QUIC_PORT 443

/* What a mapped file says of the process's TLS. */
enum library { NONE = 0, OPENSSL3, OPENSSL_OLD, OPENSSL_BUNDLED, NSS, OTHER, QUIC, OURS, OURS_NSS };

static const struct {
    const char *prefix;
    enum library library;
    const char *what;
} libraries[] = {
    {"libssl.so.3", OPENSSL3, "OpenSSL 3"},
    {"libssl.so.1", OPENSSL_OLD, "OpenSSL 1.x"},
    {"libssl-", OPENSSL_BUNDLED, "a bundled OpenSSL"},
    {"libssl3.so", NSS, "NSS"},
    {"libgnutls.so", OTHER, "GnuTLS"},
    {"libmbedtls.so", OTHER, "mbedTLS"},
    {"libwolfssl.so", OTHER, "wolfSSL"},
    {"libjvm.so", OTHER, "Java"},
    {"libnghttp3.so", QUIC, "nghttp3 (HTTP/3)"},
    {"libngtcp2.so", QUIC, "ngtcp2 (QUIC)"},
    {"libquiche.so", QUIC, "quiche (QUIC)"},
    {"converge.so", OURS, "converge.so"},
    {"libconverge-nss.so", OURS_NSS, "libconverge-nss.so"},
};

struct process {
    const char *pid;
    struct cvg_buffer maps, status, stat, environ, auxv;
    bool seen[OURS_NSS + 1];
    bool unchecked; /* the checks are off for it, though the module may be there */
    bool quic;      /* it talks HTTP/3 just now */
    struct cvg_doctor_report *report;
};

/* Reads /proc/PID/name whole. */
static enum cvg_error read_text(const char *pid, const char *name, struct cvg_buffer *ret_text,
                                struct cvg_why *ret_why)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    cvg_buffer_init(ret_text, TEXT_MAX);
    return cvg_plain_file_read(path, ret_text, ret_why);
}

static const char *text_of(const struct cvg_buffer *buffer)
{
    return buffer->data != NULL ? (const char *)buffer->data : "";
}

static void tell(const struct process *process, const char *id, const char *about,
                 enum cvg_doctor_state state, const char *remedy, const char *text)
{
    cvg_doctor_add(process->report, CVG_DOCTOR_PROGRAMS, id, about, state, remedy, "%s", text);
}

static bool is_the_systems(const char *path)
{
    static const char *const places[] = {"/usr/lib", "/lib", "/usr/local/lib"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strncmp(path, places[i], strlen(places[i])) == 0)
            return strstr(path, "/site-packages/") == NULL &&
                   strstr(path, "/dist-packages/") == NULL;
    return false;
}

static void take_library(struct process *process, const struct cvg_proc_map *map, size_t which)
{
    enum library library = libraries[which].library;
    bool bundled = library == OPENSSL3 && !is_the_systems(map->path);
    char text[128];

    process->seen[library] = true;
    if (map->deleted)
        tell(process, "replaced", map->path, CVG_DOCTOR_WARNING,
             "restart the program, so that it has the new one",
             "the file was replaced while the process had it");
    if (library == OURS || library == OURS_NSS)
        return;
    snprintf(text, sizeof text, "it has %s%s", libraries[which].what,
             bundled ? ", of its own and not the system's" : "");
    tell(process, "library", map->path, CVG_DOCTOR_NOTE,
         bundled || library == OPENSSL_BUNDLED
             ? "that copy reads an openssl.cnf of its own: OPENSSL_CONF names the system's"
             : NULL,
         text);
}

/* A library is mapped in several parts, which follow each other. */
static void look_at_maps(struct process *process)
{
    char last[PATH_MAX] = "";
    struct cvg_proc_map map;
    size_t offset = 0;

    while (cvg_proc_maps_next(text_of(&process->maps), process->maps.len, &offset, &map)) {
        const char *name = strrchr(map.path, '/') + 1;

        if (strcmp(map.path, last) == 0)
            continue;
        memcpy(last, map.path, sizeof last);
        for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
            if (strncmp(name, libraries[i].prefix, strlen(libraries[i].prefix)) == 0) {
                take_library(process, &map, i);
                break;
            }
    }
}

static const char *its_variable(const char *name, const void *context)
{
    const struct process *process = context;

    return cvg_proc_environ_get(text_of(&process->environ), process->environ.len, name);
}

static void look_at_environment(const struct process *process, const struct cvg_config *config)
{
    char system_conf[PATH_MAX];

    if (cvg_proc_auxv_secure(process->auxv.data, process->auxv.len)) {
        tell(process, "at-secure", "", CVG_DOCTOR_NOTE, NULL,
             "it runs with another's rights (AT_SECURE): only the system's configuration counts");
        return;
    }
    snprintf(system_conf, sizeof system_conf, "%s/openssl.cnf", X509_get_default_cert_area());
    cvg_doctor_environment(config, system_conf, its_variable, process, process->report);
}

/* By its name, as the module itself finds it; what an upgrade has replaced is "(deleted)". */
static bool is_excluded(const struct process *process, const struct cvg_config *config)
{
    char link[64], path[PATH_MAX], *mark;
    ssize_t len;

    snprintf(link, sizeof link, "/proc/%s/exe", process->pid);
    len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    mark = strstr(path, " (deleted)");
    if (mark != NULL)
        *mark = '\0';
    return cvg_client_excluded(config, basename(path));
}

static void look_at_switches(struct process *process, const struct cvg_config *config)
{
    const char *off = its_variable("CONVERGE", process);

    process->unchecked = off != NULL && strcmp(off, "off") == 0 && config->allow_off &&
                         !cvg_proc_auxv_secure(process->auxv.data, process->auxv.len);
    if (!is_excluded(process, config))
        return;
    process->unchecked = true;
    tell(process, "excluded", "", CVG_DOCTOR_WARNING,
         "take it out of exclude_programs, if it is there",
         "it is on the list of excluded programs, which are never checked");
}

/* Seconds since the epoch; 0: it cannot be told. */
static time_t started_s(const struct process *process)
{
    struct timespec now, up;
    unsigned long long ticks = 0;

    if (!cvg_proc_stat_start(text_of(&process->stat), &ticks) ||
        clock_gettime(CLOCK_REALTIME, &now) != 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    return now.tv_sec - up.tv_sec + (time_t)(ticks / (unsigned long long)sysconf(_SC_CLK_TCK));
}

/* A program reads openssl.cnf once. */
static void look_at_start(const struct process *process)
{
    const char *named = its_variable("OPENSSL_CONF", process);
    char path[PATH_MAX];
    time_t started = started_s(process);
    struct stat st;

    if (named != NULL)
        snprintf(path, sizeof path, "%s", named);
    else
        snprintf(path, sizeof path, "%s/openssl.cnf", X509_get_default_cert_area());
    if (process->seen[OPENSSL3] && !process->seen[OURS] && started != 0 && stat(path, &st) == 0 &&
        st.st_mtime > started)
        tell(process, "started-before", path, CVG_DOCTOR_WARNING, "restart the program",
             "that file was changed after the process had been started");
}

static void look_at_confinement(const struct process *process, const struct cvg_paths *paths)
{
    char path[PATH_MAX];
    struct cvg_buffer label;
    unsigned long long filter = 0;

    if (cvg_proc_status_number(text_of(&process->status), "Seccomp", &filter) && filter != 0)
        tell(process, "seccomp", "", CVG_DOCTOR_NOTE,
             "if it is refused every site, let its filter pass socket, connect, send and recv",
             "a seccomp filter is on: it may keep the program from asking the agent");
    snprintf(path, sizeof path, "/proc/%s/root%.*s", process->pid, PATH_MAX - 64,
             paths->runtime_dir);
    if (access(paths->runtime_dir, F_OK) == 0 && access(path, F_OK) != 0 && errno == ENOENT)
        tell(process, "no-socket", paths->runtime_dir, CVG_DOCTOR_BAD,
             "show it that directory (bind mount), and the configuration",
             "it sees another file system (chroot, container), without the agent's socket");
    if (read_text(process->pid, "attr/current", &label, NULL) == CVG_OK && label.len > 0 &&
        strncmp(text_of(&label), "unconfined", strlen("unconfined")) != 0) {
        label.data[strcspn(text_of(&label), "\n")] = '\0';
        tell(process, "confined", text_of(&label), CVG_DOCTOR_NOTE,
             "let its profile include <abstractions/converge>",
             "a security module confines it: it may not reach the agent's socket");
    }
    cvg_buffer_free(&label);
}

/* Whether one of its descriptors is that socket. */
static bool has_socket(const char *pid, unsigned long long inode)
{
    char path[PATH_MAX], wanted[64], target[64];
    const struct dirent *entry;
    bool found = false;
    DIR *directory;

    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%llu]", inode);
    directory = opendir(path);
    while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
        ssize_t len = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);

        target[len > 0 ? len : 0] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}

static void look_at_quic(struct process *process)
{
    static const char *const tables[] = {"net/udp", "net/udp6"};
    bool found = false;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct cvg_proc_udp udp;
        struct cvg_buffer text;
        size_t offset = 0;

        if (read_text(process->pid, tables[i], &text, NULL) == CVG_OK)
            while (!found && cvg_proc_udp_next(text_of(&text), text.len, &offset, &udp))
                found = udp.port == QUIC_PORT && has_socket(process->pid, udp.inode);
        cvg_buffer_free(&text);
    }
    process->quic = found;
    if (found)
        tell(process, "quic", "", CVG_DOCTOR_WARNING, "switch HTTP/3 off in the program",
             "it talks to UDP port 443 just now: HTTP/3 goes another way, and is not checked");
}

static int judge(const struct process *process)
{
    const bool *seen = process->seen;
    bool blocked = process->report->count[CVG_DOCTOR_BAD] > 0 || process->unchecked;
    bool watched = seen[OURS] || seen[OURS_NSS];

    if (watched && !blocked && process->quic) {
        tell(process, "process", process->pid, CVG_DOCTOR_WARNING,
             "switch HTTP/3 off in the program",
             "NOT covered in what goes over HTTP/3: our module sees the rest");
        return CVG_EXIT_REFUSED;
    }
    if (watched && !blocked) {
        tell(process, "process", process->pid, CVG_DOCTOR_GOOD, NULL,
             "covered: our module is mapped in it");
        return CVG_EXIT_OK;
    }
    if (watched || seen[OPENSSL_OLD] || seen[OPENSSL_BUNDLED] || seen[OTHER] || seen[QUIC]) {
        tell(process, "process", process->pid, CVG_DOCTOR_WARNING, CVG_DOCTOR_ELSEWHERE,
             watched ? "NOT covered: our module is in it, but cannot do its work"
                     : "NOT covered: it has another TLS library, and our module is not in it");
        return CVG_EXIT_REFUSED;
    }
    if (seen[OPENSSL3] || seen[NSS])
        tell(process, "process", process->pid, CVG_DOCTOR_WARNING,
             "converge enable openssl (or nss), then restart the program",
             "cannot be told: it has a TLS library that we watch, but our module is not in it; it "
             "comes with the first use of TLS, if it is enabled");
    else
        tell(process, "process", process->pid, CVG_DOCTOR_NOTE,
             "look again once it has connected: converge doctor --pid",
             "cannot be told: no TLS library is mapped that is known here; one may be built in");
    return CVG_EXIT_UNDECIDED;
}

/* The same process still, and not another of the same number. */
static bool is_still_there(const struct process *process)
{
    unsigned long long before = 0, now = 0;
    struct cvg_buffer stat;
    bool same = read_text(process->pid, "stat", &stat, NULL) == CVG_OK &&
                cvg_proc_stat_start(text_of(&process->stat), &before) &&
                cvg_proc_stat_start(text_of(&stat), &now) && before == now;

    cvg_buffer_free(&stat);
    return same;
}

static int look(struct process *process, const struct cvg_installation *installation)
{
    look_at_maps(process);
    look_at_start(process);
    look_at_confinement(process, &installation->paths);
    look_at_environment(process, &installation->config);
    look_at_switches(process, &installation->config);
    look_at_quic(process);
    if (!is_still_there(process))
        return cvg_output_fail(CVG_EXIT_FAULT, "process %s has ended meanwhile", process->pid);
    process->report->code = judge(process);
    return cvg_doctor_report_print(process->report, false);
}

int cvg_doctor_pid(const struct cvg_installation *installation, const char *pid)
{
    struct cvg_doctor_report report;
    struct process process = {.pid = pid, .report = &report};
    struct cvg_why why = {""};
    enum cvg_error err;
    int code;

    if (pid[0] == '\0' || strspn(pid, "0123456789") != strlen(pid) || strlen(pid) > 10)
        return cvg_output_fail(CVG_EXIT_USAGE, "%s is no process's number", pid);
    cvg_doctor_report_init(NULL, &report);
    err = read_text(pid, "maps", &process.maps, &why);
    if (err == CVG_OK)
        err = read_text(pid, "stat", &process.stat, &why);
    if (err == CVG_OK)
        err = read_text(pid, "status", &process.status, &why);
    if (err == CVG_OK)
        err = read_text(pid, "environ", &process.environ, &why);
    if (err == CVG_OK)
        err = read_text(pid, "auxv", &process.auxv, &why);
    code = err == CVG_OK ? look(&process, installation)
                         : cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    cvg_buffer_free(&process.maps);
    cvg_buffer_free(&process.stat);
    cvg_buffer_free(&process.status);
    cvg_buffer_free(&process.environ);
    cvg_buffer_free(&process.auxv);
    cvg_doctor_report_free(&report);
    return code;
}
