/* home_route.c -- the routes of plugins: a table beside Kith's own, and requests until they are
 * answered.
 *
 * A route is checked when the daemon starts (plugin_route.h), and against those of the other
 * plugins.  A request that has come through the
 * rows (key, scope, size of the body) goes down as a document; the call waits under a number, and
 * is ended by the reply, or by 504 after PLUGIN_REQUEST_MS, or by 503 when the plugin ends.
 */
#include "core/server/home_inside.h"

#include "core/base/utf8.h"
#include "core/http/http.h"
#include "core/server/call.h"
#include "core/server/plugin_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct home_request {
    struct home_request *next, **link;
    uv_timer_t timer;
    struct home_guest *guest;
    struct call *call;
    uint64_t number;
    bool is_waiting; /* for the next version: the guest has not seen it */
};

/* -- Requests ---------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* The call, for whoever answers it now. */
static struct call *end_request(struct home_request *request)
{
    struct call *call = request->call;
    *request->link = request->next;
    if (request->next != NULL)
        request->next->link = request->link;
    request->guest->request_count--;
    uv_close((uv_handle_t *)&request->timer, on_timer_closed);
    return call;
}

static void on_late(uv_timer_t *timer)
{
    struct home_request *request = timer->data;
    struct home_guest *guest = request->guest;
    uint64_t number = request->number;
    bool was_waiting = request->is_waiting;
    struct call *call = end_request(request);
    call_problem(call, 504, "the plugin %s has not answered in time", guest->plugin->name);
    if (!was_waiting)
        guest->face.down(guest->face.self, OUTSIDE_LATE, number, (struct doc){ NULL, 0 });
}

void home_requests_hurry(struct home_guest *guest)
{
    for (struct home_request *request = guest->requests; request != NULL; request = request->next)
        uv_timer_start(&request->timer, on_late, PLUGIN_STOP_MS, 0);
}

/* The last that the guest was handed, and has not answered. */
static struct home_request *last_at(const struct home_guest *guest)
{
    struct home_request *request = guest->requests;
    while (request != NULL && request->is_waiting)
        request = request->next;
    return request;
}

void home_requests_end(struct home_guest *guest, bool is_lost)
{
    for (struct home_request *request; (request = last_at(guest)) != NULL;) {
        struct call *call = end_request(request);
        if (is_lost)
            call_problem(call, 503, "the plugin %s crashed or did not answer", guest->plugin->name);
        else
            call_problem(call, 503, "the plugin %s has come to its end", guest->plugin->name);
    }
}

static struct home_request *begin_request(struct home_guest *guest, struct call *call)
{
    struct home_request *request = mem_zero(sizeof *request);
    struct home *home = guest->home;
    request->guest = guest;
    request->call = call;
    request->number = ++home->next_request;
    request->next = guest->requests;
    request->link = &guest->requests;
    if (request->next != NULL)
        request->next->link = &request->next;
    guest->requests = request;
    guest->request_count++;
    uv_timer_init(home->options.loop, &request->timer);
    request->timer.data = request;
    uv_timer_start(&request->timer, on_late, PLUGIN_REQUEST_MS, 0);
    return request;
}

/* -- Down -------------------------------------------------------------------------------------- */

static void put_pair(struct doc_writer *w, struct text name, struct text value)
{
    doc_open_array(w, "");
    doc_put_text(w, "", name);
    doc_put_text(w, "", value);
    doc_close(w);
}

static void put_params(struct doc_writer *w, const struct call *call)
{
    size_t index = 0;
    doc_open_array(w, "params");
    for (const char *at = strchr(call->route->path, '{'); at != NULL; at = strchr(at + 1, '{')) {
        struct text name = { at + 1, (uint32_t)strcspn(at + 1, "}") };
        put_pair(w, name, call->params[index++]);
    }
    if (index < call->param_count)
        put_pair(w, text_of("*"), call->params[index]);
    doc_close(w);
}

/* A key of ours is nobody's to see: whoever has it can do what its owner can. */
static bool is_ours(const struct call *call, const char *name)
{
    return strcasecmp(name, "Authorization") == 0 &&
           (call->route->scope != SCOPE_NONE || call->caller.name.size != 0);
}

/* A field that is no UTF-8 cannot stand in a document; its name can, and tells that it came. */
static void put_headers(struct doc_writer *w, const struct call *call)
{
    const char *name, *value;
    doc_open_array(w, "headers");
    for (size_t i = 0; http_field_at(call->request, i, &name, &value); i++)
        if (!is_ours(call, name))
            put_pair(w, text_of(name), text_of(utf8_valid(value, strlen(value)) ? value : ""));
    doc_close(w);
}

