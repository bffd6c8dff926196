/* dump.c -- the state as a file that does not depend on LMDB.
 *
 * A dump moves a state to another version of the store, begins a log anew, and
 * seeds a second machine.  Layout, numbers as in keys (docs/state.md):
 *
 *     magic    "kith-state-dump\n", 16 bytes
 *     head     the state's format, applied seq, applied logged: numbers
 *     rows     in key order, all but `applied`: sizes of key and value, 4 bytes
 *              big-endian each, key, value
 *     end      a row of sizes 0, 0
 *     hash     XXH3-128 of everything before it, canonical
 *
 * Rows stand in it as they enter the state's hash, and one bit wrong anywhere, the
 * head included, makes the last 16 bytes wrong.
 *
 * Loading appends in key order in one transaction, which commits only when the
 * hash was right: a process that dies on the way, or a file that turns out bad at its end,
 * leaves the empty state.  The dump takes its name when it is durable, so
 * a dump that exists is whole.
 */
#include "storage/state_inside.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "kith-state-dump\n"
#define MAGIC_BYTES 16
#define BUFFER_BYTES ((size_t)256 << 10) /* more than any row */
#define FILE_MODE 0600

static int fail_at(struct err *err, int rc, const char *action, const char *path)
{
    char what[ERR_TEXT_MAX];
    snprintf(what, sizeof what, "%s %s", action, path);
    return env_fail(err, rc, what);
}

/* -- Writing ---------------------------------------------------------------- */

struct writer {
    int fd;
    int rc; /* errno of the first failure: everything after it does nothing */
    struct hash128 hash;
    uint8_t *data;
    size_t size;
    struct key applied;
};

static void writer_flush(struct writer *writer)
{
    const uint8_t *at = writer->data;
    while (writer->rc == 0 && writer->size > 0) {
        ssize_t size = write(writer->fd, at, writer->size);
        if (size < 0 && errno != EINTR)
            writer->rc = errno;
        if (size > 0) {
            at += size;
            writer->size -= (size_t)size;
        }
    }
}

static void writer_put(struct writer *writer, const void *data, size_t size)
{
    if (writer->size + size > BUFFER_BYTES)
        writer_flush(writer);
    if (writer->rc != 0 || size == 0)
        return;
    memcpy(writer->data + writer->size, data, size);
    writer->size += size;
    hash128_update(&writer->hash, data, size);
}

static int write_row(void *arg, struct bytes key, struct bytes value)
{
    struct writer *writer = arg;
    uint8_t head[STATE_ROW_HEAD_BYTES];
    if (state_key_is(key, &writer->applied))
        return 0;
    state_row_head(head, key.size, value.size);
    writer_put(writer, head, sizeof head);
    writer_put(writer, key.data, key.size);
    writer_put(writer, value.data, value.size);
    return writer->rc;
}

static void write_all(struct writer *writer, struct snapshot *snapshot)
{
    uint64_t seq;
    int64_t logged;
    struct key head = { .size = 0 };
    uint8_t end[STATE_ROW_HEAD_BYTES], hash[HASH128_BYTES];
    snapshot_applied(snapshot, &seq, &logged);
    key_number(&head, STATE_FORMAT);
    key_number(&head, seq);
    key_number(&head, (uint64_t)logged);
    writer_put(writer, MAGIC, MAGIC_BYTES);
    writer_put(writer, head.data, head.size);
    snapshot_visit(snapshot, NULL, NULL, write_row, writer);
    state_row_head(end, 0, 0);
    writer_put(writer, end, sizeof end);
    hash128_final(&writer->hash, hash);
    writer_put(writer, hash, sizeof hash);
    writer_flush(writer);
}

static int write_file(struct snapshot *snapshot, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return errno;
    struct writer writer = { .fd = fd, .applied = state_meta_key("applied") };
    hash128_init(&writer.hash);
    writer.data = mem_alloc(BUFFER_BYTES);
    write_all(&writer, snapshot);
    if (writer.rc == 0 && fsync(fd) != 0)
        writer.rc = errno;
    if (close(fd) != 0 && writer.rc == 0)
        writer.rc = errno;
    free(writer.data);
    return writer.rc;
}

