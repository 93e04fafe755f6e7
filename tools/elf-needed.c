/* SPDX-License-Identifier: MIT */
/* Walks an ELF file's dynamic section. */
#include "tools/elf-needed.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#define HEADERS_MAX 64
#define ENTRIES_MAX 512
#define NATIVE_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

struct file {
    cvg_elf_read_fn *read;
    void *context;
    ElfW(Phdr) header[HEADERS_MAX];
    size_t headers;
};

static bool read_headers(struct file *file, const ElfW(Ehdr) * head)
{
    if (head->e_phnum > HEADERS_MAX || head->e_phentsize != sizeof file->header[0])
        return false;
    file->headers = head->e_phnum;
    return file->headers == 0 || file->read(file->context, head->e_phoff, file->header,
                                            file->headers * sizeof file->header[0]);
}

static bool offset_of(const struct file *file, ElfW(Addr) address, uint64_t *ret_offset)
{
    for (size_t i = 0; i < file->headers; i++) {
        const ElfW(Phdr) *header = &file->header[i];

        if (header->p_type == PT_LOAD && address >= header->p_vaddr &&
            address - header->p_vaddr < header->p_filesz) {
            *ret_offset = header->p_offset + (address - header->p_vaddr);
            return true;
        }
    }
    return false;
}

/* A name at the end of a file has fewer octets behind it than the longest name. */
static bool read_name(const struct file *file, uint64_t offset,
                      char ret_name[static CVG_ELF_NAME_MAX])
{
    size_t at = 0;

    while (at < CVG_ELF_NAME_MAX && file->read(file->context, offset + at, ret_name + at, 1)) {
        if (ret_name[at] == '\0')
            return true;
        at++;
    }
    return false;
}

static bool read_dynamic(const struct file *file, const ElfW(Phdr) * header, struct cvg_elf *elf)
{
    ElfW(Dyn) entry;
    ElfW(Xword) name[CVG_ELF_NEEDED_MAX];
    uint64_t strings = 0;
    size_t names = 0;
    bool found = false;

    for (size_t i = 0; i < ENTRIES_MAX && (i + 1) * sizeof entry <= header->p_filesz; i++) {
        if (!file->read(file->context, header->p_offset + i * sizeof entry, &entry, sizeof entry))
            return false;
        if (entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            found = offset_of(file, entry.d_un.d_ptr, &strings);
        else if (entry.d_tag == DT_NEEDED && names < CVG_ELF_NEEDED_MAX)
            name[names++] = entry.d_un.d_val;
    }
    for (size_t i = 0; found && i < names; i++)
        if (read_name(file, strings + name[i], elf->needed[elf->count]))
            elf->count++;
    return true;
}

bool cvg_elf_parse(cvg_elf_read_fn *read, void *context, struct cvg_elf *ret_elf)
{
    struct file file = {.read = read, .context = context};
    ElfW(Ehdr) head;

    memset(ret_elf, 0, sizeof *ret_elf);
    if (!read(context, 0, &head, sizeof head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return false;
    if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        head.e_ident[EI_DATA] != NATIVE_DATA) {
        ret_elf->foreign = true;
        return true;
    }
    if (!read_headers(&file, &head))
        return false;
    for (size_t i = 0; i < file.headers; i++)
        if (file.header[i].p_type == PT_DYNAMIC)
            return read_dynamic(&file, &file.header[i], ret_elf);
    return true;
}
