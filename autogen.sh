#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure from configure.ac; needed once in a fresh clone.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
autoreconf --install --force
