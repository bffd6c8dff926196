/* test_purge.c -- after erase.done nothing of the customer is in any file of the data. */
#include "tests/core/engine/house_fixture.h"

#include "core/base/mem.h"
#include "core/script/host.h"
#include "core/server/purge.h"
#include "core/server/refold.h"
#include "core/server/world_log.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "Xanthippe-7f3a"
#define ANN 51 /* their numbers */
#define U1 2

static const char rules[] =
    "rule 'order' { on = 'order', run = function(event, customer)\n"
    "  customer:set('said', event.secret)\n"
    "  send { channel = 'mail', purpose = 'service', body = 'to ' .. event.secret }\n"
    "  remind { title = 'call ' .. event.secret, to = 'anna', due = '1d' }\n"
    "end }";

/* Whatever the threads would do, a step of each in turn, until nobody has had anything to do for a
 * while. */
static void settle(struct house *house)
{
    struct fold *fold = node_fold(house->node);
    struct err err;
    for (int idle = 0; idle < 4; idle++) {
        bool was_any = sequencer_step(node_sequencer(house->node));
        was_any = fold_step(fold) || was_any;
        was_any = node_step_loop(house->node) || was_any;
        fold_freeze_if_wanted(fold, true);
        fold_checkpoint(fold, &err);
        was_any = fold_do_chore(fold) || was_any;
        int64_t wait = node_tick(house->node);
        if (!was_any && wait >= 0 && wait < 1000) {
            house->now += wait;
            was_any = true;
        }
        idle = was_any ? -1 : idle;
    }
}

static void make(struct house *house)
{
    house_deploy(house, rules);
    for (int i = 0; i < 50; i++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", i);
        house_identify(house, user, "{'name':'somebody'}");
    }
    house_identify(house, "ann", "{'name':'" SECRET "'}");
    house_track(house, "ann", "order", "{'secret':'" SECRET "'}");
    house_track(house, "u7", "order", "{'secret':'roses'}");
    settle(house);
}

static bool file_has(const char *path, const char *part)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct buf bytes = BUF_INIT;
    char chunk[4096];
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(&bytes, chunk, got);
    fclose(file);
    bool has = bytes.size != 0 && memmem(bytes.data, bytes.size, part, strlen(part)) != NULL;
    buf_deinit(&bytes);
    return has;
}

/* In how many files under the directory the words stand, as they are. */
static int files_with(const char *dir, const char *part)
{
    DIR *entries = opendir(dir);
    struct dirent *entry;
    int count = 0;
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        char path[512];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        assert_int_equal(stat(path, &status), 0);
        count += S_ISDIR(status.st_mode) ? files_with(path, part) : file_has(path, part);
    }
    closedir(entries);
    return count;
}

static int see(void *arg, const struct log_entry *entry)
{
    int *found = arg;
    *found += entry->size != 0 && memmem(entry->body, entry->size, SECRET, strlen(SECRET)) != NULL;
    return 0;
}

/* Blocks may be compressed: what the log gives to a reader. */
static int entries_with_secret(struct house *house)
{
    int found = 0;
    assert_int_equal(log_read(node_log(house->node), 1, SIZE_MAX, see, &found, NULL, &house->err),
                     0);
    return found;
}

static struct base floor_now(struct house *house)
{
    struct base base, floor;
    assert_int_equal(world_base(node_log(house->node), &base, &floor, &house->err), 0);
    return floor;
}

static bool is_erasing(struct house *house, uint64_t customer)
{
    struct key key;
    struct bytes row;
    key_start(&key, 'z');
    key_number(&key, customer);
    return state_get(node_state(house->node), &key, &row);
}

static void nothing_is_left_in_any_file(void **arg)
{
    struct house *house = *arg;
    make(house);
    assert_true(files_with(house->dir, SECRET) > 0);
    assert_true(entries_with_secret(house) > 0);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    assert_false(is_erasing(house, ANN));
    assert_int_equal(entries_with_secret(house), 0);
    assert_int_equal(files_with(house->dir, SECRET), 0);
    assert_int_equal(log_verify(node_log(house->node), NULL, NULL, &house->err), 0);
}

