/* plugin_watch.h -- noticing a plugin that does not come back to the engine.
 *
 * A plugin in the daemon's process that loops, or waits for what never comes, holds up the engine
 * and with it everybody: events are taken in and none is applied.  Nothing in the process can end
 * such a call, so the process is ended, by a signal of its own, and its parent blames the plugin
 * for a hang (core/server/parent.h) as it would for a crash: what holds for every replay is the
 * verdict in the log, and no clock enters the engine.
 *
 *     PLUGIN_HANG_TELL_MS in one call: the messages and /readyz name the plugin and the entry
 *     PLUGIN_HANG_MS in it:            the daemon ends itself, if it has a parent to start it again
 *
 * What counts is how often it was looked at and had not moved, so that a machine which sleeps and
 * a debugger that holds the process blame nobody.  The service manager's watchdog would bite later,
 * and is not there for everybody.  Of a loop that hangs itself in a plugin's outside side
 * loop_watch.h knows: then nobody looks here either.
 *
 * The loop's thread, which is woken each PLUGIN_LOOK_MS; others look then as well.
 */
#ifndef CORE_SERVER_PLUGIN_WATCH_H
#define CORE_SERVER_PLUGIN_WATCH_H

struct plugin_watch;
struct uv_loop_s;

/* `also` is called at each look; NULL: nobody. */
struct plugin_watch *plugin_watch_open(struct uv_loop_s *loop, void (*also)(void *arg), void *arg);
void plugin_watch_close(struct plugin_watch *watch); /* NULL is allowed; freed by the loop */

/* Why nothing is applied, for /readyz; NULL: no plugin holds up the engine. */
const char *plugin_watch_reason(const struct plugin_watch *watch); /* NULL is allowed */

#endif
