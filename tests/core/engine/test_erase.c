/* test_erase.c -- what is left of a customer who was erased, and of the others. */
#include "core/base/err.h"
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static const char rules[] =
    "rule 'order' { on = 'order', run = function(event, customer)\n"
    "  customer:set('orders', (customer.orders or 0) + 1)\n"
    "  send { channel = 'hook', purpose = 'service', body = 'thanks ' .. event.secret }\n"
    "  remind { title = 'call ' .. event.secret, to = 'anna', due = '1d', key = 'call' }\n"
    "  after { due = '2h', key = 'later', emit = 'later' }\n"
    "  if event.tell then emit('told', { secret = event.secret }, { to = event.tell }) end\n"
    "end }\n"
    "rule 'told' { on = 'told', run = function(event, customer)\n"
    "  if customer then customer:set('told', true) end\n"
    "end }\n"
    "rule 'later' { on = 'later', run = function() log 'later' end }\n";

static uint64_t erase(struct play *play, const char *reference)
{
    return play_command(play, "erase.requested", reference, NULL);
}

static size_t cluster_rows(struct play *play, uint64_t customer)
{
    struct key key;
    key_start(&key, 'c');
    key_number(&key, customer);
    return play_count(play, &key);
}

static size_t rows(struct play *play, char table)
{
    struct key key;
    key_start(&key, table);
    return play_count(play, &key);
}

static const char *erasure(struct play *play, uint64_t customer)
{
    struct key key;
    key_start(&key, 'z');
    key_number(&key, customer);
    return play_row(play, &key);
}

/* The entries that are listed for her, in no order. */
static bool is_listed(struct play *play, uint64_t customer, uint64_t seq)
{
    struct key prefix;
    struct cursor cursor;
    bool is_found = false;
    key_start(&prefix, 'z');
    key_number(&prefix, customer);
    cursor_open(&cursor, engine_state(play->engine), &prefix);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.value.data, cursor.value.data + cursor.value.size };
        uint64_t number;
        while (cursor.key.size > prefix.size && key_read_number(&reader, &number))
            is_found = is_found || number == seq;
    }
    cursor_close(&cursor);
    return is_found;
}

static void assert_row_lacks(struct play *play, char table, const char *part)
{
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, table);
    cursor_open(&cursor, engine_state(play->engine), &prefix);
    while (cursor_next(&cursor)) {
        assert_null(memmem(cursor.key.data, cursor.key.size, part, strlen(part)));
        if (cursor.value.size != 0)
            assert_null(memmem(cursor.value.data, cursor.value.size, part, strlen(part)));
    }
    cursor_close(&cursor);
}

/* Whatever table it may stand in. */
static void assert_nowhere(struct play *play, const char *part)
{
    for (int table = 1; table < 128; table++)
        assert_row_lacks(play, (char)table, part);
}

static void nothing_of_her_is_left_and_others_keep_theirs(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_identify(play, "ann", "{'name':'Xanthippe','email':'xanthippe@example.com'}");
    play_identify(play, "bob", "{'name':'Bob'}");
    play_track(play, "ann", "order", "{'secret':'Xanthippe'}");
    play_track(play, "bob", "order", "{'secret':'roses'}");
    erase(play, "user_id:ann");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_int_equal(play->result.customer, 1);
    assert_int_equal(play_customer(play, "user_id:ann"), 0);
    assert_int_equal(play_customer(play, "1"), 0);
    assert_row_lacks(play, 'f', "anthip"); /* a search finds nobody at once */
    play_ticks(play);
    assert_int_equal(cluster_rows(play, 1), 0);
    assert_nowhere(play, "anthippe");
    assert_has(erasure(play, 1), "'done'");
    assert_string_equal(play_trait(play, "user_id:bob", "orders"), "1");
    assert_int_equal(rows(play, 'k'), 1);
    assert_int_equal(rows(play, 'o'), 1);
    assert_int_equal(rows(play, 'e'), 1);
    assert_int_equal(rows(play, 'x'), 1);
    assert_int_equal(rows(play, 'T'), 2);
}

