/* SPDX-License-Identifier: MIT */
/* Finds a program, what runs it, and asks the dynamic loader (by ldd) what it links. */
#include "tools/linkage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/child.h"
#include "tools/library-place.h"

#define LDD_OUTPUT_MAX 65536
#define NAMES_WITHIN   131072

/* Programs that leave TLS to another one. */
static const struct {
    const char *program, *helper;
} helpers[] = {
    {"git", "/usr/lib/git-core/git-remote-https"},
    {"apt", "/usr/lib/apt/methods/https"},
    {"apt-get", "/usr/lib/apt/methods/https"},
};

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool cvg_linkage_program(const char *program, char ret_path[static PATH_MAX])
{
    const char *list = getenv("PATH");

    if (strchr(program, '/') != NULL) {
        snprintf(ret_path, PATH_MAX, "%s", program);
        return is_program(ret_path);
    }
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ":");

        snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)len, list, program);
        if (is_program(ret_path))
            return true;
        list += len + (list[len] == ':' ? 1 : 0);
    }
    return false;
}

/* "#!/usr/bin/python3 -u" or "#!/usr/bin/env python3". */
static void find_interpreter(const char *path, char ret_interpreter[static PATH_MAX])
{
    char line[PATH_MAX] = "", first[PATH_MAX] = "", second[PATH_MAX] = "";
    FILE *file = fopen(path, "re");

    ret_interpreter[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL && strncmp(line, "#!", 2) == 0 &&
        sscanf(line + 2, " %4000s %4000s", first, second) >= 1) {
        if (strcmp(basename(first), "env") != 0 || second[0] == '\0' ||
            !cvg_linkage_program(second, ret_interpreter))
            snprintf(ret_interpreter, PATH_MAX, "%s", first);
    }
    fclose(file);
}

static void find_helper(const char *program, char ret_helper[static PATH_MAX])
{
    ret_helper[0] = '\0';
    for (size_t i = 0; i < sizeof helpers / sizeof helpers[0]; i++)
        if (strcmp(basename(program), helpers[i].program) == 0 &&
            access(helpers[i].helper, X_OK) == 0)
            snprintf(ret_helper, PATH_MAX, "%s", helpers[i].helper);
}

static void read_all(int fd, char *text, size_t size)
{
    size_t have = 0;
    ssize_t got;

    while (have < size - 1 && (got = read(fd, text + have, size - 1 - have)) > 0)
        have += (size_t)got;
    text[have] = '\0';
}

/* The names of needed libraries are among the first strings of a program. */
bool cvg_linkage_names_nss(const char *path)
{
    static const char nss[] = "\0libssl3.so", openssl[] = "\0libssl.so.3";
    FILE *file = fopen(path, "re");
    char *start = malloc(NAMES_WITHIN);
    bool found = false;

    if (file != NULL && start != NULL) {
        size_t len = fread(start, 1, NAMES_WITHIN, file);

        found = len > 4 &&
                memcmp(start,
                       "\x7f"
                       "ELF",
                       4) == 0 &&
                memmem(start, len, nss, sizeof nss) != NULL &&
                memmem(start, len, openssl, sizeof openssl) == NULL;
    }
    free(start);
    if (file != NULL)
        fclose(file);
    return found;
}

/* By ldd's "libssl.so.3 => /usr/lib/libssl.so.3 (0x...)"; a link that leads to the system's is the
 * system's. */
static void look_at_openssl(const char *text, struct cvg_linkage *linkage)
{
    static const char name[] = "libssl.so.3 => ";
    const char *line = strstr(text, name);
    char path[PATH_MAX] = "", *real;

    linkage->openssl_own = strstr(text, "libssl-") != NULL;
    if (line == NULL)
        return;
    if (sscanf(line + strlen(name), "%4095s", path) != 1)
        return;
    real = realpath(path, NULL);
    linkage->openssl3 = cvg_library_is_the_systems(real != NULL ? real : path);
    linkage->openssl_own = linkage->openssl_own || !linkage->openssl3;
    free(real);
}

/* What ldd does not tell: what is in the file itself, and for which machine it is. */
static void look_inside(const char *path, struct cvg_linkage *linkage)
{
    struct cvg_tls_finder *finder = cvg_tls_finder_new();
    struct cvg_tls_look look = {.kind = CVG_TLS_NONE};

    if (finder == NULL)
        return;
    linkage->inside = cvg_tls_inside(finder, path);
    linkage->other_machine =
        cvg_tls_look(finder, path, &look) && look.kind == CVG_TLS_OPENSSL_OTHER;
    cvg_tls_finder_free(finder);
}

static enum cvg_error look_at(char *path, struct cvg_linkage *linkage, struct cvg_why *ret_why)
{
    char word[] = "ldd";
    char *arguments[] = {word, path, NULL};
    struct cvg_child child = {.pid = -1, .output = -1};
    char *text = malloc(LDD_OUTPUT_MAX);
    enum cvg_error err = text != NULL ? CVG_OK : CVG_ERR_NOMEM;

    if (err == CVG_OK)
        err = cvg_child_start(word, arguments, NULL, NULL, &child, ret_why);
    if (err == CVG_OK) {
        read_all(child.output, text, LDD_OUTPUT_MAX);
        cvg_child_end(&child);
        look_at_openssl(text, linkage);
        look_inside(path, linkage);
        linkage->openssl_old = strstr(text, "libssl.so.1") != NULL;
        linkage->gnutls = strstr(text, "libgnutls.so") != NULL;
        linkage->curl_gnutls = strstr(text, "libcurl-gnutls.so") != NULL;
        linkage->nss = strstr(text, "libnss3.so") != NULL;
        linkage->nss_tls = strstr(text, "libssl3.so") != NULL;
        linkage->curl_nss = strstr(text, "libcurl-nss.so") != NULL;
        linkage->purple = strstr(text, "libpurple.so") != NULL;
        linkage->chromium = strstr(text, "WebEngineCore.so") != NULL;
        linkage->java = strstr(text, "libjvm.so") != NULL || strstr(text, "libjli.so") != NULL;
        linkage->other =
            strstr(text, "libmbedtls.so") != NULL || strstr(text, "libwolfssl.so") != NULL;
        linkage->is_static = strstr(text, "=>") == NULL;
    }
    free(text);
    return err;
}

enum cvg_error cvg_linkage_find(const char *program, struct cvg_linkage *ret_linkage,
                                struct cvg_why *ret_why)
{
    memset(ret_linkage, 0, sizeof *ret_linkage);
    if (!cvg_linkage_program(program, ret_linkage->path))
        return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "there is no program %s", program);
    find_interpreter(ret_linkage->path, ret_linkage->interpreter);
    find_helper(program, ret_linkage->helper);
    return look_at(ret_linkage->helper[0] != '\0'        ? ret_linkage->helper
                   : ret_linkage->interpreter[0] != '\0' ? ret_linkage->interpreter
                                                         : ret_linkage->path,
                   ret_linkage, ret_why);
}
