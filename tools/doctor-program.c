/* SPDX-License-Identifier: MIT */
/* One program: what it links, and what it does when it is watched. */
#include <stdio.h>
#include <string.h>

#include "common/client/client.h"
#include "tools/agent-command.h"
#include "tools/doctor.h"
#include "tools/probe.h"
#include "tools/program-conf.h"
#include "tools/tools.h"

#define OWN_COPY                                                                                   \
    "it brings a copy of OpenSSL, which reads an openssl.cnf of its own and not the system's"

struct finding {
    struct cvg_linkage linkage;
    struct cvg_application application;
    struct cvg_doctor_nss nss; /* if its TLS is NSS's, or seems to be */
    bool over_nss;
    struct cvg_probe probe;
    enum cvg_coverage coverage;
    char reason[CVG_DOCTOR_TEXT_MAX];
    char remedy[CVG_DOCTOR_DO_MAX];
};

/* Programs whose TLS is their own, whatever they link. */
static const struct {
    const char *program, *reason;
} own_tls[] = {
    {"cargo", "its TLS library is built in, and exports nothing that could be watched"},
    {"rustup", "its TLS library is built in, and exports nothing that could be watched"},
    {"go", "Go brings a TLS library of its own"},
    {"erl", "Erlang brings a TLS library of its own"},
};

/* NULL unless the program is one of these and links no OpenSSL 3. */
static const char *own_tls_of(const struct cvg_linkage *linkage)
{
    for (size_t i = 0; i < sizeof own_tls / sizeof own_tls[0]; i++)
        if (!linkage->openssl3 && strcmp(basename(linkage->path), own_tls[i].program) == 0)
            return own_tls[i].reason;
    return NULL;
}

/* Whatever else it links. An OpenSSL inside may be one that can be watched, and whoever links it
 * has mbedTLS's texts at most. */
static bool has_own_inside(const struct cvg_linkage *linkage)
{
    return linkage->inside == CVG_TLS_GO || linkage->inside == CVG_TLS_BORINGSSL ||
           linkage->inside == CVG_TLS_RUSTLS ||
           (linkage->inside == CVG_TLS_MBEDTLS && !linkage->openssl3);
}

static const char *reason_of(const struct cvg_linkage *linkage)
{
    const char *own = own_tls_of(linkage);

    if (own != NULL)
        return own;
    if (has_own_inside(linkage))
        return "a TLS library of its own is inside it (Go, BoringSSL, rustls or mbedTLS), which "
               "cannot be watched";
    if (linkage->curl_gnutls)
        return "its HTTPS is libcurl's with GnuTLS, which has no place where its checks can be "
               "watched";
    if (linkage->other_machine)
        return "its OpenSSL 3 is of another architecture (32 bits), which cannot load our module";
    if (linkage->openssl_own)
        return OWN_COPY;
    if (linkage->openssl3)
        return "it links OpenSSL 3, but does not read openssl.cnf, or uses another TLS library";
    if (linkage->gnutls)
        return "it uses GnuTLS, which has no place where its checks can be watched";
    if (linkage->nss)
        return "it links NSS, but not for TLS (libssl3), and no OpenSSL 3";
    if (linkage->openssl_old)
        return "it uses OpenSSL 1.x, which has no providers";
    if (linkage->other)
        return "it uses mbedTLS or wolfSSL, not OpenSSL 3";
    if (linkage->inside == CVG_TLS_OPENSSL_INSIDE)
        return "an OpenSSL of its own is inside it: it can load our module only if it exports its "
               "functions, as official node does";
    if (linkage->is_static)
        return "nothing is linked at run time: a TLS library inside it cannot be reached";
    return "it links no libssl.so.3: its TLS library, if any, is built in or loaded later";
}

static const char *library_of(const struct finding *finding)
{
    const struct cvg_linkage *linkage = &finding->linkage;

    if (finding->over_nss)
        return finding->nss.never ? "another" : "NSS";
    if (has_own_inside(linkage))
        return "another, inside it";
    return linkage->openssl_own                        ? "an OpenSSL of its own"
           : linkage->openssl3                         ? "OpenSSL 3"
           : linkage->inside == CVG_TLS_OPENSSL_INSIDE ? "an OpenSSL inside it"
           : finding->probe.asked                      ? "OpenSSL 3, loaded at run time"
           : linkage->gnutls                           ? "GnuTLS"
           : linkage->nss                              ? "NSS"
           : linkage->openssl_old                      ? "OpenSSL 1.x"
           : linkage->other                            ? "another"
                                                       : "none linked";
}

