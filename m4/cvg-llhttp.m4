dnl SPDX-License-Identifier: MIT
dnl llhttp: the library where the system has one (Debian 13), else the C sources that
dnl Debian 12's node-llhttp ships, compiled by our build.
AC_DEFUN([CVG_LLHTTP], [
    PKG_CHECK_MODULES([LLHTTP], [libllhttp], [llhttp_from=library], [
        AC_ARG_VAR([LLHTTP_SOURCE], [directory with llhttp's C sources (api.c http.c llhttp.c)])
        AS_IF([test -z "$LLHTTP_SOURCE"], [LLHTTP_SOURCE=/usr/share/llhttp])
        AS_IF([test -f "$LLHTTP_SOURCE/llhttp.c"], [],
            [AC_MSG_ERROR([llhttp is missing: install libllhttp-dev or node-llhttp])])
        AC_CHECK_HEADER([llhttp.h], [LLHTTP_CFLAGS=], [
            AS_IF([test -f /usr/include/llhttp/llhttp.h], [LLHTTP_CFLAGS=-I/usr/include/llhttp],
                [test -f /usr/share/include/llhttp/llhttp.h],
                [LLHTTP_CFLAGS=-I/usr/share/include/llhttp],
                [AC_MSG_ERROR([llhttp.h is missing: install libllhttp-dev or node-llhttp])])])
        llhttp_from="sources in $LLHTTP_SOURCE"
        LLHTTP_LIBS=
        AC_SUBST([LLHTTP_CFLAGS])
        AC_SUBST([LLHTTP_LIBS])])
    AM_CONDITIONAL([LLHTTP_FROM_SOURCE], [test "x$llhttp_from" != xlibrary])
])
