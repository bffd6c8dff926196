/* session.c -- see session.h. */
#include "session.h"

#include "dav.h"
#include "feed.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define PAGES_MAX 10 /* of each of the host's lists: 10,000 tasks */
#define WRITES_MAX 4
#define DETAIL_BYTES 160

struct page {
    struct page *next;
    struct kith_doc doc;
};

/* What is asked for, in this order. */
enum source {
    SOURCE_STAFF, /* herself: what she is called */
    SOURCE_OPEN,  /* reminders */
    SOURCE_DONE,  /* the same, once */
    SOURCE_TODO,  /* records, open */
    SOURCE_FINISHED,
    SOURCE_COPY,
    SOURCE_LEFT, /* one reminder after the other that is in the list no more */
    SOURCE_COUNT
};

struct item {
    struct dav_item dav;
    char etag[20];
    struct kith_doc reminder, copy, todo; /* which of them it is made of */
    bool is_todo;
};

struct write {
    const char *method, *path, *match;
    struct kith_doc body;
    bool is_again; /* its answer is the reminder that the copy is of from now on */
    bool is_copy;  /* the body is made when it is asked for */
};

struct session {
    struct session *next;
    struct followup *followup;
    struct desk *desk;
    struct pool pool;
    uint64_t request;
    struct dav_request dav;
    struct kith_param *headers;
    size_t header_count;
    const char *staff, *after;
    enum source source;
    size_t pages_read;
    struct page *pages[SOURCE_COUNT], *last[SOURCE_COUNT];
    struct item *items;
    size_t item_count;
    const char **left; /* names of the book whose reminder is to be looked at */
    size_t left_count, left_at;
    uint64_t asked; /* the reminder that is */
    struct write writes[WRITES_MAX];
    size_t write_count, write_at;
    uint64_t reminder; /* that a copy is of */
    int64_t customer;
    const char *name;
    struct ics_item task; /* to be copied; its texts in the pool */
    int refusal;          /* what put and remove answer: a code of DAV_, or 0 */
    char detail[DETAIL_BYTES];
    struct dav_answer answer;
    bool is_feed; /* it is her feed that is asked for, and `dav` has headers alone */
};

static void run_next(struct desk *desk);
static void gather(struct session *session);
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
    static const char *const headers[] = { "Content-Type: text/plain; charset=utf-8", NULL };
    const struct kith_reply reply = {
        .size = sizeof reply,
        .status = status,
        .headers = headers,
        .body = line,
        .body_size = strlen(line),
    };
    followup->host->reply(followup->kith, request, &reply);
}

static void fail(struct session *session, int status, const char *line)
{
    session_say(session->followup, session->request, status, line);
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
        fail(session, 503, "memory is short");
    else {
        session->followup->host->reply(session->followup->kith, session->request, &reply);
        leave_desk(session);
    }
}

/* -- The list ---------------------------------------------------------------------------------- */

static struct kith_doc first_of(const struct session *session, enum source source)
{
    const struct page *page = session->pages[source];
    return page == NULL ? (struct kith_doc){ NULL, 0 } : page->doc;
}

struct walk {
    const struct page *page;
    struct kith_iter it;
};

static struct walk walk(const struct session *session, enum source source)
{
    struct walk at = { session->pages[source], kith_iter((struct kith_doc){ NULL, 0 }) };
    if (at.page != NULL)
        at.it = kith_iter(kith_get_doc(at.page->doc, "items"));
    return at;
}

static bool walk_next(struct walk *walk, struct kith_doc *out)
{
    while (walk->page != NULL) {
        if (kith_next(&walk->it)) {
            *out = kith_as_doc(&walk->it.value);
            return true;
        }
        walk->page = walk->page->next;
        if (walk->page != NULL)
            walk->it = kith_iter(kith_get_doc(walk->page->doc, "items"));
    }
    return false;
}

static struct kith_doc copy_of(const struct session *session, int64_t reminder)
{
    struct walk at = walk(session, SOURCE_COPY);
    struct kith_doc doc;
    while (walk_next(&at, &doc))
        if (kith_get_int(kith_get_doc(doc, "fields"), "reminder", 0) == reminder)
            return doc;
    return (struct kith_doc){ NULL, 0 };
}

