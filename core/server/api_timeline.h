/* api_timeline.h -- a timeline, of whatever has one: its rows are the engine's, what happened at
 * each is read from the log on a worker.  The loop's thread. */
#ifndef CORE_SERVER_API_TIMELINE_H
#define CORE_SERVER_API_TIMELINE_H

#include "core/engine/read.h"
#include "core/server/api.h"

/* The rows of one page (core/engine/read.h) of whose timeline the call asks for, on the engine's
 * thread.  An error is the call's answer. */
typedef int timeline_rows_fn(struct engine *engine, struct call *call, const struct read_page *page,
                             struct buf *rows, struct err *err);

/* Answer with the page that the query asks for; ends the call. */
void get_timeline_of(struct call *call, timeline_rows_fn *read_rows);

#endif
