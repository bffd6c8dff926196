/* test_disk.c -- what disk.h promises about bytes, sizes, names and faults.
 *
 * Each test has fresh directories and asks with many seeds: what may happen must be
 * seen to happen with some seed, and what may not with none.
 */
#include "tests/sim/disk.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SEEDS 200u
#define SECTOR 512u
#define PAGE 4096u

static char base[64], data[80], journal[80], path[100], other[100];

static int remove_entry(const char *entry, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat, (void)type, (void)at;
    return remove(entry);
}

static int clear(void **state)
{
    (void)state;
    disk_stop();
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void fresh(uint64_t seed)
{
    clear(NULL);
    assert_int_equal(mkdir(base, 0700) | mkdir(data, 0700) | mkdir(journal, 0700), 0);
    disk_start(data, journal, seed);
}

static void cut_power(uint64_t seed)
{
    disk_stop();
    disk_recover(data, journal, seed, true);
}

static int open_file(int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void fill(int fd, char byte, size_t size, off_t offset)
{
    char bytes[4 * PAGE];
    memset(bytes, byte, size);
    assert_int_equal(pwrite(fd, bytes, size, offset), size);
}

/* A durable file of `size` bytes 'o'. */
static int old_file(size_t size)
{
    int fd = open_file(O_CREAT);
    fill(fd, 'o', size, 0);
    assert_int_equal(fsync(fd), 0);
    sync_dir(data);
    return fd;
}

struct content {
    ssize_t size; /* -1: there is no such file */
    char bytes[4 * PAGE];
};

static struct content content_of(const char *file)
{
    struct content content = { .size = -1 };
    int fd = open(file, O_RDONLY);
    if (fd >= 0) {
        content.size = read(fd, content.bytes, sizeof content.bytes);
        close(fd);
    }
    return content;
}

/* The sectors of one byte value each: how many are `byte`, and that none is mixed. */
static unsigned sectors_of(const struct content *content, char byte)
{
    unsigned count = 0;
    for (ssize_t at = 0; at < content->size; at += SECTOR) {
        for (unsigned i = 1; i < SECTOR; i++)
            assert_int_equal(content->bytes[at + i], content->bytes[at]);
        count += content->bytes[at] == byte;
    }
    return count;
}

/* -- Bytes and sizes ------------------------------------- */

static void an_unflushed_write_is_lost_kept_or_torn_between_sectors(void **state)
{
    (void)state;
    unsigned lost = 0, kept = 0, torn = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(2 * PAGE);
        fill(fd, 'n', 2 * PAGE, 0);
        close(fd);
        cut_power(seed);
        struct content content = content_of(path);
        assert_int_equal(content.size, 2 * PAGE);
        unsigned count = sectors_of(&content, 'n');
        lost += count == 0;
        kept += count == 16;
        torn += count > 0 && count < 16;
    }
    assert_true(lost > 10 && kept > 10 && torn > 10);
}

static void a_flushed_write_stays(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(PAGE);
        fill(fd, 'n', 2 * PAGE, 0);
        assert_int_equal(fdatasync(fd), 0);
        close(fd);
        cut_power(seed);
        struct content content = content_of(path);
        assert_int_equal(content.size, 2 * PAGE);
        assert_int_equal(sectors_of(&content, 'n'), 16);
    }
}

static void writes_before_a_flush_come_in_any_order(void **state)
{
    (void)state;
    unsigned only_second = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(2 * PAGE);
        fill(fd, 'a', SECTOR, 0);
        fill(fd, 'b', SECTOR, PAGE);
        close(fd);
        cut_power(seed);
        struct content content = content_of(path);
        only_second += content.bytes[0] == 'o' && content.bytes[PAGE] == 'b';
    }
    assert_true(only_second > 10);
}

static void a_sector_written_twice_may_keep_the_version_between(void **state)
{
    (void)state;
    unsigned seen[3] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(SECTOR);
        fill(fd, 'a', SECTOR, 0);
        fill(fd, 'b', SECTOR, 0);
        close(fd);
        cut_power(seed);
        char byte = content_of(path).bytes[0];
        seen[byte == 'o' ? 0 : byte == 'a' ? 1 : 2]++;
    }
    assert_true(seen[0] > 10 && seen[1] > 10 && seen[2] > 10);
}

