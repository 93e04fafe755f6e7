/* SPDX-License-Identifier: MIT */
/* The NSS databases of this machine and user, and what else loads our module into NSS. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor.h"
#include "tools/plain-file.h"
#include "tools/tools.h"

#define MODULE         "libconverge-nss.so"
#define P11_MODULE_MAX 65536
#define P11_SUFFIX     ".module"

static void add(struct cvg_doctor_report *report, const char *what, const char *path,
                const struct cvg_doctor_finding *finding)
{
    struct cvg_doctor_finding named = *finding;

    snprintf(named.text, sizeof named.text, "%.150s: %.400s", what, finding->text);
    cvg_doctor_add_finding(report, CVG_DOCTOR_NSS, "nss", path, &named);
}

static void look_at_database(struct cvg_doctor_report *report, const char *what, const char *path)
{
    struct cvg_doctor_finding finding = {.state = CVG_DOCTOR_BAD};
    char list[PATH_MAX];
    bool listed = false;

    if (snprintf(list, sizeof list, "%s/pkcs11.txt", path) >= (int)sizeof list ||
        access(list, F_OK) != 0)
        return;
    cvg_doctor_database("", path, &listed, &finding);
    add(report, what, path, &finding);
}

/* One of those that a user's programs share. */
static void look_at_own(struct cvg_doctor_report *report, const char *base, const char *below)
{
    char path[PATH_MAX];

    if (base != NULL && snprintf(path, sizeof path, "%s%s", base, below) < (int)sizeof path)
        look_at_database(report, "your database", path);
}

static void look_at_policies(struct cvg_doctor_report *report)
{
    for (size_t i = 0; i < CVG_MOZILLA_COUNT; i++) {
        const struct cvg_mozilla_app *app = &cvg_mozilla_apps[i];
        struct cvg_doctor_finding finding;
        char what[64];

        if (!cvg_doctor_all_users(app, &finding))
            continue;
        snprintf(what, sizeof what, "%s for all users", app->title);
        add(report, what, app->system, &finding);
    }
}

static void look_at_profiles(struct cvg_doctor_report *report)
{
    size_t count = 0;
    struct cvg_mozilla_profile *profiles = cvg_doctor_profiles(&count);

    for (size_t i = 0; i < count; i++) {
        struct cvg_doctor_finding finding = {.state = CVG_DOCTOR_BAD};
        const char *directory = cvg_mozilla_directory(profiles[i].app, 0);
        char what[192];
        bool listed = false;

        snprintf(what, sizeof what, "%s, profile %s", profiles[i].app->title, profiles[i].name);
        cvg_doctor_profile(&profiles[i], directory != NULL ? directory : "", &listed, &finding);
        add(report, what, profiles[i].directory, &finding);
    }
    free(profiles);
}

/* Whether one of p11-kit's files names our module. */
static bool names_us(const char *path)
{
    struct cvg_buffer text;
    bool found = false;

    cvg_buffer_init(&text, P11_MODULE_MAX);
    if (cvg_plain_file_read(path, &text, NULL) == CVG_OK)
        for (const char *line = (const char *)text.data; line != NULL && !found;) {
            size_t len = strcspn(line, "\n");

            line += strspn(line, " \t");
            found = strncmp(line, "module", 6) == 0 && memmem(line, len, MODULE, strlen(MODULE));
            line = strchr(line, '\n');
            line = line != NULL ? line + 1 : NULL;
        }
    cvg_buffer_free(&text);
    return found;
}

/* Through p11-kit's proxy a process may get the module a second time. It stays one, but whoever
 * takes it out of a database would wonder. */
static void look_at_p11_kit(struct cvg_doctor_report *report, const char *directory)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct cvg_doctor_finding finding;
        char path[PATH_MAX];
        const char *dot = strrchr(entry->d_name, '.');

        if (dot == NULL || strcmp(dot, P11_SUFFIX) != 0 ||
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path ||
            !names_us(path))
            continue;
        cvg_doctor_set(&finding, CVG_DOCTOR_NOTE,
                       "p11-kit has the module, too, for NSS databases that list its proxy; where "
                       "both do it stays one, but `converge disable nss` leaves this one");
        add(report, "p11-kit", path, &finding);
    }
    if (dir != NULL)
        closedir(dir);
}

void cvg_doctor_nss_machine(struct cvg_doctor_report *report)
{
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    char path[PATH_MAX];

    look_at_database(report, "the system's database", "/etc/pki/nssdb");
    look_at_own(report, home, "/.pki/nssdb");
    if (data != NULL && data[0] == '/')
        look_at_own(report, data, "/pki/nssdb");
    else
        look_at_own(report, home, "/.local/share/pki/nssdb");
    look_at_policies(report);
    look_at_profiles(report);
    look_at_p11_kit(report, "/etc/pkcs11/modules");
    look_at_p11_kit(report, "/usr/share/p11-kit/modules");
    if (home != NULL &&
        snprintf(path, sizeof path, "%s/.config/pkcs11/modules", home) < (int)sizeof path)
        look_at_p11_kit(report, path);
}
