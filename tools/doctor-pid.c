/* SPDX-License-Identifier: MIT */
/* One running process: which TLS libraries it has mapped, whether our modules are among them, and
 * what keeps it from the agent. It may end at any moment, and then it is told that it did. */
#include <dirent.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/client/client.h"
#include "tools/doctor-environment.h"
#include "tools/doctor-pid.h"
#include "tools/doctor.h"
#include "tools/plain-file.h"
#include "tools/proc-text.h"
#include "tools/tools.h"

#define TEXT_MAX  (8 * 1024 * 1024)
#define QUIC_PORT 443

enum cvg_error cvg_doctor_process_read(const char *pid, const char *name,
                                       struct cvg_buffer *ret_text, struct cvg_why *ret_why)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    cvg_buffer_init(ret_text, TEXT_MAX);
    return cvg_plain_file_read(path, ret_text, ret_why);
}

const char *cvg_doctor_process_text(const struct cvg_buffer *buffer)
{
    return buffer->data != NULL ? (const char *)buffer->data : "";
}

void cvg_doctor_process_tell(const struct cvg_doctor_process *process, const char *id,
                             const char *about, enum cvg_doctor_state state, const char *remedy,
                             const char *text)
{
    cvg_doctor_add(process->report, CVG_DOCTOR_PROGRAMS, id, about, state, remedy, "%s", text);
}

void cvg_doctor_process_exe(const char *pid, char ret_path[static PATH_MAX])
{
    char link[64], *mark;
    ssize_t len;

    snprintf(link, sizeof link, "/proc/%.16s/exe", pid);
    len = readlink(link, ret_path, PATH_MAX - 1);
    ret_path[len > 0 ? len : 0] = '\0';
    mark = strstr(ret_path, " (deleted)");
    if (mark != NULL)
        *mark = '\0';
}

static const char *its_variable(const char *name, const void *context)
{
    const struct cvg_doctor_process *process = context;

    return cvg_proc_environ_get(cvg_doctor_process_text(&process->environ), process->environ.len,
                                name);
}

static void look_at_environment(const struct cvg_doctor_process *process,
                                const struct cvg_config *config)
{
    char system_conf[PATH_MAX];

    if (cvg_proc_auxv_secure(process->auxv.data, process->auxv.len)) {
        cvg_doctor_process_tell(
            process, "at-secure", "", CVG_DOCTOR_NOTE, NULL,
            "it runs with another's rights (AT_SECURE): only the system's configuration counts");
        return;
    }
    snprintf(system_conf, sizeof system_conf, "%s/openssl.cnf", X509_get_default_cert_area());
    cvg_doctor_environment(config, system_conf, its_variable, process, process->report);
}

/* By its name, as the module itself finds it. */
static bool is_excluded(const struct cvg_doctor_process *process, const struct cvg_config *config)
{
    char path[PATH_MAX];

    cvg_doctor_process_exe(process->pid, path);
    return cvg_client_excluded(config, basename(path));
}

static void look_at_switches(struct cvg_doctor_process *process, const struct cvg_config *config)
{
    const char *off = its_variable("CONVERGE", process);

    process->unchecked = off != NULL && strcmp(off, "off") == 0 && config->allow_off &&
                         !cvg_proc_auxv_secure(process->auxv.data, process->auxv.len);
    if (!is_excluded(process, config))
        return;
    process->unchecked = true;
    cvg_doctor_process_tell(process, "excluded", "", CVG_DOCTOR_WARNING,
                            "take it out of exclude_programs, if it is there",
                            "it is on the list of excluded programs, which are never checked");
}

