/* dav_props.c -- properties: one table of what there is, on which resources, and how it is written.
 *
 * Beside the properties of the standards stand the few that clients ask for by habit and change
 * their minds over: getctag (Apple, DAVx5 and Thunderbird look at it before they look at anything
 * else) and current-user-privilege-set (without which some show the list as read-only).  All of
 * them are computed; none can be set, which PROPPATCH says for each.
 */
#include "dav_inside.h"

#include <string.h>

#define COLLECTIONS (DAV_ROOT | DAV_PRINCIPAL | DAV_HOME | DAV_LIST)

struct property {
    const char *space, *name;
    unsigned kinds; /* the resources that have it, as a set of enum dav_kind */
    bool is_in_all; /* allprop lists it (RFC 4918, 9.1, without what the extensions exclude) */
    void (*write)(struct dav *dav, enum dav_kind kind, const struct dav_item *item);
};

/* ---- The properties --------------------------------------------------------------------- */

static void write_type(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)item;
    if (kind != DAV_TASK)
        buffer_text(&dav->answer->body, "<d:collection/>");
    if (kind == DAV_PRINCIPAL)
        buffer_text(&dav->answer->body, "<d:principal/>");
    if (kind == DAV_LIST)
        buffer_text(&dav->answer->body, "<c:calendar/>");
}

static const char *staff_title(const struct dav *dav)
{
    const char *title = dav->request->title;
    return title == NULL || *title == '\0' ? dav->request->staff : title;
}

static void write_display_name(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    struct buffer *body = &dav->answer->body;
    if (kind == DAV_TASK && item->task.title != NULL)
        xml_escape(body, item->task.title);
    else if (kind == DAV_ROOT)
        buffer_text(body, "Kith");
    else if (kind == DAV_LIST)
        buffer_text(body, "Kith: ");
    if (kind != DAV_TASK && kind != DAV_ROOT)
        xml_escape(body, staff_title(dav));
}

static void write_principal(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    dav_href(dav, DAV_PRINCIPAL, NULL);
}

static void write_home(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    dav_href(dav, DAV_HOME, NULL);
}

static void write_description(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    buffer_text(&dav->answer->body, "What customers were promised, and when");
}

static void write_etag(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind;
    buffer_byte(&dav->answer->body, '"');
    xml_escape(&dav->answer->body, item->etag);
    buffer_byte(&dav->answer->body, '"');
}

static void write_content_type(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    buffer_text(&dav->answer->body, DAV_TASK_TYPE);
}

static void write_modified(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind;
    when_write_http(&dav->answer->body, item->task.modified.ms);
}

/* The object as a string; what is too long for memory breaks the body, which ends as a 503. */
static void write_object(struct dav *dav, bool is_counted, const struct dav_item *item)
{
    struct buffer object = { 0 }, *body = &dav->answer->body;
    ics_begin(&object, NULL);
    ics_write(&object, &item->task);
    ics_end(&object);
    body->broken = body->broken || buffer_is_broken(&object);
    if (is_counted)
        buffer_printf(body, "%zu", object.size);
    else
        xml_escape(body, buffer_string(&object));
    buffer_deinit(&object);
}

static void write_length(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind;
    write_object(dav, true, item);
}

static void write_data(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind;
    write_object(dav, false, item);
}

static void write_token(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    dav_report_token(&dav->answer->body, dav->store->revision(dav->store->arg));
}

static void write_components(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    buffer_text(&dav->answer->body, "<c:comp name=\"VTODO\"/>");
}

static void write_data_types(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    buffer_text(&dav->answer->body,
                "<c:calendar-data content-type=\"text/calendar\" version=\"2.0\"/>");
}

static void write_collations(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    buffer_text(&dav->answer->body, "<c:supported-collation>i;ascii-casemap</c:supported-collation>"
                                    "<c:supported-collation>i;octet</c:supported-collation>");
}

static void write_size_max(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    (void)kind, (void)item;
    buffer_printf(&dav->answer->body, "%u", ICS_SIZE_MAX);
}

static void write_reports(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    static const char *const names[] = { "c:calendar-query", "c:calendar-multiget",
                                         "d:sync-collection" };
    (void)item;
    for (size_t i = 0; kind == DAV_LIST && i < sizeof names / sizeof *names; i++)
        buffer_printf(&dav->answer->body,
                      "<d:supported-report><d:report><%s/></d:report></d:supported-report>",
                      names[i]);
}

static void write_privileges(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    static const char list[] = "<d:privilege><d:read/></d:privilege>"
                               "<d:privilege><d:write-content/></d:privilege>"
                               "<d:privilege><d:bind/></d:privilege>"
                               "<d:privilege><d:unbind/></d:privilege>";
    static const char task[] = "<d:privilege><d:read/></d:privilege>"
                               "<d:privilege><d:write-content/></d:privilege>";
    (void)item;
    buffer_text(&dav->answer->body, kind == DAV_LIST   ? list
                                    : kind == DAV_TASK ? task
                                                       : "<d:privilege><d:read/></d:privilege>");
}

