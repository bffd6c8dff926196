/* ingest.c -- Segment's HTTP tracking API: requests to submissions.
 *
 * POST /v1/identify, track, page, screen, group, alias take one event; batch and import
 * take {"batch": [...]}.  A request is one submission, so it is written whole or not at
 * all; a batch's bad events are left out and named in the answer, and never cost the
 * others.  Who waits until they are applied also hears which were `refused`: they are in
 * the log and changed nothing.
 *
 * The body is read as JSON whatever its Content-Type says: browsers send it as text/plain,
 * or as a form, to spare themselves a preflight.
 *
 * A replayed import is the exception to one submission: each event is written at its own
 * time, and between two of them the engine fires what was due, so each is a group.
 */
#include "core/server/ingest.h"

#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/http/http.h"
#include "core/server/api_command.h"
#include "core/server/ingest_event.h"
#include "core/server/metrics.h"
#include "core/server/node.h"

static const struct json_limits limits = {
    .depth_max = NESTING_MAX,
    .document_bytes_max = EVENT_BYTES_MAX,
    .count_max = BATCH_EVENTS_MAX,
};

/* -- Terms ------------------------------------------------------------------------------------- */

static struct ingest_terms terms_of(const struct call *call)
{
    const struct clock *clock = &call->api->clock;
    return (struct ingest_terms){
        .source = call->caller.name,
        .received = clock->wall_ms(clock->arg),
        .sent = { .type = DOC_NONE },
    };
}

static struct submission *submission_of(const struct call *call, const struct ingest_terms *terms)
{
    struct submission *submission = submission_new(terms->is_staff ? LOG_STAFF : LOG_CLIENT);
    size_t size;
    http_body(call->request, &size);
    submission->starts_clock = true;
    buf_reserve(&submission->entries, size + size / 4); /* what events usually become */
    return submission;
}

static void reply_success(struct call *call)
{
    call_reply_text(call, 200, "application/json", text_of("{\"success\":true}\n"));
}

/* -- One event --------------------------------------------------------------------------------- */

static enum segment_call call_of_path(const struct call *call)
{
    static const struct {
        char letter; /* after /v1/ */
        enum segment_call call;
    } paths[] = {
        { 'i', SEGMENT_IDENTIFY }, { 't', SEGMENT_TRACK }, { 'p', SEGMENT_PAGE },
        { 's', SEGMENT_SCREEN },   { 'g', SEGMENT_GROUP }, { 'a', SEGMENT_ALIAS },
    };
    size_t i = 0;
    while (paths[i].letter != call->route->path[sizeof "/v1/" - 1])
        i++;
    return paths[i].call;
}

static void one_written(struct call *call, const struct submission *submission)
{
    metrics_ingest(call->api->metrics, 1, 0);
    if (!submission->wants_applied || call_applied(call, submission))
        reply_success(call);
}

static int take_as_path_says(struct submission *submission, const struct call *call,
                             const struct ingest_terms *terms, struct err *err)
{
    int64_t at;
    return ingest_event(submission, call->body, call_of_path(call), terms, &at, err);
}

/* `take` NULL: a call of Segment's, as the path says. */
static void submit(struct call *call, ingest_take_fn *take)
{
    struct ingest_terms terms = terms_of(call);
    struct submission *submission = submission_of(call, &terms);
    struct err err;
    int64_t at;
    terms.id = call_entry_id(call);
    int rc = take != NULL ? take(submission, call->body, &terms, &at, &err)
                          : take_as_path_says(submission, call, &terms, &err);
    if (rc != 0) {
        metrics_ingest(call->api->metrics, 0, 1);
        submission_unref(submission);
        call_problem(call, 400, "%s", err.text);
    } else if (!call_wait(call, false, &submission->wants_applied)) {
        submission_unref(submission);
    } else {
        call_submit(call, submission, one_written);
    }
}

static void submit_one(struct call *call)
{
    submit(call, NULL);
}

void ingest_one(struct call *call, struct doc event, ingest_take_fn *take)
{
    call->body = event;
    submit(call, take);
}

static void one(struct call *call)
{
    struct err err;
    size_t size;
    const char *body = http_body(call->request, &size);
    int rc = json_to_doc(call->api->reader, body, size, &limits, &call->json, &call->body, &err);
    if (rc != 0)
        call_problem(call, rc == E_LIMIT ? 413 : 400, "%s", err.text);
    else if (call->caller.name.size != 0)
        submit_one(call);
    else
        call_admit(call, doc_text(call->body, "writeKey"), submit_one);
}

