/* ingest_event.h -- one event as clients send it, turned into an entry of the log.
 *
 * What stands where in a call of Segment's HTTP tracking API, and where it goes in the
 * envelope (docs/state.md):
 *
 *     messageId                          id
 *     userId, anonymousId                user, anon   numbers become text
 *     timestamp, originalTimestamp       at           the first that is there, corrected by sentAt
 *     context                            context      whole; a batch's own fills in what is missing
 *     track     event, properties        type, data
 *     identify  traits                   data
 *     page, screen  properties, name, category        data
 *     group     groupId, traits          data {groupId, traits}
 *     alias     previousId               data {previousId}
 *     type, sentAt, writeKey             used up; a key is never kept
 *     everything else                    extra        as it came
 *
 * What the log would keep and the engine could not use is refused here, while there is
 * somebody to be told.  Pure but for the submission; the loop's thread.
 */
#ifndef CORE_SERVER_INGEST_EVENT_H
#define CORE_SERVER_INGEST_EVENT_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct submission;

enum segment_call {
    SEGMENT_IDENTIFY,
    SEGMENT_TRACK,
    SEGMENT_PAGE,
    SEGMENT_SCREEN,
    SEGMENT_GROUP,
    SEGMENT_ALIAS,
    SEGMENT_ANY, /* as the event's `type` says */
};

/* What is the same for all events of a request. */
struct ingest_terms {
    struct text source;    /* name of the key */
    struct text by;        /* empty: not said */
    int64_t received;      /* wall clock, ms */
    struct doc_value sent; /* sentAt of the batch; DOC_NONE: the event's own */
    struct doc context;    /* of the batch */
    bool is_staff;         /* import with an admin key: commands, and events by reference, too */
    bool is_past;          /* import: times are as they are, sentAt corrects nothing */
    bool forever, historic;
    struct text id; /* of an event without one; empty: it has none */
};

/* Append the event to the submission.  *out_at is when it happened, or `received`.
 * E_INVALID, E_LIMIT: the submission is as it was. */
int ingest_event(struct submission *submission, struct doc event, enum segment_call call,
                 const struct ingest_terms *terms, int64_t *out_at, struct err *err);

#endif
