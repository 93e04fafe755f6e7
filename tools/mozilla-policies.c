/* SPDX-License-Identifier: MIT */
/* What is ours in a policies.json. Every edit of the text is compared with the same edit of what
 * the text means, so that no layout can make it mean something else. */
#include "tools/mozilla-policies.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/json-edit.h"
#include "tools/nss-db.h"

#define POLICIES    "policies"
#define DEVICES     "SecurityDevices"
#define PREFERENCES "Preferences"
#define LOCKED_OFF  "{\"Value\": false, \"Status\": \"locked\"}"

/* The last: with it Firefox sends the requests for a second host over a connection whose
 * certificate was asked about for the first one only. */
static const char *const preferences[] = {"network.http.http3.enable",
                                          "network.webtransport.enabled",
                                          "network.http.http2.coalesce-hostnames"};
#define PREFERENCES_COUNT (sizeof preferences / sizeof preferences[0])

/* The text and what it means, changed together. */
struct document {
    struct cvg_buffer *text;
    json_t *root;
    const char *module;
};

static json_t *parse(const struct cvg_buffer *text, struct cvg_why *ret_why)
{
    json_error_t error;
    json_t *root = json_loadb(text->data != NULL ? (const char *)text->data : "", text->len,
                              JSON_REJECT_DUPLICATES, &error);
    const json_t *policies = json_object_get(root, POLICIES);

    if (root == NULL)
        cvg_fail(ret_why, CVG_ERR_CONFIG, "line %d, column %d: %s", error.line, error.column,
                 error.text);
    else if (!json_is_object(root) || (policies != NULL && !json_is_object(policies)))
        cvg_fail(ret_why, CVG_ERR_CONFIG, "it has no object \"policies\"");
    else
        return root;
    json_decref(root);
    return NULL;
}

static const json_t *look_up(const json_t *root, const struct cvg_json_path *path)
{
    for (size_t i = 0; root != NULL && i < path->depth; i++)
        root = json_object_get(root, path->name[i]);
    return root;
}

static struct cvg_json_path path_of(const char *policy, const char *second, const char *third)
{
    struct cvg_json_path path = {{POLICIES, policy, second, third}, 2};

    path.depth += second != NULL ? 1 : 0;
    path.depth += third != NULL ? 1 : 0;
    return path;
}

/* Newer files have Add and Delete; in older ones the devices stand there themselves. */
static bool is_old_form(const json_t *devices)
{
    return json_object_size(devices) > 0 && json_object_get(devices, "Add") == NULL &&
           json_object_get(devices, "Delete") == NULL;
}

static struct cvg_json_path device_path(const json_t *root, const char *name)
{
    const json_t *devices = json_object_get(json_object_get(root, POLICIES), DEVICES);

    return is_old_form(devices) ? path_of(DEVICES, name, NULL) : path_of(DEVICES, "Add", name);
}

static json_t *devices_of(const json_t *root)
{
    json_t *devices = json_object_get(json_object_get(root, POLICIES), DEVICES);

    return is_old_form(devices) ? devices : json_object_get(devices, "Add");
}

/* The name of a device of ours, or NULL. */
static const char *find_device(const json_t *root, const char *module)
{
    const char *name;
    json_t *library;

    json_object_foreach(devices_of(root), name, library)
        if (json_is_string(library) && cvg_nss_module_is_ours(json_string_value(library), module))
            return name;
    return NULL;
}

/* A value that is not an object is the older form, which always locks. */
static bool is_locked_off(const json_t *preference)
{
    const char *status = json_string_value(json_object_get(preference, "Status"));

    if (!json_is_object(preference))
        return json_is_false(preference);
    return json_is_false(json_object_get(preference, "Value")) && status != NULL &&
           strcmp(status, "locked") == 0;
}

static const json_t *preference_of(const json_t *root, const char *name)
{
    struct cvg_json_path path = path_of(PREFERENCES, name, NULL);

    return look_up(root, &path);
}

enum cvg_error cvg_policies_look(const struct cvg_buffer *text, const char *module,
                                 struct cvg_policies_state *ret_state, struct cvg_why *ret_why)
{
    json_t *root = parse(text, ret_why);
    const char *name;

    if (root == NULL)
        return CVG_ERR_CONFIG;
    name = find_device(root, module);
    ret_state->module = name != NULL;
    snprintf(ret_state->library, sizeof ret_state->library, "%s",
             name != NULL ? json_string_value(json_object_get(devices_of(root), name)) : "");
    ret_state->empty =
        json_object_size(json_object_get(root, POLICIES)) == 0 && json_object_size(root) <= 1;
    ret_state->locked = true;
    for (size_t i = 0; i < PREFERENCES_COUNT; i++)
        ret_state->locked = ret_state->locked && is_locked_off(preference_of(root, preferences[i]));
    json_decref(root);
    return CVG_OK;
}

