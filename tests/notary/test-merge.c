/* SPDX-License-Identifier: MIT */
/* Merging what two notaries, or one at two times, have seen of a target: against a plain model over
 * all small histories, and over long random ones, where bounds come into it. Whatever is merged,
 * nothing is current that a later observation replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "notary/observations.h"

#define T0  INT64_C(1800000000)
#define AGE 86400

/* One look: a leaf at an address. */
struct look {
    int leaf;
    int address;
    int64_t when_s;
};

static struct cvg_leaf leaf_of(int id)
{
    struct cvg_leaf leaf = {.key_type = CVG_KEY_EC};
    leaf.sha256[0] = (uint8_t)(id >> 8);
    leaf.sha256[1] = (uint8_t)id;
    return leaf;
}

static int id_of(const struct cvg_leaf *leaf)
{
    return leaf->sha256[0] << 8 | leaf->sha256[1];
}

static struct cvg_address address_of(int id)
{
    return (struct cvg_address){.family = 4, .bytes = {192, 0, (uint8_t)(id >> 8), (uint8_t)id}};
}

static int address_id(const struct cvg_address *address)
{
    return address->bytes[2] << 8 | address->bytes[3];
}

static void see(struct cvg_observations *seen, const struct look *look)
{
    const struct cvg_leaf leaf = leaf_of(look->leaf);
    const struct cvg_address address = address_of(look->address);
    assert_int_equal(cvg_observations_add(seen, &leaf, &address, look->when_s), CVG_OK);
}

static struct cvg_observations history(const struct look *look, size_t count)
{
    struct cvg_observations seen = {.count = 0};
    for (size_t i = 0; i < count; i++)
        see(&seen, &look[i]);
    return seen;
}

static struct cvg_observations merged(const struct cvg_observations *into,
                                      const struct cvg_observations *from, int64_t now_s)
{
    struct cvg_buffer form;
    struct cvg_observations all = {.count = 0};
    cvg_buffer_init(&form, 65536);
    assert_int_equal(cvg_observations_write(into, &form), CVG_OK);
    assert_int_equal(cvg_observations_parse(form.data, form.len, &all), CVG_OK);
    assert_int_equal(cvg_observations_merge(&all, from, now_s), CVG_OK);
    assert_true(all.count <= CVG_V2_RECORDS_MAX && all.view_count <= CVG_VIEWS_MAX);
    cvg_buffer_free(&form);
    return all;
}

static const struct cvg_seen *record_of(const struct cvg_observations *seen, int leaf)
{
    for (size_t i = 0; i < seen->count; i++)
        if (id_of(&seen->record[i].leaf) == leaf)
            return &seen->record[i];
    return NULL;
}

static int opinion_of(const struct cvg_observations *seen, int leaf)
{
    const struct cvg_seen *record = record_of(seen, leaf);
    return record == NULL ? -1 : record->opinion[cvg_opinion_index(CVG_VERIFIER_DANE)];
}

static const struct cvg_view *view_of(const struct cvg_observations *seen, int address)
{
    for (size_t i = 0; i < seen->view_count; i++)
        if (address_id(&seen->view[i].address) == address)
            return &seen->view[i];
    return NULL;
}

static int shown(const struct cvg_observations *seen, int address)
{
    const struct cvg_view *view = view_of(seen, address);
    return view == NULL ? -1 : id_of(&seen->record[view->record].leaf);
}

static bool current(const struct cvg_observations *seen, int leaf, int64_t now_s)
{
    for (size_t i = 0; i < seen->count; i++)
        if (id_of(&seen->record[i].leaf) == leaf)
            return cvg_observations_current(seen, i, now_s, AGE);
    return false;
}

static void same_record(const struct cvg_observations *all, const struct cvg_observations *a,
                        const struct cvg_observations *b, int leaf)
{
    const struct cvg_seen *got = record_of(all, leaf);
    const struct cvg_seen *one = record_of(a, leaf), *other = record_of(b, leaf);
    if (one == NULL && other == NULL) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    one = one == NULL ? other : one;
    other = other == NULL ? one : other;
    assert_int_equal(got->first_s, one->first_s < other->first_s ? one->first_s : other->first_s);
    assert_int_equal(got->last_s, one->last_s > other->last_s ? one->last_s : other->last_s);
}

static void same_view(const struct cvg_observations *all, const struct cvg_observations *into,
                      const struct cvg_observations *from, int address)
{
    const struct cvg_view *one = view_of(into, address), *other = view_of(from, address);
    const struct cvg_view *got = view_of(all, address);
    if (one == NULL && other == NULL) {
        assert_null(got);
        return;
    }
    bool takes_other = one == NULL || (other != NULL && other->last_s >= one->last_s);
    assert_non_null(got);
    assert_int_equal(got->last_s, takes_other ? other->last_s : one->last_s);
    assert_int_equal(shown(all, address), shown(takes_other ? from : into, address));
}

