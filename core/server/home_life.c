/* home_life.c -- where a guest lives, when it begins, and when it ends; see home.h.
 *
 *     new ----> serving                                in this process
 *      |           |
 *      |           +--> stopped, or leaving (home_reload.c)
 *      |
 *      +------> starting --> serving --+--> stopped    in one of its own
 *      |            |           |      |
 *      |            |        lost --> away --home_process()--> starting
 *      |            v
 *      |         failed                                start() says no
 *      |
 *      +------> quarantined --home_enable()--> serving one that crashed in this process before;
 *                                                      one of the others waits as if it was lost
 *
 * What a process that was lost had under way is answered for it: requests with 503, messages as
 * uncertain.  What it had asked for is answered to nobody: numbers of the next one begin beyond.
 */
#include "core/server/far.h"
#include "core/server/home_inside.h"

#include "core/engine/plugins.h"
#include "core/plugin/remote.h"
#include "core/server/call.h"
#include "core/server/node.h"
#include "core/server/say.h"

#include <stdio.h>
#include <string.h>

#define NUMBERS_BITS 40 /* of what goes up, in one process */

/* -- In this process --------------------------------------------------------------------------- */

static void here_down(void *self, enum outside_down kind, uint64_t number, struct doc doc)
{
    outside_down(((struct home_guest *)self)->outside, kind, number, doc);
}

static void here_status(void *self, size_t channel, struct channel_status *out_status)
{
    outside_status(((struct home_guest *)self)->outside, channel, out_status);
}

static void here_wind_down(void *self)
{
    outside_wind_down(((struct home_guest *)self)->outside);
}

static void here_stop(void *self, void (*done)(void *arg, const struct outside_rest *rest),
                      void *arg)
{
    outside_stop(((struct home_guest *)self)->outside, done, arg);
}

static const struct home_face here = {
    .down = here_down,
    .status = here_status,
    .wind_down = here_wind_down,
    .stop = here_stop,
};

/* What is loaded is named beside it. */
static void note_failed(struct home_guest *guest, const char *why)
{
    size_t name = strlen(guest->plugin->name);
    if (strncmp(why, "plugin ", 7) == 0 && strncmp(why + 7, guest->plugin->name, name) == 0 &&
        strncmp(why + 7 + name, ": ", 2) == 0)
        why += 7 + name + 2;
    atomic_store(&guest->failed, arena_text(&guest->home->reasons, text_of(why)).data);
}

static void say_failed(struct home_guest *guest, const struct err *err)
{
    guest->state = GUEST_FAILED;
    note_failed(guest, err->text);
    say("%s: it takes no part until the next start, or until it is reloaded", err->text);
}

static void start_here(struct home_guest *guest)
{
    const struct outside_options options = {
        .loop = guest->home->options.loop,
        .plugin = guest->plugin,
        .ports = { .arg = guest, .up = home_up },
        .numbers = &guest->numbers,
        .first_number = guest->processes++ << NUMBERS_BITS,
    };
    struct err err;
    guest->face = here;
    guest->face.self = guest;
    if (outside_start(&options, &guest->outside, &err) == 0)
        guest->state = GUEST_SERVING;
    else
        say_failed(guest, &err);
}

/* -- In one of its own ------------------------------------------------------------------------- */

static void there_down(void *self, enum outside_down kind, uint64_t number, struct doc doc)
{
    far_down(((struct home_guest *)self)->far, kind, number, doc);
}

static void there_status(void *self, size_t channel, struct channel_status *out_status)
{
    far_status(((struct home_guest *)self)->far, channel, out_status);
}

static void there_wind_down(void *self)
{
    far_wind_down(((struct home_guest *)self)->far);
}

static void there_stop(void *self, void (*done)(void *arg, const struct outside_rest *rest),
                       void *arg)
{
    far_stop(((struct home_guest *)self)->far, done, arg);
}

static const struct home_face there = {
    .down = there_down,
    .status = there_status,
    .wind_down = there_wind_down,
    .stop = there_stop,
};

/* Of the daemon's start one more is through. */
static void note_started(struct home_guest *guest)
{
    struct home *home = guest->home;
    if (guest->processes > 1 || --home->starting != 0 || home->started == NULL)
        return;
    void (*started)(void *arg) = home->started;
    home->started = NULL;
    started(home->started_arg);
}

