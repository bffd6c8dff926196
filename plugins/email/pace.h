/* pace.h -- how fast, and how many at once, to the domain of a recipient.
 *
 * Providers count what comes from one sender and punish the hasty.  A domain has slots: each
 * message takes the next one, an interval after the one before.  One whose slot is near waits here;
 * one whose slot is far is told when to come again, and the times that are promised are as far
 * apart as slots, so that those who wait do not come back all at once.
 *
 * No clock: the caller says what time it is, in milliseconds of any clock that does not jump.  A
 * domain without work and without a future is forgotten.  One thread.
 */
#ifndef PLUGINS_EMAIL_PACE_H
#define PLUGINS_EMAIL_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_HOLD_MS 30000 /* a message waits at most so long for its slot */

struct pace;
struct pace_domain;

/* `running_max`, `rate` (a minute): 0 is no limit.  NULL: no memory. */
struct pace *pace_new(size_t running_max, int64_t rate);
void pace_free(struct pace *pace); /* NULL is allowed */

/* A slot at the domain `name` (a C string, lower case).  0: *out_at_ms is when it is, and
 * pace_leave() gives the domain back.  1: too far, *out_at_ms is when to come again; nothing was
 * taken.  -1: no memory. */
int pace_enter(struct pace *pace, const char *name, int64_t now_ms, struct pace_domain **out_domain,
               int64_t *out_at_ms);
void pace_leave(struct pace *pace, struct pace_domain *domain, int64_t now_ms);

/* Between these two a message of that domain is on its way. */
bool pace_may_begin(const struct pace *pace, const struct pace_domain *domain);
void pace_begin(struct pace_domain *domain);
void pace_end(struct pace_domain *domain);

size_t pace_count(const struct pace *pace); /* domains known */

#endif
