/* load.c -- from a file to a plugin; see plugin.h.
 *
 * The bytes are read once.  What was hashed is what is loaded: the loader gets a file in memory
 * that nobody else has, sealed against writing.
 */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/breadcrumb.h"
#include "core/plugin/configure.h"
#include "core/plugin/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- The file ---------------------------------------------------------------------------------- */

/* Whoever may write it may run code as the daemon. */
static int check_file(const char *path, int fd, struct stat *out_status, struct err *err)
{
    if (fstat(fd, out_status) != 0)
        return err_set(err, E_IO, "plugin %s: %s", path, strerror(errno));
    if (!S_ISREG(out_status->st_mode) || out_status->st_size > PLUGIN_FILE_BYTES_MAX)
        return err_set(err, E_INVALID, "plugin %s: it is no file of at most %u MiB", path,
                       PLUGIN_FILE_BYTES_MAX >> 20);
    if (out_status->st_size == 0)
        return err_set(err, E_INVALID, "plugin %s: the file is empty", path);
    if ((out_status->st_mode & S_IWOTH) != 0)
        return err_set(err, E_DENIED,
                       "plugin %s: everybody may write this file, and so run code as the daemon: "
                       "chmod o-w %s",
                       path, path);
    return 0;
}

/* Whoever may write the folder may put another file there, unless only owners take files away. */
static int check_folder(const char *path, struct err *err)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? mem_string(".")
                   : slash == path ? mem_string("/")
                                   : mem_string(path);
    if (slash != NULL && slash != path)
        folder[slash - path] = '\0';
    bool is_open = stat(folder, &status) == 0 && (status.st_mode & S_IWOTH) != 0 &&
                   (status.st_mode & S_ISVTX) == 0;
    int rc = is_open ? err_set(err, E_DENIED,
                               "plugin %s: everybody may write its folder, and so run code as the "
                               "daemon: chmod o-w %s",
                               path, folder)
                     : 0;
    free(folder);
    return rc;
}

static int read_all(const char *path, int fd, size_t size, struct buf *out, struct err *err)
{
    uint8_t *at = buf_reserve(out, size);
    while (out->size < size) {
        ssize_t got = read(fd, at + out->size, size - out->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, E_IO, "plugin %s: %s", path,
                           got < 0 ? strerror(errno) : "it became shorter while it was read");
        out->size += (size_t)got;
    }
    return 0;
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer: no wait */
    if (fd < 0)
        return err_set(err, E_IO, "plugin %s: %s", path, strerror(errno));
    int rc = check_file(path, fd, &status, err);
    if (rc == 0)
        rc = check_folder(path, err);
    if (rc == 0)
        rc = read_all(path, fd, (size_t)status.st_size, out, err);
    close(fd);
    return rc;
}

static int fill_copy(int fd, const struct buf *bytes)
{
    size_t written = 0;
    while (written < bytes->size) {
        ssize_t put = write(fd, bytes->data + written, bytes->size - written);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -1;
        written += (size_t)put;
    }
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

/* Above those of the standard streams, of which somebody may have closed one. */
static int duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int copy_to_memory(const char *name, const struct buf *bytes, int *out_fd, struct err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int copy = fd >= 0 && fill_copy(fd, bytes) == 0 ? duplicate(fd) : -1;
    if (copy < 0)
        err_set(err, E_IO, "plugin %s: no private copy: %s", name, strerror(errno));
    else
        *out_fd = copy;
    if (fd >= 0)
        close(fd);
    return copy < 0 ? E_IO : 0;
}

int plugin_copy(const struct plugin_options *options, int *out_fd, struct err *err)
{
    struct buf bytes = BUF_INIT;
    if (options->copy != 0) {
        int copy = duplicate(options->copy);
        if (copy < 0)
            return err_set(err, E_IO, "plugin %s: its copy: %s", options->name, strerror(errno));
        *out_fd = copy;
        return 0;
    }
    int rc = read_file(options->path, &bytes, err);
    if (rc == 0)
        rc = copy_to_memory(options->name, &bytes, out_fd, err);
    buf_deinit(&bytes);
    return rc;
}

static int hash_copy(const char *name, int fd, uint8_t out_hash[DIGEST_32_BYTES], struct err *err)
{
    struct stat status;
    void *bytes = MAP_FAILED;
    if (fstat(fd, &status) == 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return err_set(err, E_IO, "plugin %s: its copy cannot be read: %s", name, strerror(errno));
    digest_32(bytes, (size_t)status.st_size, out_hash);
    munmap(bytes, (size_t)status.st_size);
    return 0;
}

/* -- The code ---------------------------------------------------------------------------------- */

#define PATH_BYTES 128

typedef const struct kith_plugin *describe_fn(void);

/* The loader takes two files of one name for one, and keeps what it has: each load spells the way
 * to its own in another manner, in binary with "/" and "./". */
static void spell_path(int fd, char out[PATH_BYTES])
{
    static atomic_uint loads;
    char *at = stpcpy(out, "/proc/self/fd/");
    for (unsigned number = atomic_fetch_add(&loads, 1); number != 0; number /= 2)
        at = stpcpy(at, number % 2 != 0 ? "./" : "/");
    snprintf(at, (size_t)(out + PATH_BYTES - at), "%d", fd);
}

struct image {
    const void *code; /* somewhere in it */
    size_t bytes;
};

static int measure(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct image *image = arg;
    size_t bytes = 0;
    bool is_it = false;
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD)
            continue;
        bytes += part->p_memsz;
        is_it = is_it ||
                ((uintptr_t)image->code >= begin && (uintptr_t)image->code < begin + part->p_memsz);
    }
    if (is_it)
        image->bytes = bytes;
    return is_it;
}

