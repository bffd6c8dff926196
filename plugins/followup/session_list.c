/* session_list.c -- what a device's list is: reminders with their copies, what was done lately, and
 * what she has written herself.
 *
 * The book (book.h) says what of it is new since a device asked before.
 */
#include "session_inside.h"

#include <stdio.h>
#include <stdlib.h>

struct walk walk(const struct session *session, enum source source)
{
    struct walk at = { session->pages[source], kith_iter((struct kith_doc){ NULL, 0 }) };
    if (at.page != NULL)
        at.it = kith_iter(kith_get_doc(at.page->doc, "items"));
    return at;
}

bool walk_next(struct walk *walk, struct kith_doc *out)
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

/* The copies that are kept, and then those that were left with their reminders. */
static bool next_copy(const struct session *session, struct walk *at, bool *is_old,
                      struct kith_doc *out)
{
    if (walk_next(at, out))
        return true;
    if (*is_old)
        return false;
    *is_old = true;
    *at = walk(session, SOURCE_OLD_COPY);
    return walk_next(at, out);
}

size_t session_count(const struct session *session, enum source source)
{
    struct walk at = walk(session, source);
    struct kith_doc doc;
    size_t count = 0;
    while (walk_next(&at, &doc))
        count++;
    return count;
}

/* Of one name the first copy knows whether others have it too. */
static bool index_copies(struct session *session)
{
    struct pool *pool = &session->pool;
    struct walk at = walk(session, SOURCE_COPY);
    size_t room = session_count(session, SOURCE_COPY) + session_count(session, SOURCE_OLD_COPY);
    bool is_old = false;
    session->copies = pool_take(pool, (room + 1) * sizeof *session->copies);
    if (session->copies == NULL || !places_init(&session->copy_names, pool, room) ||
        !places_init(&session->copy_reminders, pool, room))
        return false;
    struct kith_doc doc;
    for (size_t i = 0; i < room && next_copy(session, &at, &is_old, &doc); i++) {
        session->copy_count++;
        struct kith_doc fields = kith_get_doc(doc, "fields");
        struct copy *copy = &session->copies[i];
        *copy = (struct copy){ .doc = doc, .reminder = kith_get_int(fields, "reminder", 0) };
        places_add_number(&session->copy_reminders, (uint64_t)copy->reminder, i);
        struct copy *first = &session->copies[places_add_text(
            &session->copy_names, kith_get_text(fields, "name").data, i)];
        if (first->reminder != copy->reminder)
            first->is_shared = true;
    }
    return true;
}