/* The same change of the meaning; it takes the value over. */
static enum cvg_error set_meaning(json_t *root, const struct cvg_json_path *path, json_t *value)
{
    if (value == NULL)
        return CVG_ERR_NOMEM;
    for (size_t i = 0; i + 1 < path->depth; i++) {
        json_t *next = json_object_get(root, path->name[i]);

        if (next == NULL) {
            next = json_object();
            if (json_object_set_new(root, path->name[i], next) != 0)
                root = NULL;
        }
        root = next;
    }
    return json_object_set_new(root, path->name[path->depth - 1], value) == 0 ? CVG_OK
                                                                              : CVG_ERR_SYNTAX;
}

static enum cvg_error put(struct document *document, const struct cvg_json_path *path,
                          json_t *value)
{
    char *dumped = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    enum cvg_error err =
        dumped != NULL ? cvg_json_put(document->text, path, dumped) : CVG_ERR_NOMEM;

    free(dumped);
    if (err == CVG_OK)
        return set_meaning(document->root, path, value);
    json_decref(value);
    return err;
}

static enum cvg_error drop(struct document *document, const struct cvg_json_path *path)
{
    struct cvg_json_path above = *path;
    enum cvg_error err = cvg_json_drop(document->text, path);

    above.depth--;
    if (err == CVG_OK)
        json_object_del((json_t *)(uintptr_t)look_up(document->root, &above),
                        path->name[above.depth]);
    return err;
}

/* Whether the text means what it should after all edits. */
static enum cvg_error check(const struct document *document, struct cvg_why *ret_why)
{
    struct cvg_why why = {""};
    json_t *again = parse(document->text, &why);
    bool same = again != NULL && json_equal(again, document->root) == 1;

    json_decref(again);
    return same ? CVG_OK
                : cvg_fail(ret_why, CVG_ERR_CONFIG,
                           "its layout cannot be kept while it is changed; format it anew first");
}

static enum cvg_error lock_preferences(struct document *document, struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; err == CVG_OK && i < PREFERENCES_COUNT; i++) {
        struct cvg_json_path path = path_of(PREFERENCES, preferences[i], NULL);
        const json_t *there = look_up(document->root, &path);

        if (there == NULL)
            err = put(document, &path, json_loads(LOCKED_OFF, 0, NULL));
        else if (!is_locked_off(there))
            err = cvg_fail(ret_why, CVG_ERR_CONFIG,
                           "its policy Preferences has another wish for %s; it must be false and "
                           "locked, or not be there",
                           preferences[i]);
    }
    return err;
}

static bool is_deleted(const json_t *root, const char *name)
{
    struct cvg_json_path path = path_of(DEVICES, "Delete", NULL);
    const json_t *entry;
    size_t index;

    json_array_foreach(look_up(root, &path), index, entry)
        if (json_is_string(entry) && strcmp(json_string_value(entry), name) == 0)
            return true;
    return false;
}

static enum cvg_error add_device(struct document *document, struct cvg_why *ret_why)
{
    const char *there = find_device(document->root, document->module);
    char name[32] = CVG_PKCS11_NAME;
    struct cvg_json_path path;

    for (unsigned number = 2; json_object_get(devices_of(document->root), name) != NULL; number++)
        snprintf(name, sizeof name, "%s %u", CVG_PKCS11_NAME, number);
    if (is_deleted(document->root, there != NULL ? there : name))
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "its policy SecurityDevices deletes \"%.100s\"; take that name out of "
                        "\"Delete\"",
                        there != NULL ? there : name);
    path = device_path(document->root, there != NULL ? there : name);
    if (there != NULL &&
        strcmp(json_string_value(look_up(document->root, &path)), document->module) == 0)
        return CVG_OK;
    return put(document, &path, json_string(document->module));
}

/* Does the edit on a copy, which becomes the text only if all went well. */
static enum cvg_error edit(struct cvg_buffer *text, const char *module,
                           enum cvg_error (*change)(struct document *document, const json_t *kept,
                                                    struct cvg_why *ret_why),
                           const json_t *kept, struct cvg_why *ret_why)
{
    struct cvg_buffer copy;
    struct document document = {&copy, parse(text, ret_why), module};
    struct cvg_why why = {""};
    enum cvg_error err;

    if (document.root == NULL)
        return CVG_ERR_CONFIG;
    cvg_buffer_init(&copy, text->max);
    err = cvg_buffer_put(&copy, text->data, text->len);
    if (err == CVG_OK)
        err = change(&document, kept, &why);
    if (err == CVG_OK)
        err = check(&document, &why);
    json_decref(document.root);
    if (err != CVG_OK) {
        cvg_buffer_free(&copy);
        return cvg_fail(ret_why, err, "%s", why.text[0] != '\0' ? why.text : cvg_strerror(err));
    }
    cvg_buffer_free(text);
    *text = copy;
    return CVG_OK;
}

