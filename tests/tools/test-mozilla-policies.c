/* SPDX-License-Identifier: MIT */
/* What an administrator wrote into policies.json stays, in meaning always and in layout where
 * nobody else touched it; and what we cannot do is told instead of done by halves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/mozilla-policies.h"

#define MODULE "/usr/lib/pkcs11/libconverge-nss.so"
#define LOCKED "{\"Value\": false, \"Status\": \"locked\"}"

static struct cvg_buffer buffer_of(const char *text)
{
    struct cvg_buffer buffer;

    cvg_buffer_init(&buffer, CVG_POLICIES_MAX);
    assert_int_equal(cvg_buffer_put_text(&buffer, text), CVG_OK);
    return buffer;
}

static json_t *parsed(const struct cvg_buffer *text)
{
    json_t *root = json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(root);
    return root;
}

static const char *const layouts[] = {
    "{\"policies\":{}}",
    "{\"policies\": {\"DisableTelemetry\": true}}",
    "{ \"policies\" : { \"A\" : 1 , \"B\" : [ { \"x\" : \"}\\\"\" } ] } }\n",
    "{\n  \"policies\": {\n    \"Homepage\": {\"URL\": \"http://a/\"},\n    \"B\": 2\n  }\n}\n",
    "{\n\t\"policies\":\n\t{\n\t}\n}",
    "{\r\n  \"policies\": {\r\n    \"B\": 2\r\n  }\r\n}\r\n",
    "{}",
    "{\"other\": 1}",
    "{\"policies\": {\"Preferences\": {\"dom.x\": {\"Value\": 1}}}}",
    "{\"policies\": {\"Preferences\": {}, \"SecurityDevices\": {}}}",
    "{\"policies\": {\"SecurityDevices\": {\"Add\": {\"Card\": \"/card.so\"}, \"Delete\": "
    "[\"X\"]}}}",
    "{\"policies\": {\"SecurityDevices\": {\"Card\": \"/card.so\"}}}",
    "{\"policies\": {\"SecurityDevices\": {\"Delete\": [\"X\"]}}}",
    "{\"policies\": {\"SecurityDevices\": {\"Add\": {\"Converge\": \"/other.so\"}}}}",
    "{\"policies\": {\"Preferences\": {\"network.http.http3.enable\": " LOCKED "}}}",
    "{\"policies\": {\"Preferences\": {\"network.http.http3.enable\": false}}}",
    "{\"polic\\u0069es\": {\"Pref\\u0065rences\": {\"a\\\"b\": {}}}}",
};
#define LAYOUTS_COUNT (sizeof layouts / sizeof layouts[0])

static void what_was_there_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUTS_COUNT; i++) {
        struct cvg_buffer text = buffer_of(layouts[i]), kept = buffer_of(layouts[i]);
        struct cvg_policies_state is = {.module = false};

        assert_int_equal(cvg_policies_add(&text, MODULE, NULL), CVG_OK);
        assert_int_equal(cvg_policies_look(&text, MODULE, &is, NULL), CVG_OK);
        assert_true(is.module);
        assert_true(is.locked);
        assert_int_equal(cvg_policies_remove(&text, MODULE, &kept, NULL), CVG_OK);
        assert_string_equal((const char *)text.data, layouts[i]);
        cvg_buffer_free(&text);
        cvg_buffer_free(&kept);
    }
}

static void twice_is_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUTS_COUNT; i++) {
        struct cvg_buffer text = buffer_of(layouts[i]), again;

        assert_int_equal(cvg_policies_add(&text, MODULE, NULL), CVG_OK);
        again = buffer_of((const char *)text.data);
        assert_int_equal(cvg_policies_add(&again, MODULE, NULL), CVG_OK);
        assert_string_equal((const char *)again.data, (const char *)text.data);
        cvg_buffer_free(&text);
        cvg_buffer_free(&again);
    }
}

/* Formatted anew by another tool, and with a change of somebody's. */
static void others_changes_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUTS_COUNT; i++) {
        struct cvg_buffer text = buffer_of(layouts[i]), kept = buffer_of(layouts[i]);
        json_t *meaning = parsed(&text), *left;
        char *dumped;

        assert_int_equal(cvg_policies_add(&text, MODULE, NULL), CVG_OK);
        left = parsed(&text);
        assert_int_equal(json_object_set_new(left, "later", json_true()), 0);
        assert_int_equal(json_object_set_new(meaning, "later", json_true()), 0);
        dumped = json_dumps(left, JSON_INDENT(7) | JSON_SORT_KEYS);
        json_decref(left);
        cvg_buffer_free(&text);
        text = buffer_of(dumped);
        free(dumped);
        assert_int_equal(cvg_policies_remove(&text, MODULE, &kept, NULL), CVG_OK);
        left = parsed(&text);
        if (json_object_get(meaning, "policies") == NULL)
            json_object_del(left, "policies");
        assert_int_equal(json_equal(left, meaning), 1);
        json_decref(left);
        json_decref(meaning);
        cvg_buffer_free(&text);
        cvg_buffer_free(&kept);
    }
}

