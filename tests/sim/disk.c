/* disk.c -- the state of the disk, the steps of every call, and the flushes.
 *
 * Every call here, in disk_write.c and in disk_name.c has the name of the C library's own.
 * Each finds out whether it concerns the watched directory; if not it goes straight on.
 * If so it is counted, may fail or crash as planned, tells the platter what it is about
 * to change, and then does its work with the real call.  The order in that sentence is the
 * design: the record is always written before the change, so that death between the two
 * loses nothing of it.
 *
 * Rejected: a FUSE file system (needs rights and a daemon, and costs a switch of process
 * a call) and ptrace (slower still).
 */
#include "tests/sim/call.h"

#include "core/base/mem.h"
#include "tests/sim/dice.h"
#include "tests/sim/real.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

void disk_start(const char *dir, const char *journal, uint64_t seed)
{
    ASSERT(disk.platter == NULL);
    disk.seed = seed;
    disk.calls = 0;
    disk.crash_at = DISK_NEVER;
    disk.room_bytes = DISK_ROOM_UNLIMITED;
    disk.is_lying = false;
    memset(disk.faults, 0, sizeof disk.faults);
    disk.platter = platter_open(dir, journal);
}

void disk_stop(void)
{
    platter_close(disk.platter);
    disk.platter = NULL;
}

void disk_recover(const char *dir, const char *journal, uint64_t seed, bool is_power_cut)
{
    ASSERT(disk.platter == NULL);
    if (is_power_cut)
        platter_recover(dir, journal, seed);
}

_Noreturn void disk_crash(void)
{
    _exit(DISK_CRASH_STATUS);
}

uint64_t disk_calls(void)
{
    return disk.calls;
}

void disk_crash_at(uint64_t call)
{
    disk.crash_at = call;
}

void disk_fail_next(enum disk_fault fault, unsigned skip, unsigned count, int error)
{
    ASSERT(count == 0 || error > 0 || fault == DISK_FAULT_SHORT);
    /* Of a short write it only matters that the errno is not 0. */
    disk.faults[fault] = (struct fault){ skip, count, fault == DISK_FAULT_SHORT ? EIO : error };
}

void disk_set_room(uint64_t bytes)
{
    disk.room_bytes = bytes;
}

void disk_lie_about_flush(bool is_lying)
{
    disk.is_lying = is_lying;
}

/* -- Steps of every call ------------------------------------- */

uint64_t call_roll(uint64_t aspect)
{
    return dice_roll(disk.seed, disk.calls, aspect);
}

enum point call_enter(void)
{
    disk.calls++;
    if (disk.calls != disk.crash_at)
        return PASS;
    enum point point = (enum point)(BEFORE + call_roll(ROLL_POINT) % 3);
    if (point == BEFORE)
        disk_crash();
    return point;
}

enum point call_enter_whole(void)
{
    enum point point = call_enter();
    if (point == MIDDLE)
        disk_crash();
    return point;
}

void call_leave(enum point point)
{
    if (point != PASS)
        disk_crash();
    pthread_mutex_unlock(&disk.lock);
}

int call_fault(enum disk_fault kind)
{
    struct fault *fault = &disk.faults[kind];
    if (fault->skip > 0) {
        fault->skip--;
        return 0;
    }
    if (fault->count == 0)
        return 0;
    fault->count--;
    return fault->error;
}

struct trail *call_begin(int fd)
{
    pthread_mutex_lock(&disk.lock);
    struct trail *trail = disk.platter == NULL ? NULL : platter_trail(disk.platter, fd);
    if (trail == NULL)
        pthread_mutex_unlock(&disk.lock);
    return trail;
}

uint64_t call_size(int fd)
{
    struct stat stat;
    ASSERT(fstat(fd, &stat) == 0);
    return (uint64_t)stat.st_size;
}

bool call_is_writable(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* -- Flushing ------------------------------------- */

static int flush_file(struct trail *trail)
{
    enum point point = call_enter();
    if (point == MIDDLE && !disk.is_lying)
        trail_flush_part(trail, TRAIL_WHOLE, call_roll(ROLL_FLUSH), false);
    if (point == MIDDLE)
        disk_crash();

    int error = call_fault(DISK_FAULT_FLUSH);
    if (error != 0)
        trail_flush_part(trail, TRAIL_WHOLE, call_roll(ROLL_FLUSH), true);
    else if (!disk.is_lying)
        trail_flush(trail, TRAIL_WHOLE);
    call_leave(point);
    return error;
}

static int flush_dir(int fd)
{
    enum point point = call_enter_whole();
    int error = call_fault(DISK_FAULT_FLUSH);
    if (error == 0 && !disk.is_lying)
        names_flush(platter_names(disk.platter), fd);
    call_leave(point);
    return error;
}

static bool begin_dir(int fd)
{
    struct stat stat;
    pthread_mutex_lock(&disk.lock);
    if (disk.platter != NULL && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode) &&
        platter_has(disk.platter, fd))
        return true;
    pthread_mutex_unlock(&disk.lock);
    return false;
}

static int flush(int fd, int (*pass)(int))
{
    int error = 0;
    struct trail *trail = call_begin(fd);
    if (trail != NULL)
        error = flush_file(trail);
    else if (begin_dir(fd))
        error = flush_dir(fd);
    else
        return pass(fd);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int fsync(int fd)
{
    return flush(fd, real()->fsync);
}

int fdatasync(int fd)
{
    return flush(fd, real()->fdatasync);
}

int msync(void *data, size_t size, int flags)
{
    if (disk.platter != NULL) {
        fputs("disk: msync: stores into a writable mapping cannot be simulated\n", stderr);
        abort();
    }
    return real()->msync(data, size, flags);
}
