/* trail.c -- undo records of one file in a shared mapping.
 *
 * Layout.  A head and an array of records, each the former bytes of one sector.  The
 * records of one write stand together and know their place in it, so the fate of a
 * sector is a function of the seed and its record alone.  A record is appended
 * before its write is done, and the head's count is raised last: a process killed
 * between leaves a record that puts back what is there already.
 *
 * A sector written twice without a flush has two records.  It would be cheaper to
 * keep the first only, but the version between may be the one on the platter.
 *
 *     state     | a flush          | a flush that fails    | its page is written again
 *     ----------+------------------+-----------------------+--------------------------
 *     DIRTY     | gone             | gone, DIRTY or LOST   | DIRTY, and a new record
 *     LOST      | LOST             | LOST                  | DIRTY, and a new record
 *
 * LOST is what Linux does after a failed write-back: the page is marked clean, the
 * error is told once, and the next flush succeeds without having written it.
 *
 * Rejected: a shadow copy of each file.  It is as exact only with a list of writes
 * beside it, and it costs the size of the file where this costs the size of a commit.
 */
#include "tests/sim/trail.h"

#include "core/base/mem.h"
#include "tests/sim/dice.h"
#include "tests/sim/real.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_SECTOR UINT64_MAX /* the record holds the file's former size */
#define CHUNK_SECTORS 64u      /* read at once while saving */

enum { ROLL_MOOD = 1, ROLL_FATE, ROLL_PREFIX, ROLL_SECTOR };
enum record_state { DIRTY, LOST, GONE };

struct record {
    uint64_t sector;
    uint32_t write;        /* which write covered it, counted from 1 */
    uint32_t index, count; /* the index-th of the write's `count` sectors */
    uint32_t state;
    uint8_t bytes[TRAIL_SECTOR_BYTES];
};

struct head {
    uint64_t inode;
    uint64_t used; /* records */
    uint32_t writes;
    uint32_t has_lost;
};

struct trail {
    struct head *head;
    struct record *records;
    int reader; /* the file, opened when first needed, or -1 */
};

#define RECORDS_MAX ((TRAIL_BYTES_MAX - sizeof(struct head)) / sizeof(struct record))

static struct trail *map(int journal, unsigned number, int flags)
{
    char name[32];
    snprintf(name, sizeof name, "trail.%u", number);
    int fd = real()->openat(journal, name, O_RDWR | O_CLOEXEC | flags, 0600);
    if (fd < 0 && flags == 0)
        return NULL;
    ASSERT(fd >= 0 && real()->ftruncate(fd, TRAIL_BYTES_MAX) == 0);