#define LEAVES    2
#define ADDRESSES 2
#define LOOKS     3
#define CHOICES   (LEAVES * ADDRESSES + 1) /* or none */
#define HISTORIES (CHOICES * CHOICES * CHOICES)

/* The history of that number, its looks at times of a parity, or at the same as everybody's. */
static struct cvg_observations small_history(int number, int64_t step_s, int64_t offset_s)
{
    struct cvg_observations seen = {.count = 0};
    for (int i = 0; i < LOOKS; i++, number /= CHOICES) {
        int choice = number % CHOICES;
        struct look look = {choice % LEAVES, choice / LEAVES, T0 + i * step_s + offset_s};
        if (choice < CHOICES - 1)
            see(&seen, &look);
    }
    return seen;
}

static void all_small_histories(void **state)
{
    (void)state;
    for (int64_t offset = -3; offset <= 3; offset++) {
        for (int i = 0; i < HISTORIES; i++) {
            struct cvg_observations into = small_history(i, 2, 0);
            for (int j = 0; j < HISTORIES; j++) {
                struct cvg_observations from = small_history(j, 2, offset);
                struct cvg_observations all = merged(&into, &from, T0 + 10);
                for (int leaf = 0; leaf < LEAVES; leaf++)
                    same_record(&all, &into, &from, leaf);
                for (int address = 0; address < ADDRESSES; address++)
                    same_view(&all, &into, &from, address);
                cvg_observations_free(&from);
                cvg_observations_free(&all);
            }
            cvg_observations_free(&into);
        }
    }
}

/* Merging again changes nothing: a segment may be taken in twice, after kill -9. */
static void twice_is_once(void **state)
{
    (void)state;
    for (int i = 0; i < HISTORIES; i += 3) {
        for (int j = 0; j < HISTORIES; j++) {
            struct cvg_observations into = small_history(i, 2, 0), from = small_history(j, 2, 1);
            struct cvg_observations once = merged(&into, &from, T0 + 10);
            struct cvg_observations again = merged(&once, &from, T0 + 10);
            for (int leaf = 0; leaf < LEAVES; leaf++)
                same_record(&again, &once, &once, leaf);
            for (int address = 0; address < ADDRESSES; address++)
                same_view(&again, &once, &once, address);
            cvg_observations_free(&into);
            cvg_observations_free(&from);
            cvg_observations_free(&once);
            cvg_observations_free(&again);
        }
    }
}

#define MANY 400

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 8) % below;
}

/* No view of the union is older than something else that either side saw at its place. */
static void nothing_replaced_is_shown(const struct cvg_observations *all, const struct look *look,
                                      size_t count)
{
    for (size_t i = 0; i < all->view_count; i++) {
        const struct cvg_view *view = &all->view[i];
        for (size_t j = 0; j < count; j++)
            if (look[j].address == address_id(&view->address))
                assert_true(look[j].when_s <= view->last_s);
    }
}

/* Two notaries that see different parts of one history, with more certificates and addresses than
 * either may keep. */
static void long_histories(void **state)
{
    static struct look look[MANY];
    unsigned seed = 1;
    (void)state;
    for (int round = 0; round < 300; round++) {
        unsigned leaves = 2 + draw(&seed, 150), addresses = 1 + draw(&seed, 150);
        unsigned share = 1 + draw(&seed, 9);
        struct cvg_observations a = {.count = 0}, b = {.count = 0};
        for (int i = 0; i < MANY; i++) {
            look[i] = (struct look){(int)draw(&seed, leaves), (int)draw(&seed, addresses), T0 + i};
            unsigned who = draw(&seed, 10);
            if (who <= share)
                see(&a, &look[i]);
            if (who >= share)
                see(&b, &look[i]);
        }
        struct cvg_observations all = merged(&a, &b, T0 + MANY);
        nothing_replaced_is_shown(&all, look, MANY);
        cvg_observations_free(&all);
        all = merged(&b, &a, T0 + MANY);
        nothing_replaced_is_shown(&all, look, MANY);
        cvg_observations_free(&all);
        cvg_observations_free(&a);
        cvg_observations_free(&b);
    }
}

/* Whether it was seen for a moment only, as far as this history knows. */
static bool is_young(const struct cvg_observations *seen, int leaf)
{
    for (size_t i = 0; i < seen->count; i++)
        if (id_of(&seen->record[i].leaf) == leaf)
            return seen->record[i].last_s - seen->record[i].first_s < CVG_TRIAL_S;
    return false;
}

