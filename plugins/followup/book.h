/* book.h -- what the task list of one member of staff was when a device last asked, in memory.
 *
 * The host tells what is in a list now; a device asks what has changed since.  So each answer is
 * compared with the one before: what is another gets a new revision, what is there no more is
 * remembered as gone.  Nothing of it need outlive the process: a revision begins with its start and
 * with chance, so one of an earlier life is known for stale, and the device begins anew.
 *
 * A reminder that was done is in no list of open ones, and stays on the device for a while: the
 * book keeps such documents, which never change any more.  A record that is over may change, and is
 * asked for each time: the book keeps the numbers of those that were there.
 *
 * Memory that is short is answered with false; then the book is as it was, or begins anew.
 */
#ifndef PLUGINS_FOLLOWUP_BOOK_H
#define PLUGINS_FOLLOWUP_BOOK_H

#include "kith.h"

#include <stdbool.h>

#define BOOK_GONE_MAX 10000 /* of a list; older ones are forgotten */
#define BOOK_DONE_MAX 500   /* reminders that are done and shown, and as many todos */

struct book_entry {
    char *name, *etag; /* etag NULL: gone */
    uint64_t revision;
    uint64_t reminder; /* 0: none, or known to be done */
    bool is_seen;
};

struct book_done {
    uint64_t number, customer;
    int64_t at; /* when it was done */
    void *data; /* the document */
    size_t size;
    bool is_hidden; /* it was deleted on a device */
};

/* What of a kind was open, or over and shown, when a device last asked. */
enum book_kind { BOOK_TODOS, BOOK_COPIES, BOOK_KINDS };

struct book_records {
    uint64_t *numbers; /* NULL: nobody has asked */
    size_t count;
};

struct book {
    uint64_t revision, oldest; /* tokens before `oldest` are stale */
    struct book_entry *entries;
    size_t count, room, gone;
    struct book_done done[BOOK_DONE_MAX];
    size_t done_count;
    bool is_warm; /* the reminders that were done before have been asked for */
    struct book_records records[BOOK_KINDS];
};

void book_init(struct book *book, uint64_t first_revision);
void book_deinit(struct book *book);

/* What is there now: begin, each task, end. */
void book_begin(struct book *book);
bool book_is(struct book *book, const char *name, const char *etag, uint64_t reminder);
void book_end(struct book *book);

struct book_entry *book_find(struct book *book, const char *name);

/* Keep the document of a reminder that is done, as long as it is of the BOOK_DONE_MAX that were
 * done last. */
bool book_keep_done(struct book *book, uint64_t number, int64_t at, struct kith_doc doc);
const struct book_done *book_done_of(const struct book *book, uint64_t number);
void book_hide_done(struct book *book, uint64_t number);
void book_drop_done(struct book *book, int64_t before); /* done before */
void book_forget_customer(struct book *book, uint64_t customer);

/* These are there now; copied. */
bool book_keep_records(struct book *book, enum book_kind kind, const uint64_t *numbers,
                       size_t count);

#endif
