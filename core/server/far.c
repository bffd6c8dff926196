/* far.c -- see far.h.
 *
 *     starting --FAR_STARTED--> serving --FAR_STOP--> stopping --FAR_STOPPED--> over
 *         |                        |                      |
 *         +--- time is up ---------+----------------------+--> killed: lost, or stuck at its end
 *
 * One timer is enough: a process that starts or stops is not asked whether it hangs.
 */
#include "core/server/far.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/outside/channel.h"
#include "core/plugin/plugin.h"
#include "core/plugin/remote.h"
#include "core/server/courier.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#define TARGET_SIZE 200
#define WAIT_MS 100 /* of a channel that takes nothing, to ask again: it may know by then */
#define BUSY_BYTES (4u << 20)     /* waiting for the socket: then nothing more is claimed */
#define FILE_DOC_BYTES (9u << 20) /* of a document with a file */

enum far_state { STARTING, SERVING, STOPPING, OVER };

struct far_channel {
    struct channel_status status;
    char target[TARGET_SIZE];
};

struct far {
    struct far_options options;
    struct courier *courier;
    int process;
    enum far_state state;
    uv_timer_t timer;
    bool is_asked;     /* whether it turns, and has not answered */
    bool was_starting; /* when it was told to stop */
    uint64_t pings;
    struct far_channel *channels;
    struct outside_numbers before; /* what it cannot count: of processes before it, refused here */
    void (*stopped)(void *arg, const struct outside_rest *rest);
    void *stopped_arg;
};

static const struct doc nothing = { NULL, 0 };

/* -- The end ----------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct far *far = handle->data;
    free(far->channels);
    free(far);
}

static void take_works(struct far *far, struct doc list)
{
    struct doc_iter it = doc_iter(list);
    for (size_t i = 0; i < OUTSIDE_WORKS_SHOWN; i++) {
        bool is_given = doc_next(&it) && it.value.type == DOC_INT64 && it.value.integer > 0;
        atomic_store(&far->options.numbers->works[i], is_given ? it.value.integer : 0);
    }
}

void far_close(struct far *far)
{
    if (far == NULL || far->state == OVER)
        return;
    far->state = OVER;
    take_works(far, nothing);
    courier_close(far->courier);
    close(far->process);
    uv_close((uv_handle_t *)&far->timer, on_timer_closed);
}

static void kill_process(const struct far *far)
{
    syscall(SYS_pidfd_send_signal, far->process, SIGKILL, NULL, 0);
}

static void finish(struct far *far, const struct outside_rest *rest)
{
    far_close(far);
    far->stopped(far->stopped_arg, rest);
}

static void lose(struct far *far, const char *why)
{
    const struct outside_rest rest = { .loss = why };
    if (far->state == OVER)
        return;
    kill_process(far);
    if (far->state == STOPPING) {
        finish(far, &rest);
        return;
    }
    far_close(far);
    far->options.lost(far->options.arg, why);
}

/* -- Time -------------------------------------------------------------------------------------- */

static void on_time(uv_timer_t *timer)
{
    struct far *far = timer->data;
    const struct outside_rest hung = {
        .hung = far->was_starting ? "its start()" : "its stop(), or a call before it,",
    };
    switch (far->state) {
    case STARTING:
        lose(far, "its start() has not returned");
        break;
    case STOPPING:
        kill_process(far);
        finish(far, &hung);
        break;
    case SERVING:
        if (far->is_asked) {
            lose(far, "it does not answer");
            break;
        }
        far->is_asked = true;
        courier_send(far->courier, FAR_PING, ++far->pings, nothing, true);
        uv_timer_start(timer, on_time, FAR_PATIENCE_MS, 0);
        break;
    case OVER:
        break;
    }
}

/* Something was handed down: it is to be looked whether it is taken. */
static void watch(struct far *far)
{
    if (far->state == SERVING && !uv_is_active((uv_handle_t *)&far->timer))
        uv_timer_start(&far->timer, on_time, FAR_LOOK_MS, 0);
}

/* -- Up: of the process ------------------------------------------------------------------------ */

