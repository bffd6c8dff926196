/* rehearsal.c -- see rehearsal.h. */
#include "core/server/rehearsal.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/plugin.h"
#include "core/server/far.h"

#include <stdlib.h>

struct rehearsal {
    const struct plugin *plugin;
    struct outside_numbers numbers; /* which nobody wants */
    struct far *far;
    rehearsal_done_fn *done;
    void *arg;
};

static void finish(struct rehearsal *rehearsal, int code, const struct err *err)
{
    rehearsal->done(rehearsal->arg, code, err);
    free(rehearsal);
}

static void on_stopped(void *arg, const struct outside_rest *rest)
{
    struct rehearsal *rehearsal = arg;
    struct err err = { 0 };
    int code = 0;
    if (rest->is_stuck)
        code = err_set(&err, E_INVALID,
                       "plugin %s: it starts, but does not come to its end: a work does not end",
                       rehearsal->plugin->name);
    else if (rest->hung != NULL)
        code = err_set(&err, E_INVALID,
                       "plugin %s: it starts, but does not come to its end: %s has not returned",
                       rehearsal->plugin->name, rest->hung);
    else if (rest->loss != NULL)
        code = err_set(&err, E_INVALID, "plugin %s: it starts, but does not survive its stop(): %s",
                       rehearsal->plugin->name, rest->loss);
    finish(rehearsal, code, &err);
}

static void on_begun(void *arg, int code, const struct err *reason)
{
    struct rehearsal *rehearsal = arg;
    struct err err;
    if (code == 0) {
        far_stop(rehearsal->far, on_stopped, rehearsal);
        return;
    }
    err_set(&err, E_INVALID, "%s", reason->text);
    finish(rehearsal, E_INVALID, &err);
}

static void on_lost(void *arg, const char *why)
{
    struct rehearsal *rehearsal = arg;
    struct err err;
    err_set(&err, E_INVALID, "plugin %s does not start: %s", rehearsal->plugin->name, why);
    finish(rehearsal, E_INVALID, &err);
}

static int32_t up(void *arg, enum outside_up kind, uint64_t number, struct doc doc, struct err *err)
{
    (void)arg;
    (void)number;
    (void)doc;
    if (kind == OUTSIDE_LOG || kind == OUTSIDE_COUNT)
        return KITH_OK;
    err_set(err, E_BUSY, "it is only tried whether the plugin starts");
    return KITH_BUSY;
}

void rehearsal_begin(struct uv_loop_s *loop, const struct plugin *plugin,
                     const struct remote_ends *ends, rehearsal_done_fn *done, void *arg)
{
    struct rehearsal *rehearsal = mem_zero(sizeof *rehearsal);
    *rehearsal = (struct rehearsal){ .plugin = plugin, .done = done, .arg = arg };
    const struct far_options options = {
        .loop = loop,
        .plugin = plugin,
        .ports = { .arg = rehearsal, .up = up },
        .numbers = &rehearsal->numbers,
        .begun = on_begun,
        .lost = on_lost,
        .arg = rehearsal,
    };
    rehearsal->far = far_start(&options, ends);
}