/* The loader names the file by the path that it was given, which says nothing to anybody. */
static int refuse_code(const struct plugin_options *options, const char *spelled, struct err *err)
{
    const char *words = dlerror();
    size_t size = strlen(spelled);
    bool is_about_it = strncmp(words, spelled, size) == 0 && words[size] == ':';
    return err_set(err, E_INVALID, "plugin %s cannot be loaded: %s%s", options->name,
                   is_about_it ? options->path : "", is_about_it ? words + size : words);
}

/* Names are bound at once and stay the plugin's own; it is never unmapped, and needs no descriptor
 * any more.  Takes over `fd`. */
static int open_code(const struct plugin_options *options, int fd, struct plugin *plugin,
                     describe_fn **out_describe, struct err *err)
{
    char path[PATH_BYTES];
    spell_path(fd, path);
    void *code = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    close(fd);
    if (code == NULL)
        return refuse_code(options, path, err);
    void *symbol = dlsym(code, "kith_describe");
    if (symbol == NULL)
        return err_set(err, E_INVALID,
                       "plugin %s exports no kith_describe(): declare it with KITH_EXPORT",
                       options->name);
    struct image image = { symbol, 0 };
    dl_iterate_phdr(measure, &image);
    plugin->image_bytes = image.bytes;
    memcpy(out_describe, &symbol, sizeof symbol); /* ISO C has no conversion */
    return 0;
}

static int describe(struct plugin *plugin, const struct plugin_options *options, struct err *err)
{
    describe_fn *call = NULL;
    struct err reason;
    int fd = -1, rc = plugin_copy(options, &fd, err);
    if (rc != 0)
        return rc;
    rc = hash_copy(options->name, fd, plugin->hash, err);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    unsigned slot = breadcrumb_slot();
    breadcrumb_enter(slot, options->number, 0, BREADCRUMB_DESCRIBE); /* constructors run already */
    rc = open_code(options, fd, plugin, &call, err);
    ASSERT(rc != 0 || call != NULL);
    const struct kith_plugin *said = rc == 0 ? call() : NULL;
    breadcrumb_leave(slot);
    if (rc != 0)
        return rc;
    rc = plugin_describe(plugin, said, &reason);
    return rc != 0 ? err_set(err, rc, "%s: %s", options->path, reason.text) : 0;
}

/* -- What the operator allows ------------------------------------------------------------------ */

static bool is_granted(struct doc grant, const char *need)
{
    for (struct doc_iter it = doc_iter(grant); doc_next(&it);)
        if (it.value.type == DOC_TEXT && text_is(it.value.text, need))
            return true;
    return false;
}

#define GRANT_WORDS 180 /* so that the sentence around them is whole too */

/* All that is missing at once, as it would be written; whole words alone, and how many more. */
static int check_grant(const struct plugin *plugin, struct doc grant, struct err *err)
{
    char list[GRANT_WORDS] = "", more[40] = "";
    size_t used = 0, left_out = 0;
    for (size_t i = 0; i < plugin->need_count; i++) {
        const char *need = plugin->needs[i];
        if (is_granted(grant, need))
            continue;
        if (left_out != 0 || used + strlen(need) + sizeof ", \"\"" > sizeof list)
            left_out++;
        else
            used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"",
                                     used != 0 ? ", " : "", need);
    }
    if (used == 0)
        return 0;
    if (left_out != 0)
        snprintf(more, sizeof more, " and %zu more", left_out);
    return err_set(err, E_DENIED,
                   "plugin %s needs what it is not granted: add %s%s to grant = { ... } if it may",
                   plugin->name, list, more);
}

/* To load it again. */
static void keep_options(struct plugin *plugin, const struct plugin_options *options)
{
    plugin->number = options->number;
    plugin->path = arena_text(&plugin->arena, text_of(options->path)).data;
    plugin->grant = arena_doc(&plugin->arena, options->grant);
    plugin->given = arena_doc(&plugin->arena, options->config);
}

/* -- Life -------------------------------------------------------------------------------------- */

int plugin_load(const struct plugin_options *options, struct plugin **out_plugin, struct err *err)
{
    struct plugin *plugin = mem_zero(sizeof *plugin);
    int rc = describe(plugin, options, err);
    if (rc == 0)
        rc = plugin_allow(plugin, options, err);
    if (rc != 0) {
        plugin_free(plugin);
        return rc;
    }
    *out_plugin = plugin;
    return 0;
}

int plugin_allow(struct plugin *plugin, const struct plugin_options *options, struct err *err)
{
    if (strcmp(plugin->name, options->name) != 0)
        return err_set(err, E_INVALID, "%s: it says it is called %s, and is configured as %s",
                       options->path, plugin->name, options->name);
    plugin->is_for_trial = options->is_for_trial;
    int rc = check_grant(plugin, options->grant, err);
    if (rc == 0)
        rc = plugin_configure(plugin, options->config, err);
    if (rc == 0)
        rc = plugin_read_kinds(plugin, err);
    if (rc == 0)
        keep_options(plugin, options);
    return rc;
}

void plugin_free(struct plugin *plugin)
{
    if (plugin == NULL)
        return;
    if (plugin->copy != 0)
        close(plugin->copy);
    arena_deinit(&plugin->arena);
    free(plugin);
}
