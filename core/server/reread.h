/* reread.h -- SIGHUP: kith.lua is read anew, and the operator is told what would come of it.
 *
 *     step     where      what
 *     ------   --------   ------------------------------------------------------------------
 *     read     loop       the file
 *     try      worker     its plugins, in processes of their own: would a start load them?
 *     look     engine     is there who and what it names: the fallback, owners of kinds, calendars
 *     say      loop       what is wrong; else what it is used for, and from when on
 *
 * With anything wrong the configuration that is in force stays, all of it.  One at a time; what is
 * asked for meanwhile is done behind it.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_REREAD_H
#define CORE_SERVER_REREAD_H

#include "core/base/limits.h"
#include "core/engine/read.h"

#include <stdbool.h>

struct hosting;
struct node;
struct plugin_set;
struct reread;
struct settings;
struct uv_loop_s;

#define REREAD_KINDS_BYTES 200 /* with the NUL; what is longer is cut */

/* What a configuration names, or its plugins, as far as it is not there. */
struct reread_missing {
    struct read_fallback fallback;
    struct read_kind_owner owner;
    char calendar[NAME_BYTES_MAX + 1]; /* empty: none, or no bundle is in force */
    char kinds[REREAD_KINDS_BYTES];    /* "visits reads records.repairs"; likewise */
};

/* Of the one in force.  Engine's thread; then, anywhere, to the log. */
void reread_look(struct engine *engine, const struct plugin_set *plugins,
                 struct reread_missing *out_missing);
void reread_say_missing(const struct reread_missing *missing);

struct reread_options {
    struct uv_loop_s *loop;
    struct node *node;
    struct hosting *hosting;         /* all of it outlives the reread */
    const struct settings *settings; /* in force */
    int (*read_settings)(void *arg, struct settings *settings, struct err *err);
    void *read_arg;
    /* What needs no restart, of settings that are good, else of those in force; then all is said.
     */
    void (*use)(void *arg, const struct settings *settings);
    void (*done)(void *arg);
    void *arg;
};

struct reread *reread_open(const struct reread_options *options);
void reread_begin(struct reread *reread);

/* Nothing is said any more; before the node's end.  Then, when the loop has run once more and the
 * node has ended, its memory goes.  NULL is allowed. */
void reread_close(struct reread *reread);
void reread_free(struct reread *reread);

#endif
