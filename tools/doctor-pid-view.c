/* SPDX-License-Identifier: MIT */
/* What a running process sees of the agent: whether the same socket is there for it, whether its
 * namespaces let it believe who listens, and what else may keep it from asking. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/client/client.h"
#include "tools/doctor-pid.h"
#include "tools/proc-text.h"

static void look_at_seccomp(const struct cvg_doctor_process *process)
{
    unsigned long long filter = 0;

    if (cvg_proc_status_number(cvg_doctor_process_text(&process->status), "Seccomp", &filter) &&
        filter != 0)
        cvg_doctor_process_tell(
            process, "seccomp", "", CVG_DOCTOR_NOTE,
            "if it is refused every site, let its filter pass socket, connect, send and recv",
            "a seccomp filter is on: it may keep the program from asking the agent");
}

static void look_at_label(const struct cvg_doctor_process *process)
{
    struct cvg_buffer label;

    if (cvg_doctor_process_read(process->pid, "attr/current", &label, NULL) == CVG_OK &&
        label.len > 0 &&
        strncmp(cvg_doctor_process_text(&label), "unconfined", strlen("unconfined")) != 0) {
        label.data[strcspn(cvg_doctor_process_text(&label), "\n")] = '\0';
        cvg_doctor_process_tell(process, "confined", cvg_doctor_process_text(&label),
                                CVG_DOCTOR_NOTE, "let its profile include <abstractions/converge>",
                                "a security module confines it: it may not reach the agent's "
                                "socket");
    }
    cvg_buffer_free(&label);
}

/* The same path, as the process sees it. */
static void path_of(const struct cvg_doctor_process *process, const char *path,
                    char ret_path[static PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "/proc/%s/root%.*s", process->pid, PATH_MAX - 64, path);
}

/* Whether both are there, and not the same thing. */
static bool differs(const char *path, const char *other)
{
    struct stat one, two;

    return stat(path, &one) == 0 && stat(other, &two) == 0 &&
           (one.st_dev != two.st_dev || one.st_ino != two.st_ino);
}

static void look_at_files(struct cvg_doctor_process *process, const struct cvg_paths *paths)
{
    char path[PATH_MAX], conf[CVG_PATH_MAX + 16];

    path_of(process, paths->runtime_dir, path);
    if (access(paths->runtime_dir, F_OK) == 0 && access(path, F_OK) != 0 && errno == ENOENT)
        cvg_doctor_process_tell(
            process, "no-socket", paths->runtime_dir, CVG_DOCTOR_BAD,
            "show it that directory (bind mount), and the configuration",
            "it sees another file system (chroot, container), without the agent's socket");
    process->elsewhere = differs(paths->runtime_dir, path);
    if (process->elsewhere)
        cvg_doctor_process_tell(process, "other-socket", paths->runtime_dir, CVG_DOCTOR_WARNING,
                                "look from inside there: converge doctor; or show it this one's "
                                "directory (bind mount)",
                                "it sees another directory there (chroot, container): if an agent "
                                "answers it, that is another one");
    snprintf(conf, sizeof conf, "%s/converge.conf", paths->config_dir);
    path_of(process, conf, path);
    if (differs(conf, path))
        cvg_doctor_process_tell(process, "other-configuration", conf, CVG_DOCTOR_WARNING,
                                "look from inside there: converge doctor --section configuration",
                                "it sees another file there: its mode and its holes are not those "
                                "that are told here");
}

/* Whether the process is in another namespace of that kind than who is at that path of /proc. */
static bool is_in_another(const struct cvg_doctor_process *process, const char *kind,
                          const char *whose)
{
    char path[64], own[64], other[64];
    ssize_t own_len, other_len;

    snprintf(path, sizeof path, "/proc/%.16s/ns/%s", process->pid, kind);
    own_len = readlink(path, own, sizeof own);
    snprintf(path, sizeof path, "/proc/%.16s/ns/%s", whose, kind);
    other_len = readlink(path, other, sizeof other);
    return own_len > 0 && other_len > 0 &&
           (own_len != other_len || memcmp(own, other, (size_t)own_len) != 0);
}

/* Whose files and socket must be believed: if a namespace does not know that user, they seem to
 * belong to nobody. */
static void look_at_user(const struct cvg_doctor_process *process, uid_t uid, const char *what)
{
    struct cvg_buffer map;
    char text[CVG_DOCTOR_TEXT_MAX];

    if (cvg_doctor_process_read(process->pid, "uid_map", &map, NULL) == CVG_OK &&
        !cvg_proc_uid_map_has(cvg_doctor_process_text(&map), map.len, uid)) {
        snprintf(text, sizeof text,
                 "it is in a user namespace that does not know uid %lu: %s seems to be nobody's "
                 "there, and is not believed",
                 (unsigned long)uid, what);
        cvg_doctor_process_tell(
            process, "user-namespace", what, CVG_DOCTOR_BAD,
            "map that user into it, or run an agent inside (doc/confinement.md)", text);
    }
    cvg_buffer_free(&map);
}

static void look_at_users(const struct cvg_doctor_process *process, const struct cvg_paths *paths,
                          const struct ucred *listener)
{
    struct stat st;

    if (!is_in_another(process, "user", "self"))
        return;
    if (stat(paths->config_dir, &st) == 0)
        look_at_user(process, st.st_uid, "the configuration");
    if (listener != NULL)
        look_at_user(process, listener->uid, "the agent's socket");
}

/* The socket is a file, so a network of its own keeps nobody from asking. */
static void look_at_network(const struct cvg_doctor_process *process, const struct ucred *listener)
{
    char whose[16] = "self";

    if (listener != NULL && listener->pid > 0)
        snprintf(whose, sizeof whose, "%ld", (long)listener->pid);
    if (is_in_another(process, "net", whose) && is_in_another(process, "net", "self"))
        cvg_doctor_process_tell(
            process, "network-namespace", "", CVG_DOCTOR_NOTE,
            "if its network leads elsewhere than the agent's (a VPN, a lab), run "
            "an agent in it",
            "it has a network of its own: the notaries are asked from the "
            "agent's");
}

static bool find_listener(const struct cvg_doctor_process *process, const struct cvg_paths *paths,
                          struct ucred *ret_listener)
{
    socklen_t len = sizeof *ret_listener;
    struct cvg_why why = {""};
    bool found;
    int fd = -1;

    if (cvg_client_connect(paths, 0, &fd, &why) != CVG_OK) {
        cvg_doctor_process_tell(process, "agent", "", CVG_DOCTOR_WARNING,
                                "converge doctor --section agent", why.text);
        return false;
    }
    found = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_listener, &len) == 0;
    close(fd);
    return found;
}

void cvg_doctor_process_view(struct cvg_doctor_process *process, const struct cvg_paths *paths)
{
    struct ucred listener;
    bool found = find_listener(process, paths, &listener);

    look_at_files(process, paths);
    look_at_users(process, paths, found ? &listener : NULL);
    look_at_network(process, found ? &listener : NULL);
    look_at_seccomp(process);
    look_at_label(process);
}
