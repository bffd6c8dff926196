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
    expect_no_load(play, "rule('a')(5)", "a table { ... } is expected behind rule \"a\"");
    expect_no_load(play, "rule 'a\\0b' { on = 'X', run = function() end }", "needs a name");
    expect_no_load(play, "rule 'a' { on = 'X', when = 1, run = function() end }",
                   "rule knows no \"when\"");
    expect_no_load(play, "rule 'a' { on = {}, run = function() end }", "a list of 1 to 100");
    expect_no_load(play, "rule 'a' { on = { every '1d', 'A' }, run = function() end }",
                   "on: a trigger like every stands alone, not in a list");
    expect_no_load(
        play, "rule 'a' { 'A', run = function() end }",
        "rule: a value without a name: write name = value, with on, run and description");
    expect_no_load(play, "rule 'a' { on = 'X', rum = function() end }",
                   "rule knows no \"rum\"; did you mean \"run\"?");
    expect_no_load(play, "rule 'a' { on = 'X', color = 1 }",
                   "rule knows no \"color\"; it knows on, run and description");
    expect_no_load(play, "rule 'a' { on = 'X', where = [[ event.total > 5 ]] }",
                   "rule: \"where\" is not in this version: ask in run");
    expect_no_load(play, "rule 'a' { on = { 'X', when = 'Y' }, run = function() end }",
                   "a list of 1 to 100");
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
    expect_no_load(play, "every '-1wd'", "every: a period like");
    expect_no_load(play, "every(5)", "every: a duration is text like \"1d\"");
    expect_no_load(play, "every('12h', { at = '09:00' })",
                   "every: at is a time of day and goes with d");
    expect_no_load(play, "every('4wh', { at = '09:00' })",
                   "every: at is a time of day and goes with d");
    expect_no_load(play, "every '30s'", "every: at most once a minute");
    expect_no_load(play, "every '1dd'", "every:");
    expect_no_load(play, "every('1d', { at = '25:00' })", "at must be a time of day");
    expect_no_load(play, "every('1d', { att = '09:00' })",
                   "every knows no \"att\"; did you mean \"at\"?");
    expect_no_load(play, "date(5)", "the name of a trait is needed, as in date(");
    expect_no_load(play, "date('', '3d')", "the trait that holds the date has a name");
    expect_no_load(play, "yearly('b', { calendar = 'julian' })",
                   "calendar is \"gregorian\" or \"chinese\"");
    expect_no_load(play, "yearly()", "the name of a trait is needed, as in yearly(");
}

static void a_purpose_stands_once(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "purpose 'service' { }", "\"service\" is built in");
    expect_no_load(play, "purpose 'a' { }\npurpose 'a' { }", "rules.lua:2: a purpose called \"a\"");
    expect_no_load(play, "purpose 'a' { optin = true }",
                   "purpose knows no \"optin\"; did you mean \"opt_in\"?");
    expect_no_load(play, "purpose 'a' { opt_in = 'no' }", "opt_in must be true or false");
}

static void a_calendar_says_what_is_wrong_with_it(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "calendar 'a' { zone = 'Mars/Base' }", "calendar: ");
    expect_no_load(play, "calendar 'a' { hours = '9 to 5' }", "hours are written");
    expect_no_load(play, "calendar 'a' { hours = { we = '9', mo = '9', sun = '9', tu = '9' } }",
                   "days are written mon = ... or [\"mon-fri\"] = ..., not \"mo\"");
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
    expect_failure(play, "if event.n > 5 or date('2026-01-01') then end", "date is a trigger: it");
    expect_failure(play, "every '1d'", "every is a trigger");
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

static void known_asks_for_what_may_be_missing(void **state)
{
    struct play *play = *state;
    expect(play, "{ known(event.n), known(event.nothing), known(customer.nothing), known(false) }",
           "[true,false,false,true]");
    expect_failure(play, "known()", "bad argument #1 to 'known'");
}

