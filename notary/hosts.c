/* SPDX-License-Identifier: MIT */
/* Reads a hosts(5) file: per line an address and the names it has. */
#include "notary/hosts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "notary/table.h"

#define HOSTS_FILE_MAX (4 << 20)

struct entry {
    struct cvg_node node;
    struct entry *next; /* all entries, to free them */
    struct cvg_found_addresses addresses;
    char name[CVG_HOST_MAX];
};

struct cvg_hosts {
    struct cvg_table *names;
    struct entry *entries;
};

static enum cvg_error add(struct cvg_hosts *hosts, const struct cvg_address *address,
                          const char *name)
{
    struct cvg_node *node = cvg_table_find(hosts->names, name, strlen(name));
    struct entry *entry = node == NULL ? NULL : CVG_CONTAINER_OF(node, struct entry, node);
    if (entry == NULL) {
        entry = calloc(1, sizeof(*entry));
        if (entry == NULL)
            return CVG_ERR_NOMEM;
        memcpy(entry->name, name, strlen(name) + 1);
        entry->node.key = entry->name;
        entry->node.key_len = strlen(name);
        entry->next = hosts->entries;
        hosts->entries = entry;
        cvg_table_add(hosts->names, &entry->node);
    }
    if (entry->addresses.count < CVG_NAME_ADDRESSES)
        entry->addresses.address[entry->addresses.count++] = *address;
    return CVG_OK;
}

static enum cvg_error parse_line(struct cvg_hosts *hosts, char *line, const char *path,
                                 unsigned number, struct cvg_why *why)
{
    char *save = NULL;
    struct cvg_address address;
    line[strcspn(line, "#\r")] = '\0';
    char *word = strtok_r(line, " \t", &save);
    if (word == NULL)
        return CVG_OK;
    if (cvg_address_parse(word, &address) != CVG_OK)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: %.64s is no address", path, number, word);
    while ((word = strtok_r(NULL, " \t", &save)) != NULL) {
        struct cvg_endpoint name;
        struct cvg_why detail;
        enum cvg_error err = cvg_endpoint_set(word, strlen(word), 443, &name, &detail);
        if (err != CVG_OK)
            return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: %.200s", path, number, detail.text);
        err = add(hosts, &address, name.host);
        if (err != CVG_OK)
            return err;
    }
    return CVG_OK;
}

static enum cvg_error parse(struct cvg_hosts *hosts, char *text, const char *path,
                            struct cvg_why *why)
{
    unsigned number = 0;
    while (text != NULL && *text != '\0') {
        char *newline = strchr(text, '\n');
        if (newline != NULL)
            *newline = '\0';
        enum cvg_error err = parse_line(hosts, text, path, ++number, why);
        if (err != CVG_OK)
            return err;
        text = newline == NULL ? NULL : newline + 1;
    }
    return CVG_OK;
}

enum cvg_error cvg_hosts_load(const char *path, struct cvg_hosts **ret_hosts,
                              struct cvg_why *ret_why)
{
    struct cvg_buffer text = {0};
    struct cvg_hosts *hosts = calloc(1, sizeof(*hosts));
    enum cvg_error err = hosts == NULL ? CVG_ERR_NOMEM : cvg_table_new(&hosts->names);
    if (err == CVG_OK && *path != '\0') {
        err = cvg_file_read(path, geteuid(), HOSTS_FILE_MAX, false, &text, ret_why);
        if (err == CVG_OK && text.len > 0)
            err = parse(hosts, (char *)text.data, path, ret_why);
    }
    cvg_buffer_free(&text);
    if (err != CVG_OK) {
        cvg_hosts_free(hosts);
        return err;
    }
    *ret_hosts = hosts;
    return CVG_OK;
}

void cvg_hosts_free(struct cvg_hosts *hosts)
{
    if (hosts == NULL)
        return;
    struct entry *next = NULL;
    for (struct entry *entry = hosts->entries; entry != NULL; entry = next) {
        next = entry->next;
        free(entry);
    }
    cvg_table_free(hosts->names);
    free(hosts);
}

bool cvg_hosts_find(const struct cvg_hosts *hosts, const char *name,
                    struct cvg_found_addresses *ret_addresses)
{
    struct cvg_node *node = cvg_table_find(hosts->names, name, strlen(name));
    if (node == NULL)
        return false;
    *ret_addresses = CVG_CONTAINER_OF(node, struct entry, node)->addresses;
    return true;
}
