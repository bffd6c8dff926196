/* outside_fetch.c -- requests of a plugin to somebody else, over the host's own client.
 *
 * A plugin has two clients: one that refuses addresses of private networks, and, where it was
 * granted that, one that does not.  They share no connections, so that the first cannot use what
 * the second has opened.  Both are made when they are wanted first.
 */
#include "core/base/form.h"
#include "core/base/utf8.h"
#include "core/outside/fetch.h"
#include "core/outside/outside_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 30000
#define ANSWER_BYTES (64u << 10)
#define EFFECT_BYTES 64
#define DETAIL_BYTES 300

struct fetching {
    struct outside_item item; /* first */
    kith_done_fn *done;
    void *arg;
    char effect[EFFECT_BYTES + 1]; /* of the message that it carries */
    int64_t attempt;
    struct buf message; /* what is told of it */
};

static void fetching_free(struct fetching *fetching)
{
    fetching->item.outside->fetch_count--;
    outside_unlink(&fetching->item);
    buf_deinit(&fetching->message);
    free(fetching);
}

/* The error, or what was answered; control characters are nobody's words. */
static void put_detail(struct doc_writer *w, const struct fetch_result *result)
{
    char words[DETAIL_BYTES];
    int size = result->body_size < DETAIL_BYTES - 40 ? (int)result->body_size : DETAIL_BYTES - 40;
    if (result->error != NULL)
        snprintf(words, sizeof words, "%s", result->error);
    else
        snprintf(words, sizeof words, "it answered %d%s%.*s", result->status, size != 0 ? ": " : "",
                 size, size != 0 ? (const char *)result->body : "");
    for (char *at = words; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    size_t valid = utf8_valid_prefix(words, strlen(words));
    doc_put_text(w, "detail", (struct text){ words, (uint32_t)valid });
}

static struct doc answer_doc(const struct fetching *fetching, const struct fetch_result *result,
                             struct buf *out)
{
    struct doc_writer w;
    doc_begin(&w, out);
    if (fetching->effect[0] != '\0') {
        doc_put_string(&w, "effect", fetching->effect);
        doc_put_int(&w, "attempt", fetching->attempt);
    }
    if (fetching->message.size != 0)
        doc_put_doc(&w, "message",
                    (struct doc){ fetching->message.data, (uint32_t)fetching->message.size });
    put_detail(&w, result);
    if (result->error != NULL)
        doc_put_string(&w, "error", result->error);
    if (result->is_unsent)
        doc_put_bool(&w, "unsent", true);
    if (result->status == 0)
        return doc_end(&w);
    doc_put_int(&w, "status", result->status);
    if (result->retry_after_ms >= 0)
        doc_put_int(&w, "retry_after", result->retry_after_ms);
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
    struct doc doc = answer_doc(fetching, result, &bytes);
    fetching_free(fetching);
    if (status != KITH_OK)
        outside_failed(outside, CALL_FETCH);
    if (done != NULL) {
        int64_t began = outside_enter(outside, CALL_DONE);
        done(done_arg, status, (struct kith_doc){ doc.data, doc.size });
        outside_leave(outside, CALL_DONE, began);
    }
    buf_deinit(&bytes);
}

static struct fetch *client(struct outside *outside, bool is_private)
{
    struct fetch **fetch = is_private ? &outside->private_fetch : &outside->public_fetch;
    if (*fetch == NULL)
        *fetch = fetch_open(outside->loop, is_private);
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
    if (wanted->effect.size > EFFECT_BYTES)
        return outside_refuse(outside, KITH_LIMIT, "no effect has an id of %zu bytes",
                              wanted->effect.size);
    if (wanted->timeout_ms < 0 || wanted->timeout_ms > PLUGIN_FETCH_MS_MAX)
        return outside_refuse(outside, KITH_LIMIT, "timeout_ms is at most %d", PLUGIN_FETCH_MS_MAX);
    if ((wanted->flags & ~(uint32_t)(KITH_FETCH_PRIVATE | KITH_FETCH_ONCE)) != 0)
        return outside_refuse(outside, KITH_INVALID, "this host does not know these flags");
    return KITH_OK;
}

static int32_t begin_fetch(struct outside *outside, const struct kith_fetch *wanted,
                           kith_done_fn *done, void *arg)
{
    bool is_private = (wanted->flags & KITH_FETCH_PRIVATE) != 0;
    struct doc message;
    int32_t code = check(outside, wanted);
    if (code == KITH_OK)
        code = outside_check(outside, "the message", wanted->message, &message);
    if (code == KITH_OK && is_private)
        code = outside_allow(outside, "fetch-private");
    if (code == KITH_OK && wanted->ca != NULL && access(wanted->ca, R_OK) != 0)
        code = outside_refuse(outside, KITH_INVALID, "cannot read %s", wanted->ca);
    if (code != KITH_OK)
        return code;
    const struct fetch_request request = {
        .method = wanted->method,
        .url = wanted->url,
        .headers = wanted->headers,
        .body = wanted->body,
        .size = wanted->body_size,
        .timeout_ms = wanted->timeout_ms != 0 ? wanted->timeout_ms : TIMEOUT_MS,
        .answer_max = wanted->answer_max != 0 ? wanted->answer_max : ANSWER_BYTES,
        .ca = wanted->ca,
        .credentials = wanted->credentials,
        .is_once = (wanted->flags & KITH_FETCH_ONCE) != 0,
    };
    struct fetching *fetching = mem_zero(sizeof *fetching);
    fetching->done = done;
    fetching->arg = arg;
    if (wanted->effect.size != 0)
        memcpy(fetching->effect, wanted->effect.data, wanted->effect.size);
    fetching->attempt = wanted->attempt;
    buf_append(&fetching->message, message.data, message.size);
    outside_link(&outside->fetches, &fetching->item, outside);
    outside->fetch_count++;
    int rc = fetch_send(client(outside, is_private), &request, on_done, fetching, &outside->err);
    if (rc != 0)
        fetching_free(fetching);
    return outside_code(rc);
}

/* The form in place of the body, and its type among the headers. */
static int32_t put_form(struct outside *outside, struct kith_fetch *wanted, struct buf *form,
                        const char *headers[FETCH_HEADERS_MAX])
{
    size_t count = 0;
    struct doc doc;
    if (wanted->form.size == 0)
        return KITH_OK;
    int32_t code = outside_check(outside, "the form", wanted->form, &doc);
    if (code == KITH_OK && form_write(doc, form, &outside->err) != 0)
        return outside_refuse(outside, KITH_INVALID, "%s", outside->err.text);
    for (const char *const *header = wanted->headers;
         header != NULL && *header != NULL && count < FETCH_HEADERS_MAX - 2; header++)
        headers[count++] = *header;
    headers[count] = "Content-Type: application/x-www-form-urlencoded";
    wanted->headers = headers;
    wanted->body = buf_string(form);
    wanted->body_size = form->size;
    return code;
}

static int32_t fetch(struct outside *outside, const struct kith_fetch *theirs, kith_done_fn *done,
                     void *arg)
{
    struct kith_fetch wanted;
    struct buf form = BUF_INIT;
    const char *headers[FETCH_HEADERS_MAX] = { NULL };
    OUTSIDE_READ(wanted, theirs);
    int32_t code = put_form(outside, &wanted, &form, headers);
    if (code == KITH_OK)
        code = begin_fetch(outside, &wanted, done, arg);
    buf_deinit(&form);
    return code;
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