static enum cvg_error change_add(struct document *document, const json_t *kept,
                                 struct cvg_why *ret_why)
{
    enum cvg_error err = lock_preferences(document, ret_why);

    (void)kept;
    return err == CVG_OK ? add_device(document, ret_why) : err;
}

enum cvg_error cvg_policies_add(struct cvg_buffer *text, const char *module,
                                struct cvg_why *ret_why)
{
    return edit(text, module, change_add, NULL, ret_why);
}

enum cvg_error cvg_policies_begin(struct cvg_buffer *text, const char *module)
{
    enum cvg_error err = cvg_buffer_put_text(text, "{\"" POLICIES "\": {}}");
    json_t *root;
    char *dumped;

    if (err == CVG_OK)
        err = cvg_policies_add(text, module, NULL);
    if (err != CVG_OK)
        return err;
    root = parse(text, NULL);
    dumped = json_dumps(root, JSON_INDENT(2));
    cvg_buffer_clear(text);
    err = dumped != NULL ? cvg_buffer_printf(text, "%s\n", dumped) : CVG_ERR_NOMEM;
    free(dumped);
    json_decref(root);
    return err;
}

/* An object that is empty now, unless it was there before. */
static enum cvg_error drop_if_empty(struct document *document, const json_t *kept,
                                    const struct cvg_json_path *path)
{
    const json_t *object = look_up(document->root, path);

    if (!json_is_object(object) || json_object_size(object) > 0 || look_up(kept, path) != NULL)
        return CVG_OK;
    return drop(document, path);
}

static enum cvg_error drop_devices(struct document *document, const json_t *kept)
{
    struct cvg_json_path add = path_of(DEVICES, "Add", NULL), all = path_of(DEVICES, NULL, NULL);
    const char *name;
    enum cvg_error err = CVG_OK;

    while (err == CVG_OK && (name = find_device(document->root, document->module)) != NULL) {
        char copy[256];
        struct cvg_json_path path;

        if (snprintf(copy, sizeof copy, "%s", name) >= (int)sizeof copy)
            return CVG_ERR_RANGE;
        path = device_path(document->root, copy);
        err = drop(document, &path);
    }
    if (err == CVG_OK)
        err = drop_if_empty(document, kept, &add);
    return err == CVG_OK ? drop_if_empty(document, kept, &all) : err;
}

static enum cvg_error change_remove(struct document *document, const json_t *kept,
                                    struct cvg_why *ret_why)
{
    struct cvg_json_path all = path_of(PREFERENCES, NULL, NULL);
    json_t *ours = json_loads(LOCKED_OFF, 0, NULL);
    enum cvg_error err = ours != NULL ? CVG_OK : CVG_ERR_NOMEM;

    (void)ret_why;
    if (err == CVG_OK && find_device(document->root, document->module) == NULL)
        goto out;
    for (size_t i = 0; err == CVG_OK && i < PREFERENCES_COUNT; i++) {
        struct cvg_json_path path = path_of(PREFERENCES, preferences[i], NULL);
        const json_t *there = look_up(document->root, &path);

        if (there != NULL && json_equal(there, ours) && look_up(kept, &path) == NULL)
            err = drop(document, &path);
    }
    if (err == CVG_OK)
        err = drop_if_empty(document, kept, &all);
    if (err == CVG_OK)
        err = drop_devices(document, kept);
out:
    json_decref(ours);
    return err;
}

/* Whether it is what adding makes of the text that was kept: then that is what comes back. */
static bool only_ours_changed(const struct cvg_buffer *text, const char *module,
                              const struct cvg_buffer *kept)
{
    struct cvg_buffer added;
    bool same;

    cvg_buffer_init(&added, text->max);
    same = cvg_buffer_put(&added, kept->data, kept->len) == CVG_OK &&
           cvg_policies_add(&added, module, NULL) == CVG_OK && added.len == text->len &&
           memcmp(added.data, text->data, text->len) == 0;
    cvg_buffer_free(&added);
    return same;
}

enum cvg_error cvg_policies_remove(struct cvg_buffer *text, const char *module,
                                   const struct cvg_buffer *kept, struct cvg_why *ret_why)
{
    json_t *meaning;
    enum cvg_error err;

    if (kept != NULL && only_ours_changed(text, module, kept)) {
        cvg_buffer_clear(text);
        return cvg_buffer_put(text, kept->data, kept->len);
    }
    meaning = kept != NULL ? parse(kept, NULL) : NULL;
    err = edit(text, module, change_remove, meaning, ret_why);
    json_decref(meaning);
    return err;
}
