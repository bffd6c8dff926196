/* disk_write.c -- the calls that change what a file holds and how long it is.
 *
 * All writes go through write_parts(), because the faults are the same whatever the call
 * is named.  A write is done part by part with pwrite, so that it can end anywhere;
 * the descriptor's position is moved afterwards.
 */
#include "tests/sim/call.h"

#include "core/base/mem.h"
#include "tests/sim/real.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* -- Writing ------------------------------------- */

#define AT_POSITION (-1) /* where the descriptor stands */

struct job {
    int fd;
    const struct iovec *parts;
    int count;
    uint64_t from;     /* the offset in the file */
    uint64_t bytes;    /* how many of the parts' bytes are really written */
    uint64_t old_size; /* of the file */
    bool is_synced;    /* through O_DSYNC or O_SYNC */
    bool moves;        /* the descriptor's position */
};

static struct job job_of(int fd, const struct iovec *parts, int count, off_t offset)
{
    int flags = fcntl(fd, F_GETFL);
    struct job job = { .fd = fd, .parts = parts, .count = count, .old_size = call_size(fd) };
    job.is_synced = (flags & O_DSYNC) != 0; /* O_SYNC contains it */
    job.moves = offset == AT_POSITION;
    if ((flags & O_APPEND) != 0)
        job.from = job.old_size;
    else
        job.from = (uint64_t)(job.moves ? lseek(fd, 0, SEEK_CUR) : offset);
    for (int i = 0; i < count; i++)
        job.bytes += parts[i].iov_len;
    return job;
}

static uint64_t new_size(const struct job *job)
{
    uint64_t end = job->from + job->bytes;
    return end > job->old_size ? end : job->old_size;
}

/* Cut a write short so that it grows the file by no more than there is room for. */
static int fit_room(struct job *job)
{
    uint64_t growth = new_size(job) - job->old_size;
    if (disk.room_bytes == DISK_ROOM_UNLIMITED || growth == 0)
        return 0;
    uint64_t excess = growth > disk.room_bytes ? growth - disk.room_bytes : 0;
    if (excess >= job->bytes)
        return ENOSPC;
    job->bytes -= excess;
    disk.room_bytes -= growth - excess;
    return 0;
}

/* By whole sectors, as file systems stop.  What lies within one is written or it is not: LMDB
 * relies on that where it takes back a root that could not be flushed. */
static void shorten(struct job *job)
{
    uint64_t sectors = (job->bytes - 1) / TRAIL_SECTOR_BYTES; /* the most that is still short */
    if (sectors > 0)
        job->bytes = TRAIL_SECTOR_BYTES * (1 + call_roll(ROLL_CUT) % sectors);
}

/* The system copies page by page; death leaves it with some of them. */
static void cut_at_page(struct job *job)
{
    uint64_t first = job->from / TRAIL_PAGE_BYTES;
    uint64_t pages = (job->from + job->bytes - 1) / TRAIL_PAGE_BYTES - first + 1;
    uint64_t whole = call_roll(ROLL_CUT) % pages;
    uint64_t end = (first + whole) * TRAIL_PAGE_BYTES;
    job->bytes = end > job->from ? end - job->from : 0;
}

static void put(const struct job *job)
{
    uint64_t done = 0;
    for (int i = 0; i < job->count && done < job->bytes; i++) {
        uint64_t left = job->bytes - done;
        size_t size = left < job->parts[i].iov_len ? (size_t)left : job->parts[i].iov_len;
        ssize_t got =
            real()->pwrite(job->fd, job->parts[i].iov_base, size, (off_t)(job->from + done));
        ASSERT(got == (ssize_t)size);
        done += size;
    }
    if (job->moves)
        lseek(job->fd, (off_t)(job->from + job->bytes), SEEK_SET);
}

/* The file's new bytes are written; now the descriptor's own promise. */
static void sync_own(struct trail *trail, const struct job *job, bool fails)
{
    struct trail_span own = { job->from, job->from + job->bytes, new_size(job) != job->old_size };
    if (fails)
        trail_flush_part(trail, own, call_roll(ROLL_FLUSH), true);
    else if (!disk.is_lying)
        trail_flush(trail, own);
}

