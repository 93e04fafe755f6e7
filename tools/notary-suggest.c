/* SPDX-License-Identifier: MIT */
/* converge notary suggest: how far apart the notaries stand, and which others would help, by what
 * their bundles tell. Asks nobody. */
#include <stdio.h>
#include <string.h>

#include "tools/bundle-sources.h"
#include "tools/notary-command.h"
#include "tools/suggestion.h"
#include "tools/tools.h"

/* The bundles given, less those that are there already. */
struct candidates {
    struct cvg_bundle_sources given;
    const struct cvg_bundle_source *source[CVG_DIVERSITY_MAX];
    size_t count;
};

static size_t places_of(struct cvg_bundle *const *bundles, size_t count,
                        struct cvg_diversity_place *ret_places)
{
    for (size_t i = 0; i < count; i++)
        cvg_diversity_place_of(bundles[i], &ret_places[i]);
    return count;
}

/* One that is there already, under whatever name, is left out and said. */
static int read_candidates(const struct cvg_bundle_files *files, char *const *names, size_t count,
                           struct candidates *candidates)
{
    struct cvg_why why = {""};
    enum cvg_error err = cvg_bundle_sources_read(names, count, &candidates->given, &why);

    if (err != CVG_OK)
        return cvg_output_fail(err == CVG_ERR_UNREACHABLE ? CVG_EXIT_UNDECIDED : CVG_EXIT_FAULT,
                               "%s", why.text);
    for (size_t i = 0; i < candidates->given.count; i++) {
        const struct cvg_bundle_source *source = &candidates->given.item[i];

        if (cvg_bundle_files_find_twin(files, source->bundle, &why) == CVG_OK)
            candidates->source[candidates->count++] = source;
        else
            cvg_output_note("%s: %s", source->name, why.text);
    }
    return CVG_GO_ON;
}

static void print_axis(const char *name, const struct cvg_diversity_axis *axis, size_t count)
{
    char text[256];

    snprintf(text, sizeof text, "%zu", axis->groups);
    if (axis->unknown > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; %zu not told", axis->unknown);
    if (cvg_diversity_decides_alone(axis, count))
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "; %zu of %zu are in %s: alone they decide", axis->largest, count, axis->shared);
    cvg_output_field(name, "%s", text);
}

static json_t *axis_json(const struct cvg_diversity_axis *axis, size_t count)
{
    return json_pack("{s:I, s:I, s:I, s:s, s:b}", "groups", (json_int_t)axis->groups, "unknown",
                     (json_int_t)axis->unknown, "largest", (json_int_t)axis->largest, "shared",
                     axis->shared, "decides_alone", cvg_diversity_decides_alone(axis, count));
}

static void print_suggestion(const struct cvg_suggestion *one, const struct candidates *candidates)
{
    cvg_output_word(CVG_PAINT_NONE, 16, candidates->source[one->candidate]->bundle->name);
    printf("  adds%s%s%s%s%s  ", one->network ? " a network" : "",
           one->operators ? " an operator" : "", one->domain ? " a domain" : "",
           one->country ? " a country" : "",
           one->network || one->operators || one->domain || one->country
               ? ""
               : " nothing that is known");
    cvg_output_word(CVG_PAINT_NONE, 0, candidates->source[one->candidate]->name);
    putchar('\n');
}

static json_t *suggestion_json(const struct cvg_suggestion *one,
                               const struct candidates *candidates)
{
    return json_pack("{s:s, s:s, s:b, s:b, s:b, s:b}", "name",
                     candidates->source[one->candidate]->bundle->name, "source",
                     candidates->source[one->candidate]->name, "network", one->network, "operator",
                     one->operators, "domain", one->domain, "country", one->country);
}

static int tell_json(const struct cvg_diversity *now, const struct cvg_suggestion *order,
                     size_t count, const struct candidates *candidates)
{
    json_t *suggestions = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(suggestions, suggestion_json(&order[i], candidates));
    return cvg_output_json(json_pack("{s:b, s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "ok", 1,
                                     "notaries", (json_int_t)now->count, "network",
                                     axis_json(&now->network, now->count), "operator",
                                     axis_json(&now->operators, now->count), "domain",
                                     axis_json(&now->domain, now->count), "country",
                                     axis_json(&now->country, now->count), "near",
                                     (json_int_t)now->near, "suggestions", suggestions),
                           CVG_EXIT_OK);
}

static int tell(const struct cvg_diversity *now, const struct cvg_suggestion *order, size_t count,
                const struct candidates *candidates)
{
    if (cvg_output_is_json())
        return tell_json(now, order, count, candidates);
    cvg_output_field("notaries", "%zu", now->count);
    print_axis("networks", &now->network, now->count);
    print_axis("operators", &now->operators, now->count);
    print_axis("domains", &now->domain, now->count);
    print_axis("countries", &now->country, now->count);
    if (now->near > 0)
        cvg_output_field("near", "%zu on this machine or its network", now->near);
    for (size_t i = 0; i < count; i++)
        print_suggestion(&order[i], candidates);
    return CVG_EXIT_OK;
}

int cvg_notary_suggest(const struct cvg_installation *installation, char *const *names,
                       size_t count)
{
    static struct cvg_diversity_place have[CVG_DIVERSITY_MAX], offered[CVG_DIVERSITY_MAX];
    static struct candidates candidates;
    struct cvg_suggestion order[CVG_DIVERSITY_MAX];
    struct cvg_bundle_files files;
    struct cvg_diversity now;
    struct cvg_why why = {""};
    size_t configured, ranked;
    int code;

    if (cvg_bundle_files_load(&installation->paths, &files, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    configured = places_of(files.bundle, files.count, have);
    cvg_diversity_judge(have, configured, &now);
    code = read_candidates(&files, names, count, &candidates);
    if (code == CVG_GO_ON) {
        for (size_t i = 0; i < candidates.count; i++)
            cvg_diversity_place_of(candidates.source[i]->bundle, &offered[i]);
        ranked = cvg_suggestion_rank(have, configured, offered, candidates.count, order);
        code = tell(&now, order, ranked, &candidates);
    }
    cvg_bundle_sources_free(&candidates.given);
    cvg_bundle_files_free(&files);
    return code;
}
