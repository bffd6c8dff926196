/* test_record.c -- records: made, changed, moved, found, told of, and forgotten. */
#include "core/base/json_write.h"
#include "core/engine/read.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/core/engine/record_fixture.h"

#include <stdio.h>

/* -- Made, changed, moved --------------------------------------------------- */

static void a_record_is_made_and_told_on_the_timeline(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'late','amount':{'amount':'12.50','currency':'EUR'}}");
    play_record_done(play);
    assert_int_equal(play->result.record, 1);
    assert_has(play_record_shown(play, "complaint", 1),
               "'kind':'complaint','id':1,'state':'received','open':true");
    assert_has(play_record_shown(play, "complaint", 1), "'owner':'carl','customer':1");
    assert_has(play_record_shown(play, "complaint", 1), "'amount':'12.50','currency':'EUR'");
    assert_has(play_types(play, 1), "record.create complaint.created complaint.received");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "'about':'complaint:1'");
    assert_has(play_timeline(play, 1, seq, 1), "'subject':'late'");
    play_record_create(play, "{'subject':'again'}");
    assert_int_equal(play->result.record, 2);
}

static void what_made_a_record_says_so_and_names_that_one(void **state)
{
    static const char put[] = "{'kind':'complaint','external':{'erp':'A-1'},"
                              "'fields':{'subject':'x'}}";
    struct play *play = *state;
    play_record_begin(play, "kind 'errand' { states = { 'open' } }\n"
                            "rule 'r' { on = 'complaint.created', run = function()\n"
                            "  create('errand', {}) create('errand', {}) end }\n");
    play_command(play, "record.put", "1", put);
    play_record_done(play);
    assert_true(play->result.is_made);
    assert_int_equal(play->result.record, 1); /* and not the errand that came of it */
    assert_has(play_record_shown(play, "errand", 2), "'state':'open'");
    play_command(play, "record.put", "1", put);
    play_record_done(play);
    assert_false(play->result.is_made);
    assert_int_equal(play->result.record, 1);
}

static void whoever_is_named_twice_in_a_role_is_in_it_once(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},"
                 "'customers':{'dealer':['user_id:u2','user_id:u1',2]}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1), "'dealer':[2,1]");
}

