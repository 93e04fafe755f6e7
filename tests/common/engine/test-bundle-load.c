/* SPDX-License-Identifier: MIT */
/* The notaries of an installation: files that are believed and those that stop the loading, updates
 * that are kept, and no operator twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/log.h"
#include "common/engine/bundle.h"
#include "tests/common/protocol/bundle-maker.h"

static struct {
    struct cvg_paths paths;
    char directory[64];
    struct cvg_signing_key *key[4];
    char *certificate[3];
    unsigned warnings;
} with;

static void note(enum cvg_log_level level, const char *line, void *user)
{
    (void)line;
    (void)user;
    with.warnings += level <= CVG_LOG_WARNING;
}

static int group_set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        with.key[i] = maker_key();
    for (size_t i = 0; i < 3; i++)
        with.certificate[i] = maker_certificate("notary", 0);
    cvg_log_set_handler(note, CVG_LOG_WARNING, NULL);
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        cvg_signing_key_free(with.key[i]);
    for (size_t i = 0; i < 3; i++)
        free(with.certificate[i]);
    return 0;
}

static int set_up(void **state)
{
    char path[128];

    (void)state;
    strcpy(with.directory, "/tmp/cvg-bundles-XXXXXX");
    if (mkdtemp(with.directory) == NULL)
        return -1;
    with.warnings = 0;
    memset(&with.paths, 0, sizeof with.paths);
    with.paths.owner = geteuid();
    snprintf(with.paths.config_dir, sizeof with.paths.config_dir, "%s", with.directory);
    snprintf(with.paths.state_dir, sizeof with.paths.state_dir, "%s/state", with.directory);
    snprintf(path, sizeof path, "%s/notaries.d", with.directory);
    return mkdir(path, 0755);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", with.directory);
    return system(command);
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", with.directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

/* A version 2 bundle with keys first and first + 1, signed by signer. */
static char *bundle_of(const char *name, unsigned long long serial, size_t certificate,
                       size_t first, size_t signer)
{
    char *text = maker_text(name, serial, with.certificate[certificate],
                            (const struct cvg_signing_key *const *)with.key + first, 2, "");
    char *file = maker_sign(text, with.key[signer]);

    free(text);
    return file;
}

static void configure(const char *file, const char *name, unsigned long long serial,
                      size_t certificate, size_t first)
{
    char path[128], *text = bundle_of(name, serial, certificate, first, first);

    snprintf(path, sizeof path, "notaries.d/%s", file);
    write_file(path, text);
    free(text);
}

static struct cvg_bundles loaded(void)
{
    struct cvg_bundles bundles;
    struct cvg_why why = {""};