static const struct property table[] = {
    { DAV_NS, "resourcetype", DAV_ANYWHERE, true, write_type },
    { DAV_NS, "displayname", DAV_ANYWHERE, true, write_display_name },
    { DAV_NS, "getetag", DAV_TASK, true, write_etag },
    { DAV_NS, "getcontenttype", DAV_TASK, true, write_content_type },
    { DAV_NS, "getcontentlength", DAV_TASK, true, write_length },
    { DAV_NS, "getlastmodified", DAV_TASK, true, write_modified },
    { DAV_NS, "current-user-principal", DAV_ANYWHERE, false, write_principal },
    { DAV_NS, "principal-URL", DAV_PRINCIPAL, false, write_principal },
    { DAV_NS, "owner", DAV_HOME | DAV_LIST | DAV_TASK, false, write_principal },
    { DAV_NS, "current-user-privilege-set", DAV_ANYWHERE, false, write_privileges },
    { DAV_NS, "supported-report-set", COLLECTIONS, false, write_reports },
    { DAV_NS, "sync-token", DAV_LIST, false, write_token },
    { CALDAV_NS, "calendar-home-set", DAV_PRINCIPAL, false, write_home },
    { CALDAV_NS, "calendar-user-address-set", DAV_PRINCIPAL, false, write_principal },
    { CALDAV_NS, "calendar-description", DAV_LIST, false, write_description },
    { CALDAV_NS, "calendar-data", DAV_TASK, false, write_data },
    { CALDAV_NS, "supported-calendar-component-set", DAV_LIST, false, write_components },
    { CALDAV_NS, "supported-calendar-data", DAV_LIST, false, write_data_types },
    { CALDAV_NS, "supported-collation-set", DAV_LIST, false, write_collations },
    { CALDAV_NS, "max-resource-size", DAV_LIST, false, write_size_max },
    { CALSERVER_NS, "getctag", DAV_LIST, false, write_token },
};

#define TABLE_COUNT (sizeof table / sizeof *table)

/* ---- What was asked for ----------------------------------------------------------------- */

static bool read_wanted(struct dav *dav, unsigned prop)
{
    unsigned element = xml_first(dav->xml, prop);
    for (; element != XML_NONE; element = xml_next(dav->xml, element)) {
        if (dav->wanted_count == DAV_PROPERTIES_MAX) {
            dav_refuse(dav, 403, NULL, "more than %d properties in one request",
                       DAV_PROPERTIES_MAX);
            return false;
        }
        dav->wanted[dav->wanted_count++] = element;
    }
    return true;
}

bool dav_props_read(struct dav *dav, unsigned element)
{
    unsigned prop = xml_child(dav->xml, element, DAV_NS, "prop");
    unsigned include = xml_child(dav->xml, element, DAV_NS, "include");
    dav->wants_names = xml_child(dav->xml, element, DAV_NS, "propname") != XML_NONE;
    dav->wants_all = xml_child(dav->xml, element, DAV_NS, "allprop") != XML_NONE;
    return read_wanted(dav, prop) && read_wanted(dav, include);
}

/* ---- Writing ---------------------------------------------------------------------------- */

static const struct property *find(const struct dav *dav, unsigned element, enum dav_kind kind)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if ((table[i].kinds & kind) != 0 &&
            xml_is(dav->xml, element, table[i].space, table[i].name))
            return &table[i];
    return NULL;
}

static const char *prefix_of(const char *space)
{
    return strcmp(space, DAV_NS) == 0 ? "d" : strcmp(space, CALDAV_NS) == 0 ? "c" : "cs";
}

static void write_property(struct dav *dav, const struct property *property, enum dav_kind kind,
                           const struct dav_item *item)
{
    struct buffer *body = &dav->answer->body;
    const char *prefix = prefix_of(property->space);
    buffer_printf(body, "<%s:%s>", prefix, property->name);
    if (!dav->wants_names)
        property->write(dav, kind, item);
    buffer_printf(body, "</%s:%s>", prefix, property->name);
}

/* The name of a property that was asked for, whatever its namespace. */
static void write_name(struct dav *dav, unsigned element)
{
    struct buffer *body = &dav->answer->body;
    buffer_text(body, "<x:");
    xml_escape(body, xml_name(dav->xml, element));
    buffer_text(body, " xmlns:x=\"");
    xml_escape(body, xml_space(dav->xml, element));
    buffer_text(body, "\"/>");
}

/* A name without namespace cannot have a prefix, and is no property of WebDAV's. */
static bool is_nameable(const struct dav *dav, unsigned element)
{
    return *xml_space(dav->xml, element) != '\0';
}

static bool is_in_set(const struct dav *dav, const struct property *property, enum dav_kind kind)
{
    return (property->kinds & kind) != 0 &&
           (dav->wants_names || (dav->wants_all && property->is_in_all));
}

