/* faults.c -- a disk that fails and a clock that is wrong, between the daemon and the libraries
 * (LD_PRELOAD).
 *
 * The file named by KITH_FAULTS says what fails next: "<what> <skip>".  It is read when
 * it changes.  `write EIO`, `write ENOSPC`: the writes after `skip` more of them fail, for five
 * calls; `flush EIO`: the same for fsync and fdatasync; `full`: every write that would make a file
 * longer fails for half a second; `stuffed`: the same until the plan changes.  Only files named
 * data.mdb are concerned: the rest of the process needs its pipes and sockets.
 *
 * KITH_MAP_BYTES is the size of every LMDB map, whatever the daemon wants.  The file named by
 * KITH_CLOCK holds the seconds by which the wall clock is wrong; it is read at every look.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FAILURES 5
#define FULL_MS 500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char what[32];
    int skip, left;
    struct timespec changed;
    long long until_ms;
} plan;

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void read_plan(void)
{
    const char *path = getenv("KITH_FAULTS");
    struct stat status;
    char word[16] = "", code[16] = "";
    if (path == NULL || stat(path, &status) != 0 ||
        memcmp(&status.st_mtim, &plan.changed, sizeof plan.changed) == 0)
        return;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    plan.changed = status.st_mtim;
    plan.skip = plan.left = 0;
    if (fscanf(file, "%15s %15s %d", word, code, &plan.skip) == 3)
        plan.left = FAILURES;
    plan.until_ms = strcmp(word, "full") == 0      ? now_ms() + FULL_MS
                    : strcmp(word, "stuffed") == 0 ? LLONG_MAX
                                                   : 0;
    snprintf(plan.what, sizeof plan.what, "%s %s", word, plan.left != 0 ? code : "");
    fclose(file);
}

static int is_data(int fd)
{
    char path[64], target[4096];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 8)
        return 0;
    target[size] = '\0';
    return strcmp(target + size - 8, "data.mdb") == 0;
}

static int due(const char *kind)
{
    if (strncmp(plan.what, kind, strlen(kind)) != 0 || plan.left == 0)
        return 0;
    if (plan.skip > 0) {
        plan.skip--;
        return 0;
    }
    plan.left--;
    return strstr(plan.what, "ENOSPC") != NULL ? ENOSPC : EIO;
}

/* The error a write to `fd` up to byte `end` fails with; 0: none. */
static int write_fault(int fd, long long end)
{
    struct stat status;
    if (!is_data(fd))
        return 0;
    pthread_mutex_lock(&lock);
    read_plan();
    int error = due("write");
    if (error == 0 && plan.until_ms > now_ms() && fstat(fd, &status) == 0 && end > status.st_size)
        error = ENOSPC;
    pthread_mutex_unlock(&lock);
    return error;
}

static int flush_fault(int fd)
{
    if (!is_data(fd))
        return 0;
    pthread_mutex_lock(&lock);
    read_plan();
    int error = due("flush");
    pthread_mutex_unlock(&lock);
    return error;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_IF(error_)        \
    do {                       \
        int error = (error_);  \
        if (error != 0) {      \
            errno = error;     \
            return -1;         \
        }                      \
    } while (0)

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    FAIL_IF(write_fault(fd, offset + (long long)size));
    return REAL(pwrite)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    long long end = lseek(fd, 0, SEEK_CUR);
    for (int i = 0; end >= 0 && i < count; i++)
        end += (long long)parts[i].iov_len;
    FAIL_IF(write_fault(fd, end));
    return REAL(writev)(fd, parts, count);
}

ssize_t write(int fd, const void *data, size_t size)
{
    FAIL_IF(write_fault(fd, lseek(fd, 0, SEEK_CUR) + (long long)size));
    return REAL(write)(fd, data, size);
}

int fsync(int fd)
{
    FAIL_IF(flush_fault(fd));
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    FAIL_IF(flush_fault(fd));
    return REAL(fdatasync)(fd);
}

int mdb_env_set_mapsize(void *env, size_t bytes);

int mdb_env_set_mapsize(void *env, size_t bytes)
{
    const char *wanted = getenv("KITH_MAP_BYTES");
    return REAL(mdb_env_set_mapsize)(env, wanted != NULL ? strtoull(wanted, NULL, 10) : bytes);
}

static long seconds_wrong(void)
{
    const char *path = getenv("KITH_CLOCK");
    char text[32] = "";
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    return size > 0 ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int rc = REAL(clock_gettime)(clock, time);
    if (clock == CLOCK_REALTIME)
        time->tv_sec += seconds_wrong();
    return rc;
}
