/* outside_take.c -- what the daemon hands to a plugin: messages, requests, erasures, answers.
 *
 * A document comes in and a struct of the contract goes to the plugin's function, with texts that
 * point into the document.  What comes while the plugin is in a call already waits for the next
 * turn of the loop: no plugin has to expect one of its functions inside of another.
 */
#include "core/outside/channel.h"
#include "core/outside/outside_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What has to wait. */
struct parcel {
    struct outside_item item; /* first */
    uv_timer_t handle;
    enum outside_down kind;
    uint64_t number;
    struct buf doc;
};

static struct kith_text text_field(struct doc doc, const char *name)
{
    struct text text = doc_text(doc, name);
    return (struct kith_text){ text.size != 0 ? text.data : "", text.size };
}

/* -- Messages ---------------------------------------------------------------------------------- */

static void send_message(struct outside *outside, size_t index, struct doc doc)
{
    const struct kith_channel *channel = &outside->plugin->channels[index];
    struct doc message = doc_child(doc, "message");
    const struct kith_message given = {
        .size = sizeof given,
        .effect = text_field(doc, "effect"),
        .attempt = doc_int(doc, "attempt", 1),
        .message = { message.data, message.size },
        .channel = kith_text(channel->name),
    };
    int64_t began = outside_enter(outside, CALL_SEND);
    channel->send(outside->self, &given);
    outside_leave(outside, CALL_SEND, began);
}

#define STATUS_WAIT_MS 1000 /* window 0 without a time of its own */
#define STATUS_WINDOW 100   /* of a channel that does not say */

void outside_status(struct outside *outside, size_t index, struct channel_status *out_status)
{
    const struct kith_channel *channel = &outside->plugin->channels[index];
    struct kith_channel_status status = { .size = sizeof status, .window = STATUS_WINDOW };
    status.channel = kith_text(channel->name);
    *out_status = (struct channel_status){ .wait_ms = STATUS_WAIT_MS };
    if (outside->is_winding_down || outside->is_inside)
        return;
    if (channel->status != NULL) {
        int64_t began = outside_enter(outside, CALL_STATUS);
        channel->status(outside->self, &status);
        outside_leave(outside, CALL_STATUS, began);
    }
    out_status->window = status.window;
    out_status->target = status.target;
    out_status->failures = status.failures;
    if (status.circuit <= KITH_HALF_OPEN)
        out_status->circuit = (enum channel_circuit)status.circuit;
    if (status.wait_ms > 0)
        out_status->wait_ms = status.wait_ms;
}

/* -- Requests ---------------------------------------------------------------------------------- */

/* [[name, value], ...] */
static struct kith_param *params_of(struct doc list, size_t *out_count)
{
    size_t count = doc_count(list), i = 0;
    struct kith_param *params = mem_zero((count + 1) * sizeof *params);
    for (struct doc_iter it = doc_iter(list); doc_next(&it) && i < count; i++) {
        struct doc pair = it.value.type == DOC_ARRAY ? it.value.doc : (struct doc){ NULL, 0 };
        params[i].name = text_field(pair, "0");
        params[i].value = text_field(pair, "1");
    }
    *out_count = count;
    return params;
}

/* It lives until it is answered, and so long keeps what it points to. */
struct request {
    struct outside_item item; /* first */
    uint64_t number;
    struct buf doc;
    struct kith_param *params, *headers;
    struct kith_request given;
    char *method;
    bool is_handled, is_answered; /* handle() is in it; that has answered */
};

static void request_free(struct request *request)
{
    outside_unlink(&request->item);
    buf_deinit(&request->doc);
    free(request->params);
    free(request->headers);
    free(request->method);
    free(request);
}

void outside_request_end(struct outside *outside, uint64_t number)
{
    for (struct outside_item *item = outside->requests; item != NULL; item = item->next)
        if (((struct request *)item)->number == number) {
            struct request *request = (struct request *)item;
            request->is_answered = true;
            if (!request->is_handled)
                request_free(request);
            return;
        }
}

bool outside_request_is_open(const struct outside *outside, uint64_t number)
{
    for (const struct outside_item *item = outside->requests; item != NULL; item = item->next)
        if (((const struct request *)item)->number == number)
            return !((const struct request *)item)->is_answered;
    return false;
}

void outside_requests_drop(struct outside *outside)
{
    for (struct outside_item *item = outside->requests, *next; item != NULL; item = next) {
        next = item->next;
        request_free((struct request *)item);
    }
}

