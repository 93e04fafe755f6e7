/* SPDX-License-Identifier: MIT */
/* converge notary add: a person decides whom to trust, on what the bundle says and on its
 * fingerprint. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/fetch-url.h"
#include "tools/notary-command.h"
#include "tools/plain-file.h"
#include "tools/tools.h"

/* The administrator's own file, wherever it lies: its owner does not matter, the person looks. */
static enum cvg_error read_source(const char *source, struct cvg_buffer *ret_data,
                                  struct cvg_why *ret_why)
{
    if (strncasecmp(source, "https://", 8) == 0)
        return cvg_fetch_url(source, ret_data, ret_why);
    if (strstr(source, "://") != NULL)
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT, "%s: only https URLs are fetched", source);
    return cvg_plain_file_read(source, ret_data, ret_why);
}

static enum cvg_error parse_source(const char *source, const struct cvg_buffer *data,
                                   struct cvg_bundle **ret_bundle, struct cvg_why *ret_why)
{
    struct cvg_why why = {""};
    enum cvg_error err = cvg_bundle_parse(data->data != NULL ? (const char *)data->data : "",
                                          data->len, ret_bundle, &why);

    if (err != CVG_OK)
        cvg_fail(ret_why, err, "%.100s: %.400s", source, why.text);
    return err;
}

enum cvg_error cvg_notary_bundle_read(const char *source, struct cvg_bundle **ret_bundle,
                                      struct cvg_why *ret_why)
{
    struct cvg_buffer data;
    enum cvg_error err;

    cvg_buffer_init(&data, CVG_BUNDLE_MAX);
    err = read_source(source, &data, ret_why);
    if (err == CVG_OK)
        err = parse_source(source, &data, ret_bundle, ret_why);
    cvg_buffer_free(&data);
    return err;
}

static enum cvg_error refuse_twin(const struct cvg_paths *paths, const struct cvg_bundle *bundle,
                                  struct cvg_why *ret_why)
{
    struct cvg_bundle_files files;
    enum cvg_error err = cvg_bundle_files_load(paths, &files, ret_why);

    if (err != CVG_OK)
        return err;
    err = cvg_bundle_files_find_twin(&files, bundle, ret_why);
    if (err == CVG_OK && files.count == CVG_BUNDLE_FILES_MAX)
        err =
            cvg_fail(ret_why, CVG_ERR_RANGE, "there are %d notaries already", CVG_BUNDLE_FILES_MAX);
    cvg_bundle_files_free(&files);
    return err;
}

/* CVG_GO_ON only for a plain yes. */
static int ask_person(const struct cvg_bundle *bundle)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || cvg_output_is_json())
        return cvg_output_fail(CVG_EXIT_USAGE, "nobody is here to ask: compare the fingerprint "
                                               "with the operator's and say --yes");
    cvg_notary_print(bundle);
    if (bundle->location[0] != '\0')
        cvg_output_field("updates", "%s", bundle->location);
    printf("\nDoes the operator, by another way than this one, name the same fingerprint?\n"
           "Add this notary? [y/N] ");
    fflush(stdout);
    if (fgets(answer, sizeof answer, stdin) != NULL &&
        (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0))
        return CVG_GO_ON;
    return cvg_output_fail(CVG_EXIT_REFUSED, "not added");
}

static int store(const struct cvg_installation *installation, const struct cvg_bundle *bundle,
                 const struct cvg_buffer *data)
{
    char path[CVG_PATH_MAX], directory[CVG_PATH_MAX];
    struct cvg_why why = {""};
    const struct cvg_paths *paths = &installation->paths;
    enum cvg_error err = cvg_bundle_file_path(paths, bundle->name, path, &why);

    if (err == CVG_OK) {
        snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(path, '/') - path), path);
        err = cvg_directory_make(directory, geteuid(), 0755, &why);
    }
    if (err == CVG_OK && access(path, F_OK) == 0)
        err = cvg_fail(&why, CVG_ERR_EXISTS, "%.400s exists already", path);
    if (err == CVG_OK)
        err = cvg_file_replace(path, data->data, data->len, 0644, &why);
    if (err != CVG_OK)
        return cvg_output_fail(err == CVG_ERR_EXISTS ? CVG_EXIT_REFUSED : CVG_EXIT_FAULT, "%s",
                               why.text);
    if (cvg_output_is_json())
        return cvg_output_json(
            json_pack("{s:b, s:o}", "ok", 1, "added", cvg_notary_json(bundle, path)), CVG_EXIT_OK);
    printf("added: %s\n", path);
    return CVG_EXIT_OK;
}

static int add(const struct cvg_installation *installation, const struct cvg_bundle *bundle,
               const struct cvg_buffer *data, bool assume_yes)
{
    int code = CVG_GO_ON;

    if (!assume_yes)
        code = ask_person(bundle);
    else if (!cvg_output_is_json())
        cvg_notary_print(bundle);
    if (code == CVG_GO_ON)
        code = store(installation, bundle, data);
    return code == CVG_EXIT_OK ? cvg_installation_reload(installation) : code;
}

int cvg_notary_add(const struct cvg_installation *installation, const char *source, bool assume_yes)
{
    struct cvg_buffer data;
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {""};
    enum cvg_error err;
    int code;

    cvg_buffer_init(&data, CVG_BUNDLE_MAX);
    err = read_source(source, &data, &why);
    if (err == CVG_OK)
        err = parse_source(source, &data, &bundle, &why);
    if (err == CVG_OK)
        err = refuse_twin(&installation->paths, bundle, &why);
    if (err == CVG_OK)
        code = add(installation, bundle, &data, assume_yes);
    else
        code = cvg_output_fail(err == CVG_ERR_UNREACHABLE ? CVG_EXIT_UNDECIDED
                               : err == CVG_ERR_EXISTS    ? CVG_EXIT_REFUSED
                                                          : CVG_EXIT_FAULT,
                               "%s", why.text);
    cvg_bundle_free(bundle);
    cvg_buffer_free(&data);
    return code;
}
