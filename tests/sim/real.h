/* real.h -- the C library's own file calls, behind the ones the simulator defines.
 *
 * disk.c defines functions of these names, so that every library in the process
 * calls the simulated disk.  The simulator itself must get past them.
 */
#ifndef TESTS_SIM_REAL_H
#define TESTS_SIM_REAL_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct real {
    int (*openat)(int, const char *, int, ...);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*msync)(void *, size_t, int);
    int (*ftruncate)(int, off_t);
    int (*fallocate)(int, int, off_t, off_t);
    int (*renameat)(int, const char *, int, const char *);
    int (*unlinkat)(int, const char *, int);
    int (*mkdirat)(int, const char *, mode_t);
};

/* Looked up at the first call.  Any thread. */
const struct real *real(void);

#endif
