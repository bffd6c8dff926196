/* api_command.h -- what staff changes: checked, written as an entry, applied, read back.
 *
 *     body --> fields --> time on the engine --> entry, applied --> the changed thing
 *                |422           |422                |404 409 422
 *
 * Every handler that changes something is a row of fields, the entry they become, and the
 * reader of what is answered; the way is the same for all and stands here.
 */
#ifndef CORE_SERVER_API_COMMAND_H
#define CORE_SERVER_API_COMMAND_H

#include "core/server/api.h"
#include "core/server/submission.h"

struct read_page;
struct snapshot;

/* -- Reading --------------------------------------------------------------------------- */

/* Appends a document to `out`, which is the answer, or fails with what is to be answered. */
typedef int call_read_fn(struct engine *engine, struct call *call, void *arg, struct buf *out,
                         struct err *err);
typedef int call_list_fn(struct snapshot *snapshot, struct call *call, void *arg, struct buf *out,
                         struct err *err);

/* Answer with what is read on the engine's thread, or over a snapshot on a worker. `arg` lives
 * as long as the call.  A snapshot holds what was acknowledged before the list was asked for; if
 * that takes too long, or very much is being written by others, it is what is there, and the
 * answer says `behind`. */
void call_read(struct call *call, call_read_fn *read, void *arg);
void call_list(struct call *call, call_list_fn *list, void *arg);

/* The page that the query asks for, in the arena; NULL: answered. */
struct read_page *call_read_page(struct call *call);

/* -- Fields ---------------------------------------------------------------------------- */

/* What a body may have.  A field of a kind with a limit of bytes is refused beyond it; null
 * is taken as absent. */
enum field_kind {
    FIELD_NAME,     /* text of 1 to NAME_BYTES_MAX bytes */
    FIELD_LINE,     /* text of up to COMMAND_LINE_MAX bytes */
    FIELD_NOTE,     /* text of up to COMMAND_NOTE_MAX bytes */
    FIELD_CUSTOMER, /* a CUSTOMER: text, or its number */
    FIELD_TIME,     /* read_due() understands it */
    FIELD_COUNT,    /* a whole number from 1 to RATE_COUNT_MAX */
    FIELD_BOOL,
    FIELD_DOC,
    FIELD_NAMES, /* a list of texts of up to NAME_BYTES_MAX bytes */
    FIELD_DOCS,  /* a list of objects */
};
#define FIELDS_END              \
    {                           \
        NULL, FIELD_NAME, false \
    }
#define COMMAND_LINE_MAX 1024
#define COMMAND_NOTE_MAX (16u << 10)

struct field {
    const char *name; /* NULL: FIELDS_END */
    enum field_kind kind;
    bool is_needed;
};
extern const struct field no_fields[], reason_fields[]; /* nothing; {reason} */

/* Whether the body has what is needed and nothing else, of the right kinds; else it is
 * answered with 422, which names the field. */
bool fields_check(struct call *call, struct doc body, const struct field fields[]);

/* A CUSTOMER of a body, as text in the arena; empty: absent. */
struct text field_customer(struct call *call, struct doc body, const char *name);

/* -- Commands -------------------------------------------------------------------------- */

/* One command.  It must live as long as the call: take it from command_new(). */
struct command {
    const char *type;
    const char *of_call; /* Segment's call; NULL: none */
    struct text ref;     /* the customer; empty: none */
    struct text about;   /* a record, "complaint:17"; empty: none */
    struct doc data;
    /* One field of the data that is a time, counted by the calendar of whoever would do what is
     * addressed to `due_to`, or of the assignee of `due_task`. */
    const char *time_name;
    const char *words_name; /* the field that keeps it as it was said; NULL: none */
    struct doc_value time;  /* none: left out */
    uint64_t due_task;
    struct text due_to;
    /* On the engine, before the entry is written: E_INVALID is answered with 422.  NULL: nothing is
     * looked at besides the customer and the time. */
    int (*check)(struct engine *engine, const struct command *command, struct err *err);
    bool accepts_clock;
    int64_t replay_at; /* REPLAY_NONE, or the log time that it ends a replay with */
    int status;        /* of the answer; ?wait=durable gets 202 and the entry's number instead */
    /* What is answered; `arg` is the command.  NULL: an empty object. */
    call_read_fn *read;
    void (*applied)(struct call *call); /* on the loop, before the answer; NULL: nothing */
    void (*told)(struct call *call);    /* when the answer is in call->out; NULL: nothing */
    struct text key;                    /* for readers and `applied`: a name, an id */
    uint64_t customer;                  /* whose it is; 0: nobody's */
    uint64_t task;                      /* the reminder that was made or changed */
    uint64_t next;                      /* the one that follows it; 0: none */
    uint64_t record;                    /* the number of the record that was made or changed */
    bool is_made;                       /* that record was not there before */
    uint64_t seq;                       /* of its entry */

    bool wants_applied; /* private */
    int64_t time_ms;
    int code;
    struct err err;
};
struct command *command_new(struct call *call, const char *type); /* call->data points to it */

/* The same with data {SUBJECT: the `param` of the path, reason: of the body, if it has one}. */
struct command *command_about(struct call *call, const char *type, const char *subject,
                              const char *param);

/* The fields of the body, in their order, but the one that is `without` (NULL: all). */
struct doc command_data(struct call *call, struct doc body, const char *without);

/* Take the way; ends the call. */
void command_run(struct call *call);

/* The document that was appended to call->out; none when nothing was. */
struct doc call_document(const struct call *call);

#endif
