/* test_world_log.c -- what a start writes when code or config are new, and where a state begins. */
#include "core/server/world_log.h"

#include "core/base/err.h"
#include "tests/core/engine/house_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char other_config[] = "{'zone':'UTC','country':'DE','fallback':'desk',"
                                   "'channels':{'mail':{}}}";

static uint64_t end_of(struct house *house)
{
    uint64_t seq;
    int64_t logged;
    log_end(node_log(house->node), &seq, &logged);
    return seq;
}

/* The entry of the world under which the next entry is folded. */
static uint64_t last_world(struct house *house)
{
    return log_world_of(node_log(house->node), end_of(house) + 1);
}

static struct base base_now(struct house *house)
{
    struct base base, floor;
    assert_int_equal(world_base(node_log(house->node), &base, &floor, &house->err), 0);
    return base;
}

/* How many files lie in the folder `name` of the data; removed if `is_removed`. */
static int files(struct house *house, const char *name, bool is_removed)
{
    char path[128];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", house->dir, name);
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (is_removed)
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

static void hash_of(struct house *house, uint8_t out_hash[16])
{
    struct snapshot *snapshot = house_snapshot(house);
    snapshot_hash(snapshot, out_hash);
    snapshot_close(snapshot);
}

static uint64_t applied_by(struct house *house)
{
    uint64_t seq;
    int64_t logged;
    state_applied(node_state(house->node), &seq, &logged);
    return seq;
}

/* A house whose customer u1 was made by older code, which is then replaced. */
static struct base with_new_code(struct house *house)
{
    house_identify(house, "u1", "{'name':'Ann'}");
    house->world_code = "{'level':2}";
    house_reopen(house);
    return base_now(house);
}

static void close_without_state(struct house *house)
{
    node_close(house->node);
    house->node = NULL;
    assert_true(files(house, "state", true) > 0);
}

static void the_first_start_writes_a_world_and_keeps_nothing(void **state)
{
    struct house *house = *state;
    assert_int_equal(last_world(house), 1);
    assert_int_equal(base_now(house).seq, 0);
    assert_int_equal(files(house, "base", false), 0);
}

static void an_equal_world_is_not_written_again(void **state)
{
    struct house *house = *state;
    uint64_t end = end_of(house);
    house_reopen(house);
    assert_int_equal(last_world(house), 1);
    assert_int_equal(end_of(house), end + 1); /* daemon.started */
}

static void a_new_config_counts_from_its_own_entry_on(void **state)
{
    struct house *house = *state;
    uint64_t end = end_of(house);
    house->world_config = other_config;
    house_reopen(house);
    assert_int_equal(last_world(house), end + 1);
    assert_int_equal(log_world_of(node_log(house->node), end), 1);
    assert_int_equal(base_now(house).seq, 0);
}

static void new_code_keeps_the_state_that_older_code_made(void **state)
{
    struct house *house = *state;
    uint8_t before[16];
    house_identify(house, "u0", "{}");
    hash_of(house, before);
    uint64_t end = end_of(house);
    house->world_code = "{'level':2}";
    house_reopen(house);
    struct base base = base_now(house);
    assert_int_equal(base.seq, end);
    assert_memory_equal(base.hash, before, sizeof before);
    assert_int_equal(last_world(house), end + 1);
    assert_int_equal(files(house, "base", false), 1);
    house->world_config = other_config; /* the base is carried on */
    house_reopen(house);
    assert_int_equal(base_now(house).seq, end);
    assert_int_equal(files(house, "base", false), 1);
}

static void a_state_that_was_deleted_begins_at_the_base(void **state)
{
    struct house *house = *state;
    uint8_t before[16], after[16];
    struct base base = with_new_code(house);
    house_identify(house, "u2", "{'name':'Bob'}");
    hash_of(house, before);
    uint64_t end = end_of(house);
    close_without_state(house);
    assert_int_equal(house_open(house), 0);
    assert_int_equal(applied_by(house), base.seq);
    assert_int_equal(fold_catch_up(node_fold(house->node), end, &house->err), 0);
    hash_of(house, after);
    assert_memory_equal(before, after, sizeof before);
}

static void assert_refused(struct house *house, const char *words)
{
    assert_int_not_equal(house_open(house), 0);
    if (strstr(house->err.text, words) == NULL ||
        strstr(house->err.text, "; put the file back, or start with --rebuild") == NULL)
        fail_msg("%s", house->err.text);
}

static void a_base_that_is_missing_or_changed_is_refused_until_a_rebuild(void **state)
{
    struct house *house = *state;
    char path[128], kept[140];
    struct base base = with_new_code(house);
    snprintf(path, sizeof path, "%s/base/%llu", house->dir, (unsigned long long)base.seq);
    snprintf(kept, sizeof kept, "%s.kept", path);
    close_without_state(house);
    assert_int_equal(rename(path, kept), 0);
    assert_refused(house, "No such file");
    assert_int_equal(rename(kept, path), 0);
    FILE *file = fopen(path, "r+");
    fseek(file, 200, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, 200, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    assert_refused(house, path);
    house->rebuild = true;
    assert_int_equal(house_open(house), 0);
}

static void a_rebuild_begins_at_nothing_and_folds_all_by_this_code(void **state)
{
    struct house *house = *state;
    with_new_code(house);
    house->rebuild = true;
    node_close(house->node);
    assert_int_equal(house_open(house), 0);
    assert_int_equal(applied_by(house), 0);
    assert_int_equal(base_now(house).seq, 0);
    assert_int_equal(log_world_of(node_log(house->node), 1), last_world(house));
    assert_int_equal(files(house, "base", false), 0);
    house->rebuild = false;
    house_reopen(house);
    assert_int_equal(read_customer(house->engine, text_of("user_id:u1"), &house->out, &house->err),
                     0);
}

static void bases_of_older_code_are_swept(void **state)
{
    struct house *house = *state;
    struct base first = with_new_code(house);
    house->world_code = "{'level':3}";
    house_reopen(house);
    assert_true(base_now(house).seq > first.seq);
    assert_int_equal(files(house, "base", false), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_start_writes_a_world_and_keeps_nothing),
        TEST(an_equal_world_is_not_written_again),
        TEST(a_new_config_counts_from_its_own_entry_on),
        TEST(new_code_keeps_the_state_that_older_code_made),
        TEST(a_state_that_was_deleted_begins_at_the_base),
        TEST(a_base_that_is_missing_or_changed_is_refused_until_a_rebuild),
        TEST(a_rebuild_begins_at_nothing_and_folds_all_by_this_code),
        TEST(bases_of_older_code_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
