/* test_record_plugin.c -- what of records is a plugin's alone, or a caller's own. */
#include "core/base/json_write.h"
#include "core/engine/read.h"
#include "tests/core/engine/engine_fixture.h"

static const char rules[] =
    "kind 'case' { fields = { subject = 'text',\n"
    "    in_time = { type = 'flag', by = 'plugin' },\n"
    "    signed_by = { type = 'text', by = 'caller' } },\n"
    "  roles = { customer = { subject = true } },\n"
    "  states = { 'open', 'late', { name = 'closed', final = true } },\n"
    "  transitions = { close = { from = '*', to = 'closed' },\n"
    "    expire = { from = 'open', to = 'late', by = 'plugin' } } }\n"
    "rule 'r' { on = 'X', run = function() record('case', 1):move('expire') end }\n";

static const char *shown(struct play *play)
{
    struct buf out = BUF_INIT, json = BUF_INIT;
    struct err err;
    int rc = read_record(play->engine, text_of("case"), 1, &out, &err);
    assert_int_equal(rc, 0);
    json_write_doc(&json, (struct doc){ out.data, (uint32_t)out.size });
    struct text text =
        arena_text(&play->arena, (struct text){ buf_string(&json), (uint32_t)json.size });
    buf_deinit(&out);
    buf_deinit(&json);
    return text.data;
}

static void begin(struct play *play)
{
    play_rules(play, rules);
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_identify(play, "u1", NULL);
    play_command(play, "record.create", "1", "{'kind':'case','fields':{'subject':'a'}}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static const char *change(struct play *play, const char *source, const char *fields)
{
    play_entry(play, LOG_STAFF,
               "{'type':'record.change','ref':'1','source':'%s','by':'x',"
               "'data':{'kind':'case','record':1,'fields':{%s}}}",
               source, fields);
    return play->result.status == ENGINE_DONE ? "" : play->result.reason;
}

static void a_field_of_a_plugins_is_refused_to_everybody_else(void **state)
{
    struct play *play = *state;
    begin(play);
    assert_has(change(play, "desk", "'in_time':true"), "the field \"in_time\" is written by a");
    assert_string_equal(change(play, "plugin:case", "'in_time':true"), "");
    assert_string_equal(change(play, "desk", "'in_time':true,'subject':'b'"), ""); /* as it is */
    assert_has(change(play, "desk", "'in_time':null"), "written by a plugin");
    play_command(play, "record.create", "1", "{'kind':'case','fields':{'in_time':true}}");
    assert_has(play->result.reason, "written by a plugin");
}

static void a_step_of_a_plugins_is_refused_to_everybody_else_and_is_not_possible(void **state)
{
    struct play *play = *state;
    begin(play);
    assert_has(shown(play), "\"transitions\":[\"close\"]");
    play_command(play, "record.move", "1", "{'kind':'case','record':1,'transition':'expire'}");
    assert_has(play->result.reason, "\"expire\" is a step that a plugin takes by itself");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "a step that a plugin takes by itself");
    play_entry(play, LOG_PLUGIN,
               "{'type':'record.move','ref':'1','source':'plugin:case',"
               "'data':{'kind':'case','record':1,'transition':'expire'}}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_has(shown(play), "\"state\":\"late\"");
}

static void whoever_signs_has_the_key(void **state)
{
    struct play *play = *state;
    begin(play);
    play_command(play, "staff.set", NULL, "{'name':'ann'}");
    play_command(play, "key.set", NULL, "{'name':'anns','hash':'h','staff':'ann','scopes':[]}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_has(change(play, "anns", "'signed_by':'bob'"), "and the key is ann's");
    assert_string_equal(change(play, "anns", "'signed_by':'ann'"), "");
    assert_string_equal(change(play, "office", "'signed_by':'bob'"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_field_of_a_plugins_is_refused_to_everybody_else),
        TEST(a_step_of_a_plugins_is_refused_to_everybody_else_and_is_not_possible),
        TEST(whoever_signs_has_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
