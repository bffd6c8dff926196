/* zone_base.c -- walking through the directory of the zone data base.
 *
 * There is a file for each zone, and links to it for its other names ("Asia/Calcutta"
 * is "Asia/Kolkata"); a file is read once, whatever it is called.  All are small: 600
 * names are 450 files and 470 KiB.
 *
 * Beside zones the directory has tables, links for the C library and copies of all
 * zones with leap seconds.  Zones are told by their capitals: each part of a zone's
 * name begins with one, and nothing else does (but for Factory, the zone of a machine
 * that has none, and some text that a distribution may add).  The list in tzdata.zi
 * names the zones, too, but not every system has it, and some install fewer files
 * than it lists.
 *
 * Anything that cannot be read fails the whole: a zone less would be taken for a
 * customer's mistake in writing its name.
 */
#include "core/base/zone_base.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_HASH_BYTES 8

struct zone_base_file {
    dev_t device;
    ino_t inode;
    size_t start, size; /* of its bytes in the content */
};

struct folder {
    char name[ZONE_NAME_SIZE]; /* "America/Argentina"; "" is the directory itself */
};

struct reading {
    const char *dir;
    struct buf path;                           /* of what is being looked at */
    struct buf names, files, folders, content; /* so far */
    struct err *err;
};

static const char *set_path(struct reading *reading, const char *name)
{
    buf_clear(&reading->path);
    buf_printf(&reading->path, "%s%s%s", reading->dir, *name == '\0' ? "" : "/", name);
    return buf_string(&reading->path);
}

static int refuse(struct reading *reading, int code, const char *reason)
{
    return err_set(reading->err, code, "%s: %s", buf_string(&reading->path), reason);
}

static int refuse_call(struct reading *reading)
{
    return refuse(reading, E_IO, strerror(errno));
}

/* -- Files ------------------------------------------------------------------------- */

