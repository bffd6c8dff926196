/* test_record.c -- records: made, changed, moved, found, told of, and forgotten. */
#include "core/base/json_write.h"
#include "core/engine/read.h"
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static const char complaints[] =
    "calendar 'company' { zone = 'Europe/Berlin', hours = '09:00-17:00',\n"
    "  holidays = { '2026-10-30' } }\n"
    "kind 'complaint' {\n"
    "  fields = { subject = { type = 'text', required = true }, amount = 'money',\n"
    "    severity = { type = 'choice', values = { 'low', 'high' } },\n"
    "    erp = { type = 'text', external = true }, asked = 'time', notes = 'list',\n"
    "    contact = { type = 'text', personal = true, role = 'dealer' }, who = 'customer' },\n"
    "  roles = { customer = { subject = true }, dealer = { many = true } },\n"
    "  states = { 'received', 'acknowledged', { name = 'waiting', waiting = true },\n"
    "    { name = 'closed', final = true } },\n"
    "  transitions = { acknowledge = { from = 'received', to = 'acknowledged' },\n"
    "    ask = { from = { 'received', 'acknowledged' }, to = 'waiting' },\n"
    "    answered = { from = 'waiting', to = 'acknowledged' },\n"
    "    resume = { from = 'waiting', to = 'received' },\n"
    "    close = { from = '*', to = 'closed', fields = { 'amount' } },\n"
    "    reopen = { from = 'closed', to = 'received' } },\n"
    "  lines = { sku = { type = 'text', required = true }, count = 'whole' },\n"
    "  deadlines = { answer = { from = 'received', due = '2wd',\n"
    "    due_by = { severity = { high = '4wh' } }, to = 'ann',\n"
    "    escalate = { { after = '2wh', to = 'bob' }, { after = '1wd', to = 'eve' } } } },\n"
    "  owner = 'carl', title = 'subject' }\n";

static const char *record(struct play *play, const char *kind, uint64_t number)
{
    struct buf out = BUF_INIT, json = BUF_INIT;
    struct err err;
    if (read_record(play->engine, text_of(kind), number, &out, &err) != 0) {
        buf_deinit(&out);
        return "";
    }
    json_write_doc(&json, (struct doc){ out.data, (uint32_t)out.size });
    for (size_t i = 0; i < json.size; i++)
        if (json.data[i] == '"')
            json.data[i] = '\'';
    struct text text =
        arena_text(&play->arena, (struct text){ buf_string(&json), (uint32_t)json.size });
    buf_deinit(&out);
    buf_deinit(&json);
    return text.data;
}

static void begin(struct play *play, const char *rules)
{
    char lua[6000];
    snprintf(lua, sizeof lua, "%s%s", complaints, rules);
    play_rules(play, lua);
    if (play->result.status != ENGINE_DONE)
        fail_msg("%s", play->result.reason);
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
}

static void done(struct play *play)
{
    if (play->result.status != ENGINE_DONE)
        fail_msg("%s", play->result.reason);
}

static void refused(struct play *play, int code, const char *reason)
{
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, reason);
    assert_int_equal(play->result.code, code);
}

static void create(struct play *play, const char *fields)
{
    char data[2000];
    snprintf(data, sizeof data, "{'kind':'complaint','fields':%s}", fields);
    play_command(play, "record.create", "1", data);
}

static void move(struct play *play, const char *transition)
{
    char data[300];
    snprintf(data, sizeof data, "{'kind':'complaint','record':1,'transition':'%s'}", transition);
    play_command(play, "record.move", NULL, data);
}

/* -- Made, changed, moved --------------------------------------------------- */

static void a_record_is_made_and_told_on_the_timeline(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{'subject':'late','amount':{'amount':'12.50','currency':'EUR'}}");
    done(play);
    assert_int_equal(play->result.record, 1);
    assert_has(record(play, "complaint", 1),
               "'kind':'complaint','id':1,'state':'received','open':true");
    assert_has(record(play, "complaint", 1), "'owner':'carl','customer':1");
    assert_has(record(play, "complaint", 1), "'amount':'12.50','currency':'EUR'");
    assert_has(play_types(play, 1), "record.create complaint.created complaint.received");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "'about':'complaint:1'");
    assert_has(play_timeline(play, 1, seq, 1), "'subject':'late'");
    create(play, "{'subject':'again'}");
    assert_int_equal(play->result.record, 2);
}

static void a_record_with_an_optional_subject_is_about_somebody_or_nobody(void **state)
{
    struct play *play = *state;
    begin(play, "kind 'errand' { roles = { customer = { subject = true, optional = true } },\n"
                "  states = { 'open' }, transitions = {}, owner = 'owner' }\n");
    play_command(play, "record.create", NULL, "{'kind':'errand','fields':{}}");
    done(play);
    assert_has(record(play, "errand", 1), "'owner':null,'customer':null");
    play_command(play, "record.create", "1", "{'kind':'errand','fields':{}}");
    done(play);
    assert_has(record(play, "errand", 2), "'customer':1");
    play_command(play, "record.create", NULL, "{'kind':'complaint','fields':{'subject':'x'}}");
    refused(play, E_INVALID, "a complaint is about a customer: one is needed");
}