/* Of what a device would get: another tag after every change that it can see. */
static void tag_item(struct item *item)
{
    struct buffer text = { 0 };
    uint64_t hash = UINT64_C(14695981039346656037);
    ics_write(&text, &item->dav.task);
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    snprintf(item->etag, sizeof item->etag, "%016llx", (unsigned long long)hash);
    item->dav.etag = item->etag;
    buffer_deinit(&text);
}

static bool has_name(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->item_count; i++)
        if (strcmp(session->items[i].dav.name, name) == 0)
            return true;
    return false;
}

static void add_reminder(struct session *session, struct kith_doc doc, int64_t done_at)
{
    struct item *item = &session->items[session->item_count];
    struct kith_doc copy = copy_of(session, kith_get_int(doc, "id", 0));
    const char *name = task_name(&session->pool, doc, copy);
    if (name == NULL || kith_is(kith_get_text(doc, "outcome"), TASK_DELETED))
        return;
    if (done_at != 0 && has_name(session, name))
        return; /* it was done, and is open again under the same name */
    *item = (struct item){ .reminder = doc, .copy = copy };
    item->dav.name = name;
    task_of_reminder(&session->pool, doc, copy, done_at, &item->dav.task);
    session->item_count++;
}

static void add_todos(struct session *session, enum source source)
{
    struct walk at = walk(session, source);
    struct kith_doc doc;
    int64_t oldest =
        session->followup->host->now(session->followup->kith) - session->followup->done_shown_ms;
    while (walk_next(&at, &doc)) {
        struct item *item = &session->items[session->item_count];
        const char *name = kith_get_text(kith_get_doc(doc, "fields"), "name").data;
        if (source == SOURCE_FINISHED && kith_get_int(doc, "since", 0) < oldest)
            continue;
        if (*name == '\0')
            name =
                pool_print(&session->pool, "todo-%lld.ics", (long long)kith_get_int(doc, "id", 0));
        if (name == NULL)
            return;
        *item = (struct item){ .todo = doc, .is_todo = true };
        item->dav.name = name;
        task_of_todo(&session->pool, doc, &item->dav.task);
        session->item_count++;
    }
}

static size_t count_all(const struct session *session)
{
    size_t count = session->desk->book.done_count;
    for (enum source source = 0; source < SOURCE_COUNT; source++) {
        struct walk at = walk(session, source);
        struct kith_doc doc;
        while (walk_next(&at, &doc))
            count++;
    }
    return count;
}

static int by_revision(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    return a->dav.revision < b->dav.revision ? -1 : a->dav.revision > b->dav.revision;
}

/* The book says what of it is new. */
static bool compare(struct session *session)
{
    struct book *book = &session->desk->book;
    book_begin(book);
    for (size_t i = 0; i < session->item_count; i++) {
        struct item *item = &session->items[i];
        bool is_open = !item->is_todo && kith_is(kith_get_text(item->reminder, "state"), "open");
        uint64_t number = is_open ? (uint64_t)kith_get_int(item->reminder, "id", 0) : 0;
        tag_item(item);
        if (!book_is(book, item->dav.name, item->etag, number))
            return false;
        item->dav.revision = book_find(book, item->dav.name)->revision;
    }
    book_end(book);
    qsort(session->items, session->item_count, sizeof *session->items, by_revision);
    for (size_t i = 0; i < session->item_count; i++)
        session->items[i].dav.etag = session->items[i].etag; /* they have moved */
    return true;
}

static bool make_items(struct session *session)
{
    struct walk open = walk(session, SOURCE_OPEN);
    const struct book *book = &session->desk->book;
    struct kith_doc doc;
    session->items = pool_take(&session->pool, (count_all(session) + 1) * sizeof *session->items);
    if (session->items == NULL)
        return false;
    while (walk_next(&open, &doc))
        add_reminder(session, doc, 0);
    for (size_t i = 0; i < book->done_count; i++) {
        const struct book_done *done = &book->done[i];
        void *copy = done->is_hidden ? NULL : pool_copy(&session->pool, done->data, done->size);
        if (copy != NULL)
            add_reminder(session, (struct kith_doc){ copy, done->size }, done->at);
    }
    add_todos(session, SOURCE_TODO);
    add_todos(session, SOURCE_FINISHED);
    return !session->pool.broken && compare(session);
}

