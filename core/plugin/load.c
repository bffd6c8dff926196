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
    if ((out_status->st_mode & S_IWOTH) != 0)
        return err_set(err, E_DENIED,
                       "plugin %s: everybody may write this file, and so run code as the daemon: "
                       "chmod o-w %s",
                       path, path);
    return 0;
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
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, E_IO, "plugin %s: %s", path, strerror(errno));
    int rc = check_file(path, fd, &status, err);
    if (rc == 0)
        rc = read_all(path, fd, (size_t)status.st_size, out, err);
    close(fd);
    return rc;
}

static int copy_to_memory(const char *name, const struct buf *bytes, struct err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t written = 0;
    while (fd >= 0 && written < bytes->size) {
        ssize_t put = write(fd, bytes->data + written, bytes->size - written);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        written += (size_t)put;
    }
    if (fd >= 0 && written == bytes->size &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    err_set(err, E_IO, "plugin %s: no private copy: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return E_IO;
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

/* Names are bound at once and stay the plugin's own; it is never unmapped, and needs no descriptor
 * any more.  Takes over `fd`. */
static int open_code(const char *name, int fd, describe_fn **out_describe, struct err *err)
{
    char path[PATH_BYTES];
    spell_path(fd, path);
    void *code = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    close(fd);
    if (code == NULL)
        return err_set(err, E_INVALID, "plugin %s cannot be loaded: %s", name, dlerror());
    void *symbol = dlsym(code, "kith_describe");
    if (symbol == NULL)
        return err_set(err, E_INVALID,
                       "plugin %s exports no kith_describe(): declare it with KITH_EXPORT", name);
    memcpy(out_describe, &symbol, sizeof symbol); /* ISO C has no conversion */
    return 0;
}

static int describe(struct plugin *plugin, const struct plugin_options *options, struct err *err)
{
    struct buf bytes = BUF_INIT;
    describe_fn *call = NULL;
    struct err reason;
    int rc = read_file(options->path, &bytes, err);
    int fd = rc == 0 ? copy_to_memory(options->name, &bytes, err) : rc;
    if (fd < 0) {
        buf_deinit(&bytes);
        return fd;
    }
    digest_32(bytes.data, bytes.size, plugin->hash);
    buf_deinit(&bytes);
    rc = open_code(options->name, fd, &call, err);
    if (rc != 0)
        return rc;
    ASSERT(call != NULL);
    unsigned slot = breadcrumb_slot();
    breadcrumb_enter(slot, options->number, 0, BREADCRUMB_DESCRIBE);
    const struct kith_plugin *said = call();
    breadcrumb_leave(slot);
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

/* All that is missing at once, as it would be written. */
static int check_grant(const struct plugin *plugin, struct doc grant, struct err *err)
{
    char list[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < plugin->need_count; i++)
        if (!is_granted(grant, plugin->needs[i]) && used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"",
                                     used != 0 ? ", " : "", plugin->needs[i]);
    if (used == 0)
        return 0;
    return err_set(err, E_DENIED,
                   "plugin %s needs what it is not granted: add %s to grant = { ... } if it may",
                   plugin->name, list);
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
    arena_deinit(&plugin->arena);
    free(plugin);
}
