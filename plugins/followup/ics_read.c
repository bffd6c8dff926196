/* ics_read.c -- reads an object of one item: a walk over its lines with a stack of open names.
 *
 * The whole is copied once into a block with room for two more copies: the unfolded lines, of
 * which names and texts are slices; the lines that are kept; the categories of several lines
 * joined.  None of them can be longer than what was read, so nothing grows and nothing overflows.
 *
 * Times are looked at last: a VTIMEZONE may stand behind the task that names it.
 */
#include "ics.h"

#include "fault.h"
#include "line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALIASES_MAX 16 /* VTIMEZONEs that name their place; further ones are not asked */
#define ZONE_NAME_MAX 128

struct alias {
    const char *zone, *place;
};

struct reader {
    struct ics_item item;
    const struct ics_zones *zones;
    struct fault *fault;
    char *kept, *kept_end;
    char *categories, *categories_end;
    const char *open[ICS_DEPTH_MAX];
    unsigned depth, number;
    bool has_item, is_in_item, is_in_zone, has_status, is_over;
    struct alias aliases[ALIASES_MAX];
    unsigned alias_count;
    struct line start, due, duration, completed, created, modified, stamp;
};

static void append(char **end, const char *text)
{
    size_t size = strlen(text);
    memcpy(*end, text, size + 1);
    *end += size;
}

static int keep(struct reader *reader, const struct line *line)
{
    append(&reader->kept_end, line->name);
    if (*line->params != '\0') {
        append(&reader->kept_end, ";");
        append(&reader->kept_end, line->params);
    }
    append(&reader->kept_end, ":");
    append(&reader->kept_end, line->value);
    append(&reader->kept_end, "\n");
    return 0;
}

/* ---- Properties of the item ------------------------------------------------------------- */

static int read_text(struct reader *reader, const struct line *line, const char **out_text)
{
    line_unescape(line->value);
    if (out_text == &reader->item.title && strlen(line->value) > ICS_TITLE_MAX)
        return fault_set(reader->fault, FAULT_LIMIT, "a SUMMARY of more than %d bytes",
                         ICS_TITLE_MAX);
    if (out_text == &reader->item.uid && strlen(line->value) > ICS_UID_MAX)
        return fault_set(reader->fault, FAULT_LIMIT, "a UID of more than %d bytes", ICS_UID_MAX);
    *out_text = line->value;
    return 0;
}

static int read_number(struct reader *reader, const struct line *line, unsigned max,
                       unsigned *out_number)
{
    char *end = line->value;
    unsigned long number = strtoul(line->value, &end, 10);
    if (*line->value < '0' || *line->value > '9' || *end != '\0')
        return fault_set(reader->fault, FAULT_INVALID, "line %u: %.20s is no number: %.20s",
                         reader->number, line->name, line->value);
    *out_number = number > max ? max : (unsigned)number;
    return 0;
}

