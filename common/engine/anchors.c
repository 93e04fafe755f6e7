/* SPDX-License-Identifier: MIT */
/* The set of public trust anchors, and when it has to be read again. Walking the files is
 * anchors-read.c's. */
#include "common/engine/anchors.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/engine/anchors-read.h"

struct cvg_anchors {
    char *paths;
    uid_t owner;
    uint64_t state;            /* of the files that were read */
    struct cvg_anchor_set set; /* sorted; count 0: not known */
};

static int by_octets(const void *a, const void *b)
{
    return memcmp(a, b, CVG_SHA256_LEN);
}

/* An empty set is not known, either: with it, every anchor would be private. */
static void read_set(struct cvg_anchors *anchors, uint64_t state)
{
    struct cvg_why why = {""};
    struct cvg_anchor_set set = {.anchor = NULL};
    enum cvg_error err = cvg_anchors_read(anchors->paths, anchors->owner, &set, &why);

    if (err == CVG_OK && set.count == 0)
        err = cvg_fail(&why, CVG_ERR_NOT_FOUND, "public_anchors = %s: no certificate in it",
                       anchors->paths);
    if (err != CVG_OK) {
        cvg_log(CVG_LOG_WARNING, "%s; no private PKI is exempt", why.text);
        cvg_anchor_set_free(&set);
    } else {
        qsort(set.anchor, set.count, sizeof set.anchor[0], by_octets);
    }
    cvg_anchor_set_free(&anchors->set);
    anchors->set = set;
    anchors->state = state;
}

enum cvg_error cvg_anchors_new(const char *paths, uid_t owner, struct cvg_anchors **ret_anchors)
{
    struct cvg_anchors *anchors = calloc(1, sizeof *anchors);

    if (anchors == NULL)
        return CVG_ERR_NOMEM;
    anchors->owner = owner;
    anchors->paths = strdup(paths);
    if (anchors->paths == NULL) {
        free(anchors);
        return CVG_ERR_NOMEM;
    }
    /* The state first: what changes while the files are read is seen by the next refresh. */
    read_set(anchors, cvg_anchors_state(paths));
    *ret_anchors = anchors;
    return CVG_OK;
}

void cvg_anchors_free(struct cvg_anchors *anchors)
{
    if (anchors == NULL)
        return;
    cvg_anchor_set_free(&anchors->set);
    free(anchors->paths);
    free(anchors);
}

void cvg_anchors_refresh(struct cvg_anchors *anchors)
{
    uint64_t state = cvg_anchors_state(anchors->paths);

    if (state != anchors->state)
        read_set(anchors, state);
}

bool cvg_anchors_is_private(const struct cvg_anchors *anchors,
                            const uint8_t sha256[static CVG_SHA256_LEN])
{
    return anchors != NULL && anchors->set.count > 0 &&
           bsearch(sha256, anchors->set.anchor, anchors->set.count, sizeof anchors->set.anchor[0],
                   by_octets) == NULL;
}

size_t cvg_anchors_count(const struct cvg_anchors *anchors)
{
    return anchors == NULL ? 0 : anchors->set.count;
}
