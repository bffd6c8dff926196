/* call.c -- one request on its way through loop, engine and workers; see api.h.
 *
 * A call is one allocation with an arena.  It is reachable from exactly one place at a time:
 * the handler that runs, or the one thing it waits for.  So nothing has to be cancelled when
 * a peer leaves, and nothing is counted but the calls themselves.
 */
#include "core/server/call.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/http/http.h"
#include "core/http/http_local.h"
#include "core/server/api_idempotency.h"
#include "core/server/fold.h"
#include "core/server/metrics.h"
#include "core/server/node.h"
#include "core/server/say.h"
#include "storage/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define LIST_DEFAULT 50
#define AWAIT_MS 1000 /* for a checkpoint; it takes milliseconds unless much is under way */

struct call *call_new(struct api *api, struct http_request *request, const struct route *route)
{
    struct call *call = mem_zero(sizeof *call);
    call->api = api;
    call->request = request;
    call->route = route;
    call->begun_ns = clock_ns();
    api_hold(api);
    return call;
}

/* The answer has been given. */
static void call_end(struct call *call, int status)
{
    struct api *api = call->api;
    metrics_request(api->metrics, status, clock_ns() - call->begun_ns);
    arena_deinit(&call->arena);
    buf_deinit(&call->out);
    buf_deinit(&call->json);
    free(call);
    api_release(api);
}

void api_hold(struct api *api)
{
    api->calls++;
}

void api_release(struct api *api)
{
    api->calls--;
    if (api->calls == 0 && api->on_idle != NULL)
        api->on_idle(api->idle_arg);
}

/* -- Reading ----------------------------------------------------------------------------------- */

struct text call_param(const struct call *call, const char *name)
{
    size_t index = 0, size = strlen(name);
    const char *at = strchr(call->route->path, '{');
    while (at != NULL && (strncmp(at + 1, name, size) != 0 || at[1 + size] != '}')) {
        at = strchr(at + 1, '{');
        index++;
    }
    ASSERT(at != NULL); /* the route's own handler asks */
    return call->params[index];
}

struct text call_query(struct call *call, const char *name)
{
    struct buf value = BUF_INIT;
    struct text text = { NULL, 0 };
    int rc = http_query_find(call->request, name, &value);
    if (rc == 0 && utf8_valid(value.data, value.size))
        text =
            arena_text(&call->arena, (struct text){ value.size != 0 ? (const char *)value.data : "",
                                                    (uint32_t)value.size });
    buf_deinit(&value);
    return text;
}

bool call_flag(struct call *call, const char *name)
{
    struct text value = call_query(call, name);
    return value.data != NULL && !text_is(value, "0") && !text_is(value, "false");
}

bool call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                    int64_t otherwise, int64_t *out_value)
{
    struct text text = call_query(call, name);
    char *end = NULL;
    if (text.data == NULL) {
        *out_value = otherwise;
        return true;
    }
    long long value = strtoll(text.data, &end, 10);
    if (text.size == 0 || *end != '\0' || value < min || value > max) {
        call_problem(call, 400, "?%s= is a whole number from %lld to %lld", name, (long long)min,
                     (long long)max);
        return false;
    }
    *out_value = value;
    return true;
}

bool call_page(struct call *call, struct page *out_page)
{
    int64_t limit;
    if (!call_query_int(call, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit))
        return false;
    out_page->limit = (size_t)limit;
    out_page->after = call_query(call, "after");
    return true;
}

bool call_wait(struct call *call, bool otherwise, bool *out_wants_applied)
{
    struct text wait = call_query(call, "wait");
    if (wait.data != NULL && !text_is(wait, "durable") && !text_is(wait, "applied")) {
        call_problem(call, 400, "?wait= is durable or applied");
        return false;
    }
    *out_wants_applied = wait.data == NULL ? otherwise : text_is(wait, "applied");
    return true;
}

struct text call_by(const struct call *call)
{
    return call->caller.staff.size != 0 ? call->caller.staff : call->caller.name;
}

bool scopes_allow(uint32_t scopes, enum api_scope scope)
{
    if (scope == SCOPE_NONE || (scopes & 1u << SCOPE_ADMIN) != 0)
        return true;
    return (scopes & 1u << scope) != 0 ||
           (scope == SCOPE_READ && (scopes & 1u << SCOPE_STAFF) != 0);
}

