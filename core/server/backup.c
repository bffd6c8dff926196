/* backup.c -- see backup.h. */
#include "core/server/backup.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/server/base.h"
#include "core/server/dir.h"
#include "core/server/world_log.h"
#include "storage/log.h"
#include "storage/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define DIR_BYTES_MAX 2048
#define COPY_BYTES ((size_t)1 << 20)
#define ATTEMPTS 3 /* at a copy that its owner had to end */
#define MARK "backup.json"

static void path_in(const char *dir, const char *name, char out[PATH_BYTES])
{
    int size = snprintf(out, PATH_BYTES, "%s/%s", dir, name);
    ASSERT(size > 0 && size < PATH_BYTES); /* DIR_BYTES_MAX */
}

static int check_length(const char *dir, struct err *err)
{
    if (strlen(dir) <= DIR_BYTES_MAX)
        return 0;
    return err_set(err, E_INVALID, "the path of a directory has at most %d bytes", DIR_BYTES_MAX);
}

static int fail_path(struct err *err, const char *action, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? E_FULL : E_IO;
    return err_set(err, code, "cannot %s %s: %s", action, path, strerror(errno));
}

/* -- Files ------------------------------------------------------------------------------ */

static int copy_bytes(int from, int to)
{
    uint8_t *bytes = mem_alloc(COPY_BYTES);
    ssize_t got, put = 0;
    while ((got = read(from, bytes, COPY_BYTES)) > 0) {
        for (ssize_t at = 0; at < got; at += put) {
            put = write(to, bytes + at, (size_t)(got - at));
            if (put <= 0)
                break;
        }
        if (put <= 0)
            break;
    }
    free(bytes);
    return got == 0 && fsync(to) == 0 ? 0 : -1;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 && errno == ENOENT)
        return err_set(err, E_NOTFOUND, "%s is not there", from);
    if (in < 0)
        return fail_path(err, "open", from);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = out < 0 ? fail_path(err, "make", to) : 0;
    if (rc == 0 && copy_bytes(in, out) != 0)
        rc = fail_path(err, "write", to);
    close(in);
    if (out >= 0)
        close(out);
    return rc;
}

/* The plain files of a folder whose names end so, but for those that are being made; a folder that
 * is not there has none, and one that was there a moment ago is needed no more. */
