/* fold.c -- `bench fold FILE`: what an event costs, part by part.
 *
 * The way of an event from its JSON to the checkpoint, on one thread and without a
 * network: each part goes over all events before the next one begins, so that each
 * can be timed, and profiled, for itself.
 *
 *     parse       JSON of a batch to documents
 *     envelope    parse, and the entry written out of each document: the difference counts
 *     digest, compress, commit    one log_commit() a batch; cpu is without the disk's wait
 *     read        the log read and checked, as a replay does
 *     apply       the engine with an empty bundle
 *     rules       the engine with the ten rules: the difference is Lua and what they change
 *     checkpoint  the state written out, on the way and at the end
 */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/server/ingest_event.h"
#include "core/server/submission.h"
#include "storage/log.h"
#include "storage/state.h"
#include "tests/bench/bench.h"
#include "tests/bench/store.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGED_MS 1793145600000ll

struct input {
    char *text;
    size_t size, count; /* bytes, lines */
    size_t batch;
};

struct batch {
    struct submission *submission;
};

struct entries {
    struct batch *batches;
    size_t batch_count, count;
};

/* -- Parsing ----------------------------------------------------------------------------- */

static int skip(void *arg, size_t index, struct doc doc, const struct err *err)
{
    (void)index;
    if (err != NULL)
        bench_die("%s", err->text);
    *(size_t *)arg += doc.size;
    return 0;
}

static int keep(void *arg, size_t index, struct doc doc, const struct err *err)
{
    struct entries *entries = arg;
    struct ingest_terms terms = { .source = text_of("write"), .received = LOGGED_MS };
    struct err reason = { 0 };
    int64_t at;
    (void)index;
    if (err != NULL)
        bench_die("%s", err->text);
    bench_check(ingest_event(entries->batches[entries->batch_count - 1].submission, doc,
                             SEGMENT_ANY, &terms, &at, &reason),
                &reason);
    entries->count++;
    return 0;
}

/* The next `batch` lines as the body of a request; false: there are none. */
static bool next_body(const struct input *input, size_t *at, struct buf *body)
{
    size_t lines = 0;
    buf_clear(body);
    buf_text(body, "{\"batch\":[");
    while (lines < input->batch && *at < input->size) {
        const char *line = input->text + *at;
        const char *end = memchr(line, '\n', input->size - *at);
        size_t size = end != NULL ? (size_t)(end - line) : input->size - *at;
        if (lines++ != 0)
            buf_byte(body, ',');
        buf_append(body, line, size);
        *at += size + 1;
    }
    buf_text(body, "]}");
    return lines != 0;
}

static void begin_batch(struct entries *entries, size_t bytes)
{
    size_t count = entries->batch_count + 1;
    entries->batches = mem_resize(entries->batches, count * sizeof *entries->batches);
    struct submission *submission = submission_new(LOG_CLIENT);
    buf_reserve(&submission->entries, bytes + bytes / 4);
    entries->batches[entries->batch_count++].submission = submission;
}

/* `entries` NULL: the documents alone. */
static void parse(const struct input *input, struct entries *entries, struct stopwatch *watch)
{
    size_t ignored = 0;
    struct json_reader *reader = json_reader_new();
    struct json_limits limits = {
        .depth_max = NESTING_MAX,
        .document_bytes_max = EVENT_BYTES_MAX,
        .count_max = BATCH_EVENTS_MAX,
    };
    struct buf body = BUF_INIT, docs = BUF_INIT;
    struct doc rest;
    struct err err = { 0 };
    for (size_t at = 0; next_body(input, &at, &body);) {
        buf_clear(&docs);
        if (entries != NULL)
            begin_batch(entries, body.size);
        stopwatch_start(watch);
        int rc = json_batch(reader, (const char *)body.data, body.size, &limits, "batch", &docs,
                            entries != NULL ? keep : skip,
                            entries != NULL ? (void *)entries : (void *)&ignored, &rest, &err);
        stopwatch_stop(watch);
        bench_check(rc, &err);
    }
    buf_deinit(&body);
    buf_deinit(&docs);
    json_reader_free(reader);
}

/* -- The log --------------------------------------------------------------------------------- */

