/* test_words.c -- the words of scripts: what they do, and what they say when misused. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* Run `code` as a rule on an event {text: "x", n: 5, list: [1, 2]} of customer 1; its seq. */
static uint64_t run(struct play *play, const char *code)
{
    char *lua = NULL;
    int size = asprintf(&lua,
                        "purpose 'news' { opt_in = true }\n"
                        "calendar 'company' { zone = 'Europe/Berlin', hours = '09:00-17:00',\n"
                        "  holidays = { '2026-10-30' } }\n"
                        "calendar 'shanghai' { zone = 'Asia/Shanghai', hours = '09:00-18:00' }\n"
                        "rule 'r' { on = 'X', run = function(event, customer)\n%s\nend }",
                        code);
    assert_true(size > 0);
    play_rules(play, lua);
    free(lua);
    play_identify(play, "u1", NULL);
    return play_track(play, "u1", "X", "{'text':'x','n':5,'list':[1,2],'none':null}");
}

static void expect(struct play *play, const char *expression, const char *wanted)
{
    char code[500];
    snprintf(code, sizeof code, "customer:set('v', nil) customer:set('v', %s)", expression);
    uint64_t seq = run(play, code);
    const char *row = play_timeline(play, 1, seq, 1);
    if (strstr(row, "rule.failed") != NULL)
        fail_msg("%s: %s", expression, row);
    assert_string_equal(play_trait(play, "1", "v"), wanted);
}

/* The rule fails, and says so, at its only line. */
static void expect_failure(struct play *play, const char *code, const char *wanted)
{
    uint64_t seq = run(play, code);
    char full[400];
    snprintf(full, sizeof full, "rules.lua:6: %s", wanted);
    for (uint64_t n = 1; n < 4; n++)
        if (strstr(play_timeline(play, 1, seq, n), "'rule.failed'") != NULL) {
            assert_has(play_timeline(play, 1, seq, n), full);
            return;
        }
    fail_msg("did not fail: %s", code);
}

static void expect_no_load(struct play *play, const char *lua, const char *wanted)
{
    if (play_load(play, lua) == 0)
        fail_msg("loaded: %s", lua);
    assert_has(play->err.text, wanted);
}

/* -- Declarations --------------------------------------------------------- */

static void a_rule_says_what_it_lacks(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "\nrule 'a' { run = function() end }", "rules.lua:2: on: an event type");
    expect_no_load(play, "rule 'a' { on = 'X' }", "rules.lua:1: rule \"a\" needs run = function");
    expect_no_load(play, "rule '' { }", "rule needs a name of 1 to 128 bytes");
    expect_no_load(play, "rule(5)", "rule needs a name");
    expect_no_load(play, "rule('a')(5)", "a table { ... } is expected");
    expect_no_load(play, "rule 'a\\0b' { on = 'X', run = function() end }", "needs a name");
    expect_no_load(play, "rule 'a' { on = 'X', when = 1, run = function() end }",
                   "rule knows no \"when\"");
    expect_no_load(play, "rule 'a' { on = {}, run = function() end }", "a list of 1 to 100");
    expect_no_load(play, "rule 'a' { on = { 'X', 5 }, run = function() end }", "is text of 1 to");
    expect_no_load(play, "rule 'a' { on = { 'X', '*' }, run = function() end }", "it stands alone");
    expect_no_load(play, "rule 'a' { on = { trigger = 'now' }, run = function() end }",
                   "there is no trigger \"now\"");
    expect_no_load(play, "rule 'a' { on = { trigger = 'every' }, run = function() end }",
                   "a period like");
    expect_no_load(play,
                   "rule 'a' { on = 'X', run = print or function() end }\n"
                   "rule 'a' { on = 'Y', run = function() end }",
                   "rules.lua:2: a rule called \"a\" stands in this bundle already");
}

