/* outside_fetch.c -- requests of a plugin to somebody else, over the host's own client.
 *
 * A plugin has two clients: one that refuses addresses of private networks, and, where it was
 * granted that, one that does not.  They share no connections, so that the first cannot use what
 * the second has opened.  Both are made when they are wanted first.
 */
#include "core/server/fetch.h"
#include "core/server/outside_inside.h"

#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_MS 30000
#define ANSWER_BYTES (64u << 10)

struct fetching {
    struct outside_item item; /* first */
    kith_done_fn *done;
    void *arg;
};

static void fetching_free(struct fetching *fetching)
{
    fetching->item.outside->fetch_count--;
    outside_unlink(&fetching->item);
    free(fetching);
}

static struct doc answer_doc(const struct fetch_result *result, struct buf *out)
{
    struct doc_writer w;
    doc_begin(&w, out);
    if (result->error != NULL)
        doc_put_string(&w, "error", result->error);
    if (result->is_unsent)
        doc_put_bool(&w, "unsent", true);
    if (result->status == 0)
        return doc_end(&w);
    doc_put_int(&w, "status", result->status);
    doc_open_array(&w, "headers");
    for (size_t i = 0; i < result->header_count; i++) {
        doc_open_array(&w, "");
        doc_put_string(&w, "", result->headers[i].name);
        doc_put_string(&w, "", result->headers[i].value);
        doc_close(&w);
    }
    doc_close(&w);
    if (result->error == NULL)
        doc_put_binary(&w, "body", result->body_size != 0 ? result->body : "", result->body_size);
    return doc_end(&w);
}

static void on_done(void *arg, const struct fetch_result *result)
{
    struct fetching *fetching = arg;
    struct outside *outside = fetching->item.outside;
    kith_done_fn *done = fetching->done;
    void *done_arg = fetching->arg;
    struct buf bytes = BUF_INIT;
    int32_t status = result->error == NULL ? KITH_OK : result->is_too_large ? KITH_LIMIT : KITH_IO;
    fetching_free(fetching);
    if (status != KITH_OK)
        outside_failed(outside, CALL_FETCH);
    if (done != NULL) {
        struct doc doc = answer_doc(result, &bytes);
        int64_t began = outside_enter(outside, CALL_DONE);
        done(done_arg, status, (struct kith_doc){ doc.data, doc.size });
        outside_leave(outside, CALL_DONE, began);
    }
    buf_deinit(&bytes);
}

static struct fetch *client(struct outside *outside, bool is_private)
{
    struct fetch **fetch = is_private ? &outside->private_fetch : &outside->public_fetch;
    const struct fetch_options options = {
        .loop = outside->loop,
        .allow_private = is_private,
        .timeout_ms = TIMEOUT_MS,
    };
    if (*fetch == NULL) {
        int rc = fetch_open(&options, fetch, NULL);
        ASSERT(rc == 0); /* it has no url and no file that could be wrong */
    }
    return *fetch;
}

static int32_t check(struct outside *outside, const struct kith_fetch *wanted)
{
    if (outside->fetch_count >= PLUGIN_FETCHES_MAX)
        return outside_refuse(outside, KITH_BUSY, "%d fetches are under way", PLUGIN_FETCHES_MAX);
    if (wanted->url == NULL)
        return outside_refuse(outside, KITH_INVALID, "the url is missing");
    if (wanted->body_size > PLUGIN_FETCH_BYTES_MAX || wanted->answer_max > PLUGIN_FETCH_BYTES_MAX)
        return outside_refuse(outside, KITH_LIMIT, "bodies have at most %u bytes",
                              PLUGIN_FETCH_BYTES_MAX);
    if (wanted->timeout_ms < 0 || wanted->timeout_ms > PLUGIN_FETCH_MS_MAX)
        return outside_refuse(outside, KITH_LIMIT, "timeout_ms is at most %d", PLUGIN_FETCH_MS_MAX);
    if ((wanted->flags & ~(uint32_t)(KITH_FETCH_PRIVATE | KITH_FETCH_ONCE)) != 0)
        return outside_refuse(outside, KITH_INVALID, "this host does not know these flags");
    return KITH_OK;
}

static int32_t fetch(struct outside *outside, const struct kith_fetch *theirs, kith_done_fn *done,
                     void *arg)
{
    struct kith_fetch wanted;
    OUTSIDE_READ(wanted, theirs);
    bool is_private = (wanted.flags & KITH_FETCH_PRIVATE) != 0;
    int32_t code = check(outside, &wanted);
    if (code == KITH_OK && is_private)
        code = outside_allow(outside, "fetch-private");
    if (code == KITH_OK && wanted.ca != NULL && access(wanted.ca, R_OK) != 0)
        code = outside_refuse(outside, KITH_INVALID, "cannot read %s", wanted.ca);
    if (code != KITH_OK)
        return code;
    const struct fetch_request request = {
        .method = wanted.method,
        .url = wanted.url,
        .headers = wanted.headers,
        .body = wanted.body,
        .size = wanted.body_size,
        .timeout_ms = wanted.timeout_ms != 0 ? wanted.timeout_ms : TIMEOUT_MS,
        .answer_max = wanted.answer_max != 0 ? wanted.answer_max : ANSWER_BYTES,
        .ca = wanted.ca,
        .is_once = (wanted.flags & KITH_FETCH_ONCE) != 0,
    };
    struct fetching *fetching = mem_zero(sizeof *fetching);
    fetching->done = done;
    fetching->arg = arg;
    outside_link(&outside->fetches, &fetching->item, outside);
    outside->fetch_count++;
    int rc = fetch_send(client(outside, is_private), &request, on_done, fetching, &outside->err);
    if (rc != 0)
        fetching_free(fetching);
    return outside_code(rc);
}

static int32_t host_fetch(struct kith *kith, const struct kith_fetch *wanted, kith_done_fn *done,
                          void *arg)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, "fetch");
    if (code == KITH_OK)
        code = fetch(outside, wanted, done, arg);
    return outside_end(outside, CALL_FETCH, code);
}

void outside_fetch_host(struct kith_host *host)
{
    host->fetch = host_fetch;
}

void outside_fetch_drop(struct outside *outside)
{
    fetch_close(outside->public_fetch);
    fetch_close(outside->private_fetch);
    outside->public_fetch = outside->private_fetch = NULL;
    for (struct outside_item *item = outside->fetches, *next; item != NULL; item = next) {
        next = item->next;
        fetching_free((struct fetching *)item);
    }
}
