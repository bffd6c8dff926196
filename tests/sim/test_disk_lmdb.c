/* test_disk_lmdb.c -- LMDB on a disk that is cut off: what it survives, and what not.
 *
 * A life is a child process that opens an environment and commits up to LAST numbered
 * transactions, telling its parent by shared memory which commits have returned.
 * After its death another child recovers the disk, opens the environment and compares all of it
 * with a model: the transactions 1..n, whole, where n is the last one acknowledged
 * or one that was tried after it.
 *
 * Each try of a transaction carries its own number (`nonce`), which also decides what it
 * writes, so that a mixture of two tries cannot pass for either.  The environment keeps
 * the nonces, and the model is computed from those it kept.
 */
#include "tests/sim/disk.h"

#include "core/base/mem.h"
#include "tests/sim/dice.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LAST 30u /* transactions in a run, at most */
#define KEYS 48u
#define VALUE_BYTES_MAX 12000u /* some values need pages of their own */
#define MAP_BYTES ((size_t)1 << 30)

/* A process that carries the address sanitizer's shadow takes the kernel 30 ms to fork and to end:
 * there a crash is tried at every seventh call, which shows that nothing here misuses memory.
 * What LMDB survives is shown by the release build (program disk_lmdb), at every call. */
#ifdef __SANITIZE_ADDRESS__
#define CALL_STEP 7
#else
#define CALL_STEP 1
#endif

enum verdict { WHOLE = 0, LOST_COMMIT = 1, MIXED = 2, UNREADABLE = 3 };

/* What a life has told the world. */
struct told {
    uint64_t acked;    /* the last transaction whose commit returned 0 */
    uint64_t tried;    /* the last one begun */
    uint64_t believed; /* the last one read back after a failed commit */
    uint64_t nonces[LAST + 1];
    uint64_t nonce;    /* the last one used */
    uint64_t calls;    /* of the disk, when the life came to its end */
    uint64_t failures; /* commits that returned an error */
};

/* What a life does before it believes what it reads back. */
enum remedy {
    TRUST,  /* nothing */
    FLUSH,  /* fdatasync */
    SETTLE, /* write both meta pages again as they are shown, then fdatasync, until it succeeds */
};

struct plan {
    uint64_t seed;
    uint64_t last; /* transactions; 0: LAST of them */
    uint64_t crash_at;
    bool is_power_cut;
    bool is_reborn;        /* a second life follows the first, and dies of the power cut */
    bool is_born_in_place; /* the environment is created where it is used */
    bool skips_dir_sync;
    bool is_lying;
    bool has_room_limit;
    enum disk_fault fault;
    unsigned fault_skip, fault_count;
    int fault_error;
    enum remedy remedy;
};

static char base[64], data[80], journal[80], place[100], beside[100];
static struct told *told;

/* -- Transactions and their model ------------------------------------- */

struct slot {
    size_t size; /* 0: absent */
    uint8_t fill;
};

struct step {
    unsigned key;
    struct slot slot;
};

static unsigned step_count(uint64_t nonce)
{
    return 1 + (unsigned)(dice_roll(nonce, 0, 1) % 6);
}

static struct step step_of(uint64_t nonce, unsigned index)
{
    uint64_t word = dice_roll(nonce, index, 2);
    struct step step = { (unsigned)(word % KEYS), { 0, (uint8_t)(word >> 40) } };
    if ((word >> 16 & 3) != 0)
        step.slot.size =
            1 + (word >> 20 & 0xfffff) % ((word >> 18 & 3) == 0 ? VALUE_BYTES_MAX : 600);
    return step;
}

static void model_apply(struct slot model[KEYS], uint64_t nonce)
{
    for (unsigned i = 0; i < step_count(nonce); i++) {
        struct step step = step_of(nonce, i);
        model[step.key] = step.slot;
    }
}

static MDB_val key_of(char text[16], char table, unsigned number)
{
    int size = snprintf(text, 16, "%c%04u", table, number);
    return (MDB_val){ (size_t)size, text };
}

