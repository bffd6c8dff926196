/* outside.c -- the beginning and the end of a plugin's outside side, and what stands around each
 * call; see outside.h.
 *
 *     outside_start() -- start() ---- serving ---- outside_wind_down() ---- outside_stop()
 *                          |failed                                              |
 *                          |                                             works have ended, or
 *                          v                                             PLUGIN_STOP_MS are over
 *                        stop()  <---------------------------------------------+
 *                          |
 *                        what is left is removed and counted; its handles close; memory goes
 *
 * A work that never ends keeps the plugin's memory alive for ever: then stop() is not called, and
 * nothing that the work may touch is given back.
 */
#include "core/outside/outside_inside.h"

#include "core/base/utf8.h"
#include "core/outside/asked.h"
#include "core/plugin/breadcrumb.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_BYTES 256 /* of start(), as the contract says */

/* -- Numbers ----------------------------------------------------------------------------------- */

static const char *const call_names[] = {
    [CALL_START] = "start",
    [CALL_STOP] = "stop",
    [CALL_SEND] = "send",
    [CALL_STATUS] = "status",
    [CALL_ROUTE] = "route",
    [CALL_JOB] = "job",
    [CALL_TIMER] = "timer",
    [CALL_SOCKET] = "socket",
    [CALL_WORK] = "work",
    [CALL_DONE] = "done",
    [CALL_ERASED] = "erased",
    [CALL_REREAD] = "reread",
    [CALL_APPEND] = "host.append",
    [CALL_ASK] = "host.ask",
    [CALL_FETCH] = "host.fetch",
    [CALL_SET_TIMER] = "host.timer",
    [CALL_WATCH] = "host.watch",
    [CALL_LISTEN] = "host.listen",
    [CALL_GIVE_WORK] = "host.work",
    [CALL_FILE_READ] = "host.file_read",
    [CALL_FILE_WRITE] = "host.file_write",
    [CALL_DELIVER] = "host.deliver",
    [CALL_PAUSE] = "host.pause",
    [CALL_REPLY] = "host.reply",
    [CALL_COUNT] = "host.count",
    [CALL_TO_JSON] = "host.to_json",
    [CALL_FROM_JSON] = "host.from_json",
    [CALL_FROM_FORM] = "host.from_form",
    [CALL_HMAC] = "host.hmac",
};

const char *outside_call_name(enum outside_call call)
{
    return call_names[call];
}

static const enum breadcrumb_call crumbs[] = {
    [CALL_START] = BREADCRUMB_START,  [CALL_STOP] = BREADCRUMB_STOP,
    [CALL_SEND] = BREADCRUMB_SEND,    [CALL_STATUS] = BREADCRUMB_SEND,
    [CALL_ROUTE] = BREADCRUMB_ROUTE,  [CALL_JOB] = BREADCRUMB_JOB,
    [CALL_TIMER] = BREADCRUMB_TIMER,  [CALL_SOCKET] = BREADCRUMB_WATCH,
    [CALL_WORK] = BREADCRUMB_WORK,    [CALL_DONE] = BREADCRUMB_DONE,
    [CALL_ERASED] = BREADCRUMB_STATE, [CALL_REREAD] = BREADCRUMB_STATE,
};

int64_t outside_enter(struct outside *outside, enum outside_call call)
{
    ASSERT(!outside->is_inside && call != CALL_WORK);
    outside->is_inside = true;
    breadcrumb_enter(breadcrumb_slot(), outside->plugin->number, 0, crumbs[call]);
    return clock_ns();
}

static void tell_slow(struct outside *outside, enum outside_call call, int64_t ns)
{
    char line[120];
    atomic_fetch_add(&outside->numbers->slow, 1);
    snprintf(line, sizeof line,
             "its %s held up the loop for %lld ms: what takes long belongs into work()",
             call_names[call], (long long)(ns / 1000000));
    outside_say(outside, KITH_WARNING, line);
}

void outside_leave(struct outside *outside, enum outside_call call, int64_t began_ns)
{
    int64_t ns = clock_ns() - began_ns;
    breadcrumb_leave(breadcrumb_slot());
    outside->is_inside = false;
    atomic_fetch_add(&outside->numbers->calls[call], 1);
    atomic_fetch_add(&outside->numbers->nanoseconds[call], (uint64_t)ns);
    if (ns > PLUGIN_SLOW_MS * 1000000ll && call != CALL_START && call != CALL_STOP)
        tell_slow(outside, call, ns);
}