/* -- The store --------------------------------------------------------------------------------- */

static uint64_t store_revision(void *arg)
{
    return ((struct session *)arg)->desk->book.revision;
}

static int entry_by_revision(const void *left, const void *right)
{
    const struct book_entry *const *a = left, *const *b = right;
    return (*a)->revision < (*b)->revision ? -1 : (*a)->revision > (*b)->revision;
}

static const struct item *item_called(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->item_count; i++)
        if (strcmp(session->items[i].dav.name, name) == 0)
            return &session->items[i];
    return NULL;
}

/* What has changed, and what is gone, in the order in which that was seen. */
static int each_since(struct session *session, uint64_t after, dav_visit_fn *visit, void *arg)
{
    const struct book *book = &session->desk->book;
    const struct book_entry **found = pool_take(&session->pool, (book->count + 1) * sizeof *found);
    size_t count = 0;
    int rc = 0;
    if (found == NULL)
        return DAV_BUSY;
    if (after < book->oldest || after > book->revision)
        return DAV_STALE;
    for (size_t i = 0; i < book->count; i++)
        if (book->entries[i].revision > after)
            found[count++] = &book->entries[i];
    qsort(found, count, sizeof *found, entry_by_revision);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct item *item = item_called(session, found[i]->name);
        const struct dav_item gone = {
            .name = found[i]->name, .etag = "", .revision = found[i]->revision, .is_gone = true
        };
        rc = visit(arg, item != NULL ? &item->dav : &gone);
    }
    return rc;
}

static int store_each(void *arg, uint64_t after, dav_visit_fn *visit, void *visit_arg)
{
    struct session *session = arg;
    int rc = 0;
    if (after != 0)
        return each_since(session, after, visit, visit_arg);
    for (size_t i = 0; i < session->item_count && rc == 0; i++)
        rc = visit(visit_arg, &session->items[i].dav);
    return rc;
}

static int store_get(void *arg, const char *name, struct dav_item *out_item)
{
    const struct item *item = item_called(arg, name);
    if (item == NULL)
        return DAV_ABSENT;
    *out_item = item->dav;
    return 0;
}

static int store_find(void *arg, const char *uid, struct dav_item *out_item)
{
    const struct session *session = arg;
    for (size_t i = 0; i < session->item_count; i++)
        if (strcmp(session->items[i].dav.task.uid, uid) == 0) {
            *out_item = session->items[i].dav;
            return 0;
        }
    return DAV_ABSENT;
}

static bool to_utc(void *arg, const char *zone, int64_t local_ms, int64_t *out_ms)
{
    const struct session *session = arg;
    return zone_to_utc(zone != NULL ? zone : session->followup->zone, local_ms, out_ms);
}

/* -- What is wanted ---------------------------------------------------------------------------- */

static struct write *add_write(struct session *session, const char *method, const char *path,
                               struct kith_doc body)
{
    struct write *write = &session->writes[session->write_count++];
    *write = (struct write){ .method = method, .path = path, .body = body };
    return write;
}

static struct kith_doc outcome(struct session *session, const char *text)
{
    struct kith_writer w;
    void *room = pool_take(&session->pool, 200);
    kith_begin(&w, room, room == NULL ? 0 : 200);
    if (text != NULL)
        kith_put_string(&w, "outcome", text);
    return kith_end(&w);
}

static const char *reminder_path(struct session *session, struct kith_doc reminder,
                                 const char *rest)
{
    return pool_print(&session->pool, "/v1/reminders/%lld%s",
                      (long long)kith_get_int(reminder, "id", 0), rest);
}

static const char *resource_path(struct session *session, const char *kind, const char *name,
                                 const char *rest)
{
    char *resource = pool_print(&session->pool, "resource:%s/%s", session->staff, name);
    char *segment = resource == NULL ? NULL : pool_segment(&session->pool, resource);
    return segment == NULL ? NULL
                           : pool_print(&session->pool, "/v1/records/%s/%s%s", kind, segment, rest);
}

static const char *keep_text(struct session *session, const char *text)
{
    return text == NULL ? "" : pool_text(&session->pool, text, strlen(text));
}