static void an_event_has_the_id_that_the_timeline_shows(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "rule 'r' { on = { 'X', 'Y' }, run = function(event, customer)\n"
               "  customer:add('ids', event.id) if event.type == 'X' then emit('Y') end end }");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'m-1'}");
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1'}");
    char wanted[100];
    snprintf(wanted, sizeof wanted, "['m-1','%llu.3','%llu','%llu.1']", (unsigned long long)seq - 1,
             (unsigned long long)seq, (unsigned long long)seq);
    assert_string_equal(play_trait(play, "1", "ids"), wanted);
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
    expect_failure(play, "customer:set(5, 1)",
                   "customer:set(name, value): the name must be text, not number");
    expect_failure(play, "customer:set('', 1)", "customer:set(name, value): the name is empty");
    expect_failure(play, "customer:set(string.rep('x', 129), 1)",
                   "customer:set(name, value): the name has at most 128 bytes");
    expect_failure(play, "customer:set('x')", "customer:set(name, value): it needs two values");
    expect_failure(play, "customer:add('x', nil)", "customer:add(name, item): the item is nil");
    expect_failure(play, "customer.set('x', 5)", "write customer:set(name, value), with a colon");
    expect_failure(play, "customer.tag('x')", "write customer:tag(tag), with a colon");
    expect_failure(play, "customer.has_tag(event, 'x')",
                   "write customer:has_tag(tag), with a colon");
    expect_failure(play, "customer:tag(5)", "customer:tag(tag): the tag must be text, not number");
    expect_failure(play, "customer:set('kind', 1)", "set: \\'kind\\' belongs to the system");
    expect_failure(play, "customer:set('f', print or tostring)",
                   "customer:set(name, value): a function cannot");
    expect_failure(play, "customer:set('x', 0/0)",
                   "customer:set(name, value): a number that is not");
    expect_failure(play, "customer:set('x', '\\xff')",
                   "customer:set(name, value): text that is not UTF-8");
    expect_failure(play, "customer:set('x', { 1, a = 2 })",
                   "customer:set(name, value): a table is a list");
    expect_failure(play, "customer:set('x', { [true] = 2 })",
                   "customer:set(name, value): a table is a list");
    expect_failure(play, "customer:set('x', { [1] = 1, [3] = 3 })",
                   "customer:set(name, value): a table is");
    expect_failure(play, "local t = {} t.t = t customer:set('x', t)",
                   "customer:set(name, value): tables nest at most 32 deep");
    expect_failure(play, "customer:set('s', 'text') customer:add('s', 1)",
                   "trait \\'s\\' is no list");
    expect_failure(play, "customer:tag('')", "customer:tag(tag): the tag is empty");
    expect_failure(play, "customer:consent('news')",
                   "customer:consent(purpose, channel): the channel must be text, not nil");
    expect_failure(play, "customer:sat('x', 1)",
                   "there is no method \\'sat\\'; did you mean \\'set\\'?");
}

static void lists_hold_an_item_once(void **state)
{
    struct play *play = *state;
    run(play, "customer:add('l', 1) customer:add('l', 'a') customer:add('l', 1)\n"
              "customer:add('l', { x = 1 }) customer:remove('l', 'a') customer:remove('l', 9)");
    assert_string_equal(play_trait(play, "1", "l"), "[1,{'x':1}]");
}

static void what_is_not_in_a_list_cannot_be_taken_from_it(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'l':['a']}");
    uint64_t seq = run(play, "customer:remove('nolist', 'x') customer:remove('l', 'x')\n"
                             "customer:add('l', 'a')");
    assert_string_equal(play_trait(play, "1", "nolist"), "");
    assert_lacks(play_timeline(play, 1, seq, 0), "'rules'"); /* it did nothing */
    expect_failure(play, "customer:remove('tags', 'x')", "set: \\'tags\\' belongs to the system");
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
    expect_failure(play, "emit()", "emit needs the event's type as text: emit(");
    expect_failure(play, "emit(5)", "emit needs the event's type as text: emit(");
    expect_failure(play, "emit(('x'):rep(129))", "emit: an event's type has 1 to 128 bytes");
    expect_failure(play, "emit('reminder.due')",
                   "emit: \\'reminder.due\\' is a type of the system");
    expect_failure(play, "emit('tick')", "emit: \\'tick\\' is a type of the system");
    expect_failure(play, "emit('Y', 5)",
                   "emit: a table { name = value } is expected, not a number");
    expect_failure(play, "emit('Y', { 1, 2 })", "emit: a table has names here: { name = value }");
    expect_failure(play, "emit('Y', {}, 'user_id:u1')", "emit: to whom is written { to =");
    expect_failure(play, "emit('Y', {}, { two = 1 })",
                   "emit knows no \\'two\\'; did you mean \\'to\\'?");
    expect_failure(play, "emit('Y', {}, {})",
                   "emit: to is a customer, 42 or \\'user_id:u-17\\', not nil");
    expect_failure(play, "emit('Y', {}, { to = '' })", "emit: to is a customer");
}

