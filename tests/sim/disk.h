/* disk.h -- a disk that can be cut off at any moment, for one process.
 *
 * Link disk*.c, platter.c, trail.c, names.c and real.c into an executable with
 * -rdynamic, and the dynamic linker binds the file calls of every shared library in
 * the process (LMDB, libuv) to the ones defined here.  For files below one directory, the data
 * directory, the disk remembers what has been written but not flushed.  Process death
 * loses none of that, a power cut loses any of it.
 *
 * What is promised, and so what a program may rely on:
 * - fsync, fdatasync: all of the file's bytes and its size.
 * - a write through a descriptor opened with O_DSYNC or O_SYNC: its own sectors (and
 *   the size, if it made the file longer), nothing written earlier.
 * - a sector of 512 bytes is old or new, never mixed.  Nothing else holds together,
 *   and there is no order between writes before a flush.
 * - names (created, renamed, removed) are certain after an fsync of their directory,
 *   and only then.
 *
 * What is seen: open and openat (creating, truncating), creat, write, writev, pwrite,
 * pwritev, ftruncate, fallocate, fsync, fdatasync, rename, renameat, unlink, unlinkat,
 * mkdir, mkdirat, and their names ending in 64.  Not seen are stores into a writable mapping
 * (msync stops the process, so that nobody relies on it), stdio (its calls stay inside the C
 * library), remove, rmdir, truncate, link, and copying inside the kernel: code under
 * simulation does not use them on its data.
 *
 * Real flushes are not made.  Put both directories on one tmpfs: a life then costs little.
 *
 * Faults, crash points and the count of calls are those of this process and start
 * empty.  Any thread may write, but a repeatable run needs calls in a repeatable order.
 * A failure of the host (its own disk is full) stops the process with a message.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_CRASH_STATUS 86 /* how a process ends that disk_crash() ended */
#define DISK_NEVER UINT64_MAX
#define DISK_ROOM_UNLIMITED UINT64_MAX

/* Begin to watch the directory `dir`.  `journal` is an existing directory outside it, on the
 * same file system; what an earlier process left unflushed there still counts.
 * `seed` decides crash points and the outcome of faults. */
void disk_start(const char *dir, const char *journal, uint64_t seed);
void disk_stop(void); /* from here on calls go past the disk; what was unflushed stays so */

/* What the next start of the machine finds.  To be called before disk_start, and
 * before anybody opens a file below `dir`.
 * With `is_power_cut` each unflushed write is lost, kept or torn, as `seed` decides, and all that
 * is left is on the platter.  Without it nothing changes: the operating system has survived,
 * and its unflushed pages can still be lost by a later power cut.
 * Does nothing when there was no earlier process. */
void disk_recover(const char *dir, const char *journal, uint64_t seed, bool is_power_cut);

/* -- Death -------------------------------------------------------------------- */

/* End the process at once, without any clean-up. */
_Noreturn void disk_crash(void);

/* Calls that changed or flushed something below the directory (or tried to), so far. */
uint64_t disk_calls(void);

/* Crash at the `call`-th such call (the first is 1; DISK_NEVER: not at all): before it,
 * in the middle of it or after it, as the seed decides.  The middle of a write is some of its
 * pages; of a flush, some of its sectors. */
void disk_crash_at(uint64_t call);

/* -- Faults ------------------------------------------------------------------- */

enum disk_fault {
    /* A write changes nothing.  Through an O_DSYNC descriptor with EIO it is worse: the
     * system shows the new bytes, the platter has none, some or all of them, and
     * no later flush will change that unless they are written again. */
    DISK_FAULT_WRITE,
    DISK_FAULT_SYNCED, /* the same, through an O_DSYNC descriptor only: LMDB's meta page */
    DISK_FAULT_SHORT,  /* a write of several sectors stops early and says so; no `error` */
    /* fsync, fdatasync: some of the pages did not reach the platter, and count as clean
     * from now on.  They are lost at a power cut unless written again.
     * Of a directory: all its changes stay uncertain. */
    DISK_FAULT_FLUSH,
    DISK_FAULT_NAME, /* creating, renaming, removing: nothing is changed */
    DISK_FAULTS,
};

/* Let `skip` calls of this kind pass and the next `count` ones fail with `error` (an errno).
 * Replaces what was planned for the kind. */
void disk_fail_next(enum disk_fault fault, unsigned skip, unsigned count, int error);

/* From now on the files may grow by `bytes` altogether; what truncation gives back may
 * be used again.  A write that needs more is short, and ENOSPC when nothing fits. */
void disk_set_room(uint64_t bytes);

/* A disk (or a program) that is broken on purpose: from now on every flush returns 0
 * and makes nothing certain. */
void disk_lie_about_flush(bool is_lying);

#endif