/* The later state of one notary and an earlier one, as after an outage: as if only the later. */
static void own_past(void **state)
{
    static struct look look[MANY];
    unsigned seed = 7;
    (void)state;
    for (int round = 0; round < 100; round++) {
        unsigned leaves = 2 + draw(&seed, 120), addresses = 1 + draw(&seed, 120);
        for (int i = 0; i < MANY; i++)
            look[i] = (struct look){(int)draw(&seed, leaves), (int)draw(&seed, addresses), T0 + i};
        size_t then = draw(&seed, MANY);
        struct cvg_observations past = history(look, then), now = history(look, MANY);
        struct cvg_observations all = merged(&now, &past, T0 + MANY);
        nothing_replaced_is_shown(&all, look, MANY);
        for (unsigned leaf = 0; leaf < leaves; leaf++)
            if (current(&all, (int)leaf, T0 + MANY))
                assert_true(current(&now, (int)leaf, T0 + MANY) || is_young(&now, (int)leaf));
        cvg_observations_free(&all);
        cvg_observations_free(&now);
        cvg_observations_free(&past);
    }
}

/* A view that a wrong clock dated later would be the newest for ever, and current one day. */
static void views_from_the_future(void **state)
{
    const struct look wrong = {1, 1, T0 + 365 * AGE}, right = {2, 1, T0};
    struct cvg_observations into = history(&wrong, 1), from = history(&right, 1);
    (void)state;
    struct cvg_observations all = merged(&into, &from, T0 + 5);
    assert_int_equal(shown(&all, 1), 2);
    assert_true(current(&all, 2, T0 + 5));
    assert_false(current(&all, 1, T0 + 365 * AGE + 1));
    assert_int_equal(all.count, 2);
    cvg_observations_free(&all);
    all = merged(&from, &into, T0 + 5);
    assert_int_equal(shown(&all, 1), 2);
    cvg_observations_free(&all);
    cvg_observations_free(&into);
    cvg_observations_free(&from);
}

static void opinions_of_who_asked_last(void **state)
{
    const struct look both[] = {{1, 1, T0}, {2, 2, T0}};
    struct cvg_observations into = history(both, 2), from = history(both, 1);
    struct cvg_leaf one = leaf_of(1), two = leaf_of(2);
    size_t dane = cvg_opinion_index(CVG_VERIFIER_DANE);
    (void)state;
    cvg_observations_judge(&into, CVG_VERIFIER_DANE, one.sha256, CVG_V2_OPINION_YES, T0);
    cvg_observations_judge(&into, CVG_VERIFIER_DANE, two.sha256, CVG_V2_OPINION_NO, T0);
    cvg_observations_judge(&from, CVG_VERIFIER_DANE, one.sha256, CVG_V2_OPINION_NO, T0 + 1);
    for (int turn = 0; turn < 2; turn++) {
        struct cvg_observations all =
            turn == 0 ? merged(&into, &from, T0 + 2) : merged(&from, &into, T0 + 2);
        assert_int_equal(all.checked_s[dane], T0 + 1);
        assert_int_equal(opinion_of(&all, 1), CVG_V2_OPINION_NO);
        assert_int_equal(opinion_of(&all, 2), CVG_V2_OPINION_NO);
        cvg_observations_free(&all);
    }
    cvg_observations_free(&into);
    cvg_observations_free(&from);
}

static void what_was_made_from_it_supersedes(void **state)
{
    const struct look look[] = {{1, 1, T0}, {2, 1, T0 + 5}, {3, 1, T0 - 100}};
    struct cvg_observations older = history(look, 2), newer = history(look, 3);
    struct cvg_observations other = history(look + 1, 2), nothing = {.count = 0};
    (void)state;
    assert_true(cvg_observations_supersede(&newer, &older));
    assert_int_equal(shown(&newer, 1), 3);
    assert_false(cvg_observations_supersede(&older, &newer));
    assert_false(cvg_observations_supersede(&other, &older));
    assert_true(cvg_observations_supersede(&older, &older));
    assert_true(cvg_observations_supersede(&older, &nothing));
    assert_false(cvg_observations_supersede(&nothing, &older));
    older.record[0].first_s--;
    assert_false(cvg_observations_supersede(&newer, &older));
    older.record[0].first_s++;
    older.record[0].last_s++;
    assert_false(cvg_observations_supersede(&newer, &older));
    cvg_observations_free(&older);
    cvg_observations_free(&newer);
    cvg_observations_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_small_histories),
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(long_histories),
        cmocka_unit_test(own_past),
        cmocka_unit_test(views_from_the_future),
        cmocka_unit_test(opinions_of_who_asked_last),
        cmocka_unit_test(what_was_made_from_it_supersedes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
