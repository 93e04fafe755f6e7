/* SPDX-License-Identifier: MIT */
/* Reads a configuration with OpenSSL's own parser and computes what is missing in it. */
#include "tools/openssl-conf.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tools/openssl-where.h"

#define NAME_MAX_LEN 128

struct plan {
    CONF *conf;
    const char *module;
    struct cvg_buffer *block;
    char module_section[NAME_MAX_LEN];
    char default_section[NAME_MAX_LEN];
    bool need_module_section;
    bool need_default_section;
};

/* The last value of a key in exactly this section; OpenSSL's own look-up would fall back to the
 * default section. */
static const char *value_in(CONF *conf, const char *section, const char *key)
{
    STACK_OF(CONF_VALUE) *values = NCONF_get_section(conf, section);
    const char *value = NULL;

    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        const CONF_VALUE *item = sk_CONF_VALUE_value(values, i);

        if (strcmp(item->name, key) == 0)
            value = item->value;
    }
    return value;
}

static bool is_no(const char *value)
{
    return strcmp(value, "0") == 0 || strcasecmp(value, "no") == 0 ||
           strcasecmp(value, "false") == 0 || strcasecmp(value, "off") == 0;
}

/* Whether the section of a provider activates it. Before OpenSSL 3.2 any value does. */
static bool is_active(CONF *conf, const char *section)
{
    const char *value = value_in(conf, section, "activate");

    return value != NULL && (OpenSSL_version_num() < 0x30200000UL || !is_no(value));
}

static bool is_ours(const CONF_VALUE *item, CONF *conf)
{
    const char *identity = value_in(conf, item->value, "identity");

    return strcmp(item->name, CVG_PROVIDER_NAME) == 0 ||
           (identity != NULL && strcmp(identity, CVG_PROVIDER_NAME) == 0);
}

static bool any_active(CONF *conf, const char *providers)
{
    STACK_OF(CONF_VALUE) *values = NCONF_get_section(conf, providers);

    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        const CONF_VALUE *item = sk_CONF_VALUE_value(values, i);

        if (!is_ours(item, conf) && is_active(conf, item->value))
            return true;
    }
    return false;
}

static bool converge_is_active(CONF *conf, const char *providers, const char *module)
{
    const char *section = value_in(conf, providers, CVG_PROVIDER_NAME);
    const char *path = section != NULL ? value_in(conf, section, "module") : NULL;

    return path != NULL && strcmp(path, module) == 0 && is_active(conf, section) &&
           value_in(conf, section, "identity") == NULL;
}

/* A section name that is not in use yet: merging with a stranger's section would surprise. */
static void free_name(CONF *conf, const char *wish, char ret_name[static NAME_MAX_LEN])
{
    snprintf(ret_name, NAME_MAX_LEN, "%s", wish);
    for (unsigned number = 2; NCONF_get_section(conf, ret_name) != NULL; number++)
        snprintf(ret_name, NAME_MAX_LEN, "%s_%u", wish, number);
    ERR_clear_error();
}

/* The lines that make this section of providers load ours. */
static void complete_providers(struct plan *plan, const char *providers)
{
    const char *default_section = value_in(plan->conf, providers, "default");
    bool active = any_active(plan->conf, providers);

    if (active && converge_is_active(plan->conf, providers, plan->module))
        return;
    cvg_buffer_printf(plan->block, "[%s]\n", providers);
    if (!active && default_section == NULL) {
        plan->need_default_section = true;
        cvg_buffer_printf(plan->block, "default = %s\n", plan->default_section);
    }
    plan->need_module_section = true;
    cvg_buffer_printf(plan->block, "%s = %s\n", CVG_PROVIDER_NAME, plan->module_section);
    if (!active && default_section != NULL)
        cvg_buffer_printf(plan->block, "[%s]\nactivate = 1\n", default_section);
}

/* The same for the section that openssl_conf or nodejs_conf names. */
static void complete_init(struct plan *plan, const char *init, const char *new_providers)
{
    const char *providers = value_in(plan->conf, init, "providers");

    if (providers == NULL) {
        cvg_buffer_printf(plan->block, "[%s]\nproviders = %s\n", init, new_providers);
        providers = new_providers;
    }
    complete_providers(plan, providers);
}

static void put_module(struct plan *plan)
{
    if (plan->need_default_section)
        cvg_buffer_printf(plan->block, "[%s]\nactivate = 1\n", plan->default_section);
    if (!plan->need_module_section)
        return;
    cvg_buffer_printf(plan->block, "[%s]\nmodule = ", plan->module_section);
    cvg_openssl_put_path(plan->block, plan->module);
    cvg_buffer_put_text(plan->block, "\nactivate = 1\n");
}