static void the_simplest_kind_may_be_about_somebody(void **state)
{
    struct play *play = *state;
    begin(play, "kind 'quick' { states = { 'open' } }\n"
                "kind 'list' { roles = {}, states = { 'open' } }\n"
                "rule 'r' { on = 'X', run = function() create('quick', {}) end }\n");
    play_command(play, "record.create", "1", "{'kind':'quick'}");
    done(play);
    assert_has(record(play, "quick", 1), "'customer':1");
    play_command(play, "record.create", NULL, "{'kind':'quick'}");
    done(play);
    assert_has(record(play, "quick", 2), "'customer':null");
    play_track(play, "u2", "X", NULL);
    assert_has(record(play, "quick", 3), "'customer':2");
    play_command(play, "record.create", "1", "{'kind':'list'}");
    assert_has(play->result.reason, "a list is about nobody: name no customer");
    play_command(play, "record.create", NULL, "{'kind':'list'}");
    done(play);
}

static void what_has_no_sign_is_not_below_zero(void **state)
{
    static const char *const below[] = { "'money':{'amount':'-0.01','currency':'EUR'}",
                                         "'money':{'amount':-1,'currency':'EUR'}",
                                         "'money':{'amount':-0.5,'currency':'EUR'}", "'part':-0.5",
                                         "'whole':-1" };
    static const char *const fine[] = { "'money':{'amount':'0.00','currency':'EUR'}",
                                        "'money':{'amount':1,'currency':'EUR'}", "'part':0.5",
                                        "'whole':0", "'free':-1" };
    struct play *play = *state;
    char data[200];
    begin(play, "kind 'bill' { roles = {}, states = { 'open' }, fields = { free = 'whole',\n"
                "  money = { type = 'money', unsigned = true },\n"
                "  part = { type = 'number', unsigned = true },\n"
                "  whole = { type = 'whole', unsigned = true } } }\n");
    for (size_t i = 0; i < 5; i++) {
        snprintf(data, sizeof data, "{'kind':'bill','fields':{%s}}", below[i]);
        play_command(play, "record.create", NULL, data);
        refused(play, E_INVALID, "\" is zero or more");
        snprintf(data, sizeof data, "{'kind':'bill','fields':{%s}}", fine[i]);
        play_command(play, "record.create", NULL, data);
        done(play);
    }
}

static void a_record_that_is_wrong_is_refused_and_says_why(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{}");
    refused(play, E_INVALID, "the field \"subject\" is needed");
    create(play, "{'subject':5}");
    refused(play, E_INVALID, "\"subject\" is text");
    create(play, "{'subject':'x','sevrity':'low'}");
    refused(play, E_INVALID, "there is no field \"sevrity\" here; did you mean \"severity\"?");
    create(play, "{'subject':'x','severity':'hgih'}");
    refused(play, E_INVALID, "did you mean \"high\"?");
    create(play, "{'subject':'x','amount':12}");
    refused(play, E_INVALID, "\"amount\" is money");
    create(play, "{'subject':'x','who':'user_id:nobody'}");
    refused(play, E_NOTFOUND, "no such customer");
    create(play, "{'subject':'x','asked':'soon'}");
    refused(play, E_INVALID, "\"asked\": \"soon\" is no time: write a duration (3d, 2h, 1wd)");
    create(play, "{'subject':'x','asked':true}");
    refused(play, E_INVALID, "\"asked\" is a time: \"3d\", \"1wd\"");
    play_command(play, "record.create", "1", "{'kind':'complant','fields':{}}");
    refused(play, E_NOTFOUND, "no kind is called \"complant\"; did you mean \"complaint\"?");
    play_command(play, "record.create", NULL, "{'kind':'complaint','fields':{'subject':'x'}}");
    refused(play, E_INVALID, "a complaint is about a customer: one is needed");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},'lines':[{'count':1}]}");
    refused(play, E_INVALID, "each line needs the field \"sku\"");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},'lines':[{'sku':' '}]}");
    refused(play, E_INVALID, "each line needs the field \"sku\"");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},'customers':{'seller':2}}");
    refused(play, E_INVALID, "there is no role \"seller\"");
    assert_string_equal(record(play, "complaint", 1), "");
}

static const char vow[] =
    "kind 'vow' { fields = { what = { type = 'text'%s }, proof = 'text', why = 'text' },\n"
    "  roles = { customer = { subject = true } },\n"
    "  states = { 'open', { name = 'kept', final = true }, { name = 'off', final = true } },\n"
    "  transitions = { keep = { from = 'open', to = 'kept', fields = { 'proof' } },\n"
    "    drop = { from = 'open', to = 'off' } } }\n";