static void a_record_with_an_optional_subject_is_about_somebody_or_nobody(void **state)
{
    struct play *play = *state;
    play_record_begin(
        play, "kind 'errand' { roles = { customer = { subject = true, optional = true } },\n"
              "  states = { 'open' }, transitions = {}, owner = 'owner' }\n");
    play_command(play, "record.create", NULL, "{'kind':'errand','fields':{}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "errand", 1), "'owner':null,'customer':null");
    play_command(play, "record.create", "1", "{'kind':'errand','fields':{}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "errand", 2), "'customer':1");
    play_command(play, "record.create", NULL, "{'kind':'complaint','fields':{'subject':'x'}}");
    play_record_refused(play, E_INVALID, "a complaint is about a customer: one is needed");
}

static void the_simplest_kind_may_be_about_somebody(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "kind 'quick' { states = { 'open' } }\n"
                            "kind 'list' { roles = {}, states = { 'open' } }\n"
                            "rule 'r' { on = 'X', run = function() create('quick', {}) end }\n");
    play_command(play, "record.create", "1", "{'kind':'quick'}");
    play_record_done(play);
    assert_has(play_record_shown(play, "quick", 1), "'customer':1");
    play_command(play, "record.create", NULL, "{'kind':'quick'}");
    play_record_done(play);
    assert_has(play_record_shown(play, "quick", 2), "'customer':null");
    play_track(play, "u2", "X", NULL);
    assert_has(play_record_shown(play, "quick", 3), "'customer':2");
    play_command(play, "record.create", "1", "{'kind':'list'}");
    assert_has(play->result.reason, "a list is about nobody: name no customer");
    play_command(play, "record.create", NULL, "{'kind':'list'}");
    play_record_done(play);
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
    play_record_begin(play,
                      "kind 'bill' { roles = {}, states = { 'open' }, fields = { free = 'whole',\n"
                      "  money = { type = 'money', unsigned = true },\n"
                      "  part = { type = 'number', unsigned = true },\n"
                      "  whole = { type = 'whole', unsigned = true } } }\n");
    for (size_t i = 0; i < 5; i++) {
        snprintf(data, sizeof data, "{'kind':'bill','fields':{%s}}", below[i]);
        play_command(play, "record.create", NULL, data);
        play_record_refused(play, E_INVALID, "\" is zero or more");
        snprintf(data, sizeof data, "{'kind':'bill','fields':{%s}}", fine[i]);
        play_command(play, "record.create", NULL, data);
        play_record_done(play);
    }
}

static void no_money_at_all_has_no_sign(void **state)
{
    static const char *const rows[][2] = {
        { "'-0.00'", "'amount':'0.00','currency':'EUR'" },
        { "'-0'", "'amount':'0','currency':'EUR'" },
        { "-0.0", "'amount':0,'currency':'EUR'" },
        { "'-0.01'", "'amount':'-0.01','currency':'EUR'" },
    };
    struct play *play = *state;
    char data[200];
    play_record_begin(play, "kind 'bill' { roles = {}, states = { 'open' }, fields = {\n"
                            "  free = 'money', owed = { type = 'money', unsigned = true } } }\n");
    for (size_t i = 0; i < 4; i++) {
        snprintf(data, sizeof data,
                 "{'kind':'bill','fields':{'%s':{'amount':%s,'currency':'EUR'}}}",
                 i < 3 ? "owed" : "free", rows[i][0]);
        play_command(play, "record.create", NULL, data);
        play_record_done(play);
        assert_has(play_record_shown(play, "bill", i + 1), rows[i][1]);
    }
}

static void a_record_that_is_wrong_is_refused_and_says_why(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{}");
    play_record_refused(play, E_INVALID, "the field \"subject\" is needed");
    play_record_create(play, "{'subject':5}");
    play_record_refused(play, E_INVALID, "\"subject\" is text");
    play_record_create(play, "{'subject':'x','sevrity':'low'}");
    play_record_refused(play, E_INVALID,
                        "there is no field \"sevrity\" here; did you mean \"severity\"?");
    play_record_create(play, "{'subject':'x','severity':'hgih'}");
    play_record_refused(play, E_INVALID, "did you mean \"high\"?");
    play_record_create(play, "{'subject':'x','amount':12}");
    play_record_refused(play, E_INVALID, "\"amount\" is money");
    play_record_create(play, "{'subject':'x','who':'user_id:nobody'}");
    play_record_refused(play, E_NOTFOUND, "no such customer");
    play_record_create(play, "{'subject':'x','asked':'soon'}");
    play_record_refused(play, E_INVALID,
                        "\"asked\": \"soon\" is no time: write a duration (3d, 2h, 1wd)");
    play_record_create(play, "{'subject':'x','asked':true}");
    play_record_refused(play, E_INVALID, "\"asked\" is a time: \"3d\", \"1wd\"");
    play_command(play, "record.create", "1", "{'kind':'complant','fields':{}}");
    play_record_refused(play, E_NOTFOUND,
                        "no kind is called \"complant\"; did you mean \"complaint\"?");
    play_command(play, "record.create", NULL, "{'kind':'complaint','fields':{'subject':'x'}}");
    play_record_refused(play, E_INVALID, "a complaint is about a customer: one is needed");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},'lines':[{'count':1}]}");
    play_record_refused(play, E_INVALID, "each line needs the field \"sku\"");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},'lines':[{'sku':' '}]}");
    play_record_refused(play, E_INVALID, "each line needs the field \"sku\"");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x'},'customers':{'seller':2}}");
    play_record_refused(play, E_INVALID, "there is no role \"seller\"");
    assert_string_equal(play_record_shown(play, "complaint", 1), "");
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
    play_record_begin(play, lua);
}