static void a_trigger_says_what_is_wrong_with_it(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "every '0d'", "every: a period like");
    expect_no_load(play, "every '2wd'", "every: a period like");
    expect_no_load(play, "every '30s'", "every: at most once a minute");
    expect_no_load(play, "every '1dd'", "every:");
    expect_no_load(play, "every('1d', { at = '25:00' })", "at must be a time of day");
    expect_no_load(play, "every('1d', { att = '09:00' })", "every knows no \"att\"");
    expect_no_load(play, "date('end', '3wd')", "working days cannot shift a date");
    expect_no_load(play, "date('', '3d')", "the trait that holds the date has a name");
    expect_no_load(play, "yearly('b', { calendar = 'julian' })",
                   "calendar is \"gregorian\" or \"chinese\"");
    expect_no_load(play, "yearly()", "string expected");
}

static void a_purpose_stands_once(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "purpose 'service' { }", "\"service\" is built in");
    expect_no_load(play, "purpose 'a' { }\npurpose 'a' { }", "rules.lua:2: a purpose called \"a\"");
    expect_no_load(play, "purpose 'a' { optin = true }", "purpose knows no \"optin\"");
}

static void a_calendar_says_what_is_wrong_with_it(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "calendar 'a' { zone = 'Mars/Base' }", "calendar: ");
    expect_no_load(play, "calendar 'a' { hours = '9 to 5' }", "hours are written");
    expect_no_load(play, "calendar 'a' { hours = { mo = '09:00-17:00' } }", "days are written");
    expect_no_load(play, "calendar 'a' { holidays = '2026-10-01' }", "is a list of dates");
    expect_no_load(play, "calendar 'a' { holidays = { '2026-02-30' } }", "calendar: holidays: ");
    expect_no_load(play, "calendar 'a' { open = true }", "calendar knows no \"open\"");
    expect_no_load(play, "calendar 'a' { hours = '17:00-09:00' }", "calendar \"a\": ");
    expect_no_load(play, "calendar 'a' { }\ncalendar 'a' { }",
                   "rules.lua:2: a calendar called \"a\" is declared already");
}

static void what_acts_does_not_stand_outside_of_a_rule(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "emit('X')", "rules.lua:1: emit acts on a customer: it belongs into");
    expect_no_load(play, "remind { title = 't' }", "remind acts");
    expect_no_load(play, "log('x')", "log acts");
    expect_no_load(play, "local t = now()", "now acts");
}

static void what_declares_does_not_stand_inside_of_a_rule(void **state)
{
    struct play *play = *state;
    expect_failure(play, "rule 'x' { }", "rule declares: it stands outside");
    expect_failure(play, "purpose 'x' { }", "purpose declares");
    expect_failure(play, "calendar 'x' { }", "calendar declares");
}

/* -- event and customer --------------------------------------------------- */

static void missing_is_missing(void **state)
{
    struct play *play = *state;
    expect(play, "tostring(event.nothing) .. tostring(event.none) .. tostring(customer.nothing)",
           "'nilnilnil'");
    expect(play, "event.n + #event.list", "7");
    expect(play, "tostring(event.data.x) .. type(event.context)", "'niltable'");
}

static void event_and_customer_are_not_changed_by_assignment(void **state)
{
    struct play *play = *state;
    expect_failure(play, "event.x = 1", "event cannot be changed by assignment");
    expect_failure(play, "customer.x = 1",
                   "customer cannot be changed by assignment: use "
                   "customer:set(name, value)");
    expect_failure(play, "local x = event[1]", "event has fields with names, not numbers");
    expect_failure(play, "local x = customer[1]", "customer has fields with names");
}

static void without_a_customer_there_is_none_to_ask(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  log(tostring(customer)) emit('Y')\n"
                     "  remind { title = 't', due = '1d' } end }");
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'X'}");
    assert_has(play_timeline(play, 0, seq, 1),
               "rules.lua:3: remind: this event has no customer to be reminded of");
}

