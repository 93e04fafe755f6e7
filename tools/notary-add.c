/* SPDX-License-Identifier: MIT */
/* converge notary add: a person decides whom to trust, on what the bundles say and on their
 * fingerprints. Nothing is written before all of them have been looked at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/bundle-sources.h"
#include "tools/notary-command.h"
#include "tools/tools.h"

/* What is to be added, and where to. */
struct addition {
    const struct cvg_installation *installation;
    struct cvg_bundle_sources sources;
    char path[CVG_BUNDLE_FILES_MAX][CVG_PATH_MAX];
    bool wanted[CVG_BUNDLE_FILES_MAX];
    size_t written; /* how many were gone through */
};

/* Says each that is there already. New ones join the old ones on the way: two of a kind may come in
 * one call, too. */
static size_t count_twins(const struct addition *addition, struct cvg_bundle_files *files,
                          struct cvg_why *ret_why)
{
    size_t twins = 0, old = files->count;

    for (size_t i = 0; i < addition->sources.count; i++) {
        const struct cvg_bundle_source *source = &addition->sources.item[i];

        if (cvg_bundle_files_find_twin(files, source->bundle, ret_why) != CVG_OK) {
            twins++;
            if (addition->sources.count > 1)
                cvg_output_note("%s: %s", source->name, ret_why->text);
            continue;
        }
        if (files->count < CVG_BUNDLE_FILES_MAX) {
            files->bundle[files->count] = source->bundle;
            files->path[files->count++] = source->name;
        }
    }
    files->count = old;
    return twins;
}

static enum cvg_error refuse_twins(const struct addition *addition, struct cvg_why *ret_why)
{
    struct cvg_bundle_files files;
    enum cvg_error err = cvg_bundle_files_load(&addition->installation->paths, &files, ret_why);
    size_t count = addition->sources.count, twins;

    if (err != CVG_OK)
        return err;
    twins = count_twins(addition, &files, ret_why);
    if (twins > 0)
        err = CVG_ERR_EXISTS;
    if (twins > 0 && count > 1)
        cvg_fail(ret_why, err, "%zu of %zu there would be twice: nothing was added", twins, count);
    if (err == CVG_OK && files.count + count > CVG_BUNDLE_FILES_MAX)
        err = cvg_fail(ret_why, CVG_ERR_RANGE, "there are %zu notaries already, and at most %d",
                       files.count, CVG_BUNDLE_FILES_MAX);
    cvg_bundle_files_free(&files);
    return err;
}

/* Names that differ may become the same file name. */
static enum cvg_error choose_paths(struct addition *addition, struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; err == CVG_OK && i < addition->sources.count; i++) {
        const char *path = addition->path[i];
        bool taken;

        err = cvg_bundle_file_path(&addition->installation->paths,
                                   addition->sources.item[i].bundle->name, addition->path[i],
                                   ret_why);
        taken = err == CVG_OK && access(path, F_OK) == 0;
        for (size_t k = 0; err == CVG_OK && k < i; k++)
            taken = taken || strcmp(path, addition->path[k]) == 0;
        if (taken)
            err = cvg_fail(ret_why, CVG_ERR_EXISTS, "%.400s exists already", path);
    }
    return err;
}

static bool ask_person(const struct cvg_bundle *bundle)
{
    char answer[16];

    cvg_notary_print(bundle);
    if (bundle->location[0] != '\0')
        cvg_output_field("updates", "%s", bundle->location);
    printf("\nDoes the operator, by another way than this one, name the same fingerprint?\n"
           "Add this notary? [y/N] ");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL &&
           (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0);
}