static void emit_says_how_a_customer_is_written(void **state)
{
    static const char *const none[] = {
        "bob",    "u-17", "1.5",      "0",        "12x",           "user_id:",       "phone:nobody",
        "email:", ":",    "name:bob", "external", "external:erp:", "external::4711", "tag:vip"
    };
    struct play *play = *state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        char code[100], wanted[200];
        snprintf(code, sizeof code, "emit('Y', {}, { to = '%s' })", none[i]);
        snprintf(wanted, sizeof wanted,
                 "emit: to = \\'%s\\' is no customer: one is written 42, \\'user_id:u-17\\'",
                 none[i]);
        expect_failure(play, code, wanted);
    }
}

static void emit_to_nobody_known_shows_where_it_was_emitted(void **state)
{
    struct play *play = *state;
    uint64_t seq =
        run(play, "emit('Y', {}, { to = 'user_id:nobody' })\n"
                  "emit('Y', {}, { to = 1 }) emit('Y', {}, { to = 'user_id:u1' })\n"
                  "emit('Y', {}, { to = 'external:erp:4711' }) emit('Y', {}, { to = 77 })");
    assert_has(play_timeline(play, 1, seq, 0),
               "'log':['emit \\'Y\\': not one customer is known as user_id:nobody',"
               "'emit \\'Y\\': not one customer is known as external:erp:4711',"
               "'emit \\'Y\\': not one customer is known as 77']");
}

static void remind_checks_its_table(void **state)
{
    struct play *play = *state;
    expect_failure(play, "remind('call')", "remind { ... } takes a table");
    expect_failure(play, "remind { due = '1d' }", "remind needs a title");
    expect_failure(play, "remind { title = 't' }", "remind: due = a time like");
    expect_failure(play, "remind { title = 't', due = '-1d' }",
                   "remind: due = \\'-1d\\' lies in the past");
    expect_failure(play, "remind { title = 't', due = '2026-10-27' }",
                   "remind: due lies in the past, at 2026-10-27T08:00:00.000Z");
    expect_failure(play, "remind { title = 't', due = 3 }",
                   "remind: due lies in the past, at 1970-01-01T00:00:00.003Z");
    expect_failure(play, "remind { title = 't', due = '3h', at = '09:00' }",
                   "remind: at is a time of day: it goes with a date and with d, w, mo, y and wd");
    expect_failure(play, "remind { title = 't', due = '3wh', at = '09:00' }",
                   "remind: at is a time");
    expect_failure(play, "remind { title = 't', due = '2026-12-01 10:00', at = '09:00' }",
                   "remind: at is a time of day");
    expect_failure(play, "remind { title = 't', due = now() + 5000, at = '09:00' }",
                   "remind: at is a time of day");
    expect_failure(play, "remind { title = 't', due = 'soon' }",
                   "remind: \\'soon\\' is no duration");
    expect_failure(play, "remind { title = 't', due = 1 << 62 }",
                   "remind: a moment lies in the years 1 to 9999");
    expect_failure(play, "remind { title = 't', due = '1d', who = 'ann' }",
                   "remind knows no \\'who\\'");
    expect_failure(play, "remind { title = 't', due = '1d', to = 5 }", "to must be text");
    expect_failure(play, "remind { title = 't', due = '1d', escalate = { to = 'b' } }",
                   "escalate: after = a time like");
    expect_failure(play, "remind { title = 't', due = '1d', escalate = { after = '1h' } }",
                   "escalate needs to and a time after which");
}