static void write_found(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    buffer_text(&dav->answer->body, "<d:propstat><d:prop>");
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (is_in_set(dav, &table[i], kind))
            write_property(dav, &table[i], kind, item);
    for (unsigned i = 0; i < dav->wanted_count; i++) {
        const struct property *property = find(dav, dav->wanted[i], kind);
        if (property != NULL && !is_in_set(dav, property, kind))
            write_property(dav, property, kind, item);
    }
    buffer_text(&dav->answer->body, "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>");
}

static void write_missing(struct dav *dav, enum dav_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < dav->wanted_count && !dav->is_minimal; i++) {
        if (find(dav, dav->wanted[i], kind) != NULL || !is_nameable(dav, dav->wanted[i]))
            continue;
        if (count++ == 0)
            buffer_text(&dav->answer->body, "<d:propstat><d:prop>");
        write_name(dav, dav->wanted[i]);
    }
    if (count > 0)
        buffer_text(&dav->answer->body,
                    "</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>");
}

void dav_props_write(struct dav *dav, enum dav_kind kind, const struct dav_item *item)
{
    buffer_text(&dav->answer->body, "<d:response>");
    dav_href(dav, kind, item == NULL ? NULL : item->name);
    write_found(dav, kind, item);
    write_missing(dav, kind);
    buffer_text(&dav->answer->body, "</d:response>");
}

/* ---- PROPFIND (RFC 4918, 9.1) ----------------------------------------------------------- */

static int write_member(void *arg, const struct dav_item *item)
{
    if (!item->is_gone)
        dav_props_write(arg, DAV_TASK, item);
    return 0;
}

static void write_task(struct dav *dav)
{
    struct dav_item item = { 0 };
    int rc = dav->store->get(dav->store->arg, dav->name, &item);
    if (rc != 0) {
        dav_refuse_store(dav, rc, NULL);
        return;
    }
    dav_xml_begin(dav, 207, "d:multistatus");
    dav_props_write(dav, DAV_TASK, &item);
    dav_xml_end(dav, "d:multistatus");
}

static void write_tree(struct dav *dav, bool has_members)
{
    int rc = 0;
    dav_xml_begin(dav, 207, "d:multistatus");
    dav_props_write(dav, dav->kind, NULL);
    if (has_members && dav->kind == DAV_ROOT) {
        dav_props_write(dav, DAV_PRINCIPAL, NULL);
        dav_props_write(dav, DAV_HOME, NULL);
    } else if (has_members && dav->kind == DAV_HOME) {
        dav_props_write(dav, DAV_LIST, NULL);
    } else if (has_members && dav->kind == DAV_LIST) {
        rc = dav->store->each(dav->store->arg, 0, write_member, dav);
    }
    dav_xml_end(dav, "d:multistatus");
    if (rc != 0)
        dav_refuse_store(dav, rc, NULL);
}

void dav_propfind(struct dav *dav)
{
    const char *depth = dav_request_header(dav, "Depth");
    bool is_flat = strcmp(depth, "0") == 0, has_members = strcmp(depth, "1") == 0;
    if (dav->xml == NULL) {
        dav->wants_all = true;
    } else if (!xml_is(dav->xml, xml_root(dav->xml), DAV_NS, "propfind")) {
        dav_refuse(dav, 400, NULL, "the body of a PROPFIND is a DAV: propfind");
        return;
    } else if (!dav_props_read(dav, xml_root(dav->xml))) {
        return;
    }
    if (dav->kind == DAV_TASK)
        write_task(dav);
    else if (is_flat || has_members)
        write_tree(dav, has_members);
    else
        dav_refuse(dav, 403, "d:propfind-finite-depth", "ask with `Depth: 0` or `Depth: 1`");
}

/* ---- PROPPATCH (RFC 4918, 9.2) ---------------------------------------------------------- */

static void refuse_each(struct dav *dav, unsigned update)
{
    unsigned change = xml_first(dav->xml, update);
    for (; change != XML_NONE; change = xml_next(dav->xml, change)) {
        unsigned prop = xml_child(dav->xml, change, DAV_NS, "prop");
        unsigned element = xml_first(dav->xml, prop);
        for (; element != XML_NONE; element = xml_next(dav->xml, element))
            if (is_nameable(dav, element))
                write_name(dav, element);
    }
}

void dav_proppatch(struct dav *dav)
{
    struct buffer *body = &dav->answer->body;
    unsigned root = dav->xml == NULL ? XML_NONE : xml_root(dav->xml);
    if (dav->xml == NULL || !xml_is(dav->xml, root, DAV_NS, "propertyupdate")) {
        dav_refuse(dav, 400, NULL, "the body of a PROPPATCH is a DAV: propertyupdate");
        return;
    }
    dav_xml_begin(dav, 207, "d:multistatus");
    buffer_text(body, "<d:response>");
    dav_href(dav, dav->kind, dav->name);
    buffer_text(body, "<d:propstat><d:prop>");
    refuse_each(dav, root);
    buffer_text(body, "</d:prop><d:status>HTTP/1.1 403 Forbidden</d:status><d:error>"
                      "<d:cannot-modify-protected-property/></d:error></d:propstat></d:response>");
    dav_xml_end(dav, "d:multistatus");
}
