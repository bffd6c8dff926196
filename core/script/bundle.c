/* bundle.c -- reading a directory in a fixed order; see bundle.h. */
#include "core/script/bundle.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 100 /* what the sandbox can name in its messages */

struct paths {
    char **items; /* relative to the bundle's directory */
    size_t count;
};

static void paths_add(struct paths *paths, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
    paths->items = mem_resize(paths->items, (paths->count + 1) * sizeof *paths->items);
    paths->items[paths->count++] = path;
}

static void paths_deinit(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
}

static bool belongs(const char *name)
{
    static const char *const ends[] = { ".lua", ".md", ".csv" };
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (size > strlen(ends[i]) && strcmp(name + size - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* One folder: files go to `files`, sub-folders to `folders` for later. */
static int list(const char *dir, const char *folder, struct paths *files, struct paths *folders,
                struct err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, folder);
    DIR *handle = opendir(path);
    if (handle == NULL && errno == ENOTDIR)
        return err_set(err, E_INVALID, "%s is a file: name the directory that holds it", dir);
    if (handle == NULL)
        return err_set(err, E_IO, "%s: cannot read the directory %s", strerror(errno), path);
    struct dirent *entry;
    while ((entry = readdir(handle)) != NULL) {
        struct stat stat;
        if (entry->d_name[0] == '.' || fstatat(dirfd(handle), entry->d_name, &stat, 0) != 0)
            continue;
        if (S_ISDIR(stat.st_mode))
            paths_add(folders, folder, entry->d_name);
        else if (S_ISREG(stat.st_mode) && belongs(entry->d_name))
            paths_add(files, folder, entry->d_name);
    }
    closedir(handle);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int find_files(const char *dir, struct paths *files, struct err *err)
{
    struct paths folders = { NULL, 0 };
    paths_add(&folders, "", "");
    folders.items[0][0] = '\0';
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < folders.count; i++) {
        rc = list(dir, folders.items[i], files, &folders, err);
        if (rc == 0 && (files->count > BUNDLE_FILES_MAX || folders.count > BUNDLE_FILES_MAX))
            rc = err_set(err, E_LIMIT, "%s: a bundle has at most %d files", dir, BUNDLE_FILES_MAX);
    }
    paths_deinit(&folders);
    if (files->count != 0)
        qsort(files->items, files->count, sizeof *files->items, compare);
    return rc;
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, E_IO, "cannot read %s: %s", path, strerror(errno));
    ssize_t size = 1;
    while (size > 0 && out->size <= BUNDLE_BYTES_MAX) {
        size = read(fd, buf_reserve(out, 65536), 65536);
        out->size += size > 0 ? (size_t)size : 0;
    }
    int code = errno;
    close(fd);
    return size < 0 ? err_set(err, E_IO, "cannot read %s: %s", path, strerror(code)) : 0;
}

static int add_file(struct doc_writer *w, const char *dir, const char *path, struct buf *text,
                    struct err *err)
{
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", dir, path);
    buf_clear(text);
    int rc = read_file(full, text, err);
    if (rc == 0 && w->buf->size + text->size > BUNDLE_BYTES_MAX)
        rc = err_set(err, E_LIMIT, "%s: a bundle has at most %u KiB", dir, BUNDLE_BYTES_MAX >> 10);
    if (rc == 0)
        doc_put_text(w, path, (struct text){ (const char *)text->data, (uint32_t)text->size });
    return rc;
}

int bundle_read_dir(const char *dir, struct buf *out, struct doc *out_bundle, struct err *err)
{
    struct paths files = { NULL, 0 };
    struct buf text = BUF_INIT;
    struct doc_writer w;
    int rc = find_files(dir, &files, err);
    doc_begin(&w, out);
    doc_open(&w, "files");
    for (size_t i = 0; rc == 0 && i < files.count; i++)
        rc = add_file(&w, dir, files.items[i], &text, err);
    doc_close(&w);
    struct doc bundle = doc_end(&w);
    if (rc == 0)
        rc = bundle_check(bundle, err);
    if (rc == 0)
        *out_bundle = bundle;
    buf_deinit(&text);
    paths_deinit(&files);
    return rc;
}

static int check_file(struct text path, const struct doc_value *text, struct err *err)
{
    if (path.size == 0 || path.size > PATH_BYTES_MAX || path.data[0] == '/' ||
        strstr(path.data, "..") != NULL)
        return err_set(err, E_INVALID,
                       "%.100s: a path is relative, without \"..\", of at most %d bytes", path.data,
                       PATH_BYTES_MAX);
    if (text->type != DOC_TEXT || !utf8_valid(text->text.data, text->text.size))
        return err_set(err, E_INVALID, "%s is not UTF-8 text: save it as UTF-8", path.data);
    return 0;
}

int bundle_check(struct doc bundle, struct err *err)
{
    struct doc_value files = doc_get(bundle, "files");
    struct text before = { "", 0 };
    size_t count = 0;
    int rc = 0;
    if (files.type != DOC_DOC || doc_count(bundle) != 1)
        return err_set(err, E_INVALID,
                       "a bundle is {\"files\": {\"path\": \"text\", ...}} and nothing else");
    if (bundle.size > BUNDLE_BYTES_MAX)
        return err_set(err, E_LIMIT, "a bundle has at most %u KiB", BUNDLE_BYTES_MAX >> 10);
    for (struct doc_iter it = doc_iter(files.doc); rc == 0 && doc_next(&it); before = it.name) {
        rc = check_file(it.name, &it.value, err);
        if (rc == 0 && count++ != 0 && text_compare(before, it.name) >= 0)
            rc = err_set(err, E_INVALID, "%s: paths stand in order, each once", it.name.data);
        if (rc == 0 && count > BUNDLE_FILES_MAX)
            rc = err_set(err, E_LIMIT, "a bundle has at most %d files", BUNDLE_FILES_MAX);
    }
    return rc;
}

static bool ends_with(struct text text, const char *end)
{
    size_t size = strlen(end);
    return text.size > size && memcmp(text.data + text.size - size, end, size) == 0;
}

bool bundle_is_test(struct text path)
{
    return ends_with(path, "_test.lua");
}

bool bundle_is_script(struct text path)
{
    return ends_with(path, ".lua") && !bundle_is_test(path);
}

size_t bundle_scripts(struct doc bundle)
{
    size_t count = 0;
    for (struct doc_iter it = doc_iter(doc_child(bundle, "files")); doc_next(&it);)
        count += bundle_is_script(it.name);
    return count;
}

void bundle_hash(struct doc bundle, uint8_t out_hash[BUNDLE_HASH_BYTES])
{
    digest_32(bundle.data, bundle.size, out_hash);
}