static void on_begun(void *arg, int code, const struct err *err)
{
    struct home_guest *guest = arg;
    if (code == 0) {
        guest->state = GUEST_SERVING;
        if (guest->processes > 1)
            say("plugin %s serves again", guest->plugin->name);
    } else {
        guest->far = NULL;
        say_failed(guest, err);
    }
    home_requests_go_on(guest);
    note_started(guest);
}

/* What it had under way. */
static void abandon(struct home_guest *guest)
{
    guest->far = NULL;
    guest->state = GUEST_AWAY;
    home_requests_end(guest, true);
    home_doubt_given(guest, "its plugin's process ended");
}

static void on_lost(void *arg, const char *why)
{
    struct home_guest *guest = arg;
    struct home *home = guest->home;
    bool was_starting = guest->state == GUEST_STARTING;
    abandon(guest);
    if (home->options.lost != NULL)
        home->options.lost(home->options.lost_arg, guest->plugin->name, why);
    if (!was_starting)
        return;
    home_requests_go_on(guest);
    note_started(guest);
}

static void start_there(struct home_guest *guest, const struct remote_ends *ends)
{
    const struct far_options options = {
        .loop = guest->home->options.loop,
        .plugin = guest->plugin,
        .ports = { .arg = guest, .up = home_up },
        .numbers = &guest->numbers,
        .first_number = guest->processes++ << NUMBERS_BITS,
        .begun = on_begun,
        .lost = on_lost,
        .arg = guest,
    };
    atomic_store(&guest->failed, NULL);
    guest->face = there;
    guest->face.self = guest;
    guest->state = GUEST_STARTING;
    guest->far = far_start(&options, ends);
}

void home_process(struct home *home, size_t index, const struct remote_ends *ends)
{
    struct home_guest *guest = &home->guests[index];
    guest->pid = ends->pid;
    if (home->is_winding_down || !home_has_outside(guest->plugin)) {
        struct remote_ends unused = *ends;
        remote_ends_close(&unused);
        return;
    }
    if (guest->far != NULL) {
        far_close(guest->far);
        abandon(guest);
    }
    if (guest->processes == 0)
        guest->processes = 1; /* it was left out at the start, which is over */
    start_there(guest, ends);
}

/* -- Beginning --------------------------------------------------------------------------------- */

bool home_has_outside(const struct plugin *plugin)
{
    return plugin->start != NULL || plugin->stop != NULL || plugin->erased != NULL ||
           plugin->channel_count + plugin->route_count + plugin->job_count != 0;
}

static bool has_crashed(const struct home_guest *guest, struct doc standings)
{
    for (struct doc_iter it = doc_iter(standings); doc_next(&it);) {
        struct text kind = doc_text(doc_child(it.value.doc, "quarantined"), "kind");
        if (text_is(doc_text(it.value.doc, "name"), guest->plugin->name))
            return kind.size != 0 && !text_is(kind, "staff");
    }
    return false;
}

static bool is_isolated(const struct home_guest *guest)
{
    return plugin_set_is_isolated(guest->home->options.plugins,
                                  (size_t)(guest - guest->home->guests));
}

void home_begin_guest(struct home_guest *guest)
{
    size_t index = (size_t)(guest - guest->home->guests);
    struct remote_ends ends;
    struct err err;
    guest->pid = plugin_set_pid(guest->home->options.plugins, index);
    atomic_store(&guest->failed, NULL);
    if (!home_has_outside(guest->plugin))
        guest->state = GUEST_STOPPED;
    else if (!is_isolated(guest))
        start_here(guest);
    else if (plugin_set_ends(guest->home->options.plugins, index, &ends, &err) == 0)
        start_there(guest, &ends);
    else
        say_failed(guest, &err);
}

void home_say_quarantined(const struct home_guest *guest)
{
    if (guest->state == GUEST_QUARANTINED)
        say("plugin %s is quarantined, and so it is not started: kith plugin enable %s",
            guest->plugin->name, guest->plugin->name);
}

static void start_guest(struct home_guest *guest, struct doc standings)
{
    if (home_has_outside(guest->plugin) && has_crashed(guest, standings)) {
        guest->state = is_isolated(guest) ? GUEST_AWAY : GUEST_QUARANTINED;
        home_say_quarantined(guest);
        return;
    }
    home_begin_guest(guest);
    if (guest->state == GUEST_STARTING)
        guest->home->starting++;
}