void outside_failed(struct outside *outside, enum outside_call call)
{
    atomic_fetch_add(&outside->numbers->failures[call], 1);
}

/* -- Items and handles ------------------------------------------------------------------------- */

void outside_link(struct outside_item **list, struct outside_item *item, struct outside *outside)
{
    item->outside = outside;
    item->next = *list;
    item->link = list;
    if (item->next != NULL)
        item->next->link = &item->next;
    *list = item;
}

void outside_unlink(struct outside_item *item)
{
    *item->link = item->next;
    if (item->next != NULL)
        item->next->link = item->link;
    item->next = NULL;
    item->link = NULL;
}

static void free_if_over(struct outside *outside)
{
    if (!outside->is_freed || outside->handles != 0)
        return;
    buf_deinit(&outside->scratch);
    outside_json_drop(outside);
    pthread_mutex_destroy(&outside->works.mutex);
    pthread_cond_destroy(&outside->works.wanted);
    free(outside);
}

void outside_hold(struct outside *outside)
{
    outside->handles++;
}

void outside_release(struct outside *outside)
{
    outside->handles--;
    free_if_over(outside);
}

static void on_item_closed(uv_handle_t *handle)
{
    struct outside_item *item = handle->data;
    struct outside *outside = item->outside;
    free(item);
    outside_release(outside);
}

void outside_close_item(struct outside_item *item, uv_handle_t *handle)
{
    outside_unlink(item);
    handle->data = item;
    uv_close(handle, on_item_closed);
}

/* -- Calls of the plugin's --------------------------------------------------------------------- */

int32_t outside_code(int code)
{
    switch (code) {
    case 0:
        return KITH_OK;
    case E_NOTFOUND:
        return KITH_MISSING;
    case E_DENIED:
        return KITH_DENIED;
    case E_INVALID:
    case E_CONFLICT:
        return KITH_INVALID;
    case E_LIMIT:
        return KITH_LIMIT;
    case E_BUSY:
    case E_FULL:
        return KITH_BUSY;
    case E_IO:
        return KITH_IO;
    default:
        return KITH_FAILED;
    }
}

int32_t outside_refuse(struct outside *outside, int32_t code, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(&outside->err, E_INVALID, "%s", text);
    return code;
}

int32_t outside_allow(struct outside *outside, const char *need)
{
    if (outside->is_over)
        return outside_refuse(outside, KITH_DENIED, "the plugin has come to its end");
    if (need != NULL && !plugin_may(outside->plugin, need))
        return outside_refuse(outside, KITH_DENIED, "\"%s\" is not among its needs", need);
    return KITH_OK;
}

int32_t outside_end(struct outside *outside, enum outside_call call, int32_t code)
{
    char line[ERR_TEXT_MAX + 40];
    atomic_fetch_add(&outside->numbers->calls[call], 1);
    if (code == KITH_OK)
        return KITH_OK;
    outside_failed(outside, call);
    snprintf(line, sizeof line, "%s was refused: %s", call_names[call] + sizeof "host." - 1,
             outside->err.text);
    if (code != KITH_BUSY && !outside->is_over)
        outside_say(outside, KITH_WARNING, line);
    return code;
}

void outside_read(void *ours, size_t size, const void *theirs)
{
    size_t known = *(const size_t *)theirs;
    memset(ours, 0, size);
    memcpy(ours, theirs, known < size ? known : size);
}

int32_t outside_check(struct outside *outside, const char *what, struct kith_doc doc,
                      struct doc *out_doc)
{
    struct err err;
    *out_doc = (struct doc){ NULL, 0 };
    if (doc.size == 0)
        return KITH_OK;
    if (doc.size > BATCH_BYTES_MAX)
        return outside_refuse(outside, KITH_LIMIT, "%s has %zu bytes, at most %u are taken", what,
                              doc.size, BATCH_BYTES_MAX);
    if (doc_validate(doc.data, doc.size, NESTING_MAX, &err) != 0)
        return outside_refuse(outside, KITH_INVALID, "%s is no document: %s", what, err.text);
    *out_doc = (struct doc){ doc.data, (uint32_t)doc.size };
    return KITH_OK;
}