/* That a file has become shorter meanwhile is found when its table is made. */
static int append_content(struct reading *reading, size_t left)
{
    struct buf *content = &reading->content;
    ssize_t size = 1;
    if (left > ZONE_BASE_FILE_BYTES_MAX)
        return refuse(reading, E_LIMIT, "more than 64 KiB");
    int fd = open(buf_string(&reading->path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse_call(reading);
    while (size > 0 && left > 0) {
        size = read(fd, buf_reserve(content, left), left);
        content->size += size > 0 ? (size_t)size : 0;
        left -= size > 0 ? (size_t)size : 0;
    }
    int rc = size < 0 ? refuse_call(reading) : 0;
    close(fd);
    return rc;
}

/* A power cut leaves a file empty or full of zeros, but never makes it text. */
static bool is_text(const uint8_t *data, size_t size)
{
    return size > 0 && data[0] != '\0' && memcmp(data, "TZif", size < 4 ? size : 4) != 0;
}

/* How many files are known is the answer for one that is not. */
static size_t find_file(const struct reading *reading, const struct stat *status)
{
    const struct zone_base_file *files = (const void *)reading->files.data;
    size_t count = reading->files.size / sizeof *files, i = 0;
    while (i < count && (files[i].inode != status->st_ino || files[i].device != status->st_dev))
        i++;
    return i;
}

static int read_file(struct reading *reading, const char *text, const struct stat *status)
{
    struct zone_base_name name = { .file = find_file(reading, status) };
    struct buf *content = &reading->content;
    if (name.file == reading->files.size / sizeof(struct zone_base_file)) {
        size_t start = content->size;
        int rc = append_content(reading, (size_t)status->st_size);
        if (rc != 0)
            return rc;
        if (is_text(content->data + start, content->size - start)) {
            content->size = start;
            return 0;
        }
        struct zone_base_file file = { status->st_dev, status->st_ino, start,
                                       content->size - start };
        buf_append(&reading->files, &file, sizeof file);
    }
    if (reading->names.size / sizeof name == ZONE_BASE_NAMES_MAX)
        return refuse(reading, E_LIMIT, "more than 1024 zones");
    memcpy(name.text, text, strlen(text));
    buf_append(&reading->names, &name, sizeof name);
    return 0;
}

/* -- Folders ----------------------------------------------------------------------- */

static int add_folder(struct reading *reading, const char *name)
{
    struct folder folder = { "" };
    if (reading->folders.size / sizeof folder == ZONE_BASE_FOLDERS_MAX)
        return refuse(reading, E_LIMIT, "more than 64 folders");
    memcpy(folder.name, name, strlen(name));
    buf_append(&reading->folders, &folder, sizeof folder);
    return 0;
}

static int read_entry(struct reading *reading, const struct folder *folder, const char *entry)
{
    char name[ZONE_NAME_SIZE];
    struct stat status;
    bool is_top = folder->name[0] == '\0';
    if (entry[0] < 'A' || entry[0] > 'Z' || (is_top && strcmp(entry, "Factory") == 0))
        return 0;
    int size = snprintf(name, sizeof name, "%s%s%s", folder->name, is_top ? "" : "/", entry);
    const char *path = set_path(reading, name);
    if (size >= (int)sizeof name)
        return refuse(reading, E_LIMIT, "a name of more than 47 bytes begins so");
    if (stat(path, &status) != 0)
        return refuse_call(reading);
    if (S_ISDIR(status.st_mode))
        return add_folder(reading, name);
    return S_ISREG(status.st_mode) ? read_file(reading, name, &status) : 0;
}

static int read_folder(struct reading *reading, struct folder folder)
{
    const struct dirent *entry;
    DIR *dir = opendir(set_path(reading, folder.name));
    if (dir == NULL)
        return refuse_call(reading);
    int rc = 0;
    do {
        errno = 0;
        entry = readdir(dir);
        if (entry != NULL)
            rc = read_entry(reading, &folder, entry->d_name);
        else if (errno != 0)
            rc = refuse_call(reading);
    } while (rc == 0 && entry != NULL);
    closedir(dir);
    return rc;
}

static int read_folders(struct reading *reading)
{
    int rc = add_folder(reading, "");
    for (size_t i = 0; rc == 0 && i < reading->folders.size / sizeof(struct folder); i++) {
        struct folder folder; /* a copy: the list moves when it grows */
        memcpy(&folder, reading->folders.data + i * sizeof folder, sizeof folder);
        rc = read_folder(reading, folder);
    }
    if (rc != 0 || reading->names.size != 0)
        return rc;
    set_path(reading, "");
    return refuse(reading, E_IO, "no zones in it");
}

/* -- The whole --------------------------------------------------------------------- */

/* The first line of tzdata.zi is "# version 2025b". */
static void read_release(struct reading *reading, char out_release[ZONE_RELEASE_SIZE])
{
    static const char opening[] = "# version ";
    const size_t size = sizeof opening - 1;
    char line[64] = "";
    out_release[0] = '\0';
    int fd = open(set_path(reading, "tzdata.zi"), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    bool is_read = read(fd, line, sizeof line - 1) > 0;
    close(fd);
    size_t letters = strcspn(line + size, "\n");
    if (!is_read || strncmp(line, opening, size) != 0 || letters >= ZONE_RELEASE_SIZE)
        return;
    memcpy(out_release, line + size, letters);
    out_release[letters] = '\0';
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct zone_base_name *)a)->text,
                  ((const struct zone_base_name *)b)->text);
}

static void keep(struct reading *reading, struct zone_base *base)
{
    base->dir = mem_string(reading->dir);
    base->names = mem_copy(reading->names.data, reading->names.size);
    base->name_count = reading->names.size / sizeof *base->names;
    base->files = mem_copy(reading->files.data, reading->files.size);
    base->file_count = reading->files.size / sizeof *base->files;
    base->content = mem_copy(reading->content.data, reading->content.size);
    qsort(base->names, base->name_count, sizeof *base->names, compare_names);
    read_release(reading, base->release);
}