static int put_steps(MDB_txn *txn, MDB_dbi dbi, uint64_t nonce)
{
    static uint8_t bytes[VALUE_BYTES_MAX];
    char text[16];
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < step_count(nonce); i++) {
        struct step step = step_of(nonce, i);
        MDB_val key = key_of(text, 'k', step.key);
        MDB_val value = { step.slot.size, bytes };
        memset(bytes, step.slot.fill, step.slot.size);
        rc =
            step.slot.size > 0 ? mdb_put(txn, dbi, &key, &value, 0) : mdb_del(txn, dbi, &key, NULL);
        if (rc == MDB_NOTFOUND)
            rc = 0;
    }
    return rc;
}

static int commit(MDB_env *env, uint64_t number, uint64_t nonce)
{
    char text[16];
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    MDB_val key = key_of(text, 's', (unsigned)number);
    MDB_val value = { sizeof nonce, &nonce };
    int rc = mdb_txn_begin(env, NULL, 0, &txn);
    if (rc == 0)
        rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (rc == 0)
        rc = mdb_put(txn, dbi, &key, &value, 0);
    if (rc == 0)
        rc = put_steps(txn, dbi, nonce);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

/* -- Reading it all back ------------------------------------- */

static bool is_slot(const struct slot *slot, const MDB_val *value)
{
    const uint8_t *bytes = value->mv_data;
    if (value->mv_size != slot->size)
        return false;
    for (size_t i = 0; i < slot->size; i++) {
        if (bytes[i] != slot->fill)
            return false;
    }
    return true;
}

/* The nonces of the transactions that the environment holds; the count of them. */
static uint64_t read_nonces(MDB_txn *txn, MDB_dbi dbi, uint64_t nonces[LAST + 1])
{
    char text[16];
    MDB_val value;
    uint64_t count = 0;
    MDB_val key = key_of(text, 's', 1);
    while (count < LAST && mdb_get(txn, dbi, &key, &value) == 0) {
        memcpy(&nonces[++count], value.mv_data, sizeof *nonces);
        key = key_of(text, 's', (unsigned)count + 1);
    }
    return count;
}

static bool equals_model(MDB_txn *txn, MDB_dbi dbi, const struct slot model[KEYS], uint64_t stamps)
{
    MDB_stat stat;
    uint64_t present = stamps;
    char text[16];
    for (unsigned i = 0; i < KEYS; i++) {
        MDB_val value = { 0, NULL };
        MDB_val key = key_of(text, 'k', i);
        int rc = mdb_get(txn, dbi, &key, &value);
        if (rc != (model[i].size > 0 ? 0 : MDB_NOTFOUND) || !is_slot(&model[i], &value))
            return false;
        present += model[i].size > 0;
    }
    return mdb_stat(txn, dbi, &stat) == 0 && stat.ms_entries == present;
}

static MDB_env *env_open(const char *dir)
{
    MDB_env *env = NULL;
    int rc = mdb_env_create(&env);
    if (rc == 0)
        rc = mdb_env_set_mapsize(env, MAP_BYTES);
    if (rc == 0)
        rc = mdb_env_open(env, dir, MDB_NOTLS, 0600);
    if (rc == 0)
        return env;
    mdb_env_close(env);
    return NULL;
}

static enum verdict judge(MDB_txn *txn, MDB_dbi dbi)
{
    struct slot model[KEYS] = { { 0, 0 } };
    uint64_t nonces[LAST + 1];
    uint64_t count = read_nonces(txn, dbi, nonces);
    for (uint64_t i = 1; i <= count; i++)
        model_apply(model, nonces[i]);
    if (!equals_model(txn, dbi, model, count))
        return MIXED;
    if (count < told->acked || count < told->believed)
        return LOST_COMMIT;
    for (uint64_t i = 1; i <= told->acked; i++) {
        if (nonces[i] != told->nonces[i])
            return LOST_COMMIT;
    }
    return count <= told->tried ? WHOLE : MIXED;
}

/* No environment is one that holds nothing. */
static enum verdict inspect(void)
{
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    if (access(place, F_OK) != 0)
        return told->acked == 0 ? WHOLE : LOST_COMMIT;
    MDB_env *env = env_open(place);
    if (env == NULL || mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0 ||
        mdb_dbi_open(txn, NULL, 0, &dbi) != 0)
        return UNREADABLE;
    enum verdict verdict = judge(txn, dbi);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return verdict;
}

/* -- A life ------------------------------------- */

static uint64_t last_in(MDB_env *env)
{
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    uint64_t nonces[LAST + 1];
    ASSERT(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0);
    uint64_t count = mdb_dbi_open(txn, NULL, 0, &dbi) == 0 ? read_nonces(txn, dbi, nonces) : 0;
    mdb_txn_abort(txn);
    return count;
}

static void sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    ASSERT(fd >= 0 && fsync(fd) == 0);
    close(fd);
}