static int read_status(struct reader *reader, const struct line *line)
{
    static const struct {
        const char *name;
        enum ics_status status;
    } rows[] = {
        { "NEEDS-ACTION", ICS_OPEN },   { "IN-PROCESS", ICS_STARTED }, { "COMPLETED", ICS_DONE },
        { "CANCELLED", ICS_CANCELLED }, { "CONFIRMED", ICS_OPEN },     { "TENTATIVE", ICS_OPEN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcasecmp(line->value, rows[i].name) == 0) {
            reader->item.status = rows[i].status;
            reader->has_status = true;
        }
    return 0;
}

static int read_categories(struct reader *reader, const struct line *line)
{
    if (*line->value == '\0')
        return 0;
    if (reader->categories_end > reader->categories)
        append(&reader->categories_end, ",");
    append(&reader->categories_end, line->value);
    return 0;
}

static int read_property(struct reader *reader, const struct line *line)
{
    struct ics_item *item = &reader->item;
    const struct {
        const char *name;
        const char **text;
        struct line *later;
        unsigned *number, max;
    } rows[] = {
        { "UID", .text = &item->uid },
        { "SUMMARY", .text = &item->title },
        { "DESCRIPTION", .text = &item->note },
        { "DTSTART", .later = &reader->start },
        { "DUE", .later = &reader->due },
        { "DTEND", .later = &reader->due },
        { "DURATION", .later = &reader->duration },
        { "COMPLETED", .later = &reader->completed },
        { "CREATED", .later = &reader->created },
        { "LAST-MODIFIED", .later = &reader->modified },
        { "DTSTAMP", .later = &reader->stamp },
        { "PERCENT-COMPLETE", .number = &item->percent, .max = 100 },
        { "PRIORITY", .number = &item->priority, .max = 9 },
        { "SEQUENCE", .number = &item->sequence, .max = INT32_MAX },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!line_is(line, rows[i].name))
            continue;
        if (rows[i].text != NULL)
            return read_text(reader, line, rows[i].text);
        if (rows[i].number != NULL)
            return read_number(reader, line, rows[i].max, rows[i].number);
        *rows[i].later = *line;
        return 0;
    }
    if (line_is(line, "STATUS"))
        return read_status(reader, line);
    if (line_is(line, "CATEGORIES"))
        return read_categories(reader, line);
    if (line_is(line, "URL"))
        item->url = line->value;
    else if (line_is(line, "TRANSP"))
        item->transparent = strcasecmp(line->value, "TRANSPARENT") == 0;
    else if (line_is(line, "RECURRENCE-ID"))
        return fault_set(reader->fault, FAULT_UNSUPPORTED, "an exception of a repeated task");
    else
        return keep(reader, line);
    return 0;
}

/* ---- Components -------------------------------------------------------------------------- */

static int open_item(struct reader *reader, enum ics_kind kind)
{
    if (reader->has_item)
        return fault_set(reader->fault, FAULT_UNSUPPORTED,
                         "more than one task in an object; write each as its own");
    reader->item.kind = kind;
    reader->has_item = true;
    reader->is_in_item = true;
    return 0;
}

static int open_component(struct reader *reader, const char *name)
{
    if (reader->depth == 0)
        return strcasecmp(name, "VCALENDAR") == 0 && !reader->is_over
                   ? 0
                   : fault_set(reader->fault, FAULT_INVALID, "not one VCALENDAR: BEGIN:%.40s",
                               name);
    if (reader->depth > 1)
        return 0;
    if (strcasecmp(name, "VTODO") == 0)
        return open_item(reader, ICS_TODO);
    if (strcasecmp(name, "VEVENT") == 0)
        return open_item(reader, ICS_EVENT);
    if (strcasecmp(name, "VJOURNAL") == 0 || strcasecmp(name, "VFREEBUSY") == 0 ||
        strcasecmp(name, "VAVAILABILITY") == 0)
        return fault_set(reader->fault, FAULT_UNSUPPORTED, "%.40s is no task", name);
    reader->is_in_zone = strcasecmp(name, "VTIMEZONE") == 0;
    if (reader->is_in_zone && reader->alias_count < ALIASES_MAX)
        reader->aliases[reader->alias_count++] = (struct alias){ NULL, NULL };
    return 0;
}

static int begin(struct reader *reader, const struct line *line)
{
    if (reader->depth == ICS_DEPTH_MAX)
        return fault_set(reader->fault, FAULT_LIMIT, "line %u: components nested deeper than %d",
                         reader->number, ICS_DEPTH_MAX);
    bool was_in_item = reader->is_in_item;
    int rc = open_component(reader, line->value);
    if (rc != 0)
        return rc;
    reader->open[reader->depth++] = line->value;
    return was_in_item ? keep(reader, line) : 0;
}

static int end(struct reader *reader, const struct line *line)
{
    if (reader->depth == 0 || strcasecmp(reader->open[reader->depth - 1], line->value) != 0)
        return fault_set(reader->fault, FAULT_INVALID, "line %u: END:%.40s ends nothing",
                         reader->number, line->value);
    reader->depth--;
    reader->is_over = reader->depth == 0;
    if (reader->depth == 1) {
        reader->is_in_item = false;
        reader->is_in_zone = false;
    }
    return reader->is_in_item ? keep(reader, line) : 0;
}

static void read_zone(struct reader *reader, const struct line *line)
{
    struct alias *alias = &reader->aliases[reader->alias_count - 1];
    if (line_is(line, "TZID"))
        alias->zone = line->value;
    else if (line_is(line, "X-LIC-LOCATION"))
        alias->place = line->value;
}