static void methods_of_a_customer_check_what_they_are_given(void **state)
{
    struct play *play = *state;
    expect_failure(play, "customer:set(5, 1)", "customer:set: text is expected");
    expect_failure(play, "customer:set('', 1)", "customer:set: text is expected");
    expect_failure(play, "customer:set(string.rep('x', 129), 1)",
                   "customer:set: a name has at most 128 bytes");
    expect_failure(play, "customer:set('kind', 1)", "set: \\'kind\\' belongs to the system");
    expect_failure(play, "customer:set('f', print or tostring)", "customer:set: a function cannot");
    expect_failure(play, "customer:set('x', 0/0)", "customer:set: a number that is not finite");
    expect_failure(play, "customer:set('x', '\\xff')", "customer:set: text that is not UTF-8");
    expect_failure(play, "customer:set('x', { 1, a = 2 })", "customer:set: a table is a list");
    expect_failure(play, "customer:set('x', { [true] = 2 })", "customer:set: a table is a list");
    expect_failure(play, "customer:set('x', { [1] = 1, [3] = 3 })", "customer:set: a table is");
    expect_failure(play, "local t = {} t.t = t customer:set('x', t)",
                   "customer:set: tables nest at most 32 deep");
    expect_failure(play, "customer:set('s', 'text') customer:add('s', 1)",
                   "trait \\'s\\' is no list");
    expect_failure(play, "customer:tag('')", "customer:tag: text is expected");
    expect_failure(play, "customer:consent('news')", "customer:consent: text is expected");
    expect_failure(play, "customer:sat('x', 1)", "attempt to call");
}

static void lists_hold_an_item_once(void **state)
{
    struct play *play = *state;
    run(play, "customer:add('l', 1) customer:add('l', 'a') customer:add('l', 1)\n"
              "customer:add('l', { x = 1 }) customer:remove('l', 'a') customer:remove('l', 9)");
    assert_string_equal(play_trait(play, "1", "l"), "[1,{'x':1}]");
}

static void fields_are_kept_in_the_order_of_their_names(void **state)
{
    struct play *play = *state;
    expect(play, "{ zz = 1, a = 2, m = { y = 1, b = 2 }, ['ä'] = 1.5 }",
           "{'a':2,'m':{'b':2,'y':1},'zz':1,'ä':1.5}");
    expect(play, "{}", "{}");
    expect(play, "{ 1, 'a', false }", "[1,'a',false]");
}

static void a_customer_shows_what_belongs_to_the_system(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_command(play, "role.changed", "1", "{'role':'lead'}");
    play_command(play, "owner.changed", "1", "{'owner':'ann'}");
    play_command(play, "consent.changed", "1",
                 "{'purpose':'news','channel':'sms','state':'granted'}");
    run(play, "customer:tag('vip')\n"
              "customer:set('v', { customer.id, customer.kind, customer.owner, customer.roles[1],\n"
              "  customer.tags[1], customer:has_tag('vip'), customer:consent('news', 'sms'),\n"
              "  customer:consent('news', 'mail') == nil })");
    assert_string_equal(play_trait(play, "1", "v"),
                        "[1,'person','ann','lead','vip',true,'granted',true]");
}

/* -- Acting --------------------------------------------------------------- */

static void emit_checks_its_type_data_and_receiver(void **state)
{
    struct play *play = *state;
    expect_failure(play, "emit()", "emit: an event's type has 1 to 128 bytes");
    expect_failure(play, "emit('reminder.due')",
                   "emit: \\'reminder.due\\' is a type of the system");
    expect_failure(play, "emit('tick')", "emit: \\'tick\\' is a type of the system");
    expect_failure(play, "emit('Y', 5)", "emit: data is a table");
    expect_failure(play, "emit('Y', { 1, 2 })", "emit: data has names for keys, it is no list");
    expect_failure(play, "emit('Y', {}, 'user_id:u1')", "emit: to whom is written { to =");
    expect_failure(play, "emit('Y', {}, { two = 1 })", "emit knows no \\'two\\'");
    expect_failure(play, "emit('Y', {}, {})", "emit: to is a customer");
}