    if (cvg_bundles_load(&with.paths, &bundles, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return bundles;
}

static void refused(enum cvg_error expected, const char *word)
{
    struct cvg_bundles bundles, before;
    struct cvg_why why = {""};
    enum cvg_error err;

    memset(&bundles, 0x5a, sizeof bundles);
    before = bundles;
    err = cvg_bundles_load(&with.paths, &bundles, &why);
    if (err != expected || strstr(why.text, word) == NULL)
        fail_msg("expected \"%s\" (%s), got \"%s\" (%s)", cvg_strerror(expected), word,
                 cvg_strerror(err), why.text);
    assert_memory_equal(&bundles, &before, sizeof bundles);
}

static uint64_t serial_loaded(void)
{
    struct cvg_bundles bundles = loaded();
    uint64_t serial = bundles.bundle[0]->serial;

    assert_int_equal(bundles.count, 1);
    cvg_bundles_free(&bundles);
    return serial;
}

static void files_are_taken_in_the_order_of_their_names(void **state)
{
    struct cvg_bundles bundles;
    char *first = maker_version_1("zeta", with.certificate[1]);

    (void)state;
    configure("b.notary", "alpha", 1, 0, 0);
    write_file("notaries.d/a.notary", first);
    write_file("notaries.d/README", "not a bundle");
    write_file("notaries.d/c.notary~", "not a bundle");
    write_file("notaries.d/.d.notary", "not a bundle");
    bundles = loaded();
    assert_int_equal(bundles.count, 2);
    assert_string_equal(bundles.bundle[0]->name, "zeta");
    assert_string_equal(bundles.bundle[1]->name, "alpha");
    cvg_bundles_free(&bundles);
    free(first);
}

static void no_directory_is_no_notaries(void **state)
{
    struct cvg_bundles bundles;

    (void)state;
    strcat(with.paths.config_dir, "/missing");
    bundles = loaded();
    assert_int_equal(bundles.count, 0);
}

static void one_bad_file_stops_the_loading_and_is_named(void **state)
{
    char path[128];

    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0);
    write_file("notaries.d/beta.notary", "{\"version\": 1");
    refused(CVG_ERR_SYNTAX, "beta.notary");
    configure("beta.notary", "beta", 1, 1, 2);
    snprintf(path, sizeof path, "%s/notaries.d/beta.notary", with.directory);
    assert_int_equal(chmod(path, 0664), 0);
    refused(CVG_ERR_OWNER, "beta.notary");
    if (geteuid() == 0) {
        assert_int_equal(chmod(path, 0644), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        refused(CVG_ERR_OWNER, "beta.notary");
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("alpha.notary", path), 0);
    refused(CVG_ERR_OWNER, "beta.notary");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    refused(CVG_ERR_OWNER, "beta.notary");
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/notaries.d", with.directory);
    assert_int_equal(chmod(path, 0777), 0);
    refused(CVG_ERR_OWNER, "directory");
}

/* As root, in a child that is somebody else: root reads everything. */
static void an_unreadable_file_stops_the_loading(void **state)
{
    char path[128];
    int status = 1;
    pid_t child;

    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0);
    snprintf(path, sizeof path, "%s/notaries.d/alpha.notary", with.directory);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(with.directory, 0755), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && seteuid(65534) != 0)
            _exit(1);
        refused(CVG_ERR_IO, "alpha.notary");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void nobody_has_two_votes(void **state)
{
    (void)state;
    configure("a.notary", "alpha", 1, 0, 0);
    configure("b.notary", "Alpha", 1, 1, 2);
    refused(CVG_ERR_CONFIG, "name");
    configure("b.notary", "beta", 1, 0, 2);
    refused(CVG_ERR_CONFIG, "certificate");
    configure("b.notary", "beta", 1, 1, 1);
    refused(CVG_ERR_CONFIG, "signing key");
}

static void more_than_64_notaries_are_too_many(void **state)
{
    char file[64], name[16];

    (void)state;
    for (unsigned i = 0; i <= CVG_BUNDLES_MAX; i++) {
        char *pem = maker_certificate("n", 0), *text;

        snprintf(name, sizeof name, "n%02u", i);
        snprintf(file, sizeof file, "notaries.d/%s.notary", name);
        text = maker_version_1(name, pem);
        write_file(file, text);
        free(text);
        free(pem);
    }
    refused(CVG_ERR_RANGE, "64");
}

/* Accepts an update of the first that is loaded now. */
static enum cvg_error accept_text(const char *text)
{
    struct cvg_bundles bundles = loaded();
    struct cvg_bundle *updated = NULL;
    enum cvg_error err =
        cvg_bundle_accept(&with.paths, bundles.bundle[0], text, strlen(text), &updated, NULL);

    assert_true((err == CVG_OK) == (updated != NULL));
    cvg_bundle_free(updated);
    cvg_bundles_free(&bundles);
    return err;
}

static enum cvg_error accept_update(unsigned long long serial, size_t first, size_t signer)
{
    char *text = bundle_of("alpha", serial, 0, first, signer);
    enum cvg_error err = accept_text(text);

    free(text);
    return err;
}

static void accepted_updates_last_through_changes_of_keys(void **state)
{
    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0); /* keys 0 and 1 */
    assert_int_equal(accept_update(2, 0, 0), CVG_OK);
    assert_int_equal(serial_loaded(), 2);
    assert_int_equal(accept_update(2, 0, 0), CVG_ERR_VERSION);
    assert_int_equal(accept_update(3, 1, 1), CVG_OK); /* keys 1 and 2 */
    assert_int_equal(serial_loaded(), 3);
    assert_int_equal(accept_update(4, 0, 0), CVG_ERR_SIGNATURE); /* key 0 is no longer one */
    assert_int_equal(accept_update(5, 2, 2), CVG_OK);            /* keys 2 and 3 */
    assert_int_equal(serial_loaded(), 5);
    assert_int_equal(accept_update(6, 1, 1), CVG_ERR_SIGNATURE);
    assert_int_equal(accept_update(7, 2, 3), CVG_OK);
    assert_int_equal(serial_loaded(), 7);
    assert_int_equal(with.warnings, 0);
}

