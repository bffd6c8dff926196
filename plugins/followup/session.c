/* session.c -- see session.h. */
#include "session_inside.h"

#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_ADVICE "; close some that are over, or have the limit raised in kith.lua"

static void run_next(struct desk *desk);
static void write_next(struct session *session);

/* -- The end ----------------------------------------------------------------------------------- */

static void session_free(struct session *session)
{
    dav_answer_deinit(&session->answer);
    pool_deinit(&session->pool);
    free(session);
}

static void leave_desk(struct session *session)
{
    struct desk *desk = session->desk;
    desk->first = session->next;
    if (desk->first == NULL)
        desk->last = &desk->first;
    session_free(session);
    run_next(desk);
}

void session_say(struct followup *followup, uint64_t request, int status, const char *line)
{
    kith_answer(followup->host, followup->kith, request, status, "text/plain; charset=utf-8", line);
}

void session_fail(struct session *session, int status, const char *line)
{
    session_say(session->followup, session->request.id, status, line);
    leave_desk(session);
}

static void reply(struct session *session)
{
    const struct dav_answer *answer = &session->answer;
    const char *headers[DAV_HEADERS_MAX + 1] = { NULL };
    for (unsigned i = 0; i < answer->header_count; i++)
        headers[i] =
            pool_print(&session->pool, "%s: %s", answer->headers[i].name, answer->headers[i].value);
    const struct kith_reply reply = {
        .size = sizeof reply,
        .status = answer->status,
        .headers = headers,
        .body = answer->body.data,
        .body_size = answer->body.size,
    };
    if (session->pool.broken)
        session_fail(session, 503, "memory is short");
    else {
        session->followup->host->reply(session->followup->kith, session->request.id, &reply);
        leave_desk(session);
    }
}

/* -- Writing ----------------------------------------------------------------------------------- */

/* What the host has refused, as the device is told.  A limit is named by what it says. */
static int refusal_of(int32_t status, const char *detail)
{
    if (strstr(detail, "(limit records)") != NULL || strstr(detail, "(limit timers)") != NULL)
        return DAV_FULL;
    if (strstr(detail, "(limit record_bytes)") != NULL)
        return DAV_LIMIT;
    if (status == 412 || status == 409 || status == 404)
        return DAV_CONFLICT;
    if (status == 400 || status == 422)
        return DAV_INVALID;
    if (status == 413)
        return DAV_LIMIT;
    return status == 429 || status >= 500 || status < 0 ? DAV_BUSY : DAV_DENIED;
}

static void on_written(void *arg, int32_t status, struct kith_doc result)
{
    struct session *session = arg;
    struct write *write = &session->writes[session->write_at];
    struct kith_text detail = kith_get_text(result, "detail");
    if (write->is_promise && (status == 404 || status == 410))
        status = 200; /* it is gone; the reminder is done all the same */
    if (status >= 200 && status < 300) {
        if (write->is_promise)
            session_keep_promise(session, result);
        if (write->is_made)
            session_move_todo(session, result);
        if (write->is_again)
            session->reminder = (uint64_t)kith_get_int(result, "id", 0);
        if (write->hides != 0)
            book_hide_done(&session->desk->book, write->hides);
        session->write_at++;
        write_next(session);
        return;
    }
    session->refusal = refusal_of(status, detail.data);
    snprintf(session->detail, sizeof session->detail, "%.*s%s", (int)detail.size, detail.data,
             session->refusal == DAV_FULL ? FULL_ADVICE : "");
    session_answer(session);
    reply(session);
}

static void write_next(struct session *session)
{
    const struct kith_host *host = session->followup->host;
    if (session->write_at == session->write_count) {
        reply(session);
        return;
    }
    struct write *write = &session->writes[session->write_at];
    if (write->is_copy) {
        const struct task_copy copy = {
            .name = session->name,
            .staff = session->staff,
            .reminder = session->reminder,
            .customer = write->is_changed ? 0 : session->customer,
            .is_over = session->is_over,
            .has_words = session->is_kept || session->has_words,
        };
        write->body = task_copy(&session->pool, &copy, &session->task);
    }
    const struct kith_ask ask = {
        .size = sizeof ask,
        .method = write->method,
        .path = write->path,
        .body = write->body,
        .staff = kith_text(session->staff),
        .key = kith_text(write->key),
        .match = kith_text(write->match),
    };
    if (session->pool.broken ||
        host->ask(session->followup->kith, &ask, on_written, session) != KITH_OK)
        session_fail(session, 503, "Kith is too busy to write this");
}

static void answer_feed(struct session *session)
{
    struct dav_answer *answer = &session->answer;
    struct ics_item *tasks = pool_take(&session->pool, (session->item_count + 1) * sizeof *tasks);
    struct kith_text known = kith_header(&session->request, "If-None-Match");
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; tasks != NULL && i < session->item_count; i++) {
        tasks[i] = session->items[i].dav.task;
        tasks[i].note = NULL; /* calendars are shared */
    }
    if (tasks != NULL)
        feed_write(&answer->body, session->dav.title, tasks, session->item_count);
    for (size_t i = 0; i < answer->body.size; i++)
        hash = (hash ^ (unsigned char)answer->body.data[i]) * UINT64_C(1099511628211);
    const char *tag = pool_print(&session->pool, "\"%016llx\"", (unsigned long long)hash);
    if (tag == NULL || tasks == NULL || buffer_is_broken(&answer->body)) {
        session_fail(session, 503, "memory is short\n");
        return;
    }
    answer->status = kith_is(known, tag) ? 304 : 200;
    answer->header_count = 3;
    answer->headers[0].name = "ETag";
    snprintf(answer->headers[0].value, DAV_HEADER_MAX, "%s", tag);
    answer->headers[1].name = "Content-Type";
    snprintf(answer->headers[1].value, DAV_HEADER_MAX, "text/calendar; charset=utf-8");
    answer->headers[2].name = "Cache-Control";
    snprintf(answer->headers[2].value, DAV_HEADER_MAX, "private, no-cache");
    if (answer->status == 304)
        answer->body.size = 0;
    reply(session);
}