static void a_synchronous_write_makes_itself_certain_and_nothing_else(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(2 * PAGE);
        int synced = open(path, O_WRONLY | O_DSYNC);
        fill(fd, 'n', SECTOR, 0);
        fill(synced, 's', 100, PAGE);
        close(fd);
        close(synced);
        cut_power(seed);
        struct content content = content_of(path);
        assert_int_equal(content.bytes[PAGE + 99], 's');
        assert_int_equal(content.bytes[PAGE + 100], 'o');
        lost += content.bytes[0] == 'o';
    }
    assert_true(lost > 10);
}

static void a_synchronous_write_does_not_make_an_earlier_size_certain(void **state)
{
    (void)state;
    unsigned short_again = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(PAGE);
        int synced = open(path, O_WRONLY | O_DSYNC);
        fill(fd, 'n', PAGE, PAGE);
        fill(synced, 's', SECTOR, 0);
        close(fd);
        close(synced);
        cut_power(seed);
        short_again += content_of(path).size == PAGE;
    }
    assert_true(short_again > 10);
}

static void a_file_may_lose_the_size_it_grew_or_shrank_to(void **state)
{
    (void)state;
    unsigned grown = 0, shrunk = 0, old = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(2 * PAGE);
        if (seed % 2 == 0)
            fill(fd, 'o', PAGE, 2 * PAGE);
        else
            assert_int_equal(ftruncate(fd, PAGE), 0);
        close(fd);
        cut_power(seed);
        struct content content = content_of(path);
        grown += content.size == 3 * PAGE;
        shrunk += content.size == PAGE;
        old += content.size == 2 * PAGE;
    }
    assert_true(grown > 10 && shrunk > 10 && old > 10);
    assert_int_equal(grown + shrunk + old, SEEDS);
}

static void every_way_of_writing_is_seen(void **state)
{
    (void)state;
    struct iovec parts[2] = { { "ab", 2 }, { "cd", 2 } };
    fresh(1);
    int fd = open_file(O_CREAT);
    assert_int_equal(write(fd, "12", 2), 2);
    assert_int_equal(writev(fd, parts, 2), 4);
    assert_int_equal(pwritev(fd, parts, 2, 6), 4);
    assert_int_equal(pwrite64(fd, "x", 1, 10), 1);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 6);
    assert_int_equal(fallocate(fd, 0, 0, 12), 0);
    close(fd);
    fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "end", 3), 3);
    close(fd);
    assert_int_equal(disk_calls(), 7);
    assert_memory_equal(content_of(path).bytes, "12abcdabcdx\0end", 15);
    fd = open_file(O_TRUNC);
    close(fd);
    assert_int_equal(disk_calls(), 8);
    assert_int_equal(content_of(path).size, 0);
}

static void the_same_seed_leaves_the_same_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct content contents[2];
        for (unsigned i = 0; i < 2; i++) {
            fresh(1);
            int fd = old_file(4 * PAGE);
            fill(fd, 'n', 3 * PAGE, 0);
            close(fd);
            cut_power(seed);
            contents[i] = content_of(path);
        }
        assert_int_equal(contents[0].size, contents[1].size);
        assert_memory_equal(contents[0].bytes, contents[1].bytes, sizeof contents[0].bytes);
    }
}

static void files_elsewhere_are_left_alone(void **state)
{
    (void)state;
    char elsewhere[100];
    fresh(1);
    snprintf(elsewhere, sizeof elsewhere, "%s/data2", base);
    disk_fail_next(DISK_FAULT_WRITE, 0, 1, EIO);
    int fd = open(elsewhere, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(fsync(fd), 0);
    close(fd);
    assert_int_equal(unlink(elsewhere), 0);
    assert_int_equal(disk_calls(), 0);
}

/* -- Death of the process ------------------------------------- */

static void the_death_of_the_process_loses_nothing_but_makes_nothing_certain(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(PAGE);
        fill(fd, 'n', PAGE, 0);
        close(fd);
        disk_stop();
        disk_recover(data, journal, seed, false);
        struct content content = content_of(path);
        assert_int_equal(sectors_of(&content, 'n'), 8);

        disk_start(data, journal, 1);
        cut_power(seed);
        content = content_of(path);
        lost += sectors_of(&content, 'n') < 8;
    }
    assert_true(lost > 10);
}

