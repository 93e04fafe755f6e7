/* SPDX-License-Identifier: MIT */
/* Programs that somebody else put on PATH: names stay inside their bounds, whatever the offsets
 * say. */
#include "tests/fuzz/fuzz.h"
#include "tools/elf-needed.h"

struct octets {
    const uint8_t *data;
    size_t len;
};

static bool read_octets(void *context, uint64_t offset, void *ret_octets, size_t len)
{
    const struct octets *octets = context;

    if (offset > octets->len || len > octets->len - offset)
        return false;
    memcpy(ret_octets, octets->data + offset, len);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct octets octets = {data, size};
    static struct cvg_elf elf;

    if (!cvg_elf_parse(read_octets, &octets, &elf))
        return 0;
    FUZZ_CHECK(elf.count <= CVG_ELF_NEEDED_MAX);
    for (size_t i = 0; i < elf.count; i++)
        FUZZ_CHECK(strnlen(elf.needed[i], CVG_ELF_NAME_MAX) < CVG_ELF_NAME_MAX);
    FUZZ_CHECK(strnlen(elf.run_path, CVG_ELF_PATH_MAX) < CVG_ELF_PATH_MAX);
    return 0;
}
