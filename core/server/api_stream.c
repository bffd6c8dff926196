/* api_stream.c -- GET /v1/stream: who wants to hear, from where, of what.
 *
 * The place comes from Last-Event-ID, which a client that was cut off sends by itself, else from
 * ?after=, else it is the end.  One that is not in the log any more, or not yet, is refused: a gap
 * that nobody is told of would be taken for silence.
 */
#include "core/base/limits.h"
#include "core/http/http.h"
#include "core/server/api.h"
#include "core/server/call.h"
#include "core/server/node.h"
#include "core/server/stream.h"

#include <inttypes.h>
#include <string.h>

struct wish {
    struct read_place after, end;
    bool has_after;
    struct text types[STREAM_TYPES_MAX];
    size_t type_count;
};

/* False: answered. */
static bool read_after(struct call *call, struct wish *wish)
{
    const char *last = http_field(call->request, "Last-Event-ID");
    struct text text = last != NULL && *last != '\0' ? text_of(last) : call_query(call, "after");
    wish->has_after = text.data != NULL;
    if (!wish->has_after || event_id_parse(text, &wish->after.seq, &wish->after.n))
        return true;
    call_problem(call, 400,
                 "%s is a sequence number of the log, or the id of an event such as 4711.2",
                 last != NULL && *last != '\0' ? "Last-Event-ID" : "?after=");
    return false;
}

/* False: answered. */
static bool read_types(struct call *call, struct wish *wish)
{
    const char *cursor = http_query(call->request);
    struct buf name = BUF_INIT, value = BUF_INIT;
    bool is_good = true;
    while (is_good && http_query_next(&cursor, &name, &value) == 0) {
        struct text text = { (const char *)value.data, (uint32_t)value.size };
        if (name.size != 4 || memcmp(name.data, "type", 4) != 0 || text.size == 0)
            continue;
        is_good = wish->type_count < STREAM_TYPES_MAX;
        if (is_good)
            wish->types[wish->type_count++] = arena_text(&call->arena, text);
    }
    buf_deinit(&name);
    buf_deinit(&value);
    if (!is_good)
        call_problem(call, 400, "at most %d types at once: leave ?type= away and choose yourself",
                     STREAM_TYPES_MAX);
    return is_good;
}

static void on_end(struct engine *engine, struct call *call)
{
    struct wish *wish = call->data;
    read_stream_end(engine, &wish->end);
}

/* False: answered. */
static bool is_possible(struct call *call, const struct wish *wish)
{
    uint64_t base = log_base(node_log(call->api->node));
    if (read_place_is_behind(&wish->after, &wish->end))
        call_problem(call, 409,
                     "the last event is %" PRIu64 ".%" PRIu64 ", and %" PRIu64 ".%" PRIu64
                     " comes after it: was an older copy of the data put back?",
                     wish->end.seq, wish->end.n, wish->after.seq, wish->after.n);
    else if (wish->has_after && wish->after.seq != 0 && wish->after.seq < base)
        call_problem(call, 410,
                     "the log begins behind entry %" PRIu64
                     ": what came before it is gone; ?after=0 is all there is",
                     base);
    else if (stream_count(call->api->stream) >= STREAM_SUBSCRIBERS_MAX)
        call_problem(call, 503, "%d follow the stream already, and more are not let in",
                     STREAM_SUBSCRIBERS_MAX);
    else
        return true;
    return false;
}

static void subscribe(struct call *call)
{
    struct wish wish = *(struct wish *)call->data;
    struct stream *stream = call->api->stream;
    struct arena arena;
    if (!wish.has_after)
        wish.after = wish.end;
    if (!is_possible(call, &wish))
        return;
    http_add_field(call->request, "Cache-Control", "no-store");
    http_add_field(call->request, "X-Accel-Buffering", "no");
    if (strcmp(http_method(call->request), "HEAD") == 0) {
        call_reply_text(call, 200, "text/event-stream", text_of(""));
        return;
    }
    arena = call->arena; /* the types lie in it */
    call->arena = (struct arena)ARENA_INIT;
    stream_subscribe(stream, call_take(call), &wish.after, &wish.end, wish.types, wish.type_count);
    arena_deinit(&arena);
}

static void listen(struct call *call)
{
    struct wish *wish = arena_zero(&call->arena, sizeof *wish);
    call->data = wish;
    if (read_after(call, wish) && read_types(call, wish))
        call_ask(call, on_end, subscribe);
}

const struct route routes_stream[] = {
    { "GET", "/v1/stream", SCOPE_READ, 0, false, listen,
      "Everything that happens, as server-sent events", "after type", NULL, "event-stream" },
    ROUTES_END,
};
