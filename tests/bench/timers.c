/* timers.c -- `bench timers`: how late reminders are, a million others waiting behind them.
 *
 * A node with its threads as in the daemon, without HTTP.  Events set reminders by a rule:
 * first those for tomorrow, then RATE a second for SECONDS.  Each is late by the time from
 * the moment it was due to the moment the rule on "reminder.due" begins to run: the tick has
 * been committed by then, the timers found and the event derived.
 */
#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "core/script/bundle.h"
#include "core/script/host.h"
#include "core/server/node.h"
#include "tests/bench/bench.h"
#include "tests/bench/samples.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define BATCH 500
#define PER_CUSTOMER 10
#define LEAD_MS 5000 /* from the first of them being set to the first being due */
#define DAY_MS 86400000ll

struct alarm {
    const char *data, *rules;
    size_t rate, seconds, pending;
    int wakeup;
    struct node *node;
    atomic_size_t waiting; /* submissions without an answer */
    struct samples late;   /* written by the engine's thread */
    atomic_size_t fired;
};

/* -- Listening to the rule ------------------------------------------------------------------ */

/* The ruleset has no room for us, and there is one alarm a process. */
static struct alarm *listener;
static enum rule_outcome (*run_script)(struct ruleset *rules, size_t index, struct step *step,
                                       struct rule_failure *out_failure);

static enum rule_outcome run_and_note(struct ruleset *rules, size_t index, struct step *step,
                                      struct rule_failure *out_failure)
{
    const struct event *event = step_event(step);
    struct timespec now;
    if (text_is(event->type, "reminder.due")) {
        int64_t due_ms = doc_int(event->data, "due", 0);
        clock_gettime(CLOCK_REALTIME, &now);
        samples_add(&listener->late, ((int64_t)now.tv_sec * 1000 - due_ms) * 1000000 + now.tv_nsec);
        atomic_fetch_add(&listener->fired, 1);
    }
    return run_script(rules, index, step, out_failure);
}

static int load_rules(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err)
{
    (void)arg;
    int rc = script_load(NULL, bundle, config, out_rules, err);
    if (rc != 0)
        return rc;
    run_script = (*out_rules)->run;
    (*out_rules)->run = run_and_note;
    return 0;
}

/* -- The loop --------------------------------------------------------------------------------- */

static void fill_random(void *arg, void *data, size_t size)
{
    (void)arg;
    ASSERT(getrandom(data, size, 0) == (ssize_t)size);
}

static void wake(void *arg)
{
    const uint64_t one = 1;
    ASSERT(write(((struct alarm *)arg)->wakeup, &one, sizeof one) == sizeof one);
}

static void loop_once(struct alarm *alarm, int wait_ms)
{
    struct pollfd poller = { .fd = alarm->wakeup, .events = POLLIN };
    uint64_t count;
    if (poll(&poller, 1, wait_ms) > 0 && read(alarm->wakeup, &count, sizeof count) < 0)
        bench_die("eventfd: %s", strerror(errno));
    while (node_step_loop(alarm->node))
        ;
}

static void answered(void *arg, const struct submission *submission)
{
    struct alarm *alarm = arg;
    if (submission->code != 0)
        bench_die("%s", submission->err.text);
    atomic_fetch_sub(&alarm->waiting, 1);
}

static void post(struct alarm *alarm, struct submission *submission)
{
    submission->done = answered;
    submission->arg = alarm;
    submission->starts_clock = true;
    atomic_fetch_add(&alarm->waiting, 1);
    while (sequencer_post(node_sequencer(alarm->node), submission, NULL) != 0)
        loop_once(alarm, 10);
}

static void finish(struct alarm *alarm)
{
    while (atomic_load(&alarm->waiting) != 0)
        loop_once(alarm, -1);
}

/* -- Setting ---------------------------------------------------------------------------- */

static void put(struct doc_writer *w, const char *name, const char *format, size_t number)
{
    char text[40];
    snprintf(text, sizeof text, format, number);
    doc_put_string(w, name, text);
}

