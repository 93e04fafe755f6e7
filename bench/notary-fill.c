/* SPDX-License-Identifier: MIT */
/* Writes a notary's database for the bench.
 *
 *   notary-fill DATABASE LEAF.der NAMES COUNT PORT
 *
 * COUNT targets, each seen just now at 127.0.0.1 with that leaf; a number takes the place of '%' in
 * NAMES. */
#include <gdbm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notary/gdbm-file.h"
#include "notary/observations.h"
#include "notary/target.h"

#define DER_MAX   65536
#define CACHE_MAX 262144 /* blocks */

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "notary-fill: %s\n", what);
    exit(1);
}

/* The value that every record has. */
static void make_value(const char *path, struct cvg_buffer *ret_value)
{
    static uint8_t der[DER_MAX];
    struct cvg_observations seen = {0};
    struct cvg_address address;
    struct cvg_leaf leaf;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("cannot read the leaf");
    size_t len = fread(der, 1, sizeof(der), file);
    fclose(file);
    if (cvg_leaf_of_der(der, len, &leaf) != CVG_OK ||
        cvg_address_parse("127.0.0.1", &address) != CVG_OK ||
        cvg_observations_add(&seen, &leaf, &address, (int64_t)time(NULL)) != CVG_OK ||
        cvg_observations_write(&seen, ret_value) != CVG_OK)
        fail("the leaf is none");
    cvg_observations_free(&seen);
}

static void put(GDBM_FILE file, const struct cvg_endpoint *endpoint, const struct cvg_buffer *value)
{
    uint8_t key[CVG_TARGET_KEY_MAX];
    struct cvg_buffer record;
    size_t key_len = cvg_target_key(endpoint, CVG_STARTTLS_AUTO, key);
    cvg_buffer_init(&record, value->len + CVG_GDBM_HEAD);
    if (cvg_gdbm_record(key, key_len, value->data, value->len, &record) != CVG_OK ||
        gdbm_store(file, cvg_gdbm_datum(key, key_len), cvg_gdbm_datum(record.data, record.len),
                   GDBM_INSERT) != 0)
        fail("a record cannot be written");
    cvg_buffer_free(&record);
}

int main(int argc, char **argv)
{
    struct cvg_buffer value;
    size_t cache = CACHE_MAX;
    if (argc != 6 || strchr(argv[3], '%') == NULL)
        fail("usage: notary-fill DATABASE LEAF.der NAMES COUNT PORT");
    cvg_buffer_init(&value, DER_MAX);
    make_value(argv[2], &value);
    const char *mark = strchr(argv[3], '%');
    GDBM_FILE file = gdbm_open(argv[1], 0, GDBM_NEWDB, 0600, NULL);
    if (file == NULL || gdbm_setopt(file, GDBM_SETCACHESIZE, &cache, sizeof(cache)) != 0)
        fail("the database cannot be made");
    for (unsigned long long i = 0, count = strtoull(argv[4], NULL, 10); i < count; i++) {
        struct cvg_endpoint endpoint;
        char host[CVG_HOST_MAX];
        int len =
            snprintf(host, sizeof(host), "%.*s%llu%s", (int)(mark - argv[3]), argv[3], i, mark + 1);
        if (cvg_endpoint_set(host, (size_t)len, (unsigned)atoi(argv[5]), &endpoint, NULL) != CVG_OK)
            fail("NAMES makes no host names");
        put(file, &endpoint, &value);
    }
    gdbm_close(file);
    cvg_buffer_free(&value);
    return 0;
}
