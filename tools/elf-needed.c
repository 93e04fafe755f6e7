/* SPDX-License-Identifier: MIT */
/* Walks an ELF file's dynamic section. Files of 32 bits are made those of 64 while they are read.
 */
#include "tools/elf-needed.h"

#include <elf.h>
#include <string.h>

#define HEADERS_MAX 64
#define ENTRIES_MAX 512
#define NATIVE_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

struct file {
    cvg_elf_read_fn *read;
    void *context;
    bool narrow;
    Elf64_Phdr header[HEADERS_MAX];
    size_t headers;
};

/* What the dynamic section names, as offsets in its strings. */
struct names {
    uint64_t strings, needed[CVG_ELF_NEEDED_MAX], rpath, runpath;
    size_t count;
    bool has_strings, has_rpath, has_runpath;
};

static bool read_header(const struct file *file, uint64_t offset, Elf64_Phdr *ret_header)
{
    Elf32_Phdr narrow;

    if (!file->narrow)
        return file->read(file->context, offset, ret_header, sizeof *ret_header);
    if (!file->read(file->context, offset, &narrow, sizeof narrow))
        return false;
    *ret_header = (Elf64_Phdr){.p_type = narrow.p_type,
                               .p_offset = narrow.p_offset,
                               .p_vaddr = narrow.p_vaddr,
                               .p_filesz = narrow.p_filesz};
    return true;
}

static bool read_headers(struct file *file, uint64_t offset, unsigned count, unsigned size)
{
    if (count > HEADERS_MAX || size != (file->narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr)) ||
        offset > UINT64_MAX - HEADERS_MAX * sizeof(Elf64_Phdr))
        return false;
    for (; file->headers < count; file->headers++)
        if (!read_header(file, offset + file->headers * size, &file->header[file->headers]))
            return false;
    return true;
}

static bool read_head(struct file *file, struct cvg_elf *elf)
{
    Elf32_Ehdr narrow;
    Elf64_Ehdr wide;

    if (file->narrow) {
        if (!file->read(file->context, 0, &narrow, sizeof narrow))
            return false;
        elf->machine = narrow.e_machine;
        return read_headers(file, narrow.e_phoff, narrow.e_phnum, narrow.e_phentsize);
    }
    if (!file->read(file->context, 0, &wide, sizeof wide))
        return false;
    elf->machine = wide.e_machine;
    return read_headers(file, wide.e_phoff, wide.e_phnum, wide.e_phentsize);
}

static bool offset_of(const struct file *file, uint64_t address, uint64_t *ret_offset)
{
    for (size_t i = 0; i < file->headers; i++) {
        const Elf64_Phdr *header = &file->header[i];

        if (header->p_type == PT_LOAD && address >= header->p_vaddr &&
            address - header->p_vaddr < header->p_filesz) {
            *ret_offset = header->p_offset + (address - header->p_vaddr);
            return true;
        }
    }
    return false;
}

/* A name at the end of a file has fewer octets behind it than the longest name. */
static bool read_name(const struct file *file, uint64_t offset, char *ret_name, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (!file->read(file->context, offset + at, ret_name + at, 1))
            break;
        if (ret_name[at] == '\0')
            return true;
    }
    ret_name[0] = '\0';
    return false;
}

static bool read_entry(const struct file *file, uint64_t offset, Elf64_Dyn *ret_entry)
{
    Elf32_Dyn narrow;

    if (!file->narrow)
        return file->read(file->context, offset, ret_entry, sizeof *ret_entry);
    if (!file->read(file->context, offset, &narrow, sizeof narrow))
        return false;
    ret_entry->d_tag = narrow.d_tag;
    ret_entry->d_un.d_val = narrow.d_un.d_val;
    return true;
}

static void take_entry(const struct file *file, const Elf64_Dyn *entry, struct names *names)
{
    if (entry->d_tag == DT_STRTAB)
        names->has_strings = offset_of(file, entry->d_un.d_ptr, &names->strings);
    else if (entry->d_tag == DT_NEEDED && names->count < CVG_ELF_NEEDED_MAX)
        names->needed[names->count++] = entry->d_un.d_val;
    else if (entry->d_tag == DT_RPATH) {
        names->has_rpath = true;
        names->rpath = entry->d_un.d_val;
    } else if (entry->d_tag == DT_RUNPATH) {
        names->has_runpath = true;
        names->runpath = entry->d_un.d_val;
    }
}

/* Where there is a DT_RUNPATH, the loader does not look at DT_RPATH. */
static void read_names(const struct file *file, const struct names *names, struct cvg_elf *elf)
{
    if (!names->has_strings)
        return;
    for (size_t i = 0; i < names->count; i++)
        if (read_name(file, names->strings + names->needed[i], elf->needed[elf->count],
                      CVG_ELF_NAME_MAX))
            elf->count++;
    elf->inherited = names->has_rpath && !names->has_runpath;
    if (names->has_rpath || names->has_runpath)
        (void)read_name(file, names->strings + (elf->inherited ? names->rpath : names->runpath),
                        elf->run_path, sizeof elf->run_path);
}

static bool read_dynamic(const struct file *file, const Elf64_Phdr *header, struct cvg_elf *elf)
{
    size_t size = file->narrow ? sizeof(Elf32_Dyn) : sizeof(Elf64_Dyn);
    struct names names = {.count = 0};
    Elf64_Dyn entry;

    for (size_t i = 0; i < ENTRIES_MAX && (i + 1) * size <= header->p_filesz; i++) {
        if (!read_entry(file, header->p_offset + i * size, &entry))
            return false;
        if (entry.d_tag == DT_NULL)
            break;
        take_entry(file, &entry, &names);
    }
    read_names(file, &names, elf);
    return true;
}

bool cvg_elf_parse(cvg_elf_read_fn *read, void *context, struct cvg_elf *ret_elf)
{
    struct file file = {.read = read, .context = context};
    unsigned char ident[EI_NIDENT];

    memset(ret_elf, 0, sizeof *ret_elf);
    if (!read(context, 0, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
        (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
        return false;
    ret_elf->foreign = ident[EI_DATA] != NATIVE_DATA;
    if (ret_elf->foreign)
        return true;
    file.narrow = ret_elf->narrow = ident[EI_CLASS] == ELFCLASS32;
    if (!read_head(&file, ret_elf))
        return false;
    for (size_t i = 0; i < file.headers; i++)
        if (file.header[i].p_type == PT_DYNAMIC)
            return read_dynamic(&file, &file.header[i], ret_elf);
    return true;
}
