/* isolated.c -- see isolated.h.
 *
 *     FAR_START --> outside_start() --> FAR_STARTED
 *     what comes down --> outside_down();  what the plugin asks for --> up, to the socket
 *     after each turn of the loop: how much the channels take, when that has changed
 *     FAR_STOP --> outside_stop() --> FAR_STOPPED
 *
 * Until it is told to start this process has no outside: kithd begins some for the deterministic
 * side alone, to fold a log anew or to try an import.
 *
 * What the plugin asks for is taken here and answered there, so a refusal that only kithd can know
 * of comes as the answer.  What a signal from the terminal would end ends with kithd.
 */
#include "core/server/isolated.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/unshared.h"
#include "core/outside/channel.h"
#include "core/plugin/lane.h"
#include "core/plugin/plugin.h"
#include "core/server/courier.h"
#include "core/server/far.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define NUMBERS_MS 100 /* after calls were counted they are told of */

struct said { /* of a channel */
    size_t window, failures;
    enum channel_circuit circuit;
    int64_t wait_ms;
    struct buf target;
    bool is_said;
};

struct isolated {
    uv_loop_t loop;
    const struct plugin *plugin;
    struct courier *courier;
    struct outside *outside;
    struct outside_numbers numbers;
    uint64_t calls_told;                     /* of all kinds, when they were told of last ... */
    int64_t works_told[OUTSIDE_WORKS_SHOWN]; /* ... and works that were under way then */
    uv_prepare_t turn;
    uv_timer_t due; /* the numbers */
    struct said *said;
    struct buf bytes;
};

/* -- Up ---------------------------------------------------------------------------------------- */

static struct doc_writer *begin(struct isolated *isolated, struct doc_writer *w)
{
    buf_clear(&isolated->bytes);
    doc_begin(w, &isolated->bytes);
    return w;
}

static void tell(struct isolated *isolated, enum far_up kind, uint64_t number, struct doc doc)
{
    courier_send(isolated->courier, kind, number, doc, true);
}

/* Answers are bounded by what was asked, and must not be lost. */
static bool is_answer(enum outside_up kind)
{
    return kind == OUTSIDE_DELIVER || kind == OUTSIDE_REPLY || kind == OUTSIDE_ERASED ||
           kind == OUTSIDE_PAUSE;
}

/* OUTSIDE_LOG comes from any thread. */
static int32_t up(void *arg, enum outside_up kind, uint64_t number, struct doc doc, struct err *err)
{
    struct isolated *isolated = arg;
    if (doc.size > COURIER_DOC_BYTES_MAX) {
        err_set(err, E_LIMIT, "at most %u bytes can be sent at once", COURIER_DOC_BYTES_MAX);
        return KITH_LIMIT;
    }
    if (courier_send(isolated->courier, kind, number, doc, is_answer(kind)))
        return KITH_OK;
    err_set(err, E_BUSY, "the daemon is busy");
    return KITH_BUSY;
}

/* -- Numbers ----------------------------------------------------------------------------------- */

static void put_numbers(struct doc_writer *w, const char *name, const atomic_uint_fast64_t *values)
{
    doc_open_array(w, name);
    for (size_t i = 0; i < OUTSIDE_CALLS; i++)
        doc_put_int(w, "", (int64_t)atomic_load(&values[i]));
    doc_close(w);
}

/* But for the questions how much a channel takes, which are our own. */
static uint64_t count_calls(const struct outside_numbers *numbers)
{
    uint64_t count = 0;
    for (size_t i = 0; i < OUTSIDE_CALLS; i++)
        if (i != CALL_STATUS)
            count += atomic_load(&numbers->calls[i]);
    return count;
}

static bool is_told(const struct isolated *isolated)
{
    bool is_same = count_calls(&isolated->numbers) == isolated->calls_told;
    for (size_t i = 0; i < OUTSIDE_WORKS_SHOWN; i++)
        is_same = is_same && atomic_load(&isolated->numbers.works[i]) == isolated->works_told[i];
    return is_same;
}

