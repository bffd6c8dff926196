/* batch.c -- see batch.h.
 *
 * The last batch is always held back until batch_finish(), because it is the one that waits
 * for the engine: when it has been applied, so has everything before it.
 */
#include "core/cli/batch.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/cli/interrupt.h"

#include <stdio.h>
#include <stdlib.h>

#define ROW_CALLS_MAX 600 /* one row: every mapped column may be a consent */

struct item { /* a call's row */
    uint64_t line;
    size_t raw_at, raw_size;
};

struct batch {
    struct client *client;
    char *path;
    batch_refused_fn *refused;
    void *arg;
    struct buf body, raws;
    struct item items[BATCH_CALLS + ROW_CALLS_MAX];
    size_t count;
    uint64_t sent, refused_calls;
    bool is_waiting; /* and has said so */
    bool is_cut_off;
};

struct batch *batch_new(struct client *client, const char *path, batch_refused_fn *refused,
                        void *arg)
{
    struct batch *batch = mem_zero(sizeof *batch);
    batch->client = client;
    batch->path = mem_string(path);
    batch->refused = refused;
    batch->arg = arg;
    return batch;
}

void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    free(batch->path);
    buf_deinit(&batch->body);
    buf_deinit(&batch->raws);
    free(batch);
}

static void tell_refused(struct batch *batch, struct doc list)
{
    uint64_t line_before = 0;
    for (struct doc_iter it = doc_iter(list); doc_next(&it);) {
        int64_t index = doc_int(it.value.doc, "index", -1);
        if (index < 0 || (uint64_t)index >= batch->count)
            continue;
        const struct item *item = &batch->items[index];
        batch->refused_calls++;
        if (item->line == line_before)
            continue; /* one row, told once */
        line_before = item->line;
        batch->refused(batch->arg, item->line,
                       (struct text){ (const char *)batch->raws.data + item->raw_at,
                                      (uint32_t)item->raw_size },
                       doc_text(it.value.doc, "reason"));
    }
}

static void wait_for_daemon(struct batch *batch, const struct reply *reply)
{
    struct buf reason = BUF_INIT;
    if (!batch->is_waiting) {
        reply_reason(reply, &reason);
        fprintf(stderr, "kith: waiting for the daemon, which is asked again: %s\n",
                buf_string(&reason));
        batch->is_waiting = true;
    }
    buf_deinit(&reason);
    interrupt_sleep(1000 * (reply->retry_after_s > 0 ? reply->retry_after_s : 1));
}

static int refuse_whole(const struct reply *reply, struct err *err)
{
    struct buf reason = BUF_INIT;
    reply_reason(reply, &reason);
    int rc = err_set(err, E_INVALID, "%s", buf_string(&reason));
    buf_deinit(&reason);
    return rc;
}

/* One request, repeated for as long as the daemon is busy. */
static int post(struct batch *batch, const char *path, struct err *err)
{
    struct reply reply;
    for (;;) {
        if (interrupt_seen())
            return err_set(err, E_BUSY, "interrupted");
        int rc = client_call(batch->client, "POST", path, &batch->body, &reply, err);
        batch->is_cut_off = rc == E_IO;
        if (rc != 0)
            return rc;
        if (reply.status != 429 && reply.status != 503)
            break;
        wait_for_daemon(batch, &reply);
    }
    batch->is_waiting = false;
    if (reply.status < 200 || reply.status > 299)
        return refuse_whole(&reply, err);
    uint64_t refused_before = batch->refused_calls;
    tell_refused(batch, doc_child(reply.doc, "rejected"));
    tell_refused(batch, doc_child(reply.doc, "refused")); /* written, and without effect */
    batch->sent += batch->count - (batch->refused_calls - refused_before);
    return 0;
}

static int send(struct batch *batch, const char *path, struct err *err)
{
    buf_text(&batch->body, "]}");
    int rc = post(batch, path, err);
    buf_clear(&batch->body);
    buf_clear(&batch->raws);
    batch->count = 0;
    return rc;
}

int batch_add(struct batch *batch, struct text json, size_t calls, uint64_t line, struct text raw,
              struct err *err)
{
    bool is_full =
        batch->count + calls > BATCH_CALLS || batch->body.size + json.size + 4 > BATCH_SEND_BYTES;
    ASSERT(calls <= ROW_CALLS_MAX);
    if (is_full && batch->count != 0) {
        int rc = send(batch, batch->path, err);
        if (rc != 0)
            return rc;
    }
    buf_text(&batch->body, batch->count == 0 ? "{\"batch\":[" : ",");
    buf_append(&batch->body, json.data, json.size);
    for (size_t i = 0; i < calls; i++)
        batch->items[batch->count++] = (struct item){ line, batch->raws.size, raw.size };
    buf_append(&batch->raws, raw.data, raw.size);
    return 0;
}

int batch_flush(struct batch *batch, struct err *err)
{
    return batch->count != 0 ? send(batch, batch->path, err) : 0;
}

int batch_finish(struct batch *batch, struct err *err)
{
    if (batch->count == 0)
        return 0;
    struct buf path = BUF_INIT;
    buf_text(&path, batch->path);
    path_query(&path, "wait", "applied");
    int rc = send(batch, buf_string(&path), err);
    buf_deinit(&path);
    return rc;
}

uint64_t batch_sent(const struct batch *batch)
{
    return batch->sent;
}

uint64_t batch_refused(const struct batch *batch)
{
    return batch->refused_calls;
}

bool batch_is_cut_off(const struct batch *batch)
{
    return batch->is_cut_off;
}