/* The task that was read lives as long as dav_answer(); the copy of it is made later. */
static void keep_task(struct session *session, const char *name, const struct ics_item *task)
{
    session->task = *task;
    session->task.uid = keep_text(session, task->uid);
    session->task.title = keep_text(session, task->title);
    session->task.note = keep_text(session, task->note);
    session->task.url = keep_text(session, task->url);
    session->task.categories = keep_text(session, task->categories);
    session->task.kept = keep_text(session, task->kept);
    session->task.own = NULL;
    session->name = keep_text(session, name);
}

static void put_reminder(struct session *session, const struct item *item,
                         const struct ics_item *task)
{
    struct kith_doc reminder = item->reminder, body = { NULL, 0 };
    struct write *write = NULL;
    unsigned changes = ics_changes(&item->dav.task, task);
    const char *match =
        pool_print(&session->pool, "\"%s\"", kith_get_text(reminder, "version").data);
    bool is_open = kith_is(kith_get_text(reminder, "state"), "open");
    session->reminder = (uint64_t)kith_get_int(reminder, "id", 0);
    session->customer = kith_get_int(reminder, "customer", 0);
    if (!is_open && (changes & ICS_REOPENED) != 0) {
        body = task_again(&session->pool, reminder, task, session->staff);
        add_write(session, "POST", "/v1/reminders?wait=applied", body)->is_again = true;
    } else if (is_open) {
        body = task_change(&session->pool, task, changes);
        if (body.size != 0)
            write = add_write(session, "PATCH", reminder_path(session, reminder, "?wait=applied"),
                              body);
        if ((changes & (ICS_COMPLETED | ICS_CALLED_OFF)) != 0) {
            const char *said = (changes & ICS_CALLED_OFF) != 0 ? TASK_CALLED_OFF : NULL;
            struct write *done =
                add_write(session, "POST", reminder_path(session, reminder, "/done?wait=applied"),
                          outcome(session, said));
            write = write == NULL ? done : write;
        }
        if (write != NULL)
            write->match = match;
    }
    if ((changes & (ICS_ELSE | ICS_PRIORITIZED | ICS_COMPLETED | ICS_REOPENED)) != 0 ||
        item->copy.size != 0)
        add_write(session, "PUT",
                  resource_path(session, "calendar_copy", session->name, "?wait=applied"), body)
            ->is_copy = true;
}

static void put_todo(struct session *session, const struct item *item, const struct ics_item *task)
{
    static const char *const transitions[] = { "/reopen?wait=applied", "/reopen?wait=applied",
                                               "/finish?wait=applied", "/drop?wait=applied" };
    enum ics_status before = item == NULL ? ICS_OPEN : item->dav.task.status;
    bool was_open = before == ICS_OPEN || before == ICS_STARTED;
    bool is_open = task->status == ICS_OPEN || task->status == ICS_STARTED;
    struct write *write =
        add_write(session, "PUT", resource_path(session, "todo", session->name, "?wait=applied"),
                  task_todo(&session->pool, session->name, task, session->staff));
    if (item != NULL)
        write->match = pool_print(&session->pool, "\"%lld\"",
                                  (long long)kith_get_int(item->todo, "version", 0));
    if (before != task->status && !(was_open && is_open))
        add_write(session, "POST",
                  resource_path(session, "todo", session->name, transitions[task->status]),
                  outcome(session, NULL));
}

static int refuse(struct session *session, struct fault *fault)
{
    fault_set(fault, session->refusal, "%s", session->detail);
    return session->refusal;
}

static int store_put(void *arg, const char *name, const struct dav_item *before,
                     const struct ics_item *task, struct fault *fault)
{
    struct session *session = arg;
    const struct item *item = before != NULL ? item_called(session, before->name) : NULL;
    if (session->refusal != 0)
        return refuse(session, fault);
    keep_task(session, name, task);
    if (item != NULL && !item->is_todo)
        put_reminder(session, item, task);
    else
        put_todo(session, item, task);
    return session->pool.broken ? DAV_BUSY : 0;
}

