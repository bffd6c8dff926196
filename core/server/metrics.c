/* metrics.c -- see metrics.h.
 *
 * The page is written in one place, top to bottom; docs/metrics.md says what each line means, and
 * a test compares the two.
 */
#include "core/server/metrics.h"

#include "core/base/err.h"
#include "core/base/histogram.h"
#include "core/base/mem.h"
#include "core/outside/channel.h"
#include "core/plugin/breadcrumb.h"
#include "core/plugin/set.h"
#include "core/server/node.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_S 1e9
#define STATUS_CLASSES 5
#define OUTCOMES 4

struct metrics {
    struct histogram request, append, apply;
    uint64_t statuses[STATUS_CLASSES]; /* 1xx to 5xx */
    uint64_t accepted, rejected, limited;
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

void metrics_request(struct metrics *metrics, int status, int64_t ns)
{
    histogram_add(&metrics->request, ns);
    if (status >= 100 && status < 600)
        metrics->statuses[status / 100 - 1]++;
}

void metrics_ingest(struct metrics *metrics, size_t accepted, size_t rejected)
{
    metrics->accepted += accepted;
    metrics->rejected += rejected;
}

void metrics_limited(struct metrics *metrics)
{
    metrics->limited++;
}

void metrics_append(struct metrics *metrics, int64_t ns)
{
    histogram_add(&metrics->append, ns);
}

void metrics_apply(struct metrics *metrics, int64_t ns)
{
    histogram_add(&metrics->apply, ns);
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

/* `label` is empty, or one pair of name and value. */
static void write_buckets(struct buf *out, const char *name, const char *label,
                          const struct histogram *histogram)
{
    const char *comma = label[0] != '\0' ? "," : "";
    const char *open = label[0] != '\0' ? "{" : "", *close = label[0] != '\0' ? "}" : "";
    unsigned long long count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += atomic_load(&histogram->buckets[i]);
        buf_printf(out, "%s_bucket{%s%sle=\"", name, label, comma);
        if (i + 1 < HISTOGRAM_BUCKETS)
            buf_printf(out, "%.6g\"} %llu\n", (double)histogram_edge_ns(i) / NS_PER_S, count);
        else
            buf_printf(out, "+Inf\"} %llu\n", count);
    }
    buf_printf(out, "%s_sum%s%s%s %.9g\n%s_count%s%s%s %llu\n", name, open, label, close,
               (double)atomic_load(&histogram->sum_ns) / NS_PER_S, name, open, label, close, count);
}

static void write_histogram(struct buf *out, const char *name, const char *help,
                            const struct histogram *histogram)
{
    write_head(out, name, "histogram", help);
    write_buckets(out, name, "", histogram);
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
    write_one(out, "kith_requests_limited_total", "counter",
              "Requests refused because their key called too often.", (double)metrics->limited);
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
    write_histogram(out, "kith_log_commit_seconds", "Commits of a group, flushed.",
                    &sequencer->commit);
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
    write_histogram(out, "kith_engine_apply_seconds", "Applying a group, all its entries.",
                    &fold->apply);
    write_histogram(out, "kith_reminder_lateness_seconds",
                    "From a reminder being due to its being told of.", &fold->lateness);
    write_one(out, "kith_rules_failed_total", "counter", "Failures of rules since the start.",
              (double)atomic_load(&fold->failures));
    write_one(out, "kith_rules_paused", "gauge", "Rules that do not run until they are resumed.",
              (double)atomic_load(&fold->rules_paused));
    write_one(out, "kith_plugins_quarantined", "gauge",
              "Plugins that take no part until they are enabled.",
              (double)atomic_load(&fold->plugins_quarantined));
    write_one(out, "kith_timer_late_seconds", "gauge",
              "How long the next reminder or timer has been due.",
              due < now ? (double)(now - due) / 1000 : 0);
    write_one(out, "kith_clock_is_standing", "gauge", "1 when log time waits for the clock.",
              atomic_load(&sequencer->is_standing) || atomic_load(&sequencer->is_set_back));
    write_one(out, "kith_state_bytes", "gauge", "Bytes in use of the state's file.",
              (double)stats.used_bytes);
    write_one(out, "kith_state_rows_buffered", "gauge", "Rows not in a checkpoint yet.",
              (double)(stats.active_rows + stats.frozen_rows));
    write_histogram(out, "kith_checkpoint_seconds", "Checkpoints of the state, flushed.",
                    &fold->cut);
    write_one(out, "kith_effects_under_way", "gauge", "Effects claimed and not yet answered.",
              (double)deliver_pending(node_deliverer(node)));
}

static void write_erasures(struct node *node, struct buf *out)
{
    struct fold *fold = node_fold(node);
    int64_t open = atomic_load(&fold->erasures_open);
    int64_t oldest_ms = atomic_load(&fold->erasure_oldest_ms);
    int64_t now = fold->clock.wall_ms(fold->clock.arg);
    write_one(out, "kith_erasures_open", "gauge", "Customers erased and not out of all files yet.",
              (double)open);
    write_one(out, "kith_erasure_oldest_seconds", "gauge",
              "How long ago the oldest of these was asked for.",
              open != 0 && oldest_ms < now ? (double)(now - oldest_ms) / 1000 : 0);
    write_one(out, "kith_erasures_done_total", "counter", "Customers of whom nothing is left.",
              (double)atomic_load(&fold->erasures_done));
}

/* One line for each channel: those are what the operator configured, so they are few. */
static void write_each(struct node *node, struct buf *out, const char *name, const char *help,
                       double (*value)(const struct deliver_report *report))
{
    struct deliver_report report;
    write_head(out, name, "gauge", help);
    for (size_t i = 0; deliver_report(node_deliverer(node), i, &report); i++)
        buf_printf(out, "%s{channel=\"%s\"} %.17g\n", name, report.name, value(&report));
}

static double channel_waiting(const struct deliver_report *report)
{
    return (double)report->waiting;
}

static double channel_under_way(const struct deliver_report *report)
{
    return (double)report->under_way;
}

static double channel_failures(const struct deliver_report *report)
{
    return (double)report->status.failures;
}

static double channel_paused(const struct deliver_report *report)
{
    return report->is_paused;
}

static double channel_broken(const struct deliver_report *report)
{
    return report->status.circuit != CIRCUIT_CLOSED;
}

static void write_channel_attempts(struct node *node, struct buf *out)
{
    static const char *const outcomes[OUTCOMES] = { "sent", "rejected", "failed", "uncertain" };
    struct deliver_report report;
    write_head(out, "kith_channel_attempts_total", "counter", "Attempts, by what became of them.");
    for (size_t i = 0; deliver_report(node_deliverer(node), i, &report); i++)
        for (size_t j = 0; j < OUTCOMES; j++)
            buf_printf(out, "kith_channel_attempts_total{channel=\"%s\",outcome=\"%s\"} %llu\n",
                       report.name, outcomes[j], (unsigned long long)report.outcomes[j]);
}

static void write_channels(struct node *node, struct buf *out)
{
    write_each(node, out, "kith_channel_waiting",
               "Customers whose next message may go, when last looked at.", channel_waiting);
    write_each(node, out, "kith_channel_under_way", "Messages claimed and not yet answered.",
               channel_under_way);
    write_each(node, out, "kith_channel_failures", "Failures of the destination in a row.",
               channel_failures);
    write_each(node, out, "kith_channel_paused", "1 when nothing is sent until it is resumed.",
               channel_paused);
    write_each(node, out, "kith_channel_broken",
               "1 when the destination is left alone, or tried with one message.", channel_broken);
    write_channel_attempts(node, out);
}

/* Channels are named by the configuration, and are few. */
static void write_deliveries(const struct deliverer *deliverer, struct buf *out)
{
    const char *name = NULL;
    const struct histogram *histogram;
    write_head(out, "kith_delivery_seconds", "histogram",
               "From giving a message to its channel to the answer.");
    for (size_t i = 0; (histogram = deliver_channel(deliverer, i, &name)) != NULL; i++) {
        char label[160];
        snprintf(label, sizeof label, "channel=\"%s\"", name);
        write_buckets(out, "kith_delivery_seconds", label, histogram);
    }
}

static void write_daemon(struct node *node, bool is_held_up, struct buf *out)
{
    struct err err;
    write_head(out, "kith_build_info", "gauge", "Always 1; the version is its label.");
    buf_text(out, "kith_build_info{version=\"" KITH_VERSION "\"} 1\n");
    write_one(out, "kith_is_ready", "gauge", "1 when the daemon can do its work, as /readyz says.",
              node_is_ready(node) && node_health(node, &err) == 0 && !is_held_up);
    write_one(out, "kith_crashes_total", "counter",
              "Crashes after which the daemon was started again.", (double)breadcrumb_crashes());
}

/* Of each plugin in force: one number. */
static void write_plugins(const struct plugin_set *plugins, const char *name, const char *help,
                          double (*number)(const struct plugin *plugin), struct buf *out)
{
    write_head(out, name, "counter", help);
    for (size_t i = 0; i < plugin_set_count(plugins); i++) {
        const struct plugin *plugin = plugin_set_at(plugins, i);
        buf_printf(out, "%s{plugin=\"%s\"} %.17g\n", name, plugin->name, number(plugin));
    }
}

static double calls_of(const struct plugin *plugin)
{
    return (double)atomic_load(&plugin->calls);
}

static double failures_of(const struct plugin *plugin)
{
    return (double)atomic_load(&plugin->failures);
}

static double hook_failures_of(const struct plugin *plugin)
{
    return (double)atomic_load(&plugin->hook_failures);
}

static double seconds_of(const struct plugin *plugin)
{
    return (double)atomic_load(&plugin->nanoseconds) / NS_PER_S;
}

void metrics_write(struct metrics *metrics, struct node *node, const struct plugin_set *plugins,
                   bool is_held_up, struct buf *out)
{
    write_daemon(node, is_held_up, out);
    write_loop(metrics, out);
    write_log(node, out);
    write_engine(node, out);
    write_erasures(node, out);
    write_channels(node, out);
    write_deliveries(node_deliverer(node), out);
    write_plugins(plugins, "kith_plugin_engine_calls_total", "Calls of a plugin by the engine.",
                  calls_of, out);
    write_plugins(plugins, "kith_plugin_engine_failures_total",
                  "Of these those that failed, crashed or were not answered.", failures_of, out);
    write_plugins(plugins, "kith_plugin_hook_failures_total",
                  "Of these those that were hooks of its documents: merge, unmerge, migrate, give.",
                  hook_failures_of, out);
    write_plugins(plugins, "kith_plugin_engine_seconds_total",
                  "Time that the engine has spent in a plugin, or waiting for it.", seconds_of,
                  out);
}
