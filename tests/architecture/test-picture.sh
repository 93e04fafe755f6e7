#!/bin/bash
# SPDX-License-Identifier: MIT
# README's picture is what its script draws: the one file that is generated and kept, since whoever
# reads README in a browser runs no script.
echo 1..1
# shellcheck disable=SC2154
if /usr/bin/python3 -B "$top_srcdir/scripts/picture" | cmp - "$top_srcdir/doc/picture.svg"; then
    echo "ok 1 - doc/picture.svg is what scripts/picture draws"
else
    echo "not ok 1 - doc/picture.svg is what scripts/picture draws"
fi
