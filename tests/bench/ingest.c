/* ingest.c -- `bench ingest` and `bench paced`: batches from many connections at once.
 *
 *     ingest    as fast as the daemon takes them; 429 is answered by sending again
 *     paced     so many events a second, beside reads of one customer by key
 *
 * Paced requests have a moment each at which they are due, and their latency counts from
 * there and not from when a connection was free: a daemon that stalls is not excused by the
 * requests that it kept from being sent.  The reads do the same on a thread of their own.
 */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/bench/bench.h"
#include "tests/bench/client.h"
#include "tests/bench/load.h"
#include "tests/bench/samples.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_MAX 256
#define SECOND_NS 1000000000ll
#define AGAIN_NS 5000000 /* after a 429 */
#define READS_PER_SECOND 500

struct senders {
    const struct load *load;
    struct client clients[CONNECTIONS_MAX];
    size_t requests[CONNECTIONS_MAX]; /* the index of what each is sending */
    size_t count;
    size_t next; /* request to send */
    size_t answered, refused;
    int64_t start_ns, interval_ns; /* request i is due at start + i * interval; 0: at once */
    struct samples latency;
};

static void senders_open(struct senders *senders, const struct target *target,
                         const struct load *load, size_t count)
{
    if (count > CONNECTIONS_MAX)
        bench_die("at most %d connections", CONNECTIONS_MAX);
    *senders = (struct senders){ .load = load, .count = count };
    for (size_t i = 0; i < count; i++)
        client_open(&senders->clients[i], target);
}

static void senders_close(struct senders *senders)
{
    for (size_t i = 0; i < senders->count; i++)
        client_close(&senders->clients[i]);
    samples_deinit(&senders->latency);
}

static void begin(struct senders *senders, size_t i)
{
    size_t size;
    const void *request = load_request(senders->load, senders->requests[i], &size);
    client_send(&senders->clients[i], request, size);
}

static void sleep_ns(int64_t ns)
{
    struct timespec time = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };
    if (ns > 0)
        nanosleep(&time, NULL);
}

/* Too much waits already: the same again a little later. */
static bool is_refused(int status)
{
    return status == 429 || status == 503;
}

/* An answer has come. */
static void take(struct senders *senders, size_t i, int status)
{
    if (is_refused(status)) {
        senders->refused++;
        sleep_ns(AGAIN_NS);
        begin(senders, i);
        return;
    }
    if (status != 200)
        bench_die("a batch was answered with %d: %.300s", status,
                  buf_string(&senders->clients[i].in));
    int64_t due = senders->interval_ns != 0
                      ? senders->start_ns + (int64_t)senders->requests[i] * senders->interval_ns
                      : senders->clients[i].began_ns;
    samples_add(&senders->latency, clock_ns() - due);
    senders->answered++;
}

/* Whether the next request is due, and if not, how long it is until then. */
static bool is_due(const struct senders *senders, int64_t *out_wait_ns)
{
    *out_wait_ns = -1;
    if (senders->next == senders->load->count)
        return false;
    if (senders->interval_ns != 0)
        *out_wait_ns =
            senders->start_ns + (int64_t)senders->next * senders->interval_ns - clock_ns();
    return *out_wait_ns <= 0;
}

static void send_due(struct senders *senders, int64_t *out_wait_ns)
{
    for (size_t i = 0; i < senders->count; i++) {
        if (senders->clients[i].is_busy)
            continue;
        if (!is_due(senders, out_wait_ns))
            return;
        senders->requests[i] = senders->next++;
        begin(senders, i);
    }
    *out_wait_ns = -1; /* all are busy: an answer comes first */
}

static void senders_run(struct senders *senders)
{
    struct pollfd pollers[CONNECTIONS_MAX];
    senders->start_ns = clock_ns();
    while (senders->answered < senders->load->count) {
        int64_t wait_ns;
        send_due(senders, &wait_ns);
        for (size_t i = 0; i < senders->count; i++) {
            struct client *client = &senders->clients[i];
            pollers[i] =
                (struct pollfd){ client->is_busy ? client->fd : -1, client_events(client), 0 };
        }
        struct timespec wait = { .tv_sec = wait_ns / SECOND_NS, .tv_nsec = wait_ns % SECOND_NS };
        if (ppoll(pollers, senders->count, wait_ns >= 0 ? &wait : NULL, NULL) < 0 && errno != EINTR)
            bench_die("poll: %s", strerror(errno));
        for (size_t i = 0; i < senders->count; i++) {
            if (pollers[i].revents == 0)
                continue;
            int status = client_step(&senders->clients[i], NULL);
            if (status != 0)
                take(senders, i, status);
        }
    }
}

