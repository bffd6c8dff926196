/* api_dry_run.c -- /v1/dry-runs: what an import would do, batch by batch, without doing it.
 *
 * One dry run at a time: each holds a part of the disk's pages and up to DRY_RUN_BYTES_MAX of
 * memory.  It ends when it is deleted, when nobody has asked it anything for DRY_RUN_IDLE_MS, and
 * after DRY_RUN_MS_MAX in any case; so one that was forgotten is in nobody's way.  Its work is done
 * on libuv's pool, one call after the other, while engine and loop go on.
 */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/http/http.h"
#include "core/plugin/set.h"
#include "core/script/host.h"
#include "core/server/api_command.h"
#include "core/server/dry_run.h"
#include "core/server/ingest_event.h"
#include "core/server/node.h"

#include <stdlib.h>
#include <uv.h>

#define BODY_MAX 1024

struct dry_run_session {
    struct api *api;
    uint64_t id;
    struct dry_run *dry_run; /* NULL while it is being opened */
    struct plugin_set *plugins;
    struct script_surroundings around;
    uv_timer_t timer;
    uint64_t end_ms; /* of the loop's time */
    bool is_busy;    /* a call is under way */
};

/* A call's own part of the work. */
struct errand {
    struct dry_run_session *session;
    struct submission *submission;
    struct ingest_terms terms;
    struct doc rest;
    uint16_t *places; /* in the request, of those accepted */
    size_t accepted;
    int64_t logged;
    struct buf rejected; /* array of {index, reason} */
    struct doc_writer w;
    int code;
    struct err err;
};

/* -- Its life -------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void session_end(struct dry_run_session *session)
{
    session->api->dry_run = NULL;
    dry_run_close(session->dry_run);
    plugin_set_free(session->plugins);
    uv_close((uv_handle_t *)&session->timer, on_closed);
}

void api_end_dry_run(struct api *api)
{
    if (api->dry_run != NULL)
        session_end(api->dry_run);
}

static void on_late(uv_timer_t *timer)
{
    session_end(timer->data);
}

static void session_begin_call(struct dry_run_session *session)
{
    session->is_busy = true;
    uv_timer_stop(&session->timer);
}

static void session_end_call(struct dry_run_session *session)
{
    uint64_t now = uv_now(session->api->loop);
    uint64_t left = session->end_ms > now ? session->end_ms - now : 0;
    session->is_busy = false;
    uv_timer_start(&session->timer, on_late, left < DRY_RUN_IDLE_MS ? left : DRY_RUN_IDLE_MS, 0);
}

static struct dry_run_session *session_new(struct api *api)
{
    static uint64_t last_id; /* the loop's */
    struct dry_run_session *session = mem_zero(sizeof *session);
    session->api = api;
    session->id = ++last_id;
    session->end_ms = uv_now(api->loop) + DRY_RUN_MS_MAX;
    uv_timer_init(api->loop, &session->timer);
    uv_unref((uv_handle_t *)&session->timer);
    session->timer.data = session;
    api->dry_run = session;
    return session;
}

/* The one that the path names, and this call has it to itself; NULL: answered. */
static struct errand *errand_begin(struct call *call)
{
    struct dry_run_session *session = call->api->dry_run;
    uint64_t id = 0, n = 0;
    bool is_id = event_id_parse(call_param(call, "id"), &id, &n) && n == 0;
    if (session == NULL || !is_id || session->id != id) {
        call_problem(call, 404,
                     "no such dry run: one ends %d s after the last call, and %d s after the first",
                     DRY_RUN_IDLE_MS / 1000, DRY_RUN_MS_MAX / 1000);
        return NULL;
    }
    if (session->is_busy) {
        call_problem(call, 409, "the dry run is at work: wait for the answer to the last call");
        return NULL;
    }
    struct errand *errand = arena_zero(&call->arena, sizeof *errand);
    errand->session = session;
    call->data = errand;
    session_begin_call(session);
    return errand;
}

/* -- Opening --------------------------------------------------------------------------- */

static void open_run(struct call *call)
{
    struct errand *errand = call->data;
    struct dry_run_session *session = errand->session;
    errand->code = plugin_set_view(call->api->plugins, &session->plugins, &errand->err);
    if (errand->code != 0)
        return;
    session->around.plugins = plugin_set_engine(session->plugins);
    const struct dry_run_options options = { .state = node_state(call->api->node),
                                             .log = node_log(call->api->node),
                                             .plugins = plugin_set_engine(session->plugins),
                                             .load_rules = script_load,
                                             .load_arg = &session->around };
    errand->code = dry_run_open(&options, &session->dry_run, &errand->err);
}

static void opened(struct call *call)
{
    struct errand *errand = call->data;
    struct doc_writer w;
    session_end_call(errand->session);
    if (errand->code != 0) {
        session_end(errand->session);
        call_error(call, errand->code, &errand->err);
        return;
    }
    doc_begin(&w, &call->out);
    doc_put_int(&w, "id", (int64_t)errand->session->id);
    call_reply(call, 201, doc_end(&w));
}

static void have_checkpoint(struct call *call)
{
    call_work(call, open_run, opened);
}

static void post_dry_run(struct call *call)
{
    if (call->api->dry_run != NULL) {
        call_problem(call, 409,
                     "a dry run is under way; it ends %d s after its last call at the latest",
                     DRY_RUN_IDLE_MS / 1000);
        return;
    }
    struct errand *errand = arena_zero(&call->arena, sizeof *errand);
    errand->session = session_new(call->api);
    call->data = errand;
    session_begin_call(errand->session);
    call_await(call, have_checkpoint);
}

/* -- A batch --------------------------------------------------------------------------- */

