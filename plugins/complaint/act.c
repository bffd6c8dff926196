/* act.c -- see act.h. */
#include "act.h"

#include <stdio.h>

#define ROOM 2048

struct act_id act_id(int64_t number)
{
    struct act_id id;
    snprintf(id.data, sizeof id.data, "complaint:%lld", (long long)number);
    return id;
}

int64_t act_number(struct kith_text id)
{
    const size_t from = sizeof "complaint:" - 1;
    int64_t number = 0;
    if (id.size <= from || id.size >= ACT_ID_MAX - from)
        return 0;
    for (size_t i = from; i < id.size && number < INT64_MAX / 100; i++)
        number = number * 10 + (id.data[i] - '0');
    return number > 0 && kith_is(id, act_id(number).data) ? number : 0;
}

int32_t act_change_all(const struct kith_engine *engine, struct kith_call *call,
                       struct kith_text record, struct kith_doc fields)
{
    char room[ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "record", record);
    kith_put_doc(&w, "fields", fields);
    return engine->act(call, "change", kith_end(&w));
}

int32_t act_change(const struct kith_engine *engine, struct kith_call *call,
                   struct kith_text record, const char *name, const struct kith_value *value)
{
    char room[512];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put(&w, name, value);
    return act_change_all(engine, call, record, kith_end(&w));
}

int32_t act_move(const struct kith_engine *engine, struct kith_call *call, struct kith_text record,
                 const char *transition, struct kith_doc fields)
{
    char room[ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "record", record);
    kith_put_string(&w, "transition", transition);
    kith_put_doc(&w, "fields", fields);
    return engine->act(call, "move", kith_end(&w));
}

int32_t act_link(const struct kith_engine *engine, struct kith_call *call, struct kith_text record,
                 struct kith_text to, const char *type)
{
    char room[ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "record", record);
    kith_put_text(&w, "to", to);
    kith_put_string(&w, "type", type);
    return engine->act(call, "link", kith_end(&w));
}

/* "survey complaint:17": of one complaint, one of each. */
static void put_key(struct kith_writer *w, const char *what, struct kith_text record)
{
    char key[ACT_ID_MAX + 32];
    snprintf(key, sizeof key, "%s %.*s", what, (int)record.size, record.data);
    kith_put_string(w, "key", key);
}

int32_t act_later(const struct kith_engine *engine, struct kith_call *call, struct kith_text record,
                  const char *what, struct kith_text due, const char *type)
{
    char room[ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    put_key(&w, what, record);
    kith_put_text(&w, "due", due);
    kith_put_string(&w, "emit", type);
    kith_open(&w, "data");
    kith_put_text(&w, "record", record);
    kith_close(&w);
    return engine->act(call, "after", kith_end(&w));
}

int32_t act_not_later(const struct kith_engine *engine, struct kith_call *call,
                      struct kith_text record, const char *what)
{
    char room[ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    put_key(&w, what, record);
    return engine->act(call, "cancel", kith_end(&w));
}

int32_t act_note(const struct kith_engine *engine, struct kith_call *call, const char *line)
{
    return engine->note(call, kith_text(line));
}
