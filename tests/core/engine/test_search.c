/* test_search.c -- how the index of search.h is kept: rows come and go with what they are of. */
#include "tests/core/engine/engine_fixture.h"

static size_t rows(struct play *play)
{
    struct key prefix;
    key_start(&prefix, 'f');
    return play_count(play, &prefix);
}

static size_t rows_of(struct play *play, enum search_kind kind, const char *term)
{
    struct key prefix;
    key_search(&prefix, kind, text_of(term));
    return play_count(play, &prefix);
}

static const char *forms(struct play *play, uint64_t customer)
{
    struct key key;
    key_customer(&key, customer, 'f');
    return play_row(play, &key);
}

static void a_name_is_found_from_each_of_its_words_on(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'name':'Anna Maria Schmidt'}");
    assert_string_equal(forms(play, 1), "{'n':['anna maria schmidt']}");
    assert_int_equal(rows_of(play, SEARCH_NAME, "anna maria schmidt"), 1);
    assert_int_equal(rows_of(play, SEARCH_WORD, "maria schmidt anna"), 1);
    assert_int_equal(rows_of(play, SEARCH_WORD, "schmidt anna maria"), 1);
    assert_int_equal(rows_of(play, SEARCH_WORD, ""), 2);
    play_track(play, "u2", "Visit", NULL);
    assert_string_equal(forms(play, 2), ""); /* who has but a user_id costs nothing here */
    play_entry(play, LOG_CLIENT,
               "{'type':'group','call':'group','user':'u2',"
               "'data':{'groupId':'K-47','traits':{'name':'Acme'}}}");
    assert_string_equal(forms(play, 3), "{'n':['acme'],'i':['k-47']}");
    assert_int_equal(rows_of(play, SEARCH_ID, "k-47"), 1);
}

static void a_chinese_name_is_found_by_characters_reading_and_initials(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'name':'王小明'}");
    assert_string_equal(forms(play, 1), "{'n':['王小明'],'r':['wang xiao ming']}");
    assert_int_equal(rows_of(play, SEARCH_NAME, "王小明"), 1);
    assert_int_equal(rows_of(play, SEARCH_WORD, "小明"), 1);
    assert_int_equal(rows_of(play, SEARCH_WORD, "明"), 1);
    assert_int_equal(rows_of(play, SEARCH_NAME, "wangxiaoming"), 1);
    assert_int_equal(rows_of(play, SEARCH_WORD, "xiaomingwang"), 1);
    assert_int_equal(rows_of(play, SEARCH_INITIALS, "wxm"), 1);
    assert_int_equal(rows_of(play, SEARCH_INITIALS, "xm"), 1);
    assert_int_equal(rows_of(play, SEARCH_PART, ""), 0);
}

static void numbers_and_addresses_are_found_by_their_ends_and_parts(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':'Ann.Lee@Example.com','phone':'030 901820'}");
    assert_string_equal(forms(play, 1), "{'p':['4930901820'],'e':['ann.lee@example.com']}");
    assert_int_equal(rows_of(play, SEARCH_PHONE, "0281"), 1);
    assert_int_equal(rows_of(play, SEARCH_EMAIL, "ann.lee@example.com"), 1);
    assert_int_equal(rows_of(play, SEARCH_EMAIL, "lee@example.com"), 1);
    assert_int_equal(rows_of(play, SEARCH_EMAIL, "example.com"), 1);
    assert_int_equal(rows_of(play, SEARCH_EMAIL, ""), 3);
    play_command(play, "address.changed", "1", "{'channel':'sms','value':'+4917155544433'}");
    assert_int_equal(rows_of(play, SEARCH_PHONE, "334445551"), 1);
}

static void what_changes_leaves_no_row_behind(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    size_t before = rows(play);
    play_identify(play, "u1", "{'name':'Größe Schmidt','company':{'name':'Goldschmidt'}}");
    assert_true(rows(play) > before + 6);
    play_identify(play, "u1", "{'name':'王','company':'李'}");
    assert_int_equal(rows_of(play, SEARCH_NAME, "grosse"), 0);
    assert_int_equal(rows_of(play, SEARCH_NAME, "groesse"), 0);
    assert_int_equal(rows_of(play, SEARCH_PART, ""), 0);
    assert_int_equal(rows_of(play, SEARCH_NAME, "王"), 1);
    play_identify(play, "u1", "{'name':null,'company':null}");
    assert_int_equal(rows(play), before);
    assert_string_equal(forms(play, 1), "");
}

static void an_older_name_that_comes_late_changes_nothing(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'name':'new'}");
    play_entry(play, LOG_CLIENT,
               "{'id':'late','type':'identify','call':'identify','user':'u1','at':%lld,"
               "'data':{'name':'old'}}",
               (long long)(play->now - DAY_MS));
    assert_int_equal(rows_of(play, SEARCH_NAME, "new"), 1);
    assert_int_equal(rows_of(play, SEARCH_NAME, "old"), 0);
}

