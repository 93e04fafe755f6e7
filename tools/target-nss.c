/* SPDX-License-Identifier: MIT */
/* The nss target: libconverge-nss.so in an NSS database, and out of it again. */
#include "tools/targets.h"

#include <stdio.h>
#include <string.h>

#include "tools/nss-try.h"

struct outcome {
    struct cvg_nss_db db;
    struct cvg_canary canary;
    bool tried;
};

static const char *proof(const struct outcome *outcome)
{
    if (!outcome->tried)
        return "NOT TRIED, since there is no NSS here";
    return outcome->canary.obeys ? "a canary handshake was watched, refused and accepted as told"
                                 : "the module is loaded and watches";
}

static int report_enabled(const struct outcome *outcome)
{
    const struct cvg_nss_db *db = &outcome->db;

    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:s, s:b, s:s, s:b, s:b}", "ok", 1, "database",
                                         db->directory, "file", db->file.path, "changed", !db->same,
                                         "name", db->name, "watching", outcome->canary.watching,
                                         "handshake", outcome->canary.obeys),
                               CVG_EXIT_OK);
    printf("%s: %s as \"%s\"; %s\n", db->file.path, db->same ? "enabled already" : "enabled",
           db->name, proof(outcome));
    if (db->old_library[0] != '\0')
        printf("It was there from another place: %s\n", db->old_library);
    if (!db->same)
        printf("Programs that run already notice nothing until they are started again.\n");
    return CVG_EXIT_OK;
}

/* The candidate goes through a canary before it may become the list. */
static enum cvg_error try_candidate(struct outcome *outcome, bool anyway, struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_nss_try(&outcome->db, NULL, &outcome->canary, ret_why);

    outcome->tried = err == CVG_OK;
    if (err == CVG_ERR_NOT_FOUND && anyway)
        return CVG_OK;
    if (err == CVG_OK && !cvg_canary_good(&outcome->canary))
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "nothing was changed: %s", outcome->canary.text);
    return err;
}

static enum cvg_error open_database(const char *dbdir, bool create, struct cvg_nss_db *ret_db,
                                    struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_nss_db_open(dbdir, ret_db, ret_why);

    if (err != CVG_ERR_NOT_FOUND || !create)
        return err;
    err = cvg_nss_db_create(dbdir, ret_why);
    return err == CVG_OK ? cvg_nss_db_open(dbdir, ret_db, ret_why) : err;
}

static int enable_database(const char *dbdir, const char *module,
                           const struct cvg_target_options *options)
{
    struct outcome outcome = {.tried = false};
    struct cvg_why why = {""};
    enum cvg_error err = open_database(dbdir, options->create, &outcome.db, &why);
    int code;

    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    err = cvg_nss_db_add(&outcome.db, module, &why);
    if (err == CVG_OK)
        err = try_candidate(&outcome, options->anyway, &why);
    if (err == CVG_OK)
        err = cvg_nss_db_write(&outcome.db, &why);
    code =
        err == CVG_OK ? report_enabled(&outcome) : cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    cvg_nss_db_close(&outcome.db);
    return code;
}

static int check_operands(const struct cvg_command *command,
                          const struct cvg_target_options *options, char *const operands[],
                          int count)
{
    if (options->file != NULL)
        return cvg_output_usage(command, "nss has no --file; it takes a DBDIR");
    if (count == 0)
        return cvg_output_usage(command, "which database? It takes DIR or sql:DIR");
    if (count > 1)
        return cvg_output_usage(command, "one database at a time, not also %s", operands[1]);
    return CVG_GO_ON;
}

static int enable(const struct cvg_command *command, const struct cvg_target_options *options,
                  char *const operands[], int count)
{
    const char *module = NULL;
    struct cvg_why why = {""};
    int code = check_operands(command, options, operands, count);

    if (code == CVG_GO_ON)
        code = cvg_target_check_notaries(options);
    if (code != CVG_GO_ON)
        return code;
    if (cvg_nss_module_path(&module, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    return enable_database(operands[0], module, options);
}

static int report_disabled(const struct cvg_nss_db *db)
{
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:s, s:s, s:b}", "ok", 1, "database", db->directory,
                                         "file", db->file.path, "changed", db->had),
                               CVG_EXIT_OK);
    printf("%s: %s\n", db->file.path, db->had ? "disabled" : "was not enabled");
    return CVG_EXIT_OK;
}

static int disable(const struct cvg_command *command, const struct cvg_target_options *options,
                   char *const operands[], int count)
{
    struct cvg_nss_db db;
    struct cvg_why why = {""};
    enum cvg_error err;
    int code = check_operands(command, options, operands, count);

    if (code != CVG_GO_ON)
        return code;
    if (cvg_nss_db_open(operands[0], &db, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    err = cvg_nss_db_remove(&db, &why);
    if (err == CVG_OK)
        err = cvg_nss_db_write(&db, &why);
    code = err == CVG_OK ? report_disabled(&db) : cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    cvg_nss_db_close(&db);
    return code;
}

const struct cvg_target cvg_target_nss = {
    .name = "nss",
    .enable = enable,
    .disable = disable,
};
