/* book.c -- see book.h. */
#include "book.h"

#include <stdlib.h>

void book_init(struct book *book, uint64_t first_revision)
{
    *book = (struct book){ .revision = first_revision, .oldest = first_revision };
}

static void entry_deinit(struct book_entry *entry)
{
    free(entry->name);
    free(entry->etag);
}

void book_deinit(struct book *book)
{
    for (size_t i = 0; i < book->count; i++)
        entry_deinit(&book->entries[i]);
    for (size_t i = 0; i < book->done_count; i++)
        free(book->done[i].data);
    for (size_t i = 0; i < BOOK_KINDS; i++)
        free(book->records[i].numbers);
    free(book->entries);
    *book = (struct book){ 0 };
}

/* -- What is there ----------------------------------------------------------------------------- */

/* Entries are in the order of their names. */
static size_t place_of(const struct book *book, const char *name, bool *out_is_there)
{
    size_t low = 0, high = book->count;
    *out_is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(book->entries[middle].name, name);
        if (order == 0) {
            *out_is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct book_entry *book_find(struct book *book, const char *name)
{
    bool is_there;
    size_t at = place_of(book, name, &is_there);
    return is_there ? &book->entries[at] : NULL;
}

void book_begin(struct book *book)
{
    for (size_t i = 0; i < book->count; i++)
        book->entries[i].is_seen = false;
}

static struct book_entry *add(struct book *book, size_t at, const char *name)
{
    if (book->count == book->room) {
        size_t room = book->room == 0 ? 64 : 2 * book->room;
        struct book_entry *entries = realloc(book->entries, room * sizeof *entries);
        if (entries == NULL)
            return NULL;
        book->entries = entries;
        book->room = room;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return NULL;
    struct book_entry *entry = &book->entries[at];
    memmove(entry + 1, entry, (book->count - at) * sizeof *entry);
    book->count++;
    book->gone++; /* until its tag is there */
    *entry = (struct book_entry){ .name = copy };
    return entry;
}

bool book_is(struct book *book, const char *name, const char *etag, uint64_t reminder)
{
    bool is_there;
    size_t at = place_of(book, name, &is_there);
    struct book_entry *entry = is_there ? &book->entries[at] : add(book, at, name);
    if (entry == NULL)
        return false;
    entry->is_seen = true;
    entry->reminder = reminder;
    if (entry->etag != NULL && strcmp(entry->etag, etag) == 0)
        return true;
    char *copy = strdup(etag);
    if (copy == NULL)
        return false;
    book->gone -= entry->etag == NULL;
    free(entry->etag);
    entry->etag = copy;
    entry->revision = ++book->revision;
    return true;
}

static void drop_gone(struct book *book)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->count; i++) {
        if (book->entries[i].etag != NULL)
            book->entries[kept++] = book->entries[i];
        else
            entry_deinit(&book->entries[i]);
    }
    book->count = kept;
    book->gone = 0;
    book->oldest = book->revision;
}

void book_end(struct book *book)
{
    for (size_t i = 0; i < book->count; i++) {
        struct book_entry *entry = &book->entries[i];
        if (entry->is_seen || entry->etag == NULL)
            continue;
        free(entry->etag);
        entry->etag = NULL;
        entry->reminder = 0;
        entry->revision = ++book->revision;
        book->gone++;
    }
    if (book->gone > BOOK_GONE_MAX)
        drop_gone(book);
}

/* -- What is done ------------------------------------------------------------------------------ */

static void drop_at(struct book *book, size_t at)
{
    free(book->done[at].data);
    book->done_count--;
    memmove(&book->done[at], &book->done[at + 1], (book->done_count - at) * sizeof book->done[at]);
}

const struct book_done *book_done_of(const struct book *book, uint64_t number)
{
    for (size_t i = 0; i < book->done_count; i++)
        if (book->done[i].number == number)
            return &book->done[i];
    return NULL;
}

static size_t oldest_done(const struct book *book)
{
    size_t oldest = 0;
    for (size_t i = 1; i < book->done_count; i++)
        if (book->done[i].at < book->done[oldest].at)
            oldest = i;
    return oldest;
}

bool book_keep_done(struct book *book, uint64_t number, int64_t at, struct kith_doc doc)
{
    void *copy;
    bool is_full = book->done_count == BOOK_DONE_MAX;
    if (book_done_of(book, number) != NULL || (is_full && at < book->done[oldest_done(book)].at))
        return true;
    copy = malloc(doc.size + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, doc.data, doc.size);
    if (is_full)
        drop_at(book, oldest_done(book));
    book->done[book->done_count++] = (struct book_done){
        .number = number,
        .customer = (uint64_t)kith_get_int(doc, "customer", 0),
        .at = at,
        .data = copy,
        .size = doc.size,
    };
    return true;
}

void book_hide_done(struct book *book, uint64_t number)
{
    for (size_t i = 0; i < book->done_count; i++)
        if (book->done[i].number == number)
            book->done[i].is_hidden = true;
}

void book_drop_done(struct book *book, int64_t before)
{
    for (size_t i = book->done_count; i-- > 0;)
        if (book->done[i].at < before)
            drop_at(book, i);
}

void book_forget_customer(struct book *book, uint64_t customer)
{
    for (size_t i = book->done_count; i-- > 0;)
        if (book->done[i].customer == customer)
            drop_at(book, i);
}

bool book_keep_records(struct book *book, enum book_kind kind, const uint64_t *numbers,
                       size_t count)
{
    uint64_t *copy = malloc((count + 1) * sizeof *copy);
    if (copy == NULL)
        return false;
    memcpy(copy, numbers, count * sizeof *copy);
    free(book->records[kind].numbers);
    book->records[kind] = (struct book_records){ copy, count };
    return true;
}