/* -- Many events ------------------------------------------------------------------------------- */

struct batch {
    struct call *call;
    struct ingest_terms terms;
    struct doc rest; /* the object around the events */
    struct text id;  /* of the call; events that have none get it with their place; may be empty */
    ingest_take_fn *take;
    bool is_list; /* the body is the array of events, with nothing around it */
    bool is_replay;
    bool wants_applied;
    struct submission *submission; /* that the next event goes into */
    struct submission **replay;    /* of a replay: one an event */
    size_t accepted, rejected;
    uint16_t *places;    /* of those accepted in the request; NULL: nobody will ask */
    struct doc_writer w; /* the answer, from the first rejected event on */
    size_t unwritten;    /* of a replay */
    size_t refused;
    struct err failure; /* the first of them */
};

/* The answer, when there is more to say than success.  `list` is that of its next item. */
static void batch_name(struct batch *batch, const char *list, bool is_first, size_t index,
                       const char *reason)
{
    struct doc_writer *w = &batch->w;
    if (is_first && batch->rejected + batch->refused == 0) {
        doc_begin(w, &batch->call->out);
        doc_put_bool(w, "success", true);
    } else if (is_first) {
        doc_close(w);
    }
    if (is_first)
        doc_open_array(w, list);
    doc_open(w, "");
    doc_put_int(w, "index", (int64_t)index);
    doc_put_string(w, "reason", reason);
    doc_close(w);
}

static void batch_reject(struct batch *batch, size_t index, const char *reason)
{
    batch_name(batch, "rejected", batch->rejected == 0, index, reason);
    batch->rejected++;
}

/* `first`: the place of the submission's first event among those accepted. */
static void batch_refuse(struct batch *batch, const struct submission *submission, size_t first)
{
    for (size_t i = 0; i < submission->refusal_count; i++) {
        const struct refusal *refusal = &submission->refusals[i];
        batch_name(batch, "refused", batch->refused == 0, batch->places[first + refusal->index],
                   refusal->reason);
        batch->refused++;
    }
}

/* JSON's reader has a limit, and does not know of what. */
static void batch_reject_unread(struct batch *batch, size_t index, const struct err *refused)
{
    struct err err = *refused;
    if (refused->code == E_LIMIT)
        err_set(&err, E_LIMIT, "%s: an event has at most %u KiB", refused->text,
                EVENT_BYTES_MAX >> 10);
    batch_reject(batch, index, err.text);
}

static void batch_reply(struct batch *batch)
{
    metrics_ingest(batch->call->api->metrics, batch->accepted, batch->rejected);
    if (batch->rejected + batch->refused == 0) {
        reply_success(batch->call);
        return;
    }
    doc_close(&batch->w);
    call_reply(batch->call, 200, doc_end(&batch->w));
}

/* The event just added is complete: in a replay the next one needs a submission of its own. */
static void batch_accept(struct batch *batch, size_t place, int64_t at)
{
    size_t index = batch->accepted++;
    if (batch->places != NULL)
        batch->places[index] = (uint16_t)place;
    if (!batch->is_replay)
        return;
    if (batch->replay == NULL)
        batch->replay =
            arena_alloc(&batch->call->arena, BATCH_EVENTS_MAX * sizeof(struct submission *));
    batch->submission->replay_at = at;
    batch->submission->starts_clock = true;
    batch->submission->wants_applied = batch->wants_applied;
    batch->replay[index] = batch->submission;
    batch->submission = submission_new(batch->submission->class);
}

static int batch_event(void *arg, size_t index, struct doc event, const struct err *refused)
{
    struct batch *batch = arg;
    struct err err;
    int64_t at;
    if (index == 0 && !batch->is_list) { /* what holds for all is known by now */
        batch->terms.sent = doc_get(batch->rest, "sentAt");
        batch->terms.context = doc_child(batch->rest, "context");
    }
    if (batch->id.size != 0)
        batch->terms.id = arena_printf(&batch->call->arena, "%s.%zu", batch->id.data, index);
    if (refused != NULL)
        batch_reject_unread(batch, index, refused);
    else if (batch->take(batch->submission, event, &batch->terms, &at, &err) != 0)
        batch_reject(batch, index, err.text);
    else
        batch_accept(batch, index, at);
    return 0;
}

static void batch_written(struct call *call, const struct submission *submission)
{
    struct batch *batch = call->data;
    batch_refuse(batch, submission, 0);
    batch_reply(batch);
}

