/* stream.c -- subscribers and how far each is; see stream.h.
 *
 *     the engine has applied more
 *         -> one reader follows it, piece by piece          (head)
 *         -> each piece goes to all who stand where it begins, and is kept a while  (recent)
 *     a subscriber stands further back
 *         -> it waits in a queue; a second reader reads on from the place of the first of them,
 *            and whatever it reads goes to all in the queue who stand there  (lagging)
 *     a subscriber's peer does not take its bytes
 *         -> nothing is sent or kept for it until the connection says that it does  (blocked)
 *
 * A subscriber is in one of these three conditions or waits for news at the head; advance() is the
 * only place that decides in which.  So a thousand that stand at one place cost one read, and one
 * that stalls costs its backlog.  Reads are of places and not of subscribers, who may leave
 * meanwhile.
 *
 * While nobody listens nothing is followed, no timer runs, and nothing is kept.
 */
#include "core/server/stream.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/http/http.h"
#include "core/server/api.h"
#include "core/server/metrics.h"
#include "core/server/node.h"
#include "core/server/stream_piece.h"

#include <stdlib.h>

#define UNWANTED_MAX 64 /* pieces of a long past, until who breaks off need not begin again */
#define RETRY_MS 1000   /* of what could not be read; also what clients are told */

struct subscriber {
    struct subscriber *prev, *next; /* all of them */
    struct subscriber *behind_it;   /* in the queue of those who lag */
    struct stream *stream;
    struct http_request *request;
    struct read_place place; /* it has everything up to here */
    struct read_place told;  /* and was told so */
    struct buf types;        /* each ends with NUL; empty: all */
    bool is_blocked, is_lagging;
    bool was_silent;   /* since the last heartbeat */
    unsigned unwanted; /* pieces of which it wanted nothing, since it was told its place */
};

struct stream {
    struct mail news; /* first: of the engine, that it has applied something */
    struct api *api;
    struct subscriber *subscribers;
    size_t count;
    struct stream_reader head_reader, lag_reader;
    struct read_place head;     /* up to here it has been read, while there are subscribers */
    struct read_place lag_head; /* what that was when the lag reader began */
    struct stream_piece *recent, **recent_last;
    size_t recent_bytes;
    struct subscriber *lagging, **lagging_last;
    struct buf scratch;
    uv_timer_t heartbeat, retry;
    unsigned open_timers;
    bool is_following; /* `news` will come */
};

static void follow(struct stream *stream);

/* -- Kept pieces ------------------------------------------------------------------------------- */

static void drop_oldest(struct stream *stream)
{
    struct stream_piece *piece = stream->recent;
    stream->recent = piece->next;
    if (stream->recent == NULL)
        stream->recent_last = &stream->recent;
    stream->recent_bytes -= stream_piece_bytes(piece);
    stream_piece_free(piece);
}

static void drop_all(struct stream *stream)
{
    while (stream->recent != NULL)
        drop_oldest(stream);
}

static void keep(struct stream *stream, struct stream_piece *piece)
{
    *stream->recent_last = piece;
    stream->recent_last = &piece->next;
    stream->recent_bytes += stream_piece_bytes(piece);
    while (stream->recent_bytes > STREAM_RECENT_BYTES && stream->recent->next != NULL)
        drop_oldest(stream);
}

static const struct stream_piece *find_recent(const struct stream *stream,
                                              const struct read_place *place)
{
    const struct stream_piece *piece = stream->recent;
    while (piece != NULL && !stream_piece_has(piece, place))
        piece = piece->next;
    return piece;
}

/* -- One subscriber ---------------------------------------------------------------------------- */

/* False: not now, it is blocked.  To a peer that has gone all may be said. */
static bool tell(struct subscriber *subscriber, struct text text)
{
    int rc = http_stream_write(subscriber->request, text.data, text.size);
    subscriber->is_blocked = rc == E_BUSY;
    return !subscriber->is_blocked;
}

static void tell_place(struct subscriber *subscriber)
{
    char id[EVENT_ID_TEXT_MAX];
    struct buf *scratch = &subscriber->stream->scratch;
    struct text place = event_id_text(subscriber->place.seq, subscriber->place.n, id);
    buf_clear(scratch);
    buf_printf(scratch, "retry: %d\nid: %.*s\n\n", RETRY_MS, (int)place.size, place.data);
    if (tell(subscriber, (struct text){ (const char *)scratch->data, (uint32_t)scratch->size }))
        subscriber->told = subscriber->place;
    subscriber->unwanted = 0;
}