static int read_calendar(struct reader *reader, const struct line *line)
{
    if (line_is(line, "METHOD"))
        return fault_set(reader->fault, FAULT_UNSUPPORTED, "METHOD:%.20s: an invitation is no task",
                         line->value);
    if (line_is(line, "VERSION") && strcmp(line->value, "2.0") != 0)
        return fault_set(reader->fault, FAULT_UNSUPPORTED, "iCalendar of version %.20s; write 2.0",
                         line->value);
    return 0;
}

static int read_line(struct reader *reader, const struct line *line)
{
    if (line_is(line, "BEGIN"))
        return begin(reader, line);
    if (line_is(line, "END"))
        return end(reader, line);
    if (reader->depth == 0)
        return fault_set(reader->fault, FAULT_INVALID, "line %u stands outside of VCALENDAR",
                         reader->number);
    if (reader->depth == 1)
        return read_calendar(reader, line);
    if (reader->is_in_zone && reader->depth == 2)
        read_zone(reader, line);
    if (!reader->is_in_item)
        return 0;
    return reader->depth == 2 ? read_property(reader, line) : keep(reader, line);
}

/* ---- Times ------------------------------------------------------------------------------ */

static bool ask(const struct reader *reader, const char *zone, int64_t local_ms, int64_t *out_ms)
{
    static const char *const utc[] = { "UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z" };
    for (size_t i = 0; zone != NULL && i < sizeof utc / sizeof *utc; i++)
        if (strcasecmp(zone, utc[i]) == 0) {
            *out_ms = local_ms;
            return true;
        }
    return reader->zones->to_utc(reader->zones->arg, zone, local_ms, out_ms);
}

/* By its name, by the last two parts of a path, by the place that its VTIMEZONE names. */
static bool resolve(const struct reader *reader, const char *zone, int64_t local_ms,
                    int64_t *out_ms)
{
    if (ask(reader, zone, local_ms, out_ms))
        return true;
    const char *slash = strrchr(zone, '/');
    const char *area = slash == NULL ? NULL : memrchr(zone, '/', (size_t)(slash - zone));
    if (area != NULL && ask(reader, area + 1, local_ms, out_ms))
        return true;
    for (unsigned i = 0; i < reader->alias_count; i++) {
        const struct alias *alias = &reader->aliases[i];
        if (alias->zone != NULL && alias->place != NULL && strcmp(alias->zone, zone) == 0)
            return ask(reader, alias->place, local_ms, out_ms);
    }
    return false;
}

static int read_local(struct reader *reader, const struct line *line, int64_t local_ms,
                      int64_t *out_ms)
{
    const char *value = NULL;
    size_t size = 0;
    char zone[ZONE_NAME_MAX];
    if (!line_param(line->params, "TZID", &value, &size)) {
        ask(reader, NULL, local_ms, out_ms);
        return 0;
    }
    if (size < sizeof zone) {
        memcpy(zone, value, size);
        zone[size] = '\0';
        if (resolve(reader, zone, local_ms, out_ms))
            return 0;
    }
    return fault_set(reader->fault, FAULT_UNSUPPORTED,
                     "the time zone %.*s is not known; write the time in UTC or in a zone of the "
                     "IANA database",
                     size > 40 ? 40 : (int)size, value);
}

/* Nothing when the line was not there. */
static int read_when(struct reader *reader, const struct line *line, struct when *out_when)
{
    struct when when = { WHEN_DATE, 0 };
    bool is_utc = false;
    if (line->value == NULL || *line->value == '\0')
        return 0;
    size_t size = strlen(line->value);
    if (!when_read_date(line->value, size, &when.ms)) {
        when.kind = WHEN_TIME;
        if (!when_read_time(line->value, size, &when.ms, &is_utc))
            return fault_set(reader->fault, FAULT_INVALID, "%.20s is no date or time: %.40s",
                             line->name, line->value);
        int rc = is_utc ? 0 : read_local(reader, line, when.ms, &when.ms);
        if (rc != 0)
            return rc;
    }
    *out_when = when;
    return 0;
}

