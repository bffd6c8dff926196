/* record_sweep.c -- all open records once more, when what they go by has changed.
 *
 * A bundle may have another policy, another calendar or other states; a world another zone.  There
 * may be millions of records, so each tick looks at limits.sweep_per_tick of them, in the order of
 * their list, and row `m` `records` says where the next one begins.  What is due meanwhile is
 * worked out anew before it is told (record_fire): no record ever acts by the rules of before.
 */
#include "core/engine/record_inside.h"

#include <string.h>

static void key_open(struct key *key)
{
    key_start(key, 'J');
    key_byte(key, (uint8_t)RECORDS_OPEN);
}

static bool has_open(struct engine *engine)
{
    struct key prefix;
    struct cursor cursor;
    key_open(&prefix);
    cursor_open(&cursor, engine->state, &prefix);
    bool has_any = cursor_next(&cursor);
    cursor_close(&cursor);
    return has_any;
}

static void put_sweep(struct engine *engine, struct bytes next)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_binary(&w, "next", next.data, (uint32_t)next.size);
    meta_put(engine, "records", engine_doc(engine, &w));
}

void record_start_sweep(struct engine *engine)
{
    struct key first;
    if (!engine->records_are_swept && !has_open(engine))
        return;
    key_open(&first);
    put_sweep(engine, (struct bytes){ first.data, first.size });
    engine->records_are_swept = true;
}

/* The kind may say otherwise which states are final. */
static void relist(struct record_work *work)
{
    bool is_open =
        work->record.kind != NULL ? record_has_more(&work->record) : work->record.is_open;
    if (is_open == work->record.is_open)
        return;
    work->record.is_open = is_open;
    record_store(work->engine, &work->before, &work->record);
}

/* False: it is somebody's who is being erased, and costs nothing. */
static bool sweep_record(struct engine *engine, struct bytes row)
{
    struct key_reader reader = { row.data + 2, row.data + row.size };
    struct buf kind = BUF_INIT;
    struct record_work work;
    struct customer customer;
    uint64_t number;
    bool is_row = key_read_text(&reader, &kind) && key_read_number_down(&reader, &number);
    ASSERT(is_row);
    struct text name =
        arena_text(&engine->arena, (struct text){ (const char *)kind.data, (uint32_t)kind.size });
    buf_deinit(&kind);
    if (!record_work_load(&work, engine, &customer, name, number))
        return false;
    engine_begin_cause(engine);
    work.depth = 1;
    relist(&work);
    record_deadlines(&work);
    record_work_end(&work);
    return true;
}

/* The place of a slice: the key of the row that is next. */
static void read_next(struct engine *engine, struct key *out)
{
    struct doc_value next = doc_get(meta_get(engine, "records"), "next");
    key_open(out);
    if (next.type != DOC_BINARY || next.binary.size > sizeof out->data)
        return;
    out->size = (uint16_t)next.binary.size;
    memcpy(out->data, next.binary.data, out->size);
}

void record_sweep(struct engine *engine)
{
    struct cause *own = engine->cause;
    int64_t left = engine->config.limits.sweep_per_tick;
    struct key prefix, first;
    struct cursor cursor;
    bool has_more;
    if (!engine->records_are_swept)
        return;
    key_open(&prefix);
    read_next(engine, &first);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while ((has_more = cursor_next(&cursor)) && left > 0) {
        struct arena_mark mark = arena_mark(&engine->arena);
        uint8_t *row = arena_copy(&engine->arena, cursor.key.data, cursor.key.size);
        left -= sweep_record(engine, (struct bytes){ row, cursor.key.size });
        arena_release(&engine->arena, mark);
    }
    if (has_more)
        put_sweep(engine, cursor.key);
    else
        meta_put(engine, "records", (struct doc){ NULL, 0 });
    cursor_close(&cursor);
    engine->records_are_swept = has_more;
    engine->cause = own;
}
