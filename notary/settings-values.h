/* SPDX-License-Identifier: MIT */
/* What the values of notary.conf's keys may be: setters for settings.c's table, and of nobody else.
 * Their target is a struct cvg_settings_parse. */
#ifndef CVG_NOTARY_SETTINGS_VALUES_H
#define CVG_NOTARY_SETTINGS_VALUES_H

#include "common/base/keys.h"
#include "notary/settings.h"

/* What the setters work on. The settings come first: a key's offset is into them. */
struct cvg_settings_parse {
    struct cvg_settings settings;
    const char *directory; /* with its final '/'; "" for the current one */
    size_t directory_len;
};

bool cvg_setting_path(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_word(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_addresses(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_anchor(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_dns_servers(const struct cvg_key *key, const struct cvg_value *value,
                             void *target);
bool cvg_setting_networks(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_ports(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_hosts(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_redis(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_prefix(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_size(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_verifiers(const struct cvg_key *key, const struct cvg_value *value, void *target);
bool cvg_setting_v1_verdict(const struct cvg_key *key, const struct cvg_value *value, void *target);

#endif
