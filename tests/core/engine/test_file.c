/* test_file.c -- files belong to the customers whose events name them. */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/limits.h"

#define A "a0000000000000000000000000000000000000000000000000000000000000aa"
#define B "b0000000000000000000000000000000000000000000000000000000000000bb"

static struct key owners_of(const char *hex)
{
    struct key key;
    uint8_t hash[DIGEST_32_BYTES];
    assert_true(hex_decode(hex, strlen(hex), hash, sizeof hash));
    key_start(&key, 'F');
    for (size_t i = 0; i < sizeof hash; i++)
        key_byte(&key, hash[i]);
    return key;
}

static size_t count_owners(struct play *play, const char *hex)
{
    struct key key = owners_of(hex);
    return play_count(play, &key);
}

static size_t count_files(struct play *play, uint64_t customer)
{
    struct key key;
    key_customer(&key, customer, 'F');
    return play_count(play, &key);
}

static size_t count_forgotten(struct play *play)
{
    struct key key;
    key_start(&key, 'G');
    return play_count(play, &key);
}

static void an_event_gives_its_customer_the_files_that_it_names(void **arg)
{
    struct play *play = *arg;
    play_track(play, "ann", "Photo", "{'files':['" A "',{'hash':'" B "','name':'x.pdf'}]}");
    play_track(play, "bea", "Photo", "{'files':['" A "']}");
    uint64_t ann = play_customer(play, "user_id:ann"), bea = play_customer(play, "user_id:bea");
    assert_int_equal(count_owners(play, A), 2);
    assert_int_equal(count_owners(play, B), 1);
    assert_int_equal(count_files(play, ann), 2);
    assert_int_equal(count_files(play, bea), 1);
}

static void each_entry_names_a_file_once(void **arg)
{
    struct play *play = *arg;
    play_track(play, "ann", "Photo", "{'files':['" A "','" A "']}");
    assert_int_equal(count_files(play, play_customer(play, "user_id:ann")), 1);
    play_track(play, "ann", "Photo", "{'files':['" A "']}");
    assert_int_equal(count_files(play, play_customer(play, "user_id:ann")), 2);
    assert_int_equal(count_owners(play, A), 2);
}

static void what_is_no_hash_names_no_file(void **arg)
{
    struct play *play = *arg;
    play_track(play, "ann", "Photo", "{'files':['x',5,{'hash':7},[],null,'" A "0']}");
    play_track(play, "ann", "Photo", "{'files':'" A "'}");
    play_track(play, "ann", "Photo", "{'other':['" A "']}");
    assert_int_equal(count_files(play, play_customer(play, "user_id:ann")), 0);
}

static void an_event_of_nobody_keeps_its_file_too(void **arg)
{
    struct play *play = *arg;
    play_entry(play, LOG_STAFF, "{'type':'Scan','data':{'files':['" A "']}}");
    assert_int_equal(count_owners(play, A), 1);
    assert_int_equal(count_files(play, 0), 1);
}

static void a_second_copy_of_an_event_names_nothing(void **arg)
{
    struct play *play = *arg;
    play_entry(play, LOG_CLIENT, "{'id':'1','type':'X','user':'ann','source':'web'}");
    play_entry(play, LOG_CLIENT,
               "{'id':'1','type':'X','user':'ann','source':'web','data':{'files':['" A "']}}");
    assert_int_equal(count_owners(play, A), 0);
}

static void more_files_than_an_event_may_name_are_told_of(void **arg)
{
    struct play *play = *arg;
    struct buf data = BUF_INIT;
    buf_text(&data, "{'files':[");
    for (int i = 0; i <= EVENT_FILES_MAX; i++)
        buf_printf(&data, "%s'%064x'", i > 0 ? "," : "", i + 1);
    buf_text(&data, "]}");
    uint64_t seq = play_track(play, "ann", "Photo", buf_string(&data));
    uint64_t ann = play_customer(play, "user_id:ann");
    assert_int_equal(count_files(play, ann), EVENT_FILES_MAX);
    assert_has(play_timeline(play, ann, seq, 0), "only the first 64 files");
    buf_deinit(&data);
}

static void a_file_is_forgotten_with_the_last_entry_that_names_it_and_not_before(void **arg)
{
    struct play *play = *arg;
    uint64_t seqs[] = {
        play_track(play, "ann", "Photo", "{'files':['" A "']}"),
        play_track(play, "bea", "Photo", "{'files':['" A "']}"),
        play_track(play, "bea", "Photo", "{'files':['" A "']}"),
    };
    uint64_t ann = play_customer(play, "user_id:ann"), bea = play_customer(play, "user_id:bea");
    state_save(play->state); /* the log does not say so: undone before it is folded again */
    file_forget(play->engine, ann, ann, seqs[0]);
    assert_int_equal(count_owners(play, A), 2);
    assert_int_equal(count_files(play, ann), 0);
    file_forget(play->engine, ann, bea, seqs[1]); /* one that the rules of ann sent to her */
    assert_int_equal(count_files(play, bea), 1);
    assert_int_equal(count_forgotten(play), 0);
    file_forget(play->engine, bea, bea, seqs[2]);
    assert_int_equal(count_owners(play, A), 0);
    assert_int_equal(count_forgotten(play), 1);
    file_forgotten(play->engine, ann);
    assert_int_equal(count_forgotten(play), 1);
    file_forgotten(play->engine, bea);
    assert_int_equal(count_forgotten(play), 0);
    state_undo(play->state);
}

int main(void)
{
#define PLAY(test) cmocka_unit_test_setup_teardown(test, play_setup, play_teardown)
    const struct CMUnitTest tests[] = {
        PLAY(an_event_gives_its_customer_the_files_that_it_names),
        PLAY(each_entry_names_a_file_once),
        PLAY(what_is_no_hash_names_no_file),
        PLAY(an_event_of_nobody_keeps_its_file_too),
        PLAY(a_second_copy_of_an_event_names_nothing),
        PLAY(more_files_than_an_event_may_name_are_told_of),
        PLAY(a_file_is_forgotten_with_the_last_entry_that_names_it_and_not_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
