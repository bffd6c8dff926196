/* batch.h -- calls on their way to /v1/import, some hundreds a request.
 *
 * A batch is acknowledged when it is durable, so what was acknowledged is never lost; and
 * because every call has an id, sending one again after a doubt adds nothing.  When the
 * daemon is busy (429, 503) the batch waits as long as it was told.  One thread.
 */
#ifndef CORE_CLI_BATCH_H
#define CORE_CLI_BATCH_H

#include "core/cli/client.h"

#define BATCH_CALLS 500
#define BATCH_SEND_BYTES (4u << 20) /* of one request */

struct batch;
struct err;

/* A row whose calls the daemon refused. */
typedef void batch_refused_fn(void *arg, uint64_t line, struct text raw, struct text reason);

/* `path` with its query; `client` must outlive the batch. */
struct batch *batch_new(struct client *client, const char *path, batch_refused_fn *refused,
                        void *arg);
void batch_free(struct batch *batch); /* NULL is allowed; what was not sent is dropped */

/* Add the calls of one row, JSON objects with commas between; sends what came before when
 * there is no room.  E_IO: the daemon is not reachable; E_BUSY: interrupted; else the
 * daemon refused the whole request. */
int batch_add(struct batch *batch, struct text json, size_t calls, uint64_t line, struct text raw,
              struct err *err);
/* Send the rest. */
int batch_flush(struct batch *batch, struct err *err);
/* The same, and wait until all has been applied. */
int batch_finish(struct batch *batch, struct err *err);

uint64_t batch_sent(const struct batch *batch);    /* calls acknowledged, refused ones not */
uint64_t batch_refused(const struct batch *batch); /* calls */
bool batch_is_cut_off(const struct batch *batch);  /* the daemon did not answer */

#endif
