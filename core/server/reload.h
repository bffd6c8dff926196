/* reload.h -- a plugin is loaded anew while the daemon runs: POST /v1/plugins/{name}/reload.
 *
 *     step        where        what
 *     ---------   ----------   ------------------------------------------------------------
 *     read        loop         kith.lua, for what it says of this plugin now
 *     rest        loop         until no process of an isolated plugin is just being begun
 *     load        worker       the file, as at a start: first in a process that is thrown away,
 *                              where it may crash; do the rules in force load with it?
 *     stop        loop         its outside side comes to its end
 *     rehearse    loop         the new one's start() and stop(), in the process that is thrown away
 *     change      change.h     the engine has the new one, from one entry on
 *     begin       loop         the new one's outside side
 *     look        engine       is there what its configuration names?
 *
 * Whatever fails before the change leaves everything as it was, and whoever asked hears why.  The
 * file that is loaded is the one that lies there now; what kith.lua says of anything else stays
 * for the next start.  One at a time.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_RELOAD_H
#define CORE_SERVER_RELOAD_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct node;
struct nurse;
struct plugin_set;
struct reload;
struct settings;
struct uv_loop_s;

struct reload_options {
    struct uv_loop_s *loop;
    struct node *node;
    struct nurse *nurse;        /* not NULL: all three outlive the reload */
    struct settings *settings;  /* in force; what has changed of the plugin is noted there */
    struct plugin_set *plugins; /* not NULL */
    /* What the operator wants by now. */
    int (*read_settings)(void *arg, struct settings *settings, struct err *err);
    void *read_arg;
    /* The engine is about to load its rules with this set.  Engine's thread. */
    void (*in_force)(void *arg, struct plugin_set *set);
    /* It has; the one before stays for whoever still looks at it, until this one is freed. */
    void (*use)(void *arg, struct plugin_set *set);
    /* The outside side of plugin `index`: could that of the set come in its place?  It comes to
     * its end, then `done`; that of the set begins: the one before where nothing has changed. */
    int (*try_outside)(void *arg, const struct plugin_set *set, size_t index, struct err *err);
    void (*stop_outside)(void *arg, size_t index, void (*done)(void *done_arg), void *done_arg);
    void (*start_outside)(void *arg, struct plugin_set *set, size_t index);
    void (*on_rest)(void *arg); /* one has come to its end */
    void *arg;
};

/* `status` as in HTTP, 200 when it is in force; else words for whoever asked.  With 200 they are
 * empty, or warn of what its configuration names and is not there. */
typedef void reload_done_fn(void *arg, int status, const struct err *err);

struct reload *reload_open(const struct reload_options *options);
bool reload_is_at_rest(const struct reload *reload);
void reload_close(
    struct reload *reload); /* at rest; freed when the loop has run once more; or NULL */

/* `done` comes later, from the loop, or from inside. */
void reload_begin(struct reload *reload, struct text name, reload_done_fn *done, void *arg);

#endif