static void the_state_is_made_anew_from_behind_what_was_erased(void **arg)
{
    struct house *house = *arg;
    uint8_t before[16], after[16];
    struct snapshot *snapshot;
    char path[128];
    make(house);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    house_identify(house, "ann", "{'name':'new'}");
    settle(house);
    snapshot = house_snapshot(house);
    snapshot_hash(snapshot, before);
    snapshot_close(snapshot);
    struct base floor = floor_now(house);
    assert_true(floor.seq > 0);

    struct state *state = NULL;
    uint64_t end;
    int64_t logged;
    log_end(node_log(house->node), &end, &logged);
    snprintf(path, sizeof path, "%s/fresh", house->dir);
    mkdir(path, 0700);
    struct state_options options = { .dir = path, .map_bytes = (size_t)1 << 28 };
    assert_int_equal(state_open(&options, &state, &house->err), 0);
    assert_int_equal(base_load(house->dir, &floor, state, &house->err), 0);
    struct refold_options fold = {
        .log = node_log(house->node), .state = state, .seq = end, .load_rules = script_load
    };
    assert_int_equal(refold(&fold, &house->err), 0);
    assert_int_equal(snapshot_open(state, &snapshot, &house->err), 0);
    snapshot_hash(snapshot, after);
    snapshot_close(snapshot);
    state_close(state);
    assert_memory_equal(before, after, sizeof before);
}

static void a_rebuild_begins_behind_what_was_erased(void **arg)
{
    struct house *house = *arg;
    make(house);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    house->rebuild = true;
    house_reopen(house);
    house->rebuild = false;
    settle(house);
    assert_int_equal(read_exists(house->engine, text_of("user_id:u7"), &house->err), 0);
    assert_int_equal(read_customer(house->engine, text_of("51"), &house->out, &house->err),
                     E_NOTFOUND);
    assert_true(floor_now(house).seq > 0);
}

