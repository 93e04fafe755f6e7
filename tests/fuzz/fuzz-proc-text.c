/* SPDX-License-Identifier: MIT */
/* Texts of /proc: a process chooses much of them. Every parser ends, and stays inside. */
#include "tests/fuzz/fuzz.h"
#include "tools/proc-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct cvg_proc_map map;
    struct cvg_proc_udp udp;
    unsigned long long number = 0;
    const char *value;
    size_t offset = 0;

    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    while (cvg_proc_maps_next(text, size, &offset, &map))
        FUZZ_CHECK(offset <= size && map.path[0] == '/' && strlen(map.path) < sizeof map.path);
    for (offset = 0; cvg_proc_udp_next(text, size, &offset, &udp);)
        FUZZ_CHECK(offset <= size && udp.port != 0);
    value = cvg_proc_environ_get(text, size, "A");
    FUZZ_CHECK(value == NULL || (value > text && value <= text + size));
    (void)cvg_proc_status_number(text, "Uid", &number);
    (void)cvg_proc_stat_start(text, &number);
    (void)cvg_proc_auxv_secure(text, size);
    (void)cvg_proc_uid_map_has(text, size, 1000);
    free(text);
    return 0;
}