static void vows(struct play *play, const char *more)
{
    char lua[1000];
    snprintf(lua, sizeof lua, vow, more);
    begin(play, lua);
}

static void what_is_needed_is_not_blank(void **state)
{
    struct play *play = *state;
    vows(play, ", required = true");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':''}}");
    refused(play, E_INVALID, "the field \"what\" is needed");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':' \xe3\x80\x80 '}}");
    refused(play, E_INVALID, "the field \"what\" is needed");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':'x','why':' '}}");
    done(play);
    play_command(play, "record.change", "1", "{'kind':'vow','record':1,'fields':{'what':' '}}");
    refused(play, E_INVALID, "the field \"what\" is needed");
    play_command(play, "record.move", "1",
                 "{'kind':'vow','record':1,'transition':'keep','fields':{'proof':' \\t'}}");
    refused(play, E_INVALID, "to \"keep\" it, the field \"proof\" is needed");
    play_command(play, "record.move", "1",
                 "{'kind':'vow','record':1,'transition':'keep','fields':{'proof':' y '}}");
    done(play);
    assert_has(record(play, "vow", 1), "'proof':' y '");
}

static void what_was_taken_blank_once_can_still_be_moved(void **state)
{
    struct play *play = *state;
    vows(play, "");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':' '}}");
    done(play);
    vows(play, ", required = true");
    play_command(play, "record.move", "1", "{'kind':'vow','record':1,'transition':'drop'}");
    done(play);
    assert_has(record(play, "vow", 1), "'state':'off'");
}

static void a_state_changes_by_its_transitions_only(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{'subject':'late'}");
    move(play, "acknowledge");
    done(play);
    assert_has(record(play, "complaint", 1), "'state':'acknowledged'");
    assert_has(play_types(play, 1), "complaint.acknowledged");
    move(play, "acknowledge");
    refused(play, E_CONFLICT, "complaint 1 is acknowledged, and not received");
    move(play, "clsoe");
    refused(play, E_NOTFOUND, "there is no transition \"clsoe\"; did you mean \"close\"?");
    move(play, "close");
    refused(play, E_INVALID, "to \"close\" it, the field \"amount\" is needed");
    play_command(play, "record.move", NULL,
                 "{'kind':'complaint','record':1,'transition':'close','note':'paid back',"
                 "'fields':{'amount':{'amount':5,'currency':'EUR'}}}");
    done(play);
    assert_has(record(play, "complaint", 1), "'state':'closed','open':false");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "'note':'paid back'");
    assert_has(record(play, "complaint", 1), "'transitions':['reopen']");
}

static void fields_are_changed_and_emptied_and_nothing_is_no_change(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{'subject':'late','notes':['a']}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'severity':'high','notes':null}}");
    done(play);
    assert_has(record(play, "complaint", 1), "'fields':{'severity':'high','subject':'late'}");
    assert_has(record(play, "complaint", 1), "'version':2");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "'changed':{'notes':null,'severity':'high'}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'severity':'high'}}");
    done(play);
    assert_has(record(play, "complaint", 1), "'version':2");
    assert_lacks(play_timeline(play, 1, seq + 1, 0), "'made'");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'subject':null}}");
    refused(play, E_INVALID, "the field \"subject\" is needed");
}

static void of_two_who_change_the_same_the_second_is_told(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{'subject':'late'}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'expect':1,'fields':{'subject':'a'}}");
    done(play);
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'expect':1,'fields':{'subject':'b'}}");
    refused(play, E_STALE, "it is version 2 by now, not 1");
    assert_has(record(play, "complaint", 1), "'subject':'a'");
}

static void an_external_id_finds_one_record_and_makes_it(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_command(play, "record.put", "1",
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'subject':'late'}}");
    done(play);
    assert_int_equal(play->result.record, 1);
    play_command(play, "record.put", NULL,
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'subject':'later'}}");
    done(play);
    assert_int_equal(play->result.record, 1);
    assert_has(record(play, "complaint", 1), "'erp':'A-1','subject':'later'");
    create(play, "{'subject':'x','erp':'A-1'}");
    refused(play, E_CONFLICT, "complaint 1 has that \"erp\" already");
    play_command(play, "record.put", "2",
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'subject':'x'}}");
    refused(play, E_CONFLICT, "it is there already, and about another customer");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'erp':'A-2'}}");
    done(play);
    create(play, "{'subject':'x','erp':'A-1'}");
    done(play);
}

static void others_in_a_role_hear_of_it_and_no_more_than_that(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'secret','contact':'Dan'},"
                 "'customers':{'dealer':[2]}}");
    done(play);
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_types(play, 2), "complaint.created complaint.received");
    assert_has(play_timeline(play, 2, seq, 2), "'role':'dealer'");
    assert_lacks(play_timeline(play, 2, seq, 2), "secret");
    assert_lacks(play_timeline(play, 1, seq, 1), "Dan");
}