static void every_entry_of_hers_is_listed_and_no_other(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    uint64_t first = play_identify(play, "ann", NULL);
    uint64_t bob = play_identify(play, "bob", NULL);
    uint64_t order = play_entry(play, LOG_CLIENT,
                                "{'type':'order','user':'ann','id':'m1','source':'web',"
                                "'data':{'secret':'x'}}");
    uint64_t again = play_entry(play, LOG_CLIENT,
                                "{'type':'order','user':'ann','id':'m1','source':'web',"
                                "'data':{'secret':'x'}}");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    uint64_t tag = play_command(play, "tag.changed", "user_id:ann", "{'tag':'vip'}");
    uint64_t asked = erase(play, "user_id:ann");
    uint64_t tick = play_tick(play);
    uint64_t mine[] = { first, order, again, tag, asked };
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++)
        assert_true(is_listed(play, 1, mine[i]));
    assert_false(is_listed(play, 1, bob));
    assert_false(is_listed(play, 1, tick));
    assert_has(erasure(play, 1), "'entries':5");
}

static void whoever_comes_by_her_identity_is_somebody_new(void **state)
{
    struct play *play = *state;
    play_identify(play, "ann", "{'plan':'pro'}");
    erase(play, "user_id:ann");
    play_identify(play, "ann", NULL);
    assert_int_equal(play_customer(play, "user_id:ann"), 2);
    assert_string_equal(play_trait(play, "user_id:ann", "plan"), "");
    play_ticks(play);
    assert_int_equal(play_customer(play, "user_id:ann"), 2);
}

static void an_event_that_was_counted_counts_again_for_who_is_new(void **state)
{
    struct play *play = *state;
    const char *event = "{'type':'visit','user':'ann','id':'m1','source':'web'}";
    play_entry(play, LOG_CLIENT, "%s", event);
    erase(play, "user_id:ann");
    play_ticks(play);
    play_entry(play, LOG_CLIENT, "%s", event);
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_int_equal(play_customer(play, "user_id:ann"), 2);
}

static void all_that_were_merged_into_her_go_with_her(void **state)
{
    struct play *play = *state;
    play_identify(play, "ann", NULL);
    play_identify(play, "anna", NULL);
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    erase(play, "2");
    play_ticks(play);
    assert_int_equal(cluster_rows(play, 1), 0);
    assert_int_equal(cluster_rows(play, 2), 0);
    assert_int_equal(play_customer(play, "user_id:ann"), 0);
    assert_int_equal(rows(play, 'i'), 0);
}

static void it_goes_in_slices_and_no_timer_of_hers_fires_in_between(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'erase_per_tick':2}");
    play_rules(play, rules);
    for (int i = 0; i < 20; i++)
        play_track(play, "ann", "order", "{'secret':'x'}");
    erase(play, "user_id:ann");
    play->now += 3 * HOUR_MS; /* `later` is due */
    play_tick(play);
    assert_true(cluster_rows(play, 1) > 20);
    assert_true(play_ticks(play) > 10);
    assert_int_equal(cluster_rows(play, 1), 0);
    assert_int_equal(rows(play, 'T'), 0);
    assert_lacks(play_types(play, 0), "later");
    assert_has(erasure(play, 1), "'done'");
}

static void a_message_that_a_channel_has_is_waited_for(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_identify(play, "ann", NULL);
    uint64_t order = play_track(play, "ann", "order", "{'secret':'Xanthippe'}");
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(order, 1, id);
    assert_int_equal(play_claim(play, "hook"), 1);
    erase(play, "user_id:ann");
    play_ticks(play);
    assert_lacks(erasure(play, 1), "'done'");
    assert_has(play_effect(play, id), "'claimed'");
    assert_nowhere(play, "anthippe");
    assert_int_equal(engine_next_due(play->engine), INT64_MAX); /* nobody is kept busy */
    uint64_t outcome = play_outcome(play, id, 1, "failed");
    play_ticks(play);
    assert_string_equal(play_effect(play, id), "");
    assert_true(is_listed(play, 1, outcome));
    assert_has(erasure(play, 1), "'done'");
    assert_int_equal(rows(play, 'y'), 0);
}