static void nothing_kept_takes_out_what_we_write(void **state)
{
    struct cvg_buffer text;
    struct cvg_policies_state is = {.module = false};

    (void)state;
    cvg_buffer_init(&text, CVG_POLICIES_MAX);
    assert_int_equal(cvg_policies_begin(&text, MODULE), CVG_OK);
    assert_int_equal(cvg_policies_remove(&text, MODULE, NULL, NULL), CVG_OK);
    assert_int_equal(cvg_policies_look(&text, MODULE, &is, NULL), CVG_OK);
    assert_true(is.empty);
    cvg_buffer_free(&text);
}

static void a_lock_that_is_not_ours_stays(void **state)
{
    static const char alone[] =
        "{\"policies\": {\"Preferences\": {\"network.http.http3.enable\": " LOCKED "}}}";
    struct cvg_buffer text = buffer_of(alone);

    (void)state;
    assert_int_equal(cvg_policies_remove(&text, MODULE, NULL, NULL), CVG_OK);
    assert_string_equal((const char *)text.data, alone);
    cvg_buffer_free(&text);
}

static void a_module_that_moved_is_brought_up_to_date(void **state)
{
    struct cvg_buffer text = buffer_of("{\"policies\": {\"SecurityDevices\": {\"Add\": {\"Mine\": "
                                       "\"/old/libconverge-nss.so\"}}}}");

    (void)state;
    assert_int_equal(cvg_policies_add(&text, MODULE, NULL), CVG_OK);
    assert_non_null(strstr((const char *)text.data, "\"Mine\": \"" MODULE "\""));
    assert_null(strstr((const char *)text.data, "/old/"));
    assert_null(strstr((const char *)text.data, "\"Converge\""));
    cvg_buffer_free(&text);
}

static void what_stands_in_the_way_is_told(void **state)
{
    static const char *const texts[][2] = {
        {"", "line 1"},
        {"{\"policies\": {}", "line 1"},
        {"[]", "policies"},
        {"{\"policies\": []}", "policies"},
        {"{\"policies\": {\"A\": 1, \"A\": 2}}", "duplicate"},
        {"{\"policies\": {\"Preferences\": {\"network.http.http3.enable\": true}}}", "http3"},
        {"{\"policies\": {\"Preferences\": {\"network.http.http3.enable\": {\"Value\": false}}}}",
         "http3"},
        {"{\"policies\": {\"Preferences\": {\"network.webtransport.enabled\": {\"Value\": 0, "
         "\"Status\": \"locked\"}}}}",
         "webtransport"},
        {"{\"policies\": {\"SecurityDevices\": {\"Delete\": [\"Converge\"]}}}", "Delete"},
        {"{\"policies\": {\"Preferences\": 1}}", ""},
        {"{\"policies\": {\"SecurityDevices\": {\"Add\": []}}}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cvg_buffer text = buffer_of(texts[i][0]);
        struct cvg_why why = {""};

        assert_int_not_equal(cvg_policies_add(&text, MODULE, &why), CVG_OK);
        assert_non_null(strstr(why.text, texts[i][1]));
        assert_string_not_equal(why.text, "");
        assert_string_equal((const char *)text.data, texts[i][0]);
        cvg_buffer_free(&text);
    }
}

static void what_does_not_lock_is_not_taken_for_it(void **state)
{
    static const char *const texts[] = {
        "{\"policies\": {\"Preferences\": {\"network.http.http3.enable\": " LOCKED "}}}",
        "{\"policies\": {\"Preferences\": {\"network.webtransport.enabled\": " LOCKED "}}}",
        "{\"policies\": {\"Preferences\": {\"network.webtransport.enabled\": " LOCKED
        ", \"network.http.http3.enable\": " LOCKED "}}}",
        "{\"policies\": {\"Preferences\": {\"network.webtransport.enabled\": " LOCKED
        ", \"network.http.http3.enable\": {\"Value\": false, \"Status\": \"default\"}}}}",
        "{\"Preferences\": {\"network.webtransport.enabled\": " LOCKED
        ", \"network.http.http3.enable\": " LOCKED "}}",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cvg_buffer text = buffer_of(texts[i]);
        struct cvg_policies_state is = {.locked = true};

        assert_int_equal(cvg_policies_look(&text, MODULE, &is, NULL), CVG_OK);
        assert_false(is.locked);
        assert_false(is.module);
        cvg_buffer_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_there_comes_back),
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(others_changes_stay),
        cmocka_unit_test(nothing_kept_takes_out_what_we_write),
        cmocka_unit_test(a_lock_that_is_not_ours_stays),
        cmocka_unit_test(a_module_that_moved_is_brought_up_to_date),
        cmocka_unit_test(what_stands_in_the_way_is_told),
        cmocka_unit_test(what_does_not_lock_is_not_taken_for_it),
    };

    return cmocka_run_group_tests_name("mozilla-policies", tests, NULL, NULL);
}
