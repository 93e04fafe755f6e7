/* SPDX-License-Identifier: MIT */
/* Makes a notary: everything is made in memory first, then written as files that did not exist. */
#include "notary/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/protocol/bundle.h"
#include "notary/init-bundle.h"
#include "notary/keypair.h"

#define STATUS_PORT_EXAMPLE 9442U
#define DATABASE            "data/observations.gdbm"
#define NO_GROUP            ((gid_t)-1)

enum file { TLS_KEY = 0, TLS_CERTIFICATE, SIGNING_KEY, BUNDLE, BUNDLE_V1, CONFIGURATION, FILES };

struct new_files {
    char path[FILES][CVG_PATH_MAX];
    struct cvg_buffer text[FILES];
};

void cvg_init_defaults(struct cvg_init *ret_init)
{
    *ret_init = (struct cvg_init){
        .ssl_port = 443, .bounce_port = 4242, .relay_port = 80, .database = DATABASE};
}

/* The name becomes a file name, so less is allowed than in a bundle. */
static enum cvg_error check_name(const char *name, struct cvg_why *why)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    size_t len = strlen(name);
    if (len == 0 || len >= CVG_MESSAGE_NAME_MAX || strspn(name, allowed) != len || name[0] == '.' ||
        name[0] == '-')
        return cvg_fail(why, CVG_ERR_ARGUMENT,
                        "--name takes 1 to 63 letters, digits, '.', '_' and '-', beginning with "
                        "neither '.' nor '-'");
    return CVG_OK;
}

/* It becomes a line of notary.conf, so nothing that would end or comment out the line. */
static enum cvg_error check_database(const char *database, struct cvg_why *why)
{
    bool good = database[0] != '\0' && database[0] != ' ' && strlen(database) < CVG_PATH_MAX;
    for (const char *c = database; good && *c != '\0'; c++)
        good = (unsigned char)*c >= ' ' && *c != '#' && *c != 0x7f;
    return good
               ? CVG_OK
               : cvg_fail(why, CVG_ERR_ARGUMENT, "--database takes a path without '#' or controls");
}

static enum cvg_error find_group(const char *name, gid_t *ret_group, struct cvg_why *why)
{
    const struct group *group = name == NULL ? NULL : getgrnam(name);
    if (name != NULL && group == NULL)
        return cvg_fail(why, CVG_ERR_NOT_FOUND, "--group: there is no group %.63s", name);
    *ret_group = group == NULL ? NO_GROUP : group->gr_gid;
    return CVG_OK;
}

static enum cvg_error set_paths(const struct cvg_init *init, struct new_files *files,
                                struct cvg_why *why)
{
    const char *const names[FILES] = {"tls.key",   "tls.crt",      "signing.key",
                                      "%s.notary", "%s.v1.notary", "notary.conf"};
    for (int i = 0; i < FILES; i++) {
        bool named = names[i][0] == '%';
        int len = snprintf(files->path[i], CVG_PATH_MAX, "%s/%s%s", init->directory,
                           named ? init->name : "", names[i] + (named ? 2 : 0));
        struct stat info;
        if (len < 0 || len >= CVG_PATH_MAX)
            return cvg_fail(why, CVG_ERR_RANGE, "--init: the path is too long");
        if (lstat(files->path[i], &info) == 0)
            return cvg_fail(why, CVG_ERR_EXISTS, "%s exists already; nothing is overwritten",
                            files->path[i]);
    }
    return CVG_OK;
}

static enum cvg_error make_configuration(const struct cvg_init *init, struct cvg_buffer *ret_text)
{
    return cvg_buffer_printf(
        ret_text,
        "# The configuration of one notary; read by converge-notaryd --config.\n"
        "# Paths are relative to this file's directory.\n"
        "name = %s\n"
        "tls_key = tls.key\n"
        "tls_certificate = tls.crt\n"
        "# Signs statements, bundles and records in Redis only. Keep a copy in a safe place.\n"
        "signing_key = signing.key\n"
        "bundle = %s.notary\n"
        "bundle_v1 = %s.v1.notary\n"
        "database = %s\n"
        "ssl_port = %u\n"
        "bounce_port = %u\n"
        "relay_port = %u\n"
        "# Where this notary, as a relay, connects to:\n"
        "# relay_ports = 4242\n"
        "# Status page, /metrics and /healthz, at 127.0.0.1 and ::1; 0 for none:\n"
        "%sstatus_port = %u\n"
        "\n"
        "# Special-purpose addresses (10.0.0.0/8, fd00::/8 ...) are never probed, unless:\n"
        "# allow_targets = 10.1.0.0/16\n"
        "# Names known without DNS, as in hosts(5):\n"
        "# hosts = hosts\n"
        "# Whom a notary started by root becomes:\n"
        "# user = converge-notary\n",
        init->name, init->name, init->name, init->database, init->ssl_port, init->bounce_port,
        init->relay_port, init->status_port == 0 ? "# " : "",
        init->status_port == 0 ? STATUS_PORT_EXAMPLE : init->status_port);
}

