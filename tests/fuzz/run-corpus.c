/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over its checked-in corpus, one TAP case a file. A target finds a fault by
 * crashing: the plan comes first, so a crash is a failure. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX (1024 * 1024)

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The octets end where their allocation ends, so that a sanitizer sees every read past them. */
static int run(const char *directory, const char *name)
{
    static uint8_t octets[FILE_MAX];
    char path[PATH_MAX];
    uint8_t *copy;
    size_t len;
    FILE *file;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
        return -1;
    file = fopen(path, "rb");
    if (!file)
        return -1;
    len = fread(octets, 1, sizeof octets, file);
    fclose(file);
    copy = malloc(len > 0 ? len : 1);
    if (!copy)
        return -1;
    memcpy(copy, octets, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    return 0;
}

/* "fuzz-THING", also under libtool's name "lt-fuzz-THING". */
static const char *thing_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    const char *at = strstr(name, "fuzz-");

    return at ? at + strlen("fuzz-") : name;
}

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir");
    struct dirent **seed = NULL;
    char directory[PATH_MAX];
    int count, failed = 0;

    (void)argc;
    snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/%s", top ? top : ".",
             thing_of(argv[0]));
    count = scandir(directory, &seed, is_seed, alphasort);
    if (count <= 0) {
        printf("Bail out! no corpus in %s\n", directory);
        return 1;
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        int bad = run(directory, seed[i]->d_name);

        printf("%sok %d - %s\n", bad ? "not " : "", i + 1, seed[i]->d_name);
        fflush(stdout);
        failed += bad != 0;
        free(seed[i]);
    }
    free(seed);
    return failed > 0;
}