static int store_remove(void *arg, const struct dav_item *before, struct fault *fault)
{
    struct session *session = arg;
    const struct item *item = item_called(session, before->name);
    if (session->refusal != 0)
        return refuse(session, fault);
    if (item->is_todo) {
        /* Its owner is gone from it, so it is in her list no more; what it was stays. */
        struct kith_writer w;
        void *room = pool_take(&session->pool, 200);
        const struct kith_value none = { KITH_NULL, 0, { 0 } };
        kith_begin(&w, room, room == NULL ? 0 : 200);
        kith_put(&w, "owner", &none);
        if (item->dav.task.status == ICS_OPEN || item->dav.task.status == ICS_STARTED)
            add_write(session, "POST",
                      pool_print(&session->pool, "/v1/records/todo/%lld/drop?wait=applied",
                                 (long long)kith_get_int(item->todo, "id", 0)),
                      outcome(session, NULL));
        kith_open(&w, "fields");
        kith_put(&w, "resource", &none);
        kith_close(&w);
        add_write(session, "PATCH",
                  pool_print(&session->pool, "/v1/records/todo/%lld?wait=applied",
                             (long long)kith_get_int(item->todo, "id", 0)),
                  kith_end(&w));
    } else if (kith_is(kith_get_text(item->reminder, "state"), "open")) {
        add_write(session, "POST", reminder_path(session, item->reminder, "/done?wait=applied"),
                  outcome(session, TASK_DELETED));
    } else {
        book_hide_done(&session->desk->book, (uint64_t)kith_get_int(item->reminder, "id", 0));
    }
    return session->pool.broken ? DAV_BUSY : 0;
}

static void answer(struct session *session)
{
    const struct dav_store store = {
        .arg = session,
        .revision = store_revision,
        .each = store_each,
        .get = store_get,
        .find = store_find,
        .put = store_put,
        .remove = store_remove,
        .zones = { session, to_utc },
    };
    dav_answer_deinit(&session->answer);
    session->write_count = session->write_at = 0;
    dav_answer(&session->dav, &store, &session->answer);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void on_written(void *arg, int32_t status, struct kith_doc result)
{
    struct session *session = arg;
    struct write *write = &session->writes[session->write_at];
    struct kith_text detail = kith_get_text(result, "detail");
    if (status >= 200 && status < 300) {
        if (write->is_again)
            session->reminder = (uint64_t)kith_get_int(result, "id", 0);
        session->write_at++;
        write_next(session);
        return;
    }
    session->refusal = status == 412 || status == 409 || status == 404 ? DAV_CONFLICT
                       : status == 429 || status >= 500 || status < 0  ? DAV_BUSY
                                                                       : DAV_DENIED;
    snprintf(session->detail, sizeof session->detail, "%.*s", (int)detail.size, detail.data);
    answer(session);
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
    if (write->is_copy)
        write->body = task_copy(&session->pool, session->name, &session->task, session->staff,
                                session->reminder, session->customer);
    const struct kith_ask ask = {
        .size = sizeof ask,
        .method = write->method,
        .path = write->path,
        .body = write->body,
        .staff = kith_text(session->staff),
        .match = kith_text(write->match),
    };
    if (session->pool.broken ||
        host->ask(session->followup->kith, &ask, on_written, session) != KITH_OK)
        fail(session, 503, "Kith is too busy to write this");
}

static void answer_feed(struct session *session)
{
    struct dav_answer *answer = &session->answer;
    struct ics_item *tasks = pool_take(&session->pool, (session->item_count + 1) * sizeof *tasks);
    const char *known = session->dav.header(session, "If-None-Match");
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
        fail(session, 503, "memory is short\n");
        return;
    }
    answer->status = known != NULL && strcmp(known, tag) == 0 ? 304 : 200;
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

/* Always the same order, whatever was seen first: the same tasks are the same bytes. */
static int by_due(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->dav.task.due.ms != b->dav.task.due.ms)
        return a->dav.task.due.ms < b->dav.task.due.ms ? -1 : 1;
    return strcmp(a->dav.task.uid, b->dav.task.uid);
}

static void have_list(struct session *session)
{
    if (!make_items(session)) {
        fail(session, 503, "memory is short");
        return;
    }
    if (session->is_feed) {
        qsort(session->items, session->item_count, sizeof *session->items, by_due);
        answer_feed(session);
        return;
    }
    answer(session);
    write_next(session);
}

/* -- Asking for the list ----------------------------------------------------------------------- */