static bool is_kept(const char *file)
{
    char path[256];

    snprintf(path, sizeof path, "%s/state/bundles/%s", with.directory, file);
    return access(path, F_OK) == 0;
}

static void updates_that_are_no_longer_needed_are_removed(void **state)
{
    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0);
    assert_int_equal(accept_update(2, 0, 0), CVG_OK);
    assert_int_equal(accept_update(3, 0, 0), CVG_OK);
    assert_int_equal(serial_loaded(), 3);
    assert_false(is_kept("alpha.2.notary"));
    assert_true(is_kept("alpha.3.notary"));
    configure("alpha.notary", "alpha", 3, 0, 0); /* the administrator takes the new one over */
    assert_int_equal(serial_loaded(), 3);
    assert_false(is_kept("alpha.3.notary"));
}

static void kept_updates_that_are_not_valid_are_left_aside(void **state)
{
    char *foreign = bundle_of("alpha", 9, 0, 2, 2), *other = bundle_of("beta", 9, 0, 0, 0);

    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0);
    assert_int_equal(accept_update(2, 0, 0), CVG_OK);
    write_file("state/bundles/alpha.8.notary", "{}");
    write_file("state/bundles/alpha.9.notary", foreign);
    write_file("state/bundles/alpha.10.notary", other);
    write_file("state/bundles/alpha.x.notary", foreign);
    write_file("state/bundles/beta.9.notary", foreign);
    assert_int_equal(serial_loaded(), 2);
    assert_int_equal(with.warnings, 3);
    free(foreign);
    free(other);
}

static void another_key_of_the_administrators_ends_old_updates(void **state)
{
    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0);
    assert_int_equal(accept_update(2, 0, 0), CVG_OK);
    configure("alpha.notary", "alpha", 1, 0, 2); /* begun anew with keys 2 and 3 */
    assert_int_equal(serial_loaded(), 1);
    assert_int_equal(with.warnings, 1);
}

static void an_update_that_takes_anothers_certificate_or_key_is_left_aside(void **state)
{
    struct cvg_bundles bundles;
    char *thief = bundle_of("alpha", 2, 1, 0, 0), *key_thief = bundle_of("alpha", 2, 0, 1, 1);

    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0); /* keys 0 and 1 */
    configure("beta.notary", "beta", 1, 1, 2);   /* keys 2 and 3 */
    bundles = loaded();
    assert_int_equal(bundles.count, 2);
    cvg_bundles_free(&bundles);
    assert_int_equal(accept_text(thief), CVG_OK);
    bundles = loaded();
    assert_int_equal(bundles.count, 2);
    assert_int_equal(bundles.bundle[0]->serial, 1);
    assert_int_equal(with.warnings, 1);
    cvg_bundles_free(&bundles);
    assert_int_equal(accept_text(key_thief), CVG_OK); /* keys 1 and 2 */
    bundles = loaded();
    assert_int_equal(bundles.bundle[0]->serial, 1);
    assert_int_equal(with.warnings, 3); /* accepting loaded them, too */
    cvg_bundles_free(&bundles);
    free(thief);
    free(key_thief);
}

static void an_update_that_cannot_be_kept_is_not_accepted(void **state)
{
    (void)state;
    configure("alpha.notary", "alpha", 1, 0, 0);
    write_file("state", "in the way");
    assert_int_not_equal(accept_update(2, 0, 0), CVG_OK);
    assert_int_equal(serial_loaded(), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(files_are_taken_in_the_order_of_their_names),
        CASE(no_directory_is_no_notaries),
        CASE(one_bad_file_stops_the_loading_and_is_named),
        CASE(an_unreadable_file_stops_the_loading),
        CASE(nobody_has_two_votes),
        CASE(more_than_64_notaries_are_too_many),
        CASE(accepted_updates_last_through_changes_of_keys),
        CASE(updates_that_are_no_longer_needed_are_removed),
        CASE(kept_updates_that_are_not_valid_are_left_aside),
        CASE(another_key_of_the_administrators_ends_old_updates),
        CASE(an_update_that_takes_anothers_certificate_or_key_is_left_aside),
        CASE(an_update_that_cannot_be_kept_is_not_accepted),
    };

    return cmocka_run_group_tests_name("bundle-load", tests, group_set_up, group_tear_down);
}