bool call_may(const struct call *call, enum api_scope scope)
{
    return scopes_allow(call->caller.scopes, scope);
}

/* -- Answering --------------------------------------------------------------------------------- */

void call_reply_text(struct call *call, int status, const char *content_type, struct text body)
{
    idempotency_answered(call, status, content_type, body);
    http_respond(call->request, status, content_type, body.data, body.size);
    call_end(call, status);
}

static void reply_buf(struct call *call, int status, const char *content_type, struct buf *body)
{
    struct text text = { (const char *)body->data, (uint32_t)body->size };
    call_reply_text(call, status, content_type, text);
    buf_deinit(body);
}

void call_reply(struct call *call, int status, struct doc doc)
{
    struct buf text = BUF_INIT;
    if (call->answered != NULL && !call->is_once) { /* whoever asks has no use for JSON */
        http_local_forget(call->request);
        call->answered(call->answered_arg, status, doc);
    } else {
        json_write_doc(&text, doc);
        buf_byte(&text, '\n');
    }
    reply_buf(call, status, "application/json", &text);
}

struct http_request *call_take(struct call *call)
{
    struct http_request *request = call->request;
    call_end(call, 200);
    return request;
}

void call_challenge(struct http_request *request)
{
    http_add_field(request, "WWW-Authenticate", "Bearer, Basic realm=\"kith\", charset=\"UTF-8\"");
}

static void add_retry_after(struct call *call)
{
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)(call->retry_s != 0 ? call->retry_s : 1));
    http_add_field(call->request, "Retry-After", seconds);
}

void call_problem(struct call *call, int status, const char *format, ...)
{
    char detail[ERR_TEXT_MAX + 80];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    if (size >= (int)sizeof detail)
        detail[utf8_cut(detail, sizeof detail - 1, sizeof detail - 1)] = '\0';
    if (status == 401)
        call_challenge(call->request);
    if (status == 429 || status == 503)
        add_retry_after(call);
    struct buf body = BUF_INIT;
    http_problem_body(&body, status, detail);
    reply_buf(call, status, HTTP_PROBLEM_TYPE, &body);
}

static int status_of(int code)
{
    switch (code) {
    case E_INVALID:
        return 400;
    case E_DENIED:
        return 403;
    case E_NOTFOUND:
        return 404;
    case E_CONFLICT:
        return 409;
    case E_STALE:
        return 412;
    case E_LIMIT:
        return 422;
    case E_BUSY:
        return 429;
    case E_FULL:
    case E_IO:
        return 503;
    default:
        return 500;
    }
}

void call_error(struct call *call, int code, const struct err *err)
{
    int status = status_of(code);
    if (status == 500)
        say("%s %s: %s", http_method(call->request), call->route->path, err->text);
    call_problem(call, status, "%s", err->text);
}

/* -- Into the log ------------------------------------------------------------------------------ */

static void note_written(struct call *call, const struct submission *submission)
{
    struct api *api = call->api;
    if (submission->count != 0)
        fresh_wrote(&api->fresh, call->caller.name, submission->first_seq + submission->count - 1,
                    submission->count, api->clock.boot_ms(api->clock.arg));
}

static void on_submitted(void *arg, const struct submission *submission)
{
    struct call *call = arg;
    int64_t ns = clock_ns() - call->posted_ns;
    if (submission->wants_applied)
        metrics_apply(call->api->metrics, ns);
    else
        metrics_append(call->api->metrics, ns);
    call->is_written = submission->code == 0;
    call->api->waited_ns = ns;
    if (submission->code != 0) {
        call_problem(call, 503, "nothing was written: %s", submission->err.text);
        return;
    }
    note_written(call, submission);
    call->submitted(call, submission);
}

#define QUEUE_WAIT_S_MAX 60

/* The queue is full: what came out of it last had as much before it as there is now, so in that
 * time all that waits will have been written. */
static int64_t queue_wait_s(const struct api *api)
{
    int64_t wait_s = (api->waited_ns + 999999999) / 1000000000;
    return wait_s < 1 ? 1 : wait_s < QUEUE_WAIT_S_MAX ? wait_s : QUEUE_WAIT_S_MAX;
}

