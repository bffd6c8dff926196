/* dav_filter.c -- what a calendar-query asks of a task (RFC 4791, 9.7 to 9.9).
 *
 * A filter is understood once and then asked for each task.  Conditions on properties are put to
 * the lines as they would be sent, so that there is no second opinion of what a task looks like;
 * a query without such conditions writes nothing.  What is rarely asked and never by the clients
 * in use (parameters, the insides of alarms) is refused by name rather than answered by a guess.
 */
#include "dav_inside.h"
#include "line.h"

#include <string.h>
#include <strings.h>

/* ---- Understanding ---------------------------------------------------------------------- */

static bool refuse_filter(struct dav *dav, const char *what)
{
    dav_refuse(dav, 403, "c:supported-filter", "a query by %s is not answered here", what);
    return false;
}

static bool is_in(const struct dav *dav, unsigned element, const char *name)
{
    return xml_is(dav->xml, element, CALDAV_NS, name);
}

static bool has(const struct dav *dav, unsigned element, const char *name)
{
    return xml_child(dav->xml, element, CALDAV_NS, name) != XML_NONE;
}

/* One end of a time-range: a moment in UTC. */
static bool read_end(const struct dav *dav, unsigned element, const char *name, int64_t *out_ms)
{
    const char *text = xml_attribute(dav->xml, element, name);
    bool is_utc = false;
    return text == NULL || (when_read_time(text, strlen(text), out_ms, &is_utc) && is_utc);
}

static bool read_range(struct dav *dav, unsigned element, int64_t *out_start_ms,
                       int64_t *out_end_ms)
{
    int64_t start_ms = INT64_MIN, end_ms = INT64_MAX;
    if (!read_end(dav, element, "start", &start_ms) || !read_end(dav, element, "end", &end_ms) ||
        start_ms >= end_ms) {
        dav_refuse(dav, 403, "c:valid-filter", "a time-range is from one moment in UTC to a later");
        return false;
    }
    *out_start_ms = start_ms;
    *out_end_ms = end_ms;
    return true;
}

static bool is_collation_known(const struct dav *dav, unsigned match)
{
    const char *collation = xml_attribute(dav->xml, match, "collation");
    return collation == NULL || strcmp(collation, "i;ascii-casemap") == 0 ||
           strcmp(collation, "i;octet") == 0 || strcmp(collation, "default") == 0;
}

static bool read_property(struct dav *dav, unsigned element, struct dav_filter *filter)
{
    int64_t start_ms = 0, end_ms = 0;
    unsigned match = xml_child(dav->xml, element, CALDAV_NS, "text-match");
    unsigned range = xml_child(dav->xml, element, CALDAV_NS, "time-range");
    if (xml_attribute(dav->xml, element, "name") == NULL) {
        dav_refuse(dav, 403, "c:valid-filter", "a prop-filter without name");
        return false;
    }
    if (has(dav, element, "param-filter"))
        return refuse_filter(dav, "parameters");
    if (match != XML_NONE && !is_collation_known(dav, match)) {
        dav_refuse(dav, 403, "c:supported-collation",
                   "text is compared by i;ascii-casemap or i;octet");
        return false;
    }
    if (range != XML_NONE && !read_range(dav, range, &start_ms, &end_ms))
        return false;
    if (filter->property_count == DAV_FILTERS_MAX)
        return refuse_filter(dav, "so many properties");
    filter->properties[filter->property_count++] = element;
    return true;
}

static bool read_task(struct dav *dav, unsigned element, struct dav_filter *filter)
{
    unsigned child = xml_first(dav->xml, element);
    for (; child != XML_NONE; child = xml_next(dav->xml, child)) {
        bool is_good = true;
        if (is_in(dav, child, "is-not-defined")) {
            filter->matches_nothing = true;
        } else if (is_in(dav, child, "time-range")) {
            is_good = read_range(dav, child, &filter->start_ms, &filter->end_ms);
            filter->has_range = true;
        } else if (is_in(dav, child, "prop-filter")) {
            is_good = read_property(dav, child, filter);
        } else if (is_in(dav, child, "comp-filter")) {
            is_good = refuse_filter(dav, "alarms");
        }
        if (!is_good)
            return false;
    }
    return true;
}

static bool read_calendar(struct dav *dav, unsigned element, struct dav_filter *filter)
{
    unsigned child = xml_first(dav->xml, element);
    for (; child != XML_NONE; child = xml_next(dav->xml, child)) {
        const char *name = xml_attribute(dav->xml, child, "name");
        if (is_in(dav, child, "is-not-defined")) {
            filter->matches_nothing = true;
        } else if (!is_in(dav, child, "comp-filter") || name == NULL) {
            return refuse_filter(dav, "what a calendar as a whole has");
        } else if (strcasecmp(name, "VTODO") == 0) {
            if (!read_task(dav, child, filter))
                return false;
        } else if (!has(dav, child, "is-not-defined")) {
            filter->matches_nothing = true; /* an object is one task and nothing else */
        }
    }
    return true;
}

bool dav_filter_read(struct dav *dav, unsigned element, struct dav_filter *out_filter)
{
    struct dav_filter filter = { 0 };
    unsigned calendar = xml_child(dav->xml, element, CALDAV_NS, "comp-filter");
    const char *name = calendar == XML_NONE ? NULL : xml_attribute(dav->xml, calendar, "name");
    if (name == NULL || strcasecmp(name, "VCALENDAR") != 0) {
        dav_refuse(dav, 403, "c:valid-filter", "a filter is one comp-filter of VCALENDAR");
        return false;
    }
    if (!read_calendar(dav, calendar, &filter))
        return false;
    *out_filter = filter;
    return true;
}

