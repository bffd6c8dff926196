/* sweeper.h -- when the files that nobody names are swept away.
 *
 * Once after the start, and a day after something was put that may have been left unnamed; never
 * because time has passed alone: a daemon that has no such file does not wake up for it.  Before a
 * sweep a checkpoint is made, so that it sees every event that is known; the sweep itself is a
 * worker's.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_SWEEPER_H
#define CORE_SERVER_SWEEPER_H

#include "core/base/clock.h"

#include <stdbool.h>

struct files;
struct node;
struct sweeper;
struct uv_loop_s;

struct sweeper_options {
    struct uv_loop_s *loop;
    struct files *files; /* both live until the sweeper is closed and at rest */
    struct node *node;
    struct clock clock;
    void (*on_rest)(void *arg); /* a sweep has ended */
    void *arg;
};

struct sweeper *sweeper_open(const struct sweeper_options *options);

void sweeper_start(struct sweeper *sweeper);  /* sweep now: the engine has caught up */
void sweeper_wanted(struct sweeper *sweeper); /* a file was put: sweep in a day */

/* Begin nothing any more. */
void sweeper_stop(struct sweeper *sweeper);
bool sweeper_is_at_rest(const struct sweeper *sweeper); /* no worker is at it */

/* It must be at rest; its memory goes when the loop has run once more.  NULL is allowed. */
void sweeper_close(struct sweeper *sweeper);

#endif
