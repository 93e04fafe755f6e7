/* SPDX-License-Identifier: MIT */
/* One program over NSS: which database it reads, and whether our module is at work there. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/confinement.h"
#include "tools/doctor.h"
#include "tools/nss-db.h"
#include "tools/plain-file.h"
#include "tools/tools.h"

#define SCRIPT_MAX (1024 * 1024)
#define SYSTEM_DB  "/etc/pki/nssdb"

/* Programs whose manual names a database of the user's, where the command does not. */
static const char *const netscape[] = {"tstclnt", "vfyserv", "strsclnt"};

void cvg_doctor_nss_judge(struct cvg_doctor_nss *nss, enum cvg_coverage coverage, const char *fmt,
                          ...)
{
    va_list args;

    nss->coverage = coverage;
    va_start(args, fmt);
    vsnprintf(nss->reason, sizeof nss->reason, fmt, args);
    va_end(args);
}

/* Whether a script of Python's says that it uses python3-nss. */
static bool imports_nss(const char *path)
{
    static const char *const words[] = {"\nimport nss", "\nfrom nss", " nss.ssl", "\nimport nss."};
    struct cvg_buffer text;
    bool found = false;

    cvg_buffer_init(&text, SCRIPT_MAX);
    if (cvg_plain_file_read(path, &text, NULL) == CVG_OK)
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            found = found || strstr((const char *)text.data, words[i]) != NULL;
    cvg_buffer_free(&text);
    return found;
}

static bool is_python_over_nss(const struct cvg_linkage *linkage, int argc, char **argv)
{
    const char *runs = linkage->interpreter[0] != '\0' ? linkage->interpreter : linkage->path;

    if (strncmp(basename(runs), "python", 6) != 0)
        return false;
    return imports_nss(linkage->interpreter[0] != '\0' ? linkage->path
                       : argc > 1                      ? argv[1]
                                                       : linkage->path);
}

static bool is_database(const char *directory)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/cert9.db", directory) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* "sql:DIR" or "DIR", if that is a database. */
static bool take_database(const char *word, char ret_directory[static PATH_MAX])
{
    if (strncmp(word, "sql:", 4) == 0)
        word += 4;
    if (!is_database(word))
        return false;
    snprintf(ret_directory, PATH_MAX, "%s", word);
    return true;
}

/* The one that the command, its environment or its manual names. */
static bool find_database(const struct cvg_linkage *linkage, int argc, char **argv,
                          char ret_directory[static PATH_MAX])
{
    const char *home = getenv("HOME"), *named = getenv("SSL_DIR");
    char path[PATH_MAX];

    for (int i = 1; i < argc; i++)
        if (take_database(argv[i], ret_directory))
            return true;
    if (named != NULL && take_database(named, ret_directory))
        return true;
    if (linkage->curl_nss)
        return take_database(SYSTEM_DB, ret_directory);
    for (size_t i = 0; i < sizeof netscape / sizeof netscape[0]; i++)
        if (home != NULL && strcmp(basename(linkage->path), netscape[i]) == 0 &&
            snprintf(path, sizeof path, "%s/.netscape", home) < (int)sizeof path)
            return take_database(path, ret_directory);
    return false;
}

void cvg_doctor_nss_add(struct cvg_doctor_nss *nss, const char *path,
                        const struct cvg_doctor_finding *finding)
{
    json_array_append_new(nss->databases,
                          json_pack("{s:o, s:s, s:o, s:o}", "path", cvg_output_text(path), "state",
                                    cvg_doctor_state_word(finding->state), "text",
                                    cvg_output_text(finding->text), "do",
                                    cvg_output_text(finding->remedy)));
}

static void judge_by_database(const struct cvg_linkage *linkage, int argc, char **argv,
                              struct cvg_doctor_nss *nss)
{
    struct cvg_doctor_finding finding = {.state = CVG_DOCTOR_BAD};
    char database[PATH_MAX];
    bool listed = false;

