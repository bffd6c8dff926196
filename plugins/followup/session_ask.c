/* session_ask.c -- the host's lists, page by page: herself, reminders, records; and then each
 * reminder that a device still has and that is in no list any more.
 */
#include "session_inside.h"

#include <stdio.h>

static struct kith_doc first_of(const struct session *session, enum source source)
{
    const struct page *page = session->pages[source];
    return page == NULL ? (struct kith_doc){ NULL, 0 } : page->doc;
}

static const char *path_of(struct session *session)
{
    static const char *const formats[] = {
        [SOURCE_STAFF] = "/v1/staff/%s",
        [SOURCE_OPEN] = "/v1/reminders?limit=1000&to=%s%s%s",
        [SOURCE_DONE] = "/v1/reminders?limit=1000&state=done&to=%s%s%s",
        [SOURCE_TODO] = "/v1/records/todo?limit=1000&open=1&owner=%s%s%s",
        [SOURCE_FINISHED] = "/v1/records/todo?limit=1000&state=done&owner=%s%s%s",
        [SOURCE_DROPPED] = "/v1/records/todo?limit=1000&state=dropped&owner=%s%s%s",
        [SOURCE_COPY] = "/v1/records/calendar_copy?limit=1000&open=1&owner=%s%s%s",
        [SOURCE_OLD_COPY] = "/v1/records/calendar_copy?limit=1000&state=left&owner=%s%s%s",
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
    struct walk at = walk(session, SOURCE_OPEN);
    struct kith_doc doc;
    struct places open;
    session->left = pool_take(&session->pool, (book->count + 1) * sizeof *session->left);
    if (session->left == NULL ||
        !places_init(&open, &session->pool, session_count(session, SOURCE_OPEN)))
        return; /* the pool is broken, and says so when it is asked */
    while (walk_next(&at, &doc))
        places_add_number(&open, (uint64_t)kith_get_int(doc, "id", 0), 0);
    for (size_t i = 0; i < book->count; i++) {
        uint64_t number = book->entries[i].reminder;
        if (number != 0 && places_of_number(&open, number) == PLACES_NONE)
            session->left[session->left_count++] = book->entries[i].name;
    }
}

/* Kith says when it was closed.  Of one that was closed before it did (engine level 10) it is known
 * only when it was due, which is the same whenever it is asked. */
static int64_t closed_of(struct kith_doc doc)
{
    int64_t due = kith_get_int(doc, "due", 0), created = kith_get_int(doc, "created", 0);
    return kith_get_int(doc, "closed", due > created ? due : created);
}

static void keep_done(struct session *session, struct kith_doc doc)
{
    int64_t now = session->followup->host->now(session->followup->kith), at = closed_of(doc);
    bool is_hers = kith_is(kith_get_text(doc, "assignee"), session->staff) &&
                   kith_is(kith_get_text(doc, "state"), "done");
    if (is_hers && at > now - session->followup->done_shown_ms &&
        !book_keep_done(&session->desk->book, (uint64_t)kith_get_int(doc, "id", 0), at, doc))
        session->pool.broken = true;
}

/* They come by their numbers, the highest first, and one with a low number may have been closed
 * last: so all are looked at, and the book has those that were closed last. */
static bool keep_done_page(struct session *session, struct kith_doc page)
{
    struct kith_iter it = kith_iter(kith_get_doc(page, "items"));
    while (kith_next(&it))
        keep_done(session, kith_as_doc(&it.value));
    return !session->pool.broken;
}

static void on_left(void *arg, int32_t status, struct kith_doc result)
{
    struct session *session = arg;
    if (status == 200)
        keep_done(session, result);
    else if (status != 404) {
        session_fail(session, 503, "Kith is too busy to tell what has become of a reminder");
        return;
    }
    session->left_at++;
    session_gather(session);
}

static void ask_left(struct session *session)
{
    const struct kith_host *host = session->followup->host;
    if (session->left_at == session->left_count) {
        session_have_list(session);
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
        session_fail(session, 503, "Kith is too busy to tell what has become of a reminder");
}

static bool is_of_the_past(enum source source)
{
    return source == SOURCE_FINISHED || source == SOURCE_DROPPED || source == SOURCE_OLD_COPY;
}

/* Records that are over come by their numbers too, and one with a low number may have been closed
 * last.  What is shown of them was shown before, or was open, or is newer: so they are looked
 * through down to the lowest that was there when a device last asked, and is open no more.  0: all
 * of them. */
static uint64_t lowest_of_the_past(struct session *session)
{
    bool is_copies = session->source == SOURCE_OLD_COPY;
    const struct book_records *before =
        &session->desk->book.records[is_copies ? BOOK_COPIES : BOOK_TODOS];
    enum source source = is_copies ? SOURCE_COPY : SOURCE_TODO;
    struct walk at = walk(session, source);
    struct kith_doc doc;
    struct places open;
    uint64_t lowest = UINT64_MAX;
    if (before->numbers == NULL ||
        !places_init(&open, &session->pool, session_count(session, source)))
        return 0;
    while (walk_next(&at, &doc))
        places_add_number(&open, (uint64_t)kith_get_int(doc, "id", 0), 0);
    for (size_t i = 0; i < before->count; i++)
        if (before->numbers[i] < lowest &&
            places_of_number(&open, before->numbers[i]) == PLACES_NONE)
            lowest = before->numbers[i];
    return lowest;
}

static bool is_enough(struct session *session, struct kith_doc page)
{
    struct kith_iter it = kith_iter(kith_get_doc(page, "items"));
    uint64_t last = 0;
    while (kith_next(&it))
        last = (uint64_t)kith_get_int(kith_as_doc(&it.value), "id", 0);
    return is_of_the_past(session->source) && last <= lowest_of_the_past(session);
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
        session_fail(session, 403, "this key is nobody's on the staff");
        return;
    }
    if (status != 200 || !(session->source == SOURCE_DONE ? keep_done_page(session, result)
                                                          : keep_page(session, result))) {
        session_fail(session, 503, "Kith is too busy to tell what is in this list");
        return;
    }
    struct kith_text next = kith_get_text(result, "next");
    session->after =
        next.size != 0 && ++session->pages_read < PAGES_MAX && !is_enough(session, result)
            ? pool_segment(&session->pool, next.data)
            : NULL;
    if (session->after == NULL) {
        session->pages_read = 0;
        session->source++;
    }
    session_gather(session);
}

static void read_staff(struct session *session)
{
    session->dav.title = kith_get_text(first_of(session, SOURCE_STAFF), "title").data;
    if (*session->dav.title == '\0')
        session->dav.title = session->staff;
}

void session_gather(struct session *session)
{
    const struct kith_host *host = session->followup->host;
    if (session->source == SOURCE_DONE && session->desk->book.is_warm)
        session->source++;
    if (session->source == SOURCE_LEFT) {
        if (session->left == NULL) {
            read_staff(session);
            session->desk->book.is_warm = true;
            find_left(session);
        }
        ask_left(session);
        return;
    }
    const struct kith_ask ask = { .size = sizeof ask, .method = "GET", .path = path_of(session) };
    if (ask.path == NULL || host->ask(session->followup->kith, &ask, on_page, session) != KITH_OK)
        session_fail(session, 503, "Kith is too busy to tell what is in this list");
}