static void send_piece(struct subscriber *subscriber, const struct stream_piece *piece)
{
    struct read_place last = subscriber->told;
    struct text text = stream_piece_cut(piece, &subscriber->place, &subscriber->types,
                                        &subscriber->stream->scratch, &last);
    if (text.size != 0 && !tell(subscriber, text))
        return;
    subscriber->place = piece->to;
    subscriber->told = last;
    if (text.size != 0)
        subscriber->was_silent = false;
    subscriber->unwanted = text.size != 0 ? 0 : subscriber->unwanted + 1;
}

static void lag(struct subscriber *subscriber)
{
    struct stream *stream = subscriber->stream;
    subscriber->is_lagging = true;
    subscriber->behind_it = NULL;
    *stream->lagging_last = subscriber;
    stream->lagging_last = &subscriber->behind_it;
}

static void read_for_lagging(struct stream *stream)
{
    if (stream->lagging == NULL || stream->lag_reader.is_busy)
        return;
    stream->lag_head = stream->head;
    stream_read(&stream->lag_reader, &stream->lagging->place, true);
}

/* Send what is at hand; then it waits for news, for its peer, or for a read. */
static void advance(struct subscriber *subscriber)
{
    struct stream *stream = subscriber->stream;
    const struct stream_piece *piece;
    while (!subscriber->is_blocked && read_place_is_behind(&stream->head, &subscriber->place)) {
        piece = find_recent(stream, &subscriber->place);
        if (piece == NULL) {
            lag(subscriber);
            read_for_lagging(stream);
            return;
        }
        send_piece(subscriber, piece);
    }
}

static void on_drain(void *arg)
{
    struct subscriber *subscriber = arg;
    subscriber->is_blocked = false;
    if (!subscriber->is_lagging)
        advance(subscriber);
}

static void leave_queue(struct subscriber *subscriber)
{
    struct stream *stream = subscriber->stream;
    struct subscriber **at = &stream->lagging;
    while (*at != subscriber)
        at = &(*at)->behind_it;
    *at = subscriber->behind_it;
    if (*at == NULL)
        stream->lagging_last = at;
}

static void on_gone(void *arg)
{
    struct subscriber *subscriber = arg;
    struct stream *stream = subscriber->stream;
    if (subscriber->is_lagging)
        leave_queue(subscriber);
    if (subscriber->prev != NULL)
        subscriber->prev->next = subscriber->next;
    else
        stream->subscribers = subscriber->next;
    if (subscriber->next != NULL)
        subscriber->next->prev = subscriber->prev;
    http_stream_end(subscriber->request);
    buf_deinit(&subscriber->types);
    free(subscriber);
    metrics_stream(stream->api->metrics, --stream->count);
    if (stream->count != 0)
        return;
    uv_timer_stop(&stream->heartbeat);
    uv_timer_stop(&stream->retry);
    drop_all(stream);
}

/* -- Those who lag ----------------------------------------------------------------------------- */

static void on_retry(uv_timer_t *timer)
{
    struct stream *stream = timer->data;
    follow(stream);
    read_for_lagging(stream);
}

static bool could_not_read(const struct stream_piece *piece)
{
    return piece->has_more && !read_place_is_behind(&piece->to, &piece->from);
}

static void retry_later(struct stream *stream)
{
    if (stream->count != 0)
        uv_timer_start(&stream->retry, on_retry, RETRY_MS, 0);
}

static void on_old_read(void *arg, struct stream_piece *piece)
{
    struct stream *stream = arg;
    struct subscriber *waiting = stream->lagging, *next;
    if (could_not_read(piece)) {
        retry_later(stream);
        stream_piece_free(piece);
        return;
    }
    if (!read_place_is_behind(&piece->to, &piece->from)) /* what was there has been erased */
        piece->to = stream->lag_head;
    stream->lagging = NULL;
    stream->lagging_last = &stream->lagging;
    for (; waiting != NULL; waiting = next) {
        next = waiting->behind_it;
        waiting->is_lagging = false;
        if (!waiting->is_blocked && stream_piece_has(piece, &waiting->place))
            send_piece(waiting, piece);
        advance(waiting);
        bool must_hear = !waiting->is_lagging || waiting->unwanted >= UNWANTED_MAX;
        if (must_hear && !waiting->is_blocked &&
            read_place_is_behind(&waiting->place, &waiting->told))
            tell_place(waiting);
    }
    stream_piece_free(piece);
    read_for_lagging(stream);
}

/* -- The head ---------------------------------------------------------------------------------- */