static void name_fault(struct errand *errand, size_t index, const char *reason)
{
    doc_open(&errand->w, "");
    doc_put_int(&errand->w, "index", (int64_t)index);
    doc_put_string(&errand->w, "reason", reason);
    doc_close(&errand->w);
}

static int take_event(void *arg, size_t index, struct doc event, const struct err *refused)
{
    struct errand *errand = arg;
    struct err err;
    int64_t at;
    if (index == 0) {
        errand->terms.sent = doc_get(errand->rest, "sentAt");
        errand->terms.context = doc_child(errand->rest, "context");
    }
    if (refused != NULL)
        name_fault(errand, index, refused->text);
    else if (ingest_event(errand->submission, event, SEGMENT_ANY, &errand->terms, &at, &err) != 0)
        name_fault(errand, index, err.text);
    else
        errand->places[errand->accepted++] = (uint16_t)index;
    return 0;
}

static int read_batch(struct call *call, struct errand *errand, struct err *err)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX,
                                               .document_bytes_max = EVENT_BYTES_MAX,
                                               .count_max = BATCH_EVENTS_MAX };
    struct buf json = BUF_INIT;
    size_t size;
    const char *body = http_body(call->request, &size);
    int rc = json_batch(call->api->reader, body, size, &limits, "batch", &json, take_event, errand,
                        &errand->rest, err);
    buf_deinit(&json);
    return rc;
}

static void apply_batch(struct call *call)
{
    struct errand *errand = call->data;
    errand->code =
        dry_run_apply(errand->session->dry_run, errand->submission, errand->logged, &errand->err);
}

static void reply_batch(struct call *call, struct errand *errand)
{
    const struct submission *submission = errand->submission;
    struct doc_writer w;
    doc_close(&errand->w);
    doc_begin(&w, &call->out);
    doc_put_bool(&w, "success", true);
    doc_put_array(&w, "rejected", doc_child(doc_end(&errand->w), "rejected"));
    doc_open_array(&w, "refused");
    for (size_t i = 0; i < submission->refusal_count; i++) {
        doc_open(&w, "");
        doc_put_int(&w, "index", errand->places[submission->refusals[i].index]);
        doc_put_string(&w, "reason", submission->refusals[i].reason);
        doc_close(&w);
    }
    doc_close(&w);
    call_reply(call, 200, doc_end(&w));
}

static void errand_end(struct errand *errand)
{
    session_end_call(errand->session);
    if (errand->submission != NULL)
        submission_unref(errand->submission);
    buf_deinit(&errand->rejected);
}

static void applied_batch(struct call *call)
{
    struct errand *errand = call->data;
    struct errand own = *errand; /* the call's memory ends with the answer */
    if (errand->code != 0)
        call_error(call, errand->code, &errand->err);
    else
        reply_batch(call, errand);
    errand_end(&own);
}

static void post_batch(struct call *call)
{
    struct errand *errand = errand_begin(call);
    struct err err;
    if (errand == NULL)
        return;
    const struct clock *clock = &call->api->clock;
    errand->logged = clock->wall_ms(clock->arg);
    errand->terms = (struct ingest_terms){
        .source = call->caller.name,
        .by = call_by(call),
        .received = errand->logged,
        .sent = { .type = DOC_NONE },
        .is_staff = true,
        .is_past = true,
        .forever = call_flag(call, "forever"),
        .historic = call_flag(call, "historic"),
    };
    errand->submission = submission_new(LOG_STAFF);
    errand->places = arena_alloc(&call->arena, BATCH_EVENTS_MAX * sizeof *errand->places);
    doc_begin(&errand->w, &errand->rejected);
    doc_open_array(&errand->w, "rejected");
    int rc = read_batch(call, errand, &err);
    if (rc >= 0) {
        call_work(call, apply_batch, applied_batch);
        return;
    }
    struct errand own = *errand;
    call_problem(call, rc == E_LIMIT ? 413 : 400, "%s", err.text);
    errand_end(&own);
}

/* -- The result ------------------------------------------------------------------------ */

static void report(struct call *call)
{
    struct errand *errand = call->data;
    dry_run_report(errand->session->dry_run, &call->out);
}

static void reported(struct call *call)
{
    struct errand *errand = call->data;
    session_end_call(errand->session);
    call_reply(call, 200, call_document(call));
}

static void get_dry_run(struct call *call)
{
    if (errand_begin(call) != NULL)
        call_work(call, report, reported);
}

static void delete_dry_run(struct call *call)
{
    struct errand *errand = errand_begin(call);
    if (errand == NULL)
        return;
    session_end(errand->session);
    call_reply(call, 200, (struct doc){ NULL, 0 });
}

static const struct field batch_fields[] = { { "batch", FIELD_DOCS, true },
                                             { "context", FIELD_DOC, false },
                                             { "sentAt", FIELD_TIME, false },
                                             FIELDS_END };

const struct route routes_dry_run[] = {
    { "POST", "/v1/dry-runs", SCOPE_ADMIN, BODY_MAX, true, post_dry_run,
      "Try out an import: the rules run on a copy in memory, and nothing is kept or sent", NULL,
      no_fields, "201 DryRun" },
    { "GET", "/v1/dry-runs/{id}", SCOPE_ADMIN, 0, false, get_dry_run,
      "What the batches would have done: customers, rules, reminders, messages", NULL, NULL,
      "DryRunReport" },
    { "POST", "/v1/dry-runs/{id}", SCOPE_ADMIN, BATCH_BYTES_MAX, false, post_batch,
      "The next batch: {\"batch\": [...]}", "forever historic", batch_fields, "BatchAnswer" },
    { "DELETE", "/v1/dry-runs/{id}", SCOPE_ADMIN, 0, false, delete_dry_run, "It is not needed",
      NULL, NULL, "Nothing" },
    ROUTES_END,
};
