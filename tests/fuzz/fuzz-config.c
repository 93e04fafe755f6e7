/* SPDX-License-Identifier: MIT */
/* converge.conf. What is taken is within its limits, and its words are its own; what is not leaves
 * the configuration alone and says where and why. */
#include "common/base/config.h"
#include "common/base/endpoint.h"
#include "tests/fuzz/fuzz.h"

static void check_words(const struct cvg_words *words, const struct cvg_config *config)
{
    FUZZ_CHECK(words->count <= CVG_LIST_MAX);
    for (size_t i = 0; i < words->count; i++) {
        FUZZ_CHECK(words->word[i] >= config->pool);
        FUZZ_CHECK(words->word[i] + strlen(words->word[i]) < config->pool + sizeof config->pool);
    }
}

static void check_taken(const struct cvg_config *config)
{
    FUZZ_CHECK(config->quorum >= 1 && config->quorum <= CVG_QUORUM_MAX);
    FUZZ_CHECK(config->deadline_ms >= 100 && config->deadline_ms <= 60000);
    FUZZ_CHECK(config->tunnel_ports_count <= CVG_PORTS_MAX);
    FUZZ_CHECK(memchr(config->log, '\0', sizeof config->log) != NULL);
    FUZZ_CHECK(memchr(config->public_anchors, '\0', sizeof config->public_anchors) != NULL);
    check_words(&config->exempt_names, config);
    check_words(&config->exclude_programs, config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_config config, before, copy;
    struct cvg_why why = {""};

    memset(&config, 0x5a, sizeof config);
    memcpy(&before, &config, sizeof before);
    if (cvg_config_parse((const char *)data, size, "name", &config, &why) != CVG_OK) {
        FUZZ_CHECK(memcmp(&before, &config, sizeof before) == 0);
        FUZZ_CHECK(strncmp(why.text, "name:", 5) == 0);
        return 0;
    }
    check_taken(&config);
    cvg_config_copy(&config, &copy);
    check_taken(&copy);
    return 0;
}