static void a_word_stays_in_the_dictionary_as_long_as_a_name_has_it(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'name':'Schmidt'}");
    assert_int_equal(rows_of(play, SEARCH_PART, "chmidt"), 1);
    assert_int_equal(rows_of(play, SEARCH_PART, "idt"), 1);
    assert_int_equal(rows_of(play, SEARCH_PART, "dt"), 0);
    assert_int_equal(rows_of(play, SEARCH_PART, ""), 4);
    play_identify(play, "u2", "{'name':'Anna Schmidt'}");
    assert_int_equal(rows_of(play, SEARCH_PART, ""), 5); /* nna */
    play_identify(play, "u1", "{'name':'Schmidtke'}");
    assert_int_equal(rows_of(play, SEARCH_PART, "midt"), 2);
    play_identify(play, "u2", "{'name':'Anna'}");
    assert_int_equal(rows_of(play, SEARCH_PART, "midt"), 1);
    play_identify(play, "u1", "{'name':'Li'}");
    play_identify(play, "u2", "{'name':'Li'}");
    assert_int_equal(rows_of(play, SEARCH_PART, ""), 0);
}

static void a_rule_that_fails_leaves_no_row(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'name':'Anna'}");
    size_t before = rows(play);
    play_rules(play, "rule 'r' { on = 'Bad', run = function(e, c)\n"
                     "  c:set('name', 'Berta') error('no') end }\n"
                     "rule 'q' { on = 'Good', run = function(e, c) c:set('name', 'Carla') end }");
    play_track(play, "u1", "Bad", NULL);
    assert_int_equal(rows(play), before);
    assert_int_equal(rows_of(play, SEARCH_NAME, "anna"), 1);
    play_pass(play, MINUTE_MS);
    play_track(play, "u1", "Good", NULL);
    assert_int_equal(rows_of(play, SEARCH_NAME, "carla"), 1);
    assert_int_equal(rows_of(play, SEARCH_NAME, "anna"), 0);
}

static void a_merge_and_its_undoing_move_no_row(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'name':'Anna'}");
    play_identify(play, "u2", "{'name':'Berta'}");
    size_t before = rows(play);
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    assert_int_equal(rows(play), before);
    play_identify(play, "u2", "{'name':'Carla'}");
    assert_int_equal(rows_of(play, SEARCH_NAME, "berta"), 0);
    assert_int_equal(rows_of(play, SEARCH_NAME, "carla"), 1);
    play_command(play, "customer.unmerge", "2", NULL);
    assert_int_equal(rows(play), before);
}

static void a_customer_can_be_forgotten_whole(void **state)
{
    struct play *play = *state;
    play_identify(play, "u2", "{'name':'Anna Schmidt'}");
    size_t before = rows(play);
    play_identify(play, "u1", "{'name':'单 Schmidt','email':'a.b@c.de','phone':'030 901820'}");
    search_forget(play->engine, 2);
    assert_int_equal(rows(play), before);
    assert_string_equal(forms(play, 2), "");
    search_update(play->engine, &(struct profile){ .number = 2 }); /* nothing to be found by */
    assert_int_equal(rows(play), before);
    struct profile profile;
    assert_true(profile_load(&profile, play->state, &play->engine->arena, 2));
    search_update(play->engine, &profile); /* as the log has it */
    assert_true(rows(play) > before);
}

static void one_customer_has_a_bounded_number_of_rows(void **state)
{
    struct play *play = *state;
    struct buf name = BUF_INIT;
    buf_text(&name, "{'name':'");
    for (int i = 0; i < 1000; i++)
        buf_printf(&name, "w%d ", i);
    buf_text(&name, "'}");
    play_identify(play, "u1", buf_string(&name));
    assert_int_equal(rows_of(play, SEARCH_WORD, ""), SEARCH_TERMS_MAX - 1);
    for (int i = 0; i < 50; i++) {
        buf_clear(&name);
        buf_printf(&name, "{'email':'a%d@example.com'}", i);
        play_identify(play, "u1", buf_string(&name));
    }
    assert_true(rows(play) <= SEARCH_FORMS_MAX * SEARCH_TERMS_MAX);
    buf_deinit(&name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_found_from_each_of_its_words_on),
        TEST(a_chinese_name_is_found_by_characters_reading_and_initials),
        TEST(numbers_and_addresses_are_found_by_their_ends_and_parts),
        TEST(what_changes_leaves_no_row_behind),
        TEST(an_older_name_that_comes_late_changes_nothing),
        TEST(a_word_stays_in_the_dictionary_as_long_as_a_name_has_it),
        TEST(a_rule_that_fails_leaves_no_row),
        TEST(a_merge_and_its_undoing_move_no_row),
        TEST(a_customer_can_be_forgotten_whole),
        TEST(one_customer_has_a_bounded_number_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