static int crash_in_child(uint64_t seed, uint64_t call)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        disk_start(data, journal, seed);
        disk_crash_at(call);
        int fd = open_file(0);
        fill(fd, 'n', 3 * PAGE, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void a_crash_comes_before_within_or_after_the_call(void **state)
{
    (void)state;
    unsigned before = 0, within = 0, after = 0;
    for (uint64_t seed = 0; seed < SEEDS / 4; seed++) {
        fresh(1);
        close(old_file(3 * PAGE));
        disk_stop();
        assert_int_equal(crash_in_child(seed, 1), DISK_CRASH_STATUS);
        struct content content = content_of(path);
        unsigned count = sectors_of(&content, 'n');
        before += count == 0;
        within += count == 8 || count == 16;
        after += count == 24;
    }
    assert_true(before > 5 && within > 5 && after > 5);
    assert_int_equal(before + within + after, SEEDS / 4);
    assert_int_equal(crash_in_child(1, 2), 0);
}

/* -- Names ------------------------------------- */

static void a_new_name_is_certain_only_after_its_directory_was_flushed(void **state)
{
    (void)state;
    unsigned lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        bool is_flushed = seed % 2 == 0;
        fresh(1);
        int fd = open_file(O_CREAT);
        fill(fd, 'n', SECTOR, 0);
        fsync(fd);
        close(fd);
        if (is_flushed)
            sync_dir(data);
        cut_power(seed);
        struct content content = content_of(path);
        assert_true(content.size == SECTOR || (!is_flushed && content.size == -1));
        lost += content.size == -1;
        kept += content.size != -1 && !is_flushed;
    }
    assert_true(lost > 10 && kept > 10);
}

static void write_file(const char *file, char byte)
{
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    fill(fd, byte, SECTOR, 0);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void changes_of_one_directory_are_lost_from_the_last_one_on(void **state)
{
    (void)state;
    unsigned one = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        write_file(path, '1');
        write_file(other, '2');
        cut_power(seed);
        bool has_first = access(path, F_OK) == 0, has_second = access(other, F_OK) == 0;
        assert_true(has_first || !has_second);
        one += has_first && !has_second;
    }
    assert_true(one > 10);
}

static void a_rename_over_a_file_is_whole_or_not_at_all(void **state)
{
    (void)state;
    unsigned undone = 0, done = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        write_file(path, 'o');
        write_file(other, 'n');
        sync_dir(data);
        assert_int_equal(rename(other, path), 0);
        assert_int_equal(content_of(path).bytes[0], 'n');
        cut_power(seed);
        bool is_done = content_of(other).size == -1;
        assert_int_equal(content_of(path).bytes[0], is_done ? 'n' : 'o');
        assert_int_equal(content_of(path).size, SECTOR);
        done += is_done;
        undone += !is_done;
    }
    assert_true(undone > 10 && done > 10);
}

static void a_removed_file_may_come_back_until_its_directory_was_flushed(void **state)
{
    (void)state;
    unsigned back = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        bool is_flushed = seed % 2 == 0;
        fresh(1);
        write_file(path, 'o');
        sync_dir(data);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(content_of(path).size, -1);
        if (is_flushed)
            sync_dir(data);
        cut_power(seed);
        assert_true(!is_flushed || content_of(path).size == -1);
        back += content_of(path).bytes[0] == 'o';
    }
    assert_true(back > 10);
}

/* Built beside and moved into place: the reader sees nothing or all of it. */
static void a_directory_renamed_into_place_is_there_whole_or_not(void **state)
{
    (void)state;
    unsigned there = 0, missing = 0;
    char beside[100], place[100], inner[110], found[110];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        snprintf(beside, sizeof beside, "%s/new", data);
        snprintf(place, sizeof place, "%s/env", data);
        snprintf(inner, sizeof inner, "%s/new/file", data);
        snprintf(found, sizeof found, "%s/env/file", data);
        assert_int_equal(mkdir(beside, 0700), 0);
        write_file(inner, 'n');
        sync_dir(beside);
        assert_int_equal(rename(beside, place), 0);
        cut_power(seed);
        bool is_there = access(place, F_OK) == 0;
        assert_int_equal(content_of(found).size, is_there ? (int)SECTOR : -1);
        there += is_there;
        missing += !is_there;
    }
    assert_true(there > 10 && missing > 10);
}