static size_t replay_place(const struct batch *batch, const struct submission *submission)
{
    size_t i = 0;
    while (batch->replay[i] != submission)
        i++;
    return i;
}

static void replay_written(void *arg, const struct submission *submission)
{
    struct batch *batch = arg;
    if (submission->code != 0 && batch->failure.code == 0)
        batch->failure = submission->err;
    if (submission->code == 0)
        batch->call->is_written = true;
    if (submission->refusal_count != 0)
        batch_refuse(batch, submission, replay_place(batch, submission));
    if (--batch->unwritten != 0)
        return;
    if (batch->failure.code == 0)
        batch_reply(batch);
    else
        call_problem(batch->call, 503, "not all was written, send it again: %s",
                     batch->failure.text);
}

/* What the events cause happened long ago, and nobody wants last year's greetings: only now does
 * anybody know how long. */
static void replay_announce(const struct batch *batch, struct node *node)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct clock clock = batch->call->api->clock;
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "replay.started");
    doc_open(&w, "data");
    doc_put_int(&w, "until", clock.wall_ms(clock.arg));
    doc_close(&w);
    submission_end(submission, &w);
    submission->replay_at = batch->replay[0]->replay_at;
    submission->starts_clock = true;
    submission->must_not_fail = true; /* or the events behind it would be taken for new */
    sequencer_post_own(node_sequencer(node), submission);
}

/* All at once: the sequencer takes them one by one, each when the one before has been applied. */
static void replay_submit(struct batch *batch)
{
    struct node *node = batch->call->api->node;
    struct err err;
    batch->unwritten = batch->accepted;
    if (node_health(node, &err) != 0) {
        for (size_t i = 0; i < batch->accepted; i++)
            submission_unref(batch->replay[i]);
        call_error(batch->call, E_IO, &err);
        return;
    }
    replay_announce(batch, node);
    for (size_t i = 0; i < batch->accepted; i++) {
        batch->replay[i]->done = replay_written;
        batch->replay[i]->arg = batch;
        sequencer_post_own(node_sequencer(node), batch->replay[i]);
    }
}

static void batch_submit(struct batch *batch)
{
    struct submission *submission = batch->submission;
    batch->submission = NULL;
    if (batch->accepted != 0 && !batch->is_replay) {
        submission->wants_applied = batch->wants_applied;
        call_submit(batch->call, submission, batch_written);
        return;
    }
    submission_unref(submission);
    if (batch->accepted == 0)
        batch_reply(batch);
    else
        replay_submit(batch);
}

static int no_event(void *arg, size_t index, struct doc event, const struct err *refused)
{
    (void)arg;
    (void)index;
    (void)event;
    (void)refused;
    return 1; /* only the object around them is wanted */
}

/* `out_rest` NULL: there is nothing around the array.  False: answered. */
static bool batch_read(struct call *call, json_element_fn *each, void *arg, struct doc *out_rest)
{
    struct err err;
    size_t size;
    const char *body = http_body(call->request, &size);
    buf_clear(&call->json);
    int rc = out_rest != NULL ? json_batch(call->api->reader, body, size, &limits, "batch",
                                           &call->json, each, arg, out_rest, &err)
                              : json_array_each(call->api->reader, body, size, &limits, &call->json,
                                                each, arg, &err);
    if (rc == E_LIMIT)
        call_problem(call, 413, "%s: a batch has at most %d events; send the rest in another",
                     err.text, BATCH_EVENTS_MAX);
    else if (rc < 0)
        call_problem(call, 400, "%s", err.text);
    return rc >= 0;
}

static int take_any(struct submission *submission, struct doc event,
                    const struct ingest_terms *terms, int64_t *out_at, struct err *err)
{
    return ingest_event(submission, event, SEGMENT_ANY, terms, out_at, err);
}

/* `take` NULL: Segment's calls, in an object. */
static void batch_take(struct call *call, const struct ingest_terms *terms, bool is_replay,
                       ingest_take_fn *take)
{
    bool wants_applied;
    if (!call_wait(call, false, &wants_applied))
        return;
    struct batch *batch = arena_zero(&call->arena, sizeof *batch);
    batch->call = call;
    batch->terms = *terms;
    batch->take = take != NULL ? take : take_any;
    batch->is_list = take != NULL;
    batch->is_replay = is_replay;
    batch->wants_applied = wants_applied;
    batch->id = call_entry_id(call);
    if (wants_applied)
        batch->places = arena_alloc(&call->arena, BATCH_EVENTS_MAX * sizeof *batch->places);
    struct submission *submission = submission_of(call, terms);
    batch->submission = submission;
    call->data = batch;
    if (batch_read(call, batch_event, batch, batch->is_list ? NULL : &batch->rest))
        batch_submit(batch);
    else
        submission_unref(submission); /* no event was handed out, and the call has ended */
}

