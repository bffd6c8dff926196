/* state_fixture.c -- see state_fixture.h.
 *
 * The functions below that bear libc's names are found before libc's own, by LMDB
 * too.  They reach the kernel by syscall(), so it does not matter what else, a
 * sanitizer for one, stands in line.
 */
#include "tests/storage/state_fixture.h"

#include "core/base/mem.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    enum disk_call call;
    atomic_uint calls;
    unsigned fail_at, die_at;
    int code;
    bool for_ever;
} disk;

void disk_fail(enum disk_call call, unsigned n, int code, bool for_ever)
{
    disk.call = call;
    disk.fail_at = n;
    disk.die_at = 0;
    disk.code = code;
    disk.for_ever = for_ever;
    disk.calls = 0;
}

void disk_die(unsigned n)
{
    disk_fail(DISK_ANY, 0, 0, false);
    disk.die_at = n;
}

unsigned disk_calls(void)
{
    return disk.calls;
}

/* True: the caller fails, errno is set. */
static bool disk_refuses(enum disk_call call)
{
    if ((disk.call & call) == 0)
        return false;
    unsigned n = ++disk.calls;
    if (disk.die_at != 0 && n >= disk.die_at)
        _exit(DISK_DEATH);
    bool refuses = disk.fail_at != 0 && (disk.for_ever ? n >= disk.fail_at : n == disk.fail_at);
    if (refuses)
        errno = disk.code;
    return refuses;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's are reserved names */
ssize_t write(int fd, const void *data, size_t size)
{
    if (fd > STDERR_FILENO && disk_refuses(DISK_WRITE))
        return -1;
    return syscall(SYS_write, fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (disk_refuses(DISK_WRITE))
        return -1;
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (disk_refuses(DISK_WRITE))
        return -1;
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

int ftruncate(int fd, off_t size)
{
    if (disk_refuses(DISK_WRITE))
        return -1;
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
    if (disk_refuses(DISK_FLUSH))
        return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    if (disk_refuses(DISK_FLUSH))
        return -1;
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    if (disk_refuses(DISK_WRITE))
        return -1;
    return (int)syscall(SYS_rename, from, to);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

void fixture_open(struct fixture *fixture, const struct state_options *options)
{
    struct state_options with_dir = *options;
    with_dir.dir = fixture->dir;
    int code = state_open(&with_dir, &fixture->state, &fixture->err);
    if (code != 0)
        fail_msg("state_open: %s", fixture->err.text);
}

int fixture_setup(void **arg)
{
    struct fixture *fixture = mem_zero(sizeof *fixture);
    disk_fail(DISK_ANY, 0, 0, false);
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/kith-state-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    fixture_open(fixture, &(struct state_options){ 0 });
    *arg = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

int fixture_teardown(void **arg)
{
    struct fixture *fixture = *arg;
    disk_fail(DISK_ANY, 0, 0, false);
    state_close(fixture->state);
    int rc = nftw(fixture->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return rc;
}

void fixture_reopen(struct fixture *fixture)
{
    state_close(fixture->state);
    fixture_open(fixture, &(struct state_options){ 0 });
}

void fixture_empty(struct fixture *fixture)
{
    char path[128];
    state_close(fixture->state);
    fixture_path(fixture, "data.mdb", path);
    assert_int_equal(unlink(path), 0);
    fixture_open(fixture, &(struct state_options){ 0 });
}

void fixture_path(const struct fixture *fixture, const char *name, char out_path[128])
{
    snprintf(out_path, 128, "%s/%s", fixture->dir, name);
}

void fixture_checkpoint(struct fixture *fixture, uint64_t seq)
{
    assert_true(state_freeze(fixture->state, seq, (int64_t)seq * 1000));
    if (state_checkpoint(fixture->state, &fixture->err) != 0)
        fail_msg("state_checkpoint: %s", fixture->err.text);
    while (state_settle(fixture->state))
        continue;
}

struct key text_key(char table, const char *text)
{
    struct key key;
    key_start(&key, table);
    key_tail(&key, (struct text){ text, (uint32_t)strlen(text) });
    return key;
}

void put_text(struct state *state, const char *key, const char *value)
{
    struct key built = text_key('z', key);
    state_put(state, &built, value, strlen(value));
}

const char *get_text(struct state *state, const char *key)
{
    static char text[256];
    struct key built = text_key('z', key);
    struct bytes value;
    if (!state_get(state, &built, &value))
        return NULL;
    snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
    return text;
}

void hash_now(struct state *state, uint8_t out_hash[16])
{
    struct snapshot *snapshot = NULL;
    assert_int_equal(snapshot_open(state, &snapshot, NULL), 0);
    snapshot_hash(snapshot, out_hash);
    snapshot_close(snapshot);
}