static void take_started(struct far *far, struct doc doc)
{
    struct err err;
    int code = (int)doc_int(doc, "code", E_IO);
    struct text reason = doc_text(doc, "reason");
    if (far->state != STARTING)
        return;
    err_set(&err, E_IO, "%.*s", (int)reason.size, reason.size != 0 ? reason.data : "");
    uv_timer_stop(&far->timer);
    far->state = SERVING;
    if (code != 0)
        far_close(far);
    far->options.begun(far->options.arg, code != 0 ? E_IO : 0, &err);
}

static void take_stopped(struct far *far, struct doc doc)
{
    const struct outside_rest rest = {
        .timers = (size_t)doc_int(doc, "timers", 0),
        .watchers = (size_t)doc_int(doc, "watchers", 0),
        .works = (size_t)doc_int(doc, "works", 0),
        .fetches = (size_t)doc_int(doc, "fetches", 0),
        .wishes = (size_t)doc_int(doc, "wishes", 0),
        .is_stuck = doc_bool(doc, "stuck", false),
    };
    if (far->state == STOPPING)
        finish(far, &rest);
}

static void take_status(struct far *far, uint64_t number, struct doc doc)
{
    struct text target = doc_text(doc, "target");
    int64_t window = doc_int(doc, "window", 0), wait_ms = doc_int(doc, "wait_ms", 0);
    int64_t circuit = doc_int(doc, "circuit", 0), failures = doc_int(doc, "failures", 0);
    if (number >= far->options.plugin->channel_count) {
        lose(far, "it speaks of a channel that it has not");
        return;
    }
    struct far_channel *channel = &far->channels[number];
    size_t size = target.size < TARGET_SIZE ? target.size : TARGET_SIZE - 1;
    if (target.data != NULL)
        memcpy(channel->target, target.data, size);
    channel->target[target.data != NULL ? size : 0] = '\0';
    channel->status = (struct channel_status){
        .window = window > 0 ? (size_t)window : 0,
        .wait_ms = wait_ms > 0 && wait_ms < WAIT_MS ? wait_ms : WAIT_MS,
        .target = channel->target[0] != '\0' ? channel->target : NULL,
        .circuit = circuit > 0 && circuit <= CIRCUIT_HALF_OPEN ? (enum channel_circuit)circuit
                                                               : CIRCUIT_CLOSED,
        .failures = failures > 0 ? (size_t)failures : 0,
    };
}

static void add_numbers(atomic_uint_fast64_t *out, const atomic_uint_fast64_t *before,
                        struct doc list)
{
    size_t i = 0;
    for (struct doc_iter it = doc_iter(list); doc_next(&it) && i < OUTSIDE_CALLS; i++) {
        int64_t value = it.value.type == DOC_INT64 && it.value.integer > 0 ? it.value.integer : 0;
        atomic_store(&out[i], atomic_load(&before[i]) + (uint64_t)value);
    }
}

static void take_numbers(struct far *far, struct doc doc)
{
    struct outside_numbers *numbers = far->options.numbers;
    int64_t slow = doc_int(doc, "slow", 0);
    add_numbers(numbers->calls, far->before.calls, doc_child(doc, "calls"));
    add_numbers(numbers->failures, far->before.failures, doc_child(doc, "failures"));
    add_numbers(numbers->nanoseconds, far->before.nanoseconds, doc_child(doc, "nanoseconds"));
    atomic_store(&numbers->slow, atomic_load(&far->before.slow) + (uint64_t)(slow > 0 ? slow : 0));
    take_works(far, doc_child(doc, "works"));
}

static void take_pong(struct far *far, uint64_t number)
{
    if (far->state != SERVING || number != far->pings)
        return;
    far->is_asked = false;
    uv_timer_stop(&far->timer);
}

/* -- Up: of the plugin ------------------------------------------------------------------------- */

/* What outside.c and its like have checked there is checked once more: who was taken over sends
 * what he likes. */
struct bound {
    uint32_t kind;
    enum outside_call call; /* whose failure a refusal is; OUTSIDE_CALLS: nobody counts it */
    uint32_t bytes;         /* of the document */
    struct {
        const char *name;
        size_t bytes;
    } texts[5];
};

