/* SPDX-License-Identifier: MIT */
/* host-dl CA HOST PORT COUNT LIBSSL...: a program without OpenSSL that opens libssl, connects, and
 * closes it, in turn with others. */
#include "config.h"

#include <stdlib.h>

#include "tests/provider/scene-dl.h"

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    for (int i = 0; i < atoi(argv[4]); i++)
        for (char **path = argv + 5; *path; path++)
            if (!scene_dl(*path, argv[1], argv[2], (uint16_t)atoi(argv[3])))
                return 1;
    return 0;
}