static struct kith_doc copy_of(const struct session *session, int64_t reminder)
{
    size_t at = places_of_number(&session->copy_reminders, (uint64_t)reminder);
    return at == PLACES_NONE ? (struct kith_doc){ NULL, 0 } : session->copies[at].doc;
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

/* Whether one of the first `count` has it. */
static bool has_name(const struct session *session, size_t count, const char *name)
{
    size_t at = places_of_text(&session->names, name);
    return at != PLACES_NONE && at < count;
}

static bool has_uid(const struct session *session, size_t count, const char *uid)
{
    size_t at = places_of_text(&session->uids, uid);
    return at != PLACES_NONE && at < count;
}

const struct item *session_item_called(const struct session *session, const char *name)
{
    size_t at = places_of_text(&session->names, name);
    return at == PLACES_NONE ? NULL : &session->items[at];
}

static void index_item(struct session *session, size_t at)
{
    places_add_text(&session->names, session->items[at].dav.name, at);
    places_add_text(&session->uids, session->items[at].dav.task.uid, at);
}

/* Anew: they have moved. */
static bool index_items(struct session *session)
{
    if (!places_init(&session->names, &session->pool, session->item_count) ||
        !places_init(&session->uids, &session->pool, session->item_count))
        return false;
    for (size_t i = 0; i < session->item_count; i++)
        index_item(session, i);
    return true;
}

/* Whether the name has gone over to the reminder that came after this one. */
static bool is_followed(const struct session *session, const char *name, int64_t reminder)
{
    size_t at = places_of_text(&session->copy_names, name);
    return at != PLACES_NONE &&
           (session->copies[at].is_shared || session->copies[at].reminder != reminder);
}

/* One that is done is not shown where it was hidden, and where its name is another's by now: it is
 * open again, or was done again. */
static bool is_shown_done(const struct session *session, const struct item *item)
{
    size_t count = session->item_count;
    struct kith_value hidden = kith_get(kith_get_doc(item->copy, "fields"), "hidden");
    return kith_as_int(&hidden, 0) == 0 && !has_name(session, count, item->dav.name) &&
           !has_uid(session, count, item->dav.task.uid) &&
           !is_followed(session, item->dav.name, kith_get_int(item->reminder, "id", 0));
}

/* Whoever had a name and a UID first has them: what she wrote under those that Kith would give is
 * hers, and the reminder has others, which are its own for ever once a device has changed it. */
static bool give_names(struct session *session, struct item *item)
{
    struct dav_item *dav = &item->dav;
    size_t count = session->todo_count;
    for (unsigned nth = 2;
         dav->name != NULL && dav->task.uid != NULL &&
         (has_name(session, count, dav->name) || has_uid(session, count, dav->task.uid));
         nth++) {
        dav->name = task_other_name(&session->pool, item->reminder, nth);
        dav->task.uid = task_other_uid(&session->pool, item->reminder, nth);
    }
    return dav->name != NULL && dav->task.uid != NULL;
}

static void add_reminder(struct session *session, struct kith_doc doc, int64_t done_at)
{
    struct item *item = &session->items[session->item_count];
    struct kith_doc copy = copy_of(session, kith_get_int(doc, "id", 0));
    if (kith_is(kith_get_text(doc, "outcome"), TASK_DELETED))
        return;
    *item = (struct item){ .reminder = doc, .copy = copy };
    item->dav.name = task_name(&session->pool, doc, copy);
    task_of_reminder(&session->pool, doc, copy, done_at, &item->dav.task);
    if (item->dav.name == NULL || item->dav.task.uid == NULL)
        return;
    if (done_at != 0 ? is_shown_done(session, item) : give_names(session, item))
        index_item(session, session->item_count++);
}

static void add_todo(struct session *session, struct kith_doc doc)
{
    struct item *item = &session->items[session->item_count];
    const char *name = kith_get_text(kith_get_doc(doc, "fields"), "name").data;
    if (*name == '\0')
        name = pool_print(&session->pool, "todo-%lld.ics", (long long)kith_get_int(doc, "id", 0));
    if (name == NULL)
        return;
    *item = (struct item){ .todo = doc, .is_todo = true };
    item->dav.name = name;
    task_of_todo(&session->pool, doc, &item->dav.task);
    if (item->dav.task.uid != NULL)
        index_item(session, session->item_count++);
}

static void add_open_todos(struct session *session)
{
    struct walk at = walk(session, SOURCE_TODO);
    struct kith_doc doc;
    while (walk_next(&at, &doc))
        add_todo(session, doc);
}

static int64_t oldest_shown(const struct session *session)
{
    const struct followup *followup = session->followup;
    return followup->host->now(followup->kith) - followup->done_shown_ms;
}

struct over {
    int64_t since, number;
    struct kith_doc doc;
};

static int latest_first(const void *left, const void *right)
{
    const struct over *a = left, *b = right;
    if (a->since != b->since)
        return a->since > b->since ? -1 : 1;
    return a->number > b->number ? -1 : a->number < b->number;
}

/* As of reminders, those that were closed last, whatever their numbers. */
static void add_closed_todos(struct session *session)
{
    static const enum source sources[] = { SOURCE_FINISHED, SOURCE_DROPPED };
    size_t count = 0,
           room = session_count(session, SOURCE_FINISHED) + session_count(session, SOURCE_DROPPED);
    struct over *over = pool_take(&session->pool, (room + 1) * sizeof *over);
    for (size_t i = 0; over != NULL && i < 2; i++) {
        struct walk at = walk(session, sources[i]);
        for (struct kith_doc doc; walk_next(&at, &doc);) {
            int64_t since = kith_get_int(doc, "since", 0);
            if (since >= oldest_shown(session))
                over[count++] = (struct over){ since, kith_get_int(doc, "id", 0), doc };
        }
    }
    if (over == NULL)
        return;
    qsort(over, count, sizeof *over, latest_first);
    for (size_t i = 0; i < count && i < BOOK_DONE_MAX; i++)
        add_todo(session, over[i].doc);
}

static size_t count_all(const struct session *session)
{
    size_t count = session->desk->book.done_count;
    for (enum source source = 0; source < SOURCE_COUNT; source++)
        count += session_count(session, source);
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
    return index_items(session);
}

/* What is there, so that it is found when it is over. */
static bool keep_records(struct session *session)
{
    struct book *book = &session->desk->book;
    size_t room = session->todo_count + session->copy_count, count = 0;
    uint64_t *numbers = pool_take(&session->pool, (room + 1) * sizeof *numbers);
    if (numbers == NULL)
        return false;
    for (size_t i = 0; i < session->todo_count; i++)
        numbers[count++] = (uint64_t)kith_get_int(session->items[i].todo, "id", 0);
    if (!book_keep_records(book, BOOK_TODOS, numbers, count))
        return false;
    count = 0;
    for (size_t i = 0; i < session->copy_count; i++) {
        struct kith_doc copy = session->copies[i].doc;
        if (kith_is(kith_get_text(copy, "state"), "kept") ||
            kith_get_int(copy, "since", 0) >= oldest_shown(session))
            numbers[count++] = (uint64_t)kith_get_int(copy, "id", 0);
    }
    return book_keep_records(book, BOOK_COPIES, numbers, count);
}

bool session_make_items(struct session *session)
{
    struct walk open = walk(session, SOURCE_OPEN);
    const struct book *book = &session->desk->book;
    struct kith_doc doc;
    size_t room = count_all(session);
    session->items = pool_take(&session->pool, (room + 1) * sizeof *session->items);
    if (session->items == NULL || !places_init(&session->names, &session->pool, room) ||
        !places_init(&session->uids, &session->pool, room) || !index_copies(session))
        return false;
    add_open_todos(session);
    add_closed_todos(session);
    session->todo_count = session->item_count;
    while (walk_next(&open, &doc))
        add_reminder(session, doc, 0);
    for (size_t i = 0; i < book->done_count; i++) {
        const struct book_done *done = &book->done[i];
        void *copy = done->is_hidden ? NULL : pool_copy(&session->pool, done->data, done->size);
        if (copy != NULL)
            add_reminder(session, (struct kith_doc){ copy, done->size }, done->at);
    }
    return !session->pool.broken && keep_records(session) && compare(session);
}

/* Always the same order, whatever was seen first: the same tasks are the same bytes. */
static int by_due(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->dav.task.due.ms != b->dav.task.due.ms)
        return a->dav.task.due.ms < b->dav.task.due.ms ? -1 : 1;
    return strcmp(a->dav.task.uid, b->dav.task.uid);
}

void session_sort_by_due(struct session *session)
{
    qsort(session->items, session->item_count, sizeof *session->items, by_due);
}
