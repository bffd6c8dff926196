/* session_inside.h -- what the files of a session share.  Not for others.
 *
 *     session.c        from the arrival to the answer
 *     session_ask.c    the host's lists, page by page
 *     session_list.c   what a device's list is, made of them
 *     session_store.c  the store of dav_answer() over it, and what it wants written
 */
#ifndef PLUGINS_FOLLOWUP_SESSION_INSIDE_H
#define PLUGINS_FOLLOWUP_SESSION_INSIDE_H

#include "dav.h"
#include "places.h"
#include "session.h"
#include "task.h"

#define PAGES_MAX 10 /* of each of the host's lists: 10,000 tasks */
#define WRITES_MAX 4
#define DETAIL_BYTES FAULT_TEXT_BYTES

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
    SOURCE_DROPPED,
    SOURCE_COPY,
    SOURCE_OLD_COPY, /* of reminders that are closed */
    SOURCE_LEFT,     /* one reminder after the other that is in the list no more */
    SOURCE_COUNT
};

struct item {
    struct dav_item dav;
    char etag[20];
    struct kith_doc reminder, copy, todo; /* which of them it is made of */
    bool is_todo;
};

struct copy {
    struct kith_doc doc;
    int64_t reminder;
    bool is_shared; /* its name is also in the copy of another reminder */
};

struct write {
    const char *method, *path, *match;
    const char *key; /* NULL: made twice it is the same */
    struct kith_doc body;
    uint64_t hides;  /* a reminder that is shown no more when this is done */
    bool is_again;   /* its answer is the reminder that the copy is of from now on */
    bool is_copy;    /* the body is made when it is asked for ... */
    bool is_changed; /* ... of one that is there: its customer stays */
    bool is_promise; /* its answer is a promise: if that is open, the next write keeps it */
    bool is_made;    /* its answer is a todo, which may be of before: it gets the task's state */
};

struct session {
    struct session *next;
    struct followup *followup;
    struct desk *desk;
    struct pool pool;
    struct kith_request request; /* a copy in the pool */
    struct dav_request dav;
    const char *staff, *after;
    enum source source;
    size_t pages_read;
    struct page *pages[SOURCE_COUNT], *last[SOURCE_COUNT];
    struct item *items;
    size_t item_count, todo_count; /* todos come first */
    struct places names, uids;     /* of items */
    struct copy *copies;
    size_t copy_count;
    struct places copy_names, copy_reminders; /* of copies */
    const char **left; /* names of the book whose reminder is to be looked at */
    size_t left_count, left_at;
    uint64_t asked; /* the reminder that is */
    struct write writes[WRITES_MAX];
    size_t write_count, write_at;
    uint64_t reminder; /* that a copy is of */
    int64_t customer;
    const char *name;
    bool is_over;         /* the reminder is closed when this has been written ... */
    bool is_retitled;     /* ... under another title ... */
    bool is_kept;         /* ... which its promise has, and not the reminder */
    bool has_words;       /* closed before: title and note stand in its copy */
    struct ics_item task; /* to be copied; its texts in the pool */
    int refusal;          /* what put and remove answer: a code of DAV_, or 0 */
    char detail[DETAIL_BYTES];
    struct dav_answer answer;
    bool is_feed; /* it is her feed that is asked for, and `dav` has headers alone */
};

struct walk {
    const struct page *page;
    struct kith_iter it;
};

/* session.c */
void session_fail(struct session *session, int status, const char *line);
void session_have_list(struct session *session);

/* session_ask.c: ends in session_have_list(), or in session_fail(). */
void session_gather(struct session *session);

/* session_list.c */
const struct item *session_item_called(const struct session *session, const char *name);
struct walk walk(const struct session *session, enum source source);
bool walk_next(struct walk *walk, struct kith_doc *out);
size_t session_count(const struct session *session, enum source source);
bool session_make_items(struct session *session); /* false: memory is short */
void session_sort_by_due(struct session *session);

/* session_store.c: if the promise is open, the next write is that it was kept. */
void session_keep_promise(struct session *session, struct kith_doc promise);
/* The todo was closed long ago, and its name is used again: the next write opens it, or closes it
 * otherwise. */
void session_move_todo(struct session *session, struct kith_doc todo);
/* dav_answer() into session->answer, and what it wants into session->writes. */
void session_answer(struct session *session);

#endif
