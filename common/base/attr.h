/* SPDX-License-Identifier: MIT */
/* Compiler attributes, spelled once. */
#ifndef CVG_BASE_ATTR_H
#define CVG_BASE_ATTR_H

#define CVG_MUST_USE       __attribute__((warn_unused_result))
#define CVG_PRINTF(fmt, a) __attribute__((format(printf, fmt, a)))
#define CVG_UNUSED         __attribute__((unused))
#define CVG_EXPORT         __attribute__((visibility("default")))

#endif