static void put_works(struct isolated *isolated, struct doc_writer *w)
{
    doc_open_array(w, "works");
    for (size_t i = 0; i < OUTSIDE_WORKS_SHOWN; i++) {
        isolated->works_told[i] = atomic_load(&isolated->numbers.works[i]);
        doc_put_int(w, "", isolated->works_told[i]);
    }
    doc_close(w);
}

static void tell_numbers(struct isolated *isolated)
{
    struct doc_writer w;
    isolated->calls_told = count_calls(&isolated->numbers);
    begin(isolated, &w);
    put_numbers(&w, "calls", isolated->numbers.calls);
    put_numbers(&w, "failures", isolated->numbers.failures);
    put_numbers(&w, "nanoseconds", isolated->numbers.nanoseconds);
    doc_put_int(&w, "slow", (int64_t)atomic_load(&isolated->numbers.slow));
    put_works(isolated, &w);
    tell(isolated, FAR_NUMBERS, 0, doc_end(&w));
}

static void on_due(uv_timer_t *timer)
{
    tell_numbers(timer->data);
}

/* -- How much the channels take ---------------------------------------------------------------- */

static bool is_same(const struct said *said, const struct channel_status *status,
                    const char *target)
{
    return said->is_said && said->window == status->window && said->wait_ms == status->wait_ms &&
           said->failures == status->failures && said->circuit == status->circuit &&
           said->target.size == strlen(target) &&
           memcmp(buf_string((struct buf *)&said->target), target, said->target.size) == 0;
}

static void tell_status(struct isolated *isolated, size_t channel)
{
    struct said *said = &isolated->said[channel];
    struct channel_status status;
    struct doc_writer w;
    outside_status(isolated->outside, channel, &status);
    const char *target = status.target != NULL ? status.target : "";
    if (is_same(said, &status, target))
        return;
    said->is_said = true;
    said->window = status.window;
    said->failures = status.failures;
    said->circuit = status.circuit;
    said->wait_ms = status.wait_ms;
    buf_clear(&said->target);
    buf_text(&said->target, target);
    begin(isolated, &w);
    doc_put_int(&w, "window", (int64_t)status.window);
    doc_put_int(&w, "circuit", (int64_t)status.circuit);
    doc_put_int(&w, "failures", (int64_t)status.failures);
    doc_put_int(&w, "wait_ms", status.wait_ms);
    doc_put_string(&w, "target", target);
    tell(isolated, FAR_STATUS, channel, doc_end(&w));
}

/* Before the loop sleeps. */
static void on_turn(uv_prepare_t *turn)
{
    struct isolated *isolated = turn->data;
    for (size_t i = 0; isolated->outside != NULL && i < isolated->plugin->channel_count; i++)
        tell_status(isolated, i);
    if (!is_told(isolated) && !uv_is_active((uv_handle_t *)&isolated->due))
        uv_timer_start(&isolated->due, on_due, NUMBERS_MS, 0);
}

/* -- Down -------------------------------------------------------------------------------------- */

/* It may have been stopped and be started again: home knows nothing of it then. */
static void begin_anew(struct isolated *isolated)
{
    for (size_t i = 0; i < isolated->plugin->channel_count; i++)
        isolated->said[i].is_said = false;
    for (size_t i = 0; i < OUTSIDE_CALLS; i++) {
        atomic_store(&isolated->numbers.calls[i], 0);
        atomic_store(&isolated->numbers.failures[i], 0);
        atomic_store(&isolated->numbers.nanoseconds[i], 0);
    }
    atomic_store(&isolated->numbers.slow, 0);
    isolated->calls_told = 0;
}

