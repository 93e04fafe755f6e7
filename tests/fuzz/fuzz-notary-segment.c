/* SPDX-License-Identifier: MIT */
/* A segment of the journal as found on a disk: whatever it holds is read or left out, can be
 * appended to, and reads the same again. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "notary/segment.h"
#include "tests/fuzz/fuzz.h"

/* Walks to the end; returns the number of records. */
static size_t walk(const struct cvg_segment *segment, uint64_t *ret_end)
{
    struct cvg_buffer buffer;
    struct cvg_segment_record record;
    uint64_t at = 0;
    size_t count = 0;
    cvg_buffer_init(&buffer, CVG_SEGMENT_BUFFER);
    while (cvg_segment_next(segment, &at, &buffer, &record) == CVG_OK) {
        FUZZ_CHECK(record.key_len <= CVG_KEY_MAX && record.value_len <= CVG_VALUE_MAX);
        count++;
    }
    cvg_buffer_free(&buffer);
    *ret_end = at;
    return count;
}

static void check(const char *path)
{
    struct cvg_segment *segment = NULL;
    uint64_t end = 0, at = 0;
    if (cvg_segment_open(path, &segment, NULL) != CVG_OK)
        return;
    size_t count = walk(segment, &end);
    FUZZ_CHECK(end == cvg_segment_size(segment));
    FUZZ_CHECK(cvg_segment_append(segment, "key", 3, "value", 5, &at) == CVG_OK && at == end);
    cvg_segment_free(segment);
    FUZZ_CHECK(cvg_segment_open(path, &segment, NULL) == CVG_OK);
    FUZZ_CHECK(walk(segment, &end) == count + 1);
    cvg_segment_free(segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("segment", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (size == 0 || write(fd, data, size) == (ssize_t)size)
        check(path);
    close(fd);
    return 0;
}
