/* home_reload.c -- the outside side of a plugin that is loaded anew; see home.h.
 *
 *     serving --home_leave()--> leaving --> changing --home_return()--> serving, or starting
 *                                  |            |                       (home_life.c)
 *                                  |            +--> stopped: the daemon ends, or there is none
 *                                  +--> away: its process was lost meanwhile
 *
 * Two versions never run side by side: a port is listened on once, and a message is known to one of
 * them.  So the one before is given nothing more, and has time for what it was given: requests are
 * answered, messages have their outcomes, events that it has written it has heard of.  Only then is
 * it stopped.  Messages wait in the state meanwhile, where nobody has claimed them, and requests
 * wait here, for the next one.  What the one before has not spoken of in PLUGIN_DRAIN_MS is
 * uncertain, as when it had crashed.
 */
#include "core/server/home_inside.h"

#include <stdlib.h>

#define LOOK_MS 5

struct leaving {
    uv_timer_t timer; /* first */
    struct home_guest *guest;
    unsigned looks;
    void (*done)(void *arg);
    void *arg;
};

/* -- Trying ------------------------------------------------------------------------------------ */

int home_try(struct home *home, const struct plugin_set *set, size_t index, struct err *err)
{
    struct home_table *table = NULL;
    int rc = home_make_table(home, &home->guests[index], plugin_set_at(set, index), &table, err);
    if (rc != 0)
        return rc;
    home_table_free(home->coming);
    home->coming = table;
    return 0;
}

/* -- Leaving ----------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void finish(struct leaving *leaving)
{
    void (*done)(void *arg) = leaving->done;
    void *arg = leaving->arg;
    uv_close((uv_handle_t *)&leaving->timer, on_closed);
    done(arg);
}

static void on_stopped(void *arg, const struct outside_rest *rest)
{
    struct leaving *leaving = arg;
    struct home_guest *guest = leaving->guest;
    home_say_left(guest, rest);
    guest->outside = NULL;
    guest->far = NULL;
    guest->state = GUEST_CHANGING;
    home_doubt_given(guest, "its plugin was reloaded and had not answered");
    finish(leaving);
}

static void stop(struct leaving *leaving)
{
    struct home_guest *guest = leaving->guest;
    uv_timer_stop(&leaving->timer);
    home_requests_end(guest, false);
    guest->face.stop(guest->face.self, on_stopped, leaving);
}

static bool is_drained(const struct home_guest *guest)
{
    return guest->wishes == 0 && home_requests_at(guest) == 0 && home_under_way(guest) == 0;
}

static void look(uv_timer_t *timer)
{
    struct leaving *leaving = (struct leaving *)timer;
    struct home_guest *guest = leaving->guest;
    unsigned patience = guest->home->is_winding_down ? PLUGIN_STOP_MS : PLUGIN_DRAIN_MS;
    if (guest->state != GUEST_LEAVING) {
        finish(leaving);
        return;
    }
    if (is_drained(guest) || ++leaving->looks * LOOK_MS >= patience)
        stop(leaving);
}

void home_leave(struct home *home, size_t index, void (*done)(void *arg), void *arg)
{
    struct home_guest *guest = &home->guests[index];
    if (!home_is_there(guest)) {
        done(arg);
        return;
    }
    struct leaving *leaving = mem_zero(sizeof *leaving);
    *leaving = (struct leaving){ .guest = guest, .done = done, .arg = arg };
    bool was_starting = guest->state == GUEST_STARTING; /* then it has been given nothing */
    guest->state = GUEST_LEAVING;
    uv_timer_init(home->options.loop, &leaving->timer);
    if (was_starting) {
        stop(leaving);
        return;
    }
    guest->face.wind_down(guest->face.self);
    uv_timer_start(&leaving->timer, look, 0, LOOK_MS);
}

/* -- Returning --------------------------------------------------------------------------------- */

static void take(struct home *home, const struct plugin_set *set, size_t index)
{
    struct home_table *table = home->coming;
    home->coming = NULL;
    if (set == home->options.plugins) {
        home_table_free(table);
        return;
    }
    ASSERT(table != NULL);
    table->former = home->table;
    home->table = table;
    home->options.plugins = set;
    home->guests[index].plugin = plugin_set_at(set, index);
}

/* One that has crashed waits for the nurse where it has a process of its own, else for a person. */
void home_return(struct home *home, const struct plugin_set *set, size_t index)
{
    struct home_guest *guest = &home->guests[index];
    bool is_other = set != home->options.plugins;
    take(home, set, index);
    switch (guest->state) {
    case GUEST_AWAY:
    case GUEST_QUARANTINED:
        guest->state = plugin_set_is_isolated(set, index) ? GUEST_AWAY : GUEST_QUARANTINED;
        if (is_other)
            home_say_quarantined(guest);
        break;
    case GUEST_CHANGING:
        guest->state = GUEST_STOPPED;
        if (!home->is_winding_down)
            home_begin_guest(guest);
        break;
    case GUEST_STOPPED:
    case GUEST_FAILED:
        if (is_other && !home->is_winding_down)
            home_begin_guest(guest);
        break;
    default:
        break;
    }
    if (guest->state != GUEST_STARTING)
        home_requests_go_on(guest);
}
