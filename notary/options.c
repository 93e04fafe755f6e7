/* SPDX-License-Identifier: MIT */
/* The command line of converge-notaryd. */
#include "notary/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char cvg_options_help[] =
    "Usage: converge-notaryd --config FILE [--take-over] [--ready-fd N] [--verbose]\n"
    "       converge-notaryd --config FILE --check\n"
    "       converge-notaryd --init DIR --name NAME --host HOST [OPTIONS]\n"
    "       converge-notaryd --next-keys DIR [--tls] [--signing]\n"
    "       converge-notaryd --rotate DIR [--keep-key]\n"
    "\n"
    "Looks at TLS servers from its own place on the network and tells which certificates it\n"
    "sees there, signed.\n"
    "\n"
    "Serving:\n"
    "  --config FILE       the configuration, such as DIR/notary.conf\n"
    "  --check             read everything the configuration names, then exit\n"
    "  --take-over         take the place of the notary that runs with this configuration,\n"
    "                      without refusing a connection\n"
    "  --ready-fd N        write \"ready\" and a newline to descriptor N when listening\n"
    "  --verbose           log more\n"
    "\n"
    "Making a notary:\n"
    "  --init DIR          write keys, certificate, bundles and notary.conf into DIR;\n"
    "                      files that exist are never overwritten\n"
    "  --name NAME         its name: letters, digits, '.', '-' and '_'\n"
    "  --host HOST         the name or address under which clients reach it\n"
    "  --ssl-port N        direct queries (443)\n"
    "  --bounce-port N     queries that come through a relay (4242)\n"
    "  --relay-port N      this notary as a relay for others (80); 0 for none\n"
    "  --status-port N     the status page and metrics, at loopback only (0: none)\n"
    "  --region CC         the country it is in, two capital letters\n"
    "  --operator TEXT     who runs it\n"
    "  --address IP        an address of HOST, so that clients need no DNS; repeatable\n"
    "  --group NAME        a group that may read the keys (else their owner alone)\n"
    "  --database FILE     what notary.conf says (data/observations.gdbm)\n"
    "\n"
    "Changing its keys:\n"
    "  --next-keys DIR     make the next keys beside the current ones, and a bundle that\n"
    "                      announces them; DIR holds notary.conf\n"
    "  --tls, --signing    only a TLS key and certificate, only a signing key\n"
    "  --rotate DIR        make the announced ones the current ones, and a bundle that says so\n"
    "  --keep-key          leave the former signing key in the bundle: clients that never saw\n"
    "                      the announcement can follow, and so can whoever took that key\n"
    "\n"
    "  --help              this text\n"
    "  --version           the version\n"
    "\n"
    "Signals: SIGHUP reads the configuration and what it names again; SIGTERM lets what is\n"
    "under way end, then exits.\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage.\n";

enum option_id {
    OPT_CONFIG = 256,
    OPT_CHECK,
    OPT_READY_FD,
    OPT_TAKE_OVER,
    OPT_VERBOSE,
    OPT_INIT,
    OPT_NAME,
    OPT_HOST,
    OPT_SSL_PORT,
    OPT_BOUNCE_PORT,
    OPT_RELAY_PORT,
    OPT_STATUS_PORT,
    OPT_REGION,
    OPT_OPERATOR,
    OPT_ADDRESS,
    OPT_GROUP,
    OPT_DATABASE,
    OPT_NEXT_KEYS,
    OPT_TLS,
    OPT_SIGNING,
    OPT_ROTATE,
    OPT_KEEP_KEY,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"check", no_argument, NULL, OPT_CHECK},
    {"take-over", no_argument, NULL, OPT_TAKE_OVER},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"init", required_argument, NULL, OPT_INIT},
    {"name", required_argument, NULL, OPT_NAME},
    {"host", required_argument, NULL, OPT_HOST},
    {"ssl-port", required_argument, NULL, OPT_SSL_PORT},
    {"bounce-port", required_argument, NULL, OPT_BOUNCE_PORT},
    {"relay-port", required_argument, NULL, OPT_RELAY_PORT},
    {"status-port", required_argument, NULL, OPT_STATUS_PORT},
    {"region", required_argument, NULL, OPT_REGION},
    {"operator", required_argument, NULL, OPT_OPERATOR},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"group", required_argument, NULL, OPT_GROUP},
    {"database", required_argument, NULL, OPT_DATABASE},
    {"next-keys", required_argument, NULL, OPT_NEXT_KEYS},
    {"tls", no_argument, NULL, OPT_TLS},
    {"signing", no_argument, NULL, OPT_SIGNING},
    {"rotate", required_argument, NULL, OPT_ROTATE},
    {"keep-key", no_argument, NULL, OPT_KEEP_KEY},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static enum cvg_error number(const char *name, const char *text, unsigned min, unsigned max,
                             unsigned *ret_number, struct cvg_why *why)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < min || value > max)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--%s takes a number from %u to %u", name, min, max);
    *ret_number = (unsigned)value;
    return CVG_OK;
}

static enum cvg_error add_address(const char *text, struct cvg_init *init, struct cvg_why *why)
{
    if (init->addresses.count == CVG_INIT_ADDRESSES)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--address can be given %d times at most",
                        CVG_INIT_ADDRESSES);
    if (cvg_address_parse(text, &init->addresses.address[init->addresses.count]) != CVG_OK)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--address takes an IPv4 or IPv6 address");
    init->addresses.count++;
    return CVG_OK;
}

