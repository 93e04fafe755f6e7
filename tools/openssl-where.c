/* SPDX-License-Identifier: MIT */
/* Asks the library where its configuration is, and looks where others may have theirs. */
#include "tools/openssl-where.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/tools.h"

void cvg_openssl_own_conf(char ret_path[static PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/openssl.cnf", X509_get_default_cert_area());
}

static bool same_file(const char *one, const char *other)
{
    struct stat a, b;

    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Debian's and Alpine's, Fedora's, OpenSSL's own default and before, those of packages apart. */
void cvg_openssl_say_others(const char *path)
{
    static const char *const layouts[] = {
        "/etc/ssl/openssl.cnf",           "/etc/pki/tls/openssl.cnf",
        "/usr/lib/ssl/openssl.cnf",       "/usr/local/ssl/openssl.cnf",
        "/usr/local/etc/ssl/openssl.cnf", "/opt/openssl/ssl/openssl.cnf",
    };
    const char *variable = secure_getenv("OPENSSL_CONF");

    if (variable != NULL && !same_file(variable, path))
        cvg_output_note(
            "OPENSSL_CONF is \"%s\" here: programs that are started with it do not read "
            "%s",
            variable, path);
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (access(layouts[i], R_OK) == 0 && !same_file(layouts[i], path) &&
            (i == 0 || !same_file(layouts[i], layouts[0])))
            cvg_output_note("%s is another file, which another OpenSSL here may read; for that: "
                            "--file %s",
                            layouts[i], layouts[i]);
}