static void remind_checks_its_table(void **state)
{
    struct play *play = *state;
    expect_failure(play, "remind('call')", "remind { ... } takes a table");
    expect_failure(play, "remind { due = '1d' }", "remind needs a title");
    expect_failure(play, "remind { title = 't' }", "remind: a time like");
    expect_failure(play, "remind { title = 't', due = 'soon' }",
                   "remind: \\'soon\\' is no duration");
    expect_failure(play, "remind { title = 't', due = 1 << 62 }",
                   "remind: a moment lies in the years 1 to 9999");
    expect_failure(play, "remind { title = 't', due = '1d', who = 'ann' }",
                   "remind knows no \\'who\\'");
    expect_failure(play, "remind { title = 't', due = '1d', to = 5 }", "to must be text");
    expect_failure(play, "remind { title = 't', due = '1d', escalate = { to = 'b' } }",
                   "escalate: a time like");
    expect_failure(play, "remind { title = 't', due = '1d', escalate = { after = '1h' } }",
                   "escalate needs to and a time after which");
}

static void send_and_notify_check_their_tables(void **state)
{
    struct play *play = *state;
    expect_failure(play, "send { channel = 'log', body = 'b' }", "send needs a purpose");
    expect_failure(play, "send { channel = 'log', purpose = 'news' }", "send needs body");
    expect_failure(play, "send { channel = 'log', purpose = 'news', body = 'b', expires = '-1d' }",
                   "send: expires must lie ahead");
    expect_failure(
        play, "send { channel = 'log', purpose = 'news', body = 'b', expires = math.mininteger }",
        "send: a moment lies in the years");
    expect_failure(play, "send { purpose = 'news', body = 'b' }", "send: no channel is called");
    expect_failure(play, "notify { to = 'ann' }", "notify needs text");
    expect_failure(play, "notify { to = 'ann', body = 'b' }", "notify knows no \\'body\\'");
}

static void after_and_cancel_check_what_they_are_given(void **state)
{
    struct play *play = *state;
    expect_failure(play, "after { due = '1h' }", "after: an event's type has 1 to 128 bytes");
    expect_failure(play, "after { due = '1h', emit = 'effect.sent' }", "after: \\'effect.sent\\'");
    expect_failure(play, "after { due = '-1h', emit = 'Y' }", "after: due must lie");
    expect_failure(play, "after { due = '1h', emit = 'Y', key = string.rep('k', 129) }",
                   "after: a key of 1 to 128 bytes");
    expect_failure(play, "cancel()", "bad argument #1 to 'cancel'");
    expect(play, "cancel(string.rep('k', 300))", "false");
}

static void log_takes_anything_and_keeps_five_hundred_bytes(void **state)
{
    struct play *play = *state;
    uint64_t seq = run(play, "log(5) log(true) log(('ä'):rep(300))");
    assert_has(play_timeline(play, 1, seq, 0), "'log':['5','true','ä");
    assert_lacks(play_timeline(play, 1, seq, 0), "\xef\xbf\xbd");
    expect_failure(play, "log()", "bad argument #1 to 'log'");
}

/* -- Time ----------------------------------------------------------------- */

/* As a moment in milliseconds after the play's beginning: 2026-10-28 01:00 in Berlin. */
static void expect_moment(struct play *play, const char *options, int64_t hours)
{
    char code[300], wanted[40];
    snprintf(code, sizeof code, "remind { title = 't', key = 'k', %s }", options);
    play->now = PLAY_START_MS;
    run(play, code);
    snprintf(wanted, sizeof wanted, "'due':%lld,", (long long)(PLAY_START_MS + hours * HOUR_MS));
    assert_has(play_task(play, 1), wanted);
}

static void a_due_time_is_a_duration_a_date_or_a_moment(void **state)
{
    struct play *play = *state;
    expect_moment(play, "due = '3h'", 3);
    expect_moment(play, "due = '1d'", 24);
    expect_moment(play, "due = '1w', at = '09:00'", 7 * 24 + 8);
    expect_moment(play, "due = '1mo'", 31 * 24);
    expect_moment(play, "due = days(2)", 48);
    expect_moment(play, "due = '2026-10-29'", 24 + 8); /* at nine */
    expect_moment(play, "due = '2026-10-29', at = '10:00'", 24 + 9);
    expect_moment(play, "due = '2026-10-29 12:00'", 24 + 11);
    expect_moment(play, "due = '2026-10-29T12:00:00Z'", 24 + 12);
    expect_moment(play, "due = now() + 7200000", 2);
}

