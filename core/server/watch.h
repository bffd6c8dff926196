/* watch.h -- when somebody saves in a folder of scripts.
 *
 * Watches a directory and all folders in it, and calls back once things have been quiet
 * for a moment: an editor that saves makes several changes, a checkout makes hundreds.
 * Costs nothing while nobody saves.  The loop's thread.
 */
#ifndef CORE_SERVER_WATCH_H
#define CORE_SERVER_WATCH_H

struct err;
struct uv_loop_s;
struct watch;

/* E_IO: the directory cannot be watched. */
int watch_open(struct uv_loop_s *loop, const char *dir, void (*on_change)(void *arg), void *arg,
               struct watch **out_watch, struct err *err);
/* The loop must run once more; NULL is allowed. */
void watch_close(struct watch *watch);

#endif
