/* dav.c -- which method does what where, and the methods that deal with one resource.
 *
 * | method             | root, principal, home | list              | task                       |
 * | ------------------ | --------------------- | ----------------- | -------------------------- |
 * | OPTIONS            | 200                   | 200               | 200                        |
 * | PROPFIND           | 207                   | 207               | 207, 404                   |
 * | PROPPATCH          | 207, each 403         | the same          | the same                   |
 * | REPORT             | 403                   | 207               | 403                        |
 * | GET, HEAD          | 405                   | 200, all its tasks| 200, 304, 404              |
 * | PUT                | 405                   | 405               | 201, 204, 403, 412, 507    |
 * | DELETE             | 403                   | 403               | 204, 404, 412              |
 * | MKCALENDAR, MKCOL  | 403                   | 403               | 403                        |
 * | anything else      | 405                   | 405               | 405                        |
 */
#include "dav_inside.h"

#include <string.h>

#define EVERYWHERE_ALLOWED "OPTIONS, PROPFIND, PROPPATCH, REPORT"

/* ---- Conditional requests (RFC 9110, 13.1) --------------------------------------------- */

/* Is `etag`, without its quotes, among those of an If-Match or If-None-Match header?  `weak`
 * tells whether a weak tag counts. */
static bool is_listed(const char *header, const char *etag, bool weak)
{
    size_t length = strlen(etag);
    const char *at = header;
    while ((at = strchr(at, '"')) != NULL) {
        const char *end = strchr(at + 1, '"');
        if (end == NULL)
            return false;
        bool is_weak = at - header >= 2 && at[-1] == '/' && at[-2] == 'W';
        if ((weak || !is_weak) && (size_t)(end - at) == length + 1 &&
            memcmp(at + 1, etag, length) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

static bool is_any(const char *header)
{
    return header[strspn(header, " \t")] == '*';
}

/* Do the conditions of a change hold for the task as it is, NULL when there is none? */
static bool may_change(const struct dav *dav, const struct dav_item *item)
{
    const char *match = dav_request_header(dav, "If-Match");
    const char *none_match = dav_request_header(dav, "If-None-Match");
    if (*match != '\0' &&
        (item == NULL || (!is_any(match) && !is_listed(match, item->etag, false))))
        return false;
    return *none_match == '\0' || item == NULL ||
           (!is_any(none_match) && !is_listed(none_match, item->etag, true));
}

/* ---- One resource ----------------------------------------------------------------------- */

static void answer_empty(struct dav *dav, int status)
{
    dav_answer_deinit(dav->answer);
    dav->answer->status = status;
    dav_header_set(dav->answer, "DAV", "1, 3, calendar-access");
}

static void allow(struct dav *dav)
{
    bool is_task = dav->kind == DAV_TASK, is_list = dav->kind == DAV_LIST;
    dav_header_set(dav->answer, "Allow",
                   is_task   ? EVERYWHERE_ALLOWED ", GET, HEAD, PUT, DELETE"
                   : is_list ? EVERYWHERE_ALLOWED ", GET, HEAD"
                             : EVERYWHERE_ALLOWED);
}

static void answer_options(struct dav *dav)
{
    answer_empty(dav, 200);
    allow(dav);
}

static void refuse_method(struct dav *dav)
{
    dav_refuse(dav, 405, NULL, "%.20s is not for this resource", dav->request->method);
    allow(dav);
}

static int write_one(void *arg, const struct dav_item *item)
{
    ics_write(arg, &item->task);
    return 0;
}

static void get_list(struct dav *dav)
{
    answer_empty(dav, 200);
    dav_header_set(dav->answer, "Content-Type", DAV_TASK_TYPE);
    ics_begin(&dav->answer->body, NULL);
    int rc = dav->store->each(dav->store->arg, 0, write_one, &dav->answer->body);
    ics_end(&dav->answer->body);
    if (rc != 0)
        dav_refuse_store(dav, rc, NULL);
}

static void get_task(struct dav *dav)
{
    struct dav_item item = { 0 };
    int rc = dav->store->get(dav->store->arg, dav->name, &item);
    if (rc != 0) {
        dav_refuse_store(dav, rc, NULL);
        return;
    }
    const char *none_match = dav_request_header(dav, "If-None-Match");
    bool is_known =
        *none_match != '\0' && (is_any(none_match) || is_listed(none_match, item.etag, true));
    answer_empty(dav, is_known ? 304 : 200);
    dav_header_print(dav->answer, "ETag", "\"%s\"", item.etag);
    if (is_known)
        return;
    dav_header_set(dav->answer, "Content-Type", DAV_TASK_TYPE);
    ics_begin(&dav->answer->body, NULL);
    ics_write(&dav->answer->body, &item.task);
    ics_end(&dav->answer->body);
}

static void answer_get(struct dav *dav)
{
    if (dav->kind == DAV_LIST)
        get_list(dav);
    else if (dav->kind == DAV_TASK)
        get_task(dav);
    else
        refuse_method(dav);
}

static void answer_head(struct dav *dav)
{
    answer_get(dav);
    dav->answer->body.size = 0;
}

/* A UID is one task's for ever: neither may a task change its own nor take another's. */
static bool is_uid_free(struct dav *dav, const struct dav_item *before, const char *uid)
{
    struct dav_item other = { 0 };
    if (before != NULL && strcmp(before->task.uid, uid) != 0) {
        dav_refuse(dav, 403, "c:no-uid-conflict", "a task cannot change its UID");
        return false;
    }
    if (before != NULL)
        return true;
    int rc = dav->store->find(dav->store->arg, uid, &other);
    if (rc == DAV_ABSENT)
        return true;
    if (rc != 0) {
        dav_refuse_store(dav, rc, NULL);
        return false;
    }
    dav_xml_begin(dav, 403, "d:error");
    buffer_text(&dav->answer->body, "<c:no-uid-conflict>");
    dav_href(dav, DAV_TASK, other.name);
    buffer_text(&dav->answer->body, "</c:no-uid-conflict>");
    dav_xml_end(dav, "d:error");
    return false;
}

static void put_read(struct dav *dav, const struct dav_item *before, const struct ics_item *task)
{
    struct fault fault = { 0 };
    if (task->kind != ICS_TODO) {
        dav_refuse(dav, 403, "c:supported-calendar-component",
                   "this is a list of tasks; appointments go into another calendar");
        return;
    }
    if (!is_uid_free(dav, before, task->uid))
        return;
    int rc = dav->store->put(dav->store->arg, dav->name, before, task, &fault);
    if (rc != 0)
        dav_refuse_store(dav, rc, &fault);
    else
        answer_empty(dav, before == NULL ? 201 : 204);
}

static void answer_put(struct dav *dav)
{
    struct dav_item before = { 0 };
    struct ics_item task = { 0 };
    struct fault fault = { 0 };
    if (dav->kind != DAV_TASK) {
        refuse_method(dav);
        return;
    }
    int rc = dav->store->get(dav->store->arg, dav->name, &before);
    if (rc != 0 && rc != DAV_ABSENT) {
        dav_refuse_store(dav, rc, NULL);
        return;
    }
    const struct dav_item *present = rc == 0 ? &before : NULL;
    if (!may_change(dav, present)) {
        dav_refuse_store(dav, DAV_CONFLICT, NULL);
        return;
    }
    rc = ics_read(dav->request->body, dav->request->body_size, &dav->store->zones, &task, &fault);
    if (rc != 0)
        dav_refuse_object(dav, rc, &fault);
    else
        put_read(dav, present, &task);
    ics_item_deinit(&task);
}

static void answer_delete(struct dav *dav)
{
    struct dav_item item = { 0 };
    struct fault fault = { 0 };
    if (dav->kind != DAV_TASK) {
        dav_refuse(dav, 403, "d:need-privileges", "a person's task list cannot be removed");
        return;
    }
    int rc = dav->store->get(dav->store->arg, dav->name, &item);
    if (rc == 0 && !may_change(dav, &item))
        rc = DAV_CONFLICT;
    if (rc == 0)
        rc = dav->store->remove(dav->store->arg, &item, &fault);
    if (rc != 0)
        dav_refuse_store(dav, rc, &fault);
    else
        answer_empty(dav, 204);
}

static void refuse_making(struct dav *dav)
{
    if (dav->kind == DAV_NOWHERE)
        dav_refuse(dav, 403, "c:calendar-collection-location-ok",
                   "each member of staff has one task list, and it is there already");
    else
        dav_refuse(dav, 403, "d:resource-must-be-null", "there is something at this path");
}

/* ---- All -------------------------------------------------------------------------------- */

static void dispatch(struct dav *dav)
{
    static const struct {
        const char *method;
        void (*answer)(struct dav *dav);
        bool is_for_nowhere;
    } rows[] = {
        { "OPTIONS", answer_options, true },   { "PROPFIND", dav_propfind, false },
        { "PROPPATCH", dav_proppatch, false }, { "REPORT", dav_report, false },
        { "GET", answer_get, false },          { "HEAD", answer_head, false },
        { "PUT", answer_put, false },          { "DELETE", answer_delete, false },
        { "MKCALENDAR", refuse_making, true }, { "MKCOL", refuse_making, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(dav->request->method, rows[i].method) != 0)
            continue;
        if (dav->kind == DAV_NOWHERE && !rows[i].is_for_nowhere)
            dav_refuse(dav, 404, NULL, "there is nothing at this path");
        else
            rows[i].answer(dav);
        return;
    }
    refuse_method(dav);
}

/* PROPFIND, PROPPATCH and REPORT have XML bodies; what PUT has is no XML. */
static bool has_xml(const struct dav_request *request)
{
    return request->body_size > 0 &&
           (strcmp(request->method, "PROPFIND") == 0 || strcmp(request->method, "PROPPATCH") == 0 ||
            strcmp(request->method, "REPORT") == 0);
}

static bool read_body(struct dav *dav)
{
    struct fault fault = { 0 };
    if (!has_xml(dav->request))
        return true;
    int rc = xml_read(dav->request->body, dav->request->body_size, &dav->xml, &fault);
    if (rc == 0)
        return true;
    dav_refuse(dav,
               rc == FAULT_LIMIT    ? 413
               : rc == FAULT_MEMORY ? 503
                                    : 400,
               NULL, "%s", fault.text);
    return false;
}

void dav_answer(const struct dav_request *request, const struct dav_store *store,
                struct dav_answer *out_answer)
{
    struct dav dav = { .request = request, .store = store, .answer = out_answer };
    *out_answer = (struct dav_answer){ 0 };
    dav.kind = dav_path_read(request, request->path, dav.name);
    dav.is_minimal = strstr(dav_request_header(&dav, "Prefer"), "return=minimal") != NULL ||
                     strcmp(dav_request_header(&dav, "Brief"), "t") == 0;
    if (read_body(&dav))
        dispatch(&dav);
    xml_free(dav.xml);
    if (buffer_is_broken(&out_answer->body)) {
        answer_empty(&dav, 503);
        dav_header_set(out_answer, "Retry-After", "5");
    }
}

void dav_answer_well_known(const char *base, struct dav_answer *out_answer)
{
    *out_answer = (struct dav_answer){ .status = 301 };
    dav_header_print(out_answer, "Location", "%s/", base);
}
