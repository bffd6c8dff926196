/* rehearsal.h -- does a plugin start?  Tried in a process that is thrown away.
 *
 * start() is called there, and stop() once it has returned.  It has its configuration, the network
 * and files as it will have them, but nothing of the daemon: what it counts is forgotten, and
 * whatever it asks for is answered KITH_BUSY.  So whoever has the same port or file must be gone.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_REHEARSAL_H
#define CORE_SERVER_REHEARSAL_H

struct err;
struct plugin;
struct remote_ends;
struct uv_loop_s;

/* 0, or E_INVALID with words: it says no, crashes, or does not return from either of the two. */
typedef void rehearsal_done_fn(void *arg, int code, const struct err *err);

/* Of the process that has loaded `plugin`, which outlives it; the ends are taken over.  `done`
 * comes from the loop, or from inside. */
void rehearsal_begin(struct uv_loop_s *loop, const struct plugin *plugin,
                     const struct remote_ends *ends, rehearsal_done_fn *done, void *arg);

#endif