static void working_time_goes_by_the_company_or_the_assignee(void **state)
{
    struct play *play = *state;
    play_command(play, "staff.set", NULL, "{'name':'li','calendar':'shanghai'}");
    expect_moment(play, "due = '1wd'", 24 + 16);     /* Thursday at closing time */
    expect_moment(play, "due = '2wd'", 5 * 24 + 16); /* Friday is a holiday */
    expect_moment(play, "due = '2wd', at = '09:00'", 5 * 24 + 8);
    expect_moment(play, "due = '2wd', to = 'li'", 2 * 24 + 10); /* 18:00 in Shanghai */
    expect_moment(play, "due = '3wh'", 8 + 3);
}

static void the_customers_zone_is_the_trait_the_contexts_or_the_companys(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  customer:set('v', remind { title = 't', due = '2026-12-01 10:00',\n"
                     "    key = 'k' }) end }");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1'}");
    assert_has(play_task(play, 1), "'due':1796115600000");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','context':{'timezone':'Asia/Shanghai'}}");
    assert_has(play_task(play, 1), "'due':1796090400000");
    play_identify(play, "u1", "{'timezone':'UTC'}");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','context':{'timezone':'Asia/Shanghai'}}");
    assert_has(play_task(play, 1), "'due':1796119200000");
    play_identify(play, "u1", "{'timezone':'../../etc/passwd'}");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1'}");
    assert_has(play_task(play, 1), "'due':1796115600000");
}

static void now_and_ago_go_by_log_time(void **state)
{
    struct play *play = *state;
    expect(play, "(now() - ago('1h')) // 1000", "3600");
    expect(play, "(now() - ago('3d')) // 3600000", "73"); /* the clocks were set back on Sunday */
    expect_failure(play, "ago('yesterday')", "ago: ");
}

static void constructors_spell_durations(void **state)
{
    struct play *play = *state;
    expect(play,
           "table.concat({ seconds(1), minutes(2), hours(3), days(4), weeks(5), months(6), "
           "years(7), workdays(8), workhours(9) }, ' ')",
           "'1s 2min 3h 4d 5w 6mo 7y 8wd 9wh'");
    expect_failure(play, "years(1000000)", "years: ");
    expect_failure(play, "days(1.5)", "bad argument #1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rule_says_what_it_lacks),
        TEST(a_trigger_says_what_is_wrong_with_it),
        TEST(a_purpose_stands_once),
        TEST(a_calendar_says_what_is_wrong_with_it),
        TEST(what_acts_does_not_stand_outside_of_a_rule),
        TEST(what_declares_does_not_stand_inside_of_a_rule),
        TEST(missing_is_missing),
        TEST(event_and_customer_are_not_changed_by_assignment),
        TEST(without_a_customer_there_is_none_to_ask),
        TEST(methods_of_a_customer_check_what_they_are_given),
        TEST(lists_hold_an_item_once),
        TEST(fields_are_kept_in_the_order_of_their_names),
        TEST(a_customer_shows_what_belongs_to_the_system),
        TEST(emit_checks_its_type_data_and_receiver),
        TEST(remind_checks_its_table),
        TEST(send_and_notify_check_their_tables),
        TEST(after_and_cancel_check_what_they_are_given),
        TEST(log_takes_anything_and_keeps_five_hundred_bytes),
        TEST(a_due_time_is_a_duration_a_date_or_a_moment),
        TEST(working_time_goes_by_the_company_or_the_assignee),
        TEST(the_customers_zone_is_the_trait_the_contexts_or_the_companys),
        TEST(now_and_ago_go_by_log_time),
        TEST(constructors_spell_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
