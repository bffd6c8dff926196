/* hosting.c -- see hosting.h. */
#include "core/server/hosting.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/set.h"
#include "core/script/host.h"
#include "core/server/api.h"
#include "core/server/home.h"
#include "core/server/nurse.h"
#include "core/server/plugins.h"
#include "core/server/reload.h"

#include <stdlib.h>

struct hosting {
    struct hosting_options options;
    struct plugin_set *plugins; /* NULL: there are none, and none of the other two */
    struct home *home;
    struct nurse *nurse;
    struct reload *reload;
};

/* -- What one tells another -------------------------------------------------------------------- */

static void process_gone(void *arg, const char *plugin, const char *why)
{
    struct hosting *hosting = arg;
    if (hosting->nurse != NULL)
        nurse_gone(hosting->nurse, text_of(plugin), why);
}

static void process_begun(void *arg, size_t index, const struct remote_ends *ends)
{
    home_process(((struct hosting *)arg)->home, index, ends);
}

static void rested(void *arg)
{
    const struct hosting *hosting = arg;
    hosting->options.on_rest(hosting->options.arg);
}

/* Engine's thread, as the surroundings are. */
static void plugins_in_force(void *arg, struct plugin_set *set)
{
    ((struct hosting *)arg)->options.surroundings->plugins = plugin_set_engine(set);
}

static void use_plugins(void *arg, struct plugin_set *set)
{
    struct hosting *hosting = arg;
    hosting->plugins = set;
    atomic_store(&hosting->options.api->plugins, set);
}

static int try_outside(void *arg, const struct plugin_set *set, size_t index, struct err *err)
{
    return home_try(((struct hosting *)arg)->home, set, index, err);
}

static void stop_outside(void *arg, size_t index, void (*done)(void *done_arg), void *done_arg)
{
    home_leave(((struct hosting *)arg)->home, index, done, done_arg);
}

static void start_outside(void *arg, struct plugin_set *set, size_t index)
{
    struct hosting *hosting = arg;
    home_return(hosting->home, set, index);
    hosting->options.api->plugin_routes = home_routes(hosting->home);
}

/* -- Beginning --------------------------------------------------------------------------------- */

int hosting_open(const struct hosting_options *options, struct hosting **out_hosting,
                 struct err *err)
{
    struct hosting *hosting = mem_zero(sizeof *hosting);
    hosting->options = *options;
    int rc = plugins_load(options->settings, &hosting->plugins, err);
    const struct home_options home = {
        .loop = options->loop,
        .plugins = hosting->plugins,
        .metrics = options->metrics,
        .lost = process_gone,
        .lost_arg = hosting,
    };
    if (rc == 0)
        rc = home_new(&home, &hosting->home, err);
    if (rc != 0) {
        hosting_free(hosting);
        return rc;
    }
    options->surroundings->plugins = plugin_set_engine(hosting->plugins);
    *out_hosting = hosting;
    return 0;
}

size_t hosting_channels(const struct hosting *hosting, struct channel *out_channels, size_t max)
{
    size_t count = 0;
    while (count < max && home_channel(hosting->home, count, &out_channels[count]))
        count++;
    return count;
}

static void open_nurse(struct hosting *hosting, struct node *node)
{
    const struct nurse_options options = {
        .loop = hosting->options.loop,
        .node = node,
        .plugins = hosting->plugins,
        .clock = clock_machine(),
        .on_process = process_begun,
        .on_rest = rested,
        .arg = hosting,
    };
    hosting->nurse = nurse_open(&options);
}

static void open_reload(struct hosting *hosting, struct node *node)
{
    const struct reload_options options = {
        .loop = hosting->options.loop,
        .node = node,
        .nurse = hosting->nurse,
        .settings = hosting->options.settings,
        .plugins = hosting->plugins,
        .read_settings = hosting->options.read_settings,
        .read_arg = hosting->options.read_arg,
        .in_force = plugins_in_force,
        .use = use_plugins,
        .try_outside = try_outside,
        .stop_outside = stop_outside,
        .start_outside = start_outside,
        .on_rest = rested,
        .arg = hosting,
    };
    hosting->reload = reload_open(&options);
}

void hosting_attach(struct hosting *hosting, struct node *node)
{
    if (hosting->plugins == NULL)
        return;
    open_nurse(hosting, node);
    open_reload(hosting, node);
}

void hosting_fill_api(struct hosting *hosting)
{
    struct api *api = hosting->options.api;
    atomic_store(&api->plugins, hosting->plugins);
    api->nurse = hosting->nurse;
    api->reload = hosting->reload;
    api->home = hosting->home;
    api->plugin_routes = home_routes(hosting->home);
}

struct plugin_set *hosting_plugins(const struct hosting *hosting)
{
    return hosting->plugins;
}

void hosting_start(struct hosting *hosting, void (*started)(void *arg), void *arg)
{
    home_start(hosting->home, hosting->options.api, started, arg);
}

void hosting_serve(struct hosting *hosting)
{
    if (hosting->nurse != NULL)
        nurse_start(hosting->nurse);
}

/* -- Meanwhile --------------------------------------------------------------------------------- */

void hosting_lost(struct hosting *hosting, struct text name, const char *why)
{
    if (hosting->nurse != NULL)
        nurse_lost(hosting->nurse, name, why);
}

int hosting_forget(struct hosting *hosting, const uint64_t *customers, size_t count,
                   struct err *err)
{
    return home_forget(hosting->home, customers, count, err);
}

void hosting_reread(struct hosting *hosting)
{
    home_reread(hosting->home);
}

void hosting_look(struct hosting *hosting)
{
    home_look(hosting->home);
}

/* -- Ending ------------------------------------------------------------------------------------ */

void hosting_wind_down(struct hosting *hosting)
{
    if (hosting->nurse != NULL)
        nurse_stop(hosting->nurse);
    home_wind_down(hosting->home);
}

bool hosting_is_at_rest(const struct hosting *hosting)
{
    return hosting->plugins == NULL ||
           (nurse_is_at_rest(hosting->nurse) && reload_is_at_rest(hosting->reload));
}

void hosting_stop(struct hosting *hosting, void (*done)(void *arg), void *arg)
{
    home_stop(hosting->home, done, arg);
}

bool hosting_is_stopped(const struct hosting *hosting)
{
    return home_is_stopped(hosting->home);
}

void hosting_close(struct hosting *hosting)
{
    if (hosting == NULL)
        return;
    nurse_close(hosting->nurse);
    reload_close(hosting->reload);
    hosting->nurse = NULL;
    hosting->reload = NULL;
}

void hosting_free(struct hosting *hosting)
{
    if (hosting == NULL)
        return;
    home_free(hosting->home);
    plugin_set_free(hosting->plugins);
    free(hosting);
}