static void the_end_of_a_run_answers_for_the_channel(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_track(play, "ann", "order", "{'secret':'x'}");
    assert_int_equal(play_claim(play, "hook"), 1);
    erase(play, "user_id:ann");
    play_ticks(play);
    play_start(play);
    play_ticks(play);
    assert_has(erasure(play, 1), "'done'");
    assert_int_equal(rows(play, 'e'), 0);
    assert_int_equal(rows(play, 'x'), 0);
}

static void a_message_that_is_about_to_be_claimed_does_not_go(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_track(play, "ann", "order", "{'secret':'x'}");
    erase(play, "user_id:ann");
    assert_int_equal(play_claim(play, "hook"), 0);
    play_ticks(play);
    assert_int_equal(rows(play, 'e'), 0);
}

static void what_she_led_to_elsewhere_is_listed_too(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_identify(play, "bob", NULL);
    uint64_t order =
        play_track(play, "ann", "order", "{'secret':'Xanthippe','tell':'user_id:bob'}");
    assert_string_equal(play_trait(play, "user_id:bob", "told"), "true");
    uint64_t relation = play_command(play, "relation.changed", "user_id:bob",
                                     "{'type':'knows','other':'user_id:ann'}");
    erase(play, "user_id:ann");
    play_ticks(play);
    assert_true(is_listed(play, 2, order));
    assert_true(is_listed(play, 2, order + 1)); /* the event that bob got */
    assert_true(is_listed(play, 2, relation));
    struct key key;
    key_customer(&key, 1, 'l');
    assert_int_equal(play_count(play, &key), 0);
    assert_int_equal(rows(play, 'g'), 0);
    assert_nowhere(play, "Xanthippe"); /* nor in what bob's copies are known by */
}

static void an_event_on_its_way_to_somebody_else_is_waited_for_and_does_not_arrive(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_identify(play, "bob", NULL);
    play->keeps_outgoing = true;
    uint64_t order = play_track(play, "ann", "order", "{'secret':'x','tell':'user_id:bob'}");
    erase(play, "user_id:ann");
    play_ticks(play);
    assert_lacks(erasure(play, 2), "'done'");
    char id[EVENT_ID_TEXT_MAX];
    uint64_t n = 0;
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, 'g');
    cursor_open(&cursor, engine_state(play->engine), &prefix);
    assert_true(cursor_next(&cursor));
    struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
    assert_true(key_read_number(&reader, &order) && key_read_number(&reader, &n));
    struct buf envelope = BUF_INIT;
    buf_append(&envelope, cursor.value.data, cursor.value.size);
    cursor_close(&cursor);
    event_id_text(order, n, id);
    uint64_t arrived =
        play_doc(play, LOG_SYSTEM, (struct doc){ envelope.data, (uint32_t)envelope.size });
    buf_deinit(&envelope);
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_string_equal(play_trait(play, "user_id:bob", "told"), "");
    play_ticks(play);
    assert_true(is_listed(play, 2, arrived));
    assert_has(erasure(play, 2), "'done'");
}

static void what_was_said_by_her_name_to_nobody_goes_too(void **state)
{
    struct play *play = *state;
    uint64_t vain = play_command(play, "tag.changed", "email:Ann@Example.com", "{'tag':'vip'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    uint64_t other = play_command(play, "tag.changed", "email:eve@example.com", "{'tag':'vip'}");
    play_identify(play, "ann", "{'email':'ann@example.com'}");
    erase(play, "email:ann@example.com");
    play_ticks(play);
    assert_true(is_listed(play, 1, vain));
    assert_false(is_listed(play, 1, other));
    assert_row_lacks(play, 'c', "xample.com\" and nothing");
    assert_string_equal(play_timeline(play, 0, vain, 0), "");
    assert_has(play_timeline(play, 0, other, 0), "eve@");
    assert_row_lacks(play, 'N', "ann@");
}

static void a_file_that_was_named_to_nobody_by_her_name_is_nobodys(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_STAFF,
               "{'type':'Scan','ref':'user_id:ann','data':{'files':["
               "'a0000000000000000000000000000000000000000000000000000000000000aa']}}");
    assert_int_equal(rows(play, 'F'), 1);
    play_identify(play, "ann", NULL);
    erase(play, "user_id:ann");
    play_ticks(play);
    assert_int_equal(rows(play, 'F'), 0);
    assert_int_equal(rows(play, 'G'), 1);
    play_entry(play, LOG_SYSTEM, "{'type':'erase.done','data':{'customer':1}}");
    assert_int_equal(rows(play, 'G'), 0);
}

