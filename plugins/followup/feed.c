/* feed.c -- a task seen as an appointment: its due time is where the slot begins. */
#include "feed.h"

#include "buffer.h"
#include "ics.h"

#include <stdbool.h>

#define SLOT_MS (FEED_SLOT_MINUTES * INT64_C(60000))

static bool is_shown(const struct ics_item *task)
{
    return task->due.kind != WHEN_NONE && task->status != ICS_DONE && task->status != ICS_CANCELLED;
}

/* DTEND is where it is over: for a day the midnight after it (RFC 5545, 3.6.1).  Alarms and the
 * client's other lines belong to the task, not to its shadow. */
static struct ics_item event_of(const struct ics_item *task)
{
    struct ics_item event = *task;
    event.kind = ICS_EVENT;
    event.start = task->due;
    event.due.ms += task->due.kind == WHEN_DATE ? WHEN_DAY_MS : SLOT_MS;
    event.transparent = true;
    event.kept = NULL;
    return event;
}

void feed_write(struct buffer *buffer, const char *name, const struct ics_item *tasks, size_t count)
{
    ics_begin(buffer, name);
    buffer_text(buffer, "REFRESH-INTERVAL;VALUE=DURATION:" FEED_REFRESH "\r\n"
                        "X-PUBLISHED-TTL:" FEED_REFRESH "\r\n");
    for (size_t i = 0; i < count; i++) {
        if (!is_shown(&tasks[i]))
            continue;
        struct ics_item event = event_of(&tasks[i]);
        ics_write(buffer, &event);
    }
    ics_end(buffer);
}
