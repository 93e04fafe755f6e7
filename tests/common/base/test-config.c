/* SPDX-License-Identifier: MIT */
/* converge.conf: the defaults, every key at the limits of what it allows, and every kind of mistake
 * with the file, the line and the help that a person gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/keys.h"

static struct cvg_config config;

static enum cvg_error parse(const char *text, struct cvg_why *why)
{
    return cvg_config_parse(text, strlen(text), "converge.conf", &config, why);
}

static void assert_parsed(const char *text)
{
    struct cvg_why why;

    if (parse(text, &why) != CVG_OK)
        fail_msg("%s: %s", text, why.text);
}

/* Refused, with a sentence that begins and ends like that, and nothing changed. */
static void assert_refused(const char *text, size_t len, const char *begins, const char *contains)
{
    static struct cvg_config before;
    struct cvg_why why = {""};

    memcpy(&before, &config, sizeof before);
    if (cvg_config_parse(text, len, "converge.conf", &config, &why) == CVG_OK)
        fail_msg("'%s' was taken", text);
    assert_memory_equal(&before, &config, sizeof before);
    if (strncmp(why.text, begins, strlen(begins)) != 0 || strstr(why.text, contains) == NULL)
        fail_msg("'%s': %s", text, why.text);
}

static void bad(const char *text, const char *contains)
{
    assert_refused(text, strlen(text), "converge.conf:1: ", contains);
}

static void an_empty_file_is_the_defaults(void **state)
{
    (void)state;
    assert_parsed("");
    assert_int_equal(config.agent, CVG_AGENT_SYSTEM);
    assert_false(config.lock);
    assert_int_equal(config.mode, CVG_MODE_AUGMENT);
    assert_int_equal(config.match, CVG_MATCH_CERTIFICATE);
    assert_int_equal(config.threshold, CVG_THRESHOLD_MAJORITY);
    assert_int_equal(config.quorum, 3);
    assert_int_equal(config.min_votes, 0);
    assert_int_equal(config.on_unreachable, CVG_UNREACHABLE_DENY);
    assert_int_equal(config.deadline_ms, 2000);
    assert_int_equal(config.cache_ttl_s, 7776000);
    assert_int_equal(config.negative_ttl_s, 5);
    assert_int_equal(config.bounce, CVG_BOUNCE_AUTO);
    assert_true(config.exempt_private_pki);
    assert_true(config.exempt_special_names);
    assert_int_equal(config.exempt_names.count, 0);
    assert_string_equal(config.public_anchors, "/usr/share/ca-certificates/mozilla");
    assert_int_equal(config.tunnel_ports_count, 1);
    assert_int_equal(config.tunnel_ports[0], 443);
    assert_int_equal(config.exclude_programs.count, 0);
    assert_true(config.allow_off);
    assert_int_equal(config.budget_per_minute, 600);
    assert_int_equal(config.idle_exit_s, 600);
    assert_string_equal(config.log, "syslog");
    assert_true(config.portal_check);
    assert_int_equal(config.history, 8 << 20);
    assert_true(config.bundle_update);
}

