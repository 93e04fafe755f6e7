dnl SPDX-License-Identifier: MIT
dnl Hardening flags for everything we build.
AC_DEFUN([CVG_HARDENING], [
    HARDEN_CFLAGS=
    HARDEN_LDFLAGS="-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed"
    AC_ARG_ENABLE([hardening],
        [AS_HELP_STRING([--disable-hardening], [leave the hardening flags out])],
        [], [enable_hardening=yes])
    AS_IF([test "x$enable_hardening" = xyes], [
        m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection
            -fcf-protection], [CVG_TRY_FLAG([HARDEN_CFLAGS], flag)])
        AS_CASE([" $CPPFLAGS $CFLAGS "],
            [*_FORTIFY_SOURCE*|*-O0*|*-fsanitize*], [],
            [AS_IF([test -z "$sanitizer_list"], [HARDEN_CPPFLAGS=-D_FORTIFY_SOURCE=2])])
    ], [HARDEN_LDFLAGS=-Wl,--as-needed])
    AC_SUBST([HARDEN_CFLAGS])
    AC_SUBST([HARDEN_CPPFLAGS])
    AC_SUBST([HARDEN_LDFLAGS])
])