static const struct bound bounds[] = {
    { OUTSIDE_APPEND,
      CALL_APPEND,
      BATCH_BYTES_MAX + 4096,
      { { "type", TYPE_BYTES_MAX },
        { "customer", ID_BYTES_MAX },
        { "id", ID_BYTES_MAX },
        { "about", NAME_BYTES_MAX } } },
    { OUTSIDE_ASK,
      CALL_ASK,
      COURIER_DOC_BYTES_MAX,
      { { "method", NAME_BYTES_MAX }, { "staff", NAME_BYTES_MAX } } },
    { OUTSIDE_FILE_READ, CALL_FILE_READ, 4096, { { "hash", NAME_BYTES_MAX } } },
    { OUTSIDE_FILE_WRITE, CALL_FILE_WRITE, FILE_DOC_BYTES, { { "type", NAME_BYTES_MAX } } },
    { OUTSIDE_DELIVER, CALL_DELIVER, BATCH_BYTES_MAX, { { "effect", NAME_BYTES_MAX } } },
    { OUTSIDE_PAUSE,
      CALL_PAUSE,
      4096,
      { { "channel", NAME_BYTES_MAX }, { "reason", ERR_TEXT_MAX } } },
    { OUTSIDE_REPLY, CALL_REPLY, COURIER_DOC_BYTES_MAX, { { NULL, 0 } } },
    { OUTSIDE_ERASED, OUTSIDE_CALLS, 4096, { { NULL, 0 } } },
    { OUTSIDE_LOG, OUTSIDE_CALLS, 4096, { { "line", PLUGIN_LINE_BYTES_MAX } } },
    { OUTSIDE_COUNT, CALL_COUNT, 4096, { { "name", NAME_BYTES_MAX } } },
};

static const struct bound *bound_of(uint32_t kind)
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (bounds[i].kind == kind)
            return &bounds[i];
    return NULL;
}

static bool is_line(struct text line)
{
    for (uint32_t i = 0; i < line.size; i++)
        if ((uint8_t)line.data[i] < 0x20 || line.data[i] == 0x7f)
            return false;
    return true;
}

static bool is_within(const struct bound *bound, struct doc doc)
{
    bool is_good = doc.data != NULL && doc.size <= bound->bytes;
    for (size_t i = 0; is_good && i < 5 && bound->texts[i].name != NULL; i++) {
        struct text text = doc_text(doc, bound->texts[i].name);
        is_good = text.size <= bound->texts[i].bytes;
    }
    return is_good && (bound->kind != OUTSIDE_LOG || is_line(doc_text(doc, "line")));
}

/* Of what is answered, a refusal is an answer too. */
static bool is_wish(uint32_t kind)
{
    return kind <= OUTSIDE_FILE_WRITE;
}

static void refuse(struct far *far, uint64_t number, int32_t code, const struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "status", code);
    doc_open(&w, "result");
    doc_put_string(&w, "error", err->text);
    doc_close(&w);
    far_down(far, OUTSIDE_ANSWER, number, doc_end(&w));
    buf_deinit(&bytes);
}

/* Nobody waits for a refusal of anything else: the operator is told. */
static void tell_refusal(struct far *far, uint32_t kind, const struct err *err)
{
    struct buf bytes = BUF_INIT;
    char line[PLUGIN_LINE_BYTES_MAX];
    struct doc_writer w;
    snprintf(line, sizeof line, "%s was refused: %s",
             kind == OUTSIDE_DELIVER ? "deliver"
             : kind == OUTSIDE_PAUSE ? "pause"
             : kind == OUTSIDE_REPLY ? "reply"
                                     : "count",
             err->text);
    doc_begin(&w, &bytes);
    doc_put_int(&w, "level", KITH_WARNING);
    doc_put_string(&w, "line", line);
    far->options.ports.up(far->options.ports.arg, OUTSIDE_LOG, 0, doc_end(&w), NULL);
    buf_deinit(&bytes);
}

/* Its own outside has counted the call, as one that went well. */
static void count_refusal(struct far *far, enum outside_call call)
{
    if (call == OUTSIDE_CALLS)
        return;
    atomic_fetch_add(&far->before.failures[call], 1);
    atomic_fetch_add(&far->options.numbers->failures[call], 1);
}

