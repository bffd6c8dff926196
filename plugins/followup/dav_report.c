/* dav_report.c -- the three reports of a task list (RFC 4791, 7.8 and 7.9; RFC 6578, 3).
 *
 * A sync-token is a revision of the list as a URI.  Tasks are visited in the order of their
 * revisions, so that an answer cut at the client's limit ends at a revision, which is the token
 * to go on from.  Depth is not looked at: clients disagree about what it means for a query, and
 * a list has but one level.
 */
#include "dav_inside.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_PREFIX "data:,"

static void refuse_report(struct dav *dav)
{
    dav_refuse(dav, 403, "d:supported-report",
               "a task list answers calendar-query, calendar-multiget and sync-collection");
}

/* Only iCalendar 2.0 is there to be had (RFC 4791, 9.6). */
static bool is_data_served(struct dav *dav)
{
    for (unsigned i = 0; i < dav->wanted_count; i++) {
        if (!xml_is(dav->xml, dav->wanted[i], CALDAV_NS, "calendar-data"))
            continue;
        const char *type = xml_attribute(dav->xml, dav->wanted[i], "content-type");
        const char *version = xml_attribute(dav->xml, dav->wanted[i], "version");
        if ((type != NULL && strcmp(type, "text/calendar") != 0) ||
            (version != NULL && strcmp(version, "2.0") != 0)) {
            dav_refuse(dav, 403, "c:supported-calendar-data", "tasks are text/calendar 2.0");
            return false;
        }
    }
    return true;
}

/* ---- calendar-query --------------------------------------------------------------------- */

struct query {
    struct dav *dav;
    struct dav_filter filter;
};

static int write_match(void *arg, const struct dav_item *item)
{
    struct query *query = arg;
    if (!item->is_gone && dav_filter_matches(query->dav, &query->filter, &item->task))
        dav_props_write(query->dav, DAV_TASK, item);
    return 0;
}

static void report_query(struct dav *dav, unsigned root)
{
    struct query query = { .dav = dav };
    unsigned filter = xml_child(dav->xml, root, CALDAV_NS, "filter");
    if (!dav_filter_read(dav, filter, &query.filter))
        return;
    dav_xml_begin(dav, 207, "d:multistatus");
    int rc = dav->store->each(dav->store->arg, 0, write_match, &query);
    dav_xml_end(dav, "d:multistatus");
    if (rc != 0)
        dav_refuse_store(dav, rc, NULL);
}

/* ---- calendar-multiget ------------------------------------------------------------------ */

/* An href of something else is repeated as it came, with the answer that it is not there. */
static void write_stranger(struct dav *dav, const char *href)
{
    struct buffer *body = &dav->answer->body;
    buffer_text(body, "<d:response>");
    xml_element(body, "d:href", href);
    buffer_text(body, "<d:status>HTTP/1.1 404 Not Found</d:status></d:response>");
}

static int write_one(struct dav *dav, const char *href)
{
    char name[DAV_SEGMENT_MAX + 1];
    struct dav_item item = { 0 };
    if (dav_path_read(dav->request, href, name) != DAV_TASK) {
        write_stranger(dav, href);
        return 0;
    }
    int rc = dav->store->get(dav->store->arg, name, &item);
    if (rc == 0)
        dav_props_write(dav, DAV_TASK, &item);
    else if (rc == DAV_ABSENT)
        dav_response_status(dav, DAV_TASK, name, "HTTP/1.1 404 Not Found", NULL);
    return rc == DAV_ABSENT ? 0 : rc;
}

static void report_multiget(struct dav *dav, unsigned root)
{
    int rc = 0;
    dav_xml_begin(dav, 207, "d:multistatus");
    unsigned element = xml_first(dav->xml, root);
    for (; element != XML_NONE && rc == 0; element = xml_next(dav->xml, element))
        if (xml_is(dav->xml, element, DAV_NS, "href"))
            rc = write_one(dav, xml_text(dav->xml, element));
    dav_xml_end(dav, "d:multistatus");
    if (rc != 0)
        dav_refuse_store(dav, rc, NULL);
}

/* ---- sync-collection -------------------------------------------------------------------- */

