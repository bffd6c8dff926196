/* ics.h -- a task or an appointment as an iCalendar object, both ways (RFC 5545, 3.4 and 3.6).
 *
 * Kith and a phone each know things of a task that the other does not.  What both know is a
 * field of struct ics_item.  Whatever else a client wrote into its object -- X- properties, its
 * alarms, a place, a relation -- is kept as the text it was (`kept`) and goes out again with the
 * next writing, so that neither side loses what is the other's.
 *
 * Times go out in UTC or as dates, never in a zone: no VTIMEZONE is written and none can be
 * wrong.  What comes in with TZID, or without any zone, is turned into a moment by struct
 * ics_zones, of whoever knows zones; a zone that it does not know is asked by the end of its
 * name (/freeassociation.sourceforge.net/Europe/Berlin), then by the X-LIC-LOCATION of the
 * VTIMEZONE that came with it.
 *
 * Items live in memory and are read and written on one thread each.
 */
#ifndef PLUGINS_FOLLOWUP_ICS_H
#define PLUGINS_FOLLOWUP_ICS_H

#include "when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct fault;

#define ICS_SIZE_MAX (256u << 10) /* bytes of an object that is read */
#define ICS_LINES_MAX 4096        /* unfolded */
#define ICS_DEPTH_MAX 8           /* components within components */
#define ICS_UID_MAX 255           /* bytes (RFC 7986, 5.3) */
#define ICS_TITLE_MAX 1024        /* bytes of SUMMARY */

enum ics_kind { ICS_TODO, ICS_EVENT };

/* RFC 5545, 3.8.1.11; the first is that of a VTODO without STATUS. */
enum ics_status { ICS_OPEN, ICS_STARTED, ICS_DONE, ICS_CANCELLED };

struct ics_item {
    enum ics_kind kind;
    enum ics_status status; /* an event is open or cancelled */
    const char *uid;        /* for ever the same; not empty */
    const char *title;      /* SUMMARY; text fields are NULL or "" when not given */
    const char *note;       /* DESCRIPTION */
    const char *url;
    const char *categories; /* names joined by ',', each escaped (line_escape) */
    const char *kept;       /* what else the client wrote: content lines, each with its \n */
    struct when start;      /* DTSTART; left out of a VTODO that is due before it */
    struct when due;        /* DUE of a VTODO, DTEND of a VEVENT */
    struct when completed;  /* of ICS_DONE */
    struct when created;
    struct when modified; /* LAST-MODIFIED and DTSTAMP */
    unsigned percent;     /* 0 to 100; 100 exactly when done */
    unsigned priority;    /* 0 none, 1 highest to 9 lowest */
    unsigned sequence;    /* counts the changes of the side that owns the task */
    bool transparent;     /* an event that makes nobody busy */
    char *own;            /* what a read item owns; NULL in one that the caller made */
};

/* What a local time is in UTC.  `zone` is a name of the time zone database, or NULL for the zone
 * of the person whose list it is; `local_ms` is the local clock read as if it stood in UTC.
 * Answers false for a zone that it does not know, never for NULL. */
struct ics_zones {
    void *arg;
    bool (*to_utc)(void *arg, const char *zone, int64_t local_ms, int64_t *out_ms);
};

/* Read an object of exactly one task or appointment.  *out_item is the caller's to give to
 * ics_item_deinit() and its texts live until then.  FAULT_INVALID, FAULT_LIMIT or FAULT_MEMORY;
 * FAULT_UNSUPPORTED for other components, several of them (the exceptions of a repetition),
 * METHOD, and a zone that nobody knows. */
int ics_read(const char *data, size_t size, const struct ics_zones *zones,
             struct ics_item *out_item, struct fault *fault);
void ics_item_deinit(struct ics_item *item); /* also one that was never read, if zeroed */

/* A calendar: what stands before the items, each item, what stands behind them. */
void ics_begin(struct buffer *buffer, const char *name); /* NULL: no name */
void ics_write(struct buffer *buffer, const struct ics_item *item);
void ics_end(struct buffer *buffer);

/* What a person did to her copy of a task, as bits. */
enum {
    ICS_RETITLED = 1 << 0,
    ICS_NOTED = 1 << 1,
    ICS_MOVED = 1 << 2, /* due */
    ICS_COMPLETED = 1 << 3,
    ICS_REOPENED = 1 << 4,
    ICS_CALLED_OFF = 1 << 5, /* cancelled */
    ICS_PRIORITIZED = 1 << 6,
    ICS_ELSE = 1 << 7, /* start, progress, categories, URL, or what is kept */
};
unsigned ics_changes(const struct ics_item *before, const struct ics_item *after);

#endif
