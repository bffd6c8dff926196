/* home.h -- the daemon as the host of its plugins: what their outside sides ask for, and what is
 * handed to them.
 *
 * outside.h has the plugin's half, wherever it runs.  Here is the other: events go into the log,
 * requests to the HTTP interface, answers into the deliverer; messages, requests and erasures go to
 * the plugin over its face, which is a function call where the plugin lives in this process, and a
 * socket where it has one of its own.
 *
 *     home_new()     before the node: channels are known, routes are checked
 *     home_start()   when the engine has caught up, before anybody is served
 *     home_process() when an isolated plugin that was lost has another process
 *     home_wind_down, home_stop()
 *                    when nothing is under way any more: stop() of each, then `done`
 *     home_free()
 *
 * A plugin that does not start is told of, its channels wait, its routes answer 503, and all else
 * goes on.  The loop's thread.
 */
#ifndef CORE_SERVER_HOME_H
#define CORE_SERVER_HOME_H

#include "core/outside/channel.h"
#include "core/outside/outside.h"

struct api;
struct buf;
struct err;
struct home;
struct home_guest;
struct metrics;
struct plugin_set;
struct route;

/* Where a plugin lives. */
struct home_face {
    void *self;
    void (*down)(void *self, enum outside_down kind, uint64_t number, struct doc doc);
    void (*status)(void *self, size_t channel, struct channel_status *out_status);
    void (*wind_down)(void *self);
    /* The last that is heard of it is `done`, also from inside. */
    void (*stop)(void *self, void (*done)(void *arg, const struct outside_rest *rest), void *arg);
};

struct home_options {
    struct uv_loop_s *loop;
    const struct plugin_set *plugins; /* must outlive it; NULL: none */
    struct metrics *metrics;
    /* The process of an isolated plugin is no more: `why`, after its name.  What it had under way
     * is answered for it, and it is away until home_process(). */
    void (*lost)(void *arg, const char *plugin, const char *why);
    void *lost_arg;
};

/* E_INVALID: two plugins, or one and Kith itself, answer the same route or deliver on the same
 * channel. */
int home_new(const struct home_options *options, struct home **out_home, struct err *err);
void home_free(struct home *home); /* stopped, or never started; NULL is allowed */

/* Channel `index` of all plugins; false: there are not so many.  For the node's options. */
bool home_channel(struct home *home, size_t index, struct channel *out_channel);

/* All routes, a table for api->plugin_routes. */
const struct route *home_routes(const struct home *home);

/* What /openapi.json says of them: into the open documents of paths and of tags.  NULL is allowed.
 * */
struct doc_writer;
void home_put_paths(const struct home *home, struct doc_writer *w);
void home_put_tags(const struct home *home, struct doc_writer *w);

/* The operator has changed files of secrets, or may have. */
void home_reread(struct home *home);

/* What needs the node and the interface: both must outlive the stop.  `started`, from the loop,
 * when every start() has returned, or has had its time.  Who is quarantined for a crash is left
 * out. */
void home_start(struct home *home, struct api *api, void (*started)(void *arg), void *arg);

/* Isolated plugin `index` of the set has another process, whose ends are taken over. */
struct remote_ends;
void home_process(struct home *home, size_t index, const struct remote_ends *ends);

/* One that is loaded anew.  Whether plugin `index` of the set can take the place of the one that
 * is there; E_INVALID, as home_new().  Then home_return() follows, with this set or the one that
 * is in use. */
int home_try(struct home *home, const struct plugin_set *set, size_t index, struct err *err);
/* It is given nothing more, has PLUGIN_DRAIN_MS for what it was given, and is stopped; then `done`,
 * from the loop or from inside.  What comes meanwhile waits. */
void home_leave(struct home *home, size_t index, void (*done)(void *arg), void *arg);
/* The plugin of this set begins.  Sets and plugins that were there before must live as long as the
 * home. */
void home_return(struct home *home, const struct plugin_set *set, size_t index);

/* Somebody enables it: one that lives here and was left out starts.  Whether it serves, and needs
 * no other process. */
bool home_enable(struct home *home, struct text plugin);

void home_wind_down(struct home *home);
void home_stop(struct home *home, void (*done)(void *arg), void *arg);
bool home_is_stopped(const struct home *home); /* or never started */

/* Somebody is being erased: every plugin is told.  E_BUSY: one of them has not done it yet. */
int home_forget(struct home *home, const uint64_t *customers, size_t count, struct err *err);

/* How often this plugin has refused to forget somebody.  Any thread.  `home` may be NULL. */
uint64_t home_forget_failures(const struct home *home, const char *plugin);

/* Why this plugin's outside side did not start; NULL: it did, or was not to.  It lives as long as
 * the home.  Any thread.  `home` may be NULL. */
const char *home_failed(const struct home *home, const char *plugin);

/* The names of those whose outside side does not run though nobody has quarantined them, with why,
 * and ", " between; how many.  `home` may be NULL. */
size_t home_idle(const struct home *home, struct buf *out);

/* Now and then: whoever's work has not ended in PLUGIN_WORK_TELL_MS is told of, once. */
void home_look(struct home *home);

/* kith_plugin_*, in Prometheus' format; NULL is allowed. */
void home_write_metrics(struct home *home, struct buf *out);

#endif