static void batch_admitted(struct call *call)
{
    struct ingest_terms terms = terms_of(call);
    batch_take(call, &terms, false, NULL);
}

void ingest_list(struct call *call, ingest_take_fn *take)
{
    struct ingest_terms terms = terms_of(call);
    batch_take(call, &terms, false, take);
}

static void import_admitted(struct call *call)
{
    struct ingest_terms terms = terms_of(call);
    bool is_replay = call_flag(call, "replay");
    terms.is_past = true;
    terms.forever = call_flag(call, "forever");
    terms.historic = call_flag(call, "historic");
    terms.is_staff = call_may(call, SCOPE_ADMIN);
    if (terms.is_staff)
        terms.by = call_by(call);
    if ((is_replay || terms.forever || terms.historic) && !terms.is_staff)
        call_problem(call, 403, "forever, historic and replay need a key that may administer");
    else
        batch_take(call, &terms, is_replay, NULL);
}

/* The key may be in the object around the events, which stands behind them as often as not: then
 * the body is read twice. */
static void many(struct call *call, void (*admitted)(struct call *call))
{
    struct doc rest;
    if (call->caller.name.size != 0)
        admitted(call);
    else if (batch_read(call, no_event, NULL, &rest))
        call_admit(call, doc_text(rest, "writeKey"), admitted);
}

static void batch(struct call *call)
{
    many(call, batch_admitted);
}

static void import(struct call *call)
{
    many(call, import_admitted);
}

/* -- The table --------------------------------------------------------------------------------- */

/* For the description only: ingest_event.c reads them. */
static const struct field call_fields[] = {
    { "userId", FIELD_CUSTOMER, false },  { "anonymousId", FIELD_CUSTOMER, false },
    { "event", FIELD_NAME, false },       { "name", FIELD_LINE, false },
    { "groupId", FIELD_CUSTOMER, false }, { "previousId", FIELD_CUSTOMER, false },
    { "traits", FIELD_DOC, false },       { "properties", FIELD_DOC, false },
    { "context", FIELD_DOC, false },      { "timestamp", FIELD_TIME, false },
    { "sentAt", FIELD_TIME, false },      { "messageId", FIELD_CUSTOMER, false },
    { "writeKey", FIELD_LINE, false },    FIELDS_END,
};

static const struct field batch_fields[] = {
    { "batch", FIELD_DOCS, true },
    { "context", FIELD_DOC, false },
    { "sentAt", FIELD_TIME, false },
    { "writeKey", FIELD_LINE, false },
    FIELDS_END,
};

#define ONE(path, summary)                                                      \
    {                                                                           \
        "POST", path, SCOPE_WRITE, EVENT_BYTES_MAX, false, one, summary, "wait", call_fields, \
            "Success"                                                       \
    }
#define MANY(path, handle, summary, queries)                                        \
    {                                                                               \
        "POST", path, SCOPE_WRITE, BATCH_BYTES_MAX, false, handle, summary, queries, batch_fields, \
            "BatchAnswer"                                                           \
    }

const struct route routes_ingest[] = {
    MANY("/v1/batch", batch, "Many events: {\"batch\": [...]}", "wait"),
    ONE("/v1/track", "Something happened: event, properties"),
    ONE("/v1/identify", "Who it is: traits"),
    ONE("/v1/page", "A page was viewed"),
    ONE("/v1/screen", "A screen of an app was viewed"),
    ONE("/v1/group", "Belongs to an organisation: groupId, traits"),
    ONE("/v1/alias", "Two identities are one: previousId"),
    MANY("/v1/import", import, "Events of the past, and commands", "wait forever historic replay"),
    MANY("/v1/b", batch, "The same as /v1/batch, for browsers", "wait"),
    ONE("/v1/t", "The same as /v1/track, for browsers"),
    ONE("/v1/i", "The same as /v1/identify, for browsers"),
    ONE("/v1/p", "The same as /v1/page, for browsers"),
    ONE("/v1/s", "The same as /v1/screen, for browsers"),
    ONE("/v1/g", "The same as /v1/group, for browsers"),
    ONE("/v1/a", "The same as /v1/alias, for browsers"),
    ROUTES_END,
};