int32_t outside_up(struct outside *outside, enum outside_up kind, uint64_t number, struct doc doc)
{
    return outside->ports.up(outside->ports.arg, kind, number, doc, &outside->err);
}

/* -- What needs nothing ------------------------------------------------------------------------ */

static int32_t host_config(struct kith *kith, struct kith_doc *out)
{
    struct doc doc = kith->outside->plugin->secrets;
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

void outside_say(struct outside *outside, int32_t level, const char *line)
{
    struct buf bytes = BUF_INIT, clean = BUF_INIT;
    struct doc_writer w;
    size_t size = utf8_cut(line, strlen(line), PLUGIN_LINE_BYTES_MAX);
    utf8_clean(line, size, &clean);
    for (size_t i = 0; i < clean.size; i++)
        if (clean.data[i] < 0x20 || clean.data[i] == 0x7f)
            clean.data[i] = ' ';
    doc_begin(&w, &bytes);
    doc_put_int(&w, "level", level);
    doc_put_text(&w, "line", (struct text){ (const char *)clean.data, (uint32_t)clean.size });
    outside->ports.up(outside->ports.arg, OUTSIDE_LOG, 0, doc_end(&w), NULL);
    buf_deinit(&bytes);
    buf_deinit(&clean);
}

static void host_log(struct kith *kith, int32_t level, const char *line)
{
    if (line != NULL)
        outside_say(kith->outside, level, line);
}

static void host_count(struct kith *kith, const char *name, int64_t by)
{
    struct outside *outside = kith->outside;
    struct doc_writer w;
    int32_t code = outside_allow(outside, NULL);
    if (code == KITH_OK)
        code = outside_code(asked_count(name, by, &outside->err));
    if (code == KITH_OK) {
        buf_clear(&outside->scratch);
        doc_begin(&w, &outside->scratch);
        doc_put_string(&w, "name", name);
        doc_put_int(&w, "by", by);
        code = outside_up(outside, OUTSIDE_COUNT, 0, doc_end(&w));
    }
    outside_end(outside, CALL_COUNT, code);
}

static int64_t host_now(struct kith *kith)
{
    struct clock clock = kith->outside->clock;
    return clock.wall_ms(clock.arg);
}

static void host_random(struct kith *kith, void *data, size_t size)
{
    (void)kith;
    randombytes_buf(data, size);
}

static void fill_host(struct kith_host *host)
{
    *host = (struct kith_host){
        .size = sizeof *host,
        .level = KITH_LEVEL,
        .config = host_config,
        .log = host_log,
        .count = host_count,
        .now = host_now,
        .random = host_random,
    };
    outside_wishes_host(host);
    outside_timers_host(host);
    outside_sockets_host(host);
    outside_listen_host(host);
    outside_json_host(host);
    outside_works_host(host);
    outside_fetch_host(host);
}

/* -- Beginning --------------------------------------------------------------------------------- */

static struct outside *outside_make(const struct outside_options *options)
{
    struct outside *outside = mem_zero(sizeof *outside);
    outside->kith.outside = outside;
    outside->loop = options->loop;
    outside->plugin = options->plugin;
    outside->ports = options->ports;
    outside->numbers = options->numbers;
    outside->next_number = options->first_number;
    outside->clock = clock_machine();
    fill_host(&outside->host);
    outside_works_init(outside);
    uv_timer_init(outside->loop, &outside->patience);
    outside->patience.data = outside;
    outside_hold(outside);
    return outside;
}

static int32_t call_start(struct outside *outside, char reason[REASON_BYTES])
{
    int64_t began = outside_enter(outside, CALL_START);
    int32_t code = outside->plugin->start(&outside->host, &outside->kith, &outside->self, reason);
    outside_leave(outside, CALL_START, began);
    reason[REASON_BYTES - 1] = '\0';
    if (code == KITH_OK)
        return KITH_OK;
    outside_failed(outside, CALL_START);
    if (reason[0] == '\0')
        snprintf(reason, REASON_BYTES, "%.*s", REASON_BYTES - 1,
                 outside->err.text[0] != '\0' ? outside->err.text : "it does not say why");
    return code;
}

static void finish(struct outside *outside, bool may_stop);

int outside_start(const struct outside_options *options, struct outside **out_outside,
                  struct err *err)
{
    struct outside *outside = outside_make(options);
    char reason[REASON_BYTES] = "";
    int32_t code = outside->plugin->start != NULL ? call_start(outside, reason) : KITH_OK;
    if (code != KITH_OK) {
        bool may_stop = outside_works_close(outside) && outside->self != NULL;
        finish(outside, may_stop);
        return err_set(err, E_IO, "plugin %s: it does not start: %.*s", options->plugin->name,
                       (int)utf8_valid_prefix(reason, strlen(reason)), reason);
    }
    outside_jobs_start(outside);
    *out_outside = outside;
    return 0;
}

/* -- Ending ------------------------------------------------------------------------------------ */

void outside_wind_down(struct outside *outside)
{
    outside->is_winding_down = true;
    outside_jobs_stop(outside);
}

void outside_open(const struct outside *outside, struct outside_rest *out_rest)
{
    *out_rest = (struct outside_rest){
        .timers = outside->timer_count,
        .watchers = outside->watcher_count,
        .works = outside->works.open,
        .fetches = outside->fetch_count,
        .wishes = outside->wish_count,
    };
}

static void on_patience_closed(uv_handle_t *handle)
{
    outside_release(handle->data);
}

/* Nothing calls it any more.  Of one that is stuck the memory stays: a thread is in it. */
static void finish(struct outside *outside, bool may_stop)
{
    struct outside_rest rest;
    bool is_stuck = outside->works.running != 0;
    if (may_stop && !is_stuck && outside->plugin->stop != NULL) {
        int64_t began = outside_enter(outside, CALL_STOP);
        outside->plugin->stop(outside->self);
        outside_leave(outside, CALL_STOP, began);
    }
    outside->is_over = true;
    outside_open(outside, &rest);
    rest.is_stuck = is_stuck;
    outside_jobs_stop(outside);
    outside_timers_drop(outside);
    outside_sockets_drop(outside);
    outside_listen_drop(outside);
    outside_fetch_drop(outside);
    outside_wishes_drop(outside);
    outside_requests_drop(outside);
    outside_parcels_drop(outside);
    outside_works_drop(outside);
    uv_close((uv_handle_t *)&outside->patience, on_patience_closed);
    if (outside->stopped != NULL)
        outside->stopped(outside->stopped_arg, &rest);
    outside->is_freed = !is_stuck;
}

/* Works are looked at a few times: they end by themselves, and nobody waits for a wake-up that is
 * the plugin's own. */
#define LOOK_MS 10

static void on_look(uv_timer_t *timer)
{
    struct outside *outside = timer->data;
    bool is_late = ++outside->looks * LOOK_MS >= PLUGIN_STOP_MS;
    if (outside_works_close(outside) || is_late) {
        uv_timer_stop(timer);
        finish(outside, true);
    }
}

void outside_stop(struct outside *outside, void (*done)(void *arg, const struct outside_rest *rest),
                  void *arg)
{
    outside_wind_down(outside);
    outside->stopped = done;
    outside->stopped_arg = arg;
    /* The last answer that was waited for may be given by the plugin, which is in it then. */
    if (outside_works_close(outside) && !outside->is_inside) {
        finish(outside, true);
        return;
    }
    uv_timer_start(&outside->patience, on_look, LOOK_MS, LOOK_MS);
}

static void put_count(struct buf *out, size_t count, const char *one, const char *many)
{
    if (count != 0)
        buf_printf(out, "%s%zu %s", out->size != 0 ? ", " : "", count, count == 1 ? one : many);
}

void outside_rest_text(const struct outside_rest *rest, char out[OUTSIDE_REST_TEXT])
{
    struct buf text = BUF_INIT;
    put_count(&text, rest->timers, "timer", "timers");
    put_count(&text, rest->watchers, "watched descriptor", "watched descriptors");
    put_count(&text, rest->works, "work", "works");
    put_count(&text, rest->fetches, "fetch", "fetches");
    put_count(&text, rest->wishes, "unanswered call", "unanswered calls");
    if (rest->is_stuck)
        buf_printf(&text, "%sa work that does not end", text.size != 0 ? ", " : "");
    snprintf(out, OUTSIDE_REST_TEXT, "%s", buf_string(&text));
    buf_deinit(&text);
}