static void send_and_notify_check_their_tables(void **state)
{
    struct play *play = *state;
    expect_failure(play, "send { channel = 'log', body = 'b' }", "send needs a purpose");
    expect_failure(play, "send { channel = 'log', purpose = 'news' }", "send needs body");
    expect_failure(play, "send { purpose = 'news', body = 'b' }",
                   "send needs a channel; there is mail, email, sms, hook and log");
    expect_failure(play, "send { channel = 'emial', purpose = 'news', body = 'b' }",
                   "send: no channel is called \\'emial\\'; did you mean \\'email\\'?");
    expect_failure(
        play, "send { channel = 'pigeon', purpose = 'news', body = 'b' }",
        "send: no channel is called \\'pigeon\\'; there is mail, email, sms, hook and log");
    expect_failure(play, "send { channel = 'log', purpose = 'new', body = 'b' }",
                   "send: no purpose is called \\'new\\'; did you mean \\'news\\'?");
    expect_failure(play, "send { channel = 'log', purpose = 'offers', body = 'b' }",
                   "send: no purpose is called \\'offers\\'; declare it: "
                   "purpose \\'offers\\' { opt_in = true }");
    expect_failure(play, "send { channel = 'log', purpose = 'news', template = 'hello' }",
                   "send: no template is called \\'hello\\'; the bundle has none");
    expect_failure(play,
                   "send { channel = 'log', purpose = 'news', body = 'b', template = 'hello' }",
                   "send: body or template, not both");
    expect_failure(play, "send { channel = 'log', purpose = 'news', body = 'b', expires = '-1d' }",
                   "send: expires = \\'-1d\\' lies in the past");
    expect_failure(play, "send { channel = 'log', purpose = 'news', body = 'b', expires = now() }",
                   "send: expires must lie ahead");
    expect_failure(
        play, "send { channel = 'log', purpose = 'news', body = 'b', expires = math.mininteger }",
        "send: a moment lies in the years");
    expect_failure(play, "notify { to = 'ann' }", "notify needs text");
    expect_failure(play, "notify { to = 'ann', body = 'b' }", "notify knows no \\'body\\'");
}

static void notify_goes_to_whoever_would_have_the_work(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event)\n"
                     "  notify { to = event.to, text = 'b' } end }");
    play_identify(play, "u1", NULL);
    play_track(play, "u1", "X", NULL);
    play_claim(play, "log");
    assert_has(play_reports(play), "'staff':'desk','body':'b'}");
    play_identify(play, "u2", NULL);
    play_command(play, "owner.changed", "2", "{'owner':'ann'}");
    play_track(play, "u2", "X", "{'to':'owner'}");
    play_claim(play, "log");
    assert_has(play_reports(play), "'staff':'ann','body':'b'}");
}

static void notify_to_nobody_is_refused(void **state)
{
    struct play *play = *state;
    play_config(play, "{'zone':'Europe/Berlin','channels':{'log':{}}}");
    const char *wanted = "notify: nobody would get it: say to = \\'...\\', or name a fallback team";
    expect_failure(play, "notify { text = 'b' }", wanted);
    expect_failure(play, "notify { to = 'owner', text = 'b' }", wanted);
    uint64_t seq = run(play, "notify { to = 'ann', text = 'b' }");
    assert_has(play_timeline(play, 1, seq, 0), "'effects':[1]");
}

