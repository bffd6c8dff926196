/* guest.c -- see guest.h.
 *
 *     item    {f: kind, i: index, now, x: fold, v: {"0": VALUE, ...}, s: {KEY: {v, d}},
 *              a: ARGUMENTS}
 *     reply   {c: REPLY_..., e: words, h: migrate hooks that failed, w: what it wants,
 *              a: {answer: VALUE}}
 *
 * When the parent dies so does this process: whatever it was doing, nobody would hear of it.
 */
#include "core/plugin/guest.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/call.h"
#include "core/plugin/frame.h"
#include "core/plugin/lane.h"
#include "core/plugin/wire.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct guest {
    struct plugin *plugin;
    struct lanes *lanes;
    struct buf writes, answer, reply;
};

/* -- One item ---------------------------------------------------------------------------------- */

struct item_source {
    const struct plugin *plugin;
    const struct plugin_reads *reads;
    struct doc_value values[PLUGIN_READS_MAX];
    struct doc states;
};

static struct doc_value read_item(void *arg, const struct plugin_read *read)
{
    const struct item_source *source = arg;
    return source->values[read - source->reads->items];
}

static struct doc read_item_state(void *arg, size_t index, int64_t *out_version)
{
    const struct item_source *source = arg;
    struct doc row = doc_child(source->states, source->plugin->states[index].key);
    *out_version = doc_int(row, "v", 0);
    return doc_child(row, "d");
}

/* What the item calls; NULL: this plugin has no such thing. */
static kith_fn *find_fn(const struct plugin *plugin, struct doc item,
                        const struct plugin_reads **out_reads)
{
    static const struct plugin_reads nothing = { NULL, 0 };
    uint64_t index = (uint64_t)doc_int(item, "i", -1);
    *out_reads = &nothing;
    switch (doc_int(item, "f", -1)) {
    case ITEM_HANDLER:
        *out_reads = index < plugin->handler_count ? &plugin->handler_reads[index] : &nothing;
        return index < plugin->handler_count ? plugin->handlers[index].run : NULL;
    case ITEM_FUNCTION:
        *out_reads = index < plugin->function_count ? &plugin->function_reads[index] : &nothing;
        return index < plugin->function_count ? plugin->functions[index].run : NULL;
    case ITEM_FOLD:
        return index < plugin->state_count
                   ? plugin_state_hook(&plugin->states[index],
                                       (enum plugin_fold)doc_int(item, "x", -1))
                   : NULL;
    default:
        return NULL;
    }
}

static void fill_values(struct item_source *source, struct doc values)
{
    size_t count = source->reads->count;
    memset(source->values, 0, count * sizeof *source->values);
    for (struct doc_iter it = doc_iter(values); doc_next(&it);) {
        size_t index = 0;
        for (uint32_t i = 0; i < it.name.size; i++)
            index = index * 10 + (size_t)(it.name.data[i] - '0');
        if (index < count)
            source->values[index] = it.value;
    }
}

static void put_reply(struct guest *guest, int rc, uint32_t hooks_failed, const struct err *err)
{
    struct doc_writer w;
    buf_clear(&guest->reply);
    doc_begin(&w, &guest->reply);
    doc_put_int(&w, "c", rc != 0 ? REPLY_FAILED : REPLY_OK);
    if (hooks_failed != 0)
        doc_put_int(&w, "h", hooks_failed);
    if (rc != 0)
        doc_put_string(&w, "e", err->text);
    else if (guest->writes.size != 0)
        doc_put_binary(&w, "w", guest->writes.data, guest->writes.size);
    if (rc == 0 && guest->answer.size != 0)
        doc_put_doc(&w, "a", (struct doc){ guest->answer.data, (uint32_t)guest->answer.size });
    doc_end(&w);
}

static void work_off(struct guest *guest, struct doc item)
{
    struct item_source source = { .plugin = guest->plugin };
    struct plugin_source reader = { &source, read_item, read_item_state };
    struct kith_call call;
    struct err err;
    kith_fn *fn = find_fn(guest->plugin, item, &source.reads);
    int rc = fn != NULL ? 0 : err_set(&err, E_INVALID, "there is no such function");
    fill_values(&source, doc_child(item, "v"));
    source.states = doc_child(item, "s");
    call.plugin = guest->plugin;
    call.reads = source.reads;
    call.source = &reader;
    call.arguments = doc_child(item, "a");
    call.now = doc_int(item, "now", 0);
    call.writes = &guest->writes;
    call.answer = &guest->answer;
    if (rc == 0)
        rc = plugin_call(&call, fn, &err);
    put_reply(guest, rc, fn != NULL ? call.hooks_failed : 0, &err);
}

/* -- Lanes ------------------------------------------------------------------------------------- */

