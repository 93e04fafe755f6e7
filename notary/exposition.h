/* SPDX-License-Identifier: MIT */
/* A status in Prometheus' text format, version 0.0.4. Pure; any thread. */
#ifndef CVG_NOTARY_EXPOSITION_H
#define CVG_NOTARY_EXPOSITION_H

#include "notary/status.h"

#define CVG_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define CVG_EXPOSITION_MAX  65536

/* Appends all metrics. */
CVG_MUST_USE enum cvg_error cvg_exposition_write(const struct cvg_status *status,
                                                 struct cvg_buffer *ret_text);

#endif