/* Keys and certificate, and what is signed with them. */
static enum cvg_error make_identity(const struct cvg_init *init, const struct cvg_endpoint *host,
                                    struct new_files *files, char *ret_fingerprint,
                                    struct cvg_why *why)
{
    EVP_PKEY *tls = NULL, *signing = NULL;
    struct cvg_signing_key *key = NULL;
    struct cvg_buffer public_key;
    cvg_buffer_init(&public_key, 1024);
    enum cvg_error err = cvg_keypair_new(&tls);
    if (err == CVG_OK)
        err = cvg_keypair_new(&signing);
    if (err == CVG_OK)
        err = cvg_keypair_pem(tls, &files->text[TLS_KEY]);
    if (err == CVG_OK)
        err = cvg_keypair_certificate(tls, host, init->name, &files->text[TLS_CERTIFICATE]);
    if (err == CVG_OK)
        err = cvg_keypair_pem(signing, &files->text[SIGNING_KEY]);
    if (err == CVG_OK)
        err = cvg_keypair_public(signing, &public_key);
    if (err == CVG_OK)
        err = cvg_signing_key_parse((const char *)files->text[SIGNING_KEY].data,
                                    files->text[SIGNING_KEY].len, &key, why);
    if (err == CVG_OK)
        cvg_fingerprint_format(cvg_signing_key_id(key), CVG_SHA256_LEN, ret_fingerprint,
                               CVG_FINGERPRINT_TEXT_MAX);
    const char *certificate = (const char *)files->text[TLS_CERTIFICATE].data;
    if (err == CVG_OK)
        err = cvg_init_bundle(init, host->host, certificate, &public_key, key, &files->text[BUNDLE],
                              why);
    if (err == CVG_OK)
        err = cvg_init_bundle_v1(init, host->host, certificate, &files->text[BUNDLE_V1], why);
    EVP_PKEY_free(tls);
    EVP_PKEY_free(signing);
    cvg_signing_key_free(key);
    cvg_buffer_free(&public_key);
    return err;
}

/* Nobody reads the file before its group is the right one. */
static bool give_to_group(int fd, gid_t group)
{
    return group == NO_GROUP || (fchown(fd, (uid_t)-1, group) == 0 && fchmod(fd, 0640) == 0);
}

static enum cvg_error write_new(const char *path, const struct cvg_buffer *text, mode_t mode,
                                gid_t group, struct cvg_why *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return cvg_fail(why, errno == EEXIST ? CVG_ERR_EXISTS : CVG_ERR_IO, "%s: %s", path,
                        strerror(errno));
    bool good = write(fd, text->data, text->len) == (ssize_t)text->len &&
                give_to_group(fd, group) && fsync(fd) == 0;
    int problem = errno;
    if (close(fd) == 0 && good)
        return CVG_OK;
    (void)unlink(path);
    return cvg_fail(why, CVG_ERR_IO, "%s: %s", path, strerror(problem));
}

/* Writes all, or takes back what was written. */
static enum cvg_error write_all(const struct new_files *files, gid_t group, struct cvg_why *why)
{
    static const mode_t modes[FILES] = {0600, 0644, 0600, 0644, 0644, 0644};
    enum cvg_error err = CVG_OK;
    int written = 0;
    mode_t mask = umask(022);
    while (err == CVG_OK && written < FILES) {
        bool key = written == TLS_KEY || written == SIGNING_KEY;
        err = write_new(files->path[written], &files->text[written], modes[written],
                        key ? group : NO_GROUP, why);
        if (err == CVG_OK)
            written++;
    }
    while (err != CVG_OK && written > 0)
        (void)unlink(files->path[--written]);
    umask(mask);
    return err;
}

static enum cvg_error make_directory(const char *directory, struct cvg_why *why)
{
    mode_t mask = umask(022);
    bool good = mkdir(directory, 0755) == 0 || errno == EEXIST;
    int problem = errno;
    umask(mask);
    if (!good)
        return cvg_fail(why, CVG_ERR_IO, "%s: %s", directory, strerror(problem));
    return CVG_OK;
}

enum cvg_error cvg_init_write(const struct cvg_init *init,
                              char ret_fingerprint[static CVG_FINGERPRINT_TEXT_MAX],
                              struct cvg_why *ret_why)
{
    struct new_files files = {.path = {""}};
    struct cvg_endpoint host;
    gid_t group = NO_GROUP;
    for (int i = 0; i < FILES; i++)
        cvg_buffer_init(&files.text[i], CVG_BUNDLE_MAX);
    enum cvg_error err = check_name(init->name, ret_why);
    if (err == CVG_OK)
        err = check_database(init->database, ret_why);
    if (err == CVG_OK)
        err = find_group(init->group, &group, ret_why);
    if (err == CVG_OK)
        err = cvg_endpoint_set(init->host, strlen(init->host), init->ssl_port, &host, ret_why);
    if (err == CVG_OK)
        err = set_paths(init, &files, ret_why);
    if (err == CVG_OK)
        err = make_identity(init, &host, &files, ret_fingerprint, ret_why);
    if (err == CVG_OK)
        err = make_configuration(init, &files.text[CONFIGURATION]);
    if (err == CVG_OK)
        err = make_directory(init->directory, ret_why);
    if (err == CVG_OK)
        err = write_all(&files, group, ret_why);
    for (int i = 0; i < FILES; i++)
        cvg_buffer_free(&files.text[i]);
    return err;
}