static void look(struct engine *engine, void *arg)
{
    struct home *home = arg;
    struct doc_writer w;
    buf_clear(&home->scratch);
    doc_begin(&w, &home->scratch);
    plugins_show(engine, &w);
    doc_end(&w);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct home *home = ((struct job *)mail)->arg;
    struct doc seen = { home->scratch.data, (uint32_t)home->scratch.size };
    struct buf bytes = home->scratch; /* which is written to while they start */
    (void)reader;
    home->scratch = (struct buf)BUF_INIT;
    home->starting = 1; /* nobody is through before all have been told */
    for (size_t i = 0; !home->is_winding_down && i < home->guest_count; i++)
        start_guest(&home->guests[i], doc_child(seen, "plugins"));
    buf_deinit(&bytes);
    api_release(home->api);
    if (--home->starting != 0 || home->started == NULL)
        return;
    void (*started)(void *arg) = home->started;
    home->started = NULL;
    started(home->started_arg);
}

void home_start(struct home *home, struct api *api, void (*started)(void *arg), void *arg)
{
    home->api = api;
    home->started = started;
    home->started_arg = arg;
    home->look = (struct job){ .mail = { .handle = on_looked }, .run = look, .arg = home };
    api_hold(api);
    fold_ask(node_fold(api->node), &home->look);
}

bool home_enable(struct home *home, struct text plugin)
{
    for (size_t i = 0; home != NULL && i < home->guest_count; i++) {
        struct home_guest *guest = &home->guests[i];
        if (!text_is(plugin, guest->plugin->name))
            continue;
        if (guest->state == GUEST_QUARANTINED && !home->is_winding_down)
            start_here(guest);
        return guest->state == GUEST_SERVING || guest->state == GUEST_LEAVING ||
               guest->state == GUEST_CHANGING;
    }
    return false;
}

/* -- Ending ------------------------------------------------------------------------------------ */

bool home_is_there(const struct home_guest *guest)
{
    return guest->state == GUEST_SERVING || guest->state == GUEST_STARTING ||
           guest->state == GUEST_LEAVING;
}

void home_wind_down(struct home *home)
{
    home->is_winding_down = true;
    for (size_t i = 0; i < home->guest_count; i++)
        if (home_is_there(&home->guests[i])) {
            home_requests_hurry(&home->guests[i]);
            home->guests[i].face.wind_down(home->guests[i].face.self);
        }
}

static void end_if_all_stopped(struct home *home)
{
    void (*stopped)(void *arg) = home->stopped;
    if (home->stopping != 0 || stopped == NULL)
        return;
    home->stopped = NULL;
    stopped(home->stopped_arg);
}

void home_say_left(const struct home_guest *guest, const struct outside_rest *rest)
{
    char left[OUTSIDE_REST_TEXT];
    outside_rest_text(rest, left);
    if (left[0] != '\0')
        say("plugin %s: at its end it left %s, which were removed", guest->plugin->name, left);
    if (rest->hung != NULL)
        say("plugin %s: at its end %s has not returned: its process was ended", guest->plugin->name,
            rest->hung);
    if (rest->loss != NULL)
        say("plugin %s: its stop() has not returned: %s", guest->plugin->name, rest->loss);
}

static void on_guest_stopped(void *arg, const struct outside_rest *rest)
{
    struct home_guest *guest = arg;
    home_say_left(guest, rest);
    guest->state = GUEST_STOPPED;
    guest->outside = NULL;
    guest->far = NULL;
    guest->home->stopping--;
    end_if_all_stopped(guest->home);
}

void home_stop(struct home *home, void (*done)(void *arg), void *arg)
{
    home->is_winding_down = true;
    home->is_stopping = true; /* what one far away has asked meanwhile comes too late */
    home->started = NULL;
    home->stopping++; /* nobody is through before all have been told */
    for (size_t i = 0; i < home->guest_count; i++) {
        struct home_guest *guest = &home->guests[i];
        if (!home_is_there(guest))
            continue;
        home->stopping++;
        home_requests_end(guest, false);
        guest->face.stop(guest->face.self, on_guest_stopped, guest);
    }
    home->stopped = done;
    home->stopped_arg = arg;
    home->stopping--;
    end_if_all_stopped(home);
}

bool home_is_stopped(const struct home *home)
{
    for (size_t i = 0; i < home->guest_count; i++)
        if (home_is_there(&home->guests[i]))
            return false;
    return true;
}