static int sync_dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = mem_string(slash != NULL ? path : ".");
    if (slash != NULL)
        dir[slash == path ? 1 : slash - path] = '\0';
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (fd < 0)
        return errno;
    int rc = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return rc;
}

int snapshot_dump(struct snapshot *snapshot, const char *path, struct err *err)
{
    size_t size = strlen(path) + sizeof ".new";
    char *path_new = mem_alloc(size);
    snprintf(path_new, size, "%s.new", path);
    int rc = write_file(snapshot, path_new);
    if (rc == 0 && rename(path_new, path) != 0)
        rc = errno;
    if (rc != 0)
        unlink(path_new);
    else
        rc = sync_dir_of(path);
    free(path_new);
    return rc == 0 ? 0 : fail_at(err, rc, "write the dump", path);
}

/* -- Loading ---------------------------------------------------------------- */

struct reader {
    int fd;
    const char *path;
    struct hash128 hash;
    uint8_t *data;
    size_t at, size; /* of what is in `data` */
    uint64_t offset; /* in the file, of what was taken */
    struct err *err;
};

/* Have `size` bytes in a row, or all that the file still has. */
static int reader_fill(struct reader *reader, size_t size)
{
    memmove(reader->data, reader->data + reader->at, reader->size - reader->at);
    reader->size -= reader->at;
    reader->at = 0;
    while (reader->size < size) {
        ssize_t got = read(reader->fd, reader->data + reader->size, BUFFER_BYTES - reader->size);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return fail_at(reader->err, errno, "read the dump", reader->path);
        reader->size += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int corrupt(const struct reader *reader, const char *what)
{
    return err_set(reader->err, E_CORRUPT, "%s at byte %llu: %s; fetch the dump again",
                   reader->path, (unsigned long long)reader->offset, what);
}

/* Take `size` bytes; *out_data is borrowed until the next take. */
static int take_raw(struct reader *reader, size_t size, const uint8_t **out_data)
{
    if (reader->size - reader->at < size) {
        int code = reader_fill(reader, size);
        if (code != 0)
            return code;
    }
    if (reader->size - reader->at < size)
        return corrupt(reader, "the file ends too early");
    *out_data = reader->data + reader->at;
    reader->at += size;
    reader->offset += size;
    return 0;
}

static int take(struct reader *reader, size_t size, const uint8_t **out_data)
{
    int code = take_raw(reader, size, out_data);
    if (code == 0)
        hash128_update(&reader->hash, *out_data, size);
    return code;
}

static int take_number(struct reader *reader, uint64_t *out_number)
{
    uint8_t bytes[9];
    const uint8_t *data;
    int code = take(reader, 1, &data);
    if (code != 0)
        return code;
    bytes[0] = data[0];
    if (bytes[0] > 8)
        return corrupt(reader, "not a number");
    code = take(reader, bytes[0], &data);
    if (code != 0)
        return code;
    memcpy(bytes + 1, data, bytes[0]);
    struct key_reader number = { bytes, bytes + 1 + bytes[0] };
    return key_read_number(&number, out_number) ? 0 : corrupt(reader, "not a number");
}

static int take_head(struct reader *reader, uint64_t *out_seq, uint64_t *out_logged)
{
    const uint8_t *magic = NULL;
    uint64_t format = 0;
    int code = take(reader, MAGIC_BYTES, &magic);
    if (code == 0 && memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return err_set(reader->err, E_CORRUPT, "%s is not a dump of a state", reader->path);
    if (code == 0)
        code = take_number(reader, &format);
    if (code == 0 && format != STATE_FORMAT)
        return err_set(reader->err, E_VERSION,
                       "%s is of a state of format %llu, this program reads %d; replay the log",
                       reader->path, (unsigned long long)format, STATE_FORMAT);
    if (code == 0)
        code = take_number(reader, out_seq);
    if (code == 0)
        code = take_number(reader, out_logged);
    return code;
}

static size_t get_size(const uint8_t *data)
{
    return (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
}

/* One row into the table; *out_more is false at the end row. */
static int load_row(struct reader *reader, MDB_cursor *cursor, bool *out_more)
{
    const uint8_t *data;
    int code = take(reader, STATE_ROW_HEAD_BYTES, &data);
    if (code != 0)
        return code;
    size_t key_size = get_size(data), value_size = get_size(data + 4);
    *out_more = key_size != 0;
    if (key_size == 0)
        return value_size == 0 ? 0 : corrupt(reader, "a row without a key");
    if (key_size > KEY_BYTES_MAX || value_size > STATE_VALUE_MAX)
        return corrupt(reader, "a row beyond the limits of rows");
    code = take(reader, key_size + value_size, &data);
    if (code != 0)
        return code;
    MDB_val key = state_val(data, key_size), value = state_val(data + key_size, value_size);
    int rc = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
    if (rc == MDB_KEYEXIST)
        return corrupt(reader, "a row that is not in order");
    return rc == 0 ? 0 : env_fail(reader->err, rc, "load the dump into the state");
}

static int check_end(struct reader *reader)
{
    uint8_t hash[HASH128_BYTES];
    const uint8_t *data = hash;
    hash128_final(&reader->hash, hash);
    int code = take_raw(reader, HASH128_BYTES, &data);
    if (code == 0 && memcmp(data, hash, HASH128_BYTES) != 0)
        return corrupt(reader, "the checksum is wrong");
    if (code == 0)
        code = reader_fill(reader, 1);
    if (code == 0 && reader->size != 0)
        return corrupt(reader, "there is more behind the end");
    return code;
}

static int load_rows(struct reader *reader, MDB_txn *txn, MDB_dbi table)
{
    uint64_t seq = 0, logged = 0;
    int code = take_head(reader, &seq, &logged);
    if (code != 0)
        return code;
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, table, &cursor);
    if (rc != 0)
        return env_fail(reader->err, rc, "load the dump into the state");
    bool has_more = true;
    while (code == 0 && has_more)
        code = load_row(reader, cursor, &has_more);
    mdb_cursor_close(cursor);
    if (code == 0)
        code = check_end(reader);
    if (code != 0)
        return code;
    rc = state_put_applied(txn, table, seq, (int64_t)logged);
    return rc == 0 ? 0 : env_fail(reader->err, rc, "load the dump into the state");
}

static int load(struct state *state, struct env *env, struct reader *reader)
{
    MDB_dbi table = env_table(env, STATE_TABLE);
    MDB_txn *txn = NULL;
    int rc = env_begin(env, 0, &txn);
    if (rc == 0)
        rc = mdb_drop(txn, table, 0); /* its format row; the dump has one */
    if (rc != 0) {
        mdb_txn_abort(txn);
        return state_fail(state, reader->err, rc, "begin to load a dump");
    }
    int code = load_rows(reader, txn, table);
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    rc = env_finish(txn, 0);
    return rc == 0 ? 0 : state_fail(state, reader->err, rc, "load the dump into the state");
}

static bool is_empty(struct state *state)
{
    MDB_stat stat;
    int rc = mdb_stat(state->txn, env_table(state->env, STATE_TABLE), &stat);
    return rc == 0 && stat.ms_entries == 1 && !state_is_dirty(state) && state->frozen == NULL;
}

int state_load(struct state *state, const char *path, struct err *err)
{
    state_settle(state);
    if (!is_empty(state))
        return err_set(err, E_CONFLICT, "cannot load %s: the state is not empty", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_at(err, errno, "open the dump", path);
    struct reader reader = { .fd = fd, .path = path, .err = err };
    hash128_init(&reader.hash);
    reader.data = mem_alloc(BUFFER_BYTES);
    struct env *env = NULL;
    int code = state_begin_writing(state, &env, err);
    if (code == 0) {
        code = load(state, env, &reader);
        state_end_writing(state);
    }
    if (code == 0)
        state_renew(state);
    free(reader.data);
    close(fd);
    return code;
}
