/* nurse.c -- see nurse.h.
 *
 *     lost --> wait --> begin a process (worker) --> hand it to the engine (job) --> plugin.enabled
 *                            |
 *                            +--> it cannot be begun: wait longer
 */
#include "core/server/nurse.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/remote.h"
#include "core/plugin/set.h"
#include "core/server/node.h"
#include "core/server/say.h"
#include "core/server/submission.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define HELD_POLL_MS 100 /* to look whether we may again */

struct patient {
    struct nurse *nurse;
    size_t index; /* in the set */
    uv_timer_t timer;
    uv_work_t work;
    struct job job;
    struct remote *remote; /* begun, on its way to the engine */
    struct remote_ends ends;
    int code;
    struct err err;
    bool is_busy; /* a worker or the engine has it */
    bool skip;
    char by[128];
    int tries;        /* by itself; 0: a person asked for it */
    int64_t first_ms; /* boot time of the first of these tries */
};

struct nurse {
    struct nurse_options options;
    struct patient patients[PLUGINS_MAX];
    size_t busy;
    bool is_stopped, is_held;
    struct job look;
    struct buf seen;
    size_t open; /* timers, until they have closed */
};

static const char *name_of(const struct patient *patient)
{
    return plugin_set_at(patient->nurse->options.plugins, patient->index)->name;
}

static int64_t boot_ms(const struct nurse *nurse)
{
    return nurse->options.clock.boot_ms(nurse->options.clock.arg);
}

static void rest(struct patient *patient)
{
    struct nurse *nurse = patient->nurse;
    patient->is_busy = false;
    nurse->busy--;
    if (nurse->options.on_rest != NULL)
        nurse->options.on_rest(nurse->options.arg);
}

/* -- The entry --------------------------------------------------------------------------------- */

static void write_enabled(struct patient *patient)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "plugin.enabled");
    doc_put_string(&w, "by", patient->by);
    doc_open(&w, "data");
    doc_put_string(&w, "plugin", name_of(patient));
    if (patient->skip)
        doc_put_bool(&w, "skip", true);
    if (patient->tries != 0)
        doc_put_bool(&w, "again", true);
    doc_close(&w);
    submission_end(submission, &w);
    submission->must_not_fail = true;
    sequencer_post_own(node_sequencer(patient->nurse->options.node), submission);
}

static void write_disabled(struct nurse *nurse, struct text plugin, const char *why)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "plugin.disabled");
    doc_put_string(&w, "by", "kithd");
    doc_open(&w, "data");
    doc_put_text(&w, "plugin", plugin);
    doc_put_string(&w, "kind", "crash");
    doc_put_string(&w, "reason", why);
    doc_close(&w);
    submission_end(submission, &w);
    submission->must_not_fail = true;
    sequencer_post_own(node_sequencer(nurse->options.node), submission);
}

/* -- A new process ----------------------------------------------------------------------------- */

static void wait_longer(struct patient *patient);

static void hand_over(struct engine *engine, void *arg)
{
    struct patient *patient = arg;
    (void)engine;
    plugin_set_replace(patient->nurse->options.plugins, patient->index, patient->remote);
    patient->remote = NULL;
}

static void on_handed_over(struct mail *mail, void *reader)
{
    struct patient *patient = ((struct job *)mail)->arg;
    (void)reader;
    say("plugin %s has a new process", name_of(patient));
    if (!patient->nurse->is_stopped)
        write_enabled(patient);
    rest(patient);
    patient->nurse->options.on_process(patient->nurse->options.arg, patient->index, &patient->ends);
}

static void begin(uv_work_t *work)
{
    struct patient *patient = work->data;
    patient->code = plugin_set_another(patient->nurse->options.plugins, patient->index,
                                       &patient->remote, &patient->err);
    if (patient->code == 0)
        patient->code = remote_ends(patient->remote, &patient->ends, &patient->err);
}

static void on_begun(uv_work_t *work, int status)
{
    struct patient *patient = work->data;
    (void)status;
    if (patient->code == 0) {
        patient->job =
            (struct job){ .mail = { .handle = on_handed_over }, .run = hand_over, .arg = patient };
        fold_ask(node_fold(patient->nurse->options.node), &patient->job);
        return;
    }
    remote_close(patient->remote);
    patient->remote = NULL;
    say("plugin %s cannot be begun anew: %s", name_of(patient), patient->err.text);
    if (!patient->nurse->is_stopped)
        wait_longer(patient);
    rest(patient);
}

static void on_time(uv_timer_t *timer);

static void start(struct patient *patient)
{
    struct nurse *nurse = patient->nurse;
    if (patient->is_busy || nurse->is_stopped)
        return;
    if (nurse->is_held) {
        uv_timer_start(&patient->timer, on_time, HELD_POLL_MS, 0);
        return;
    }
    uv_timer_stop(&patient->timer);
    patient->is_busy = true;
    nurse->busy++;
    patient->work.data = patient;
    uv_queue_work(nurse->options.loop, &patient->work, begin, on_begun);
}

static void on_time(uv_timer_t *timer)
{
    start(timer->data);
}

/* -- When -------------------------------------------------------------------------------------- */

static void wait_longer(struct patient *patient)
{
    int64_t now = boot_ms(patient->nurse);
    if (patient->tries == 0 || now - patient->first_ms > NURSE_WINDOW_MS) {
        patient->tries = 0;
        patient->first_ms = now;
    }
    if (patient->tries == NURSE_TRIES_MAX) {
        say("plugin %s was lost %d times in ten minutes: it stays quarantined until: kith plugin "
            "enable %s",
            name_of(patient), NURSE_TRIES_MAX, name_of(patient));
        patient->tries = 0;
        return;
    }
    int64_t wait = (int64_t)NURSE_WAIT_MS << patient->tries++;
    memcpy(patient->by, "kithd", sizeof "kithd");
    patient->skip = false;
    uv_timer_start(&patient->timer, on_time,
                   (uint64_t)(wait < NURSE_WAIT_MS_MAX ? wait : NURSE_WAIT_MS_MAX), 0);
}