    if (find_database(linkage, argc, argv, database)) {
        cvg_doctor_database("", database, &listed, &finding);
        cvg_doctor_nss_add(nss, database, &finding);
        cvg_doctor_nss_judge(
            nss, finding.state != CVG_DOCTOR_BAD && listed ? CVG_COVERED : CVG_NOT_COVERED,
            "it reads the NSS database %.200s: %.350s", database, finding.text);
        snprintf(nss->remedy, sizeof nss->remedy, "%s", finding.remedy);
    } else if (linkage->curl_nss) {
        cvg_doctor_nss_judge(
            nss, CVG_NOT_COVERED,
            "its HTTPS is libcurl's with NSS, which reads the database that SSL_DIR names, "
            "else " SYSTEM_DB ", and neither is there");
        snprintf(nss->remedy, sizeof nss->remedy,
                 "sudo converge enable nss " SYSTEM_DB " --create");
    } else {
        cvg_doctor_nss_judge(nss, CVG_COVERAGE_UNKNOWN,
                             "it uses NSS, with a database that is not known here");
        snprintf(nss->remedy, sizeof nss->remedy,
                 "converge doctor -- PROGRAM ARGUMENT..., with a command that connects");
    }
}

/* What keeps it from the agent, whatever its database is. */
static bool judge_confinement(const struct cvg_installation *installation, const char *program,
                              struct cvg_doctor_nss *nss)
{
    char text[CVG_DOCTOR_TEXT_MAX];

    if (!cvg_confinement_find(program, installation->paths.runtime_dir, text, sizeof text))
        return false;
    cvg_doctor_nss_judge(nss, CVG_NOT_COVERED, "it cannot reach the agent: %.500s", text);
    return true;
}

/* TLS to the proxy goes through the gate; TLS inside it does not. */
static bool judge_proxy(struct cvg_doctor_nss *nss)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && strncmp(value, "https://", 8) == 0) {
            cvg_doctor_nss_judge(
                nss, CVG_NOT_COVERED,
                "%s names a proxy that is spoken to in TLS: what goes through it is TLS inside "
                "TLS, where only the proxy's certificate is seen",
                names[i]);
            snprintf(nss->remedy, sizeof nss->remedy,
                     "name the proxy with http:// in %s, if it takes that", names[i]);
            return true;
        }
    }
    return false;
}

bool cvg_doctor_nss_never(const struct cvg_linkage *linkage,
                          const struct cvg_application *application,
                          char ret_reason[static CVG_DOCTOR_TEXT_MAX])
{
    const char *reason = NULL;

    if (application->kind == CVG_APPLICATION_CONTAINED) {
        snprintf(
            ret_reason, CVG_DOCTOR_TEXT_MAX,
            "it runs in a container (%s), where neither our modules nor the agent's socket are",
            application->container);
        return true;
    }
    if (application->kind == CVG_APPLICATION_CHROMIUM || linkage->chromium ||
        linkage->inside == CVG_TLS_BORINGSSL)
        reason =
            "it is made of Chromium, or has its BoringSSL inside: whether it links NSS or not, "
            "it verifies with a TLS library of its own";
    else if (linkage->java)
        reason = "Java brings a TLS library of its own; NSS (SunPKCS11) only keeps keys for it";
    else if (linkage->purple && !linkage->openssl3)
        reason =
            "libpurple opens NSS without a database (NSS_NoDB_Init), so no module can be added";
    if (reason != NULL)
        snprintf(ret_reason, CVG_DOCTOR_TEXT_MAX, "%s", reason);
    return reason != NULL;
}

static bool is_over_nss(const struct cvg_linkage *linkage,
                        const struct cvg_application *application, int argc, char **argv)
{
    return application->kind == CVG_APPLICATION_MOZILLA || linkage->nss_tls || linkage->curl_nss ||
           is_python_over_nss(linkage, argc, argv);
}

bool cvg_doctor_nss_program(const struct cvg_installation *installation,
                            const struct cvg_linkage *linkage,
                            const struct cvg_application *application, int argc, char **argv,
                            struct cvg_doctor_nss *ret_nss)
{
    bool never;

    memset(ret_nss, 0, sizeof *ret_nss);
    never = cvg_doctor_nss_never(linkage, application, ret_nss->reason);
    if (!never && !is_over_nss(linkage, application, argc, argv))
        return false;
    ret_nss->databases = json_array();
    ret_nss->never = never;
    if (never)
        ret_nss->coverage = CVG_NOT_COVERED;
    else if (judge_confinement(installation, application->program, ret_nss))
        return true;
    else if (application->kind == CVG_APPLICATION_MOZILLA)
        cvg_doctor_mozilla(application, ret_nss);
    else if (!judge_proxy(ret_nss))
        judge_by_database(linkage, argc, argv, ret_nss);
    return true;
}