static void what_is_needed_is_not_blank(void **state)
{
    struct play *play = *state;
    vows(play, ", required = true");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':''}}");
    play_record_refused(play, E_INVALID, "the field \"what\" is needed");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':' \xe3\x80\x80 '}}");
    play_record_refused(play, E_INVALID, "the field \"what\" is needed");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':'x','why':' '}}");
    play_record_done(play);
    play_command(play, "record.change", "1", "{'kind':'vow','record':1,'fields':{'what':' '}}");
    play_record_refused(play, E_INVALID, "the field \"what\" is needed");
    play_command(play, "record.move", "1",
                 "{'kind':'vow','record':1,'transition':'keep','fields':{'proof':' \\t'}}");
    play_record_refused(play, E_INVALID, "to \"keep\" it, the field \"proof\" is needed");
    play_command(play, "record.move", "1",
                 "{'kind':'vow','record':1,'transition':'keep','fields':{'proof':' y '}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "vow", 1), "'proof':' y '");
}

static void what_was_taken_blank_once_can_still_be_moved(void **state)
{
    struct play *play = *state;
    vows(play, "");
    play_command(play, "record.create", "1", "{'kind':'vow','fields':{'what':' '}}");
    play_record_done(play);
    vows(play, ", required = true");
    play_command(play, "record.move", "1", "{'kind':'vow','record':1,'transition':'drop'}");
    play_record_done(play);
    assert_has(play_record_shown(play, "vow", 1), "'state':'off'");
}

static void a_state_changes_by_its_transitions_only(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'late'}");
    play_record_move(play, "acknowledge");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1), "'state':'acknowledged'");
    assert_has(play_types(play, 1), "complaint.acknowledged");
    play_record_move(play, "acknowledge");
    play_record_refused(play, E_CONFLICT, "complaint 1 is acknowledged, and not received");
    play_record_move(play, "clsoe");
    play_record_refused(play, E_NOTFOUND,
                        "there is no transition \"clsoe\"; did you mean \"close\"?");
    play_record_move(play, "close");
    play_record_refused(play, E_INVALID, "to \"close\" it, the field \"amount\" is needed");
    play_command(play, "record.move", NULL,
                 "{'kind':'complaint','record':1,'transition':'close','note':'paid back',"
                 "'fields':{'amount':{'amount':5,'currency':'EUR'}}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1), "'state':'closed','open':false");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "'note':'paid back'");
    assert_has(play_record_shown(play, "complaint", 1), "'transitions':['reopen']");
}

static void fields_are_changed_and_emptied_and_nothing_is_no_change(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'late','notes':['a']}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'severity':'high','notes':null}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1),
               "'fields':{'severity':'high','subject':'late'}");
    assert_has(play_record_shown(play, "complaint", 1), "'version':2");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "'changed':{'notes':null,'severity':'high'}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'severity':'high'}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1), "'version':2");
    assert_lacks(play_timeline(play, 1, seq + 1, 0), "'made'");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'subject':null}}");
    play_record_refused(play, E_INVALID, "the field \"subject\" is needed");
}

static void of_two_who_change_the_same_the_second_is_told(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'late'}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'expect':1,'fields':{'subject':'a'}}");
    play_record_done(play);
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'expect':1,'fields':{'subject':'b'}}");
    play_record_refused(play, E_STALE, "it is version 2 by now, not 1");
    assert_has(play_record_shown(play, "complaint", 1), "'subject':'a'");
}

static void an_external_id_finds_one_record_and_makes_it(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_command(play, "record.put", "1",
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'subject':'late'}}");
    play_record_done(play);
    assert_int_equal(play->result.record, 1);
    play_command(play, "record.put", NULL,
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'subject':'later'}}");
    play_record_done(play);
    assert_int_equal(play->result.record, 1);
    assert_has(play_record_shown(play, "complaint", 1), "'erp':'A-1','subject':'later'");
    play_record_create(play, "{'subject':'x','erp':'A-1'}");
    play_record_refused(play, E_CONFLICT, "complaint 1 has that \"erp\" already");
    play_command(play, "record.put", "2",
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'subject':'x'}}");
    play_record_refused(play, E_CONFLICT, "it is there already, and about another customer");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','external':{'erp':'A-1'},'fields':{'erp':'A-2'}}");
    play_record_done(play);
    play_record_create(play, "{'subject':'x','erp':'A-1'}");
    play_record_done(play);
}