/* -- Rules ------------------------------------------------------------------ */

static void rules_make_and_move_records_and_hear_of_them(void **state)
{
    struct play *play = *state;
    begin(play, "rule 'make' { on = 'Bad', run = function(event)\n"
                "  local case = create('complaint', { subject = event.text, severity = 'low' },\n"
                "    { owner = 'anna', lines = { { sku = 'tea', count = 2 } } })\n"
                "  log(case.id, case.state, case.severity, case.lines[1].sku) end }\n"
                "rule 'hear' { on = 'complaint.received', run = function(event, customer)\n"
                "  local case = event.record\n"
                "  case:set('severity', 'high') case:move('acknowledge') case:assign('bea')\n"
                "  customer:set('open', #records('complaint')) end }\n"
                "rule 'all' { on = { 'complaint.assigned', 'complaint.changed' },\n"
                "  run = function(event) log(event.type, event.record.owner) end }\n");
    uint64_t seq = play_track(play, "u1", "Bad", "{'text':'late'}");
    assert_has(play_timeline(play, 1, seq, 0), "complaint:1 received low tea");
    assert_has(record(play, "complaint", 1), "'state':'acknowledged'");
    assert_has(record(play, "complaint", 1), "'owner':'bea'");
    assert_has(record(play, "complaint", 1), "'severity':'high'");
    assert_string_equal(play_trait(play, "1", "open"), "1");
    assert_lacks(play_types(play, 1), "rule.failed");
}

static void a_rule_is_told_what_it_did_wrong_with_a_record(void **state)
{
    struct play *play = *state;
    begin(play, "rule 'r' { on = 'X', run = function(event)\n"
                "  local case = create('complaint', { subject = 'x' })\n"
                "  if event.n == 1 then case.subject = 'y' end\n"
                "  if event.n == 2 then log(case.sbject) end\n"
                "  if event.n == 3 then case:move('close') end\n"
                "  if event.n == 4 then create('complaint', { subject = 5 }) end\n"
                "  if event.n == 5 then case.move('close') end\n"
                "  if event.n == 6 then create('complaint', {}, { onwer = 'x' }) end\n"
                "end }\n");
    static const char *const wanted[] = {
        "record cannot be changed by assignment: use record:set(name, value)",
        "a complaint has no field \\\"sbject\\\"; did you mean \\\"subject\\\"?",
        "move: to \\\"close\\\" it, the field \\\"amount\\\" is needed",
        "create: \\\"subject\\\" is text",
        "write record:move(transition, fields), with a colon",
        "create knows no \\\"onwer\\\"; did you mean \\\"owner\\\"?",
    };
    for (int i = 0; i < 6; i++) {
        char data[20], text[200];
        size_t used = 0;
        snprintf(data, sizeof data, "{'n':%d}", i + 1);
        for (const char *at = wanted[i]; *at != '\0'; at++) /* quotes come back as ' */
            if (*at != '\\')
                text[used++] = *at == '"' ? '\'' : *at;
        text[used] = '\0';
        uint64_t seq = play_track(play, "u1", "X", data);
        const char *row = play_timeline(play, 1, seq, 1);
        char *plain = arena_text(&play->arena, text_of(row)).data != NULL
                          ? (char *)(uintptr_t)arena_text(&play->arena, text_of(row)).data
                          : NULL;
        size_t size = 0;
        for (const char *at = row; *at != '\0'; at++)
            if (*at != '\\')
                plain[size++] = *at;
        plain[size] = '\0';
        assert_has(plain, text);
    }
    assert_string_equal(record(play, "complaint", 1), ""); /* what failed has made nothing */
}

static void a_rule_changes_records_about_its_own_customer_only(void **state)
{
    struct play *play = *state;
    begin(play, "rule 'r' { on = 'X', run = function(event)\n"
                "  log(tostring(record('complaint', 1)), tostring(#records('complaint'))) end }\n");
    create(play, "{'subject':'late'}");
    uint64_t seq = play_track(play, "u2", "X", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "nil 0");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    seq = play_track(play, "u2", "X", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "complaint:1 1");
}