    void *data = mmap(NULL, TRAIL_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT(data != MAP_FAILED);
    close(fd);

    struct trail *trail = mem_alloc(sizeof *trail);
    trail->head = data;
    trail->records = (struct record *)(void *)(trail->head + 1);
    trail->reader = -1;
    return trail;
}

struct trail *trail_new(int journal, unsigned number, uint64_t inode)
{
    struct trail *trail = map(journal, number, O_CREAT | O_TRUNC);
    trail->head->inode = inode;
    return trail;
}

struct trail *trail_open(int journal, unsigned number)
{
    return map(journal, number, 0);
}

void trail_close(struct trail *trail)
{
    if (trail == NULL)
        return;
    if (trail->reader >= 0)
        close(trail->reader);
    munmap(trail->head, TRAIL_BYTES_MAX);
    free(trail);
}

uint64_t trail_inode(const struct trail *trail)
{
    return trail->head->inode;
}

void trail_reset(struct trail *trail)
{
    trail->head->used = 0;
    trail->head->has_lost = 0;
    if (trail->reader >= 0)
        close(trail->reader);
    trail->reader = -1;
}

/* -- Saving ------------------------------------- */

/* Writing one byte of a page makes the system write all of it back, and with it
 * what an earlier flush had left behind. */
static void revive(struct trail *trail, uint64_t from, uint64_t to)
{
    const uint64_t page_sectors = TRAIL_PAGE_BYTES / TRAIL_SECTOR_BYTES;
    uint64_t first = from / TRAIL_PAGE_BYTES * page_sectors;
    uint64_t end = (to + TRAIL_PAGE_BYTES - 1) / TRAIL_PAGE_BYTES * page_sectors;

    for (uint64_t i = 0; i < trail->head->used; i++) {
        struct record *record = &trail->records[i];
        bool is_inside = record->sector >= first && record->sector < end;
        if (record->state == LOST && (is_inside || record->sector == SIZE_SECTOR))
            record->state = DIRTY;
    }
}

static struct record *next_record(struct trail *trail, uint64_t sector)
{
    if (trail->head->used >= RECORDS_MAX) {
        fputs("trail: more than TRAIL_BYTES_MAX written without a flush\n", stderr);
        abort();
    }
    struct record *record = &trail->records[trail->head->used];
    record->sector = sector;
    record->write = trail->head->writes;
    record->index = 0;
    record->count = 1;
    record->state = DIRTY;
    return record;
}

static void save_size(struct trail *trail, uint64_t size)
{
    struct record *record = next_record(trail, SIZE_SECTOR);
    memcpy(record->bytes, &size, sizeof size);
    trail->head->used++;
}

/* Beyond the end of the file a sector reads as zeros, and so it is put back. */
static void save_chunk(struct trail *trail, int fd, uint64_t sector, unsigned count)
{
    uint8_t bytes[CHUNK_SECTORS * TRAIL_SECTOR_BYTES];
    ssize_t got =
        pread(fd, bytes, (size_t)count * TRAIL_SECTOR_BYTES, (off_t)(sector * TRAIL_SECTOR_BYTES));
    ASSERT(got >= 0);
    memset(bytes + got, 0, (size_t)count * TRAIL_SECTOR_BYTES - (size_t)got);
    for (unsigned i = 0; i < count; i++) {
        struct record *record = next_record(trail, sector + i);
        memcpy(record->bytes, bytes + (size_t)i * TRAIL_SECTOR_BYTES, TRAIL_SECTOR_BYTES);
        trail->head->used++;
    }
}

static void save_sectors(struct trail *trail, int fd, uint64_t from, uint64_t to)
{
    uint64_t first = from / TRAIL_SECTOR_BYTES;
    uint64_t end = (to + TRAIL_SECTOR_BYTES - 1) / TRAIL_SECTOR_BYTES;
    uint64_t start = trail->head->used;

    for (uint64_t sector = first; sector < end; sector += CHUNK_SECTORS) {
        uint64_t left = end - sector;
        save_chunk(trail, fd, sector, (unsigned)(left < CHUNK_SECTORS ? left : CHUNK_SECTORS));
    }
    for (uint64_t i = start; i < trail->head->used; i++) {
        trail->records[i].index = (uint32_t)(i - start);
        trail->records[i].count = (uint32_t)(trail->head->used - start);
    }
}

/* LMDB's descriptor for the meta page can only be written, and other descriptors
 * may ask for aligned buffers: read through one of our own. */
static int reader_of(struct trail *trail, int fd)
{
    if (trail->reader < 0) {
        char path[40];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        trail->reader = real()->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    }
    ASSERT(trail->reader >= 0);
    return trail->reader;
}

void trail_change(struct trail *trail, int fd, uint64_t from, uint64_t to, uint64_t size)
{
    struct stat stat;
    int reader = reader_of(trail, fd);
    ASSERT(fstat(reader, &stat) == 0);

    if (trail->head->has_lost)
        revive(trail, from, to);
    trail->head->writes++;
    if (to > from)
        save_sectors(trail, reader, from, to);
    if (size != (uint64_t)stat.st_size)
        save_size(trail, (uint64_t)stat.st_size);
}

/* -- Flushing ------------------------------------- */

static bool is_in(const struct record *record, struct trail_span span)
{
    if (record->sector == SIZE_SECTOR)
        return span.has_size;
    return record->sector >= span.from / TRAIL_SECTOR_BYTES &&
           record->sector <= (span.to - 1) / TRAIL_SECTOR_BYTES;
}

/* Forget what has reached the platter.  Only the rare trail with LOST records has
 * to move any. */
static void sweep(struct trail *trail)
{
    uint64_t kept = 0;
    bool has_lost = false;
    for (uint64_t i = 0; i < trail->head->used; i++) {
        const struct record *record = &trail->records[i];
        if (record->state == GONE)
            continue;
        has_lost = has_lost || record->state == LOST;
        if (kept != i)
            trail->records[kept] = *record;
        kept++;
    }
    trail->head->used = kept;
    trail->head->has_lost = has_lost;
}

void trail_flush(struct trail *trail, struct trail_span span)
{
    for (uint64_t i = 0; i < trail->head->used; i++) {
        struct record *record = &trail->records[i];
        if (record->state == DIRTY && is_in(record, span))
            record->state = GONE;
    }
    sweep(trail);
}

/* All versions of a sector share its lot: a flush writes the newest. */
static bool is_flushed(uint64_t seed, uint64_t sector)
{
    switch (dice_roll(seed, 0, ROLL_MOOD) % 4) {
    case 0:
        return false;
    case 1:
        return true;
    default:
        return dice_roll(seed, sector, ROLL_SECTOR) % 2 == 0;
    }
}

void trail_flush_part(struct trail *trail, struct trail_span span, uint64_t seed, bool is_forgotten)
{
    for (uint64_t i = 0; i < trail->head->used; i++) {
        struct record *record = &trail->records[i];
        if (record->state != DIRTY || !is_in(record, span))
            continue;
        if (is_flushed(seed, record->sector))
            record->state = GONE;
        else if (is_forgotten)
            record->state = LOST;
    }
    sweep(trail);
}

/* -- The power cut ------------------------------------- */

/* Did this write of this sector reach the platter before the power went? */
static bool is_kept(uint64_t seed, const struct record *record)
{
    uint64_t mood = dice_roll(seed, 0, ROLL_MOOD) % 8;
    if (record->state == LOST || mood == 0)
        return false;
    if (mood == 1)
        return true;

    bool coin =
        dice_roll(seed, record->sector ^ (uint64_t)record->write << 40, ROLL_SECTOR) % 2 == 0;
    switch (dice_roll(seed, record->write, ROLL_FATE) % 4) {
    case 0:
        return false;
    case 1:
        return true;
    case 2: /* torn: a prefix */
        if (record->sector == SIZE_SECTOR)
            return coin;
        return record->index < dice_roll(seed, record->write, ROLL_PREFIX) % record->count;
    default: /* torn: some sectors */
        return coin;
    }
}

struct bits {
    uint8_t *bytes;
    uint64_t size;
};

/* One bit a sector that any record names; the last one stands for the size. */
static struct bits bits_for(const struct trail *trail)
{
    uint64_t size = 1;
    for (uint64_t i = 0; i < trail->head->used; i++) {
        uint64_t sector = trail->records[i].sector;
        if (sector != SIZE_SECTOR && sector + 2 > size)
            size = sector + 2;
    }
    return (struct bits){ mem_zero(size / 8 + 1), size };
}

static bool bit_test(const struct bits *bits, uint64_t sector)
{
    uint64_t at = sector == SIZE_SECTOR ? bits->size - 1 : sector;
    return (bits->bytes[at / 8] >> at % 8 & 1) != 0;
}

static void bit_set(struct bits *bits, uint64_t sector)
{
    uint64_t at = sector == SIZE_SECTOR ? bits->size - 1 : sector;
    bits->bytes[at / 8] = (uint8_t)(bits->bytes[at / 8] | 1u << at % 8);
}

static void put_back(int fd, const struct record *record)
{
    ssize_t put = real()->pwrite(fd, record->bytes, sizeof record->bytes,
                                 (off_t)(record->sector * TRAIL_SECTOR_BYTES));
    ASSERT(put == (ssize_t)sizeof record->bytes);
}

/* From the newest write to the oldest: the first version of a sector that was kept
 * is the one that stays; what is never settled goes back to the platter's. */
void trail_recover(struct trail *trail, int fd, uint64_t seed)
{
    struct stat stat;
    ASSERT(fstat(fd, &stat) == 0);
    uint64_t size = (uint64_t)stat.st_size;
    struct bits settled = bits_for(trail);

    for (uint64_t i = trail->head->used; i-- > 0;) {
        const struct record *record = &trail->records[i];
        if (bit_test(&settled, record->sector))
            continue;
        if (is_kept(seed, record))
            bit_set(&settled, record->sector);
        else if (record->sector == SIZE_SECTOR)
            memcpy(&size, record->bytes, sizeof size);
        else
            put_back(fd, record);
    }
    ASSERT(real()->ftruncate(fd, (off_t)size) == 0);
    trail_reset(trail);
    free(settled.bytes);
}
