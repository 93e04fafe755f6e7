/* SPDX-License-Identifier: MIT */
/* See scene-dl.c. */
#ifndef CVG_TESTS_PROVIDER_SCENE_DL_H
#define CVG_TESTS_PROVIDER_SCENE_DL_H

#include <stdbool.h>
#include <stdint.h>

/* Opens this libssl, connects once, closes it. */
bool scene_dl(const char *path, const char *ca, const char *host, uint16_t port);

#endif