/* A start and a duration are another way to say when it is due. */
static int read_duration(struct reader *reader)
{
    struct ics_item *item = &reader->item;
    int64_t ms = 0;
    const char *value = reader->duration.value;
    if (value == NULL || item->start.kind == WHEN_NONE || item->due.kind != WHEN_NONE)
        return 0;
    if (!when_read_duration(value, strlen(value), &ms))
        return fault_set(reader->fault, FAULT_INVALID, "no duration: %.40s", value);
    item->due = (struct when){ item->start.kind, item->start.ms + ms };
    if (item->due.kind == WHEN_DATE)
        item->due.ms -= item->due.ms % WHEN_DAY_MS;
    return 0;
}

static int read_times(struct reader *reader)
{
    struct ics_item *item = &reader->item;
    const struct {
        const struct line *line;
        struct when *when;
    } rows[] = {
        { &reader->start, &item->start },         { &reader->due, &item->due },
        { &reader->completed, &item->completed }, { &reader->created, &item->created },
        { &reader->stamp, &item->modified },      { &reader->modified, &item->modified },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rc = read_when(reader, rows[i].line, rows[i].when);
        if (rc != 0)
            return rc;
    }
    return read_duration(reader);
}

/* Clients say "done" in three ways, and not all say all three; STATUS, where it is, decides. */
static void settle_status(struct reader *reader)
{
    struct ics_item *item = &reader->item;
    if (!reader->has_status && (item->completed.kind != WHEN_NONE || item->percent == 100))
        item->status = ICS_DONE;
    if (item->status == ICS_DONE) {
        item->percent = 100;
    } else {
        item->completed = (struct when){ WHEN_NONE, 0 };
        item->percent = item->percent == 100 ? 0 : item->percent;
    }
}

static int finish(struct reader *reader)
{
    struct ics_item *item = &reader->item;
    if (!reader->is_over)
        return fault_set(reader->fault, FAULT_INVALID, "the object has no end");
    if (!reader->has_item)
        return fault_set(reader->fault, FAULT_UNSUPPORTED, "no VTODO in the object");
    if (item->uid == NULL || *item->uid == '\0')
        return fault_set(reader->fault, FAULT_INVALID, "a task without UID");
    int rc = read_times(reader);
    if (rc != 0)
        return rc;
    settle_status(reader);
    item->kept = reader->kept;
    item->categories = reader->categories;
    return 0;
}

/* ---- The whole -------------------------------------------------------------------------- */

static int read_lines(struct reader *reader, char *at)
{
    struct line line = { NULL, NULL, NULL };
    int rc = line_next(&at, &reader->number, &line, reader->fault);
    for (unsigned count = 0; rc == 1; count++) {
        if (count == ICS_LINES_MAX)
            return fault_set(reader->fault, FAULT_LIMIT, "an object of more than %d lines",
                             ICS_LINES_MAX);
        rc = read_line(reader, &line);
        if (rc == 0)
            rc = line_next(&at, &reader->number, &line, reader->fault);
    }
    return rc == 0 ? finish(reader) : rc;
}

int ics_read(const char *data, size_t size, const struct ics_zones *zones,
             struct ics_item *out_item, struct fault *fault)
{
    struct reader reader = { .zones = zones, .fault = fault };
    if (size > ICS_SIZE_MAX)
        return fault_set(fault, FAULT_LIMIT, "an object of %zu bytes, at most %u", size,
                         ICS_SIZE_MAX);
    if (memchr(data, '\0', size) != NULL)
        return fault_set(fault, FAULT_INVALID, "a zero byte in the object");
    char *own = malloc(3 * (size + 2));
    if (own == NULL)
        return fault_set(fault, FAULT_MEMORY, "no memory for an object of %zu bytes", size);
    memcpy(own, data, size);
    reader.kept = reader.kept_end = own + size + 2;
    reader.categories = reader.categories_end = own + 2 * (size + 2);
    *reader.kept = *reader.categories = '\0';

    int rc = lines_unfold(own, &size, fault);
    if (rc == 0)
        rc = read_lines(&reader, own);
    if (rc != 0) {
        free(own);
        return rc;
    }
    reader.item.own = own;
    *out_item = reader.item;
    return 0;
}

void ics_item_deinit(struct ics_item *item)
{
    free(item->own);
    *item = (struct ics_item){ 0 };
}
