/* dav_answer.c -- the forms of an answer: headers, errors with their precondition, multistatus. */
#include "dav_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dav_header_set(struct dav_answer *answer, const char *name, const char *value)
{
    dav_header_print(answer, name, "%s", value);
}

/* One that does not fit is left out: each has bounds that make it fit. */
void dav_header_print(struct dav_answer *answer, const char *name, const char *format, ...)
{
    if (answer->header_count == DAV_HEADERS_MAX)
        return;
    struct dav_header *header = &answer->headers[answer->header_count];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(header->value, sizeof header->value, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof header->value)
        return;
    header->name = name;
    answer->header_count++;
}

void dav_answer_deinit(struct dav_answer *answer)
{
    buffer_deinit(&answer->body);
    *answer = (struct dav_answer){ 0 };
}

const char *dav_request_header(const struct dav *dav, const char *name)
{
    const char *value = dav->request->header(dav->request->arg, name);
    return value == NULL ? "" : value;
}

/* ---- XML -------------------------------------------------------------------------------- */

/* Every answer begins anew: what a handler had written before it failed is no answer. */
void dav_xml_begin(struct dav *dav, int status, const char *root)
{
    struct dav_answer *answer = dav->answer;
    dav_answer_deinit(answer);
    answer->status = status;
    dav_header_set(answer, "DAV", "1, 3, calendar-access");
    dav_header_set(answer, "Content-Type", "application/xml; charset=utf-8");
    buffer_text(&answer->body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<");
    buffer_text(&answer->body, root);
    buffer_text(&answer->body, " xmlns:d=\"" DAV_NS "\" xmlns:c=\"" CALDAV_NS
                               "\" xmlns:cs=\"" CALSERVER_NS "\" xmlns:a=\"" APPLE_NS "\">");
}

void dav_xml_end(struct dav *dav, const char *root)
{
    buffer_text(&dav->answer->body, "</");
    buffer_text(&dav->answer->body, root);
    buffer_text(&dav->answer->body, ">\n");
}

void dav_href(struct dav *dav, enum dav_kind kind, const char *name)
{
    buffer_text(&dav->answer->body, "<d:href>");
    dav_path_write(&dav->answer->body, dav->request, kind, name);
    buffer_text(&dav->answer->body, "</d:href>");
}

void dav_response_status(struct dav *dav, enum dav_kind kind, const char *name, const char *status,
                         const char *precondition)
{
    struct buffer *body = &dav->answer->body;
    buffer_text(body, "<d:response>");
    dav_href(dav, kind, name);
    xml_element(body, "d:status", status);
    if (precondition != NULL)
        buffer_printf(body, "<d:error><%s/></d:error>", precondition);
    buffer_text(body, "</d:response>");
}

/* ---- Refusals --------------------------------------------------------------------------- */

void dav_refuse(struct dav *dav, int status, const char *precondition, const char *format, ...)
{
    char reason[2 * FAULT_TEXT_BYTES] = "";
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    dav_xml_begin(dav, status, "d:error");
    if (precondition != NULL)
        buffer_printf(&dav->answer->body, "<%s/>", precondition);
    if (size > 0)
        xml_element(&dav->answer->body, "d:responsedescription", reason);
    dav_xml_end(dav, "d:error");
}

void dav_refuse_store(struct dav *dav, int rc, const struct fault *fault)
{
    switch (rc) {
    case DAV_ABSENT:
        dav_refuse(dav, 404, NULL, "there is no such task");
        return;
    case DAV_CONFLICT:
        dav_refuse(dav, 412, NULL, "the task has changed meanwhile; fetch it and try again");
        return;
    case DAV_STALE:
        dav_refuse(dav, 403, "d:valid-sync-token",
                   "that sync-token is too old; sync from the start");
        return;
    case DAV_DENIED:
        dav_refuse(dav, 403, "d:need-privileges", "%s",
                   fault == NULL ? "this list is not yours" : fault->text);
        return;
    case DAV_INVALID:
        dav_refuse(dav, 403, "c:valid-calendar-data", "%s",
                   fault == NULL ? "this cannot be kept" : fault->text);
        return;
    case DAV_LIMIT:
        dav_refuse(dav, 403, "c:max-resource-size", "%s",
                   fault == NULL ? "this is too large" : fault->text);
        return;
    case DAV_FULL:
        dav_refuse(dav, 507, "d:quota-not-exceeded", "%s",
                   fault == NULL ? "there is no room for more" : fault->text);
        return;
    default:
        dav_refuse(dav, 503, NULL, "the task list cannot be reached; try again");
        dav_header_set(dav->answer, "Retry-After", "5");
    }
}

void dav_refuse_object(struct dav *dav, int rc, const struct fault *fault)
{
    switch (rc) {
    case FAULT_LIMIT:
        dav_refuse(dav, 403, "c:max-resource-size", "%s", fault->text);
        return;
    case FAULT_UNSUPPORTED:
        dav_refuse(dav, 403, "c:supported-calendar-component", "%s", fault->text);
        return;
    case FAULT_MEMORY:
        dav_refuse(dav, 503, NULL, "%s", fault->text);
        return;
    default:
        dav_refuse(dav, 403, "c:valid-calendar-data", "%s", fault->text);
    }
}
