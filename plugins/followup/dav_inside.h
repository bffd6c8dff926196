/* dav_inside.h -- what the files of the CalDAV function share.  Not for others.
 *
 * A request is worked on in one struct dav, which lives on the stack of dav_answer().  Handlers
 * return nothing: the answer is in dav->answer, and dav_refuse() replaces whatever stood there.
 */
#ifndef PLUGINS_FOLLOWUP_DAV_INSIDE_H
#define PLUGINS_FOLLOWUP_DAV_INSIDE_H

#include "dav.h"
#include "xml.h"

#define DAV_NS "DAV:"
#define CALDAV_NS "urn:ietf:params:xml:ns:caldav"
#define CALSERVER_NS "http://calendarserver.org/ns/"
#define APPLE_NS "http://apple.com/ns/ical/"

#define DAV_TASK_TYPE "text/calendar; charset=utf-8; component=VTODO"

/* Bits, so that a table can say where something holds. */
enum dav_kind {
    DAV_NOWHERE = 0,
    DAV_ROOT = 1 << 0,
    DAV_PRINCIPAL = 1 << 1,
    DAV_HOME = 1 << 2,
    DAV_LIST = 1 << 3,
    DAV_TASK = 1 << 4,
    DAV_ANYWHERE = (1 << 5) - 1,
};

struct dav {
    const struct dav_request *request;
    const struct dav_store *store;
    struct dav_answer *answer;
    enum dav_kind kind;                  /* of the request's path */
    char name[DAV_SEGMENT_MAX + 1];      /* of a task */
    struct xml *xml;                     /* of the body, NULL without one */
    unsigned wanted[DAV_PROPERTIES_MAX]; /* elements: the properties asked for */
    unsigned wanted_count;
    bool wants_all;   /* allprop */
    bool wants_names; /* propname */
    bool is_minimal;  /* what is not there need not be listed (RFC 8144, 2.1) */
};

/* ---- dav_path.c ---- */

/* Where a path leads; a staff name other than the request's leads nowhere.  `path` is as a
 * request line or an href has it, with or without scheme and host. */
enum dav_kind dav_path_read(const struct dav_request *request, const char *path,
                            char out_name[DAV_SEGMENT_MAX + 1]);

/* The path of a resource, percent-encoded; `name` for a task. */
void dav_path_write(struct buffer *buffer, const struct dav_request *request, enum dav_kind kind,
                    const char *name);

/* ---- dav_answer.c ---- */

void dav_header_set(struct dav_answer *answer, const char *name, const char *value);
__attribute__((format(printf, 3, 4))) void dav_header_print(struct dav_answer *answer,
                                                            const char *name, const char *format,
                                                            ...);

/* Replace the answer by a status and a body of one DAV:error (RFC 4918, 16): the precondition,
 * such as "c:valid-calendar-data", or NULL, and a sentence. */
__attribute__((format(printf, 4, 5))) void dav_refuse(struct dav *dav, int status,
                                                      const char *precondition, const char *format,
                                                      ...);

/* What a store's or a reader's failure means to a client. */
void dav_refuse_store(struct dav *dav, int rc, const struct fault *fault);
void dav_refuse_object(struct dav *dav, int rc, const struct fault *fault);

void dav_xml_begin(struct dav *dav, int status, const char *root); /* "d:multistatus" */
void dav_xml_end(struct dav *dav, const char *root);
void dav_href(struct dav *dav, enum dav_kind kind, const char *name); /* <d:href> */

/* <d:response> that is a status alone: 404, 507 with its precondition. */
void dav_response_status(struct dav *dav, enum dav_kind kind, const char *name, const char *status,
                         const char *precondition);

const char *dav_request_header(const struct dav *dav, const char *name); /* "" when not sent */

/* ---- dav_props.c ---- */

/* Note which properties the child <prop>, <allprop> or <propname> of `element` asks for; false
 * when they are too many, and then the request is refused. */
bool dav_props_read(struct dav *dav, unsigned element);

/* <d:response> with those of them that the resource has, and those that it has not. */
void dav_props_write(struct dav *dav, enum dav_kind kind, const struct dav_item *item);

void dav_propfind(struct dav *dav);
void dav_proppatch(struct dav *dav);

/* ---- dav_report.c ---- */

void dav_report(struct dav *dav);
void dav_report_token(struct buffer *buffer, uint64_t revision); /* a sync-token */

/* ---- dav_filter.c ---- */

struct dav_filter {
    unsigned properties[DAV_FILTERS_MAX]; /* its prop-filters */
    unsigned property_count;
    int64_t start_ms, end_ms; /* its time-range */
    bool matches_nothing;     /* asks for what no task is: another component, or none */
    bool has_range;
};

/* Understand a CALDAV:filter.  False when it asks for something that is not answered here; then
 * the request is refused with the precondition for it. */
bool dav_filter_read(struct dav *dav, unsigned element, struct dav_filter *out_filter);
bool dav_filter_matches(const struct dav *dav, const struct dav_filter *filter,
                        const struct ics_item *task);

#endif
