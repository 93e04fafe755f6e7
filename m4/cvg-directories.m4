dnl SPDX-License-Identifier: MIT
dnl Where OpenSSL looks for providers, and where the agent keeps what it keeps.
AC_DEFUN([CVG_DIRECTORIES], [
    AC_ARG_WITH([modulesdir],
        [AS_HELP_STRING([--with-modulesdir=DIR],
            [where converge.so goes (default: LIBDIR/ossl-modules)])],
        [modulesdir=$withval], [modulesdir='${libdir}/ossl-modules'])
    AC_SUBST([modulesdir])
    AC_ARG_WITH([pkcs11dir],
        [AS_HELP_STRING([--with-pkcs11dir=DIR],
            [where libconverge-nss.so goes (default: LIBDIR/pkcs11)])],
        [pkcs11dir=$withval], [pkcs11dir='${libdir}/pkcs11'])
    AC_SUBST([pkcs11dir])
    AC_ARG_WITH([runtimedir],
        [AS_HELP_STRING([--with-runtimedir=DIR],
            [where the system agent's socket is (default: /run/converge)])],
        [cvg_runtimedir=$withval], [cvg_runtimedir=/run/converge])
    AC_ARG_WITH([agent-user],
        [AS_HELP_STRING([--with-agent-user=NAME],
            [the system agent's own user (default: converge)])],
        [cvg_agent_user=$withval], [cvg_agent_user=converge])
    AC_ARG_WITH([systemdsystemunitdir],
        [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
            [where units go (default: PREFIX/lib/systemd/system)])],
        [cvg_systemunitdir=$withval], [cvg_systemunitdir='${prefix}/lib/systemd/system'])
    AC_SUBST([cvg_systemunitdir])
    AC_SUBST([cvg_runtimedir])
    AC_SUBST([cvg_agent_user])
])

AC_DEFUN([CVG_SUMMARY], [
    cat <<EOF

converge $VERSION
    compiler          $CC
    CFLAGS            $CFLAGS
    warnings          $WARN_CFLAGS
    hardening         $HARDEN_CPPFLAGS $HARDEN_CFLAGS
    sanitizers        ${SANITIZER_CFLAGS:-none}
    libFuzzer         $enable_fuzzers
    llhttp            $llhttp_from
    notifications     $have_dbus (D-Bus)
    unit tests        $have_cmocka
    prefix            $prefix
    configuration     $sysconfdir/converge
    OpenSSL modules   $modulesdir
    PKCS#11 modules   $pkcs11dir

EOF
])
