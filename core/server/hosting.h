/* hosting.h -- the plugins of a running daemon, and those who look after them, wired to each other.
 *
 * Home has their outside sides, the nurse brings back the processes of isolated ones, the reload
 * puts another version in a plugin's place, and each of them needs to know what another has done:
 * a process that home misses the nurse has to begin, one that she has begun goes to home, and one
 * that is reloaded has to leave home and come back.  None of them knows the others; this does.
 *
 *     hosting_open()    before the node: plugins are loaded, channels and routes are known
 *     hosting_attach()  when the node is open
 *     hosting_start()   when the engine has caught up, before anybody is served
 *     hosting_serve()   when everybody is
 *     hosting_wind_down(), hosting_stop()
 *     hosting_close()   before the node's, hosting_free() after it
 *
 * The loop's thread, but where said otherwise.
 */
#ifndef CORE_SERVER_HOSTING_H
#define CORE_SERVER_HOSTING_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api;
struct channel;
struct err;
struct hosting;
struct metrics;
struct node;
struct plugin_set;
struct script_surroundings;
struct settings;
struct uv_loop_s;

/* All of it outlives the hosting. */
struct hosting_options {
    struct uv_loop_s *loop;
    struct settings *settings; /* finished anew with what plugins add */
    struct metrics *metrics;
    struct api *api;                          /* hosting_fill_api() */
    struct script_surroundings *surroundings; /* of the rules: the engine's once it runs */
    int (*read_settings)(void *arg, struct settings *settings, struct err *err);
    void *read_arg;
    void (*on_rest)(void *arg); /* it may be at rest now */
    void *arg;
};

/* Errors are those of plugins_load() and home_new(). */
int hosting_open(const struct hosting_options *options, struct hosting **out_hosting,
                 struct err *err);
/* Those of plugins, at most `max`; how many. */
size_t hosting_channels(const struct hosting *hosting, struct channel *out_channels, size_t max);
void hosting_attach(struct hosting *hosting, struct node *node);
void hosting_fill_api(struct hosting *hosting);

/* The plugins in force; NULL: there are none. */
struct plugin_set *hosting_plugins(const struct hosting *hosting);

void hosting_start(struct hosting *hosting, void (*started)(void *arg), void *arg);
void hosting_serve(struct hosting *hosting);

/* For the node: the engine has lost a plugin; somebody is erased (home_forget()). */
void hosting_lost(struct hosting *hosting, struct text name, const char *why);
int hosting_forget(struct hosting *hosting, const uint64_t *customers, size_t count,
                   struct err *err);
/* SIGHUP: files of secrets may have changed. */
void hosting_reread(struct hosting *hosting);
/* Each PLUGIN_LOOK_MS. */
void hosting_look(struct hosting *hosting);

void hosting_wind_down(struct hosting *hosting);
bool hosting_is_at_rest(const struct hosting *hosting); /* no process and no reload is under way */
/* At rest: the outside sides come to their end, then `done`. */
void hosting_stop(struct hosting *hosting, void (*done)(void *arg), void *arg);
bool hosting_is_stopped(const struct hosting *hosting);

/* Stopped; handles close when the loop has run once more.  NULL is allowed. */
void hosting_close(struct hosting *hosting);
void hosting_free(struct hosting *hosting);

#endif