/* Reminders from `first` on; reminder i is due at start + i * step microseconds.  The last
 * answer comes when all have been applied. */
static void set(struct alarm *alarm, size_t first, size_t count, int64_t start_ms, int64_t step_us)
{
    for (size_t i = 0; i < count;) {
        struct submission *submission = submission_new(LOG_CLIENT);
        for (size_t end = i + BATCH; i < end && i < count; i++) {
            struct doc_writer w;
            submission_begin(submission, &w);
            put(&w, "id", "r-%zu", first + i);
            doc_put_string(&w, "type", "Remind");
            doc_put_string(&w, "call", "track");
            put(&w, "user", "u-%zu", (first + i) / PER_CUSTOMER);
            doc_put_string(&w, "source", "write");
            doc_open(&w, "data");
            doc_put_int(&w, "due", start_ms + (int64_t)i * step_us / 1000);
            put(&w, "key", "%zu", first + i);
            doc_close(&w);
            submission_end(submission, &w);
        }
        submission->wants_applied = i == count;
        post(alarm, submission);
    }
    finish(alarm);
}

static void deploy(struct alarm *alarm)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc bundle;
    struct doc_writer w;
    struct err err = { 0 };
    bench_check(bundle_read_dir(alarm->rules, &submission->blob, &bundle, &err), &err);
    bundle_hash(bundle, submission->blob_hash);
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "bundle.activated");
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", submission->blob_hash, LOG_HASH_BYTES);
    doc_close(&w);
    submission_end(submission, &w);
    post(alarm, submission);
}

static void open_node(struct alarm *alarm)
{
    static const uint8_t empty[] = { 5, 0, 0, 0, 0 };
    struct err err = { 0 };
    alarm->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct node_options options = {
        .dir = alarm->data,
        .clock = clock_machine(),
        .random = fill_random,
        .code = { empty, sizeof empty },
        .config = { empty, sizeof empty },
        .boot = "bench",
        .load_rules = load_rules,
        .wake = wake,
        .wake_arg = alarm,
    };
    bench_check(node_open(&options, &alarm->node, &err), &err);
    node_start_threads(alarm->node);
    while (!node_is_ready(alarm->node))
        loop_once(alarm, 10);
}

static int64_t wall_ms(void)
{
    struct clock clock = clock_machine();
    return clock.wall_ms(clock.arg);
}

static void run(struct alarm *alarm)
{
    size_t due = alarm->rate * alarm->seconds;
    int64_t before = clock_ns();
    open_node(alarm);
    deploy(alarm);
    set(alarm, 0, alarm->pending, wall_ms() + DAY_MS, 1);
    printf("%-24s %.0f reminders/s  (%zu)\n", "set",
           (double)alarm->pending * 1e9 / (double)(clock_ns() - before), alarm->pending);
    fflush(stdout);
    int64_t start_ms = wall_ms() + LEAD_MS;
    set(alarm, alarm->pending, due, start_ms, 1000000 / (int64_t)alarm->rate);
    if (wall_ms() >= start_ms)
        bench_die("setting %zu reminders took longer than %d ms", due, LEAD_MS);
    while (atomic_load(&alarm->fired) < due)
        loop_once(alarm, 100);
    node_close(alarm->node);
    samples_print(&alarm->late, "late");
    samples_deinit(&alarm->late);
    close(alarm->wakeup);
}

int bench_timers(int argc, char **argv)
{
    static const struct option options[] = {
        { "rules", 1, NULL, 'r' },
        { "data", 1, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    struct alarm alarm = { .rules = "tests/bench/timers" };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'r')
            alarm.rules = optarg;
        else if (option == 'd')
            alarm.data = optarg;
        else
            return 2;
    }
    if (optind + 3 != argc || alarm.data == NULL)
        bench_die("timers RATE SECONDS PENDING --data DIR: an empty directory");
    alarm.rate = bench_number(argv[optind], "RATE");
    alarm.seconds = bench_number(argv[optind + 1], "SECONDS");
    alarm.pending = bench_number(argv[optind + 2], "PENDING");
    listener = &alarm;
    run(&alarm);
    return 0;
}