static void a_clients_event_that_is_called_so_means_nothing(void **state)
{
    struct play *play = *state;
    begin(play, "rule 'r' { on = 'complaint.received', run = function(event) log('heard') end }\n"
                "rule 'e' { on = 'E', run = function() emit('complaint.received', {}) end }\n");
    uint64_t seq = play_track(play, "u1", "complaint.received", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    assert_lacks(play_timeline(play, 1, seq, 0), "heard");
    seq = play_track(play, "u1", "E", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "is a type of the system");
    play_entry(play, LOG_CLIENT,
               "{'type':'record.create','user':'u1','data':{'kind':'complaint',"
               "'fields':{'subject':'x'}}}");
    assert_string_equal(record(play, "complaint", 1), "");
}

static void a_plugin_may_speak_of_records(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_entry(play, LOG_PLUGIN,
               "{'type':'record.create','ref':'1','by':'mail','data':{'kind':'complaint',"
               "'fields':{'subject':'x'}}}");
    done(play);
    assert_has(record(play, "complaint", 1), "'by':'mail'");
    play_entry(play, LOG_PLUGIN, "{'type':'owner.changed','ref':'1','data':{'owner':'x'}}");
    assert_lacks(play_profile(play, 1), "'o':'x'");
}

/* -- Limits, links, forgetting ----------------------------------------------- */

static void a_customer_has_so_many_open_records_and_no_more(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'records':2,'record_bytes':1024,'record_lines':1}");
    begin(play, "");
    create(play, "{'subject':'1','amount':{'amount':1,'currency':'EUR'}}");
    create(play, "{'subject':'2'}");
    create(play, "{'subject':'3'}");
    refused(play, E_LIMIT, "the customer has 2 open records: no more (limit records)");
    move(play, "close");
    done(play);
    create(play, "{'subject':'3'}");
    done(play);
    move(play, "reopen");
    refused(play, E_LIMIT, "limit records");
    char fields[1400];
    snprintf(fields, sizeof fields, "{'subject':'%01000d'}", 0);
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':2,'lines':"
                 "[{'sku':'a'},{'sku':'b'}]}");
    refused(play, E_LIMIT, "at most 1 lines (limit record_lines)");
    char data[1600];
    snprintf(data, sizeof data, "{'kind':'complaint','record':2,'fields':%s}", fields);
    play_command(play, "record.change", NULL, data);
    refused(play, E_LIMIT, "a record has at most 1024 bytes (limit record_bytes)");
}

static void links_are_seen_from_both_sides(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{'subject':'1'}");
    create(play, "{'subject':'2'}");
    play_command(play, "record.link", NULL,
                 "{'kind':'complaint','record':1,'to':'complaint:2','type':'duplicate'}");
    done(play);
    assert_has(record(play, "complaint", 1), "'links':[{'type':'duplicate','to':'complaint:2'}]");
    assert_has(record(play, "complaint", 2), "'links':[{'type':'duplicate','from':'complaint:1'}]");
    assert_has(play_types(play, 1), "complaint.linked");
    play_command(
        play, "record.link", NULL,
        "{'kind':'complaint','record':1,'to':'complaint:2','type':'duplicate','on':false}");
    assert_has(record(play, "complaint", 2), "'links':[]");
    play_command(play, "record.link", NULL, "{'kind':'complaint','record':1,'to':'complaint:9'}");
    refused(play, E_NOTFOUND, "there is no record to link to");
}

static size_t rows_of(struct play *play, char table)
{
    struct key prefix;
    key_start(&prefix, table);
    return play_count(play, &prefix);
}

static void a_record_goes_with_its_subject_and_a_role_with_her_who_had_it(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x','erp':'A','contact':'Dan','who':2},"
                 "'customers':{'dealer':[2]}}");
    play_command(play, "record.create", "2", "{'kind':'complaint','fields':{'subject':'y'}}");
    play_command(play, "record.link", NULL, "{'kind':'complaint','record':2,'to':'complaint:1'}");
    play_command(play, "record.link", NULL, "{'kind':'complaint','record':1,'to':'complaint:2'}");
    play_command(play, "erase.requested", "2", NULL);
    play_ticks(play);
    assert_string_equal(record(play, "complaint", 2), "");
    assert_has(record(play, "complaint", 1), "'customers':{},'fields':{'erp':'A','subject':'x'}");
    assert_has(record(play, "complaint", 1), "'links':[]");
    play_command(play, "erase.requested", "1", NULL);
    play_ticks(play);
    assert_string_equal(record(play, "complaint", 1), "");
    static const char tables[] = { 'R', 'D', 'J', 'I', 'L', 'T', 'k', 'o', 0 };
    for (const char *table = tables; *table != '\0'; table++)
        if (rows_of(play, *table) != 0)
            fail_msg("table %c has rows left", *table);
}

/* -- Deadlines ---------------------------------------------------------------- */