/* Seconds since the epoch; 0: it cannot be told. */
static time_t started_s(const struct cvg_doctor_process *process)
{
    struct timespec now, up;
    unsigned long long ticks = 0;

    if (!cvg_proc_stat_start(cvg_doctor_process_text(&process->stat), &ticks) ||
        clock_gettime(CLOCK_REALTIME, &now) != 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    return now.tv_sec - up.tv_sec + (time_t)(ticks / (unsigned long long)sysconf(_SC_CLK_TCK));
}

/* A program reads openssl.cnf once. */
static void look_at_start(const struct cvg_doctor_process *process)
{
    const char *named = its_variable("OPENSSL_CONF", process);
    char path[PATH_MAX];
    time_t started = started_s(process);
    struct stat st;

    if (named != NULL)
        snprintf(path, sizeof path, "%s", named);
    else
        snprintf(path, sizeof path, "%s/openssl.cnf", X509_get_default_cert_area());
    if (process->seen[CVG_PROCESS_OPENSSL3] && !process->seen[CVG_PROCESS_OURS] && started != 0 &&
        stat(path, &st) == 0 && st.st_mtime > started)
        cvg_doctor_process_tell(process, "started-before", path, CVG_DOCTOR_WARNING,
                                "restart the program",
                                "that file was changed after the process had been started");
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

static void look_at_quic(struct cvg_doctor_process *process)
{
    static const char *const tables[] = {"net/udp", "net/udp6"};
    bool found = false;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct cvg_proc_udp udp;
        struct cvg_buffer text;
        size_t offset = 0;

        if (cvg_doctor_process_read(process->pid, tables[i], &text, NULL) == CVG_OK)
            while (!found &&
                   cvg_proc_udp_next(cvg_doctor_process_text(&text), text.len, &offset, &udp))
                found = udp.port == QUIC_PORT && has_socket(process->pid, udp.inode);
        cvg_buffer_free(&text);
    }
    process->quic = found;
    if (found)
        cvg_doctor_process_tell(
            process, "quic", "", CVG_DOCTOR_WARNING, "switch HTTP/3 off in the program",
            "it talks to UDP port 443 just now: HTTP/3 goes another way, and is not checked");
}

/* The verdict, good or a warning; returns the code. */
static int say(const struct cvg_doctor_process *process, int code, const char *remedy,
               const char *text)
{
    cvg_doctor_process_tell(process, "process", process->pid,
                            code == CVG_EXIT_OK ? CVG_DOCTOR_GOOD : CVG_DOCTOR_WARNING, remedy,
                            text);
    return code;
}

/* Where our module is, and nothing blocks it: what still goes past it. */
static int judge_watched(const struct cvg_doctor_process *process)
{
    const bool *seen = process->seen;
    int copies =
        seen[CVG_PROCESS_OPENSSL3] + seen[CVG_PROCESS_OPENSSL_OWN] + seen[CVG_PROCESS_OPENSSL_EXE];

    if (seen[CVG_PROCESS_OWN_TLS])
        return say(process, CVG_EXIT_REFUSED, CVG_DOCTOR_ELSEWHERE,
                   "NOT covered: our module is in it, but its TLS library is inside the program "
                   "file, and not watched");
    if (process->quic)
        return say(process, CVG_EXIT_REFUSED, "switch HTTP/3 off in the program",
                   "NOT covered in what goes over HTTP/3: our module sees the rest");
    if (seen[CVG_PROCESS_OURS] && copies > 1)
        return say(process, CVG_EXIT_UNDECIDED,
                   "converge doctor -- PROGRAM ARGUMENT..., with a command that connects",
                   "cannot be told: it has more than one OpenSSL, and which of them loaded our "
                   "module is not seen from outside");
    if (process->elsewhere)
        return say(process, CVG_EXIT_UNDECIDED, "look from inside there: converge doctor",
                   "cannot be told: our module is in it, but asks an agent that is not seen from "
                   "here");
    if (seen[CVG_PROCESS_OTHER] || seen[CVG_PROCESS_OPENSSL_OLD] ||
        (copies > 0 && !seen[CVG_PROCESS_OURS]) ||
        (seen[CVG_PROCESS_NSS] && !seen[CVG_PROCESS_OURS_NSS]))
        cvg_doctor_process_tell(process, "beside", "", CVG_DOCTOR_NOTE, CVG_DOCTOR_ELSEWHERE,
                                "it has another TLS library beside the one that is watched: what "
                                "goes over that is not checked");
    return say(process, CVG_EXIT_OK, NULL, "covered: our module is mapped in it");
}

static int judge(const struct cvg_doctor_process *process)
{
    static const enum cvg_process_library unwatched[] = {
        CVG_PROCESS_OPENSSL_OLD, CVG_PROCESS_OPENSSL_OWN, CVG_PROCESS_OPENSSL_EXE,
        CVG_PROCESS_OWN_TLS,     CVG_PROCESS_OTHER,       CVG_PROCESS_QUIC};
    const bool *seen = process->seen;

    if (seen[CVG_PROCESS_OURS] || seen[CVG_PROCESS_OURS_NSS]) {
        if (process->report->count[CVG_DOCTOR_BAD] == 0 && !process->unchecked)
            return judge_watched(process);
        return say(process, CVG_EXIT_REFUSED, "mend what is told above, then restart the program",
                   "NOT covered: our module is in it, but cannot do its work");
    }
    for (size_t i = 0; i < sizeof unwatched / sizeof unwatched[0]; i++)
        if (seen[unwatched[i]])
            return say(process, CVG_EXIT_REFUSED, CVG_DOCTOR_ELSEWHERE,
                       "NOT covered: it has another TLS library, and our module is not in it");
    if (seen[CVG_PROCESS_OPENSSL3] || seen[CVG_PROCESS_NSS])
        return say(process, CVG_EXIT_UNDECIDED,
                   "converge enable openssl (or nss), then restart the program",
                   "cannot be told: it has a TLS library that we watch, but our module is not in "
                   "it; it comes with the first use of TLS, if it is enabled");
    cvg_doctor_process_tell(process, "process", process->pid, CVG_DOCTOR_NOTE,
                            "look again once it has connected: converge doctor --pid",
                            "cannot be told: no TLS library is mapped that is known here; one may "
                            "be built in");
    return CVG_EXIT_UNDECIDED;
}

/* The same process still, and not another of the same number. */
static bool is_still_there(const struct cvg_doctor_process *process)
{
    unsigned long long before = 0, now = 0;
    struct cvg_buffer stat;
    bool same = cvg_doctor_process_read(process->pid, "stat", &stat, NULL) == CVG_OK &&
                cvg_proc_stat_start(cvg_doctor_process_text(&process->stat), &before) &&
                cvg_proc_stat_start(cvg_doctor_process_text(&stat), &now) && before == now;

    cvg_buffer_free(&stat);
    return same;
}

static int look(struct cvg_doctor_process *process, const struct cvg_installation *installation)
{
    cvg_doctor_process_libraries(process);
    look_at_start(process);
    cvg_doctor_process_view(process, &installation->paths);
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
    struct cvg_doctor_process process = {.pid = pid, .report = &report};
    struct cvg_why why = {""};
    enum cvg_error err;
    int code;

    if (pid[0] == '\0' || strspn(pid, "0123456789") != strlen(pid) || strlen(pid) > 10)
        return cvg_output_fail(CVG_EXIT_USAGE, "%s is no process's number", pid);
    cvg_doctor_report_init(NULL, &report);
    err = cvg_doctor_process_read(pid, "maps", &process.maps, &why);
    if (err == CVG_OK)
        err = cvg_doctor_process_read(pid, "stat", &process.stat, &why);
    if (err == CVG_OK)
        err = cvg_doctor_process_read(pid, "status", &process.status, &why);
    if (err == CVG_OK)
        err = cvg_doctor_process_read(pid, "environ", &process.environ, &why);
    if (err == CVG_OK)
        err = cvg_doctor_process_read(pid, "auxv", &process.auxv, &why);
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
