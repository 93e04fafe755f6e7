/* SPDX-License-Identifier: MIT */
/* Reads bundles from wherever a person says they are. */
#include "tools/bundle-sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "tools/fetch-url.h"
#include "tools/plain-file.h"

/* The administrator's own file, wherever it lies: its owner does not matter, the person looks. */
static enum cvg_error read_data(const char *name, struct cvg_buffer *ret_data,
                                struct cvg_why *ret_why)
{
    if (strncasecmp(name, "https://", 8) == 0)
        return cvg_fetch_url(name, ret_data, ret_why);
    if (strstr(name, "://") != NULL)
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT, "%s: only https URLs are fetched", name);
    return cvg_plain_file_read(name, ret_data, ret_why);
}

static enum cvg_error parse(struct cvg_bundle_source *source, struct cvg_why *ret_why)
{
    const struct cvg_buffer *data = &source->data;
    struct cvg_why why = {""};
    enum cvg_error err = cvg_bundle_parse(data->data != NULL ? (const char *)data->data : "",
                                          data->len, &source->bundle, &why);

    if (err != CVG_OK)
        cvg_fail(ret_why, err, "%.100s: %.400s", source->name, why.text);
    return err;
}

/* name is taken over. */
static enum cvg_error add(struct cvg_bundle_sources *sources, char *name, struct cvg_why *ret_why)
{
    struct cvg_bundle_source *source = &sources->item[sources->count];
    enum cvg_error err;

    if (name == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    if (sources->count == CVG_BUNDLE_FILES_MAX) {
        err = cvg_fail(ret_why, CVG_ERR_RANGE, "%.400s: more than %d bundles at once", name,
                       CVG_BUNDLE_FILES_MAX);
        free(name);
        return err;
    }
    source->name = name;
    source->bundle = NULL;
    cvg_buffer_init(&source->data, CVG_BUNDLE_MAX);
    sources->count++;
    err = read_data(name, &source->data, ret_why);
    return err == CVG_OK ? parse(source, ret_why) : err;
}

static enum cvg_error add_directory(struct cvg_bundle_sources *sources, const char *directory,
                                    struct cvg_why *ret_why)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, cvg_bundle_file_is, alphasort);
    enum cvg_error err = CVG_OK;

    if (count < 0)
        return cvg_fail(ret_why, CVG_ERR_IO, "cannot read %.400s: %s", directory, strerror(errno));
    if (count == 0)
        err = cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "%.400s: there is no *.notary file in it",
                       directory);
    for (int i = 0; i < count; i++) {
        char *name = NULL;

        if (err == CVG_OK && asprintf(&name, "%s/%s", directory, entries[i]->d_name) < 0)
            name = NULL;
        if (err == CVG_OK)
            err = add(sources, name, ret_why);
        free(entries[i]);
    }
    free(entries);
    return err;
}

enum cvg_error cvg_bundle_sources_read(char *const *names, size_t count,
                                       struct cvg_bundle_sources *ret_sources,
                                       struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;
    struct stat status;

    ret_sources->count = 0;
    for (size_t i = 0; err == CVG_OK && i < count; i++)
        if (stat(names[i], &status) == 0 && S_ISDIR(status.st_mode))
            err = add_directory(ret_sources, names[i], ret_why);
        else
            err = add(ret_sources, strdup(names[i]), ret_why);
    if (err != CVG_OK)
        cvg_bundle_sources_free(ret_sources);
    return err;
}

void cvg_bundle_sources_free(struct cvg_bundle_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        cvg_bundle_free(sources->item[i].bundle);
        cvg_buffer_free(&sources->item[i].data);
        free(sources->item[i].name);
    }
    sources->count = 0;
}