void session_have_list(struct session *session)
{
    if (!session_make_items(session)) {
        session_fail(session, 503, "memory is short");
        return;
    }
    if (session->is_feed) {
        session_sort_by_due(session);
        answer_feed(session);
        return;
    }
    session_answer(session);
    write_next(session);
}

/* -- The beginning ----------------------------------------------------------------------------- */

static const char *header_of(void *arg, const char *name)
{
    const struct session *session = arg;
    return kith_header(&session->request, name).data;
}

static void run_next(struct desk *desk)
{
    struct session *session = desk->first;
    if (session == NULL)
        return;
    book_drop_done(&desk->book, session->followup->host->now(session->followup->kith) -
                                    session->followup->done_shown_ms);
    session_gather(session);
}

static struct desk *desk_of(struct followup *followup, struct kith_text staff)
{
    struct desk *desk = followup->desks;
    uint64_t chance = 0;
    while (desk != NULL && !kith_is(staff, desk->staff))
        desk = desk->next;
    if (desk != NULL || followup->desk_count == SESSION_STAFF_MAX)
        return desk;
    desk = calloc(1, sizeof *desk);
    if (desk != NULL)
        desk->staff = strndup(staff.data, staff.size);
    if (desk == NULL || desk->staff == NULL) {
        free(desk);
        return NULL;
    }
    followup->host->random(followup->kith, &chance, sizeof chance);
    uint64_t second = (uint64_t)(followup->host->now(followup->kith) / 1000);
    book_init(&desk->book, second << 20 | (chance & 0xfffff));
    desk->last = &desk->first;
    desk->next = followup->desks;
    followup->desks = desk;
    followup->desk_count++;
    return desk;
}

static struct kith_text copy(struct pool *pool, struct kith_text text)
{
    return (struct kith_text){ pool_text(pool, text.data, text.size), text.size };
}

bool session_copy(struct pool *pool, const struct kith_request *request, struct kith_request *out)
{
    struct kith_param *headers = pool_take(pool, (request->header_count + 1) * sizeof *headers);
    for (size_t i = 0; headers != NULL && i < request->header_count; i++)
        headers[i] = (struct kith_param){ copy(pool, request->headers[i].name),
                                          copy(pool, request->headers[i].value) };
    *out = (struct kith_request){
        .size = sizeof *out,
        .id = request->id,
        .method = pool_text(pool, request->method, strlen(request->method)),
        .path = copy(pool, request->path),
        .query = kith_text(""),
        .headers = headers,
        .header_count = headers != NULL ? request->header_count : 0,
        .body = pool_text(pool, request->body, request->body_size),
        .body_size = request->body_size,
        .staff = copy(pool, request->staff),
    };
    return !pool->broken;
}

static struct session *session_new(struct followup *followup, const struct kith_request *request,
                                   struct kith_text staff)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->followup = followup;
    session_copy(&session->pool, request, &session->request);
    session->staff = pool_text(&session->pool, staff.data, staff.size);
    session->dav = (struct dav_request){
        .method = session->request.method,
        .path = session->request.path.data,
        .base = SESSION_BASE,
        .staff = session->staff,
        .body = session->request.body,
        .body_size = session->request.body_size,
        .header = header_of,
        .arg = session,
    };
    if (!session->pool.broken)
        return session;
    session_free(session);
    return NULL;
}

static void begin(struct followup *followup, const struct kith_request *request,
                  struct kith_text staff, bool is_feed)
{
    struct desk *desk = desk_of(followup, staff);
    struct session *session = desk == NULL ? NULL : session_new(followup, request, staff);
    if (session == NULL) {
        session_say(followup, request->id, 503, "memory is short\n");
        return;
    }
    bool is_first = desk->first == NULL;
    session->is_feed = is_feed;
    session->desk = desk;
    *desk->last = session;
    desk->last = &session->next;
    if (is_first)
        run_next(desk);
}

void session_begin(void *self, const struct kith_request *request)
{
    if (request->staff.size == 0)
        session_say(self, request->id, 403,
                    "this key is nobody's: make one for a member of staff with kith key add "
                    "--as NAME\n");
    else
        begin(self, request, request->staff, false);
}

void session_feed(struct followup *followup, const struct kith_request *request,
                  struct kith_text staff)
{
    begin(followup, request, staff, true);
}

void session_end_all(struct followup *followup)
{
    while (followup->desks != NULL) {
        struct desk *desk = followup->desks;
        followup->desks = desk->next;
        while (desk->first != NULL) {
            struct session *session = desk->first;
            desk->first = session->next;
            session_free(session);
        }
        book_deinit(&desk->book);
        free(desk->staff);
        free(desk);
    }
}
