dnl SPDX-License-Identifier: MIT
dnl Warnings beyond -Wall, each only where the compiler knows it. The user's CFLAGS are
dnl never edited; -Werror is for CI (--enable-werror).
AC_DEFUN([CVG_TRY_FLAG], [
    AS_VAR_PUSHDEF([cache], [cvg_cv_flag_$2])
    AC_CACHE_CHECK([whether $CC accepts $2], [cache], [
        cvg_saved_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -Werror $2"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
            [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
        CFLAGS=$cvg_saved_CFLAGS])
    AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
    AS_VAR_POPDEF([cache])
])

AC_DEFUN([CVG_WARNINGS], [
    WARN_CFLAGS=
    m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes
        -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual
        -Wwrite-strings -Wundef -Wvla -Wnull-dereference -Wdouble-promotion
        -Wimplicit-fallthrough -Wlogical-op -Wduplicated-cond -Wswitch-enum
        -Werror=implicit-function-declaration],
        [CVG_TRY_FLAG([WARN_CFLAGS], flag)])
    AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors (CI)])],
        [], [enable_werror=no])
    AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
    AC_SUBST([WARN_CFLAGS])
])