/* ---- Asking: time ----------------------------------------------------------------------- */

/* A date begins at midnight where the person is. */
static int64_t moment_of(const struct dav *dav, struct when when)
{
    const struct ics_zones *zones = &dav->store->zones;
    int64_t ms = when.ms;
    if (when.kind == WHEN_DATE)
        zones->to_utc(zones->arg, NULL, when.ms, &ms);
    return ms;
}

/* The table of RFC 4791, 9.9, for VTODO; a DURATION has become a DUE when it was read. */
static bool is_in_range(const struct dav *dav, const struct dav_filter *filter,
                        const struct ics_item *task)
{
    int64_t from = filter->start_ms, to = filter->end_ms;
    int64_t start = moment_of(dav, task->start), due = moment_of(dav, task->due);
    int64_t completed = moment_of(dav, task->completed), created = moment_of(dav, task->created);
    bool has_start = task->start.kind != WHEN_NONE, has_due = task->due.kind != WHEN_NONE;
    bool is_completed = task->completed.kind != WHEN_NONE;
    bool is_created = task->created.kind != WHEN_NONE;
    if (has_start && has_due)
        return (from < due || from <= start) && (to > start || to >= due);
    if (has_start)
        return from <= start && to > start;
    if (has_due)
        return from < due && to >= due;
    if (is_completed && is_created)
        return (from <= created || from <= completed) && (to >= created || to >= completed);
    if (is_completed)
        return from <= completed && to >= completed;
    return !is_created || to > created;
}

/* ---- Asking: properties ----------------------------------------------------------------- */

struct asked {
    const struct dav *dav;
    const struct dav_filter *filter;
    bool is_there[DAV_FILTERS_MAX], is_met[DAV_FILTERS_MAX];
};

/* `needle` within `text`; ASCII letters alike unless the collation is i;octet. */
static bool contains(const char *text, const char *needle, bool is_exact)
{
    size_t length = strlen(needle);
    for (; *text != '\0' || length == 0; text++) {
        int order = is_exact ? strncmp(text, needle, length) : strncasecmp(text, needle, length);
        if (order == 0)
            return true;
    }
    return false;
}

static bool is_text_met(const struct dav *dav, unsigned match, const char *value)
{
    const char *collation = xml_attribute(dav->xml, match, "collation");
    const char *negate = xml_attribute(dav->xml, match, "negate-condition");
    bool is_exact = collation != NULL && strcmp(collation, "i;octet") == 0;
    bool is_negated = negate != NULL && strcmp(negate, "yes") == 0;
    return contains(value, xml_text(dav->xml, match), is_exact) != is_negated;
}

static bool is_time_met(const struct dav *dav, unsigned range, const char *value)
{
    int64_t from = INT64_MIN, to = INT64_MAX;
    struct when when = { WHEN_DATE, 0 };
    bool is_utc = false;
    size_t size = strlen(value);
    read_end(dav, range, "start", &from);
    read_end(dav, range, "end", &to);
    if (!when_read_date(value, size, &when.ms)) {
        when.kind = WHEN_TIME;
        if (!when_read_time(value, size, &when.ms, &is_utc))
            return false;
    }
    int64_t ms = moment_of(dav, when);
    return from <= ms && ms < to;
}

static bool is_line_met(const struct dav *dav, unsigned element, const char *value)
{
    unsigned match = xml_child(dav->xml, element, CALDAV_NS, "text-match");
    unsigned range = xml_child(dav->xml, element, CALDAV_NS, "time-range");
    return (match == XML_NONE || is_text_met(dav, match, value)) &&
           (range == XML_NONE || is_time_met(dav, range, value));
}

static void ask_line(struct asked *asked, struct line *line)
{
    line_unescape(line->value);
    for (unsigned i = 0; i < asked->filter->property_count; i++) {
        unsigned element = asked->filter->properties[i];
        if (!line_is(line, xml_attribute(asked->dav->xml, element, "name")))
            continue;
        asked->is_there[i] = true;
        asked->is_met[i] = asked->is_met[i] || is_line_met(asked->dav, element, line->value);
    }
}

/* Every line of the task itself, none of its alarms'. */
static void ask_lines(struct asked *asked, char *at)
{
    struct line line = { NULL, NULL, NULL };
    unsigned number = 0, depth = 0;
    while (line_next(&at, &number, &line, NULL) == 1) {
        if (line_is(&line, "BEGIN"))
            depth++;
        else if (line_is(&line, "END"))
            depth--;
        else if (depth == 1)
            ask_line(asked, &line);
    }
}

static bool are_properties_met(const struct dav *dav, const struct dav_filter *filter,
                               const struct ics_item *task)
{
    struct asked asked = { .dav = dav, .filter = filter };
    struct buffer text = { 0 };
    ics_write(&text, task);
    bool is_met = !buffer_is_broken(&text) && *buffer_string(&text) != '\0' &&
                  lines_unfold(text.data, &text.size, NULL) == 0;
    if (is_met)
        ask_lines(&asked, text.data);
    for (unsigned i = 0; i < filter->property_count && is_met; i++) {
        bool is_absence = has(dav, filter->properties[i], "is-not-defined");
        is_met = is_absence ? !asked.is_there[i] : asked.is_met[i];
    }
    buffer_deinit(&text);
    return is_met;
}

bool dav_filter_matches(const struct dav *dav, const struct dav_filter *filter,
                        const struct ics_item *task)
{
    if (filter->matches_nothing || (filter->has_range && !is_in_range(dav, filter, task)))
        return false;
    return filter->property_count == 0 || are_properties_met(dav, filter, task);
}
