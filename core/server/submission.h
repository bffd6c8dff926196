/* submission.h -- entries on their way into the log, and the answer to who sent them.
 *
 * A submission carries one or more entries of one class from whoever makes them
 * (a request, the deliverer, the engine) to the sequencer, and is committed whole or
 * not at all.  Its sender is told on the loop, once: when it is durable, or, if it
 * asked for that, when its last entry has been applied.
 *
 * The engine reads the entries' bytes out of the submission, so it is shared: each
 * of the two holds a reference.
 */
#ifndef CORE_SERVER_SUBMISSION_H
#define CORE_SERVER_SUBMISSION_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mailbox.h"
#include "core/engine/engine.h"
#include "storage/log.h"

#include <stdatomic.h>

struct submission;

/* Called once on the loop thread; the submission is valid for the call. */
typedef void submission_done_fn(void *arg, const struct submission *submission);

/* An entry that was written and changed nothing. */
struct refusal {
    size_t index; /* among the submission's entries */
    char reason[sizeof((struct engine_result *)NULL)->reason];
};

enum submission_index { INDEX_NONE, INDEX_VERDICT, INDEX_WORLD };

#define REPLAY_NONE INT64_MIN

struct submission {
    struct mail mail; /* first: the mailbox links submissions by it */
    atomic_int references;
    enum log_class class;
    struct buf entries; /* for each: size (4 bytes, native), BSON */
    size_t count;
    struct buf blob; /* stored under blob_hash in the same transaction; empty: none */
    uint8_t blob_hash[LOG_HASH_BYTES];
    enum submission_index index;
    uint64_t index_seq;
    int64_t replay_at;  /* log time wanted by an import of the past; REPLAY_NONE: now */
    bool starts_clock;  /* it comes from outside: log time begins with it at the latest */
    bool accepts_clock; /* `clock.accepted` */
    bool wants_applied;
    bool must_not_fail;       /* Kith's own: a commit that fails keeps it for the next one */
    submission_done_fn *done; /* NULL: nobody waits */
    void *arg;

    /* The answer */
    int code; /* 0, or why nothing was written */
    struct err err;
    uint64_t first_seq;
    struct engine_result result; /* of the last entry; only if wants_applied */
    struct refusal *refusals;    /* the same: of each entry that was refused, in order */
    size_t refusal_count;
};

struct submission *submission_new(enum log_class class);
void submission_unref(struct submission *submission);

/* Begin an entry's document at the end of the submission; end it with submission_end.
 * Nothing else may be appended in between. */
struct doc_writer;
void submission_begin(struct submission *submission, struct doc_writer *w);
void submission_end(struct submission *submission, struct doc_writer *w);
/* The same for what somebody sent: more than LOG_ENTRY_BYTES_MAX is taken back.  E_LIMIT. */
int submission_end_event(struct submission *submission, struct doc_writer *w, struct err *err);

/* Post the answer to the loop; it calls `done` there and drops the caller's reference. */
void submission_answer(struct mailbox *loop, struct submission *submission, void (*wake)(void *arg),
                       void *arg);

/* By the engine, while the submission is applied. */
void submission_note_refusal(struct submission *submission, size_t index,
                             const struct engine_result *result);

/* Walk the entries: `*at` starts at 0; false at the end. */
bool submission_next(const struct submission *submission, size_t *at, struct doc *out_body);

#endif