void call_submit(struct call *call, struct submission *submission,
                 void (*done)(struct call *call, const struct submission *submission))
{
    struct err err;
    int rc = node_health(call->api->node, &err) != 0 ? E_IO : 0;
    submission->done = on_submitted;
    submission->arg = call;
    call->submitted = done;
    call->posted_ns = clock_ns();
    if (rc == 0)
        rc = sequencer_post(node_sequencer(call->api->node), submission, &err);
    if (rc != 0) {
        submission_unref(submission);
        call->retry_s = rc == E_BUSY ? queue_wait_s(call->api) : 0;
        call_error(call, rc, &err);
    }
}

bool call_applied(struct call *call, const struct submission *submission)
{
    const struct engine_result *result = &submission->result;
    if (result->status != ENGINE_REFUSED)
        return true;
    struct err err;
    int code = err_set(&err, result->code, "%s", result->reason);
    if (code == E_INVALID) /* the request was well-formed */
        call_problem(call, 422, "%s", err.text);
    else
        call_error(call, code, &err);
    return false;
}

/* -- To the engine ----------------------------------------------------------------------------- */

static void on_engine(struct engine *engine, void *arg)
{
    struct call *call = arg;
    call->asked(engine, call);
}

static void on_asked(struct mail *mail, void *reader)
{
    struct call *call = ((struct job *)mail)->arg;
    (void)reader;
    call->done(call);
}

void call_ask(struct call *call, void (*run)(struct engine *engine, struct call *call),
              void (*done)(struct call *call))
{
    struct job *job = arena_alloc(&call->arena, sizeof *job);
    *job = (struct job){ .mail = { .handle = on_asked }, .run = on_engine, .arg = call };
    call->asked = run;
    call->done = done;
    fold_ask(node_fold(call->api->node), job);
}

/* -- For a checkpoint -------------------------------------------------------------------------- */

/* Two may end it, the fold and the timer; whoever comes second finds no call any more. */
struct await {
    struct job job; /* first */
    uv_timer_t timer;
    struct call *call; /* NULL: it has gone on */
    bool is_answered, is_closed;
};

static void await_free_if_over(struct await *await)
{
    if (await->is_answered && await->is_closed)
        free(await);
}

static void on_await_closed(uv_handle_t *handle)
{
    struct await *await = handle->data;
    await->is_closed = true;
    await_free_if_over(await);
}

/* The call goes on. */
static void await_end(struct await *await, bool is_behind)
{
    struct call *call = await->call;
    if (call == NULL)
        return;
    await->call = NULL;
    uv_close((uv_handle_t *)&await->timer, on_await_closed);
    call->is_behind = is_behind;
    call->done(call);
}

static void on_checkpoint(struct mail *mail, void *reader)
{
    struct await *await = (struct await *)mail;
    (void)reader;
    await->is_answered = true;
    await_end(await, false);
    await_free_if_over(await);
}

static void on_await_late(uv_timer_t *timer)
{
    await_end(timer->data, true);
}

void call_await(struct call *call, void (*done)(struct call *call))
{
    struct await *await = mem_zero(sizeof *await);
    await->job.mail.handle = on_checkpoint;
    await->call = call;
    await->timer.data = await;
    call->done = done;
    uv_timer_init(call->api->loop, &await->timer);
    uv_timer_start(&await->timer, on_await_late, AWAIT_MS, 0);
    fold_await(node_fold(call->api->node), &await->job);
}

void call_await_own(struct call *call, void (*done)(struct call *call))
{
    struct api *api = call->api;
    uint64_t end, shown = atomic_load(&node_fold(api->node)->shown);
    int64_t logged;
    log_end(node_log(api->node), &end, &logged);
    if (shown < end && fresh_must_wait(&api->fresh, call->caller.name, shown,
                                       api->clock.boot_ms(api->clock.arg))) {
        call_await(call, done);
        return;
    }
    call->is_behind = shown < end;
    done(call);
}

/* -- To the pool ------------------------------------------------------------------------------- */

static void on_worker(uv_work_t *work)
{
    struct call *call = work->data;
    call->worked(call);
}

static void on_worked(uv_work_t *work, int status)
{
    struct call *call = work->data;
    ASSERT(status == 0); /* nothing here is ever cancelled */
    call->done(call);
}

void call_work(struct call *call, void (*run)(struct call *call), void (*done)(struct call *call))
{
    uv_work_t *work = arena_zero(&call->arena, sizeof *work);
    work->data = call;
    call->worked = run;
    call->done = done;
    int rc = uv_queue_work(call->api->loop, work, on_worker, on_worked);
    ASSERT(rc == 0);
}