static void an_address_that_must_not_be_written_to_stays_so_unreadably(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'mail' { on = 'order', run = function(event, customer)\n"
                     "  send { channel = 'email', purpose = 'service', body = 'thanks' }\n"
                     "end }");
    play_config(play, "{'channels':{'email':{'address':true}}}");
    play_command(play, "suppression.changed", NULL,
                 "{'channel':'email','value':'xanthippe@example.com','reason':'Xanthippe asked'}");
    uint64_t asked = play_command(play, "suppression.changed", NULL,
                                  "{'channel':'email','value':'xanthippe@example.com'}");
    play_identify(play, "ann", "{'email':'xanthippe@example.com'}");
    erase(play, "user_id:ann");
    play_ticks(play);
    assert_nowhere(play, "anthippe");
    assert_true(is_listed(play, 1, asked));
    play_identify(play, "new", "{'email':'xanthippe@example.com'}");
    uint64_t order = play_track(play, "new", "order", NULL);
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(order, 1, id);
    assert_int_equal(play_claim(play, "email"), 0);
    assert_has(play_effect(play, id), "suppression list");
    play_command(play, "suppression.changed", NULL,
                 "{'channel':'email','value':'xanthippe@example.com','state':'removed'}");
    assert_int_equal(rows(play, 'u'), 0);
}

static void the_node_is_told_and_done_leaves_a_number(void **state)
{
    struct play *play = *state;
    struct key key;
    play_identify(play, "ann", NULL);
    erase(play, "user_id:ann");
    play_entry(play, LOG_SYSTEM, "{'type':'erase.done','data':{'customer':1}}");
    assert_has(erasure(play, 1), "'since'"); /* not before she is gone */
    play_ticks(play);
    assert_has(play_reports(play), "erased");
    play_reopen(play);
    play_start(play);
    assert_has(play_reports(play), "erased");
    play_entry(play, LOG_SYSTEM, "{'type':'erase.done','data':{'customer':1}}");
    assert_int_equal(rows(play, 'z'), 0);
    key_meta(&key, "erased");
    assert_has(play_row(play, &key), "'customers':1");
    play_identify(play, "bob", NULL);
    assert_int_equal(play_customer(play, "user_id:bob"), 2); /* numbers are not given again */
}

static void more_entries_than_a_row_holds_are_listed_in_several(void **state)
{
    struct play *play = *state;
    uint64_t first = 0, last = 0;
    play_world(play, 0, "{'erase_per_tick':100000}");
    for (int i = 0; i < 1000; i++) {
        last = play_track(play, "ann", "seen", NULL);
        first = first != 0 ? first : last;
    }
    erase(play, "user_id:ann");
    play_tick(play);
    assert_has(erasure(play, 1), "'done':");
    for (uint64_t seq = first; seq <= last; seq++)
        assert_true(is_listed(play, 1, seq));
    assert_int_equal(rows(play, 'z'), 1 + 2);
}

static void who_is_not_known_cannot_be_erased(void **state)
{
    struct play *play = *state;
    erase(play, "user_id:ann");
    assert_int_equal(play->result.code, E_NOTFOUND);
    play_identify(play, "ann", NULL);
    erase(play, "user_id:ann");
    erase(play, "1");
    assert_int_equal(play->result.code, E_NOTFOUND);
    play_entry(play, LOG_CLIENT, "{'type':'erase.requested','user':'bob'}");
    assert_int_not_equal(play_customer(play, "user_id:bob"), 0);
}

static void done(struct play *play, uint64_t gone)
{
    char text[96];
    snprintf(text, sizeof text, "{'type':'erase.done','data':{'customer':1,'done':%llu}}",
             (unsigned long long)gone);
    play_entry(play, LOG_SYSTEM, "%s", text);
}

