/* SPDX-License-Identifier: MIT */
/* doctor --programs: every program of this system by its TLS library, and whether that is watched.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tools/doctor.h"
#include "tools/tls-kind.h"
#include "tools/tools.h"

#define FILES_MAX 32768
#define TIME_MS   60000
#define NAMES_MAX 360
#define DEPTH_MAX 3 /* below /opt and /usr/libexec */

/* What each kind means, and how it is told. */
static const struct {
    const char *id, *text;
    enum cvg_doctor_state state;
    const char *covered;
} kinds[CVG_TLS_KINDS] = {
    [CVG_TLS_NONE] = {"none", "have no TLS library that is known here", CVG_DOCTOR_GOOD, "unknown"},
    [CVG_TLS_LATER] = {"later", "may load a TLS library at run time: cannot be told",
                       CVG_DOCTOR_NOTE, "unknown"},
    [CVG_TLS_FOREIGN] = {"foreign", "are of another byte order: cannot be told", CVG_DOCTOR_NOTE,
                         "unknown"},
    [CVG_TLS_OPENSSL3] = {"openssl-3",
                          "use the system's OpenSSL 3: covered, where they read "
                          "openssl.cnf",
                          CVG_DOCTOR_GOOD, "yes"},
    [CVG_TLS_NSS] = {"nss", "use NSS: covered, where their database has our module",
                     CVG_DOCTOR_GOOD, "unknown"},
    [CVG_TLS_SEVERAL] = {"several",
                         "use OpenSSL 3 or NSS and another TLS library: covered in part, and in "
                         "which cannot be told",
                         CVG_DOCTOR_NOTE, "unknown"},
    [CVG_TLS_OPENSSL_BUNDLED] = {"openssl-bundled",
                                 "bring a copy of OpenSSL: not covered, unless that copy's own "
                                 "openssl.cnf (or OPENSSL_CONF) loads our module",
                                 CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_OPENSSL_OTHER] = {"openssl-other",
                               "use OpenSSL 3 of another architecture (32 bits), which cannot load "
                               "this one's module: not covered",
                               CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_OPENSSL1] = {"openssl-1", "use OpenSSL 1.x, which has no providers: not covered",
                          CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_OPENSSL_INSIDE] = {"openssl-inside",
                                "have an OpenSSL of their own inside: not covered, unless it "
                                "exports its functions (official node does)",
                                CVG_DOCTOR_NOTE, "unknown"},
    [CVG_TLS_GNUTLS] = {"gnutls", "use GnuTLS: not covered", CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_MBEDTLS] = {"mbedtls", "use mbedTLS: not covered", CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_WOLFSSL] = {"wolfssl", "use wolfSSL: not covered", CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_BORINGSSL] = {"boringssl", "have BoringSSL inside (Chromium, Electron): not covered",
                           CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_RUSTLS] = {"rustls", "have rustls inside: not covered", CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_GO] = {"go", "are of Go, whose TLS is its own: not covered", CVG_DOCTOR_NOTE, "no"},
    [CVG_TLS_JAVA] = {"java", "are of Java, whose TLS is its own: not covered", CVG_DOCTOR_NOTE,
                      "no"},
};

struct scan {
    struct cvg_tls_finder *finder;
    struct {
        dev_t device;
        ino_t inode;
    } seen[FILES_MAX];
    size_t files, scripts, quic, count[CVG_TLS_KINDS];
    char names[CVG_TLS_KINDS][NAMES_MAX], quic_names[NAMES_MAX];
    uint64_t until_ms;
    bool cut;
    json_t *programs;
};

/* A program is looked at once, however many names it has. */
static bool is_new(struct scan *scan, const struct stat *st)
{
    for (size_t i = 0; i < scan->files; i++)
        if (scan->seen[i].inode == st->st_ino && scan->seen[i].device == st->st_dev)
            return false;
    if (scan->files == FILES_MAX || cvg_clock_ms(cvg_clock_system()) > scan->until_ms) {
        scan->cut = true;
        return false;
    }
    scan->seen[scan->files].device = st->st_dev;
    scan->seen[scan->files++].inode = st->st_ino;
    return true;
}

static void add_name(char list[static NAMES_MAX], const char *path)
{
    size_t used = strlen(list);
    const char *name = strrchr(path, '/') + 1;

    if (used + strlen(name) + sizeof ", ..." < NAMES_MAX)
        snprintf(list + used, NAMES_MAX - used, "%s%s", used > 0 ? ", " : "", name);
    else if (used + sizeof ", ..." <= NAMES_MAX && strcmp(list + used - 3, "...") != 0)
        strcpy(list + used, ", ...");
}

static bool is_script(const char *path)
{
    FILE *file = fopen(path, "re");
    char start[2] = "";
    bool script = file != NULL && fread(start, 1, 2, file) == 2 && memcmp(start, "#!", 2) == 0;

    if (file != NULL)
        fclose(file);
    return script;
}