/* CVG_GO_ON if somebody may be asked, or need not be. */
static int choose(struct addition *addition, bool assume_yes)
{
    size_t wanted = 0;

    if (!assume_yes && (!isatty(STDIN_FILENO) || cvg_output_is_json()))
        return cvg_output_fail(CVG_EXIT_USAGE, "nobody is here to ask: compare the fingerprint "
                                               "with the operator's and say --yes");
    for (size_t i = 0; i < addition->sources.count; i++) {
        const struct cvg_bundle *bundle = addition->sources.item[i].bundle;

        addition->wanted[i] = assume_yes || ask_person(bundle);
        wanted += addition->wanted[i] ? 1 : 0;
        if (assume_yes && !cvg_output_is_json())
            cvg_notary_print(bundle);
    }
    return wanted > 0 ? CVG_GO_ON : cvg_output_fail(CVG_EXIT_REFUSED, "not added");
}

static enum cvg_error make_directory(const char *path, struct cvg_why *ret_why)
{
    char directory[CVG_PATH_MAX];

    snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(path, '/') - path), path);
    return cvg_directory_make(directory, geteuid(), 0755, ret_why);
}

static void take_back(const struct addition *addition)
{
    for (size_t i = 0; i < addition->written; i++)
        if (addition->wanted[i])
            unlink(addition->path[i]);
}

static enum cvg_error store(struct addition *addition, struct cvg_why *ret_why)
{
    enum cvg_error err = make_directory(addition->path[0], ret_why);

    for (size_t i = 0; err == CVG_OK && i < addition->sources.count; i++) {
        const struct cvg_buffer *data = &addition->sources.item[i].data;

        if (addition->wanted[i])
            err = cvg_file_replace(addition->path[i], data->data, data->len, 0644, ret_why);
        addition->written += err == CVG_OK ? 1 : 0;
    }
    if (err != CVG_OK)
        take_back(addition);
    return err;
}

/* One that was said no to is not there: the exit code tells. */
static int tell(const struct addition *addition)
{
    json_t *added = json_array();
    int code = CVG_EXIT_OK;

    for (size_t i = 0; i < addition->sources.count; i++) {
        const struct cvg_bundle *bundle = addition->sources.item[i].bundle;

        if (cvg_output_is_json())
            json_array_append_new(added, cvg_notary_json(bundle, addition->path[i]));
        else
            printf("%s: %s\n", addition->wanted[i] ? "added" : "not added",
                   addition->wanted[i] ? addition->path[i] : bundle->name);
        if (!addition->wanted[i])
            code = CVG_EXIT_REFUSED;
    }
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:o}", "ok", 1, "added", added), code);
    json_decref(added);
    return code;
}

static int fail(enum cvg_error err, const struct cvg_why *why)
{
    return cvg_output_fail(err == CVG_ERR_UNREACHABLE ? CVG_EXIT_UNDECIDED
                           : err == CVG_ERR_EXISTS    ? CVG_EXIT_REFUSED
                                                      : CVG_EXIT_FAULT,
                           "%s", why->text);
}

static int add(struct addition *addition, bool assume_yes)
{
    struct cvg_why why = {""};
    enum cvg_error err = refuse_twins(addition, &why);
    int code, reloaded;

    if (err == CVG_OK)
        err = choose_paths(addition, &why);
    if (err != CVG_OK)
        return fail(err, &why);
    code = choose(addition, assume_yes);
    if (code != CVG_GO_ON)
        return code;
    err = store(addition, &why);
    if (err != CVG_OK)
        return fail(err, &why);
    code = tell(addition);
    reloaded = cvg_installation_reload(addition->installation);
    return reloaded == CVG_EXIT_OK ? code : reloaded;
}

int cvg_notary_add(const struct cvg_installation *installation, char *const *names, size_t count,
                   bool assume_yes)
{
    struct addition *addition = calloc(1, sizeof *addition);
    struct cvg_why why = {""};
    enum cvg_error err;
    int code;

    if (addition == NULL)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", cvg_strerror(CVG_ERR_NOMEM));
    addition->installation = installation;
    err = cvg_bundle_sources_read(names, count, &addition->sources, &why);
    code = err == CVG_OK ? add(addition, assume_yes) : fail(err, &why);
    cvg_bundle_sources_free(&addition->sources);
    free(addition);
    return code;
}
