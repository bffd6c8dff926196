/* base.c -- see base.h.  One file per base, `base/<seq>`: a dump of the state. */
#include "core/server/base.h"

#include "core/base/err.h"
#include "core/server/dir.h"
#include "storage/state.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

static void path_of(const char *dir, uint64_t seq, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/base/%" PRIu64, dir, seq);
}

int base_write(const char *dir, struct state *state, struct base *out_base, struct err *err)
{
    struct snapshot *snapshot = NULL;
    int64_t logged;
    char path[PATH_BYTES];
    *out_base = (struct base){ 0 };
    int rc = snapshot_open(state, &snapshot, err);
    if (rc != 0)
        return rc;
    snapshot_applied(snapshot, &out_base->seq, &logged);
    if (out_base->seq != 0) {
        snapshot_hash(snapshot, out_base->hash);
        snprintf(path, sizeof path, "%s/base", dir);
        rc = dir_make(path, err);
        if (rc == 0)
            rc = dir_flush(dir, err);
        path_of(dir, out_base->seq, path);
        if (rc == 0)
            rc = snapshot_dump(snapshot, path, err);
    }
    snapshot_close(snapshot);
    return rc;
}

bool base_exists(const char *dir, const struct base *base)
{
    char path[PATH_BYTES];
    path_of(dir, base->seq, path);
    return access(path, F_OK) == 0;
}

static bool is_same_hash(const struct base *named, const struct base *loaded)
{
    static const uint8_t unknown[HASH128_BYTES];
    return memcmp(named->hash, unknown, sizeof unknown) == 0 ||
           memcmp(named->hash, loaded->hash, sizeof named->hash) == 0;
}

static int check(const struct base *base, struct state *state, const char *path, struct err *err)
{
    struct snapshot *snapshot = NULL;
    struct base loaded;
    int64_t logged;
    int rc = snapshot_open(state, &snapshot, err);
    if (rc != 0)
        return rc;
    snapshot_applied(snapshot, &loaded.seq, &logged);
    snapshot_hash(snapshot, loaded.hash);
    snapshot_close(snapshot);
    if (loaded.seq == base->seq && is_same_hash(base, &loaded))
        return 0;
    return err_set(err, E_CORRUPT, "%s is not the state that the log begins from", path);
}

int base_load(const char *dir, const struct base *base, struct state *state, struct err *err)
{
    char path[PATH_BYTES];
    if (base->seq == 0)
        return 0;
    path_of(dir, base->seq, path);
    int rc = state_load(state, path, err);
    return rc == 0 ? check(base, state, path, err) : rc;
}

static bool is_called(const char *name, const struct base *base)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, base->seq);
    return base->seq != 0 && strcmp(name, text) == 0;
}

int base_sweep(const char *dir, const struct base *base, const struct base *floor, struct err *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/base", dir);
    DIR *files = opendir(path);
    struct dirent *entry;
    int rc = 0;
    if (files == NULL) /* there never was one */
        return errno == ENOENT ? 0
                               : err_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
    while ((entry = readdir(files)) != NULL) {
        bool is_kept = is_called(entry->d_name, base) || is_called(entry->d_name, floor);
        if (entry->d_name[0] != '.' && !is_kept && unlinkat(dirfd(files), entry->d_name, 0) != 0)
            rc =
                err_set(err, E_IO, "cannot remove %s/%s: %s", path, entry->d_name, strerror(errno));
    }
    closedir(files);
    return rc == 0 ? dir_flush(path, err) : rc;
}

void base_put(struct doc_writer *w, const char *name, const struct base *base)
{
    if (base->seq == 0)
        return;
    doc_open(w, name);
    doc_put_int(w, "seq", (int64_t)base->seq);
    doc_put_binary(w, "hash", base->hash, sizeof base->hash);
    doc_close(w);
}

struct base base_of(struct doc data, const char *name)
{
    struct base base = { 0 };
    struct doc doc = doc_child(data, name);
    struct doc_value hash = doc_get(doc, "hash");
    base.seq = (uint64_t)doc_int(doc, "seq", 0);
    if (hash.type == DOC_BINARY && hash.binary.size == sizeof base.hash)
        memcpy(base.hash, hash.binary.data, sizeof base.hash);
    return base;
}