static void wake_parent(struct guest *guest)
{
    uint64_t one = 1;
    if (atomic_load(&guest->lanes->is_waiting) != 0 && write(FD_DONE, &one, sizeof one) < 0)
        _exit(EXIT_FAILURE); /* nobody could hear of anything any more */
}

/* One that finds no room is asked for again, by itself, where there is room for any. */
static void put_out(struct guest *guest, struct lane *lane)
{
    uint32_t size = atomic_load(&lane->out_size);
    if (guest->reply.size > LANE_BYTES - LANE_REPLY_LEAST - size) {
        struct doc_writer w;
        buf_clear(&guest->reply);
        doc_begin(&w, &guest->reply);
        doc_put_int(&w, "c", REPLY_NO_ROOM);
        doc_end(&w);
    }
    if (guest->reply.size > LANE_BYTES - size)
        _exit(EXIT_FAILURE); /* so many items are never in a batch */
    memcpy(lane->out + size, guest->reply.data, guest->reply.size);
    atomic_store(&lane->out_size, size + (uint32_t)guest->reply.size);
}

static void work_off_lane(struct guest *guest, struct lane *lane)
{
    for (uint32_t at = 0, i = 0; i < lane->count; i++) {
        struct doc item = { lane->in + at, 0 };
        memcpy(&item.size, item.data, sizeof item.size);
        work_off(guest, item);
        put_out(guest, lane);
        at += item.size;
        atomic_store(&lane->done, i + 1);
        wake_parent(guest);
    }
}

static void *work(void *arg)
{
    struct guest *guest = arg;
    atomic_store(&guest->lanes->worker, (uint32_t)syscall(SYS_gettid));
    uint32_t seen[LANES] = { 0 };
    for (;;) {
        uint64_t count;
        if (read(FD_POSTED, &count, sizeof count) < 0 && errno != EINTR)
            _exit(EXIT_FAILURE);
        for (size_t i = 0; i < LANES; i++)
            if (atomic_load(&guest->lanes->lane[i].posted) != seen[i]) {
                seen[i]++;
                work_off_lane(guest, &guest->lanes->lane[i]);
            }
    }
    return NULL;
}

/* -- Beginning --------------------------------------------------------------------------------- */

#ifndef __has_feature /* clang's way to say it */
#define __has_feature(feature) 0
#endif

/* A sanitizer takes terabytes of addresses for itself. */
static void limit_memory(void)
{
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ && \
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
    struct rlimit memory = { GUEST_BYTES_MAX, GUEST_BYTES_MAX };
    setrlimit(RLIMIT_DATA, &memory);
#endif
}

static void confine(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit_memory(); /* had it died before we asked to be told, its socket would tell */
}

static int load(struct plugin **out_plugin, struct err *err)
{
    struct buf wanted = BUF_INIT;
    int rc = frame_read(FD_SOCKET, -1, &wanted, err);
    if (rc == 0) {
        struct doc doc = { wanted.data, (uint32_t)wanted.size };
        struct plugin_options options = {
            .name = doc_text(doc, "name").data,
            .path = doc_text(doc, "path").data,
            .copy = FD_COPY,
            .grant = doc_child(doc, "grant"),
            .config = doc_child(doc, "config"),
            .is_for_trial = doc_bool(doc, "trial", false),
        };
        rc = plugin_load(&options, out_plugin, err);
    }
    buf_deinit(&wanted);
    return rc;
}

static int introduce(const struct plugin *plugin, int rc, const struct err *reason)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    struct err err;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "code", rc);
    if (rc != 0) {
        doc_put_string(&w, "error", reason->text);
    } else {
        doc_open(&w, "plugin");
        wire_put_plugin(&w, plugin);
        doc_close(&w);
    }
    int sent = frame_write(FD_SOCKET, doc_end(&w), &err);
    buf_deinit(&bytes);
    return sent;
}

struct plugin *guest_open(void)
{
    struct guest *guest = mem_zero(sizeof *guest);
    struct err err = { 0 };
    pthread_t thread;
    confine();
    guest->lanes =
        mmap(NULL, sizeof *guest->lanes, PROT_READ | PROT_WRITE, MAP_SHARED, FD_LANES, 0);
    int rc = guest->lanes != MAP_FAILED
                 ? load(&guest->plugin, &err)
                 : err_set(&err, E_IO, "no shared memory: %s", strerror(errno));
    if (introduce(guest->plugin, rc, &err) != 0 || rc != 0 ||
        pthread_create(&thread, NULL, work, guest) != 0) {
        plugin_free(guest->plugin);
        free(guest);
        return NULL;
    }
    pthread_detach(thread);
    return guest->plugin;
}

int guest_run(void)
{
    char byte;
    ssize_t got;
    if (guest_open() == NULL)
        return EXIT_FAILURE;
    do
        got = read(FD_SOCKET, &byte, 1);
    while (got > 0 || (got < 0 && errno == EINTR));
    return EXIT_SUCCESS;
}
