/* stream.h -- everything that happens, told to whoever listens: server-sent events.
 *
 * A subscriber is an answer that does not end (http.h) and a place in the order of all events.
 * Those at the end are served together, by one read for each piece that was applied; those behind
 * it are read for until they have caught up.  What a subscriber costs is bounded by
 * STREAM_BACKLOG_BYTES: one that does not take its bytes is passed over, and read for again when it
 * does, or dropped by the connection's own limit of time.
 *
 * On the wire each event is
 *
 *     id: 4711            or 4711.2 of one that Kith made: the place behind it
 *     data: {...}         read.h, read_stream_each()
 *
 * so a client that comes back with the last id goes on where it was, whatever was restarted.
 * STREAM_HEARTBEAT_MS of silence bring a comment, and the place again where events were left out;
 * so does the end of what had happened when it came.  Loop thread.
 */
#ifndef CORE_SERVER_STREAM_H
#define CORE_SERVER_STREAM_H

#include "core/base/doc.h"
#include "core/engine/read.h"

#include <stdbool.h>
#include <stddef.h>

struct api;
struct http_request;
struct stream;

struct stream *stream_new(struct api *api);
/* When no subscriber is left, nothing is held (api_hold) and the node has closed; frees itself by
 * the loop.  NULL is allowed. */
void stream_close(struct stream *stream);

size_t stream_count(const struct stream *stream); /* of subscribers */

/* Somebody is erased: whatever is kept in memory goes, and is read again for who still needs it. */
void stream_forget(struct stream *stream);

/* Answer `request` with what is behind `after`, for ever; of types other than `types` nothing, if
 * there are any (copied).  `end` is the place behind the last event, or was a moment ago. */
void stream_subscribe(struct stream *stream, struct http_request *request,
                      const struct read_place *after, const struct read_place *end,
                      const struct text *types, size_t type_count);

#endif