static void after_and_cancel_check_what_they_are_given(void **state)
{
    struct play *play = *state;
    expect_failure(play, "after { due = '1h' }", "after needs emit =");
    expect_failure(play, "after { due = '1h', emit = ('x'):rep(129) }",
                   "after: an event's type has 1 to 128 bytes");
    expect_failure(play, "after { due = '1h', emit = 'effect.sent' }", "after: \\'effect.sent\\'");
    expect_failure(play, "after { due = '-1h', emit = 'Y' }",
                   "after: due = \\'-1h\\' lies in the past");
    expect_failure(play, "after { due = '2026-10-01', emit = 'Y' }",
                   "after: due must lie at least");
    expect_failure(play, "after { due = '1h', emit = 'Y', key = string.rep('k', 129) }",
                   "after: a key of 1 to 128 bytes");
    expect_failure(play, "cancel()", "cancel needs the key of the timer");
    expect_failure(play, "cancel(5)", "cancel needs the key of the timer");
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

static void log_writes_all_that_it_is_given_in_one_line(void **state)
{
    struct play *play = *state;
    uint64_t seq = run(play, "log('total', event.n, nil, { 1 }, 1.5, false) log { 1 }\n"
                             "log(('x'):rep(498), 'äöü', 'z') log(('x'):rep(600), 'y')");
    char wanted[1200] = "'log':['total 5 nil table 1.5 false','table','", x[501];
    memset(x, 'x', sizeof x);
    x[500] = '\0';
    snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%.498s ','%s']", x, x);
    assert_has(play_timeline(play, 1, seq, 0), wanted);
}

/* Its text is made by the script, which may say words on the way. */
static void log_of_a_table_that_acts_while_it_is_shown(void **state)
{
    struct play *play = *state;
    uint64_t seq = run(play, "log('a', setmetatable({}, { __tostring = function()\n"
                             "  customer:set('x', { 1, 2 }) return 'shown' end }), 'z')");
    assert_has(play_timeline(play, 1, seq, 0), "'log':['a shown z']");
    assert_string_equal(play_trait(play, "1", "x"), "[1,2]");
}

/* What it keeps is part of the state, which every repetition makes again. */
static void log_shows_no_address_and_no_sign_of_a_nan(void **state)
{
    struct play *play = *state;
    uint64_t seq = run(play, "log({}) log(log) log(customer) log(-(0/0))\n"
                             "log(setmetatable({}, { __name = 'x' })) log('a\\xff') log('')");
    assert_has(play_timeline(play, 1, seq, 0),
               "'log':['table','function','userdata','nan','table','a\xef\xbf\xbd','']");
}

static void text_that_is_not_utf8_reaches_nothing_that_is_kept(void **state)
{
    static const char *const codes[] = {
        "emit('\\xff', {})",
        "emit('E', {}, { to = 'user_id:\\xff' })",
        "remind { title = '\\xff', due = '1d' }",
        "remind { title = 'x', due = '1d', key = '\\xff' }",
        "after { emit = '\\xff', due = '1h' }",
        "send { channel = 'log', purpose = 'service', body = '\\xff' }",
        "notify { to = 'anna', text = '\\xff' }",
        "customer:tag('\\xff')",
        "customer:set('\\xff', 1)",
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        expect_failure(*state, codes[i], "text that is not UTF-8 cannot be kept");
    expect_failure(*state, "emit('E', { ['\\xff'] = 1 })", "emit: a field's name has at most");
    expect_no_load(*state, "rule '\\xff' { on = 'X', run = function() end }", "not UTF-8");
}

/* In whatever order the table has them. */
static void of_several_unknown_options_the_first_by_name_is_told(void **state)
{
    for (int i = 0; i < 5; i++)
        expect_failure(*state, "remind { tue = '1d', zu = 1, titel = 'x', ado = 2, wann = 3 }",
                       "remind knows no \\'ado\\'");
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

/* Friday is a holiday: a day after Thursday is Monday. */
static void an_escalation_counts_from_when_it_is_due(void **state)
{
    struct play *play = *state;
    char wanted[60];
    run(play, "remind { title = 't', due = '1wd', escalate = { after = '1wd', to = 'ann' } }");
    snprintf(wanted, sizeof wanted, "'escalate_due':%lld",
             (long long)(PLAY_START_MS + (5 * 24 + 16) * HOUR_MS));
    assert_has(play_task(play, 1), wanted);
}

static void the_companys_calendar_is_the_one_of_that_name(void **state)
{
    struct play *play = *state;
    play_rules(play, "calendar 'anna' { hours = '10:00-11:00' }\n"
                     "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  remind { title = 't', due = '1wd' } end }");
    play_track(play, "u1", "X", NULL);
    char wanted[60];
    snprintf(wanted, sizeof wanted, "'due':%lld,", (long long)(PLAY_START_MS + 40 * HOUR_MS));
    assert_has(play_task(play, 1), wanted); /* Thursday at five: nobody declared the company's */
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

static void working_time_is_paid_for_by_the_day(void **state)
{
    struct play *play = *state;
    expect(play, "(function() for i = 1, 500 do ago('90wd') ago('90wh') end return 1 end)()", "1");
    expect_failure(play, "for i = 1, 1000 do ago('25000wd') end", "over the budget");
    expect_failure(play, "for i = 1, 1000 do ago('20000wh') end", "over the budget");
    expect_failure(play, "for i = 1, 1000 do pcall(ago, '800000wh') end", "over the budget");
    expect_failure(play, "ago('800000wh')", "ago: calendar: the result lies more than 36525 days");
}

static void looking_is_paid_for_by_what_there_is_to_look_through(void **state)
{
    struct play *play = *state;
    struct buf data = BUF_INIT;
    run(play, "for i = 1, 600 do customer:tag('one of very many tags ' .. i) end");
    expect(play, "(function() for i = 1, 1000 do customer:has_tag('x') end return 1 end)()", "1");
    expect_failure(play, "for i = 1, 100000 do customer:has_tag('x') end", "over the budget");

    play_rules(play, "rule 'r' { on = 'X', run = function(event)\n"
                     "  for i = 1, 100000 do local none = event.none end end }");
    buf_printf(&data, "{'a':1");
    for (int i = 0; i < 2000; i++)
        buf_printf(&data, ",'field number %d':1", i);
    buf_printf(&data, "}");
    uint64_t few = play_track(play, "u1", "X", "{'a':1}");
    uint64_t many = play_track(play, "u1", "X", buf_string(&data));
    assert_null(strstr(play_timeline(play, 1, few, 1), "rule.failed"));
    assert_has(play_timeline(play, 1, many, 1), "over the budget");
    buf_deinit(&data);
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
    expect_failure(play, "days('7')", "bad argument #1 to 'days' (number expected, got string)");
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
        TEST(known_asks_for_what_may_be_missing),
        TEST(an_event_has_the_id_that_the_timeline_shows),
        TEST(event_and_customer_are_not_changed_by_assignment),
        TEST(without_a_customer_there_is_none_to_ask),
        TEST(methods_of_a_customer_check_what_they_are_given),
        TEST(lists_hold_an_item_once),
        TEST(what_is_not_in_a_list_cannot_be_taken_from_it),
        TEST(fields_are_kept_in_the_order_of_their_names),
        TEST(a_customer_shows_what_belongs_to_the_system),
        TEST(emit_checks_its_type_data_and_receiver),
        TEST(emit_says_how_a_customer_is_written),
        TEST(emit_to_nobody_known_shows_where_it_was_emitted),
        TEST(remind_checks_its_table),
        TEST(send_and_notify_check_their_tables),
        TEST(notify_goes_to_whoever_would_have_the_work),
        TEST(notify_to_nobody_is_refused),
        TEST(after_and_cancel_check_what_they_are_given),
        TEST(log_takes_anything_and_keeps_five_hundred_bytes),
        TEST(log_writes_all_that_it_is_given_in_one_line),
        TEST(log_of_a_table_that_acts_while_it_is_shown),
        TEST(log_shows_no_address_and_no_sign_of_a_nan),
        TEST(text_that_is_not_utf8_reaches_nothing_that_is_kept),
        TEST(of_several_unknown_options_the_first_by_name_is_told),
        TEST(a_due_time_is_a_duration_a_date_or_a_moment),
        TEST(working_time_goes_by_the_company_or_the_assignee),
        TEST(an_escalation_counts_from_when_it_is_due),
        TEST(the_companys_calendar_is_the_one_of_that_name),
        TEST(the_customers_zone_is_the_trait_the_contexts_or_the_companys),
        TEST(now_and_ago_go_by_log_time),
        TEST(working_time_is_paid_for_by_the_day),
        TEST(looking_is_paid_for_by_what_there_is_to_look_through),
        TEST(constructors_spell_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
