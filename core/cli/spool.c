/* spool.c -- an unnamed file and an index; see spool.h. */
#include "core/cli/spool.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_BYTES (1u << 20)

struct entry {
    int64_t at;
    uint64_t line;
    uint64_t offset; /* of the JSON; the raw row follows it */
    uint32_t json_size, raw_size;
    uint32_t calls;
};

struct spool {
    int fd;
    struct entry *entries;
    size_t count, capacity;
    struct buf pending; /* not yet in the file */
    uint64_t written;
    struct buf row;
};

int spool_open(struct spool **out_spool, struct err *err)
{
    const char *dir = getenv("TMPDIR");
    if (dir == NULL || dir[0] == '\0')
        dir = "/var/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, E_IO, "cannot make a temporary file in %.200s: %s; set TMPDIR", dir,
                       strerror(errno));
    struct spool *spool = mem_zero(sizeof *spool);
    spool->fd = fd;
    *out_spool = spool;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    close(spool->fd);
    free(spool->entries);
    buf_deinit(&spool->pending);
    buf_deinit(&spool->row);
    free(spool);
}

static int write_pending(struct spool *spool, struct err *err)
{
    size_t done = 0;
    while (done < spool->pending.size) {
        ssize_t size = write(spool->fd, spool->pending.data + done, spool->pending.size - done);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return err_set(err, E_IO, "cannot write a temporary file: %s; set TMPDIR",
                           strerror(errno));
        done += (size_t)size;
    }
    spool->written += spool->pending.size;
    buf_clear(&spool->pending);
    return 0;
}

int spool_add(struct spool *spool, const struct spool_row *row, struct err *err)
{
    if (spool->count == spool->capacity) {
        spool->capacity = spool->capacity != 0 ? 2 * spool->capacity : 1024;
        spool->entries = mem_resize(spool->entries, spool->capacity * sizeof *spool->entries);
    }
    spool->entries[spool->count++] = (struct entry){
        .at = row->at,
        .line = row->line,
        .offset = spool->written + spool->pending.size,
        .json_size = row->json.size,
        .raw_size = row->raw.size,
        .calls = (uint32_t)row->calls,
    };
    buf_append(&spool->pending, row->json.data, row->json.size);
    buf_append(&spool->pending, row->raw.data, row->raw.size);
    return spool->pending.size >= WRITE_BYTES ? write_pending(spool, err) : 0;
}

size_t spool_count(const struct spool *spool)
{
    return spool->count;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void spool_sort(struct spool *spool)
{
    if (spool->count != 0)
        qsort(spool->entries, spool->count, sizeof *spool->entries, compare);
}

int spool_get(struct spool *spool, size_t n, struct spool_row *out_row, struct err *err)
{
    const struct entry *entry = &spool->entries[n];
    size_t size = (size_t)entry->json_size + entry->raw_size, done = 0;
    int rc = spool->pending.size != 0 ? write_pending(spool, err) : 0;
    buf_clear(&spool->row);
    uint8_t *data = buf_reserve(&spool->row, size);
    while (rc == 0 && done < size) {
        ssize_t got = pread(spool->fd, data + done, size - done, (off_t)(entry->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            rc = err_set(err, E_IO, "cannot read a temporary file: %s",
                         got < 0 ? strerror(errno) : "it ends too early");
        else
            done += (size_t)got;
    }
    if (rc != 0)
        return rc;
    *out_row = (struct spool_row){
        .at = entry->at,
        .line = entry->line,
        .calls = entry->calls,
        .json = { (const char *)data, entry->json_size },
        .raw = { (const char *)data + entry->json_size, entry->raw_size },
    };
    return 0;
}
