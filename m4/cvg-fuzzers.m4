dnl SPDX-License-Identifier: MIT
dnl --enable-fuzzers: the fuzz targets as libFuzzer programs (clang). Without it each target
dnl is a program that runs its checked-in corpus once, in make check.
AC_DEFUN([CVG_FUZZERS], [
    AC_ARG_ENABLE([fuzzers],
        [AS_HELP_STRING([--enable-fuzzers], [link the fuzz targets with libFuzzer (clang)])],
        [], [enable_fuzzers=no])
    FUZZER_CFLAGS=
    FUZZER_LDFLAGS=
    AS_IF([test "x$enable_fuzzers" = xyes], [
        cvg_saved_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
        AC_MSG_CHECKING([whether $CC has libFuzzer])
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])], [
            AC_MSG_RESULT([no])
            AC_MSG_ERROR([--enable-fuzzers needs clang: configure with CC=clang])])
        CFLAGS=$cvg_saved_CFLAGS
        FUZZER_CFLAGS=-fsanitize=fuzzer-no-link
        FUZZER_LDFLAGS=-fsanitize=fuzzer
    ])
    AM_CONDITIONAL([FUZZERS], [test "x$enable_fuzzers" = xyes])
    AC_SUBST([FUZZER_CFLAGS])
    AC_SUBST([FUZZER_LDFLAGS])
])