static struct doc request_doc(struct call *call, size_t index, struct buf *out)
{
    char peer[HTTP_ADDRESS_MAX];
    struct doc_writer w;
    size_t size;
    const void *body = http_body(call->request, &size);
    http_remote_address(call->request, peer);
    doc_begin(&w, out);
    doc_put_int(&w, "route", (int64_t)index);
    doc_put_string(&w, "method", http_method(call->request));
    doc_put_string(&w, "path", http_path(call->request));
    doc_put_string(&w, "query", http_query(call->request));
    put_params(&w, call);
    put_headers(&w, call);
    doc_put_binary(&w, "body", size != 0 ? body : "", size);
    doc_put_present(&w, "key", call->caller.name);
    doc_put_present(&w, "staff", call->caller.staff);
    doc_put_string(&w, "peer", peer);
    return doc_end(&w);
}

static bool is_text(const char *text)
{
    return utf8_valid(text, strlen(text));
}

/* The row was found in a table that may be a former one.  Whoever was let in there is let in by the
 * plugin as it is now when its route says the same; SIZE_MAX: it has no such route. */
static size_t index_now(const struct home_guest *guest, const struct home_route *route)
{
    const struct kith_route *then = &route->plugin->routes[route->index];
    if (route->plugin == guest->plugin)
        return route->index;
    for (size_t i = 0; i < guest->plugin->route_count; i++) {
        const struct kith_route *now = &guest->plugin->routes[i];
        if (strcmp(then->method, now->method) == 0 && strcmp(then->path, now->path) == 0 &&
            then->auth == now->auth && then->body_max == now->body_max)
            return i;
    }
    return SIZE_MAX;
}

static void hand_down(struct home_request *request)
{
    struct home_guest *guest = request->guest;
    size_t index = index_now(guest, request->call->route->plugin);
    struct buf bytes = BUF_INIT;
    request->is_waiting = false;
    if (index == SIZE_MAX) {
        call_problem(end_request(request), 503,
                     "the plugin %s was reloaded, and this route is another now: ask again",
                     guest->plugin->name);
        return;
    }
    struct doc doc = request_doc(request->call, index, &bytes);
    guest->face.down(guest->face.self, OUTSIDE_REQUEST, request->number, doc);
    buf_deinit(&bytes);
}

/* In the order in which they came; who answers at once, answers from inside. */
void home_requests_go_on(struct home_guest *guest)
{
    for (;;) {
        struct home_request *first = NULL;
        for (struct home_request *at = guest->requests; at != NULL; at = at->next)
            if (at->is_waiting)
                first = at;
        if (first == NULL)
            return;
        if (guest->state == GUEST_SERVING)
            hand_down(first);
        else
            call_problem(end_request(first), 503, "the plugin %s does not run",
                         guest->plugin->name);
    }
}

size_t home_requests_at(const struct home_guest *guest)
{
    size_t count = 0;
    for (const struct home_request *at = guest->requests; at != NULL; at = at->next)
        count += !at->is_waiting;
    return count;
}

/* Between two versions a request waits, and until a process of its own has started. */
static bool may_wait(const struct home_guest *guest)
{
    return guest->state == GUEST_LEAVING || guest->state == GUEST_CHANGING ||
           guest->state == GUEST_STARTING;
}

static void handle(struct call *call)
{
    const struct home_route *route = call->route->plugin;
    struct home_guest *guest = route->guest;
    if (call->route->scope == SCOPE_WRITE && call->caller.name.size == 0) {
        call_problem(call, 401, "a key is needed: Authorization: Bearer KEY");
        return;
    }
    if ((guest->state != GUEST_SERVING && !may_wait(guest)) || guest->home->is_winding_down) {
        call_problem(call, 503, "the plugin %s does not run", guest->plugin->name);
        return;
    }
    if (guest->request_count >= PLUGIN_REQUESTS_MAX) {
        call_problem(call, 503, "the plugin %s has %d requests to answer", guest->plugin->name,
                     PLUGIN_REQUESTS_MAX);
        return;
    }
    if (!is_text(http_path(call->request)) || !is_text(http_query(call->request))) {
        call_problem(call, 400, "the path or the query is not UTF-8");
        return;
    }
    struct home_request *request = begin_request(guest, call);
    if (may_wait(guest))
        request->is_waiting = true;
    else
        hand_down(request);
}

/* -- Up: the reply ----------------------------------------------------------------------------- */

static bool is_type(const char *name)
{
    return strcasecmp(name, "Content-Type") == 0;
}

static int check_headers(struct doc headers, struct err *err)
{
    for (struct doc_iter it = doc_iter(headers); doc_next(&it);) {
        struct doc pair = it.value.type == DOC_ARRAY ? it.value.doc : (struct doc){ NULL, 0 };
        struct text name = doc_text(pair, "0"), value = doc_text(pair, "1");
        bool is_whole = name.size != 0 && memchr(name.data, '\0', name.size) == NULL &&
                        (value.size == 0 || memchr(value.data, '\0', value.size) == NULL);
        if (!is_whole || http_check_field(is_type(name.data) ? "X" : name.data, value.data) != 0)
            return err_set(err, E_INVALID,
                           "header %.*s: its name or value cannot stand there, or is the host's "
                           "to set",
                           (int)name.size, name.data != NULL ? name.data : "");
    }
    return 0;
}

