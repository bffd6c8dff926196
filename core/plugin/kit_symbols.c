/* kit_symbols.c -- see kit_symbols.h.
 *
 * The file is ELF with 64 bits, little-endian, as everything that kithd can load.  It was written
 * by anybody, so every offset is held against the size of the file before it is followed.
 */
#include "core/plugin/kit_symbols.h"

#include "core/base/buf.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_SHOWN 5

struct file {
    const uint8_t *data;
    size_t size;
};

/* What a pure function has no use for; one of them in a plugin without an outside side is a clock,
 * a die or a door. */
static const char *const impure[] = {
    "clock",  "clock_gettime",  "connect",      "fopen",     "fopen64",     "fork",     "getenv",
    "getpid", "getrandom",      "gettimeofday", "localtime", "localtime_r", "open",     "open64",
    "popen",  "pthread_create", "rand",         "rand_r",    "random",      "sleep",    "socket",
    "srand",  "system",         "time",         "usleep",    "nanosleep",   "strftime", "setlocale",
};

/* `size` bytes at `offset`, or NULL. */
static const void *piece(const struct file *file, uint64_t offset, uint64_t size)
{
    if (offset > file->size || size > file->size - offset)
        return NULL;
    return file->data + offset;
}

static bool read_section(const struct file *file, const Elf64_Ehdr *head, size_t index,
                         Elf64_Shdr *out)
{
    const void *at = piece(file, head->e_shoff + index * sizeof *out, sizeof *out);
    if (index >= head->e_shnum || at == NULL)
        return false;
    memcpy(out, at, sizeof *out);
    return true;
}

struct symbols {
    const struct file *file;
    Elf64_Shdr table, names;
    size_t count;
};

static bool find_symbols(const struct file *file, struct symbols *out)
{
    Elf64_Ehdr head;
    const void *at = piece(file, 0, sizeof head);
    if (at == NULL || memcmp(at, ELFMAG, SELFMAG) != 0)
        return false;
    memcpy(&head, at, sizeof head);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_shentsize != sizeof(Elf64_Shdr))
        return false;
    for (size_t i = 0; read_section(file, &head, i, &out->table); i++)
        if (out->table.sh_type == SHT_DYNSYM &&
            read_section(file, &head, out->table.sh_link, &out->names)) {
            out->file = file;
            out->count = out->table.sh_size / sizeof(Elf64_Sym);
            return true;
        }
    return false;
}

/* The name of symbol `index`; NULL: it has none, or the file lies. */
static const char *symbol_name(const struct symbols *symbols, size_t index, Elf64_Sym *out)
{
    const struct file *file = symbols->file;
    const void *at = piece(file, symbols->table.sh_offset + index * sizeof *out, sizeof *out);
    if (at == NULL)
        return NULL;
    memcpy(out, at, sizeof *out);
    uint64_t offset = symbols->names.sh_offset + out->st_name;
    const char *name = piece(file, offset, 1);
    bool is_ended = name != NULL && memchr(name, 0, file->size - offset) != NULL;
    return is_ended && name[0] != '\0' ? name : NULL;
}

static void add_name(struct buf *names, size_t *count, const char *name)
{
    if (*count < NAMES_SHOWN)
        buf_printf(names, "%s%.60s", *count != 0 ? ", " : "", name);
    else if (*count == NAMES_SHOWN)
        buf_text(names, " ...");
    ++*count;
}

static bool is_impure(const char *name)
{
    for (size_t i = 0; i < sizeof impure / sizeof *impure; i++)
        if (strcmp(name, impure[i]) == 0)
            return true;
    return false;
}

static void look(const struct symbols *symbols, struct doc about, kit_symbol_fn *found, void *arg)
{
    struct buf exported = BUF_INIT, used = BUF_INIT, what = BUF_INIT;
    size_t exported_count = 0, used_count = 0;
    Elf64_Sym symbol;
    for (size_t i = 0; i < symbols->count; i++) {
        const char *name = symbol_name(symbols, i, &symbol);
        if (name == NULL)
            continue;
        bool is_theirs = symbol.st_shndx != SHN_UNDEF;
        if (is_theirs && strcmp(name, "kith_describe") != 0 && name[0] != '_')
            add_name(&exported, &exported_count, name);
        if (!is_theirs && is_impure(name))
            add_name(&used, &used_count, name);
    }
    if (exported_count != 0) {
        buf_printf(&what, "it exports more than kith_describe(): %s", buf_string(&exported));
        found(arg, "warning", buf_string(&what),
              "build it with -fvisibility=hidden, so that its names are its own");
        buf_clear(&what);
    }
    if (used_count != 0 && about.data != NULL && !doc_bool(about, "outside", false)) {
        buf_printf(&what, "it has no outside side, and uses %s()", buf_string(&used));
        found(arg, "warning", buf_string(&what),
              "a deterministic function has the time from engine->now(), and nothing else from "
              "outside");
    }
    buf_deinit(&exported);
    buf_deinit(&used);
    buf_deinit(&what);
}

void kit_symbols_check(const char *path, struct doc about, kit_symbol_fn *found, void *arg)
{
    struct symbols symbols;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size <= 0) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct file file = { NULL, (size_t)status.st_size };
    void *data = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return;
    file.data = data;
    if (find_symbols(&file, &symbols))
        look(&symbols, about, found, arg);
    munmap(data, file.size);
}
