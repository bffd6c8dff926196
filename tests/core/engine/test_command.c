/* test_command.c -- what staff tells Kith: done whole or not at all, and told of in the trace. */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/utf8.h"

#include <stdio.h>

/* -- All or nothing ------------------------------------------------------- */

/* A group of two, of which the second has no room for anything more. */
static void make_one_full(struct play *play)
{
    char text[801] = "";
    memset(text, 'x', 800);
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_command(play, "role.changed", "1", "{'role':'lead'}");
    play_command(play, "role.changed", "2", "{'role':'lead'}");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_world(play, 0, "{'profile_bytes':1024}");
    for (int size = 800; strcmp(play_trait(play, "2", "a"), "") == 0; size -= 4)
        play_entry(play, LOG_CLIENT,
                   "{'type':'identify','call':'identify','user':'u2','data':{'a':'%.*s'}}", size,
                   text);
}

static void an_owner_who_fits_only_some_of_the_group_is_nobodys(void **state)
{
    struct play *play = *state;
    char data[200] = "{'owner':'";
    make_one_full(play);
    memset(data + strlen(data), 'o', 128);
    memcpy(data + 10 + 128, "'}", 3);
    const char *before = play_profile(play, 1);
    uint64_t seq = play_command(play, "owner.changed", "1", data);
    assert_int_equal(play->result.code, E_LIMIT);
    assert_string_equal(play_profile(play, 1), before);
    assert_lacks(play_timeline(play, 1, seq, 0), "changed':{");
}

static void a_role_that_cannot_end_everywhere_ends_nowhere(void **state)
{
    struct play *play = *state;
    make_one_full(play);
    const char *before = play_profile(play, 1);
    uint64_t seq = play_command(play, "role.changed", "1", "{'role':'lead','on':false}");
    assert_int_equal(play->result.code, E_LIMIT);
    assert_string_equal(play_profile(play, 1), before);
    assert_lacks(play_timeline(play, 1, seq, 0), "changed':{");
}

static void a_refused_copy_is_still_a_copy(void **state)
{
    struct play *play = *state;
    const char *json = "{'type':'role.changed','ref':'1','id':'c-1','data':{'role':'king'}}";
    play_identify(play, "u1", NULL);
    play_entry(play, LOG_STAFF, "%s", json);
    assert_int_equal(play->result.code, E_INVALID);
    play_entry(play, LOG_STAFF, "%s", json);
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
}

static void a_reason_never_ends_inside_a_character(void **state)
{
    struct play *play = *state;
    char data[400];
    play_identify(play, "u1", NULL);
    for (int before = 0; before < 3; before++) {
        int size = snprintf(data, sizeof data, "{'role':'%.*s", before, "aaa");
        for (int i = 0; i < 100; i++)
            size += snprintf(data + size, sizeof data - (size_t)size, "\u20ac");
        snprintf(data + size, sizeof data - (size_t)size, "'}");
        play_command(play, "role.changed", "1", data);
        assert_int_equal(play->result.status, ENGINE_REFUSED);
        assert_true(strlen(play->result.reason) > 190);
        assert_true(utf8_valid(play->result.reason, strlen(play->result.reason)));
    }
}

/* -- Reminders where there is no room for a timer ------------------------- */

static void fill(struct play *play)
{
    play_world(play, 0, "{'timers':1}");
    play_rules(play, "rule 'a' { on = 'A', run = function()\n"
                     "  remind { title = 't', to = 'ann', due = '1h', key = 'k' } end }\n"
                     "rule 'b' { on = 'B', run = function()\n"
                     "  after { due = '100d', key = 'k', emit = 'Z' } end }");
    play_track(play, "u1", "A", NULL);
    play_pass(play, 2 * HOUR_MS); /* it was due, so its timer is gone */
    play_track(play, "u1", "B", NULL);
    play->now += MINUTE_MS;
}

static const char *in_an_hour(struct play *play, const char *field)
{
    return arena_printf(&play->arena, "{'task':1,'%s':%lld}", field,
                        (long long)(play->now + HOUR_MS))
        .data;
}

static void a_snooze_without_room_is_refused_and_the_reminder_stays(void **state)
{
    struct play *play = *state;
    fill(play);
    const char *before = play_task(play, 1);
    play_command(play, "reminder.snooze", NULL, in_an_hour(play, "due"));
    assert_int_equal(play->result.code, E_LIMIT);
    assert_has(play->result.reason, "has 1 timers: no more (limit timers)");
    assert_string_equal(play_task(play, 1), before);
}

static void a_reminder_moved_without_room_fails_its_rule(void **state)
{
    struct play *play = *state;
    fill(play);
    uint64_t seq = play_track(play, "u1", "A", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "has 1 timers: no more (limit timers)");
    assert_lacks(play_types(play, 1), "reminder.moved");
}