static void write_log(struct log *log, const struct entries *entries)
{
    struct err err = { 0 };
    struct doc doc;
    for (size_t i = 0; i < entries->batch_count; i++) {
        for (size_t at = 0; submission_next(entries->batches[i].submission, &at, &doc);)
            log_add(log, LOG_CLIENT, LOGGED_MS, doc.data, doc.size);
        bench_check(log_commit(log, 0, &err), &err);
    }
}

static int ignore(void *arg, const struct log_entry *entry)
{
    *(uint64_t *)arg = entry->seq;
    return 0;
}

/* -- The engine -------------------------------------------------------------------------------- */

static void apply_batch(struct engine *engine, const struct submission *submission)
{
    struct engine_result result;
    struct doc doc;
    for (size_t at = 0; submission_next(submission, &at, &doc);) {
        struct log_entry entry = {
            .seq = engine_seq(engine) + 1,
            .logged = LOGGED_MS,
            .class = LOG_CLIENT,
            .body = doc.data,
            .size = doc.size,
        };
        engine_apply(engine, &entry, &result);
    }
}

static void apply(struct state *state, struct engine *engine, const struct entries *entries,
                  struct stopwatch *watch, struct stopwatch *checkpoint)
{
    for (size_t i = 0; i < entries->batch_count; i++) {
        stopwatch_start(watch);
        apply_batch(engine, entries->batches[i].submission);
        state_settle(state);
        stopwatch_stop(watch);
        if (state_wants_freeze(state) || i + 1 == entries->batch_count) {
            stopwatch_start(checkpoint);
            store_checkpoint(state, engine);
            stopwatch_stop(checkpoint);
        }
    }
}

static void fold(struct log *log, const char *dir, const struct entries *entries, bool has_rules)
{
    struct state *state = store_open_state(dir);
    struct engine *engine = store_open_engine(log, state, has_rules);
    struct stopwatch watch = { 0 }, checkpoint = { 0 };
    apply(state, engine, entries, &watch, &checkpoint);
    stopwatch_print(&watch, has_rules ? "apply with rules" : "apply without rules", entries->count);
    stopwatch_print(&checkpoint, has_rules ? "checkpoint with rules" : "checkpoint without rules",
                    entries->count);
    engine_close(engine);
    state_close(state);
}

/* -- The mode -- */

static void run(const struct input *input, const char *data, const char *rules)
{
    char dir[4096];
    struct entries entries = { 0 };
    struct stopwatch parsing = { 0 }, enveloping = { 0 }, logging = { 0 }, reading = { 0 };
    struct err err = { 0 };
    uint64_t seq = 0;
    parse(input, NULL, &parsing);
    parse(input, &entries, &enveloping);
    stopwatch_print(&parsing, "parse", entries.count);
    stopwatch_print(&enveloping, "parse and envelope", entries.count);

    snprintf(dir, sizeof dir, "%s/log", data);
    struct log *log = store_open_log(dir);
    store_begin(log, LOGGED_MS, rules);
    bench_check(log_commit(log, 0, &err), &err);
    stopwatch_start(&logging);
    write_log(log, &entries);
    stopwatch_stop(&logging);
    stopwatch_print(&logging, "log", entries.count);
    stopwatch_start(&reading);
    bench_check(log_read(log, 1, SIZE_MAX, ignore, &seq, NULL, &err), &err);
    stopwatch_stop(&reading);
    stopwatch_print(&reading, "read back", entries.count);

    snprintf(dir, sizeof dir, "%s/state-without", data);
    fold(log, dir, &entries, false);
    snprintf(dir, sizeof dir, "%s/state", data);
    fold(log, dir, &entries, true);
    log_close(log);
    for (size_t i = 0; i < entries.batch_count; i++)
        submission_unref(entries.batches[i].submission);
    free(entries.batches);
}

int bench_fold(int argc, char **argv)
{
    static const struct option options[] = {
        { "rules", 1, NULL, 'r' },
        { "batch", 1, NULL, 'b' },
        { "data", 1, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    struct input input = { .batch = 500 };
    const char *rules = "tests/bench/rules", *data = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'r')
            rules = optarg;
        else if (option == 'b')
            input.batch = bench_number(optarg, "--batch");
        else if (option == 'd')
            data = optarg;
        else
            return 2;
    }
    if (optind + 1 != argc || data == NULL)
        bench_die("fold FILE --data DIR: an NDJSON file, and an empty directory for log and state");
    input.text = bench_read_file(argv[optind], &input.size);
    run(&input, data, rules);
    free(input.text);
    return 0;
}
