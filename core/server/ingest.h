/* ingest.h -- from requests to submissions, whatever events look like on the wire.
 *
 * What Segment's tracking API and CloudEvents share: one event is a submission and fails with its
 * reason; of many the bad ones are left out and named, and the rest is one submission.  Both end
 * the call, which has been admitted.  Loop thread.
 */
#ifndef CORE_SERVER_INGEST_H
#define CORE_SERVER_INGEST_H

#include "core/server/api.h"
#include "core/server/ingest_event.h"

/* Append the event to the submission, as ingest_event() does. */
typedef int ingest_take_fn(struct submission *submission, struct doc event,
                           const struct ingest_terms *terms, int64_t *out_at, struct err *err);

/* `event` lies where the call keeps it. */
void ingest_one(struct call *call, struct doc event, ingest_take_fn *take);
/* The body is a JSON array of events. */
void ingest_list(struct call *call, ingest_take_fn *take);

#endif