static void on_new_read(void *arg, struct stream_piece *piece)
{
    struct stream *stream = arg;
    if (could_not_read(piece)) {
        retry_later(stream);
        stream_piece_free(piece);
        return;
    }
    bool has_more = piece->has_more;
    stream->head = piece->to;
    keep(stream, piece);
    for (struct subscriber *s = stream->subscribers; s != NULL; s = s->next)
        if (!s->is_blocked && !s->is_lagging)
            advance(s);
    if (stream->count == 0)
        drop_all(stream);
    else if (has_more)
        stream_read(&stream->head_reader, &stream->head, false);
    else
        follow(stream);
}

static void on_news(struct mail *mail, void *node)
{
    struct stream *stream = (struct stream *)mail;
    (void)node;
    stream->is_following = false;
    if (stream->count != 0 && !stream->head_reader.is_busy)
        stream_read(&stream->head_reader, &stream->head, false);
}

static void follow(struct stream *stream)
{
    if (stream->count == 0 || stream->is_following || stream->head_reader.is_busy)
        return;
    stream->is_following = true;
    fold_follow(node_fold(stream->api->node), &stream->news, stream->head.seq);
}

/* -- Silence ----------------------------------------------------------------------------------- */

static void on_heartbeat(uv_timer_t *timer)
{
    struct stream *stream = timer->data;
    for (struct subscriber *s = stream->subscribers; s != NULL; s = s->next) {
        bool has_moved = read_place_is_behind(&s->place, &s->told);
        if (s->was_silent && !s->is_blocked) {
            if (has_moved)
                tell_place(s);
            else
                tell(s, text_of(":\n\n"));
        }
        s->was_silent = true;
    }
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static void begin(struct stream *stream, const struct read_place *end)
{
    /* A read under way is of an earlier audience, whose head was not beyond this end. */
    if (!stream->head_reader.is_busy)
        stream->head = *end;
    uv_timer_start(&stream->heartbeat, on_heartbeat, STREAM_HEARTBEAT_MS, STREAM_HEARTBEAT_MS);
}

void stream_subscribe(struct stream *stream, struct http_request *request,
                      const struct read_place *after, const struct read_place *end,
                      const struct text *types, size_t type_count)
{
    struct subscriber *subscriber = mem_zero(sizeof *subscriber);
    subscriber->stream = stream;
    subscriber->request = request;
    subscriber->place = *after;
    for (size_t i = 0; i < type_count; i++) {
        buf_append(&subscriber->types, types[i].data, types[i].size);
        buf_byte(&subscriber->types, '\0');
    }
    subscriber->next = stream->subscribers;
    if (subscriber->next != NULL)
        subscriber->next->prev = subscriber;
    stream->subscribers = subscriber;
    if (stream->count++ == 0)
        begin(stream, end);
    metrics_stream(stream->api->metrics, stream->count);
    http_on_gone(request, on_gone, subscriber);
    http_stream_begin(request, 200, "text/event-stream", on_drain, subscriber);
    http_stream_limit(request, STREAM_BACKLOG_BYTES);
    tell_place(subscriber);
    advance(subscriber);
    follow(stream);
}

void stream_forget(struct stream *stream)
{
    drop_all(stream);
}

size_t stream_count(const struct stream *stream)
{
    return stream->count;
}

struct stream *stream_new(struct api *api)
{
    struct stream *stream = mem_zero(sizeof *stream);
    stream->news.handle = on_news;
    stream->api = api;
    stream->recent_last = &stream->recent;
    stream->lagging_last = &stream->lagging;
    stream->head_reader.api = stream->lag_reader.api = api;
    stream->head_reader.arg = stream->lag_reader.arg = stream;
    stream->head_reader.done = on_new_read;
    stream->lag_reader.done = on_old_read;
    uv_timer_init(api->loop, &stream->heartbeat);
    uv_timer_init(api->loop, &stream->retry);
    stream->heartbeat.data = stream->retry.data = stream;
    stream->open_timers = 2;
    return stream;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct stream *stream = handle->data;
    if (--stream->open_timers != 0)
        return;
    drop_all(stream);
    buf_deinit(&stream->scratch);
    buf_deinit(&stream->head_reader.rows);
    buf_deinit(&stream->lag_reader.rows);
    free(stream);
}

void stream_close(struct stream *stream)
{
    if (stream == NULL)
        return;
    ASSERT(stream->count == 0);
    uv_close((uv_handle_t *)&stream->heartbeat, on_timer_closed);
    uv_close((uv_handle_t *)&stream->retry, on_timer_closed);
}