static const char *add_headers(struct http_request *request, struct doc headers)
{
    const char *type = NULL;
    for (struct doc_iter it = doc_iter(headers); doc_next(&it);) {
        struct text name = doc_text(it.value.doc, "0"), value = doc_text(it.value.doc, "1");
        if (is_type(name.data))
            type = value.data;
        else
            http_add_field(request, name.data, value.data);
    }
    return type;
}

int home_reply(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err)
{
    struct home_request *request = guest->requests;
    struct doc headers = doc_child(doc, "headers");
    struct doc_value body = doc_get(doc, "body");
    int64_t status = doc_int(doc, "status", 0);
    while (request != NULL && request->number != number)
        request = request->next;
    if (request == NULL)
        return err_set(err, E_NOTFOUND, "request %llu has been answered, or never was",
                       (unsigned long long)number);
    if (status < 200 || status > 599)
        return err_set(err, E_INVALID, "a status is 200 to 599");
    int rc = check_headers(headers, err);
    if (rc != 0)
        return rc;
    struct call *call = end_request(request);
    struct text bytes = { "", 0 };
    if (body.type == DOC_BINARY)
        bytes = (struct text){ (const char *)body.binary.data, body.binary.size };
    const char *type = add_headers(call->request, headers);
    if (type == NULL && bytes.size != 0)
        type = "application/octet-stream";
    call_reply_text(call, (int)status, type, bytes);
    return 0;
}

/* -- The table --------------------------------------------------------------------------------- */

static int check_against_others(const struct home_table *table, const struct route *route,
                                struct err *err)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct route *other = &table->routes[i];
        if (other->plugin->guest != route->plugin->guest &&
            plugin_route_overlaps(other->path, route->path) &&
            plugin_route_methods_meet(other->method, route->method))
            return err_set(err, E_INVALID, "the route %s %s is answered by two plugins, %s and %s",
                           route->method, route->path, other->plugin->guest->plugin->name,
                           route->plugin->guest->plugin->name);
    }
    return 0;
}

static enum api_scope scope_of(uint32_t auth)
{
    static const enum api_scope scopes[] = {
        [KITH_AUTH_NONE] = SCOPE_NONE,   [KITH_AUTH_WRITE] = SCOPE_WRITE,
        [KITH_AUTH_READ] = SCOPE_READ,   [KITH_AUTH_STAFF] = SCOPE_STAFF,
        [KITH_AUTH_ADMIN] = SCOPE_ADMIN,
    };
    return scopes[auth];
}

static int add_route(struct home_table *table, struct home_guest *guest,
                     const struct plugin *plugin, size_t index, struct err *err)
{
    const struct kith_route *theirs = &plugin->routes[index];
    struct home_route *owner = &table->owners[table->count];
    *owner = (struct home_route){ .guest = guest, .plugin = plugin, .index = index };
    const struct route route = {
        .method = theirs->method,
        .path = theirs->path,
        .scope = scope_of(theirs->auth),
        .body_max = theirs->body_max,
        .handle = handle,
        .summary = theirs->summary != NULL ? theirs->summary : "A route of a plugin",
        .answer = "bytes",
        .plugin = owner,
    };
    int rc = plugin_route_check(plugin, index, err);
    if (rc == 0)
        rc = check_against_others(table, &route, err);
    if (rc == 0)
        rc = home_read_openapi(owner, err);
    if (rc == 0)
        table->routes[table->count++] = route;
    return rc;
}

int home_make_table(struct home *home, const struct home_guest *guest, const struct plugin *plugin,
                    struct home_table **out_table, struct err *err)
{
    struct home_table *table = mem_zero(sizeof *table);
    size_t count = plugin != NULL ? plugin->route_count : 0;
    int rc = 0;
    for (size_t i = 0; i < home->guest_count; i++)
        count += home->guests[i].plugin->route_count;
    table->routes = mem_zero((count + 1) * sizeof *table->routes); /* the last one ends it */
    table->owners = mem_zero((count + 1) * sizeof *table->owners);
    for (size_t i = 0; i < home->guest_count; i++) {
        struct home_guest *other = &home->guests[i];
        const struct plugin *its = plugin != NULL && other == guest ? plugin : other->plugin;
        for (size_t j = 0; rc == 0 && j < its->route_count; j++)
            rc = add_route(table, other, its, j, err);
    }
    if (rc == 0)
        *out_table = table;
    else
        home_table_free(table);
    return rc;
}

void home_table_free(struct home_table *table)
{
    while (table != NULL) {
        struct home_table *former = table->former;
        for (size_t i = 0; i < table->count; i++)
            buf_deinit(&table->owners[i].openapi_bytes);
        free(table->routes);
        free(table->owners);
        free(table);
        table = former;
    }
}

const struct route *home_routes(const struct home *home)
{
    return home->table->routes;
}