int zone_base_read(const char *dir, struct zone_base *out_base, struct err *err)
{
    struct reading reading = { .dir = dir, .err = err };
    int rc = read_folders(&reading);
    if (rc == 0)
        keep(&reading, out_base);
    buf_deinit(&reading.path);
    buf_deinit(&reading.names);
    buf_deinit(&reading.files);
    buf_deinit(&reading.folders);
    buf_deinit(&reading.content);
    return rc;
}

void zone_base_deinit(struct zone_base *base)
{
    free(base->dir);
    free(base->names);
    free(base->files);
    free(base->content);
}

bool zone_base_find(const struct zone_base *base, const char *text, size_t *out_index)
{
    struct zone_base_name wanted = { .file = 0 };
    size_t size = strnlen(text, sizeof wanted.text);
    if (size == sizeof wanted.text)
        return false;
    memcpy(wanted.text, text, size);
    const struct zone_base_name *found =
        bsearch(&wanted, base->names, base->name_count, sizeof wanted, compare_names);
    if (found != NULL)
        *out_index = (size_t)(found - base->names);
    return found != NULL;
}

int zone_base_table(const struct zone_base *base, size_t index, struct buf *table, struct err *err)
{
    const struct zone_base_name *name = &base->names[index];
    const struct zone_base_file *file = &base->files[name->file];
    struct err reason = { 0 };
    int rc = zone_tzif_read(base->content + file->start, file->size, table, &reason);
    return rc == 0 ? 0 : err_set(err, rc, "%s/%s: %s", base->dir, name->text, reason.text);
}

/* A hash of each file's table, made when a name first leads there. */
struct file_hash {
    bool is_made;
    uint8_t bytes[HASH128_BYTES];
};

static int hash_name(const struct zone_base *base, size_t index, struct file_hash *hashes,
                     struct hash128 *all, struct err *err)
{
    const struct zone_base_name *name = &base->names[index];
    struct file_hash *own = &hashes[name->file];
    struct buf table = BUF_INIT;
    int rc = own->is_made ? 0 : zone_base_table(base, index, &table, err);
    if (rc == 0 && !own->is_made) {
        struct hash128 hash;
        hash128_init(&hash);
        hash128_update(&hash, table.data, table.size);
        hash128_final(&hash, own->bytes);
        own->is_made = true;
    }
    hash128_update(all, name->text, sizeof name->text);
    hash128_update(all, own->bytes, sizeof own->bytes);
    buf_deinit(&table);
    return rc;
}

/* The release tells a person what it is; the hash is what makes it true, because
 * who packages a release decides what of it goes into the files. */
int zone_base_version(const struct zone_base *base, char out_version[ZONE_VERSION_SIZE],
                      struct err *err)
{
    _Static_assert(ZONE_RELEASE_SIZE + HEX_SIZE(VERSION_HASH_BYTES) <= ZONE_VERSION_SIZE,
                   "release, hyphen and hash must fit");
    struct hash128 all;
    uint8_t bytes[HASH128_BYTES];
    char digits[HEX_SIZE(VERSION_HASH_BYTES)];
    struct file_hash *hashes = mem_zero(base->file_count * sizeof *hashes);
    int rc = 0;
    hash128_init(&all);
    for (size_t i = 0; rc == 0 && i < base->name_count; i++)
        rc = hash_name(base, i, hashes, &all, err);
    free(hashes);
    if (rc != 0)
        return rc;
    hash128_final(&all, bytes);
    hex_encode(bytes, VERSION_HASH_BYTES, digits);
    snprintf(out_version, ZONE_VERSION_SIZE, "%s%s%s", base->release,
             base->release[0] == '\0' ? "" : "-", digits);
    return 0;
}
