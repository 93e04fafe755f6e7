/* SPDX-License-Identifier: MIT */
/* host-dl CA HOST PORT COUNT: a program without OpenSSL that opens libssl and closes it. */
#include "config.h"

#include <stdlib.h>

#include "tests/provider/scene-dl.h"

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    for (int i = 0; i < atoi(argv[4]); i++)
        if (!scene_dl(argv[1], argv[2], (uint16_t)atoi(argv[3])))
            return 1;
    return 0;
}