/* -- Faults ------------------------------------- */

static void a_failed_flush_loses_for_good_what_is_not_written_again(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(seed);
        int fd = old_file(3 * PAGE);
        fill(fd, 'n', 3 * PAGE, 0);
        disk_fail_next(DISK_FAULT_FLUSH, 0, 1, EIO);
        assert_int_equal(fdatasync(fd), -1);
        assert_int_equal(errno, EIO);
        fill(fd, 'n', 1, PAGE);
        assert_int_equal(fdatasync(fd), 0);
        close(fd);
        struct content content = content_of(path);
        assert_int_equal(sectors_of(&content, 'n'), 24);
        cut_power(seed);
        content = content_of(path);
        for (unsigned at = PAGE; at < 2 * PAGE; at += SECTOR)
            assert_int_equal(content.bytes[at], 'n');
        lost += sectors_of(&content, 'n') < 24;
    }
    assert_true(lost > 10);
}

static struct content after_failed_flush(uint64_t fault_seed, uint64_t cut_seed)
{
    fresh(fault_seed);
    int fd = old_file(3 * PAGE);
    fill(fd, 'n', 3 * PAGE, 0);
    disk_fail_next(DISK_FAULT_FLUSH, 0, 1, EIO);
    assert_int_equal(fdatasync(fd), -1);
    close(fd);
    cut_power(cut_seed);
    return content_of(path);
}

/* What is on the platter was decided by the fault; the power cut finds nothing unflushed. */
static void a_failed_flush_leaves_nothing_for_the_power_cut_to_decide(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct content first = after_failed_flush(seed, 0);
        for (uint64_t cut = 1; cut < 20; cut++) {
            struct content content = after_failed_flush(seed, cut);
            assert_memory_equal(content.bytes, first.bytes, 3 * PAGE);
        }
    }
}

static void a_failed_synchronous_write_is_shown_but_not_certain(void **state)
{
    (void)state;
    unsigned old = 0, new = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(seed);
        int fd = old_file(PAGE);
        int synced = open(path, O_WRONLY | O_DSYNC);
        disk_fail_next(DISK_FAULT_WRITE, 0, 1, EIO);
        assert_int_equal(pwrite(synced, "n", 1, 0), -1);
        assert_int_equal(content_of(path).bytes[0], 'n');
        assert_int_equal(fdatasync(fd), 0);
        close(fd);
        close(synced);
        cut_power(seed);
        old += content_of(path).bytes[0] == 'o';
        new += content_of(path).bytes[0] == 'n';
    }
    assert_true(old > 10 && new > 10);
}

static void a_fault_of_synchronous_writes_passes_all_others(void **state)
{
    (void)state;
    fresh(1);
    int fd = old_file(PAGE);
    int synced = open(path, O_WRONLY | O_DSYNC);
    disk_fail_next(DISK_FAULT_SYNCED, 1, 1, EIO);
    assert_int_equal(pwrite(fd, "a", 1, 0), 1);
    assert_int_equal(pwrite(synced, "b", 1, 1), 1);
    assert_int_equal(pwrite(fd, "c", 1, 2), 1);
    assert_int_equal(pwrite(synced, "d", 1, 3), -1);
    assert_int_equal(pwrite(synced, "e", 1, 4), 1);
    close(fd);
    close(synced);
}