/* A new environment's first two pages are not flushed before its first commit, and LMDB never
 * opens one whose first page is torn: so make it beside, and rename it whole. */
static void give_birth(void)
{
    static const char *const files[] = { "data.mdb", "lock.mdb" };
    char path[128];
    mkdir(beside, 0700);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", beside, files[i]);
        unlink(path);
    }
    MDB_env *env = env_open(beside);
    ASSERT(env != NULL && mdb_env_sync(env, 1) == 0);
    mdb_env_close(env);
    sync_dir(beside);
    ASSERT(rename(beside, place) == 0);
    sync_dir(data);
}

static void find_or_make(const struct plan *plan)
{
    if (access(place, F_OK) == 0)
        return;
    if (!plan->is_born_in_place) {
        give_birth();
        return;
    }
    mkdir(place, 0700);
    mdb_env_close(env_open(place));
    if (!plan->skips_dir_sync) {
        sync_dir(place);
        sync_dir(data);
    }
}

static bool rewrite_metas(int fd, size_t size)
{
    static uint8_t pages[2 * 4096];
    return pread(fd, pages, size, 0) == (ssize_t)size &&
           pwrite(fd, pages, size, 0) == (ssize_t)size && fdatasync(fd) == 0;
}

/* To be done while the environment is closed. */
static void settle(enum remedy remedy)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", place);
    int fd = open(path, O_RDWR);
    if (remedy == FLUSH)
        fdatasync(fd);
    while (remedy == SETTLE && !rewrite_metas(fd, 2 * 4096))
        ;
    close(fd);
}

static MDB_env *open_and_believe(const struct plan *plan)
{
    settle(plan->remedy);
    MDB_env *env = env_open(place);
    ASSERT(env != NULL);
    told->believed = last_in(env);
    return env;
}

/* A commit has failed: what is there is the truth. */
static MDB_env *reopen(MDB_env *env, const struct plan *plan)
{
    told->failures++;
    mdb_env_close(env);
    if (plan->has_room_limit)
        disk_set_room(DISK_ROOM_UNLIMITED);
    return open_and_believe(plan);
}

static void run(const struct plan *plan)
{
    find_or_make(plan);
    MDB_env *env = open_and_believe(plan);
    while (last_in(env) < (plan->last > 0 ? plan->last : LAST)) {
        told->tried = last_in(env) + 1;
        told->nonces[told->tried] = ++told->nonce;
        if (commit(env, told->tried, told->nonce) == 0)
            told->acked = told->tried;
        else
            env = reopen(env, plan);
    }
    mdb_env_close(env);
}

static void live(const struct plan *plan)
{
    disk_start(data, journal, plan->seed);
    disk_crash_at(plan->crash_at);
    disk_lie_about_flush(plan->is_lying);
    disk_fail_next(plan->fault, plan->fault_skip, plan->fault_count, plan->fault_error);
    if (plan->has_room_limit)
        disk_set_room(32768 + 4096 * (dice_roll(plan->seed, 0, 3) % 16) + 512);
    run(plan);
    told->calls = disk_calls();
    _exit(0);
}

/* The machine did not stop; the power is cut when the second life has read the end. */
static void live_again(const struct plan *plan)
{
    disk_recover(data, journal, 0, false);
    disk_start(data, journal, plan->seed);
    find_or_make(plan);
    open_and_believe(plan);
    disk_crash();
}

static int wait_for(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Without cmocka's signal handlers, which would go on with the parent's tests: reading a
 * ruined environment may end in a signal. */
static int in_child(void (*body)(const struct plan *), const struct plan *plan)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        body(plan);
        _exit(0);
    }
    return wait_for(child);
}

static void recover_and_inspect(const struct plan *plan)
{
    disk_recover(data, journal, dice_roll(plan->seed, 0, 4), plan->is_power_cut);
    _exit((int)inspect());
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat, (void)type, (void)at;
    return remove(path);
}