/* Before its end: some pages copied, or all copied and some sectors flushed. */
static _Noreturn void crash_in_write(struct trail *trail, struct job *job)
{
    bool is_copied = job->is_synced && call_roll(ROLL_CUT) % 2 == 0;
    if (!is_copied)
        cut_at_page(job);
    trail_change(trail, job->fd, job->from, job->from + job->bytes, new_size(job));
    put(job);
    if (is_copied && !disk.is_lying) {
        struct trail_span own = { job->from, job->from + job->bytes, true };
        trail_flush_part(trail, own, call_roll(ROLL_FLUSH), false);
    }
    disk_crash();
}

/* Returns 0 or an errno; job->bytes is then what was written. */
static int write_job(struct trail *trail, struct job *job, enum point point)
{
    int error = call_fault(DISK_FAULT_WRITE);
    if (error == 0 && job->is_synced)
        error = call_fault(DISK_FAULT_SYNCED);
    bool fails_late = error == EIO && job->is_synced;
    if (error != 0 && !fails_late)
        return error;
    if (call_fault(DISK_FAULT_SHORT) != 0)
        shorten(job);
    int room_error = fit_room(job);
    if (room_error != 0)
        return room_error;

    if (point == MIDDLE)
        crash_in_write(trail, job);
    trail_change(trail, job->fd, job->from, job->from + job->bytes, new_size(job));
    put(job);
    if (job->is_synced)
        sync_own(trail, job, fails_late);
    return error;
}

static ssize_t pass_on(int fd, const struct iovec *parts, int count, off_t offset)
{
    return offset == AT_POSITION ? real()->writev(fd, parts, count)
                                 : real()->pwritev(fd, parts, count, offset);
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset)
{
    struct trail *trail = call_is_writable(fd) ? call_begin(fd) : NULL;
    if (trail == NULL)
        return pass_on(fd, parts, count, offset);

    enum point point = call_enter();
    struct job job = job_of(fd, parts, count, offset);
    int error = job.bytes > 0 ? write_job(trail, &job, point) : 0;
    call_leave(point);
    if (error == 0)
        return (ssize_t)job.bytes;
    errno = error;
    return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct iovec part = { (void *)data, size };
    return write_parts(fd, &part, 1, AT_POSITION);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return write_parts(fd, parts, count, AT_POSITION);
}

/* A negative offset must not be taken for AT_POSITION. */
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (offset < 0)
        return real()->pwritev(fd, parts, count, offset);
    return write_parts(fd, parts, count, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    struct iovec part = { (void *)data, size };
    return pwritev(fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

/* -- Sizes ------------------------------------- */

/* Give the file a new size.  What is cut off is remembered like an overwrite with zeros. */
static int resize(struct trail *trail, int fd, uint64_t size)
{
    uint64_t old_size = call_size(fd);
    int error = call_fault(DISK_FAULT_WRITE);
    if (error != 0)
        return error;
    bool is_limited = disk.room_bytes != DISK_ROOM_UNLIMITED;
    if (is_limited && size > old_size && size - old_size > disk.room_bytes)
        return ENOSPC;

    trail_change(trail, fd, size, size < old_size ? old_size : size, size);
    if (real()->ftruncate(fd, (off_t)size) != 0)
        return errno;
    if (is_limited)
        disk.room_bytes -= size - old_size; /* modulo 2^64: cutting gives back */
    return 0;
}

int call_resize(struct trail *trail, int fd, uint64_t size)
{
    enum point point = call_enter_whole();
    int error = resize(trail, fd, size);
    call_leave(point);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int ftruncate(int fd, off_t size)
{
    struct trail *trail = size >= 0 && call_is_writable(fd) ? call_begin(fd) : NULL;
    return trail == NULL ? real()->ftruncate(fd, size) : call_resize(trail, fd, (uint64_t)size);
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

/* Allocation as such is not simulated: only the size that mode 0 may change counts. */
int fallocate(int fd, int mode, off_t offset, off_t size)
{
    struct trail *trail = offset >= 0 && size > 0 && call_is_writable(fd) ? call_begin(fd) : NULL;
    if (trail == NULL)
        return real()->fallocate(fd, mode, offset, size);
    uint64_t end = (uint64_t)offset + (uint64_t)size;
    uint64_t old_size = call_size(fd);
    if (mode == 0)
        return call_resize(trail, fd, end > old_size ? end : old_size);
    pthread_mutex_unlock(&disk.lock);
    errno = EOPNOTSUPP;
    return -1;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
    return fallocate(fd, mode, offset, size);
}
