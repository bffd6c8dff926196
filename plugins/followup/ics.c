/* ics.c -- writes an item: what Kith knows, then what the client's own lines were.
 *
 * A time zone is nowhere in it (ics.h), and no field is written that has nothing to say, so that
 * an object read and written again without a change in between is the same bytes.
 */
#include "ics.h"

#include "buffer.h"
#include "line.h"

#include <string.h>

#define PRODUCT "-//Kith//Follow-up//EN"

void ics_begin(struct buffer *buffer, const char *name)
{
    buffer_text(buffer, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:" PRODUCT "\r\n");
    if (name != NULL) {
        line_write_text(buffer, "NAME", name); /* RFC 7986, 5.1 */
        line_write_text(buffer, "X-WR-CALNAME", name);
    }
}

void ics_end(struct buffer *buffer)
{
    buffer_text(buffer, "END:VCALENDAR\r\n");
}

static void write_text(struct buffer *buffer, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        line_write_text(buffer, name, text);
}

static void write_value(struct buffer *buffer, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        line_write(buffer, name, NULL, value);
}

static void write_when(struct buffer *buffer, const char *name, struct when when)
{
    if (when.kind == WHEN_NONE)
        return;
    buffer_text(buffer, name);
    buffer_text(buffer, when.kind == WHEN_DATE ? ";VALUE=DATE:" : ":");
    when_write(buffer, when);
    buffer_text(buffer, "\r\n");
}

/* RFC 5545 wants a moment here, also of what was kept as a date. */
static void write_moment(struct buffer *buffer, const char *name, struct when when)
{
    if (when.kind != WHEN_NONE)
        when.kind = WHEN_TIME;
    write_when(buffer, name, when);
}

static void write_number(struct buffer *buffer, const char *name, unsigned number)
{
    if (number > 0)
        buffer_printf(buffer, "%s:%u\r\n", name, number);
}

/* A task due before it starts is no iCalendar (3.8.2.3): somebody moved it here, and what she
 * set is the due time. */
static void write_times(struct buffer *buffer, const struct ics_item *item)
{
    bool is_start_kept = item->kind == ICS_EVENT || item->due.kind == WHEN_NONE ||
                         (item->start.kind == item->due.kind && item->start.ms < item->due.ms);
    if (is_start_kept)
        write_when(buffer, "DTSTART", item->start);
    write_when(buffer, item->kind == ICS_EVENT ? "DTEND" : "DUE", item->due);
}

static void write_status(struct buffer *buffer, const struct ics_item *item)
{
    static const char *const names[] = { "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED" };
    if (item->kind == ICS_EVENT) {
        bool is_cancelled = item->status == ICS_CANCELLED;
        line_write(buffer, "STATUS", NULL, is_cancelled ? "CANCELLED" : "CONFIRMED");
        if (item->transparent)
            line_write(buffer, "TRANSP", NULL, "TRANSPARENT");
        return;
    }
    line_write(buffer, "STATUS", NULL, names[item->status]);
    if (item->status == ICS_DONE)
        write_moment(buffer, "COMPLETED", item->completed);
    write_number(buffer, "PERCENT-COMPLETE", item->status == ICS_DONE ? 100 : item->percent);
}

static void write_kept(struct buffer *buffer, const char *kept)
{
    while (kept != NULL && *kept != '\0') {
        const char *end = strchrnul(kept, '\n');
        line_write_raw(buffer, kept, (size_t)(end - kept));
        kept = *end == '\0' ? end : end + 1;
    }
}

void ics_write(struct buffer *buffer, const struct ics_item *item)
{
    const char *component = item->kind == ICS_EVENT ? "VEVENT" : "VTODO";
    struct when stamp = item->modified.kind != WHEN_NONE ? item->modified : item->created;
    stamp.kind = WHEN_TIME; /* required (3.6.2): 1970 when nothing is known */

    line_write(buffer, "BEGIN", NULL, component);
    line_write_text(buffer, "UID", item->uid);
    write_when(buffer, "DTSTAMP", stamp);
    write_moment(buffer, "CREATED", item->created);
    write_moment(buffer, "LAST-MODIFIED", item->modified);
    write_number(buffer, "SEQUENCE", item->sequence);
    write_text(buffer, "SUMMARY", item->title);
    write_text(buffer, "DESCRIPTION", item->note);
    write_value(buffer, "URL", item->url);
    write_value(buffer, "CATEGORIES", item->categories);
    write_number(buffer, "PRIORITY", item->priority);
    write_times(buffer, item);
    write_status(buffer, item);
    write_kept(buffer, item->kept);
    line_write(buffer, "END", NULL, component);
}

/* ---- What a person did ------------------------------------------------------------------ */

static bool is_same_text(const char *left, const char *right)
{
    return strcmp(left == NULL ? "" : left, right == NULL ? "" : right) == 0;
}

/* To the second, which is all that iCalendar carries. */
static bool is_same_when(struct when left, struct when right)
{
    return left.kind == right.kind && (left.kind == WHEN_NONE || left.ms / 1000 == right.ms / 1000);
}

static unsigned status_change(enum ics_status before, enum ics_status after)
{
    if (before == after)
        return 0;
    if (after == ICS_DONE)
        return ICS_COMPLETED;
    if (after == ICS_CANCELLED)
        return ICS_CALLED_OFF;
    return before == ICS_DONE || before == ICS_CANCELLED ? ICS_REOPENED : ICS_ELSE;
}

unsigned ics_changes(const struct ics_item *before, const struct ics_item *after)
{
    unsigned changes = status_change(before->status, after->status);
    bool is_progress = after->status != ICS_DONE && before->status != ICS_DONE &&
                       before->percent != after->percent;
    if (!is_same_text(before->title, after->title))
        changes |= ICS_RETITLED;
    if (!is_same_text(before->note, after->note))
        changes |= ICS_NOTED;
    if (!is_same_when(before->due, after->due))
        changes |= ICS_MOVED;
    if (before->priority != after->priority)
        changes |= ICS_PRIORITIZED;
    if (is_progress || !is_same_when(before->start, after->start) ||
        !is_same_text(before->url, after->url) || !is_same_text(before->kept, after->kept) ||
        !is_same_text(before->categories, after->categories))
        changes |= ICS_ELSE;
    return changes;
}