static void every_key_is_read(void **state)
{
    (void)state;
    assert_parsed("# all of them\n"
                  "agent = user\nlock = yes\nmode = replace\nmatch = public-key\n"
                  "threshold = consensus\nquorum = 5\nmin_votes = 4\non_unreachable = known\n"
                  "deadline = 500ms\ncache_ttl = 10d\nnegative_ttl = 30s\nbounce = off\n"
                  "exempt_private_pki = no\nexempt_special_names = no\n"
                  "exempt_names = *.Corp.Example.com www.example.org. 192.0.2.1\n"
                  "public_anchors = /etc/anchors.pem\ntunnel_ports = 443 8443\t993\n"
                  "exclude_programs = unbound my-resolver\nallow_off = no\n"
                  "budget_per_minute = 60\n"
                  "idle_exit = 5h\nlog = /var/log/converge.log\nportal_check = no\n"
                  "history = 2M\n"
                  "bundle_update = no\n");
    assert_int_equal(config.agent, CVG_AGENT_USER);
    assert_true(config.lock);
    assert_int_equal(config.mode, CVG_MODE_REPLACE);
    assert_int_equal(config.match, CVG_MATCH_PUBLIC_KEY);
    assert_int_equal(config.threshold, CVG_THRESHOLD_CONSENSUS);
    assert_int_equal(config.quorum, 5);
    assert_int_equal(config.min_votes, 4);
    assert_int_equal(config.on_unreachable, CVG_UNREACHABLE_KNOWN);
    assert_int_equal(config.deadline_ms, 500);
    assert_int_equal(config.cache_ttl_s, 864000);
    assert_int_equal(config.negative_ttl_s, 30);
    assert_int_equal(config.bounce, CVG_BOUNCE_OFF);
    assert_false(config.exempt_private_pki);
    assert_false(config.exempt_special_names);
    assert_int_equal(config.exempt_names.count, 3);
    assert_string_equal(config.exempt_names.word[0], "*.corp.example.com");
    assert_string_equal(config.exempt_names.word[1], "www.example.org");
    assert_string_equal(config.exempt_names.word[2], "192.0.2.1");
    assert_string_equal(config.public_anchors, "/etc/anchors.pem");
    assert_int_equal(config.tunnel_ports_count, 3);
    assert_int_equal(config.tunnel_ports[2], 993);
    assert_int_equal(config.exclude_programs.count, 2);
    assert_string_equal(config.exclude_programs.word[1], "my-resolver");
    assert_false(config.allow_off);
    assert_int_equal(config.budget_per_minute, 60);
    assert_int_equal(config.idle_exit_s, 18000);
    assert_string_equal(config.log, "/var/log/converge.log");
    assert_false(config.portal_check);
    assert_int_equal(config.history, 2 << 20);
    assert_false(config.bundle_update);
}

static void every_word_of_every_choice(void **state)
{
    (void)state;
    assert_parsed("agent = system\nmode = augment\nmatch = certificate\nthreshold = majority\n"
                  "on_unreachable = deny\nbounce = auto\nlog = syslog\n");
    assert_int_equal(config.mode, CVG_MODE_AUGMENT);
    assert_int_equal(config.on_unreachable, CVG_UNREACHABLE_DENY);
    assert_parsed("mode = monitor\non_unreachable = allow\nbounce = on\nthreshold = 2\n");
    assert_int_equal(config.mode, CVG_MODE_MONITOR);
    assert_int_equal(config.on_unreachable, CVG_UNREACHABLE_ALLOW);
    assert_int_equal(config.bounce, CVG_BOUNCE_ON);
    assert_int_equal(config.threshold, CVG_THRESHOLD_COUNT);
    assert_int_equal(config.threshold_count, 2);
}

static void blanks_comments_and_line_ends_are_tolerated(void **state)
{
    (void)state;
    assert_parsed("\r\n \t\r\n# mode = replace\r\n\tquorum=4\t# four\r\n  mode  =  monitor ");
    assert_int_equal(config.quorum, 4);
    assert_int_equal(config.mode, CVG_MODE_MONITOR);
    assert_parsed("log = /var/log/a#b c\n");
    assert_string_equal(config.log, "/var/log/a#b c");
    assert_parsed("exempt_names =\ntunnel_ports = \nexclude_programs = # none\n");
    assert_int_equal(config.tunnel_ports_count, 0);
}

static void mistakes_name_the_file_the_line_and_what_is_allowed(void **state)
{
    static const char nul[] = "mode = augment\nquorum = 3\0\n";

    (void)state;
    assert_parsed("");
    bad("colour = red\n", "unknown key 'colour'; allowed are agent, lock, mode, ");
    bad("= red\n", "unknown key ''");
    bad("Mode = augment\n", "unknown key 'Mode'");
    bad("mode augment\n", "no '='");
    bad("augment", "no '='");
    bad("mode = augmented\n", "mode = 'augmented': augment, monitor or replace");
    bad("mode =\n", "mode = '': augment");
    bad("mode = Replace\n", "augment, monitor or replace");
    bad("mode = augment monitor\n", "augment, monitor or replace");
    assert_refused("# x\n\nmode = augment\r\nmode = augment\n", 37,
                   "converge.conf:4: ", "'mode' is given a second time");
    assert_refused("quorum = 3\nquorum = 4", 21, "converge.conf:2: ", "second time");
    assert_refused(nul, sizeof nul - 1, "converge.conf:2: ", "control character 0x00 at column 11");
    bad("mo\rde = augment\n", "control character 0x0d");
    bad("mode = \033[2Jaugment\n", "control character 0x1b");
    bad("mode = \x7f\n", "control character 0x7f");
    bad("\xef\xbb\xbfmode = augment\n", "unknown key '???mode'");
}