static int copy_files(const char *from, const char *to, const char *ending, struct err *err)
{
    DIR *files = opendir(from);
    struct dirent *entry;
    int rc = 0;
    if (files == NULL)
        return errno == ENOENT ? 0 : fail_path(err, "read the directory", from);
    while (rc == 0 && (entry = readdir(files)) != NULL) {
        size_t size = strlen(entry->d_name), tail = strlen(ending);
        char source[PATH_BYTES], target[PATH_BYTES];
        struct stat status;
        path_in(from, entry->d_name, source);
        path_in(to, entry->d_name, target);
        if (entry->d_name[0] == '.' || size < tail ||
            strcmp(entry->d_name + size - tail, ending) != 0 || stat(source, &status) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        rc = copy_file(source, target, err);
        if (rc == E_NOTFOUND)
            rc = 0;
    }
    closedir(files);
    return rc;
}

static bool is_empty(const char *dir)
{
    DIR *files = opendir(dir);
    struct dirent *entry;
    bool is_any = false;
    while (files != NULL && (entry = readdir(files)) != NULL)
        is_any = is_any || (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0);
    if (files != NULL)
        closedir(files);
    return !is_any;
}

static int make_empty(const char *dir, struct err *err)
{
    int rc = dir_make(dir, err);
    if (rc == 0 && !is_empty(dir))
        rc = err_set(err, E_CONFLICT, "%s is not empty: name a directory that is not there yet",
                     dir);
    return rc;
}

static uint64_t bytes_of(const char *dir, const char *name)
{
    char path[PATH_BYTES];
    struct stat status;
    path_in(dir, name, path);
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* -- Checking ----------------------------------------------------------------------------- */

static void no_random(void *arg, void *data, size_t size)
{
    (void)arg;
    randombytes_buf(data, size);
}

static int check_log(struct log *log, struct backup *backup, struct base *floor, struct err *err)
{
    struct base base;
    int64_t logged;
    log_end(log, &backup->log_seq, &logged);
    int rc = log_verify(log, NULL, NULL, err);
    return rc == 0 ? world_base(log, &base, floor, err) : rc;
}

static int check_both(const struct backup *backup, const struct base *floor, struct err *err)
{
    if (backup->state_seq > backup->log_seq)
        return err_set(err, E_CONFLICT,
                       "its state stands at entry %" PRIu64 ", but its log ends at %" PRIu64
                       ": the two do not belong together",
                       backup->state_seq, backup->log_seq);
    if (backup->state_seq != 0 && backup->state_seq < floor->seq)
        return err_set(err, E_CONFLICT,
                       "its state stands at entry %" PRIu64
                       ", but customers were erased from its log up to %" PRIu64
                       ": the two do not belong together",
                       backup->state_seq, floor->seq);
    return 0;
}

/* Open what lies in `dir` and check all of it: the log, that the state is not ahead of it and not
 * from before people were erased from it.  E_CORRUPT, E_CONFLICT, E_VERSION, E_IO. */
static int check(const char *dir, struct backup *out_backup, struct err *err)
{
    char log_dir[PATH_BYTES], state_dir[PATH_BYTES];
    struct backup backup = { 0 };
    struct base floor;
    struct log *log = NULL;
    struct state *state = NULL;
    int64_t logged;
    path_in(dir, "log", log_dir);
    path_in(dir, "state", state_dir);
    struct log_options log_options = { .dir = log_dir, .random = no_random };
    struct state_options state_options = { .dir = state_dir };
    int rc = log_open(&log_options, &log, err);
    if (rc == 0)
        rc = check_log(log, &backup, &floor, err);
    if (rc == 0)
        rc = state_open(&state_options, &state, err);
    if (rc == 0) {
        state_applied(state, &backup.state_seq, &logged);
        rc = check_both(&backup, &floor, err);
    }
    state_close(state);
    log_close(log);
    if (rc != 0)
        return rc;
    backup.bytes = bytes_of(log_dir, "data.mdb") + bytes_of(state_dir, "data.mdb");
    *out_backup = backup;
    return 0;
}

/* Keys, and which of them sealed what: a message that is sent again has the same links. */
static int copy_keys(const char *from, const char *to, struct err *err)
{
    int rc = copy_files(from, to, ".key", err);
    return rc == 0 ? copy_files(from, to, ".epochs", err) : rc;
}

/* -- Making ------------------------------------------------------------------------------- */

/* A commit or a compaction that needs the file ends a copy of it: it is made again. */
static int copy_state(struct state *state, const char *dir, struct err *err)
{
    int rc = E_BUSY;
    for (int i = 0; rc == E_BUSY && i < ATTEMPTS; i++)
        rc = state_copy(state, dir, err);
    return rc;
}

static int copy_log(struct log *log, const char *dir, struct err *err)
{
    int rc = E_BUSY;
    for (int i = 0; rc == E_BUSY && i < ATTEMPTS; i++)
        rc = log_copy(log, dir, err);
    return rc;
}

static int copy_folder(const char *from, const char *to, const char *name, struct err *err)
{
    char source[PATH_BYTES], target[PATH_BYTES];
    path_in(from, name, source);
    path_in(to, name, target);
    int rc = dir_make(target, err);
    if (rc == 0)
        rc = copy_files(source, target, "", err);
    return rc == 0 ? dir_flush(target, err) : rc;
}

/* Whatever this names is there, whole and durable. */
static int write_mark(const char *dir, const struct backup *backup, struct err *err)
{
    char path[PATH_BYTES], text[200];
    path_in(dir, MARK, path);
    int size = snprintf(text, sizeof text,
                        "{\"version\":\"%s\",\"state_seq\":%" PRIu64 ",\"log_seq\":%" PRIu64
                        ",\"bytes\":%" PRIu64 "}\n",
                        KITH_VERSION, backup->state_seq, backup->log_seq, backup->bytes);
    int rc = dir_flush(dir, err);
    if (rc != 0)
        return rc;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)size) != size || fsync(fd) != 0)
        rc = fail_path(err, "write", path);
    if (fd >= 0)
        close(fd);
    return rc == 0 ? dir_flush(dir, err) : rc;
}