static void make_plan(struct plan *plan)
{
    const char *openssl = value_in(plan->conf, "default", "openssl_conf");
    const char *node = value_in(plan->conf, "default", "nodejs_conf");
    char init[NAME_MAX_LEN], providers[NAME_MAX_LEN], node_providers[NAME_MAX_LEN];

    free_name(plan->conf, "converge_init", init);
    free_name(plan->conf, "converge_providers", providers);
    free_name(plan->conf, "converge_node_providers", node_providers);
    free_name(plan->conf, "converge_module", plan->module_section);
    free_name(plan->conf, "converge_default", plan->default_section);
    if (openssl == NULL || node == NULL)
        cvg_buffer_put_text(plan->block, "[default]\n");
    if (openssl == NULL) {
        cvg_buffer_printf(plan->block, "openssl_conf = %s\n", init);
        openssl = init;
    }
    if (node == NULL) {
        cvg_buffer_printf(plan->block, "nodejs_conf = %s\n", openssl);
        node = openssl;
    }
    complete_init(plan, openssl, providers);
    if (strcmp(node, openssl) != 0) {
        const char *other = value_in(plan->conf, openssl, "providers");
        const char *own = value_in(plan->conf, node, "providers");

        if (other == NULL || own == NULL || strcmp(other, own) != 0)
            complete_init(plan, node, node_providers);
    }
    put_module(plan);
}

static CONF *load(const char *text, size_t len, const char *name, struct cvg_why *ret_why)
{
    CONF *conf = NCONF_new(NULL);
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    long line = 0;
    char reason[256] = "out of memory";

    if (conf != NULL && bio != NULL && NCONF_load_bio(conf, bio, &line) > 0) {
        BIO_free(bio);
        ERR_clear_error();
        return conf;
    }
    if (ERR_peek_error() != 0)
        ERR_error_string_n(ERR_peek_error(), reason, sizeof reason);
    cvg_fail(ret_why, CVG_ERR_CONFIG, "%s: line %ld: OpenSSL cannot read it: %s", name, line,
             reason);
    ERR_clear_error();
    NCONF_free(conf);
    BIO_free(bio);
    return NULL;
}

enum cvg_error cvg_openssl_block(const char *text, size_t len, const char *name, const char *module,
                                 struct cvg_buffer *ret_block, struct cvg_why *ret_why)
{
    struct plan plan = {.module = module, .block = ret_block};

    if (len > CVG_OPENSSL_CONF_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%s: larger than %d octets", name,
                        CVG_OPENSSL_CONF_MAX);
    plan.conf = load(text, len, name, ret_why);
    if (plan.conf == NULL)
        return CVG_ERR_CONFIG;
    cvg_buffer_clear(ret_block);
    make_plan(&plan);
    NCONF_free(plan.conf);
    ERR_clear_error();
    if (cvg_buffer_error(ret_block) != CVG_OK)
        return cvg_fail(ret_why, cvg_buffer_error(ret_block), "%s",
                        cvg_strerror(cvg_buffer_error(ret_block)));
    return CVG_OK;
}

enum cvg_error cvg_openssl_put_path(struct cvg_buffer *buffer, const char *path)
{
    for (; *path != '\0'; path++) {
        if (!isalnum((unsigned char)*path) && strchr("/._-+,:@%=", *path) == NULL)
            cvg_buffer_put_u8(buffer, '\\');
        cvg_buffer_put_u8(buffer, (uint8_t)*path);
    }
    return cvg_buffer_error(buffer);
}

char *cvg_openssl_conf_in_use(void)
{
    const char *path = secure_getenv("OPENSSL_CONF");
    char own[PATH_MAX];

    if (path != NULL)
        return strdup(path);
    cvg_openssl_own_conf(own);
    return strdup(own);
}

enum cvg_error cvg_module_path(const char **ret_path, struct cvg_why *ret_why)
{
    const char *path = secure_getenv("CONVERGE_MODULE");

    if (path == NULL)
        path = CVG_MODULESDIR "/converge.so";
    if (path[0] != '/')
        return cvg_fail(ret_why, CVG_ERR_CONFIG, "CONVERGE_MODULE must be an absolute path, not %s",
                        path);
    if (strpbrk(path, "\n\r") != NULL || access(path, R_OK) != 0)
        return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "cannot read the module %s: %s", path,
                        strerror(errno));
    *ret_path = path;
    return CVG_OK;
}
