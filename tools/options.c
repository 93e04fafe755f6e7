/* SPDX-License-Identifier: MIT */
/* The options of every command, over getopt_long. */
#include "tools/tools.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

#include "common/libconverge/idn.h"
#include "tools/when.h"

#define OPTIONS_MAX 20
#define OPTION_BASE 1000
#define OPTION_HELP 900
#define OPTION_JSON 901

static void fill_long(const struct cvg_option *options, struct option *ret_long)
{
    size_t count = 0;

    for (; options[count].name != NULL; count++)
        ret_long[count] = (struct option){
            options[count].name, options[count].value != NULL ? required_argument : no_argument,
            NULL, OPTION_BASE + (int)count};
    ret_long[count] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    ret_long[count + 1] = (struct option){"json", no_argument, NULL, OPTION_JSON};
    ret_long[count + 2] = (struct option){NULL, 0, NULL, 0};
}

static void take(const struct cvg_option *option, const char *value)
{
    if (option->value != NULL)
        *option->value = value;
    else
        *option->flag = true;
}

/* A wrong command line is told in JSON too, wherever --json stands on it. */
static void look_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            cvg_output_set_json(true);
}

int cvg_options_parse(const struct cvg_command *command, int argc, char **argv, bool in_order,
                      const struct cvg_option *options, int *ret_first)
{
    struct option long_options[OPTIONS_MAX];
    int code;

    fill_long(options, long_options);
    if (!in_order)
        look_for_json(argc, argv);
    opterr = 0;
    optind = 1;
    while ((code = getopt_long(argc, argv, in_order ? "+:h" : ":h", long_options, NULL)) != -1) {
        if (code == OPTION_HELP || code == 'h') {
            cvg_output_help(command);
            return CVG_EXIT_OK;
        }
        if (code == OPTION_JSON)
            cvg_output_set_json(true);
        else if (code == ':')
            return cvg_output_usage(command, "%s needs a value", argv[optind - 1]);
        else if (code == '?')
            return cvg_output_usage(command, "there is no option %s", argv[optind - 1]);
        else
            take(&options[code - OPTION_BASE], optarg);
    }
    *ret_first = optind;
    return CVG_GO_ON;
}

/* A port that does not change with the default was in the text. */
int cvg_operand_endpoint(const struct cvg_command *command, const char *operand,
                         struct cvg_endpoint *ret_endpoint, bool *ret_any_port)
{
    struct cvg_endpoint other;
    struct cvg_why why = {""};

    if (cvg_user_endpoint_parse(operand, 443, ret_endpoint, &why) != CVG_OK ||
        cvg_user_endpoint_parse(operand, 444, &other, &why) != CVG_OK)
        return cvg_output_usage(command, "%s", why.text);
    *ret_any_port = other.port != ret_endpoint->port;
    return CVG_GO_ON;
}

int cvg_option_when(const struct cvg_command *command, const char *option, const char *text,
                    int64_t *ret_time_s)
{
    if (text != NULL && !cvg_when_parse(text, (int64_t)time(NULL), ret_time_s))
        return cvg_output_usage(command, "%s %s: " CVG_WHEN_HELP, option, text);
    return CVG_GO_ON;
}