static const char *path_of(struct session *session)
{
    static const char *const formats[] = {
        [SOURCE_STAFF] = "/v1/staff/%s",
        [SOURCE_OPEN] = "/v1/reminders?limit=1000&to=%s%s%s",
        [SOURCE_DONE] = "/v1/reminders?limit=100&state=done&to=%s%s%s",
        [SOURCE_TODO] = "/v1/records/todo?limit=1000&open=1&owner=%s%s%s",
        [SOURCE_FINISHED] = "/v1/records/todo?limit=100&state=done&owner=%s%s%s",
        [SOURCE_COPY] = "/v1/records/calendar_copy?limit=1000&open=1&owner=%s%s%s",
    };
    const char *staff = pool_segment(&session->pool, session->staff);
    const char *after = session->after != NULL ? session->after : "";
    const char *format = formats[session->source];
    if (staff == NULL)
        return NULL;
    if (session->source == SOURCE_STAFF)
        return pool_print(&session->pool, "/v1/staff/%s", staff);
    const char *start = strchr(format, '%');
    return pool_print(&session->pool, "%.*s%s%s%s", (int)(start - format), format, staff,
                      *after != '\0' ? "&after=" : "", after);
}

/* Those that were open when a device asked before, and are in her list no more. */
static void find_left(struct session *session)
{
    const struct book *book = &session->desk->book;
    session->left = pool_take(&session->pool, (book->count + 1) * sizeof *session->left);
    for (size_t i = 0; session->left != NULL && i < book->count; i++) {
        struct walk at = walk(session, SOURCE_OPEN);
        struct kith_doc doc;
        bool is_there = book->entries[i].reminder == 0;
        while (!is_there && walk_next(&at, &doc))
            is_there = (uint64_t)kith_get_int(doc, "id", 0) == book->entries[i].reminder;
        if (!is_there)
            session->left[session->left_count++] = book->entries[i].name;
    }
}

static void keep_done(struct session *session, struct kith_doc doc, int64_t at)
{
    int64_t now = session->followup->host->now(session->followup->kith);
    bool is_hers = kith_is(kith_get_text(doc, "assignee"), session->staff) &&
                   kith_is(kith_get_text(doc, "state"), "done");
    if (is_hers && at > now - session->followup->done_shown_ms &&
        !book_keep_done(&session->desk->book, (uint64_t)kith_get_int(doc, "id", 0), at, doc))
        session->pool.broken = true;
}

/* When those were done is not known: not later than now, and likely when they were due. */
static void have_done(struct session *session)
{
    struct walk at = walk(session, SOURCE_DONE);
    struct kith_doc doc;
    int64_t now = session->followup->host->now(session->followup->kith);
    while (walk_next(&at, &doc)) {
        int64_t due = kith_get_int(doc, "due", 0), created = kith_get_int(doc, "created", 0);
        int64_t done = due > now ? now : due;
        keep_done(session, doc, done > created ? done : created);
    }
    session->desk->book.is_warm = true;
}

static void on_left(void *arg, int32_t status, struct kith_doc result)
{
    struct session *session = arg;
    if (status == 200)
        keep_done(session, result, session->followup->host->now(session->followup->kith));
    else if (status != 404) {
        fail(session, 503, "Kith is too busy to tell what has become of a reminder");
        return;
    }
    session->left_at++;
    gather(session);
}

static void ask_left(struct session *session)
{
    const struct kith_host *host = session->followup->host;
    if (session->left_at == session->left_count) {
        have_list(session);
        return;
    }
    struct book_entry *entry = book_find(&session->desk->book, session->left[session->left_at]);
    const struct kith_ask ask = {
        .size = sizeof ask,
        .method = "GET",
        .path = pool_print(&session->pool, "/v1/reminders/%llu",
                           (unsigned long long)(entry != NULL ? entry->reminder : 0)),
    };
    if (ask.path == NULL || host->ask(session->followup->kith, &ask, on_left, session) != KITH_OK)
        fail(session, 503, "Kith is too busy to tell what has become of a reminder");
}

