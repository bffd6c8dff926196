/* test_staff.c -- people working in Kith and their keys, whatever shape their records come in. */
#include "tests/core/engine/engine_fixture.h"

#include "core/engine/read.h"

#include <stdio.h>

static void set_staff(struct play *play, const char *data)
{
    play_command(play, "staff.set", NULL, data);
}

static void remind_ann(struct play *play)
{
    char data[100];
    snprintf(data, sizeof data, "{'title':'t','to':'ann','due':%lld}",
             (long long)(play->now + HOUR_MS));
    play_command(play, "reminder.set", "1", data);
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void a_record_of_another_shape_is_refused_with_words(void **state)
{
    static const char *const wrong[][2] = {
        { "{'name':'ann','absences':['holidays']}", "\"absences\" is a list of {from, until" },
        { "{'name':'ann','absences':{'from':1,'until':2}}", "\"absences\" is a list" },
        { "{'name':'ann','absences':'all of may'}", "\"absences\" is a list" },
        { "{'name':'ann','absences':[{'from':'may','until':2}]}", "are milliseconds" },
        { "{'name':'ann','absences':[{'from':1}]}", "are milliseconds" },
        { "{'name':'ann','absences':[{'from':1,'until':2,'deputy':7}]}", "\"deputy\" is text" },
        { "{'name':'ann','deputy':['bob']}", "\"deputy\" is text" },
        { "{'name':'ann','calendar':{}}", "\"calendar\" is text" },
        { "{'name':'ann','languages':['de',7]}", "\"languages\" is a list of texts" },
        { "{'name':'ann','teams':'care'}", "\"teams\" is a list of texts" },
    };
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        set_staff(play, wrong[i][0]);
        assert_int_equal(play->result.code, E_INVALID);
        assert_has(play->result.reason, "staff ann: ");
        assert_has(play->result.reason, wrong[i][1]);
    }
    remind_ann(play);
    assert_has(play_task(play, 1), "'assignee':'ann'");
}

static void a_record_of_the_right_shape_is_kept_whole(void **state)
{
    struct play *play = *state;
    struct key key;
    const char *data = "{'name':'ann','languages':['de'],'teams':[],'calendar':'cn','deputy':null,"
                       "'absences':[{'from':1,'until':2,'deputy':'bob'}],'shoe':{'size':38}}";
    set_staff(play, data);
    assert_int_equal(play->result.status, ENGINE_DONE);
    key_named(&key, 's', text_of("ann"));
    assert_string_equal(play_row(play, &key), data);
}

static void somebody_absent_has_a_deputy(void **state)
{
    struct play *play = *state;
    char data[200];
    play_identify(play, "u1", NULL);
    set_staff(play, "{'name':'bob'}");
    snprintf(data, sizeof data,
             "{'name':'ann','deputy':'bob','absences':[{'from':1,'until':2,'deputy':'eve'},"
             "{'from':%lld,'until':%lld}]}",
             (long long)play->now, (long long)(play->now + DAY_MS));
    set_staff(play, data);
    remind_ann(play);
    assert_has(play_task(play, 1), "'assignee':'bob'");
    play->now += DAY_MS;
    remind_ann(play);
    assert_has(play_task(play, 2), "'assignee':'ann'");
}

/* Rows may be older than the check. */
static void a_row_of_another_shape_is_read_without_harm(void **state)
{
    struct play *play = *state;
    struct key key;
    struct buf row = BUF_INIT, out = BUF_INIT;
    struct doc_writer w;
    play_identify(play, "u1", NULL);
    doc_begin(&w, &row);
    doc_put_string(&w, "name", "ann");
    doc_open_array(&w, "absences");
    doc_put_string(&w, "", "holidays");
    doc_put_int(&w, "", 7);
    doc_close(&w);
    struct doc doc = doc_end(&w);
    key_named(&key, 's', text_of("ann"));
    state_put(play->state, &key, doc.data, doc.size);

    assert_int_equal(read_staff_member(play->engine, text_of("ann"), &out, &play->err), 0);
    struct customer customer;
    assert_true(customer_load(&customer, play->engine, 1));
    struct text assignee = staff_assignee(play->engine, text_of("ann"), &customer);
    assert_true(text_is(assignee, "ann"));
    state_delete(play->state, &key);
    buf_deinit(&row);
    buf_deinit(&out);
}

static void a_key_bears_no_name_that_means_kith_itself(void **state)
{
    static const char *const names[] = { "kith", "rules" };
    struct play *play = *state;
    for (size_t i = 0; i < 2; i++) {
        char data[100];
        snprintf(data, sizeof data, "{'name':'%s','hash':'aa','scopes':['write']}", names[i]);
        play_command(play, "key.set", NULL, data);
        assert_int_equal(play->result.code, E_INVALID);
        assert_has(play->result.reason, "no key may be called");
    }
    play_command(play, "key.set", NULL, "{'name':'shop','hash':'aa','scopes':['write']}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void a_key_of_another_shape_is_refused(void **state)
{
    struct play *play = *state;
    play_command(play, "key.set", NULL, "{'name':'shop','hash':'aa','scopes':[7]}");
    assert_has(play->result.reason, "\"scopes\" is a list of texts");
    play_command(play, "key.set", NULL, "{'name':'shop','hash':'aa','scopes':'write'}");
    assert_has(play->result.reason, "\"scopes\" is a list of texts");
    play_command(play, "key.set", NULL, "{'name':'shop','hash':'aa','staff':{}}");
    assert_has(play->result.reason, "\"staff\" is text");
}

static bool has_row(struct play *play, char table, const char *name)
{
    struct key key;
    struct bytes row;
    key_named(&key, table, text_of(name));
    return state_get(play->state, &key, &row);
}

static void whoever_is_removed_takes_her_keys_along(void **state)
{
    struct play *play = *state;
    set_staff(play, "{'name':'ann'}");
    play_command(play, "key.set", NULL, "{'name':'a1','hash':'aa','staff':'ann'}");
    play_command(play, "key.set", NULL, "{'name':'b','hash':'bb','staff':'bob'}");
    play_command(play, "key.set", NULL, "{'name':'a2','hash':'cc','staff':'ann'}");
    play_command(play, "staff.removed", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_false(has_row(play, 's', "ann"));
    assert_false(has_row(play, 'K', "a1") || has_row(play, 'h', "aa"));
    assert_false(has_row(play, 'K', "a2") || has_row(play, 'h', "cc"));
    assert_true(has_row(play, 'K', "b") && has_row(play, 'h', "bb"));
    play_command(play, "staff.removed", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
}

static void nobody_is_removed_with_open_reminders(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    set_staff(play, "{'name':'ann'}");
    set_staff(play, "{'name':'an'}");
    remind_ann(play);
    play_command(play, "staff.removed", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.code, E_CONFLICT);
    assert_has(play->result.reason, "open reminders");
    assert_true(has_row(play, 's', "ann"));
    play_command(play, "staff.removed", NULL, "{'name':'an'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_command(play, "reminder.done", NULL, "{'task':1}");
    play_command(play, "staff.removed", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_of_another_shape_is_refused_with_words),
        TEST(a_record_of_the_right_shape_is_kept_whole),
        TEST(somebody_absent_has_a_deputy),
        TEST(a_row_of_another_shape_is_read_without_harm),
        TEST(a_key_bears_no_name_that_means_kith_itself),
        TEST(a_key_of_another_shape_is_refused),
        TEST(whoever_is_removed_takes_her_keys_along),
        TEST(nobody_is_removed_with_open_reminders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
