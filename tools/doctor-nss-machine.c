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

struct places {
    json_t *list;
    enum cvg_doctor_state worst;
};

static void add(struct places *places, const char *what, const char *path,
                const struct cvg_doctor_finding *finding)
{
    json_t *entry = cvg_doctor_finding_json(finding);

    json_object_set_new(entry, "what", cvg_output_text(what));
    json_object_set_new(entry, "path", cvg_output_text(path));
    json_array_append_new(places->list, entry);
    if (finding->state > places->worst)
        places->worst = finding->state;
}

static void look_at_database(struct places *places, const char *what, const char *path)
{
    struct cvg_doctor_finding finding = {.state = CVG_DOCTOR_BAD};
    char list[PATH_MAX];
    bool listed = false;

    if (snprintf(list, sizeof list, "%s/pkcs11.txt", path) >= (int)sizeof list ||
        access(list, F_OK) != 0)
        return;
    cvg_doctor_database("", path, &listed, &finding);
    add(places, what, path, &finding);
}

/* One of those that a user's programs share. */
static void look_at_own(struct places *places, const char *base, const char *below)
{
    char path[PATH_MAX];

    if (base != NULL && snprintf(path, sizeof path, "%s%s", base, below) < (int)sizeof path)
        look_at_database(places, "your database", path);
}

static void look_at_policies(struct places *places)
{
    for (size_t i = 0; i < CVG_MOZILLA_COUNT; i++) {
        const struct cvg_mozilla_app *app = &cvg_mozilla_apps[i];
        struct cvg_doctor_finding finding;
        char what[64];

        if (!cvg_doctor_all_users(app, &finding))
            continue;
        snprintf(what, sizeof what, "%s for all users", app->title);
        add(places, what, app->system, &finding);
    }
}

static void look_at_profiles(struct places *places)
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
        add(places, what, profiles[i].directory, &finding);
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
static void look_at_p11_kit(struct places *places, const char *directory)
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
        cvg_doctor_set(&finding, CVG_DOCTOR_WARNING,
                       "p11-kit has the module, too, for NSS databases that list its proxy; where "
                       "both do it stays one, but `converge disable nss` leaves this one");
        add(places, "p11-kit", path, &finding);
    }
    if (dir != NULL)
        closedir(dir);
}

json_t *cvg_doctor_nss_machine(enum cvg_doctor_state *ret_worst)
{
    struct places places = {json_array(), CVG_DOCTOR_GOOD};
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    char path[PATH_MAX];

    look_at_database(&places, "the system's database", "/etc/pki/nssdb");
    look_at_own(&places, home, "/.pki/nssdb");
    if (data != NULL && data[0] == '/')
        look_at_own(&places, data, "/pki/nssdb");
    else
        look_at_own(&places, home, "/.local/share/pki/nssdb");
    look_at_policies(&places);
    look_at_profiles(&places);
    look_at_p11_kit(&places, "/etc/pkcs11/modules");
    look_at_p11_kit(&places, "/usr/share/p11-kit/modules");
    if (home != NULL &&
        snprintf(path, sizeof path, "%s/.config/pkcs11/modules", home) < (int)sizeof path)
        look_at_p11_kit(&places, path);
    *ret_worst = places.worst;
    return places.list;
}