static void take_up(struct far *far, uint32_t kind, uint64_t number, struct doc doc)
{
    const struct bound *bound = bound_of(kind);
    struct err err = { 0 };
    if (bound == NULL || !is_within(bound, doc)) {
        lose(far, "it sends what no plugin sends");
        return;
    }
    int32_t code =
        far->options.ports.up(far->options.ports.arg, (enum outside_up)kind, number, doc, &err);
    if (code == KITH_OK || far->state == OVER)
        return;
    count_refusal(far, bound->call);
    if (is_wish(kind))
        refuse(far, number, code, &err);
    else if (kind != OUTSIDE_LOG)
        tell_refusal(far, kind, &err);
}

static void on_arrived(void *arg, uint32_t kind, uint64_t number, struct doc doc)
{
    struct far *far = arg;
    switch (kind) {
    case FAR_STARTED:
        take_started(far, doc);
        break;
    case FAR_STOPPED:
        take_stopped(far, doc);
        break;
    case FAR_STATUS:
        take_status(far, number, doc);
        break;
    case FAR_NUMBERS:
        take_numbers(far, doc);
        break;
    case FAR_PONG:
        take_pong(far, number);
        break;
    default:
        take_up(far, kind, number, doc);
    }
}

static void on_ended(void *arg, const char *why)
{
    char words[REMOTE_WORDS_BYTES];
    struct far *far = arg;
    lose(far, remote_await_end(far->process, FAR_END_MS, words) ? words : why);
}

/* -- Down -------------------------------------------------------------------------------------- */

/* Too much waits for it already: it never hears of this one. */
static void turn_away(struct far *far, uint64_t request)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "status", 503);
    far->options.ports.up(far->options.ports.arg, OUTSIDE_REPLY, request, doc_end(&w), NULL);
    buf_deinit(&bytes);
}

/* Only the bodies of requests can be many and large: what else goes down is bounded by what the
 * plugin has asked for, and by the window of its channels. */
void far_down(struct far *far, enum outside_down kind, uint64_t number, struct doc doc)
{
    if (far->state == OVER)
        return;
    watch(far);
    if (!courier_send(far->courier, kind, number, doc, kind != OUTSIDE_REQUEST))
        turn_away(far, number);
}

void far_status(struct far *far, size_t channel, struct channel_status *out_status)
{
    *out_status = far->channels[channel].status;
    if (far->state != SERVING || courier_waiting(far->courier) > BUSY_BYTES)
        out_status->window = 0;
}

void far_wind_down(struct far *far)
{
    if (far->state != OVER)
        courier_send(far->courier, FAR_WIND_DOWN, 0, nothing, true);
}

void far_stop(struct far *far, void (*done)(void *arg, const struct outside_rest *rest), void *arg)
{
    far->stopped = done;
    far->stopped_arg = arg;
    far->was_starting = far->state == STARTING;
    far->state = STOPPING;
    courier_send(far->courier, FAR_STOP, 0, nothing, true);
    uv_timer_start(&far->timer, on_time, PLUGIN_STOP_MS + FAR_STOP_MS, 0);
}

/* -- The beginning ----------------------------------------------------------------------------- */

static void copy_numbers(struct outside_numbers *out, const struct outside_numbers *numbers)
{
    for (size_t i = 0; i < OUTSIDE_CALLS; i++) {
        atomic_store(&out->calls[i], atomic_load(&numbers->calls[i]));
        atomic_store(&out->failures[i], atomic_load(&numbers->failures[i]));
        atomic_store(&out->nanoseconds[i], atomic_load(&numbers->nanoseconds[i]));
    }
    atomic_store(&out->slow, atomic_load(&numbers->slow));
}

struct far *far_start(const struct far_options *options, const struct remote_ends *ends)
{
    struct far *far = mem_zero(sizeof *far);
    far->options = *options;
    far->process = ends->process;
    far->channels = mem_zero((options->plugin->channel_count + 1) * sizeof *far->channels);
    for (size_t i = 0; i < options->plugin->channel_count; i++)
        far->channels[i].status.wait_ms = WAIT_MS;
    copy_numbers(&far->before, options->numbers);
    const struct courier_options wanted = {
        .loop = options->loop,
        .fd = ends->socket,
        .arrived = on_arrived,
        .ended = on_ended,
        .arg = far,
    };
    far->courier = courier_open(&wanted);
    uv_timer_init(options->loop, &far->timer);
    far->timer.data = far;
    uv_timer_start(&far->timer, on_time, FAR_START_MS, 0);
    courier_send(far->courier, FAR_START, options->first_number, nothing, true);
    return far;
}
