/* metrics.c -- see metrics.h.
 *
 * Buckets are powers of four from 16 us on: eleven of them reach a minute, and a ratio of
 * four is as fine as any alarm needs.
 */
#include "core/server/metrics.h"

#include "core/base/mem.h"
#include "core/server/channel.h"
#include "core/server/node.h"

#include <stdbool.h>
#include <stdlib.h>

#define BUCKETS 12 /* 16 us x 4^0 ... 4^11 = 67 s; beyond: +Inf */
#define FIRST_NS 16000
#define NS_PER_S 1e9
#define STATUS_CLASSES 5
#define OUTCOMES 4

struct histogram {
    uint64_t buckets[BUCKETS]; /* each alone, not cumulated */
    uint64_t count;
    double sum_s;
};

struct metrics {
    struct histogram request, append, apply;
    uint64_t statuses[STATUS_CLASSES]; /* 1xx to 5xx */
    uint64_t accepted, rejected;
    uint64_t subscribers, stream_reads;
    uint64_t outcomes[OUTCOMES];
};

struct metrics *metrics_new(void)
{
    return mem_zero(sizeof(struct metrics));
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

static void observe(struct histogram *histogram, int64_t ns)
{
    int64_t edge = FIRST_NS;
    size_t i = 0;
    for (; i < BUCKETS && ns > edge; i++)
        edge *= 4;
    if (i < BUCKETS)
        histogram->buckets[i]++;
    histogram->count++;
    histogram->sum_s += (double)ns / NS_PER_S;
}

void metrics_request(struct metrics *metrics, int status, int64_t ns)
{
    observe(&metrics->request, ns);
    if (status >= 100 && status < 600)
        metrics->statuses[status / 100 - 1]++;
}

void metrics_ingest(struct metrics *metrics, size_t accepted, size_t rejected)
{
    metrics->accepted += accepted;
    metrics->rejected += rejected;
}

void metrics_append(struct metrics *metrics, int64_t ns)
{
    observe(&metrics->append, ns);
}

void metrics_apply(struct metrics *metrics, int64_t ns)
{
    observe(&metrics->apply, ns);
}

void metrics_delivery(struct metrics *metrics, int outcome)
{
    if (outcome >= 0 && outcome < OUTCOMES)
        metrics->outcomes[outcome]++;
}

void metrics_stream(struct metrics *metrics, size_t subscribers)
{
    metrics->subscribers = subscribers;
}

void metrics_stream_read(struct metrics *metrics)
{
    metrics->stream_reads++;
}

/* -- The page ---------------------------------------------------------------------------------- */

static void write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(struct buf *out, const char *name, const char *type, const char *help,
                      double value)
{
    write_head(out, name, type, help);
    buf_printf(out, "%s %.17g\n", name, value);
}

static void write_histogram(struct buf *out, const char *name, const char *help,
                            const struct histogram *histogram)
{
    int64_t edge_ns = FIRST_NS;
    uint64_t count = 0;
    write_head(out, name, "histogram", help);
    for (size_t i = 0; i < BUCKETS; i++, edge_ns *= 4) {
        count += histogram->buckets[i];
        buf_printf(out, "%s_bucket{le=\"%.6g\"} %llu\n", name, (double)edge_ns / NS_PER_S,
                   (unsigned long long)count);
    }
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name,
               (unsigned long long)histogram->count, name, histogram->sum_s, name,
               (unsigned long long)histogram->count);
}