static void a_planned_fault_hits_the_call_it_was_planned_for(void **state)
{
    (void)state;
    fresh(1);
    int fd = old_file(PAGE);
    disk_fail_next(DISK_FAULT_WRITE, 1, 2, ENOSPC);
    assert_int_equal(pwrite(fd, "a", 1, 0), 1);
    assert_int_equal(pwrite(fd, "b", 1, 0), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(pwrite(fd, "c", 1, 0), -1);
    assert_int_equal(content_of(path).bytes[0], 'a');
    disk_fail_next(DISK_FAULT_SHORT, 0, 1, 0);
    assert_int_equal(pwrite(fd, content_of(path).bytes, 2 * SECTOR, 0), SECTOR);
    disk_fail_next(DISK_FAULT_NAME, 0, 1, EIO);
    assert_int_equal(rename(path, other), -1);
    assert_int_equal(rename(path, other), 0);
    close(fd);
}

static void a_full_disk_refuses_growth_until_there_is_room(void **state)
{
    (void)state;
    char bytes[PAGE] = { 0 };
    fresh(1);
    int fd = old_file(PAGE);
    disk_set_room(1000);
    assert_int_equal(pwrite(fd, bytes, PAGE, 0), PAGE);
    assert_int_equal(pwrite(fd, bytes, PAGE, PAGE), 1000);
    assert_int_equal(pwrite(fd, bytes, 1, PAGE + 1000), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(ftruncate(fd, PAGE), 0);
    assert_int_equal(pwrite(fd, bytes, 10, PAGE), 10);
    disk_set_room(DISK_ROOM_UNLIMITED);
    assert_int_equal(pwrite(fd, bytes, PAGE, PAGE), PAGE);
    close(fd);
}

static void a_lying_flush_makes_nothing_certain(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fresh(1);
        int fd = old_file(PAGE);
        disk_lie_about_flush(true);
        fill(fd, 'n', PAGE, 0);
        assert_int_equal(fsync(fd), 0);
        close(fd);
        cut_power(seed);
        struct content content = content_of(path);
        lost += sectors_of(&content, 'n') == 0;
    }
    assert_true(lost > 10);
}

int main(void)
{
    snprintf(base, sizeof base, "/dev/shm/kith-disk-%d", (int)getpid());
    snprintf(data, sizeof data, "%s/data", base);
    snprintf(journal, sizeof journal, "%s/journal", base);
    snprintf(path, sizeof path, "%s/file", data);
    snprintf(other, sizeof other, "%s/other", data);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unflushed_write_is_lost_kept_or_torn_between_sectors),
        cmocka_unit_test(a_flushed_write_stays),
        cmocka_unit_test(writes_before_a_flush_come_in_any_order),
        cmocka_unit_test(a_sector_written_twice_may_keep_the_version_between),
        cmocka_unit_test(a_synchronous_write_makes_itself_certain_and_nothing_else),
        cmocka_unit_test(a_synchronous_write_does_not_make_an_earlier_size_certain),
        cmocka_unit_test(a_file_may_lose_the_size_it_grew_or_shrank_to),
        cmocka_unit_test(every_way_of_writing_is_seen),
        cmocka_unit_test(the_same_seed_leaves_the_same_bytes),
        cmocka_unit_test(files_elsewhere_are_left_alone),
        cmocka_unit_test(the_death_of_the_process_loses_nothing_but_makes_nothing_certain),
        cmocka_unit_test(a_crash_comes_before_within_or_after_the_call),
        cmocka_unit_test(a_new_name_is_certain_only_after_its_directory_was_flushed),
        cmocka_unit_test(changes_of_one_directory_are_lost_from_the_last_one_on),
        cmocka_unit_test(a_rename_over_a_file_is_whole_or_not_at_all),
        cmocka_unit_test(a_removed_file_may_come_back_until_its_directory_was_flushed),
        cmocka_unit_test(a_directory_renamed_into_place_is_there_whole_or_not),
        cmocka_unit_test(a_failed_flush_loses_for_good_what_is_not_written_again),
        cmocka_unit_test(a_failed_flush_leaves_nothing_for_the_power_cut_to_decide),
        cmocka_unit_test(a_failed_synchronous_write_is_shown_but_not_certain),
        cmocka_unit_test(a_fault_of_synchronous_writes_passes_all_others),
        cmocka_unit_test(a_planned_fault_hits_the_call_it_was_planned_for),
        cmocka_unit_test(a_full_disk_refuses_growth_until_there_is_room),
        cmocka_unit_test(a_lying_flush_makes_nothing_certain),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
