/* record_fixture.c -- see record_fixture.h. */
#include "tests/core/engine/record_fixture.h"

#include "core/base/json_write.h"
#include "core/engine/read.h"

#include <stdio.h>

const char play_record_rules[] =
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

const char *play_record_shown(struct play *play, const char *kind, uint64_t number)
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

void play_record_begin(struct play *play, const char *rules)
{
    char lua[6000];
    snprintf(lua, sizeof lua, "%s%s", play_record_rules, rules);
    play_rules(play, lua);
    if (play->result.status != ENGINE_DONE)
        fail_msg("%s", play->result.reason);
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
}

void play_record_done(struct play *play)
{
    if (play->result.status != ENGINE_DONE)
        fail_msg("%s", play->result.reason);
}

void play_record_refused(struct play *play, int code, const char *reason)
{
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, reason);
    assert_int_equal(play->result.code, code);
}

void play_record_create(struct play *play, const char *fields)
{
    char data[2000];
    snprintf(data, sizeof data, "{'kind':'complaint','fields':%s}", fields);
    play_command(play, "record.create", "1", data);
}

void play_record_move(struct play *play, const char *transition)
{
    char data[300];
    snprintf(data, sizeof data, "{'kind':'complaint','record':1,'transition':'%s'}", transition);
    play_command(play, "record.move", NULL, data);
}
