/* ingest_cloud.h -- one CloudEvent 1.0, turned into an entry of the log.
 *
 * What stands where in the event's JSON form, and where it goes in the envelope (docs/state.md):
 *
 *     id, source, type        id, source, type    a second event of this source and id is no event
 *     subject, else customer  user, anon or ref   if it names a CUSTOMER; else the event has none
 *     time                    at
 *     data, an object         data
 *     data, anything else     extra.data          as it came
 *     data_base64             extra.data_base64
 *     all attributes but id, source and type      context     subject and time included
 *
 * `by` is the name of the key.  The binary mode, in which attributes are header fields and the body
 * is the data, is brought into the JSON form first; so what comes by one mode can be told from what
 * comes by another by nothing.  Pure but for the submission; the loop's thread.
 */
#ifndef CORE_SERVER_INGEST_CLOUD_H
#define CORE_SERVER_INGEST_CLOUD_H

#include "core/server/ingest_event.h"

/* Append the event to the submission.  E_INVALID, E_LIMIT: the submission is as it was. */
int ingest_cloud(struct submission *submission, struct doc event, const struct ingest_terms *terms,
                 int64_t *out_at, struct err *err);

#endif