/* What is linked can rule a program out. It cannot rule it in: an interpreter, or a library that is
 * loaded later, may bring anything. */
static bool ruled_out(const struct cvg_linkage *linkage)
{
    if (own_tls_of(linkage) != NULL || has_own_inside(linkage) || linkage->curl_gnutls ||
        linkage->other_machine || linkage->openssl_own)
        return true;
    if (linkage->openssl3 || linkage->inside == CVG_TLS_OPENSSL_INSIDE)
        return false;
    return linkage->gnutls || linkage->nss || linkage->openssl_old || linkage->other ||
           (linkage->is_static && linkage->interpreter[0] == '\0');
}

static const char *remedy_of(const struct cvg_linkage *linkage)
{
    if (linkage->openssl_own && !has_own_inside(linkage) && !linkage->other_machine)
        return "start it with `converge run`, or with OPENSSL_CONF naming the system's file; then: "
               "converge doctor -- PROGRAM ARGUMENT...";
    return CVG_DOCTOR_ELSEWHERE;
}

static void judge_static(struct finding *finding)
{
    bool out = ruled_out(&finding->linkage);

    finding->coverage = out ? CVG_NOT_COVERED : CVG_COVERAGE_UNKNOWN;
    snprintf(finding->reason, sizeof finding->reason, "%s",
             out ? reason_of(&finding->linkage) : "it was not seen to connect");
    snprintf(finding->remedy, sizeof finding->remedy, "%s",
             out ? remedy_of(&finding->linkage)
                 : "converge doctor -- PROGRAM ARGUMENT..., with a command that connects");
}

static void judge(struct finding *finding)
{
    const struct cvg_probe *probe = &finding->probe;

    if (probe->asked) {
        finding->coverage = CVG_COVERED;
        snprintf(finding->reason, sizeof finding->reason, "it asked about %s, port %u%s",
                 probe->host, (unsigned)probe->port,
                 finding->linkage.openssl_own ? ", with OPENSSL_CONF set: " OWN_COPY : "");
        if (finding->linkage.openssl_own)
            snprintf(finding->remedy, sizeof finding->remedy, "%s", remedy_of(&finding->linkage));
    } else if (finding->over_nss) {
        finding->coverage = finding->nss.coverage;
        memcpy(finding->reason, finding->nss.reason, sizeof finding->reason);
        memcpy(finding->remedy, finding->nss.remedy, sizeof finding->remedy);
    } else if (probe->connected) {
        finding->coverage = CVG_NOT_COVERED;
        snprintf(finding->reason, sizeof finding->reason, "it shook hands and asked nobody: %s",
                 reason_of(&finding->linkage));
        snprintf(finding->remedy, sizeof finding->remedy, "%s", remedy_of(&finding->linkage));
    } else {
        judge_static(finding);
    }
}

/* Browsers are not started: they would open windows, or speak to one that runs. */
static bool may_be_run(const struct finding *finding)
{
    return !finding->over_nss ||
           (!finding->nss.never && finding->application.kind == CVG_APPLICATION_PLAIN);
}

static enum cvg_error probe(const struct cvg_installation *installation, int argc, char **argv,
                            struct finding *finding, struct cvg_why *ret_why)
{
    char conf[CVG_PATH_MAX];
    enum cvg_error err;

    if (installation->config.lock || (argc == 1 && !cvg_probe_knows(argv[0])) ||
        !may_be_run(finding))
        return CVG_OK; /* nowhere to look from, or nothing to look at */
    err = cvg_program_conf(&installation->paths, conf, ret_why);
    if (err == CVG_OK)
        err = cvg_probe_run(argv[0], argc > 1 ? argv : NULL, conf, &finding->probe, ret_why);
    return err;
}