static void done_without_room_for_the_next_one_is_refused(void **state)
{
    struct play *play = *state;
    fill(play);
    play_command(play, "reminder.done", NULL, in_an_hour(play, "next"));
    assert_int_equal(play->result.code, E_LIMIT);
    assert_has(play_task(play, 1), "'state':'open'");
    assert_lacks(play_types(play, 1), "reminder.closed");
    play_command(play, "reminder.done", NULL, "{'task':1}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_has(play_task(play, 1), "'state':'done'");
}

static void the_room_of_the_old_one_is_room_for_the_next(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'timers':1}");
    play_identify(play, "u1", NULL);
    play_command(play, "reminder.set", "1",
                 arena_printf(&play->arena, "{'title':'t','to':'ann','due':%lld}",
                              (long long)(play->now + HOUR_MS))
                     .data);
    play_command(play, "reminder.done", NULL, in_an_hour(play, "next"));
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_pass(play, 2 * HOUR_MS);
    assert_has(play_types(play, 1), "reminder.due");
}

/* -- The trace ------------------------------------------------------------ */

static const char *trace_of(struct play *play, const char *type, const char *data)
{
    uint64_t seq = play_command(play, type, "1", data);
    assert_int_equal(play->result.status, ENGINE_DONE);
    return play_timeline(play, 1, seq, 0);
}

static void what_a_command_changed_is_in_its_trace(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    assert_has(trace_of(play, "owner.changed", "{'owner':'ann'}"), "'changed':{'owner':'ann'}");
    assert_has(trace_of(play, "owner.changed", "{'owner':''}"), "'changed':{'owner':null}");
    assert_has(trace_of(play, "role.changed", "{'role':'lead'}"), "'changed':{'role:lead':true}");
    assert_has(trace_of(play, "role.changed", "{'role':'lead','on':false}"),
               "'changed':{'role:lead':false}");
    assert_has(
        trace_of(play, "consent.changed", "{'purpose':'news','channel':'email','state':'granted'}"),
        "'changed':{'consent:news/email':'granted'}");
    assert_has(trace_of(play, "address.changed", "{'channel':'email','value':'A@x.de'}"),
               "'changed':{'address:email':'a@x.de'}");
    assert_has(trace_of(play, "relation.changed", "{'type':'knows','other':'2'}"),
               "'changed':{'relation:knows:2':true}");
    assert_has(
        trace_of(play, "relation.changed", "{'type':'knows','other':'2','until':1793300000000}"),
        "'changed':{'relation:knows:2':");
}

static void what_a_command_did_not_change_is_not(void **state)
{
    static const char *const twice[][2] = {
        { "owner.changed", "{'owner':'ann'}" },
        { "role.changed", "{'role':'lead'}" },
        { "address.changed", "{'channel':'email','value':'a@x.de','preferred':true}" },
        { "relation.changed", "{'type':'knows','other':'2'}" },
    };
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        assert_has(trace_of(play, twice[i][0], twice[i][1]), "changed':{");
        play->now += 1000;
        assert_lacks(trace_of(play, twice[i][0], twice[i][1]), "changed':{");
    }
}

static void a_name_with_a_zero_byte_in_it_is_refused(void **state)
{
    static const char *const fields[][2] = {
        { "consent.changed", "purpose" },
        { "consent.changed", "channel" },
        { "address.changed", "channel" },
        { "relation.changed", "type" },
    };
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct buf body = BUF_INIT;
        struct doc_writer w;
        doc_begin(&w, &body);
        doc_put_string(&w, "type", fields[i][0]);
        doc_put_string(&w, "ref", "1");
        doc_open(&w, "data");
        doc_put_text(&w, fields[i][1], (struct text){ "a\0b", 3 });
        doc_put_string(&w, "purpose", "p");
        doc_put_string(&w, "channel", "c");
        doc_put_string(&w, "value", "v");
        doc_put_string(&w, "state", strcmp(fields[i][0], "address.changed") ? "granted" : "ok");
        doc_put_string(&w, "other", "1");
        doc_close(&w);
        play_doc(play, LOG_STAFF, doc_end(&w));
        buf_deinit(&body);
        assert_int_equal(play->result.status, ENGINE_REFUSED);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

static void what_has_been_due_is_not_due_again_for_another_title(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function() remind { title = 'call', due = '2h', "
                     "to = 'anna' } end }\n"
                     "rule 'd' { on = 'reminder.due', run = function(e, c) "
                     "c:set('dues', (c.dues or 0) + 1) end }");
    play_identify(play, "u1", NULL);
    play_track(play, "u1", "X", NULL);
    play_pass(play, 3 * HOUR_MS);
    assert_string_equal(play_trait(play, "1", "dues"), "1");
    play_command(play, "reminder.change", NULL, "{'task':1,'title':'other'}");
    play_pass(play, HOUR_MS);
    assert_string_equal(play_trait(play, "1", "dues"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_has_been_due_is_not_due_again_for_another_title),
        TEST(an_owner_who_fits_only_some_of_the_group_is_nobodys),
        TEST(a_role_that_cannot_end_everywhere_ends_nowhere),
        TEST(a_refused_copy_is_still_a_copy),
        TEST(a_reason_never_ends_inside_a_character),
        TEST(a_snooze_without_room_is_refused_and_the_reminder_stays),
        TEST(a_reminder_moved_without_room_fails_its_rule),
        TEST(done_without_room_for_the_next_one_is_refused),
        TEST(the_room_of_the_old_one_is_room_for_the_next),
        TEST(what_a_command_changed_is_in_its_trace),
        TEST(what_a_command_did_not_change_is_not),
        TEST(a_name_with_a_zero_byte_in_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