static void lines_at_the_longest(void **state)
{
    char text[CVG_LINE_MAX + 8];

    (void)state;
    assert_parsed("");
    memset(text, '#', sizeof text);
    strcpy(text + CVG_LINE_MAX, "\r\n");
    assert_parsed(text);
    strcpy(text + CVG_LINE_MAX, "#\n");
    bad(text, "at most 4096");
}

struct range {
    const char *key, *lowest, *highest, *below, *above;
};

static void numbers_and_durations_at_their_limits(void **state)
{
    static const struct range ranges[] = {
        {"quorum", "1", "16", "0", "17"},
        {"min_votes", "0", "16", "-1", "17"},
        {"threshold", "1", "16", "0", "17"},
        {"budget_per_minute", "1", "1000000", "0", "1000001"},
        {"deadline", "100ms", "60s", "99ms", "60001ms"},
        {"cache_ttl", "0", "3650d", "-1s", "3651d"},
        {"negative_ttl", "0s", "1h", "1500ms", "3601s"},
        {"idle_exit", "0", "365d", "1ms", "366d"},
        {"tunnel_ports", "1", "65535", "0", "65536"},
        {"history", "0", "1G", "1023K", "1025M"},
        {"history", "1M", "1048576K", "1", "4294967296M"},
    };

    (void)state;
    assert_parsed("");
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const struct range *r = &ranges[i];
        char text[80];

        snprintf(text, sizeof text, "%s = %s", r->key, r->lowest);
        assert_parsed(text);
        snprintf(text, sizeof text, "%s = %s", r->key, r->highest);
        assert_parsed(text);
        snprintf(text, sizeof text, "%s = %s", r->key, r->below);
        bad(text, r->key);
        snprintf(text, sizeof text, "%s = %s", r->key, r->above);
        bad(text, r->key);
    }
}

static void durations_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds;
    } good[] = {{"2s", 2}, {"90d", 7776000}, {"10m", 600},        {"5h", 18000},
                {"0d", 0}, {"2000ms", 2},    {"000000000002s", 2}};
    static const char *const wrong[] = {"2",
                                        "s",
                                        "2 s",
                                        "2S",
                                        "2min",
                                        "1.5s",
                                        "+2s",
                                        "0x2s",
                                        "2ss",
                                        "1d2h",
                                        "4294967296s",
                                        "99999999999999999999s",
                                        "213503982334602d",
                                        "18446744073709552s",
                                        "1ms"};
    char text[80];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, "cache_ttl = %s", good[i].text);
        assert_parsed(text);
        assert_int_equal(config.cache_ttl_s, good[i].seconds);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "cache_ttl = %s", wrong[i]);
        bad(text, "for example 90d");
    }
}

static void lists_are_checked_word_by_word(void **state)
{
    (void)state;
    assert_parsed("");
    bad("exempt_names = www.example.com bad/name", "names like");
    bad("exempt_names = *", "names like");
    bad("exempt_names = *.", "names like");
    bad("exempt_names = *.192.0.2.1", "names like");
    bad("exempt_names = a.*.example.com", "names like");
    bad("exempt_names = a.example, b.example", "names like");
    bad("allow_off = off", "yes or no");
    bad("exclude_programs = /usr/sbin/unbound", "without '/'");
    bad("exclude_programs = "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "without '/'");
    bad("tunnel_ports = 443,8443", "separated by blanks");
    bad("log = relative.log", "absolute");
    bad("log =", "absolute");
    bad("public_anchors = certs", "absolute");
    bad("lock = true", "yes or no");
}

