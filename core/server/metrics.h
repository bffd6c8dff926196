/* metrics.h -- what is counted and measured, as Prometheus reads it.
 *
 * Labels come from short fixed lists, never from what a client sends, so the page has one
 * size.  Durations are histograms (core/base/histogram.h), kept where the work is done: here
 * what the loop sees, in sequencer.h, fold.h and deliver.h the rest.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_METRICS_H
#define CORE_SERVER_METRICS_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct metrics;
struct node;
struct plugin_set;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* NULL is allowed */

/* A request was answered with `status`. */
void metrics_request(struct metrics *metrics, int status, int64_t ns);
/* Events of one ingest call. */
void metrics_ingest(struct metrics *metrics, size_t accepted, size_t rejected);
/* A request was refused because its key calls too often. */
void metrics_limited(struct metrics *metrics);
/* From posting entries to their being durable, or applied: what a sender waits for. */
void metrics_append(struct metrics *metrics, int64_t ns);
void metrics_apply(struct metrics *metrics, int64_t ns);
/* A channel answered. `outcome` is an enum outcome. */
void metrics_delivery(struct metrics *metrics, int outcome);
/* So many follow the stream now; a piece of it was read, however many it is for. */
void metrics_stream(struct metrics *metrics, size_t subscribers);
void metrics_stream_read(struct metrics *metrics);

/* Append the page; of `plugins` what is loaded, or NULL; `is_held_up`: by one of them. */
void metrics_write(struct metrics *metrics, struct node *node, const struct plugin_set *plugins,
                   bool is_held_up, struct buf *out);

#endif