int backup_make(const char *data, const char *dir, struct log *log, struct state *state,
                struct backup *out_backup, struct err *err)
{
    char path[PATH_BYTES];
    struct backup backup;
    int rc = check_length(dir, err);
    if (rc != 0)
        return rc;
    rc = make_empty(dir, err);
    path_in(dir, "state", path);
    if (rc == 0)
        rc = copy_state(state, path, err);
    path_in(dir, "log", path);
    if (rc == 0)
        rc = copy_log(log, path, err);
    if (rc == 0)
        rc = copy_folder(data, dir, "base", err);
    if (rc == 0)
        rc = copy_folder(data, dir, "files", err);
    if (rc == 0)
        rc = copy_keys(data, dir, err);
    if (rc == 0)
        rc = check(dir, &backup, err);
    if (rc == 0)
        rc = write_mark(dir, &backup, err);
    if (rc == 0)
        *out_backup = backup;
    return rc;
}

/* -- Restoring ------------------------------------------------------------------------------ */

static int copy_store(const char *from, const char *to, const char *name, struct err *err)
{
    char source[PATH_BYTES], target[PATH_BYTES], file[PATH_BYTES], copy[PATH_BYTES];
    path_in(from, name, source);
    path_in(to, name, target);
    path_in(source, "data.mdb", file);
    path_in(target, "data.mdb", copy);
    int rc = dir_make(target, err);
    if (rc == 0)
        rc = copy_file(file, copy, err);
    return rc == 0 ? dir_flush(target, err) : rc;
}

static int copy_all(const char *from, const char *to, struct err *err)
{
    int rc = dir_make(to, err);
    if (rc == 0 && !is_empty(to))
        rc = err_set(err, E_CONFLICT,
                     "%s is what a restore has left that did not come to its end: remove it", to);
    if (rc == 0)
        rc = copy_store(from, to, "state", err);
    if (rc == 0)
        rc = copy_store(from, to, "log", err);
    if (rc == 0)
        rc = copy_folder(from, to, "base", err);
    if (rc == 0)
        rc = copy_folder(from, to, "files", err);
    if (rc == 0)
        rc = copy_keys(from, to, err);
    return rc == 0 ? dir_flush(to, err) : rc;
}

static int put_in_place(const char *from, const char *data, struct err *err)
{
    char above[PATH_BYTES];
    rmdir(data); /* one that is empty */
    if (rename(from, data) != 0)
        return fail_path(err, "rename the copy to", data);
    path_in(data, "..", above);
    return dir_flush(above, err);
}

int backup_restore(const char *dir, const char *data, struct backup *out_backup, struct err *err)
{
    char mark[PATH_BYTES], beside[PATH_BYTES];
    struct stat status;
    if (check_length(dir, err) != 0 || check_length(data, err) != 0)
        return E_INVALID;
    path_in(dir, MARK, mark);
    snprintf(beside, sizeof beside, "%s.restore", data);
    if (access(mark, R_OK) != 0)
        return err_set(err, E_NOTFOUND, "%s is no complete backup: it has no %s", dir, MARK);
    if (stat(data, &status) == 0 && !is_empty(data))
        return err_set(err, E_CONFLICT,
                       "%s holds something already: stop its daemon and move it away first", data);
    int rc = copy_all(dir, beside, err);
    if (rc == 0)
        rc = check(beside, out_backup, err);
    return rc == 0 ? put_in_place(beside, data, err) : rc;
}
