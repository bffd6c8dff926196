/* plugin_watch.c -- see plugin_watch.h. */
#include "core/server/plugin_watch.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define REASON_BYTES 200
#define TELL_LOOKS (PLUGIN_HANG_TELL_MS / PLUGIN_LOOK_MS)
#define END_LOOKS (PLUGIN_HANG_MS / PLUGIN_LOOK_MS)

struct plugin_watch {
    uv_timer_t timer;
    uint32_t turn;  /* of the call that was seen last ... */
    unsigned looks; /* ... and how often it was seen again */
    char reason[REASON_BYTES];
    void (*also)(void *arg);
    void *arg;
};

static void tell(struct plugin_watch *watch, const struct breadcrumb_crash *call)
{
    char entry[40] = "";
    if (call->seq != 0)
        snprintf(entry, sizeof entry, " at entry %" PRIu64, call->seq);
    snprintf(watch->reason, sizeof watch->reason,
             "the plugin \"%s\" does not come back%s (%s): nothing is applied", call->plugin, entry,
             breadcrumb_call_name((enum breadcrumb_call)call->call));
    say("%s%s", watch->reason,
        breadcrumb_is_watched() ? "; if it does not soon, the daemon is started again without it"
                                : "; without a parent nobody ends it");
}

static void forget(struct plugin_watch *watch)
{
    if (watch->reason[0] != '\0')
        say("the plugin has come back: entries are applied again");
    watch->reason[0] = '\0';
    watch->looks = 0;
}

static void look(uv_timer_t *timer)
{
    struct plugin_watch *watch = timer->data;
    struct breadcrumb_crash call;
    uint32_t turn;
    if (watch->also != NULL)
        watch->also(watch->arg);
    bool is_in = breadcrumb_look(BREADCRUMB_ENGINE, &call, &turn);
    if (!is_in || turn != watch->turn) {
        forget(watch);
        watch->turn = turn;
        return;
    }
    watch->looks++;
    if (watch->looks == TELL_LOOKS)
        tell(watch, &call);
    if (watch->looks >= END_LOOKS && breadcrumb_is_watched())
        breadcrumb_end_hung(BREADCRUMB_ENGINE);
}

struct plugin_watch *plugin_watch_open(struct uv_loop_s *loop, void (*also)(void *arg), void *arg)
{
    struct plugin_watch *watch = mem_zero(sizeof *watch);
    watch->also = also;
    watch->arg = arg;
    uv_timer_init(loop, &watch->timer);
    uv_unref((uv_handle_t *)&watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, look, PLUGIN_LOOK_MS, PLUGIN_LOOK_MS);
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void plugin_watch_close(struct plugin_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->timer, on_closed);
}

const char *plugin_watch_reason(const struct plugin_watch *watch)
{
    return watch != NULL && watch->reason[0] != '\0' ? watch->reason : NULL;
}