/* The last batch is durable; the engine may still be at work.  One more event, which is
 * answered when it has been applied, comes behind all others. */
static void wait_until_applied(const struct target *target)
{
    static const char event[] = "{\"userId\":\"u-0\",\"event\":\"Bench Over\"}";
    struct buf request = BUF_INIT;
    struct client client;
    target_request(target, &request, "POST", "/v1/track?wait=applied", event, sizeof event - 1);
    client_open(&client, target);
    int status = client_exchange(&client, request.data, request.size, NULL);
    while (is_refused(status)) {
        sleep_ns(AGAIN_NS);
        status = client_exchange(&client, request.data, request.size, NULL);
    }
    if (status != 200)
        bench_die("the last event was answered with %d: %.300s", status, buf_string(&client.in));
    client_close(&client);
    buf_deinit(&request);
}

static void print_rate(const char *name, size_t events, int64_t ns)
{
    printf("%-24s %.0f events/s  (%zu events in %.3f s)\n", name, (double)events * 1e9 / (double)ns,
           events, (double)ns / 1e9);
}

int bench_ingest(int argc, char **argv)
{
    struct target target;
    struct load load;
    struct senders senders;
    if (argc != 6)
        bench_die("ingest URL KEY-FILE FILE BATCH CONNECTIONS");
    target_init(&target, argv[1], argv[2]);
    load_read(&load, &target, argv[3], bench_number(argv[4], "BATCH"));
    senders_open(&senders, &target, &load, bench_number(argv[5], "CONNECTIONS"));
    senders_run(&senders);
    int64_t durable_ns = clock_ns();
    wait_until_applied(&target);
    print_rate("durable", load.events, durable_ns - senders.start_ns);
    print_rate("applied", load.events, clock_ns() - senders.start_ns);
    samples_print(&senders.latency, "batch acknowledged");
    printf("%-24s %zu\n", "refused", senders.refused);
    senders_close(&senders);
    load_deinit(&load);
    return 0;
}

/* -- Paced, with reads ------------------------------------------------------------------- */

struct reader {
    const struct target *target;
    size_t customers;
    atomic_bool is_over;
    struct samples latency;
    size_t missing;
};

/* A fixed, uneven order of customers: neighbours in time are no neighbours in the tree. */
static size_t next_customer(size_t *state, size_t customers)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % customers;
}

static void *read_customers(void *arg)
{
    struct reader *reader = arg;
    struct client client;
    struct buf request = BUF_INIT;
    size_t state = 1;
    char path[64];
    client_open(&client, reader->target);
    int64_t due = clock_ns();
    while (!atomic_load(&reader->is_over)) {
        snprintf(path, sizeof path, "/v1/customers/user_id:u-%zu",
                 next_customer(&state, reader->customers));
        buf_clear(&request);
        target_request(reader->target, &request, "GET", path, NULL, 0);
        due += SECOND_NS / READS_PER_SECOND;
        sleep_ns(due - clock_ns());
        int status = client_exchange(&client, request.data, request.size, NULL);
        samples_add(&reader->latency, clock_ns() - due);
        if (status == 404)
            reader->missing++;
        else if (status != 200)
            bench_die("%s was answered with %d", path, status);
    }
    client_close(&client);
    buf_deinit(&request);
    return NULL;
}

int bench_paced(int argc, char **argv)
{
    struct target target;
    struct load load;
    struct senders senders;
    pthread_t thread;
    if (argc != 8)
        bench_die("paced URL KEY-FILE FILE BATCH CONNECTIONS RATE CUSTOMERS");
    target_init(&target, argv[1], argv[2]);
    size_t batch = bench_number(argv[4], "BATCH"), rate = bench_number(argv[6], "RATE");
    load_read(&load, &target, argv[3], batch);
    senders_open(&senders, &target, &load, bench_number(argv[5], "CONNECTIONS"));
    senders.interval_ns = SECOND_NS * (int64_t)batch / (int64_t)rate;
    struct reader reader = { .target = &target, .customers = bench_number(argv[7], "CUSTOMERS") };
    int rc = pthread_create(&thread, NULL, read_customers, &reader);
    ASSERT(rc == 0);
    senders_run(&senders);
    print_rate("durable", load.events, clock_ns() - senders.start_ns);
    atomic_store(&reader.is_over, true);
    pthread_join(thread, NULL);
    samples_print(&senders.latency, "batch acknowledged");
    samples_print(&reader.latency, "read by key");
    printf("%-24s %zu\n%-24s %zu\n", "refused", senders.refused, "not found", reader.missing);
    samples_deinit(&reader.latency);
    senders_close(&senders);
    load_deinit(&load);
    return 0;
}