static void look_at_file(struct scan *scan, const char *path)
{
    struct cvg_tls_look look;

    if (!cvg_tls_look(scan->finder, path, &look)) {
        scan->scripts += is_script(path) ? 1 : 0;
        return;
    }
    scan->count[look.kind]++;
    add_name(scan->names[look.kind], path);
    scan->quic += look.quic ? 1 : 0;
    if (look.quic)
        add_name(scan->quic_names, path);
    json_array_append_new(scan->programs,
                          json_pack("{s:o, s:s, s:s, s:b}", "path", cvg_output_text(path), "kind",
                                    kinds[look.kind].id, "covered", kinds[look.kind].covered,
                                    "http3", (int)look.quic));
}

static void look_at_directory(struct scan *scan, const char *directory, int depth)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;

    while (dir != NULL && !scan->cut && (entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];
        struct stat st;

        if (entry->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path ||
            stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && entry->d_type == DT_DIR && depth > 0)
            look_at_directory(scan, path, depth - 1);
        else if (S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0 && is_new(scan, &st))
            look_at_file(scan, path);
    }
    if (dir != NULL)
        closedir(dir);
}

static void look_everywhere(struct scan *scan)
{
    static const char *const more[] = {
        "/usr/local/sbin",   "/usr/local/bin",       "/usr/sbin",
        "/usr/bin",          "/usr/lib/git-core",    "/usr/lib/apt/methods",
        "/usr/lib/chromium", "/usr/lib/firefox-esr", "/usr/lib/thunderbird"};
    const char *list = getenv("PATH");
    char directory[PATH_MAX];

    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ":");

        snprintf(directory, sizeof directory, "%.*s", (int)len, list);
        if (directory[0] == '/')
            look_at_directory(scan, directory, 0);
        list += len + (list[len] == ':' ? 1 : 0);
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        look_at_directory(scan, more[i], 0);
    look_at_directory(scan, "/usr/libexec", DEPTH_MAX);
    look_at_directory(scan, "/opt", DEPTH_MAX);
}

static void tell_containers(struct cvg_doctor_report *report)
{
    static const struct {
        const char *path, *what;
    } places[] = {{"/snap/bin", "Snaps"},
                  {"/var/lib/flatpak/app", "Flatpaks"},
                  {"/var/lib/docker", "Docker's containers"},
                  {"/var/lib/containers", "Podman's containers"}};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i].path, F_OK) == 0)
            cvg_doctor_add(report, CVG_DOCTOR_PROGRAMS, "containers", places[i].path,
                           CVG_DOCTOR_NOTE,
                           "use the distribution's package for what matters; in a container of "
                           "yours, install Converge and show it the agent's socket",
                           "%s have file systems of their own: neither modules nor agent are there",
                           places[i].what);
}

static void tell(const struct scan *scan, struct cvg_doctor_report *report)
{
    for (size_t i = 0; i < CVG_TLS_KINDS; i++)
        if (scan->count[i] > 0)
            cvg_doctor_add(report, CVG_DOCTOR_PROGRAMS, kinds[i].id, "", kinds[i].state,
                           kinds[i].state == CVG_DOCTOR_NOTE ? CVG_DOCTOR_ELSEWHERE : NULL,
                           "%zu %s%s%s", scan->count[i], kinds[i].text,
                           i == CVG_TLS_NONE ? "" : ": ", i == CVG_TLS_NONE ? "" : scan->names[i]);
    if (scan->quic > 0)
        cvg_doctor_add(report, CVG_DOCTOR_PROGRAMS, "http-3", "", CVG_DOCTOR_NOTE,
                       "switch HTTP/3 off in them",
                       "%zu can speak HTTP/3, which goes another way and is not checked: %s",
                       scan->quic, scan->quic_names);
    if (scan->scripts > 0)
        cvg_doctor_add(report, CVG_DOCTOR_PROGRAMS, "scripts", "", CVG_DOCTOR_NOTE,
                       "converge doctor -- SCRIPT",
                       "%zu scripts are covered as far as what runs them is", scan->scripts);
    if (scan->cut)
        cvg_doctor_add(report, CVG_DOCTOR_PROGRAMS, "cut", "", CVG_DOCTOR_WARNING,
                       "look at a single one: converge doctor -- PROGRAM",
                       "not all were looked at: there are too many, or it took too long");
    tell_containers(report);
}

int cvg_doctor_scan(bool quiet)
{
    const struct cvg_clock *clock = cvg_clock_system();
    struct scan *scan = calloc(1, sizeof *scan);
    struct cvg_doctor_report report;
    int code = CVG_EXIT_FAULT;

    if (scan != NULL)
        scan->finder = cvg_tls_finder_new();
    if (scan == NULL || scan->finder == NULL) {
        free(scan);
        return cvg_output_fail(CVG_EXIT_FAULT, "out of memory");
    }
    cvg_doctor_report_init(NULL, &report);
    scan->programs = json_array();
    scan->until_ms = cvg_clock_ms(clock) + TIME_MS;
    look_everywhere(scan);
    tell(scan, &report);
    report.programs = scan->programs;
    code = cvg_doctor_report_print(&report, quiet);
    cvg_doctor_report_free(&report);
    cvg_tls_finder_free(scan->finder);
    free(scan);
    return code;
}