static void others_in_a_role_hear_of_it_and_no_more_than_that(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'secret','contact':'Dan'},"
                 "'customers':{'dealer':[2]}}");
    play_record_done(play);
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
    play_record_begin(
        play, "rule 'make' { on = 'Bad', run = function(event)\n"
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
    assert_has(play_record_shown(play, "complaint", 1), "'state':'acknowledged'");
    assert_has(play_record_shown(play, "complaint", 1), "'owner':'bea'");
    assert_has(play_record_shown(play, "complaint", 1), "'severity':'high'");
    assert_string_equal(play_trait(play, "1", "open"), "1");
    assert_lacks(play_types(play, 1), "rule.failed");
}

static void a_rule_is_told_what_it_did_wrong_with_a_record(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "rule 'r' { on = 'X', run = function(event)\n"
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
    assert_string_equal(play_record_shown(play, "complaint", 1),
                        ""); /* what failed has made nothing */
}

static void a_rule_changes_records_about_its_own_customer_only(void **state)
{
    struct play *play = *state;
    play_record_begin(
        play, "rule 'r' { on = 'X', run = function(event)\n"
              "  log(tostring(record('complaint', 1)), tostring(#records('complaint'))) end }\n");
    play_record_create(play, "{'subject':'late'}");
    uint64_t seq = play_track(play, "u2", "X", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "nil 0");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    seq = play_track(play, "u2", "X", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "complaint:1 1");
}

static void a_clients_event_that_is_called_so_means_nothing(void **state)
{
    struct play *play = *state;
    play_record_begin(
        play, "rule 'r' { on = 'complaint.received', run = function(event) log('heard') end }\n"
              "rule 'e' { on = 'E', run = function() emit('complaint.received', {}) end }\n");
    uint64_t seq = play_track(play, "u1", "complaint.received", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    assert_lacks(play_timeline(play, 1, seq, 0), "heard");
    seq = play_track(play, "u1", "E", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "is a type of the system");
    play_entry(play, LOG_CLIENT,
               "{'type':'record.create','user':'u1','data':{'kind':'complaint',"
               "'fields':{'subject':'x'}}}");
    assert_string_equal(play_record_shown(play, "complaint", 1), "");
}

static void nor_does_an_event_of_the_plugin_that_is_called_as_the_kind_is(void **state)
{
    struct play *play = *state;
    play_record_begin(play,
                      "rule 'r' { on = 'complaint.received', run = function() log('heard') end }");
    uint64_t seq = play_entry(play, LOG_PLUGIN,
                              "{'type':'complaint.received','ref':'1','by':'plugin:complaint',"
                              "'source':'plugin:complaint'}");
    assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    assert_lacks(play_timeline(play, 1, seq, 0), "heard");
}

static void a_plugin_may_speak_of_records(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_entry(play, LOG_PLUGIN,
               "{'type':'record.create','ref':'1','by':'mail','data':{'kind':'complaint',"
               "'fields':{'subject':'x'}}}");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1), "'by':'mail'");
    play_entry(play, LOG_PLUGIN, "{'type':'owner.changed','ref':'1','data':{'owner':'x'}}");
    assert_lacks(play_profile(play, 1), "'o':'x'");
}

/* -- Limits, links, forgetting ----------------------------------------------- */

