/* SPDX-License-Identifier: MIT */
/* Which notaries an installation has: the administrator's bundles, each with the updates that were
 * accepted since, and no operator twice. */
#include "common/engine/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/engine/bundle-updates.h"

#define ENDING ".notary"

static int is_bundle(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > sizeof ENDING - 1 &&
           strcmp(entry->d_name + len - (sizeof ENDING - 1), ENDING) == 0;
}

/* By octets: the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum cvg_error load_file(const char *path, const struct cvg_paths *paths,
                                struct cvg_bundle **ret_bundle, struct cvg_why *why)
{
    struct cvg_buffer data;
    struct cvg_why inner = {""};
    enum cvg_error err = cvg_file_read(path, paths->owner, CVG_BUNDLE_MAX, true, &data, why);

    if (err != CVG_OK)
        return err;
    err = cvg_bundle_parse((const char *)data.data, data.len, ret_bundle, &inner);
    cvg_buffer_free(&data);
    return err == CVG_OK ? CVG_OK : cvg_fail(why, err, "%s: %s", path, inner.text);
}

/* What a bundle, which takes the given place, has in common with another one; NULL: nothing. One
 * operator under two names would have two votes. */
static const char *shared(const struct cvg_bundles *bundles, size_t place,
                          const struct cvg_bundle *bundle, const char **ret_other)
{
    for (size_t i = 0; i < bundles->count; i++) {
        const struct cvg_bundle *other = bundles->bundle[i];
        const char *what;

        if (i == place)
            continue;
        *ret_other = other->name;
        what = cvg_bundle_shared(bundle, other);
        if (what != NULL)
            return what;
    }
    return NULL;
}

static enum cvg_error load_one(const char *file, const struct cvg_paths *paths,
                               struct cvg_bundles *bundles, struct cvg_why *why)
{
    char path[CVG_PATH_MAX + sizeof "/notaries.d/" + NAME_MAX];
    struct cvg_bundle *bundle = NULL;
    const char *what, *other = NULL;
    enum cvg_error err;

    snprintf(path, sizeof path, "%s/notaries.d/%s", paths->config_dir, file);
    if (bundles->count == CVG_BUNDLES_MAX)
        return cvg_fail(why, CVG_ERR_RANGE, "%s: at most %d notaries are allowed", path,
                        CVG_BUNDLES_MAX);
    err = load_file(path, paths, &bundle, why);
    if (err != CVG_OK)
        return err;
    what = shared(bundles, bundles->count, bundle, &other);
    if (what == NULL) {
        bundles->bundle[bundles->count++] = bundle;
        return CVG_OK;
    }
    cvg_bundle_free(bundle);
    return cvg_fail(why, CVG_ERR_CONFIG, "%s: has the %s of notary %s; each may have one vote",
                    path, what, other);
}

/* An update that takes what is another notary's is its operator's fault and only theirs: it is left
 * aside, for otherwise one operator could stop everybody's agent. */
static enum cvg_error update_one(const struct cvg_paths *paths, struct cvg_bundles *bundles,
                                 size_t place, struct cvg_why *why)
{
    struct cvg_bundle *updated = NULL;
    const char *what, *other = NULL;
    enum cvg_error err = cvg_bundle_updated(paths, bundles->bundle[place], &updated, why);

    if (err != CVG_OK || updated == NULL)
        return err;
    what = shared(bundles, place, updated, &other);
    if (what != NULL) {
        cvg_log(CVG_LOG_WARNING, "notary %s: its update has the %s of %s; it is left aside",
                updated->name, what, other);
        cvg_bundle_free(updated);
        return CVG_OK;
    }
    cvg_bundle_free(bundles->bundle[place]);
    bundles->bundle[place] = updated;
    return CVG_OK;
}

enum cvg_error cvg_bundles_load(const struct cvg_paths *paths, struct cvg_bundles *ret_bundles,
                                struct cvg_why *ret_why)
{
    struct cvg_bundles bundles = {.count = 0};
    struct dirent **entry = NULL;
    char directory[CVG_PATH_MAX + sizeof "/notaries.d"];
    enum cvg_error err = CVG_OK;
    int count;

    snprintf(directory, sizeof directory, "%s/notaries.d", paths->config_dir);
    count = scandir(directory, &entry, is_bundle, by_name);
    if (count < 0 && errno != ENOENT)
        return cvg_fail(ret_why, CVG_ERR_IO, "%s: cannot read it: %s", directory,
                        strerrordesc_np(errno));
    for (int i = 0; i < count; i++) {
        if (err == CVG_OK)
            err = load_one(entry[i]->d_name, paths, &bundles, ret_why);
        free(entry[i]);
    }
    free(entry);
    for (size_t i = 0; i < bundles.count && err == CVG_OK; i++)
        err = update_one(paths, &bundles, i, ret_why);
    if (err == CVG_OK)
        *ret_bundles = bundles;
    else
        cvg_bundles_free(&bundles);
    return err;
}

void cvg_bundles_free(struct cvg_bundles *bundles)
{
    if (bundles == NULL)
        return;
    for (size_t i = 0; i < bundles->count; i++)
        cvg_bundle_free(bundles->bundle[i]);
    bundles->count = 0;
}
