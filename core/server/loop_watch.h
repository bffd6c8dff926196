/* loop_watch.h -- noticing a plugin that does not come back to the loop.
 *
 * A plugin in the daemon's process is called on the loop: start(), its routes, its channels, what
 * it is told.  One that loops there, or waits for what never comes, holds up everybody: nobody is
 * answered, no message goes, and no signal is heard.  plugin_watch.h looks at the engine from the
 * loop; here a thread looks at the loop, and what it does is the same: the process ends itself, and
 * its parent blames the plugin for a hang.
 *
 *     PLUGIN_HANG_TELL_MS in one call: the messages name the plugin and the call
 *     PLUGIN_LOOP_HANG_MS in it:       the daemon ends itself, if it has a parent
 *
 * The same holds while plugins are loaded, where their constructors and kith_describe() run on
 * what is to be the loop, and no signal and no service manager has a daemon to talk to.  There the
 * messages name the file, and it is the end without a parent too: nobody was answered before.
 *
 * Only a loop that is in a plugin is looked at, so that a slow disk, a fold at the start and a
 * verification blame nobody; and what counts is how often it was seen in the same call, so that a
 * machine which sleeps or swaps and a debugger that holds the process do not either.
 *
 * That the parent looks was rejected: it sleeps until something happens, and a daemon that somebody
 * has stopped looks to it like one that hangs.
 */
#ifndef CORE_SERVER_LOOP_WATCH_H
#define CORE_SERVER_LOOP_WATCH_H

struct loop_watch;

/* Before plugins are loaded, from `plugin_dir`, which is kept by reference. */
struct loop_watch *loop_watch_open(const char *plugin_dir);
void loop_watch_loaded(struct loop_watch *watch); /* they all are, and will start */
void loop_watch_close(struct loop_watch *watch);  /* NULL is allowed */

#endif
