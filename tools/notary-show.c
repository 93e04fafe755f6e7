/* SPDX-License-Identifier: MIT */
/* A notary as people and programs see it. */
#include <stdio.h>
#include <string.h>

#include "tools/notary-command.h"
#include "tools/tools.h"

static json_t *host_json(const struct cvg_bundle_host *host)
{
    json_t *addresses = json_array();

    for (size_t i = 0; i < host->address_count; i++)
        json_array_append_new(addresses, json_string(host->address[i]));
    return json_pack("{s:s, s:i, s:i, s:i, s:o}", "host", host->host, "ssl_port",
                     (int)host->ssl_port, "bounce_port", (int)host->bounce_port, "relay_port",
                     (int)host->relay_port, "addresses", addresses);
}

/* One that follows, or one that was: as good as the first for statements and updates. */
static char *other_key(const struct cvg_bundle *bundle, size_t index,
                       char ret_text[static CVG_FINGERPRINT_TEXT_MAX])
{
    return cvg_fingerprint_format(cvg_verify_key_id(bundle->key[index]), CVG_SHA256_LEN, ret_text,
                                  CVG_FINGERPRINT_TEXT_MAX);
}

static json_t *other_keys(const struct cvg_bundle *bundle)
{
    char text[CVG_FINGERPRINT_TEXT_MAX];
    json_t *list = json_array();

    for (size_t i = 1; i < bundle->key_count; i++)
        json_array_append_new(list, json_string(other_key(bundle, i, text)));
    return list;
}

json_t *cvg_notary_json(const struct cvg_bundle *bundle, const char *path)
{
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX] = "";
    json_t *hosts = json_array();

    if (cvg_bundle_fingerprint(bundle, fingerprint) != CVG_OK)
        fingerprint[0] = '\0';
    for (size_t i = 0; i < bundle->host_count; i++)
        json_array_append_new(hosts, host_json(&bundle->host[i]));
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:i, s:i, s:I, s:s, s:s, s:o}", "name",
                     bundle->name, "fingerprint", fingerprint, "other_keys", other_keys(bundle),
                     "region", bundle->region, "operator", bundle->operator_name, "protocol",
                     (int)bundle->protocol, "version", (int)bundle->version, "serial",
                     (json_int_t)bundle->serial, "location", bundle->location, "path", path,
                     "hosts", hosts);
}

static void print_host(const struct cvg_bundle_host *host)
{
    cvg_output_field("host", "%s:%u%s%s%s", host->host, (unsigned)host->ssl_port,
                     host->address_count > 0 ? " at " : "",
                     host->address_count > 0 ? host->address[0] : "",
                     host->relay_port != 0 ? ", also a relay" : "");
}

void cvg_notary_print(const struct cvg_bundle *bundle)
{
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX];

    cvg_output_word(CVG_PAINT_GOOD, 0, bundle->name);
    putchar('\n');
    if (cvg_bundle_fingerprint(bundle, fingerprint) == CVG_OK)
        cvg_output_field("fingerprint", "%s", fingerprint);
    for (size_t i = 1; i < bundle->key_count; i++)
        cvg_output_field("also key", "%s", other_key(bundle, i, fingerprint));
    cvg_output_field("operator", "%s",
                     bundle->operator_name[0] != '\0' ? bundle->operator_name : "not told");
    cvg_output_field("region", "%s", bundle->region[0] != '\0' ? bundle->region : "not told");
    for (size_t i = 0; i < bundle->host_count; i++)
        print_host(&bundle->host[i]);
    cvg_output_field("protocol", "%u%s", bundle->protocol,
                     bundle->protocol == 1 ? " (its answers are not signed for one target)" : "");
}
