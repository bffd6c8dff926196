/* session_store.c -- the store of dav_answer() over a list that was asked for.
 *
 * It reads from memory and writes nothing: what is wanted is noted, as requests to the host.  After
 * the host has refused, the store refuses for the same reason.
 */
#include "session_inside.h"

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* -- Reading */

static uint64_t store_revision(void *arg)
{
    return ((struct session *)arg)->desk->book.revision;
}

static int entry_by_revision(const void *left, const void *right)
{
    const struct book_entry *const *a = left, *const *b = right;
    return (*a)->revision < (*b)->revision ? -1 : (*a)->revision > (*b)->revision;
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
        const struct item *item = session_item_called(session, found[i]->name);
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
    const struct item *item = session_item_called(arg, name);
    if (item == NULL)
        return DAV_ABSENT;
    *out_item = item->dav;
    return 0;
}

static int store_find(void *arg, const char *uid, struct dav_item *out_item)
{
    const struct session *session = arg;
    size_t at = places_of_text(&session->uids, uid);
    if (at == PLACES_NONE)
        return DAV_ABSENT;
    *out_item = session->items[at].dav;
    return 0;
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

/* By the number of the record: its name as a resource is that of whoever had it first. */
static const char *record_path(struct session *session, struct kith_doc record, const char *rest)
{
    return pool_print(&session->pool, "/v1/records/%s/%lld%s", kith_get_text(record, "kind").data,
                      (long long)kith_get_int(record, "id", 0), rest);
}

/* Which version was seen: another one is not written over.  `steps`: by how many it is newer by
 * then. */
static const char *record_match(struct session *session, struct kith_doc record, int steps)
{
    return pool_print(&session->pool, "\"%lld\"",
                      (long long)kith_get_int(record, "version", 0) + steps);
}

static const char *reminder_match(struct session *session, struct kith_doc reminder)
{
    return pool_print(&session->pool, "\"%s\"", kith_get_text(reminder, "version").data);
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

/* `closes`: the write before it closes the reminder, and with it one that is kept, which is another
 * version then (care.c). */
static void write_copy(struct session *session, struct kith_doc copy, bool closes)
{
    const struct kith_doc none = { NULL, 0 };
    bool is_there = copy.size != 0;
    bool returns = !session->is_over && kith_is(kith_get_text(copy, "state"), "left");
    const char *path =
        is_there ? record_path(session, copy, returns ? "/return?wait=applied" : "?wait=applied")
                 : resource_path(session, "calendar_copy", session->name, "?wait=applied");
    struct write *write = add_write(session,
                                    returns    ? "POST"
                                    : is_there ? "PATCH"
                                               : "PUT",
                                    path, none);
    write->is_copy = true;
    write->is_changed = is_there;
    if (is_there)
        write->match =
            record_match(session, copy, closes && kith_is(kith_get_text(copy, "state"), "kept"));
}

/* One that is done is in no list any more: its copy says so, and outlives a restart. */
static void write_hidden(struct session *session, const char *name, struct kith_doc reminder,
                         struct kith_doc copy)
{
    bool is_there = copy.size != 0, is_kept = kith_is(kith_get_text(copy, "state"), "kept");
    struct kith_doc body =
        task_hidden(&session->pool, is_there ? NULL : name, session->staff, reminder);
    struct write *write = add_write(
        session,
        is_kept    ? "POST"
        : is_there ? "PATCH"
                   : "PUT",
        is_there ? record_path(session, copy, is_kept ? "/leave?wait=applied" : "?wait=applied")
                 : resource_path(session, "calendar_copy", name, "?wait=applied"),
        body);
    write->hides = (uint64_t)kith_get_int(reminder, "id", 0);
    if (is_there)
        write->match = record_match(session, copy, 0);
}

/* A reminder of a promise's own deadline; 0: it is of something else. */
static unsigned long long promise_of(struct kith_doc reminder)
{
    static const char prefix[] = "promise:";
    const char *about = kith_get_text(reminder, "about").data;
    if (!kith_is(kith_get_text(reminder, "by"), "promise") ||
        strncmp(about, prefix, sizeof prefix - 1) != 0)
        return 0;
    return strtoull(about + sizeof prefix - 1, NULL, 10);
}

/* Done: she says so, and what she wrote beside it is the evidence.  All that was changed goes in
 * one request, so that nobody who looks, and no end of the process, comes between. */
static struct write *put_done(struct session *session, struct kith_doc reminder,
                              const struct ics_item *task, unsigned changes)
{
    const struct kith_doc none = { NULL, 0 };
    bool is_called_off = (changes & ICS_CALLED_OFF) != 0;
    unsigned long long promise = is_called_off ? 0 : promise_of(reminder);
    session->is_retitled = (changes & ICS_RETITLED) != 0;
    if (promise != 0)
        add_write(session, "GET", pool_print(&session->pool, "/v1/records/promise/%llu", promise),
                  none)
            ->is_promise = true;
    return add_write(session, "POST", reminder_path(session, reminder, "/done?wait=applied"),
                     task_done(&session->pool, task, changes));
}

/* What she wrote beside the promise, or over it. */
static const char *evidence_of(const struct session *session)
{
    const struct ics_item *task = &session->task;
    if (!utf8_is_blank(task->note))
        return task->note;
    return session->is_retitled && !utf8_is_blank(task->title) ? task->title : TASK_TICKED_OFF;
}

void session_keep_promise(struct session *session, struct kith_doc promise)
{
    struct kith_writer w;
    struct pool *pool = &session->pool;
    struct write *write = &session->writes[session->write_at + 1];
    const char *evidence = evidence_of(session);
    size_t size = strlen(evidence) + 100;
    void *room = pool_take(pool, size);
    if (!kith_is(kith_get_text(promise, "state"), "open"))
        return;
    kith_begin(&w, room, room == NULL ? 0 : size);
    kith_open(&w, "fields");
    kith_put_string(&w, "evidence", evidence);
    kith_close(&w);
    write->path = record_path(session, promise, "/keep?wait=applied");
    write->body = kith_end(&w);
    write->match = record_match(session, promise, 0);
    session->is_kept = true;
}

/* By what a device is told apart from another that asks for something else: the reminder, what it
 * was, and what is wanted.  One that got no answer asks for the same again, and no second reminder
 * is set. */
static const char *key_again(struct session *session, const struct item *item, struct kith_doc body)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    const unsigned char *bytes = body.data;
    for (size_t i = 0; i < body.size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return pool_print(&session->pool, "again:%lld:%s:%016llx",
                      (long long)kith_get_int(item->reminder, "id", 0), item->etag,
                      (unsigned long long)hash);
}

/* Open again: what was done stays so, and another reminder has its name from then on. */
static void put_again(struct session *session, const struct item *item, const struct ics_item *task)
{
    const struct kith_doc none = { NULL, 0 };
    struct kith_doc reminder = item->reminder;
    struct kith_doc body = task_again(&session->pool, reminder, task, session->staff);
    const char *own = task_name(&session->pool, reminder, none);
    struct write *write = add_write(session, "POST", "/v1/reminders?wait=applied", body);
    write->is_again = true;
    write->key = key_again(session, item, body);
    if (own != NULL && strcmp(own, session->name) != 0)
        write_hidden(session, own, reminder, none);
}

/* A reminder that is closed changes no more: what a device calls it from then on is in its copy,
 * and stays there. */
static bool has_words(const struct item *item, unsigned changes)
{
    struct kith_doc fields = kith_get_doc(item->copy, "fields");
    return (changes & (ICS_RETITLED | ICS_NOTED)) != 0 ||
           kith_get(fields, "title").type == KITH_TEXT ||
           kith_get(fields, "details").type == KITH_TEXT;
}

/* Whether something was said that only a copy has: when it was ticked off, if the device says so,
 * the words at a promise, which is kept and not changed, those at one that was closed before, and a
 * name that is not of its number. */
static bool needs_copy(struct session *session, const struct item *item,
                       const struct ics_item *task, unsigned changes)
{
    const struct kith_doc none = { NULL, 0 };
    const char *own = task_name(&session->pool, item->reminder, none);
    bool is_ticked = (changes & ICS_COMPLETED) != 0;
    return (changes & (ICS_ELSE | ICS_PRIORITIZED | ICS_REOPENED)) != 0 ||
           (is_ticked && task->completed.kind != WHEN_NONE) ||
           (is_ticked && promise_of(item->reminder) != 0 &&
            (changes & (ICS_RETITLED | ICS_NOTED)) != 0) ||
           session->has_words || (own != NULL && strcmp(own, item->dav.name) != 0);
}

static void put_reminder(struct session *session, const struct item *item,
                         const struct ics_item *task)
{
    struct kith_doc reminder = item->reminder, body = { NULL, 0 };
    unsigned changes = ics_changes(&item->dav.task, task);
    const char *match = reminder_match(session, reminder);
    bool is_open = kith_is(kith_get_text(reminder, "state"), "open");
    session->reminder = (uint64_t)kith_get_int(reminder, "id", 0);
    session->customer = kith_get_int(reminder, "customer", 0);
    bool ends = (changes & (ICS_COMPLETED | ICS_CALLED_OFF)) != 0;
    session->is_over = is_open ? ends : (changes & ICS_REOPENED) == 0;
    session->has_words = !is_open && session->is_over && has_words(item, changes);
    if (!is_open && (changes & ICS_REOPENED) != 0) {
        put_again(session, item, task);
    } else if (is_open && ends) {
        put_done(session, reminder, task, changes)->match = match;
    } else if (is_open) {
        body = task_change(&session->pool, task, changes);
        if (body.size != 0)
            add_write(session, "PATCH", reminder_path(session, reminder, "?wait=applied"), body)
                ->match = match;
    }
    if (item->copy.size != 0 || needs_copy(session, item, task, changes))
        write_copy(session, item->copy, is_open && ends);
}

static const char *const transitions[] = { "/reopen?wait=applied", "/reopen?wait=applied",
                                           "/finish?wait=applied", "/drop?wait=applied" };

void session_move_todo(struct session *session, struct kith_doc todo)
{
    static const char *const states[] = { "open", "open", "done", "dropped" };
    const struct kith_doc none = { NULL, 0 };
    enum ics_status status = session->task.status;
    if (!kith_is(kith_get_text(todo, "state"), states[status]))
        add_write(session, "POST", record_path(session, todo, transitions[status]), none)->match =
            record_match(session, todo, 0);
}

/* One request each, so that of a change nothing is left half done.  A new one that is done already
 * says so in what it was `made` as, and is moved with it (care.h). */
static void put_todo(struct session *session, const struct item *item, const struct ics_item *task)
{
    enum ics_status before = item == NULL ? ICS_OPEN : item->dav.task.status;
    bool was_open = before == ICS_OPEN || before == ICS_STARTED;
    bool is_open = task->status == ICS_OPEN || task->status == ICS_STARTED;
    bool moves = before != task->status && !(was_open && is_open);
    const char *rest = transitions[task->status];
    struct kith_doc body =
        task_todo(&session->pool, session->name, task, session->staff, item == NULL);
    if (item == NULL)
        add_write(session, "PUT", resource_path(session, "todo", session->name, "?wait=applied"),
                  body)
            ->is_made = true;
    else
        add_write(session, moves ? "POST" : "PATCH",
                  record_path(session, item->todo, moves ? rest : "?wait=applied"), body)
            ->match = record_match(session, item->todo, 0);
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
    const struct item *item = before != NULL ? session_item_called(session, before->name) : NULL;
    if (session->refusal != 0)
        return refuse(session, fault);
    keep_task(session, name, task);
    if (item != NULL && !item->is_todo)
        put_reminder(session, item, task);
    else
        put_todo(session, item, task);
    return session->pool.broken ? DAV_BUSY : 0;
}

/* Its owner and its resource are gone from it, so it is in her list no more; what it was stays. */
static void remove_todo(struct session *session, const struct item *item)
{
    struct kith_writer w;
    void *room = pool_take(&session->pool, 200);
    const struct kith_value none = { KITH_NULL, 0, { 0 } };
    kith_begin(&w, room, room == NULL ? 0 : 200);
    kith_put(&w, "owner", &none);
    kith_open(&w, "fields");
    kith_put(&w, "resource", &none);
    kith_close(&w);
    bool is_open = item->dav.task.status == ICS_OPEN || item->dav.task.status == ICS_STARTED;
    add_write(session, is_open ? "POST" : "PATCH",
              record_path(session, item->todo, is_open ? "/drop?wait=applied" : "?wait=applied"),
              kith_end(&w))
        ->match = record_match(session, item->todo, 0);
}

static int store_remove(void *arg, const struct dav_item *before, struct fault *fault)
{
    struct session *session = arg;
    const struct item *item = session_item_called(session, before->name);
    if (session->refusal != 0)
        return refuse(session, fault);
    if (item->is_todo) {
        remove_todo(session, item);
    } else if (kith_is(kith_get_text(item->reminder, "state"), "open")) {
        add_write(session, "POST", reminder_path(session, item->reminder, "/done?wait=applied"),
                  outcome(session, TASK_DELETED))
            ->match = reminder_match(session, item->reminder);
    } else {
        write_hidden(session, item->dav.name, item->reminder, item->copy);
    }
    return session->pool.broken ? DAV_BUSY : 0;
}

void session_answer(struct session *session)
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