static bool keep_page(struct session *session, struct kith_doc doc)
{
    struct page *page = pool_take(&session->pool, sizeof *page);
    void *data = pool_copy(&session->pool, doc.data, doc.size);
    if (page == NULL || data == NULL)
        return false;
    page->doc = (struct kith_doc){ data, doc.size };
    if (session->last[session->source] != NULL)
        session->last[session->source]->next = page;
    else
        session->pages[session->source] = page;
    session->last[session->source] = page;
    return true;
}

static void on_page(void *arg, int32_t status, struct kith_doc result)
{
    struct session *session = arg;
    if (status == 404 && session->source == SOURCE_STAFF) {
        fail(session, 403, "this key is nobody's on the staff");
        return;
    }
    if (status != 200 || !keep_page(session, result)) {
        fail(session, 503, "Kith is too busy to tell what is in this list");
        return;
    }
    struct kith_text next = kith_get_text(session->last[session->source]->doc, "next");
    bool is_whole = session->source == SOURCE_DONE || session->source == SOURCE_FINISHED;
    session->after = next.size != 0 && !is_whole && ++session->pages_read < PAGES_MAX
                         ? pool_segment(&session->pool, next.data)
                         : NULL;
    if (session->after == NULL) {
        session->pages_read = 0;
        session->source++;
    }
    gather(session);
}

static void read_staff(struct session *session)
{
    session->dav.title = kith_get_text(first_of(session, SOURCE_STAFF), "title").data;
    if (*session->dav.title == '\0')
        session->dav.title = session->staff;
}

static void gather(struct session *session)
{
    const struct kith_host *host = session->followup->host;
    if (session->source == SOURCE_DONE && session->desk->book.is_warm)
        session->source++;
    if (session->source == SOURCE_LEFT) {
        if (session->left == NULL) {
            read_staff(session);
            have_done(session);
            find_left(session);
        }
        ask_left(session);
        return;
    }
    const struct kith_ask ask = { .size = sizeof ask, .method = "GET", .path = path_of(session) };
    if (ask.path == NULL || host->ask(session->followup->kith, &ask, on_page, session) != KITH_OK)
        fail(session, 503, "Kith is too busy to tell what is in this list");
}

/* -- The beginning ----------------------------------------------------------------------------- */

static const char *header_of(void *arg, const char *name)
{
    const struct session *session = arg;
    for (size_t i = 0; i < session->header_count; i++)
        if (strcasecmp(session->headers[i].name.data, name) == 0)
            return session->headers[i].value.data;
    return NULL;
}

static void run_next(struct desk *desk)
{
    struct session *session = desk->first;
    if (session == NULL)
        return;
    book_drop_done(&desk->book, session->followup->host->now(session->followup->kith) -
                                    session->followup->done_shown_ms);
    gather(session);
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

static bool copy_headers(struct session *session, const struct kith_request *request)
{
    struct pool *pool = &session->pool;
    session->headers = pool_take(pool, (request->header_count + 1) * sizeof *session->headers);
    for (size_t i = 0; session->headers != NULL && i < request->header_count; i++) {
        const struct kith_param *theirs = &request->headers[i];
        session->headers[i].name.data = pool_text(pool, theirs->name.data, theirs->name.size);
        session->headers[i].value.data = pool_text(pool, theirs->value.data, theirs->value.size);
    }
    session->header_count = request->header_count;
    return !pool->broken;
}

/* The request lives until it is answered, and that may be for us, after a minute: so a copy. */
static struct session *session_new(struct followup *followup, const struct kith_request *request,
                                   struct kith_text staff)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    struct pool *pool = &session->pool;
    session->followup = followup;
    session->request = request->id;
    session->staff = pool_text(pool, staff.data, staff.size);
    session->dav = (struct dav_request){
        .method = pool_text(pool, request->method, strlen(request->method)),
        .path = pool_text(pool, request->path.data, request->path.size),
        .base = SESSION_BASE,
        .staff = session->staff,
        .body = pool_text(pool, request->body, request->body_size),
        .body_size = request->body_size,
        .header = header_of,
        .arg = session,
    };
    if (copy_headers(session, request))
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

void session_begin(struct followup *followup, const struct kith_request *request)
{
    if (request->staff.size == 0)
        session_say(followup, request->id, 403,
                    "this key is nobody's: make one for a member of staff with kith key add "
                    "--staff\n");
    else
        begin(followup, request, request->staff, false);
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