/* The play begins on Wednesday 2026-10-28 at 00:00 UTC, 01:00 in Berlin; the 30th is a holiday. */
static void a_deadline_runs_over_a_holiday_and_a_weekend_and_reminds(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_pass(play, 10 * HOUR_MS);
    create(play, "{'subject':'late'}");
    assert_has(record(play, "complaint", 1),
               "'deadlines':{'answer':{'status':'running','due':'2026-11-02T16:00:00.000Z'");
    assert_has(record(play, "complaint", 1),
               "'rule':'2wd after it came into the state \\'received\\', by the company's "
               "calendar'");
    assert_has(play_task(play, 1), "'title':'complaint 1: answer (late)','state':'open',"
                                   "'assignee':'ann'");
    assert_has(play_task(play, 1), "'about':'complaint:1'");
    move(play, "acknowledge");
    assert_has(record(play, "complaint", 1), "'status':'met'");
    assert_has(play_types(play, 1), "complaint.acknowledged reminder.closed complaint.met");
    assert_has(play_task(play, 1), "'state':'done'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void what_is_not_met_is_overdue_and_escalated_at_its_exact_time(void **state)
{
    struct play *play = *state;
    begin(play, "");
    create(play, "{'subject':'late','severity':'high'}");
    /* 4wh from 01:00 on are over at 13:00 in Berlin, 12:00 UTC. */
    play_pass(play, 12 * HOUR_MS - 1);
    assert_lacks(play_types(play, 1), "complaint.overdue");
    play_pass(play, 1);
    assert_has(play_types(play, 1), "complaint.overdue reminder.due");
    assert_has(record(play, "complaint", 1), "'status':'overdue','due':'2026-10-28T12:00:00.000Z'");
    play_pass(play, 2 * HOUR_MS - 1);
    assert_has(play_task(play, 1), "'assignee':'ann'");
    play_pass(play, 1);
    assert_has(play_task(play, 1), "'assignee':'bob'");
    /* The next working day closes at 17:00, 16:00 UTC. */
    play_pass(play, DAY_MS + 2 * HOUR_MS - 1);
    assert_has(play_task(play, 1), "'assignee':'bob'");
    play_pass(play, 1);
    assert_has(play_task(play, 1), "'assignee':'eve'");
    assert_has(record(play, "complaint", 1), "'escalated':2");
    move(play, "acknowledge");
    assert_has(record(play, "complaint", 1), "'status':'missed'");
    assert_has(play_types(play, 1), "complaint.missed");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void waiting_pauses_and_what_was_left_is_kept(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_pass(play, 9 * HOUR_MS);                         /* 10:00 in Berlin */
    create(play, "{'subject':'late','severity':'high'}"); /* due at 14:00 */
    play_pass(play, HOUR_MS);
    move(play, "ask");
    done(play);
    assert_has(record(play, "complaint", 1), "'status':'paused','left':'3h 0min of working time'");
    assert_has(play_task(play, 1), "'outcome':'paused'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
    play_pass(play, 5 * HOUR_MS); /* 16:00 */
    move(play, "resume");
    /* One hour today, the 30th is free, two on Monday: but tomorrow is Thursday and open. */
    assert_has(record(play, "complaint", 1), "'status':'running','due':'2026-10-29T10:00:00.000Z'");
    assert_has(record(play, "complaint", 1),
               "'reason':'it waited from 2026-10-28T10:00:00.000Z until 2026-10-28T15:00:00.000Z'");
    assert_has(play_types(play, 1), "complaint.rescheduled");
    assert_has(play_task(play, 2), "'state':'open'");
    play_pass(play, 19 * HOUR_MS);
    assert_has(play_types(play, 1), "complaint.overdue");
}

/* What was left is the same time, but it will be another moment. */
static void another_calendar_is_noted_while_it_waits(void **state)
{
    struct play *play = *state;
    char lua[6000];
    begin(play, "");
    play_pass(play, 9 * HOUR_MS);
    create(play, "{'subject':'late','severity':'high'}"); /* due at 14:00 */
    play_pass(play, HOUR_MS);
    move(play, "ask");
    snprintf(lua, sizeof lua, "%s", complaints);
    play_rules(play, lua); /* the same again */
    play_ticks(play);
    assert_lacks(record(play, "complaint", 1), "is another");
    memcpy(strstr(lua, "2026-10-30"), "2026-10-29", 10);
    play_rules(play, lua);
    done(play);
    play_ticks(play);
    assert_has(record(play, "complaint", 1), "'status':'paused','left':'3h 0min of working time'");
    assert_has(record(play, "complaint", 1),
               "'reason':'the calendar or the policy is another (bundle ");
    play_ticks(play);
    play_pass(play, 5 * HOUR_MS); /* 16:00 */
    memcpy(strstr(lua, "2026-10-29"), "2026-12-24", 10);
    play_rules(play, lua); /* no tick has come to it yet */
    move(play, "resume");
    assert_has(record(play, "complaint", 1),
               "until 2026-10-28T15:00:00.000Z, and the calendar is another (bundle ");
    assert_has(record(play, "complaint", 1), "'status':'running','due':'2026-10-29T10:00:00.000Z'");
}

static void a_field_that_it_goes_by_moves_it(void **state)
{
    struct play *play = *state;
    begin(play, "");
    play_pass(play, 9 * HOUR_MS);
    create(play, "{'subject':'late'}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'severity':'high'}}");
    assert_has(record(play, "complaint", 1), "'due':'2026-10-28T13:00:00.000Z'");
    assert_has(record(play, "complaint", 1), "'reason':'severity is high: 4wh instead of 2wd'");
    assert_has(play_task(play, 1), "'due':1793192400000");
}

/* A bundle with another policy: by slices of ticks, and before anything is due by the old one. */
static void another_policy_moves_what_runs_and_says_so(void **state)
{
    struct play *play = *state;
    char lua[6000];
    play_world(play, 0, "{'sweep_per_tick':1}");
    begin(play, "");
    play_pass(play, 9 * HOUR_MS);
    for (int i = 0; i < 3; i++)
        create(play, "{'subject':'late'}");
    snprintf(lua, sizeof lua, "%s", complaints);
    memcpy(strstr(lua, "'2wd'"), "'4wd'", 5);
    play_rules(play, lua);
    done(play);
    assert_true(play_ticks(play) >= 3);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_has(record(play, "complaint", i), "'due':'2026-11-04T16:00:00.000Z'");
        assert_has(record(play, "complaint", i),
                   "'was':'2026-11-02T16:00:00.000Z','due':'2026-11-04T16:00:00.000Z',"
                   "'reason':'the policy says 4wd instead of 2wd (bundle ");
    }
    memcpy(strstr(lua, "2026-10-30"), "2026-12-24", 10);
    play_rules(play, lua);
    play_ticks(play);
    assert_has(record(play, "complaint", 1), "the calendar or the policy is another (bundle ");
    assert_has(record(play, "complaint", 1), "'due':'2026-11-03T16:00:00.000Z','rule'");
    play_rules(play, "rule 'none' { on = 'X', run = function() end }");
    play_ticks(play);
    assert_has(record(play, "complaint", 1), "'status':'dropped'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
    move(play, "acknowledge");
    refused(play, E_NOTFOUND, "no kind is called \"complaint\"; there is none");
}

static void a_timer_that_fires_before_its_slice_goes_by_the_rules_of_now(void **state)
{
    struct play *play = *state;
    char lua[6000];
    play_world(play, 0, "{'sweep_per_tick':1}");
    begin(play, "");
    create(play, "{'subject':'a','severity':'high'}");
    create(play, "{'subject':'b','severity':'high'}");
    snprintf(lua, sizeof lua, "%s", complaints);
    memcpy(strstr(lua, "'4wh'"), "'6wh'", 5);
    play_pass(play, 12 * HOUR_MS - 1);
    play_rules(play, lua);
    play->now += 2;
    play_tick(play); /* both timers, and one slice */
    assert_lacks(play_types(play, 1), "complaint.overdue");
    play_pass(play, 2 * HOUR_MS);
    assert_has(play_types(play, 1), "complaint.overdue");
}

static void a_deadline_crosses_a_change_of_the_clock(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "calendar 'round' { zone = 'Europe/Berlin', hours = { ['mon-sun'] = '00:00-24:00' } "
               "}\n"
               "kind 'case' { roles = { customer = { subject = true } }, states = { 'open',\n"
               "  { name = 'waiting', waiting = true }, { name = 'done', final = true } },\n"
               "  transitions = { wait = { from = 'open', to = 'waiting' },\n"
               "    go = { from = 'waiting', to = 'open' } },\n"
               "  deadlines = { days = { from = 'open', due = '3d' },\n"
               "    hours = { from = 'open', due = '72h' },\n"
               "    work = { from = 'open', due = '72wh', calendar = 'round' } } }");
    done(play);
    play_identify(play, "u1", NULL);
    play->now = 1805968800000ll; /* 2027-03-25 10:00 UTC; the clock goes forward on the 28th */
    play_command(play, "record.create", "1", "{'kind':'case'}");
    done(play);
    assert_has(record(play, "case", 1), "'days':{'status':'running','due':'2027-03-28T09:00:00");
    assert_has(record(play, "case", 1), "'hours':{'status':'running','due':'2027-03-28T10:00:00");
    assert_has(record(play, "case", 1), "'work':{'status':'running','due':'2027-03-28T10:00:00");
    play->now += DAY_MS;
    play_command(play, "record.move", NULL, "{'kind':'case','record':1,'transition':'wait'}");
    assert_has(record(play, "case", 1), "'days':{'status':'paused','left':'2d 0min'");
    play->now += DAY_MS;
    play_command(play, "record.move", NULL, "{'kind':'case','record':1,'transition':'go'}");
    assert_has(record(play, "case", 1), "'days':{'status':'running','due':'2027-03-29T09:00:00");
    assert_has(record(play, "case", 1), "'hours':{'status':'running','due':'2027-03-29T10:00:00");
}

static void a_deadline_counts_from_a_field_once_it_says_when(void **state)
{
    struct play *play = *state;
    play_rules(play, "kind 'promise' { roles = { customer = { subject = true } },\n"
                     "  fields = { until_ = 'time' }, states = { 'open', 'kept' },\n"
                     "  transitions = { keep = { from = 'open', to = 'kept' } },\n"
                     "  deadlines = { keep = { from = 'open', since = 'until_', due = '1h',\n"
                     "    to = 'ann' } } }");
    done(play);
    play_identify(play, "u1", NULL);
    play_command(play, "record.create", "1", "{'kind':'promise'}");
    assert_has(record(play, "promise", 1), "'deadlines':{}");
    play_command(play, "record.change", NULL,
                 "{'kind':'promise','record':1,'fields':{'until_':'2026-10-28T10:00:00Z'}}");
    assert_has(record(play, "promise", 1), "'due':'2026-10-28T11:00:00.000Z'");
    play_command(play, "record.change", NULL,
                 "{'kind':'promise','record':1,'fields':{'until_':'2026-10-28T12:00:00Z'}}");
    assert_has(record(play, "promise", 1), "'reason':'until_ is another moment'");
    assert_has(record(play, "promise", 1), "'due':'2026-10-28T13:00:00.000Z'");
    play_command(play, "record.change", NULL,
                 "{'kind':'promise','record':1,'fields':{'until_':null}}");
    assert_has(record(play, "promise", 1), "'status':'dropped'");
}

static void a_record_about_nobody_has_deadlines_too(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "kind 'article' { fields = { name = 'text' }, states = { 'draft', 'public' },\n"
               "  transitions = { publish = { from = 'draft', to = 'public' } },\n"
               "  deadlines = { review = { from = 'draft', due = '1h', to = 'ann' } } }\n"
               "rule 'r' { on = 'article.overdue', run = function(event)\n"
               "  event.record:move('publish') end }");
    done(play);
    play_command(play, "record.create", NULL, "{'kind':'article','fields':{'name':'Tea'}}");
    done(play);
    play_pass(play, HOUR_MS);
    assert_has(record(play, "article", 1), "'state':'public'");
    assert_has(record(play, "article", 1), "'customer':null");
    assert_has(play_types(play, 0), "article.overdue article.public article.missed");
}

static void what_two_bundles_call_the_same_is_one_table(void **state)
{
    struct play *play = *state;
    assert_int_not_equal(
        play_load(play, "kind 'a' { states = { 'x' } } kind 'a' { states = { 'x' } }"), 0);
    assert_has(play->err.text, "a kind called \"a\" is declared already");
    assert_int_not_equal(play_load(play, "kind 'a' { states = { 'x' } }\n"
                                         "rule 'r' { on = 'a.y', run = function() end }"),
                         0);
    assert_has(play->err.text, "nothing is called \"a.y\"");
    assert_int_not_equal(play_load(play, "kind 'a' { states = { 'x' }, deadlines = { d = {\n"
                                         "  from = 'x', due = '1wd', calendar = 'moon' } } }"),
                         0);
    assert_has(play->err.text, "no calendar is called \"moon\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_made_and_told_on_the_timeline),
        TEST(a_record_with_an_optional_subject_is_about_somebody_or_nobody),
        TEST(the_simplest_kind_may_be_about_somebody),
        TEST(what_has_no_sign_is_not_below_zero),
        TEST(a_record_that_is_wrong_is_refused_and_says_why),
        TEST(what_is_needed_is_not_blank),
        TEST(what_was_taken_blank_once_can_still_be_moved),
        TEST(a_state_changes_by_its_transitions_only),
        TEST(fields_are_changed_and_emptied_and_nothing_is_no_change),
        TEST(of_two_who_change_the_same_the_second_is_told),
        TEST(an_external_id_finds_one_record_and_makes_it),
        TEST(others_in_a_role_hear_of_it_and_no_more_than_that),
        TEST(rules_make_and_move_records_and_hear_of_them),
        TEST(a_rule_is_told_what_it_did_wrong_with_a_record),
        TEST(a_rule_changes_records_about_its_own_customer_only),
        TEST(a_clients_event_that_is_called_so_means_nothing),
        TEST(a_plugin_may_speak_of_records),
        TEST(a_customer_has_so_many_open_records_and_no_more),
        TEST(links_are_seen_from_both_sides),
        TEST(a_record_goes_with_its_subject_and_a_role_with_her_who_had_it),
        TEST(a_deadline_runs_over_a_holiday_and_a_weekend_and_reminds),
        TEST(what_is_not_met_is_overdue_and_escalated_at_its_exact_time),
        TEST(waiting_pauses_and_what_was_left_is_kept),
        TEST(another_calendar_is_noted_while_it_waits),
        TEST(a_field_that_it_goes_by_moves_it),
        TEST(another_policy_moves_what_runs_and_says_so),
        TEST(a_timer_that_fires_before_its_slice_goes_by_the_rules_of_now),
        TEST(a_deadline_crosses_a_change_of_the_clock),
        TEST(a_deadline_counts_from_a_field_once_it_says_when),
        TEST(a_record_about_nobody_has_deadlines_too),
        TEST(what_two_bundles_call_the_same_is_one_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
