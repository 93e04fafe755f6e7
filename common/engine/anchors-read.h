/* SPDX-License-Identifier: MIT */
/* Inside the engine: reading trust anchors from files and directories. */
#ifndef CVG_ENGINE_ANCHORS_READ_H
#define CVG_ENGINE_ANCHORS_READ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/base/fingerprint.h"

struct cvg_anchor_set {
    uint8_t (*anchor)[CVG_SHA256_LEN]; /* SHA-256 of DER certificates, in no order, some twice */
    size_t count;
    size_t capacity;
};

void cvg_anchor_set_free(struct cvg_anchor_set *set);

/* Adds the anchors of all paths (separated by colons) to an empty set: files, and of directories
 * (two levels down) the files whose names end in .crt, .pem, .cer or .p11-kit. PEM with anything in
 * between, or one DER certificate. What fails leaves a set that only may be freed. */
CVG_MUST_USE enum cvg_error cvg_anchors_read(const char *paths, uid_t owner,
                                             struct cvg_anchor_set *set, struct cvg_why *ret_why);

/* A number that is another one if a file or directory there has changed. */
uint64_t cvg_anchors_state(const char *paths);

#endif
