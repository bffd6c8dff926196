/* feed.h -- the due list of one member of staff as a calendar to subscribe to.
 *
 * Most calendars show appointments only and pass over tasks, so each task that has a due time
 * appears as a VEVENT at that time which makes nobody busy (TRANSP), or as a day's event when it
 * is due on a day.  What is done or called off is left out: a due list says what is still to be
 * done.  A client that knows tasks gets them as they are through CalDAV (dav.h).
 *
 * The same tasks give the same bytes, whatever the time, so that an entity tag over them holds.
 */
#ifndef PLUGINS_FOLLOWUP_FEED_H
#define PLUGINS_FOLLOWUP_FEED_H

#include <stddef.h>

struct buffer;
struct ics_item;

#define FEED_SLOT_MINUTES 30 /* how long a task looks in a calendar */
#define FEED_REFRESH "PT15M" /* how often to ask again (RFC 7986, 5.7) */

/* Write the calendar `name` of `count` tasks, in their order.  Fails only as a buffer does. */
void feed_write(struct buffer *buffer, const char *name, const struct ics_item *tasks,
                size_t count);

#endif