static void lists_at_their_longest(void **state)
{
    char text[CVG_LINE_MAX] = "";
    size_t len = 0;

    (void)state;
    assert_parsed("");
    len = (size_t)sprintf(text, "tunnel_ports =");
    for (int i = 1; i <= CVG_PORTS_MAX; i++)
        len += (size_t)sprintf(text + len, " %d", i);
    assert_parsed(text);
    assert_int_equal(config.tunnel_ports_count, CVG_PORTS_MAX);
    sprintf(text + len, " 17");
    bad(text, "at most 16");

    len = (size_t)sprintf(text, "exclude_programs =");
    for (int i = 1; i <= CVG_LIST_MAX; i++)
        len += (size_t)sprintf(text + len, " p%d", i);
    assert_parsed(text);
    assert_string_equal(config.exclude_programs.word[CVG_LIST_MAX - 1], "p64");
    sprintf(text + len, " more");
    bad(text, "at most 64");
}

static void a_copy_stands_on_its_own(void **state)
{
    struct cvg_config *other = malloc(sizeof *other);

    (void)state;
    assert_non_null(other);
    assert_parsed("exempt_names = a.example\nexclude_programs = one two\n");
    cvg_config_copy(&config, other);
    assert_parsed("exempt_names = zzzzzzz.example\n");
    assert_string_equal(other->exempt_names.word[0], "a.example");
    assert_string_equal(other->exclude_programs.word[1], "two");
    assert_in_range((uintptr_t)other->exclude_programs.word[1], (uintptr_t)other->pool,
                    (uintptr_t)other->pool + sizeof other->pool);
    cvg_config_copy(other, other);
    assert_string_equal(other->exempt_names.word[0], "a.example");
    free(other);
}

static char *read_document(size_t *ret_len)
{
    const char *top = getenv("top_srcdir");
    static char text[32768], path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/doc/converge.conf", top != NULL ? top : ".");
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    *ret_len = fread(text, 1, sizeof text - 1, file);
    text[*ret_len] = '\0';
    fclose(file);
    return text;
}

/* The annotated file that people copy gives every key, with the value that it has without a file.
 */
static void the_document_is_every_default(void **state)
{
    static struct cvg_config documented;
    size_t len, keys = 0;
    char *text = read_document(&len), *name;
    struct cvg_why why;

    (void)state;
    if (cvg_config_parse(text, len, "doc/converge.conf", &documented, &why) != CVG_OK)
        fail_msg("%s", why.text);
    cvg_config_init(&config);
    assert_memory_equal(&documented, &config, sizeof config);
    assert_int_not_equal(parse("unknown = key", &why), CVG_OK);
    for (name = strtok(strstr(why.text, "allowed are ") + 12, ", "); name != NULL;
         name = strtok(NULL, ", "), keys++) {
        char line[64];

        snprintf(line, sizeof line, "\n%s = ", name);
        if (strstr(text, line) == NULL)
            fail_msg("doc/converge.conf has no %s", name);
    }
    assert_int_equal(keys, 25);
}

/* The linker puts this in malloc's place. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
static int memory_exhausted;

void *__wrap_malloc(size_t size)
{
    return memory_exhausted ? NULL : __real_malloc(size);
}

static void without_memory_nothing_is_believed(void **state)
{
    static struct cvg_config before;
    enum cvg_error err;

    (void)state;
    assert_parsed("mode = replace\n");
    memcpy(&before, &config, sizeof before);
    memory_exhausted = 1;
    err = parse("mode = monitor\n", NULL);
    memory_exhausted = 0;
    assert_int_equal(err, CVG_ERR_NOMEM);
    assert_memory_equal(&before, &config, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_the_defaults),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(every_word_of_every_choice),
        cmocka_unit_test(blanks_comments_and_line_ends_are_tolerated),
        cmocka_unit_test(mistakes_name_the_file_the_line_and_what_is_allowed),
        cmocka_unit_test(lines_at_the_longest),
        cmocka_unit_test(numbers_and_durations_at_their_limits),
        cmocka_unit_test(durations_have_a_unit),
        cmocka_unit_test(lists_are_checked_word_by_word),
        cmocka_unit_test(lists_at_their_longest),
        cmocka_unit_test(a_copy_stands_on_its_own),
        cmocka_unit_test(the_document_is_every_default),
        cmocka_unit_test(without_memory_nothing_is_believed),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
