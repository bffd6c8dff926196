/* stream_piece.c -- see stream_piece.h.
 *
 *     old    worker: rows from a snapshot, entries from the log
 *            if the snapshot does not reach so far, as below
 *     new    engine: rows    worker: entries from the log
 */
#include "core/server/stream_piece.h"

#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/server/call.h"
#include "core/server/metrics.h"
#include "core/server/node.h"
#include "core/server/say.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_EVENTS_MAX 500
#define PIECE_BYTES (STREAM_BACKLOG_BYTES / 2)

/* -- A piece ----------------------------------------------------------------------------------- */

static struct stream_piece *piece_new(const struct read_place *from)
{
    struct stream_piece *piece = mem_zero(sizeof *piece);
    piece->from = piece->to = *from;
    return piece;
}

void stream_piece_free(struct stream_piece *piece)
{
    if (piece == NULL)
        return;
    buf_deinit(&piece->items);
    buf_deinit(&piece->text);
    buf_deinit(&piece->types);
    free(piece);
}

size_t stream_piece_bytes(const struct stream_piece *piece)
{
    return sizeof *piece + piece->items.size + piece->text.size + piece->types.size;
}

bool stream_piece_has(const struct stream_piece *piece, const struct read_place *place)
{
    return !read_place_is_behind(&piece->from, place) && read_place_is_behind(&piece->to, place);
}

static bool is_wanted(const struct stream_piece *piece, const struct stream_item *item,
                      const struct buf *types)
{
    if (types->size == 0 || item->type_size == 0)
        return true;
    for (size_t at = 0; at < types->size;) {
        const char *type = (const char *)types->data + at;
        size_t size = strlen(type);
        if (size == item->type_size && memcmp(type, piece->types.data + item->type, size) == 0)
            return true;
        at += size + 1;
    }
    return false;
}

struct text stream_piece_cut(const struct stream_piece *piece, const struct read_place *place,
                             const struct buf *types, struct buf *scratch,
                             struct read_place *out_last)
{
    const struct stream_item *items = (const void *)piece->items.data;
    size_t start = 0, i = 0;
    for (; i < piece->count && !read_place_is_behind(&items[i].place, place); i++)
        start = items[i].end;
    if (types->size == 0 && i < piece->count) {
        *out_last = items[piece->count - 1].place;
        return (struct text){ (const char *)piece->text.data + start,
                              (uint32_t)(piece->text.size - start) };
    }
    buf_clear(scratch);
    for (; i < piece->count; start = items[i++].end)
        if (is_wanted(piece, &items[i], types)) {
            buf_append(scratch, piece->text.data + start, items[i].end - start);
            *out_last = items[i].place;
        }
    return (struct text){ (const char *)scratch->data, (uint32_t)scratch->size };
}

/* Other than 0 when it is large enough. */
static int add_event(void *arg, const struct read_place *place, struct text type, struct doc event)
{
    struct stream_piece *piece = arg;
    struct buf *text = &piece->text;
    char id[EVENT_ID_TEXT_MAX];
    struct text id_text = event_id_text(place->seq, place->n, id);
    buf_printf(text, "id: %.*s\ndata: ", (int)id_text.size, id_text.data);
    json_write_doc(text, event); /* one line, whatever is in it */
    buf_text(text, "\n\n");
    struct stream_item item = {
        .place = *place, .end = text->size, .type = piece->types.size, .type_size = type.size
    };
    buf_append(&piece->types, type.data, type.size);
    buf_append(&piece->items, &item, sizeof item);
    piece->count++;
    piece->to = *place;
    return text->size >= PIECE_BYTES;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static void read_entries(struct stream_reader *reader)
{
    struct stream_piece *piece = reader->piece;
    struct doc rows = { reader->rows.data, (uint32_t)reader->rows.size };
    struct log *log = node_log(reader->api->node);
    reader->rc = read_stream_each(log, rows, add_event, piece, &reader->err);
    struct read_place to = { (uint64_t)doc_int(rows, "seq", 0), (uint64_t)doc_int(rows, "n", 0) };
    bool is_cut = reader->rc != 0 || piece->text.size >= PIECE_BYTES;
    if (!is_cut)
        piece->to = to;
    piece->has_more = doc_bool(rows, "more", false) || read_place_is_behind(&to, &piece->to);
}

static void end(struct stream_reader *reader)
{
    struct stream_piece *piece = reader->piece;
    struct api *api = reader->api;
    reader->piece = NULL;
    reader->is_busy = false;
    if (reader->rc != 0)
        say("the stream waits, the log cannot be read: %s", reader->err.text);
    reader->done(reader->arg, piece);
    api_release(api);
}

static void on_new_work(uv_work_t *work)
{
    read_entries(work->data);
}

static void on_worked(uv_work_t *work, int status)
{
    ASSERT(status == 0); /* nothing here is ever cancelled */
    end(work->data);
}

static void on_rows(struct mail *mail, void *node)
{
    struct stream_reader *reader = (struct stream_reader *)mail;
    (void)node;
    int rc = uv_queue_work(reader->api->loop, &reader->work, on_new_work, on_worked);
    ASSERT(rc == 0);
}

static void on_engine(struct engine *engine, void *arg)
{
    struct stream_reader *reader = arg;
    read_stream(engine, &reader->piece->from, PIECE_EVENTS_MAX, &reader->rows);
}

static void ask(struct stream_reader *reader)
{
    reader->job = (struct job){ .mail = { .handle = on_rows }, .run = on_engine, .arg = reader };
    fold_ask(node_fold(reader->api->node), &reader->job);
}

/* With no rows the engine is asked: a snapshot that cannot be opened is no reason to wait. */
static void on_old_work(uv_work_t *work)
{
    struct stream_reader *reader = work->data;
    struct snapshot *snapshot;
    uint64_t seq;
    int64_t logged;
    if (snapshot_open(node_state(reader->api->node), &snapshot, NULL) != 0)
        return;
    snapshot_applied(snapshot, &seq, &logged);
    if (seq > reader->piece->from.seq)
        read_stream_stored(snapshot, &reader->piece->from, PIECE_EVENTS_MAX, &reader->rows);
    snapshot_close(snapshot);
    if (reader->rows.size != 0)
        read_entries(reader);
}

static void on_old_worked(uv_work_t *work, int status)
{
    struct stream_reader *reader = work->data;
    ASSERT(status == 0);
    if (reader->rows.size != 0)
        end(reader);
    else
        ask(reader);
}

void stream_read(struct stream_reader *reader, const struct read_place *from, bool is_old)
{
    ASSERT(!reader->is_busy);
    reader->is_busy = true;
    reader->rc = 0;
    reader->piece = piece_new(from);
    reader->work.data = reader;
    buf_clear(&reader->rows);
    api_hold(reader->api);
    metrics_stream_read(reader->api->metrics);
    if (!is_old) {
        ask(reader);
        return;
    }
    int rc = uv_queue_work(reader->api->loop, &reader->work, on_old_work, on_old_worked);
    ASSERT(rc == 0);
}