/* NULL: it is none of the isolated ones. */
static struct patient *find(struct nurse *nurse, struct text plugin)
{
    const struct plugin_set *set = nurse->options.plugins;
    for (size_t i = 0; i < plugin_set_count(set); i++)
        if (text_is(plugin, plugin_set_at(set, i)->name))
            return plugin_set_is_isolated(set, i) ? &nurse->patients[i] : NULL;
    return NULL;
}

/* Engine and outside see the same process end, whichever is first. */
static bool is_cared_for(const struct patient *patient)
{
    return patient->is_busy || uv_is_active((const uv_handle_t *)&patient->timer);
}

void nurse_lost(struct nurse *nurse, struct text plugin, const char *why)
{
    struct patient *patient = find(nurse, plugin);
    say("plugin %.*s: %s: it is quarantined, and what it should hear of is parked",
        (int)plugin.size, plugin.data, why);
    if (patient != NULL && !nurse->is_stopped && !is_cared_for(patient))
        wait_longer(patient);
}

void nurse_gone(struct nurse *nurse, struct text plugin, const char *why)
{
    struct patient *patient = find(nurse, plugin);
    if (patient == NULL || nurse->is_stopped || is_cared_for(patient))
        return;
    say("plugin %.*s: %s: it is quarantined, and what it should hear of is parked",
        (int)plugin.size, plugin.data, why);
    write_disabled(nurse, plugin, why);
    wait_longer(patient);
}

bool nurse_enable(struct nurse *nurse, struct text plugin, struct text by, bool skip)
{
    struct patient *patient = find(nurse, plugin);
    if (patient == NULL)
        return false;
    size_t size = by.size < sizeof patient->by ? by.size : sizeof patient->by - 1;
    memcpy(patient->by, by.data, size);
    patient->by[size] = '\0';
    patient->skip = skip;
    patient->tries = 0;
    start(patient);
    return true;
}

/* -- At the start ------------------------------------------------------------------------------ */

static void look(struct engine *engine, void *arg)
{
    struct nurse *nurse = arg;
    struct doc_writer w;
    buf_clear(&nurse->seen);
    doc_begin(&w, &nurse->seen);
    plugins_show(engine, &w);
    doc_end(&w);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct nurse *nurse = ((struct job *)mail)->arg;
    struct doc seen = { nurse->seen.data, (uint32_t)nurse->seen.size };
    (void)reader;
    nurse->busy--;
    for (struct doc_iter it = doc_iter(doc_child(seen, "plugins")); doc_next(&it);) {
        struct text kind = doc_text(doc_child(it.value.doc, "quarantined"), "kind");
        struct patient *patient = find(nurse, doc_text(it.value.doc, "name"));
        if (patient != NULL && kind.size != 0 && !text_is(kind, "staff") && !nurse->is_stopped)
            wait_longer(patient);
    }
    if (nurse->options.on_rest != NULL)
        nurse->options.on_rest(nurse->options.arg);
}

void nurse_start(struct nurse *nurse)
{
    nurse->busy++;
    nurse->look = (struct job){ .mail = { .handle = on_looked }, .run = look, .arg = nurse };
    fold_ask(node_fold(nurse->options.node), &nurse->look);
}

/* -- Life -------------------------------------------------------------------------------------- */

struct nurse *nurse_open(const struct nurse_options *options)
{
    struct nurse *nurse = mem_zero(sizeof *nurse);
    nurse->options = *options;
    nurse->open = PLUGINS_MAX;
    for (size_t i = 0; i < PLUGINS_MAX; i++) {
        nurse->patients[i].nurse = nurse;
        nurse->patients[i].index = i;
        uv_timer_init(options->loop, &nurse->patients[i].timer);
        nurse->patients[i].timer.data = &nurse->patients[i];
    }
    return nurse;
}

void nurse_hold(struct nurse *nurse)
{
    nurse->is_held = true;
}

void nurse_release(struct nurse *nurse)
{
    nurse->is_held = false;
}

void nurse_use(struct nurse *nurse, struct plugin_set *plugins)
{
    ASSERT(nurse->busy == 0);
    nurse->options.plugins = plugins;
    for (size_t i = 0; i < plugin_set_count(plugins); i++)
        if (!plugin_set_is_isolated(plugins, i))
            uv_timer_stop(&nurse->patients[i].timer);
}

void nurse_stop(struct nurse *nurse)
{
    nurse->is_stopped = true;
    for (size_t i = 0; i < PLUGINS_MAX; i++)
        uv_timer_stop(&nurse->patients[i].timer);
}

bool nurse_is_at_rest(const struct nurse *nurse)
{
    return nurse->busy == 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct patient *patient = handle->data;
    struct nurse *nurse = patient->nurse;
    if (--nurse->open != 0)
        return;
    buf_deinit(&nurse->seen);
    free(nurse);
}

void nurse_close(struct nurse *nurse)
{
    for (size_t i = 0; nurse != NULL && i < PLUGINS_MAX; i++) {
        remote_close(nurse->patients[i].remote);
        nurse->patients[i].remote = NULL;
        uv_close((uv_handle_t *)&nurse->patients[i].timer, on_closed);
    }
}