/* As a link's POST and a call of staff write them, who looked while she was there. */
static uint64_t late_event(struct play *play)
{
    return play_entry(play, LOG_STAFF,
                      "{'type':'Answer','ref':'1','source':'link','id':'l','forever':true,"
                      "'data':{'who':'Xanthippe','tell':'user_id:bob'}}");
}

static const char telling[] = "rule 'answer' { on = 'Answer', run = function(event)\n"
                              "  emit('told', { secret = event.who }, { to = event.tell })\n"
                              "end }";

static void what_comes_too_late_by_moments_goes_with_her(void **state)
{
    struct play *play = *state;
    play_rules(play, telling);
    play_identify(play, "ann", NULL);
    erase(play, "user_id:ann");
    uint64_t early[] = { late_event(play), late_event(play) };
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_int_equal(play->result.code, E_NOTFOUND);
    uint64_t tag = play_command(play, "tag.changed", "1", "{'tag':'wife of Xanthippe'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
    play_ticks(play);
    assert_true(is_listed(play, 1, early[0]));
    assert_true(is_listed(play, 1, early[1]));
    assert_true(is_listed(play, 1, tag));
    assert_nowhere(play, "anthippe");
    assert_int_equal(rows(play, 'g'), 0); /* no rule heard of it */
}

static void an_erasure_opens_again_for_what_came_too_late(void **state)
{
    struct play *play = *state;
    struct key key;
    play_identify(play, "ann", NULL);
    erase(play, "user_id:ann");
    uint64_t gone = play_tick(play);
    assert_has(erasure(play, 1), "'done'");
    uint64_t late = late_event(play); /* the node is at it already */
    done(play, gone);
    assert_has(erasure(play, 1), "'since'"); /* it did not know of that entry */
    uint64_t again = play_tick(play);
    assert_has(play_reports(play), "erased");
    assert_true(is_listed(play, 1, late));
    done(play, gone);
    assert_has(erasure(play, 1), "'since'");
    done(play, again);
    assert_int_equal(rows(play, 'z'), 0);

    late = late_event(play); /* and when all was done */
    gone = play_tick(play);
    assert_true(is_listed(play, 1, late));
    assert_nowhere(play, "anthippe");
    done(play, gone);
    assert_int_equal(rows(play, 'z'), 0);
    assert_int_equal(cluster_rows(play, 1), 0);
    key_meta(&key, "erased");
    assert_has(play_row(play, &key), "'customers':1,");
}

static void a_number_that_was_never_given_opens_nothing(void **state)
{
    struct play *play = *state;
    play_identify(play, "ann", NULL);
    play_command(play, "tag.changed", "7", "{'tag':'vip'}");
    play_entry(play, LOG_STAFF, "{'type':'Scan','ref':'7'}");
    play_command(play, "tag.changed", "1", "{'tag':'vip'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_int_equal(rows(play, 'z'), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_of_her_is_left_and_others_keep_theirs),
        TEST(every_entry_of_hers_is_listed_and_no_other),
        TEST(whoever_comes_by_her_identity_is_somebody_new),
        TEST(an_event_that_was_counted_counts_again_for_who_is_new),
        TEST(all_that_were_merged_into_her_go_with_her),
        TEST(it_goes_in_slices_and_no_timer_of_hers_fires_in_between),
        TEST(a_message_that_a_channel_has_is_waited_for),
        TEST(the_end_of_a_run_answers_for_the_channel),
        TEST(a_message_that_is_about_to_be_claimed_does_not_go),
        TEST(what_she_led_to_elsewhere_is_listed_too),
        TEST(an_event_on_its_way_to_somebody_else_is_waited_for_and_does_not_arrive),
        TEST(what_was_said_by_her_name_to_nobody_goes_too),
        TEST(a_file_that_was_named_to_nobody_by_her_name_is_nobodys),
        TEST(an_address_that_must_not_be_written_to_stays_so_unreadably),
        TEST(the_node_is_told_and_done_leaves_a_number),
        TEST(more_entries_than_a_row_holds_are_listed_in_several),
        TEST(who_is_not_known_cannot_be_erased),
        TEST(what_comes_too_late_by_moments_goes_with_her),
        TEST(an_erasure_opens_again_for_what_came_too_late),
        TEST(a_number_that_was_never_given_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