static struct request *request_new(struct outside *outside, uint64_t number, struct doc doc)
{
    struct request *request = mem_zero(sizeof *request);
    buf_append(&request->doc, doc.data, doc.size);
    doc.data = request->doc.data;
    struct text method = doc_text(doc, "method");
    struct doc_value body = doc_get(doc, "body");
    request->number = number;
    request->method = mem_zero(method.size + 1);
    memcpy(request->method, method.data, method.size);
    request->given = (struct kith_request){
        .size = sizeof request->given,
        .id = number,
        .method = request->method,
        .path = text_field(doc, "path"),
        .query = text_field(doc, "query"),
        .key = text_field(doc, "key"),
        .staff = text_field(doc, "staff"),
        .peer = text_field(doc, "peer"),
    };
    if (body.type == DOC_BINARY) {
        request->given.body = body.binary.data;
        request->given.body_size = body.binary.size;
    }
    request->params = params_of(doc_child(doc, "params"), &request->given.param_count);
    request->headers = params_of(doc_child(doc, "headers"), &request->given.header_count);
    request->given.params = request->params;
    request->given.headers = request->headers;
    outside_link(&outside->requests, &request->item, outside);
    return request;
}

static void handle(struct outside *outside, uint64_t number, struct doc doc)
{
    size_t index = (size_t)doc_int(doc, "route", 0);
    ASSERT(index < outside->plugin->route_count);
    struct request *request = request_new(outside, number, doc);
    int64_t began = outside_enter(outside, CALL_ROUTE);
    request->is_handled = true;
    outside->plugin->routes[index].handle(outside->self, &request->given);
    request->is_handled = false;
    outside_leave(outside, CALL_ROUTE, began);
    if (request->is_answered)
        request_free(request);
}

/* -- Erasures ---------------------------------------------------------------------------------- */

static void erase(struct outside *outside, struct doc doc)
{
    uint64_t customer = (uint64_t)doc_int(doc, "customer", 0);
    int32_t status = KITH_OK;
    struct doc_writer w;
    if (outside->plugin->erased != NULL) {
        int64_t began = outside_enter(outside, CALL_ERASED);
        status = outside->plugin->erased(outside->self, customer);
        outside_leave(outside, CALL_ERASED, began);
    }
    if (status != KITH_OK)
        outside_failed(outside, CALL_ERASED);
    buf_clear(&outside->scratch);
    doc_begin(&w, &outside->scratch);
    doc_put_int(&w, "customer", (int64_t)customer);
    doc_put_int(&w, "status", status);
    outside_up(outside, OUTSIDE_ERASED, 0, doc_end(&w));
}

/* -- Secrets ----------------------------------------------------------------------------------- */

static void reread(struct outside *outside)
{
    struct plugin *plugin = (struct plugin *)outside->plugin; /* its secrets are ours to change */
    bool is_changed = false;
    struct err err;
    if (plugin_reread(plugin, &is_changed, &err) != 0) {
        char line[PLUGIN_LINE_BYTES_MAX];
        snprintf(line, sizeof line, "the secrets in use are kept: %s", err.text);
        outside_say(outside, KITH_WARNING, line);
    } else if (is_changed && plugin->reread != NULL) {
        int64_t began = outside_enter(outside, CALL_REREAD);
        plugin->reread(outside->self);
        outside_leave(outside, CALL_REREAD, began);
    }
}

/* -- Now or in a moment ------------------------------------------------------------------------ */

static void take(struct outside *outside, enum outside_down kind, uint64_t number, struct doc doc)
{
    switch (kind) {
    case OUTSIDE_ANSWER:
        outside_answer(outside, number, doc);
        break;
    case OUTSIDE_SEND:
        ASSERT(number < outside->plugin->channel_count);
        send_message(outside, (size_t)number, doc);
        break;
    case OUTSIDE_REQUEST:
        handle(outside, number, doc);
        break;
    case OUTSIDE_LATE:
        outside_request_end(outside, number);
        break;
    case OUTSIDE_ERASE:
        erase(outside, doc);
        break;
    case OUTSIDE_REREAD:
        reread(outside);
        break;
    }
}

static void parcel_close(struct parcel *parcel)
{
    buf_deinit(&parcel->doc);
    outside_close_item(&parcel->item, (uv_handle_t *)&parcel->handle);
}

static void on_turn(uv_timer_t *handle)
{
    struct parcel *parcel = handle->data;
    struct outside *outside = parcel->item.outside;
    struct doc doc = { parcel->doc.data, (uint32_t)parcel->doc.size };
    if (!outside->is_over)
        take(outside, parcel->kind, parcel->number, doc);
    parcel_close(parcel);
}

static void put_off(struct outside *outside, enum outside_down kind, uint64_t number,
                    struct doc doc)
{
    struct parcel *parcel = mem_zero(sizeof *parcel);
    parcel->kind = kind;
    parcel->number = number;
    buf_append(&parcel->doc, doc.data, doc.size);
    outside_link(&outside->parcels, &parcel->item, outside);
    outside_hold(outside);
    uv_timer_init(outside->loop, &parcel->handle);
    parcel->handle.data = parcel;
    uv_timer_start(&parcel->handle, on_turn, 0, 0);
}

void outside_parcels_drop(struct outside *outside)
{
    while (outside->parcels != NULL)
        parcel_close((struct parcel *)outside->parcels);
}

void outside_down(struct outside *outside, enum outside_down kind, uint64_t number, struct doc doc)
{
    if (outside->is_over)
        return;
    if (outside->is_inside)
        put_off(outside, kind, number, doc);
    else
        take(outside, kind, number, doc);
}
