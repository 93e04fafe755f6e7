/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, for the status page. Pure; any thread. */
#ifndef CVG_NOTARY_PAGE_TEXT_H
#define CVG_NOTARY_PAGE_TEXT_H

#include <stdint.h>

#include "common/base/buffer.h"

/* Each appends. "1,234,567" */
void cvg_text_count(struct cvg_buffer *text, int64_t count);
/* "850 µs", "12.3 ms", "1.25 s"; "–" for 0, which nothing takes. */
void cvg_text_duration(struct cvg_buffer *text, uint64_t us);
/* "3 d 4 h", "4 h 5 min", "5 min", "12 s" */
void cvg_text_span(struct cvg_buffer *text, int64_t seconds);
/* "12.3 MiB"; "not known" below 0. */
void cvg_text_octets(struct cvg_buffer *text, int64_t octets);
/* "0.25", "12.5", "1,234": as many digits as matter. */
void cvg_text_rate(struct cvg_buffer *text, double rate);
/* "97.3 %" of a share; "–" where the whole is 0. */
void cvg_text_share(struct cvg_buffer *text, int64_t part, int64_t whole);
/* "2026-11-23 17:49 UTC"; "not known" for 0. */
void cvg_text_instant(struct cvg_buffer *text, int64_t unix_s);

#endif