static void fresh_dirs(void)
{
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(base, 0700) | mkdir(data, 0700) | mkdir(journal, 0700), 0);
    memset(told, 0, sizeof *told);
}

static enum verdict life_and_verdict(const struct plan *plan)
{
    fresh_dirs();
    int status = in_child(live, plan);
    assert_true(status == 0 || status == DISK_CRASH_STATUS);
    if (plan->is_reborn)
        assert_int_equal(in_child(live_again, plan), DISK_CRASH_STATUS);
    int verdict = in_child(recover_and_inspect, plan);
    return verdict >= 0 && verdict <= UNREADABLE ? (enum verdict)verdict : UNREADABLE;
}

static uint64_t calls_of(struct plan plan)
{
    plan.crash_at = DISK_NEVER;
    life_and_verdict(&plan);
    return told->calls;
}

struct tally {
    unsigned lives, counts[UNREADABLE + 1], failures;
};

/* Crash at the calls of the run that `plan` describes, with `seeds` seeds each. */
static struct tally crash_everywhere(struct plan plan, unsigned seeds)
{
    struct tally tally = { 0 };
    uint64_t last = calls_of(plan);
    for (uint64_t call = 1; call <= last; call += CALL_STEP) {
        for (unsigned i = 0; i < seeds; i++) {
            plan.crash_at = call;
            plan.seed++;
            tally.counts[life_and_verdict(&plan)]++;
            tally.failures += told->failures > 0;
            tally.lives++;
        }
    }
    print_message("%u lives: %u whole, %u lost a commit, %u mixed, %u unreadable\n", tally.lives,
                  tally.counts[WHOLE], tally.counts[LOST_COMMIT], tally.counts[MIXED],
                  tally.counts[UNREADABLE]);
    return tally;
}

/* More than `least` lives met what is to be found; where few live, none may. */
static void assert_found(unsigned count, unsigned least)
{
    assert_true(CALL_STEP > 1 || count > least);
}

static void assert_survives(struct plan plan, unsigned seeds)
{
    struct tally tally = crash_everywhere(plan, seeds);
    assert_true(tally.lives > 80 / CALL_STEP);
    assert_int_equal(tally.counts[WHOLE], tally.lives);
}

/* -- What LMDB survives ------------------------------------- */

static void a_commit_survives_a_power_cut_at_any_call(void **state)
{
    (void)state;
    assert_survives((struct plan){ .seed = 1, .is_power_cut = true }, 6);
}

static void a_commit_survives_the_death_of_the_process_at_any_call(void **state)
{
    (void)state;
    assert_survives((struct plan){ .seed = 1 }, 2);
}

/* The flushes: one that makes the environment, two of directories, then one a commit. */
static void a_failed_flush_costs_its_own_commit_only(void **state)
{
    (void)state;
    for (unsigned skip = 4; skip < 16; skip += 5) {
        assert_survives((struct plan){ .seed = 100 * skip,
                                       .last = 18,
                                       .is_power_cut = true,
                                       .fault = DISK_FAULT_FLUSH,
                                       .fault_skip = skip,
                                       .fault_count = 2,
                                       .fault_error = EIO },
                        2);
    }
}

static void a_full_disk_costs_only_the_commits_that_did_not_fit(void **state)
{
    (void)state;
    struct plan plan = { .seed = 1, .last = 20, .is_power_cut = true, .has_room_limit = true };
    struct tally tally = crash_everywhere(plan, 3);
    assert_int_equal(tally.counts[WHOLE], tally.lives);
    assert_true(tally.failures > tally.lives / 2);
}

static void a_short_write_costs_its_own_commit_only(void **state)
{
    (void)state;
    assert_survives((struct plan){ .seed = 1,
                                   .last = 15,
                                   .is_power_cut = true,
                                   .fault = DISK_FAULT_SHORT,
                                   .fault_skip = 20,
                                   .fault_count = 1 },
                    2);
}

/* -- What it does not survive, and the remedy ------------------------------------- */

