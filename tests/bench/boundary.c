/* boundary.c -- `bench boundary`: what it costs to call a plugin, here and in a process of its own.
 *
 *     getter         one value that a handler reads
 *     call           one handler in this process: it reads, keeps a document, publishes a trait
 *     round trip     the same in a process of its own, one at a time
 *     batch          the same, a hundred at once, for each of them
 *     socket pair    the peer: a byte there and back between two processes
 *
 * This program is also the process of the plugin: kithd starts itself anew, and so does this.
 */
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/call.h"
#include "core/plugin/frame.h"
#include "core/plugin/guest.h"
#include "core/plugin/lane.h"
#include "core/plugin/remote.h"
#include "tests/bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 200000
#define TRIPS 20000
#define BATCHES 2000
#define BATCH 100
#define READS 1000

enum { COUNTS, READS_ONE }; /* handlers of plugins/boundary.c */

static struct doc_value read_value(void *arg, const struct plugin_read *read)
{
    struct doc event = *(struct doc *)arg;
    return read->kind == PLUGIN_READ_FIELD ? doc_get_text(event, read->name)
                                           : (struct doc_value){ .type = DOC_NONE };
}

static struct doc read_state(void *arg, size_t index, int64_t *out_version)
{
    (void)index;
    *out_version = 1;
    return ((struct doc *)arg)[1];
}

static struct doc put_number(struct buf *room, const char *name, int64_t number)
{
    struct doc_writer w;
    buf_clear(room);
    doc_begin(&w, room);
    doc_put_int(&w, name, number);
    return doc_end(&w);
}

/* Nanoseconds of one call. */
static double call_here(struct plugin *plugin, size_t handler, int64_t total)
{
    struct buf event = BUF_INIT, kept = BUF_INIT, writes = BUF_INIT, answer = BUF_INIT;
    struct doc docs[] = { put_number(&event, "total", total), put_number(&kept, "sum", 1) };
    const struct plugin_source source = { docs, read_value, read_state };
    struct stopwatch watch = { 0 };
    struct kith_call call = {
        .plugin = plugin,
        .reads = &plugin->handler_reads[handler],
        .source = &source,
        .writes = &writes,
        .answer = &answer,
    };
    struct err err;
    stopwatch_start(&watch);
    for (size_t i = 0; i < CALLS; i++)
        bench_check(plugin_call(&call, plugin->handlers[handler].run, &err), &err);
    stopwatch_stop(&watch);
    buf_deinit(&event);
    buf_deinit(&kept);
    buf_deinit(&writes);
    buf_deinit(&answer);
    return (double)watch.cpu_ns / CALLS; /* it waits for nothing */
}

/* As core/plugin/set_far.c writes it. */
static struct doc make_item(struct buf *room, int64_t seq)
{
    struct doc_writer w;
    buf_clear(room);
    doc_begin(&w, room);
    doc_put_int(&w, "f", ITEM_HANDLER);
    doc_put_int(&w, "i", COUNTS);
    doc_put_int(&w, "q", seq);
    doc_put_int(&w, "n", 0);
    doc_put_int(&w, "now", 1);
    doc_open(&w, "v");
    doc_put_int(&w, "0", seq);
    doc_close(&w);
    doc_open(&w, "s");
    doc_open(&w, "orders");
    doc_put_int(&w, "v", 1);
    doc_open(&w, "d");
    doc_put_int(&w, "sum", 1);
    doc_close(&w);
    doc_close(&w);
    doc_close(&w);
    return doc_end(&w);
}

static void expect_reply(enum plugin_outcome outcome, struct doc reply)
{
    if (outcome != PLUGIN_OK || doc_int(reply, "c", -1) != REPLY_OK)
        bench_die("the plugin's process did not answer as it should");
}

static double trip(struct remote *remote)
{
    struct buf item = BUF_INIT;
    struct stopwatch watch = { 0 };
    struct doc reply;
    stopwatch_start(&watch);
    for (size_t i = 0; i < TRIPS; i++)
        expect_reply(remote_call(remote, make_item(&item, (int64_t)i), &reply), reply);
    stopwatch_stop(&watch);
    buf_deinit(&item);
    return (double)watch.wall_ns / TRIPS;
}

static double trip_in_batches(struct remote *remote)
{
    struct buf item = BUF_INIT;
    struct stopwatch watch = { 0 };
    struct doc reply;
    stopwatch_start(&watch);
    for (size_t i = 0; i < BATCHES; i++) {
        for (size_t j = 0; j < BATCH; j++)
            if (!remote_add(remote, make_item(&item, (int64_t)j)))
                bench_die("there is no room for a batch of %d", BATCH);
        remote_post(remote);
        for (size_t j = 0; j < BATCH; j++)
            expect_reply(remote_take(remote, &reply), reply);
    }
    stopwatch_stop(&watch);
    buf_deinit(&item);
    return (double)watch.wall_ns / BATCHES / BATCH;
}

static void echo(int fd)
{
    char byte;
    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
        ;
    _exit(0);
}

static double trip_of_a_byte(void)
{
    struct stopwatch watch = { 0 };
    int ends[2];
    char byte = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        bench_die("there is no socket pair");
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        echo(ends[1]);
    }
    close(ends[1]);
    stopwatch_start(&watch);
    for (size_t i = 0; pid > 0 && i < TRIPS; i++)
        if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            bench_die("the other side of the socket pair has ended");
    stopwatch_stop(&watch);
    close(ends[0]);
    waitpid(pid, NULL, 0);
    return (double)watch.wall_ns / TRIPS;
}

int bench_guest(void)
{
    struct buf bytes = BUF_INIT;
    struct err err;
    if (guest_open() == NULL)
        return 1;
    while (frame_read(FD_SOCKET, -1, &bytes, &err) == 0)
        ;
    return 0;
}

int bench_boundary(int argc, char **argv)
{
    struct plugin *here = NULL, *there = NULL;
    struct remote *remote = NULL;
    struct err err;
    if (argc != 2)
        bench_die("boundary FILE.so");
    const struct plugin_options options = { .name = "boundary", .path = argv[1] };
    bench_check(plugin_load(&options, &here, &err), &err);
    bench_check(remote_open(&options, &remote, &there, &err), &err);
    double nothing = call_here(here, READS_ONE, 0), many = call_here(here, READS_ONE, READS);
    printf("getter  %.1f ns\n", (many - nothing) / READS);
    printf("call  %.0f ns\n", call_here(here, COUNTS, 1));
    printf("round trip  %.0f ns\n", trip(remote));
    printf("batch  %.0f ns\n", trip_in_batches(remote));
    printf("socket pair  %.0f ns\n", trip_of_a_byte());
    remote_close(remote);
    plugin_free(there);
    plugin_free(here);
    return 0;
}