/* The options of --init; false if it is none of them. */
static bool take_init(int id, const char *value, struct cvg_init *init, struct cvg_why *why,
                      enum cvg_error *ret_err)
{
    enum cvg_error err = CVG_OK;
    switch (id) {
    case OPT_NAME:
        init->name = value;
        break;
    case OPT_HOST:
        init->host = value;
        break;
    case OPT_SSL_PORT:
        err = number("ssl-port", value, 1, 65535, &init->ssl_port, why);
        break;
    case OPT_BOUNCE_PORT:
        err = number("bounce-port", value, 1, 65535, &init->bounce_port, why);
        break;
    case OPT_RELAY_PORT:
        err = number("relay-port", value, 0, 65535, &init->relay_port, why);
        break;
    case OPT_STATUS_PORT:
        err = number("status-port", value, 0, 65535, &init->status_port, why);
        break;
    case OPT_REGION:
        init->region = value;
        break;
    case OPT_OPERATOR:
        init->operator_name = value;
        break;
    case OPT_ADDRESS:
        err = add_address(value, init, why);
        break;
    case OPT_GROUP:
        init->group = value;
        break;
    case OPT_DATABASE:
        init->database = value;
        break;
    default:
        return false;
    }
    *ret_err = err;
    return true;
}

/* The options of --next-keys and --rotate; false if it is none of them. */
static bool take_rotate(int id, struct cvg_rotate *rotate)
{
    switch (id) {
    case OPT_TLS:
        rotate->tls = true;
        return true;
    case OPT_SIGNING:
        rotate->signing = true;
        return true;
    case OPT_KEEP_KEY:
        rotate->keep_key = true;
        return true;
    default:
        return false;
    }
}

static enum cvg_error take(int id, const char *value, struct cvg_options *options,
                           struct cvg_why *why)
{
    unsigned ready_fd = 0;
    enum cvg_error err = CVG_OK;
    switch (id) {
    case OPT_CONFIG:
        options->config = value;
        break;
    case OPT_CHECK:
        options->command = CVG_COMMAND_CHECK;
        break;
    case OPT_READY_FD:
        err = number("ready-fd", value, 0, 65535, &ready_fd, why);
        options->ready_fd = (int)ready_fd;
        break;
    case OPT_TAKE_OVER:
        options->take_over = true;
        break;
    case OPT_VERBOSE:
        options->verbose = true;
        break;
    case OPT_INIT:
        options->command = CVG_COMMAND_INIT;
        options->init.directory = value;
        break;
    case OPT_NEXT_KEYS:
        options->command = CVG_COMMAND_NEXT_KEYS;
        options->rotate.directory = value;
        break;
    case OPT_ROTATE:
        options->command = CVG_COMMAND_ROTATE;
        options->rotate.directory = value;
        break;
    case OPT_HELP:
        options->command = CVG_COMMAND_HELP;
        break;
    case OPT_VERSION:
        options->command = CVG_COMMAND_VERSION;
        break;
    default:
        if (take_init(id, value, &options->init, why, &err) || take_rotate(id, &options->rotate))
            break;
        return cvg_fail(why, CVG_ERR_ARGUMENT, "unknown option or missing value; see --help");
    }
    return err;
}

static enum cvg_error check(const struct cvg_options *options, struct cvg_why *why)
{
    const struct cvg_rotate *rotate = &options->rotate;
    bool init = options->command == CVG_COMMAND_INIT;
    bool keys = options->command == CVG_COMMAND_NEXT_KEYS || options->command == CVG_COMMAND_ROTATE;
    if (init && (options->init.name == NULL || options->init.host == NULL))
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--init needs --name and --host");
    if (!init && !keys && options->config == NULL)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--config FILE or --init DIR is needed; see --help");
    if ((init || keys) && options->config != NULL)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--config goes only with serving and --check");
    if ((rotate->tls || rotate->signing) && options->command != CVG_COMMAND_NEXT_KEYS)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--tls and --signing go only with --next-keys");
    if (options->take_over && options->command != CVG_COMMAND_SERVE)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--take-over goes only with serving");
    if (rotate->keep_key && options->command != CVG_COMMAND_ROTATE)
        return cvg_fail(why, CVG_ERR_ARGUMENT, "--keep-key goes only with --rotate");
    return CVG_OK;
}

enum cvg_error cvg_options_parse(int argc, char **argv, struct cvg_options *ret_options,
                                 struct cvg_why *ret_why)
{
    struct cvg_options options = {.command = CVG_COMMAND_SERVE, .ready_fd = -1};
    cvg_init_defaults(&options.init);
    opterr = 0;
    for (int id; (id = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        enum cvg_error err = take(id, optarg, &options, ret_why);
        if (err != CVG_OK)
            return err;
        if (options.command == CVG_COMMAND_HELP || options.command == CVG_COMMAND_VERSION)
            break;
    }
    if (options.command != CVG_COMMAND_HELP && options.command != CVG_COMMAND_VERSION) {
        if (optind < argc)
            return cvg_fail(ret_why, CVG_ERR_ARGUMENT, "%s: options only; see --help",
                            argv[optind]);
        if (!options.rotate.tls && !options.rotate.signing &&
            options.command == CVG_COMMAND_NEXT_KEYS)
            options.rotate.tls = options.rotate.signing = true;
        enum cvg_error err = check(&options, ret_why);
        if (err != CVG_OK)
            return err;
    }
    *ret_options = options;
    return CVG_OK;
}
