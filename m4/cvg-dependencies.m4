dnl SPDX-License-Identifier: MIT
dnl The libraries of DESIGN.md's list that this tree links, each by its pkg-config name
dnl where it has one.
AC_DEFUN([CVG_DEPENDENCIES], [
    PKG_CHECK_MODULES([OPENSSL], [openssl >= 3.0])
    dnl OpenSSL as archives, for tests of programs that carry it inside.
    OPENSSL_STATIC_LIBS="`$CC -print-file-name=libssl.a` `$CC -print-file-name=libcrypto.a`"
    AM_CONDITIONAL([HAVE_STATIC_OPENSSL],
        [test -f "`$CC -print-file-name=libssl.a`" -a -f "`$CC -print-file-name=libcrypto.a`"])
    AC_SUBST([OPENSSL_STATIC_LIBS])
    dnl NSS is never linked by what we install: its headers, and the tests' own programs.
    PKG_CHECK_MODULES([NSS], [nss >= 3.87])
    PKG_CHECK_MODULES([CURL], [libcurl >= 7.87])
    PKG_CHECK_MODULES([JANSSON], [jansson >= 2.13])
    PKG_CHECK_MODULES([UV], [libuv >= 1.40])
    PKG_CHECK_MODULES([HIREDIS], [hiredis >= 0.14])
    PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.5])
    PKG_CHECK_MODULES([IDN2], [libidn2 >= 2.3])
    dnl For notifications on the desktop: without it `watch --notify` says that it cannot.
    AC_ARG_WITH([dbus],
        [AS_HELP_STRING([--with-dbus=yes|no|auto],
            [desktop notifications of refusals, over libdbus-1 (default: auto)])],
        [], [with_dbus=auto])
    have_dbus=no
    AS_IF([test "x$with_dbus" != xno],
        [PKG_CHECK_MODULES([DBUS], [dbus-1 >= 1.12], [have_dbus=yes],
            [AS_IF([test "x$with_dbus" = xyes],
                [AC_MSG_ERROR([libdbus-1 is missing: install libdbus-1-dev])])])])
    AS_IF([test "x$have_dbus" = xyes],
        [AC_DEFINE([HAVE_DBUS], [1], [Whether notifications can be sent over D-Bus])])
    AM_CONDITIONAL([HAVE_DBUS], [test "x$have_dbus" = xyes])
    PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1], [have_cmocka=yes], [have_cmocka=no])
    AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
    AC_CHECK_HEADER([gdbm.h], [], [AC_MSG_ERROR([gdbm.h is missing: install libgdbm-dev])])
    AC_CHECK_LIB([gdbm], [gdbm_open], [GDBM_LIBS=-lgdbm],
        [AC_MSG_ERROR([libgdbm is missing: install libgdbm-dev])])
    AC_SUBST([GDBM_LIBS])
    dnl Its pkg-config file asks for libraries that only its archive needs.
    AC_CHECK_HEADER([unbound.h], [], [AC_MSG_ERROR([unbound.h is missing: install libunbound-dev])])
    AC_CHECK_LIB([unbound], [ub_resolve_async], [UNBOUND_LIBS=-lunbound],
        [AC_MSG_ERROR([libunbound is missing: install libunbound-dev])])
    AC_SUBST([UNBOUND_LIBS])
    AC_SEARCH_LIBS([dlopen], [dl], [DL_LIBS=$ac_cv_search_dlopen])
    AS_IF([test "x$DL_LIBS" = "xnone required"], [DL_LIBS=])
    AC_SUBST([DL_LIBS])
    LIBS=
])