static void write_loop(const struct metrics *metrics, struct buf *out)
{
    static const char *const classes[STATUS_CLASSES] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
    static const char *const outcomes[OUTCOMES] = { "sent", "rejected", "failed", "uncertain" };
    write_head(out, "kith_requests_total", "counter", "Requests answered by a handler.");
    for (size_t i = 0; i < STATUS_CLASSES; i++)
        buf_printf(out, "kith_requests_total{status=\"%s\"} %llu\n", classes[i],
                   (unsigned long long)metrics->statuses[i]);
    write_head(out, "kith_deliveries_total", "counter", "Attempts that a channel answered.");
    for (size_t i = 0; i < OUTCOMES; i++)
        buf_printf(out, "kith_deliveries_total{outcome=\"%s\"} %llu\n", outcomes[i],
                   (unsigned long long)metrics->outcomes[i]);
    write_one(out, "kith_events_accepted_total", "counter", "Events taken by the tracking API.",
              (double)metrics->accepted);
    write_one(out, "kith_events_rejected_total", "counter", "Events refused one by one.",
              (double)metrics->rejected);
    write_one(out, "kith_stream_subscribers", "gauge", "Who follow the stream.",
              (double)metrics->subscribers);
    write_one(out, "kith_stream_reads_total", "counter",
              "Pieces of the stream read, however many follow it.", (double)metrics->stream_reads);
    write_histogram(out, "kith_request_seconds", "From a whole request to its answer.",
                    &metrics->request);
    write_histogram(out, "kith_append_seconds", "From posting entries to their being durable.",
                    &metrics->append);
    write_histogram(out, "kith_apply_seconds", "From posting entries to their being applied.",
                    &metrics->apply);
}

static void write_log(struct node *node, struct buf *out)
{
    struct sequencer *sequencer = node_sequencer(node);
    struct log_stats stats;
    uint64_t end;
    int64_t logged;
    log_stats(node_log(node), &stats);
    log_end(node_log(node), &end, &logged);
    write_one(out, "kith_log_entries", "gauge", "Number of the last entry of the log.",
              (double)end);
    write_one(out, "kith_log_bytes", "gauge", "Bytes in use of the log's file.",
              (double)stats.used_bytes);
    write_one(out, "kith_log_commits_total", "counter", "Groups committed.",
              (double)atomic_load(&sequencer->commits));
    write_one(out, "kith_log_commit_seconds_total", "counter", "Time spent in commits.",
              (double)atomic_load(&sequencer->commit_ns) / NS_PER_S);
}

static void write_engine(struct node *node, struct buf *out)
{
    struct sequencer *sequencer = node_sequencer(node);
    struct fold *fold = node_fold(node);
    struct state_stats stats;
    int64_t due = atomic_load(&sequencer->next_due);
    int64_t now = fold->clock.wall_ms(fold->clock.arg);
    state_stats(node_state(node), &stats);
    write_one(out, "kith_engine_applied", "gauge", "Number of the last entry applied.",
              (double)atomic_load(&sequencer->applied));
    write_one(out, "kith_engine_apply_seconds_total", "counter", "Time spent applying entries.",
              (double)atomic_load(&fold->apply_ns) / NS_PER_S);
    write_one(out, "kith_rules_failed_total", "counter", "Failures of rules since the start.",
              (double)atomic_load(&fold->failures));
    write_one(out, "kith_timer_late_seconds", "gauge",
              "How long the next reminder or timer has been due.",
              due < now ? (double)(now - due) / 1000 : 0);
    write_one(out, "kith_clock_is_standing", "gauge", "1 when log time waits for the clock.",
              atomic_load(&sequencer->is_standing) || atomic_load(&sequencer->is_set_back));
    write_one(out, "kith_state_bytes", "gauge", "Bytes in use of the state's file.",
              (double)stats.used_bytes);
    write_one(out, "kith_state_rows_buffered", "gauge", "Rows not in a checkpoint yet.",
              (double)(stats.active_rows + stats.frozen_rows));
    write_one(out, "kith_checkpoints_total", "counter", "Checkpoints written.",
              (double)stats.checkpoints);
    write_one(out, "kith_checkpoint_last_seconds", "gauge", "How long the last one took.",
              (double)stats.checkpoint_ns_last / NS_PER_S);
    write_one(out, "kith_effects_under_way", "gauge", "Effects claimed and not yet answered.",
              (double)deliver_pending(node_deliverer(node)));
}

void metrics_write(struct metrics *metrics, struct node *node, struct buf *out)
{
    write_loop(metrics, out);
    write_log(node, out);
    write_engine(node, out);
}
