dnl SPDX-License-Identifier: MIT
dnl --enable-sanitizers[=address,undefined|thread]: the tree and its tests under sanitizers.
AC_DEFUN([CVG_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
            [build with sanitizers (default LIST: address,undefined)])],
        [], [enable_sanitizers=no])
    SANITIZER_CFLAGS=
    sanitizer_list=
    AS_CASE([$enable_sanitizers],
        [no], [],
        [yes], [sanitizer_list=address,undefined],
        [sanitizer_list=$enable_sanitizers])
    AS_IF([test -n "$sanitizer_list"], [
        SANITIZER_CFLAGS="-fsanitize=$sanitizer_list -fno-sanitize-recover=all -fno-omit-frame-pointer"
    ])
    AM_CONDITIONAL([SANITIZERS], [test -n "$sanitizer_list"])
    AC_SUBST([SANITIZER_CFLAGS])
])