struct sync {
    struct dav *dav;
    uint64_t reached; /* revision up to which the answer tells everything */
    uint64_t left;    /* how many more the client takes */
};

#define SYNC_CUT 1 /* what ends a visit at the limit */

void dav_report_token(struct buffer *buffer, uint64_t revision)
{
    buffer_printf(buffer, TOKEN_PREFIX "%llu", (unsigned long long)revision);
}

/* A whole number in decimal, all of `text`. */
static bool read_count(const char *text, uint64_t *out_count)
{
    char *end = NULL;
    text += strspn(text, " \t\r\n");
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long count = strtoull(text, &end, 10);
    if (end[strspn(end, " \t\r\n")] != '\0')
        return false;
    *out_count = count;
    return true;
}

static bool read_token(const char *text, uint64_t *out_revision)
{
    text += strspn(text, " \t\r\n");
    if (*text == '\0') {
        *out_revision = 0;
        return true;
    }
    size_t length = sizeof TOKEN_PREFIX - 1;
    return strncmp(text, TOKEN_PREFIX, length) == 0 && read_count(text + length, out_revision);
}

static int write_change(void *arg, const struct dav_item *item)
{
    struct sync *sync = arg;
    if (sync->left == 0)
        return SYNC_CUT;
    sync->left--;
    sync->reached = item->revision;
    if (item->is_gone)
        dav_response_status(sync->dav, DAV_TASK, item->name, "HTTP/1.1 404 Not Found", NULL);
    else
        dav_props_write(sync->dav, DAV_TASK, item);
    return 0;
}

static void write_sync(struct dav *dav, uint64_t after, uint64_t limit)
{
    uint64_t revision = dav->store->revision(dav->store->arg);
    struct sync sync = { .dav = dav, .reached = after, .left = limit };
    dav_xml_begin(dav, 207, "d:multistatus");
    int rc = after > revision ? DAV_STALE
                              : dav->store->each(dav->store->arg, after, write_change, &sync);
    if (rc == SYNC_CUT)
        dav_response_status(dav, DAV_LIST, NULL, "HTTP/1.1 507 Insufficient Storage",
                            "d:number-of-matches-within-limits");
    buffer_text(&dav->answer->body, "<d:sync-token>");
    dav_report_token(&dav->answer->body, rc == SYNC_CUT ? sync.reached : revision);
    buffer_text(&dav->answer->body, "</d:sync-token>");
    dav_xml_end(dav, "d:multistatus");
    if (rc < 0)
        dav_refuse_store(dav, rc, NULL);
}

static void report_sync(struct dav *dav, unsigned root)
{
    uint64_t after = 0, limit = UINT64_MAX;
    unsigned token = xml_child(dav->xml, root, DAV_NS, "sync-token");
    unsigned limits = xml_child(dav->xml, root, DAV_NS, "limit");
    unsigned count = xml_child(dav->xml, limits, DAV_NS, "nresults");
    if (token == XML_NONE || !read_token(xml_text(dav->xml, token), &after))
        dav_refuse(dav, 403, "d:valid-sync-token", "that is no sync-token of this list");
    else if (count != XML_NONE && (!read_count(xml_text(dav->xml, count), &limit) || limit == 0))
        dav_refuse(dav, 403, "d:number-of-matches-within-limits",
                   "nresults is a whole number from 1 on");
    else
        write_sync(dav, after, limit);
}

/* ---- Which ------------------------------------------------------------------------------ */

void dav_report(struct dav *dav)
{
    static const struct {
        const char *space, *name;
        void (*report)(struct dav *dav, unsigned root);
    } rows[] = {
        { CALDAV_NS, "calendar-query", report_query },
        { CALDAV_NS, "calendar-multiget", report_multiget },
        { DAV_NS, "sync-collection", report_sync },
    };
    if (dav->xml == NULL) {
        dav_refuse(dav, 400, NULL, "a REPORT has a body that says which");
        return;
    }
    unsigned root = xml_root(dav->xml);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (dav->kind != DAV_LIST || !xml_is(dav->xml, root, rows[i].space, rows[i].name))
            continue;
        if (dav_props_read(dav, root) && is_data_served(dav))
            rows[i].report(dav, root);
        return;
    }
    refuse_report(dav);
}