static void a_state_from_before_is_refused(void **arg)
{
    struct house *house = *arg;
    char command[512];
    make(house);
    node_close(house->node);
    snprintf(command, sizeof command, "cp -r %s/state %s/old", house->dir, house->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(house_open(house), 0);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    node_close(house->node);
    snprintf(command, sizeof command, "rm -r %s/state && mv %s/old %s/state", house->dir,
             house->dir, house->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(house_open(house), E_CONFLICT);
    assert_in(house->err.text, "were erased");
    snprintf(command, sizeof command, "rm -r %s/state", house->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(house_open(house), 0);
    settle(house);
    assert_int_equal(read_exists(house->engine, text_of("user_id:u7"), &house->err), 0);
}

static void whoever_is_erased_soon_after_waits_and_is_then_erased(void **arg)
{
    struct house *house = *arg;
    make(house);
    house_command(house, "erase.requested", "user_id:u1", "{}");
    settle(house);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    assert_true(is_erasing(house, ANN));
    assert_int_equal(read_exists(house->engine, text_of("user_id:ann"), &house->err), E_NOTFOUND);
    house->now += 3600 * 1000;
    settle(house);
    assert_false(is_erasing(house, ANN));
    assert_int_equal(files_with(house->dir, SECRET), 0);
}

static void on_requested(void *arg, const struct submission *submission)
{
    (void)arg;
    assert_int_equal(submission->code, 0);
}

/* Not applied yet, nor any of the ticks that take the rows. */
static void request_erasure(struct house *house, const char *ref)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "erase.requested");
    doc_put_string(&w, "ref", ref);
    doc_put_string(&w, "source", "desk");
    doc_put_string(&w, "by", "anna");
    submission_end(submission, &w);
    submission->done = on_requested;
    sequencer_post_own(node_sequencer(house->node), submission);
}

static void whoever_has_more_rows_is_waited_for_and_goes_in_the_same_purge(void **arg)
{
    struct house *house = *arg;
    node_close(house->node);
    house->world_config = "{'zone':'Europe/Berlin','country':'DE','fallback':'desk',"
                          "'channels':{'mail':{}},'limits':{'erase_per_tick':2}}";
    assert_int_equal(house_open(house), 0);
    make(house);
    for (int i = 0; i < 20; i++)
        house_entry(house, LOG_CLIENT, "{'type':'visit','call':'track','user':'ann'}");
    request_erasure(house, "user_id:u1");
    request_erasure(house, "user_id:ann");
    settle(house); /* which does not pass the hour until the next purge */
    assert_int_equal(read_exists(house->engine, text_of("user_id:ann"), &house->err), E_NOTFOUND);
    assert_int_equal(read_exists(house->engine, text_of("user_id:u1"), &house->err), E_NOTFOUND);
    assert_false(is_erasing(house, ANN));
    assert_false(is_erasing(house, U1));
    assert_int_equal(files_with(house->dir, SECRET), 0);
}

static void a_start_goes_on_with_it(void **arg)
{
    struct house *house = *arg;
    make(house);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    for (int i = 0; i < 30; i++) { /* some of its phases */
        struct err err;
        sequencer_step(node_sequencer(house->node));
        fold_step(node_fold(house->node));
        fold_freeze_if_wanted(node_fold(house->node), true);
        fold_checkpoint(node_fold(house->node), &err);
        if (i % 3 == 0)
            node_step_loop(house->node);
        if (i % 10 == 9)
            house_reopen(house);
    }
    settle(house);
    assert_false(is_erasing(house, ANN));
    assert_int_equal(files_with(house->dir, SECRET), 0);
}

static void none_begins_while_it_is_held(void **arg)
{
    struct house *house = *arg;
    make(house);
    assert_true(purge_hold(node_purge(house->node)));
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    assert_true(is_erasing(house, ANN));
    purge_release(node_purge(house->node));
    node_tick(house->node);
    assert_false(purge_hold(node_purge(house->node)));
    settle(house);
    assert_false(is_erasing(house, ANN));
}

static void what_is_kept_besides_goes_before_she_counts_as_erased(void **arg)
{
    struct house *house = *arg;
    make(house);
    house->forget_code = E_IO;
    house_command(house, "erase.requested", "user_id:ann", "{}");
    settle(house);
    assert_true(house->forgets > 1); /* when her rows were gone, and at the end */
    assert_true(is_erasing(house, ANN));
    house->forget_code = 0;
    house->now += 60 * 1000;
    settle(house);
    assert_false(is_erasing(house, ANN));
}

static void a_snapshot_is_waited_for(void **arg)
{
    struct house *house = *arg;
    struct err err;
    make(house);
    struct snapshot *snapshot = house_snapshot(house);
    house_command(house, "erase.requested", "user_id:ann", "{}");
    for (int i = 0; i < 200; i++) {
        sequencer_step(node_sequencer(house->node));
        fold_step(node_fold(house->node));
        node_step_loop(house->node);
        fold_freeze_if_wanted(node_fold(house->node), true);
        fold_checkpoint(node_fold(house->node), &err);
        fold_do_chore(node_fold(house->node));
        node_tick(house->node);
        house->now += 50;
    }
    assert_true(is_erasing(house, ANN));
    snapshot_close(snapshot);
    settle(house);
    assert_false(is_erasing(house, ANN));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_left_in_any_file),
        TEST(the_state_is_made_anew_from_behind_what_was_erased),
        TEST(a_rebuild_begins_behind_what_was_erased),
        TEST(a_state_from_before_is_refused),
        TEST(whoever_is_erased_soon_after_waits_and_is_then_erased),
        TEST(whoever_has_more_rows_is_waited_for_and_goes_in_the_same_purge),
        TEST(a_start_goes_on_with_it),
        TEST(none_begins_while_it_is_held),
        TEST(what_is_kept_besides_goes_before_she_counts_as_erased),
        TEST(a_snapshot_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
