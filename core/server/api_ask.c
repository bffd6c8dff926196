/* api_ask.c -- requests to the interface from inside of the daemon; see api.h.
 *
 * A plugin may do what a key may do, by the same routes, checked by the same rows: that is why
 * there is no second interface for it to learn and for us to keep safe.  What is spared is the
 * network, and JSON where both sides have a document at hand: a body goes into the call as it is,
 * unless it has to be remembered by an Idempotency-Key or the handler reads bytes; an answer comes
 * out of call_reply() as it is.
 *
 *     api_ask() -- request, row -- call -- is she one of the staff? -- as any other call
 */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/engine/read.h"
#include "core/http/http.h"
#include "core/http/http_local.h"
#include "core/server/call.h"

#include <stdlib.h>
#include <string.h>

/* Whoever waits for an answer that comes as bytes. */
struct asker {
    struct api *api;
    void (*answered)(void *arg, int status, struct doc answer);
    void *arg;
};

/* -- Answers ----------------------------------------------------------------------------------- */

static bool is_json(const char *type)
{
    return type != NULL &&
           (strncmp(type, "application/json", 16) == 0 || strcmp(type, HTTP_PROBLEM_TYPE) == 0);
}

static struct doc wrap(struct buf *out, const char *type, const void *body, size_t size)
{
    struct doc_writer w;
    buf_clear(out);
    doc_begin(&w, out);
    if (type != NULL)
        doc_put_string(&w, "type", type);
    doc_put_binary(&w, "body", size != 0 ? body : "", size);
    return doc_end(&w);
}

static void on_answered(void *arg, int status, const char *content_type, const void *body,
                        size_t size)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX };
    struct asker *asker = arg;
    struct buf bytes = BUF_INIT;
    struct doc answer = { NULL, 0 };
    if (size == 0 || !is_json(content_type) ||
        json_to_doc(asker->api->reader, body, size, &limits, &bytes, &answer, NULL) != 0)
        answer = wrap(&bytes, content_type, body, size);
    asker->answered(asker->arg, status, answer);
    buf_deinit(&bytes);
    free(asker);
}

/* The answer as it is: the asker is not needed any more. */
static void on_document(void *arg, int status, struct doc answer)
{
    struct asker *asker = arg;
    asker->answered(asker->arg, status, answer);
    free(asker);
}

/* -- On whose behalf --------------------------------------------------------------------------- */

static void look_up_staff(struct engine *engine, struct call *call)
{
    struct err err;
    buf_clear(&call->out);
    int rc = read_staff_member(engine, call->caller.staff, &call->out, &err);
    buf_clear(&call->out);
    call->is_behind = rc != 0;
}

static void on_staff(struct call *call)
{
    bool is_unknown = call->is_behind;
    call->is_behind = false;
    if (is_unknown)
        call_problem(call, 403, "nobody called %.*s works here", (int)call->caller.staff.size,
                     call->caller.staff.data);
    else
        call_enter_inside(call);
}

/* -- Asking ------------------------------------------------------------------------------------ */

static void put_field(struct buf *out, const char *name, const char *value, size_t size)
{
    buf_text(out, name);
    buf_text(out, ": ");
    buf_append(out, value, size);
    buf_text(out, "\r\n");
}

static bool is_line(struct text text)
{
    for (uint32_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return true;
}

static int make_request(struct asker *asker, const struct api_ask *ask, struct buf *body,
                        struct http_request **out_request, struct err *err)
{
    struct buf fields = BUF_INIT;
    int rc = 0;
    const char *type = ask->content_type;
    if (type == NULL && ask->body.data != NULL)
        type = "application/json";
    if (!is_line(ask->key) || !is_line(ask->match) || (type != NULL && !is_line(text_of(type))))
        rc = err_set(err, E_INVALID, "the key or the type has more than one line");
    if (ask->key.size != 0)
        put_field(&fields, "Idempotency-Key", ask->key.data, ask->key.size);
    if (ask->match.size != 0)
        put_field(&fields, "If-Match", ask->match.data, ask->match.size);
    if (type != NULL)
        put_field(&fields, "Content-Type", type, strlen(type));
    if (rc == 0)
        rc = http_local_new(ask->method, ask->path, buf_string(&fields), body, on_answered, asker,
                            out_request, err);
    buf_deinit(&fields);
    return rc;
}

/* What a handler reads as bytes, or what has to be told from another, is JSON after all. */
static bool needs_json(const struct route *route, const struct api_ask *ask)
{
    return ask->body.data != NULL && (!route->takes_json || ask->key.size != 0);
}

static void begin_call(struct api *api, const struct api_ask *ask, struct asker *asker,
                       struct http_request *request, const struct route *route)
{
    struct call *call = call_new(api, request, route);
    call->caller = *ask->caller;
    call->caller.name = arena_text(&call->arena, ask->caller->name);
    call->caller.staff = arena_text(&call->arena, ask->caller->staff);
    call->caller.is_inside = true;
    call->answered = on_document;
    call->answered_arg = asker;
    if (ask->body.data != NULL && route->takes_json && ask->key.size == 0)
        call->body = arena_doc(&call->arena, ask->body);
    if (call->caller.staff.size != 0)
        call_ask(call, look_up_staff, on_staff);
    else
        call_enter_inside(call);
}

static const struct route *find(const struct api *api, const struct api_ask *ask,
                                const struct route **out_any)
{
    size_t size = strcspn(ask->path, "?");
    char *path = mem_zero(size + 1);
    memcpy(path, ask->path, size);
    const struct route *route = api_find(api, ask->method, path, out_any);
    free(path);
    return route;
}

static bool is_endless(const struct route *route)
{
    return route->answer != NULL && strcmp(route->answer, "event-stream") == 0;
}

static void refuse(struct asker *asker, int status, const char *detail)
{
    struct buf body = BUF_INIT;
    http_problem_body(&body, status, detail);
    on_answered(asker, status, HTTP_PROBLEM_TYPE, body.data, body.size);
    buf_deinit(&body);
}

void api_ask(struct api *api, const struct api_ask *ask)
{
    struct asker *asker = mem_zero(sizeof *asker);
    *asker = (struct asker){ api, ask->answered, ask->arg };
    const struct route *any, *route = find(api, ask, &any);
    struct http_request *request = NULL;
    struct buf body = BUF_INIT;
    struct err err;
    if (route == NULL) {
        refuse(asker, any != NULL ? 405 : 404,
               any != NULL ? "this path has other methods: see /openapi.json"
                           : "there is nothing at this path: see /openapi.json");
        return;
    }
    if (is_endless(route)) {
        refuse(asker, 400, "what never ends can be asked for over the network only");
        return;
    }
    if (needs_json(route, ask))
        json_write_doc(&body, ask->body);
    else
        buf_append(&body, ask->bytes, ask->size);
    if (make_request(asker, ask, &body, &request, &err) != 0)
        refuse(asker, 400, err.text);
    else
        begin_call(api, ask, asker, request, route);
    buf_deinit(&body);
}