static void start(struct isolated *isolated, uint64_t first_number)
{
    const struct outside_options options = {
        .loop = &isolated->loop,
        .plugin = isolated->plugin,
        .ports = { .arg = isolated, .up = up },
        .numbers = &isolated->numbers,
        .first_number = first_number,
    };
    struct doc_writer w;
    struct err err;
    begin_anew(isolated);
    int rc = outside_start(&options, &isolated->outside, &err);
    for (size_t i = 0; rc == 0 && i < isolated->plugin->channel_count; i++)
        tell_status(isolated, i);
    begin(isolated, &w);
    doc_put_int(&w, "code", rc);
    if (rc != 0)
        doc_put_string(&w, "reason", err.text);
    tell(isolated, FAR_STARTED, 0, doc_end(&w));
}

static void on_stopped(void *arg, const struct outside_rest *rest)
{
    struct isolated *isolated = arg;
    struct doc_writer w;
    isolated->outside = NULL;
    uv_timer_stop(&isolated->due);
    tell_numbers(isolated); /* nothing is said behind FAR_STOPPED */
    begin(isolated, &w);
    doc_put_int(&w, "timers", (int64_t)rest->timers);
    doc_put_int(&w, "watchers", (int64_t)rest->watchers);
    doc_put_int(&w, "works", (int64_t)rest->works);
    doc_put_int(&w, "fetches", (int64_t)rest->fetches);
    doc_put_int(&w, "wishes", (int64_t)rest->wishes);
    doc_put_bool(&w, "stuck", rest->is_stuck);
    tell(isolated, FAR_STOPPED, 0, doc_end(&w));
}

static void stop(struct isolated *isolated)
{
    static const struct outside_rest none = { .is_stuck = false };
    if (isolated->outside != NULL)
        outside_stop(isolated->outside, on_stopped, isolated);
    else
        on_stopped(isolated, &none);
}

static void on_arrived(void *arg, uint32_t kind, uint64_t number, struct doc doc)
{
    struct isolated *isolated = arg;
    switch (kind) {
    case FAR_START:
        start(isolated, number);
        break;
    case FAR_STOP:
        stop(isolated);
        break;
    case FAR_PING:
        tell(isolated, FAR_PONG, number, (struct doc){ NULL, 0 });
        break;
    case FAR_WIND_DOWN:
        if (isolated->outside != NULL)
            outside_wind_down(isolated->outside);
        break;
    default:
        if (isolated->outside != NULL)
            outside_down(isolated->outside, (enum outside_down)kind, number, doc);
    }
}

/* kithd has gone, or has nothing more to say.  There is no end of the plugin without it. */
static void on_ended(void *arg, const char *why)
{
    (void)arg;
    (void)why;
    _exit(EXIT_SUCCESS);
}

/* -- Life -------------------------------------------------------------------------------------- */

static void open_loop(struct isolated *isolated)
{
    const struct courier_options options = {
        .loop = &isolated->loop,
        .fd = FD_SOCKET,
        .arrived = on_arrived,
        .ended = on_ended,
        .arg = isolated,
    };
    int rc = uv_loop_init(&isolated->loop);
    ASSERT(rc == 0);
    uv_prepare_init(&isolated->loop, &isolated->turn);
    uv_prepare_start(&isolated->turn, on_turn);
    uv_timer_init(&isolated->loop, &isolated->due);
    isolated->turn.data = isolated->due.data = isolated;
    isolated->courier = courier_open(&options);
}

int isolated_run(void)
{
    static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };
    struct isolated *isolated = mem_zero(sizeof *isolated);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    isolated->plugin = guest_open();
    if (isolated->plugin == NULL) {
        free(isolated);
        return EXIT_FAILURE;
    }
    unshared_add(FD_SOCKET); /* what the plugin forks would hide our end from kithd */
    isolated->said = mem_zero((isolated->plugin->channel_count + 1) * sizeof *isolated->said);
    open_loop(isolated);
    uv_run(&isolated->loop, UV_RUN_DEFAULT);
    return EXIT_SUCCESS;
}
