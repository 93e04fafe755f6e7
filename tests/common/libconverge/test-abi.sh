#!/bin/bash
# SPDX-License-Identifier: MIT
# The library as programs see it: its soname, its symbols and their version, what it needs, and its
# header in C and C++.
set -u
library=$top_builddir/.libs/libconverge.so
header=$top_srcdir/common/libconverge/converge.h
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

ok() { # description command...
    local what=$1
    shift
    number=$((number + 1))
    if "$@"; then echo "ok $number - $what"; else echo "not ok $number - $what"; fi
}

declared() { # the functions of the header, from the compiler's own view of it
    gcc -E "$header" | grep -o '\bconverge[a-z0-9_]*(' | tr -d '(' | sort -u
}

exported() {
    nm -D --defined-only "$library" | awk '$2 == "T" { print $3 }' | sort
}

all_versioned() {
    ! exported | grep -v '@@CONVERGE_0$' | grep -q .
}

same_as_header() {
    diff <(declared) <(exported | sed 's/@@.*//')
}

needs_little() { # no OpenSSL, no libcurl: it goes into strangers' programs
    local needed
    needed=$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
    ! grep -vE '^(libc|libidn2|ld-linux.*|libasan|libubsan|libtsan|libgcc_s|libm)\.so' \
        <<<"$needed" | grep .
}

cat >"$scratch/use.c" <<'C'
#include <converge.h>
#include <stdio.h>
int main(void)
{
    converge_options *options = converge_options_new();
    converge_options_free(options);
    return converge("", 0, "") == 1 ? puts(converge_version()) < 0 : 1;
}
C
cp "$scratch/use.c" "$scratch/use.cc"
include=-I$top_srcdir/common/libconverge

runs() { # compiler flags source
    local compiler=$1 flags=$2 source=$3
    # shellcheck disable=SC2086
    $compiler $flags $include -o "$scratch/use" "$scratch/$source" "$library" &&
        LD_LIBRARY_PATH=$top_builddir/.libs "$scratch/use" >/dev/null
}

sanitized=no
nm -D "$library" | grep -qE '__(asan|tsan|ubsan)_' && sanitized=yes

echo 1..7
ok "the soname is libconverge.so.0" grep -q 'libconverge\.so\.0\]' <(readelf -d "$library")
ok "every symbol has version CONVERGE_0" all_versioned
ok "exactly the header's functions are exported" same_as_header
ok "it needs libc and libidn2 only" needs_little
if [ $sanitized = yes ]; then
    echo "ok 5 - a C99 program # SKIP a sanitized library needs a sanitized program"
    echo "ok 6 - a C++ program # SKIP a sanitized library needs a sanitized program"
    number=6
else
    ok "a C99 program compiles without a warning, links and runs" \
        runs gcc "-std=c99 -pedantic -Wall -Wextra -Werror" use.c
    if command -v g++ >/dev/null; then
        ok "so does a C++ program" runs g++ "-std=c++11 -pedantic -Wall -Wextra -Werror" use.cc
    else
        number=6
        echo "ok 6 - a C++ program # SKIP no g++"
    fi
fi
ok "pkg-config knows it" env PKG_CONFIG_PATH="$top_builddir/common/libconverge" \
    pkg-config --exists libconverge