static int print_json(const struct finding *finding, int code)
{
    static const char *const words[] = {"yes", "no", "unknown"};
    const struct cvg_probe *probe = &finding->probe;

    return cvg_output_json(
        json_pack(
            "{s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O?, s:{s:b, s:b, s:b, s:b, s:s, s:i}}",
            "ok", 1, "program", finding->linkage.path, "interpreter", finding->linkage.interpreter,
            "helper", finding->linkage.helper, "library", library_of(finding), "covered",
            words[finding->coverage], "reason", finding->reason, "do", finding->remedy, "databases",
            finding->nss.databases, "probe", "ran", probe->ran, "connected", probe->connected,
            "asked", probe->asked, "right", probe->right, "host", probe->host, "port",
            (int)probe->port),
        code);
}

static int print(const struct finding *finding)
{
    static const int codes[] = {CVG_EXIT_OK, CVG_EXIT_REFUSED, CVG_EXIT_UNDECIDED};
    static const char *const words[] = {"covered", "NOT covered", "cannot be told"};
    static const enum cvg_paint paints[] = {CVG_PAINT_GOOD, CVG_PAINT_BAD, CVG_PAINT_WARN};
    const json_t *entry;
    size_t index;
    int code = codes[finding->coverage];

    if (cvg_output_is_json())
        return print_json(finding, code);
    printf("%s: ", finding->linkage.path);
    cvg_output_word(paints[finding->coverage], 0, words[finding->coverage]);
    putchar('\n');
    cvg_output_field("why", "%s", finding->reason);
    if (finding->remedy[0] != '\0')
        cvg_output_field("do", "%s", finding->remedy);
    if (finding->linkage.interpreter[0] != '\0')
        cvg_output_field("a script of", "%s", finding->linkage.interpreter);
    if (finding->linkage.helper[0] != '\0')
        cvg_output_field("TLS is in", "%s", finding->linkage.helper);
    cvg_output_field("TLS library", "%s", library_of(finding));
    json_array_foreach(finding->nss.databases, index, entry)
        cvg_output_field("database", "%s: %s", cvg_reply_text(entry, "path"),
                         cvg_reply_text(entry, "text"));
    return code;
}

static int tell(const struct cvg_installation *installation, int argc, char **argv,
                struct finding *finding)
{
    struct cvg_why why = {""};

    if (cvg_client_excluded(&installation->config, basename(argv[0]))) {
        finding->coverage = CVG_NOT_COVERED;
        snprintf(finding->reason, sizeof finding->reason,
                 "it is on the list of excluded programs: resolvers, programs that bring up the "
                 "network, mail servers");
        snprintf(finding->remedy, sizeof finding->remedy,
                 "take it out of exclude_programs, if it is there");
        return print(finding);
    }
    cvg_application_find(finding->linkage.path, &finding->application);
    finding->over_nss = cvg_doctor_nss_program(installation, &finding->linkage,
                                               &finding->application, argc, argv, &finding->nss);
    if (probe(installation, argc, argv, finding, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    judge(finding);
    return print(finding);
}

int cvg_doctor_program(const struct cvg_installation *installation, int argc, char **argv)
{
    struct finding finding = {.coverage = CVG_COVERAGE_UNKNOWN};
    struct cvg_why why = {""};
    int code;

    if (cvg_linkage_find(argv[0], &finding.linkage, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    code = tell(installation, argc, argv, &finding);
    json_decref(finding.nss.databases);
    return code;
}

bool cvg_doctor_is_uncovered(const char *program, char ret_path[static PATH_MAX],
                             char ret_reason[static CVG_DOCTOR_TEXT_MAX])
{
    struct cvg_linkage linkage;
    struct cvg_application application;

    if (cvg_linkage_find(program, &linkage, NULL) != CVG_OK)
        return false;
    snprintf(ret_path, PATH_MAX, "%s", linkage.path);
    cvg_application_find(linkage.path, &application);
    if (cvg_doctor_nss_never(&linkage, &application, ret_reason))
        return true;
    if ((linkage.openssl3 && !linkage.curl_gnutls) || application.kind == CVG_APPLICATION_MOZILLA ||
        linkage.nss_tls)
        return false;
    snprintf(ret_reason, CVG_DOCTOR_TEXT_MAX, "%s", reason_of(&linkage));
    return true;
}