/* Fail one write of the run after another, whatever it is: some are of a meta page. */
static struct tally fail_writes(enum remedy remedy, unsigned count)
{
    struct tally sum = { 0 };
    for (unsigned skip = 13; skip < 17; skip++) {
        struct plan plan = { .seed = 1000 * skip,
                             .last = 7,
                             .is_power_cut = true,
                             .remedy = remedy,
                             .fault = DISK_FAULT_WRITE,
                             .fault_skip = skip,
                             .fault_count = count,
                             .fault_error = EIO };
        struct tally tally = crash_everywhere(plan, 5);
        for (unsigned i = 0; i <= UNREADABLE; i++)
            sum.counts[i] += tally.counts[i];
        sum.lives += tally.lives;
    }
    return sum;
}

/* LMDB puts the old meta page back into the page cache, but not on the platter, where the
 * new one may stand while the next try overwrites the pages it points to. */
static void a_failed_meta_write_needs_settling_before_the_next_commit(void **state)
{
    (void)state;
    assert_found(fail_writes(TRUST, 1).counts[MIXED], 0);
    struct tally tally = fail_writes(SETTLE, 1);
    assert_int_equal(tally.counts[WHOLE], tally.lives);
}

/* If putting it back fails as well, the failed commit is read back as the truth although
 * the platter has never seen it, and no flush will write what the system takes for clean. */
static void what_is_read_back_after_a_failed_commit_needs_settling(void **state)
{
    (void)state;
    assert_found(fail_writes(FLUSH, 2).counts[LOST_COMMIT], 0);
    struct tally tally = fail_writes(SETTLE, 2);
    assert_int_equal(tally.counts[WHOLE], tally.lives);
}

/* Killed between the page cache and the platter: the next life sees the commit. */
static void what_a_new_life_reads_needs_settling(void **state)
{
    (void)state;
    struct plan plan = { .seed = 1, .last = 20, .is_power_cut = true, .is_reborn = true };
    assert_found(crash_everywhere(plan, 6).counts[LOST_COMMIT], 0);
    plan.remedy = SETTLE;
    assert_survives(plan, 6);
}

static void an_environment_needs_to_be_born_beside_its_place(void **state)
{
    (void)state;
    struct plan plan = { .seed = 1, .last = 2, .is_power_cut = true, .is_born_in_place = true };
    assert_found(crash_everywhere(plan, 20).counts[UNREADABLE], 0);
}

/* -- What the simulator must find ------------------------------------- */

static void a_disk_that_lies_about_flushes_is_found_out(void **state)
{
    (void)state;
    struct plan plan = { .seed = 1, .last = 15, .is_power_cut = true, .is_lying = true };
    struct tally tally = crash_everywhere(plan, 2);
    assert_found(tally.counts[LOST_COMMIT], 10);
    assert_found(tally.counts[MIXED], 10);
}

static void a_forgotten_flush_of_the_directory_is_found_out(void **state)
{
    (void)state;
    struct plan plan = {
        .seed = 1, .last = 5, .is_power_cut = true, .is_born_in_place = true, .skips_dir_sync = true
    };
    struct tally tally = crash_everywhere(plan, 3);
    assert_found(tally.counts[LOST_COMMIT], 10);
}

static int remove_dirs(void **state)
{
    (void)state;
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

int main(void)
{
    snprintf(base, sizeof base, "/dev/shm/kith-disk-lmdb-%d", (int)getpid());
    snprintf(data, sizeof data, "%s/data", base);
    snprintf(journal, sizeof journal, "%s/journal", base);
    snprintf(place, sizeof place, "%s/env", data);
    snprintf(beside, sizeof beside, "%s/new", data);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(told != MAP_FAILED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_survives_a_power_cut_at_any_call),
        cmocka_unit_test(a_commit_survives_the_death_of_the_process_at_any_call),
        cmocka_unit_test(a_failed_flush_costs_its_own_commit_only),
        cmocka_unit_test(a_full_disk_costs_only_the_commits_that_did_not_fit),
        cmocka_unit_test(a_short_write_costs_its_own_commit_only),
        cmocka_unit_test(a_failed_meta_write_needs_settling_before_the_next_commit),
        cmocka_unit_test(what_is_read_back_after_a_failed_commit_needs_settling),
        cmocka_unit_test(what_a_new_life_reads_needs_settling),
        cmocka_unit_test(an_environment_needs_to_be_born_beside_its_place),
        cmocka_unit_test(a_disk_that_lies_about_flushes_is_found_out),
        cmocka_unit_test(a_forgotten_flush_of_the_directory_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, remove_dirs);
}