static void a_customer_has_so_many_open_records_and_no_more(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'records':2,'record_bytes':1024,'record_lines':1}");
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'1','amount':{'amount':1,'currency':'EUR'}}");
    play_record_create(play, "{'subject':'2'}");
    play_record_create(play, "{'subject':'3'}");
    play_record_refused(play, E_LIMIT, "the customer has 2 open records: no more (limit records)");
    play_record_move(play, "close");
    play_record_done(play);
    play_record_create(play, "{'subject':'3'}");
    play_record_done(play);
    play_record_move(play, "reopen");
    play_record_refused(play, E_LIMIT, "limit records");
    char fields[1400];
    snprintf(fields, sizeof fields, "{'subject':'%01000d'}", 0);
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':2,'lines':"
                 "[{'sku':'a'},{'sku':'b'}]}");
    play_record_refused(play, E_LIMIT, "at most 1 lines (limit record_lines)");
    char data[1600];
    snprintf(data, sizeof data, "{'kind':'complaint','record':2,'fields':%s}", fields);
    play_command(play, "record.change", NULL, data);
    play_record_refused(play, E_LIMIT, "a record has at most 1024 bytes (limit record_bytes)");
}

static void links_are_seen_from_both_sides(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'1'}");
    play_record_create(play, "{'subject':'2'}");
    play_command(play, "record.link", NULL,
                 "{'kind':'complaint','record':1,'to':'complaint:2','type':'duplicate'}");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1),
               "'links':[{'type':'duplicate','to':'complaint:2'}]");
    assert_has(play_record_shown(play, "complaint", 2),
               "'links':[{'type':'duplicate','from':'complaint:1'}]");
    assert_has(play_types(play, 1), "complaint.linked");
    play_command(
        play, "record.link", NULL,
        "{'kind':'complaint','record':1,'to':'complaint:2','type':'duplicate','on':false}");
    assert_has(play_record_shown(play, "complaint", 2), "'links':[]");
    play_command(play, "record.link", NULL, "{'kind':'complaint','record':1,'to':'complaint:9'}");
    play_record_refused(play, E_NOTFOUND, "there is no record to link to");
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
    play_record_begin(play, "");
    play_command(play, "record.create", "1",
                 "{'kind':'complaint','fields':{'subject':'x','erp':'A','contact':'Dan','who':2},"
                 "'customers':{'dealer':[2]}}");
    play_command(play, "record.create", "2", "{'kind':'complaint','fields':{'subject':'y'}}");
    play_command(play, "record.link", NULL, "{'kind':'complaint','record':2,'to':'complaint:1'}");
    play_command(play, "record.link", NULL, "{'kind':'complaint','record':1,'to':'complaint:2'}");
    play_command(play, "erase.requested", "2", NULL);
    play_ticks(play);
    assert_string_equal(play_record_shown(play, "complaint", 2), "");
    assert_has(play_record_shown(play, "complaint", 1),
               "'customers':{},'fields':{'erp':'A','subject':'x'}");
    assert_has(play_record_shown(play, "complaint", 1), "'links':[]");
    play_command(play, "erase.requested", "1", NULL);
    play_ticks(play);
    assert_string_equal(play_record_shown(play, "complaint", 1), "");
    static const char tables[] = { 'R', 'D', 'J', 'I', 'L', 'T', 'k', 'o', 0 };
    for (const char *table = tables; *table != '\0'; table++)
        if (rows_of(play, *table) != 0)
            fail_msg("table %c has rows left", *table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_made_and_told_on_the_timeline),
        TEST(what_made_a_record_says_so_and_names_that_one),
        TEST(whoever_is_named_twice_in_a_role_is_in_it_once),
        TEST(a_record_with_an_optional_subject_is_about_somebody_or_nobody),
        TEST(the_simplest_kind_may_be_about_somebody),
        TEST(what_has_no_sign_is_not_below_zero),
        TEST(no_money_at_all_has_no_sign),
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
        TEST(nor_does_an_event_of_the_plugin_that_is_called_as_the_kind_is),
        TEST(a_plugin_may_speak_of_records),
        TEST(a_customer_has_so_many_open_records_and_no_more),
        TEST(links_are_seen_from_both_sides),
        TEST(a_record_goes_with_its_subject_and_a_role_with_her_who_had_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
