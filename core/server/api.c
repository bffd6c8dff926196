/* api.c -- from a request to its row in the tables; see api.h.
 *
 * A request is looked at twice.  On its head, so that nobody can make us read a body that we
 * would refuse: an unknown path, a method the path has not, a key that is none.  Whole, with
 * everything that needs its memory or the engine.
 *
 *     head    404, 405, 401, 403 where the key is known already
 *     whole   parameters, 413, key (over the engine if need be), names of the query, 415, JSON,
 *             handler
 *
 * Patterns are compared segment by segment with the path as it was sent: a row's literal
 * segments never need percent-encoding.  The rows are few enough to be walked.
 */
#include "core/server/api.h"

#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/http/http.h"
#include "core/script/settings.h"
#include "core/server/api_command.h"
#include "core/server/api_idempotency.h"
#include "core/server/auth.h"
#include "core/server/call.h"
#include "core/server/limiter.h"
#include "core/server/metrics.h"

#include <string.h>
#include <strings.h>

static const struct route *const tables[] = {
    routes_ingest,    routes_cloud,     routes_system,
    routes_customers, routes_reminders, routes_effects,
    routes_bundles,   routes_rules,     routes_stream,
    routes_admin,     routes_channels,  routes_links,
    routes_files,     routes_privacy,   routes_backup,
    routes_dry_run,   routes_templates, routes_records,
    routes_subjects,  routes_plugins,   NULL,
};

#define TABLES (sizeof tables / sizeof *tables - 1)

const struct route *api_table(const struct api *api, size_t index)
{
    return index < TABLES ? tables[index] : index == TABLES ? api->plugin_routes : NULL;
}

void api_init(struct api *api)
{
    api->reader = json_reader_new();
    api->limiter = limiter_new();
    api->calls = 0;
    api->dry_run = NULL;
}

void api_deinit(struct api *api)
{
    json_reader_free(api->reader);
    limiter_free(api->limiter);
    api->reader = NULL;
    api->limiter = NULL;
}

void api_keys_changed(struct api *api)
{
    auth_forget(api->auth);
}

/* -- Finding the row --------------------------------------------------------------------------- */

static bool is_tail(const char *pattern)
{
    return pattern[0] == '/' && pattern[1] == '*' && pattern[2] == '\0';
}

static bool pattern_fits(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        if (is_tail(pattern))
            return true;
        size_t pattern_size = strcspn(++pattern, "/"), size = strcspn(++path, "/");
        bool is_parameter = *pattern == '{';
        if (is_parameter ? size == 0 : size != pattern_size || memcmp(pattern, path, size) != 0)
            return false;
        pattern += pattern_size;
        path += size;
    }
    return *pattern == '\0' && *path == '\0';
}

/* How much a segment leaves open. */
static int freedom(const char *segment)
{
    return is_tail(segment) ? 2 : segment[1] == '{';
}

/* Of two patterns that fit the same path. */
static bool is_more_literal(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        if (freedom(a) != freedom(b))
            return freedom(a) < freedom(b);
        a += 1 + strcspn(a + 1, "/");
        b += 1 + strcspn(b + 1, "/");
    }
    return false;
}

static bool method_fits(const struct route *route, const char *method)
{
    return strcmp(method, route->method) == 0 || strcmp(route->method, "*") == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static bool is_better(const struct route *a, const struct route *b)
{
    if (b == NULL || is_more_literal(a->path, b->path))
        return true;
    return strcmp(b->method, "*") == 0 && !is_more_literal(b->path, a->path);
}

const struct route *api_find(const struct api *api, const char *method, const char *path,
                             const struct route **out_any)
{
    const struct route *best = NULL, *table;
    *out_any = NULL;
    for (size_t i = 0; (table = api_table(api, i)) != NULL; i++)
        for (const struct route *route = table; route->method != NULL; route++) {
            if (!pattern_fits(route->path, path))
                continue;
            *out_any = route;
            if (method_fits(route, method) && is_better(route, best))
                best = route;
        }
    return best;
}

static void add_allow(const struct api *api, struct http_request *request)
{
    struct buf allow = BUF_INIT;
    const struct route *table;
    for (size_t i = 0; (table = api_table(api, i)) != NULL; i++)
        for (const struct route *route = table; route->method != NULL; route++)
            if (strcmp(route->method, "*") != 0 && pattern_fits(route->path, http_path(request)))
                buf_printf(&allow, "%s, %s", route->method,
                           strcmp(route->method, "GET") == 0 ? "HEAD, " : "");
    buf_text(&allow, "OPTIONS");
    http_add_field(request, "Allow", buf_string(&allow));
    buf_deinit(&allow);
}

/* -- The head ---------------------------------------------------------------------------------- */

/* Before anything is answered, also by whoever reads the rest of the request: a browser that may
 * not see a refusal takes it for a broken line, and tries again for ever. */
static void allow_origins(struct http_request *request, const struct route *route)
{
    if (route->scope == SCOPE_WRITE)
        http_add_field(request, "Access-Control-Allow-Origin", "*");
}

/* OPTIONS: a browser asks before it sends, or somebody is curious. */
static void answer_options(const struct api *api, struct http_request *request,
                           const struct route *route)
{
    add_allow(api, request);
    if (route->scope == SCOPE_WRITE) {
        http_add_field(request, "Access-Control-Allow-Methods", "POST, OPTIONS");
        const char *wanted = http_field(request, "Access-Control-Request-Headers");
        http_add_field(request, "Access-Control-Allow-Headers",
                       wanted != NULL
                           ? wanted
                           : "Authorization, Content-Type, Content-Encoding, Idempotency-Key");
        http_add_field(request, "Access-Control-Max-Age", "86400");
    }
    http_respond(request, 204, NULL, NULL, 0);
}

/* OPTIONS *: of the server, whatever the path. */
static void answer_options_of_all(struct http_request *request)
{
    http_add_field(request, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    http_respond(request, 204, NULL, NULL, 0);
}

static void refuse(struct http_request *request, int status, const char *detail)
{
    if (status == 401)
        call_challenge(request);
    http_problem(request, status, detail);
}

static const char no_key[] = "a key is needed: Authorization: Bearer KEY";
static const char bad_key[] = "nobody has this key";

/* What the key lacks; admin would do as well, and staff for reading. */
static const char *weak_key(enum api_scope scope)
{
    switch (scope) {
    case SCOPE_WRITE:
        return "this key may not do that: the scope write is needed";
    case SCOPE_READ:
        return "this key may not do that: the scope read or staff is needed";
    case SCOPE_STAFF:
        return "this key may not do that: the scope staff is needed";
    case SCOPE_NONE:
    case SCOPE_ADMIN:
        break;
    }
    return "this key may not do that: the scope admin is needed";
}

/* 0, or the status with which a request of this head is refused. */
static int check_key(const struct api *api, struct http_request *request, const struct route *route)
{
    const char *authorization = http_field(request, "Authorization");
    struct call call = { .arena = ARENA_INIT };
    enum auth_answer answer = AUTH_ASK;
    int status = 0;
    if (route->scope == SCOPE_NONE || (authorization == NULL && route->scope == SCOPE_WRITE))
        return 0;
    if (authorization == NULL)
        return 401;
    answer =
        auth_find(api->auth, auth_secret(authorization, &call.arena), &call.arena, &call.caller);
    if (answer == AUTH_UNKNOWN)
        status = 401;
    else if (answer == AUTH_KNOWN && !call_may(&call, route->scope))
        status = 403;
    arena_deinit(&call.arena);
    return status;
}

static void on_head(void *arg, struct http_request *request)
{
    const struct api *api = arg;
    const struct route *any;
    const struct route *route = api_find(api, http_method(request), http_path(request), &any);
    bool is_options = route == NULL && strcmp(http_method(request), "OPTIONS") == 0;
    http_data_set(request, (void *)route);
    if (any != NULL)
        allow_origins(request, any);
    if (is_options && any != NULL) {
        answer_options(api, request, any);
    } else if (is_options && strcmp(http_path(request), "*") == 0) {
        answer_options_of_all(request);
    } else if (any == NULL) {
        refuse(request, 404, "there is nothing at this path: see /openapi.json");
    } else if (route == NULL) {
        add_allow(api, request);
        refuse(request, 405, "this path has other methods: see Allow");
    } else {
        int status = check_key(api, request, route);
        http_body_limit(request, route->body_max);
        if (status != 0)
            refuse(request, status,
                   status == 403                                  ? weak_key(route->scope)
                   : http_field(request, "Authorization") == NULL ? no_key
                                                                  : bad_key);
    }
}

/* -- The whole request ------------------------------------------------------------------------- */

static bool is_json_type(const char *type)
{
    size_t size = strcspn(type, "; ");
    return (size == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0);
}

/* False: answered. */
static bool read_body(struct call *call)
{
    const struct json_limits limits = { .depth_max = NESTING_MAX };
    const char *type = http_field(call->request, "Content-Type");
    struct err err;
    size_t size;
    const char *body = http_body(call->request, &size);
    if (!call->route->takes_json || size == 0 || call->body.data != NULL)
        return true;
    if (type != NULL && !is_json_type(type)) {
        call_problem(call, 415, "JSON is expected: Content-Type: application/json");
        return false;
    }
    int rc = json_to_doc(call->api->reader, body, size, &limits, &call->json, &call->body, &err);
    if (rc != 0)
        call_problem(call, 400, "%s", err.text);
    return rc == 0;
}

/* False: answered. */
static bool check_fields(struct call *call)
{
    const struct route *route = call->route;
    return !route->takes_json || route->fields == NULL ||
           fields_check(call, call->body, route->fields);
}

static bool is_listed(const char *names, const struct buf *name)
{
    for (const char *at = names; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if (size == name->size && memcmp(at, name->data, size) == 0)
            return true;
        at += size;
    }
    return false;
}

static void refuse_query(struct call *call, const struct buf *name)
{
    struct buf known = BUF_INIT;
    for (const char *at = call->route->queries; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        buf_printf(&known, "%s?%.*s=", known.size != 0 ? ", " : "", (int)size, at);
        at += size;
    }
    int size = (int)(name->size < 100 ? name->size : 100);
    bool is_text = utf8_valid(name->data, (size_t)size);
    call_problem(call, 400, "%s %s knows no ?%.*s=%s%s", call->route->method, call->route->path,
                 is_text ? size : 0, name->size != 0 ? (const char *)name->data : "",
                 known.size != 0 ? ", but: " : ", nor anything else in the query",
                 known.size != 0 ? buf_string(&known) : "");
    buf_deinit(&known);
}

/* A name that nobody reads would be a wish that nobody hears.  False: answered. */
static bool check_query(struct call *call)
{
    const char *cursor = http_query(call->request);
    struct buf name = BUF_INIT, value = BUF_INIT;
    if (call->route->plugin != NULL)
        return true; /* it looks itself */
    int rc = *cursor != '\0' ? http_query_next(&cursor, &name, &value) : E_NOTFOUND;
    while (rc == 0 && is_listed(call->route->queries, &name) && utf8_valid(value.data, value.size))
        rc = http_query_next(&cursor, &name, &value);
    if (rc == 0 && is_listed(call->route->queries, &name))
        call_problem(call, 400, "?%.*s= is not UTF-8", (int)name.size, (const char *)name.data);
    else if (rc == 0)
        refuse_query(call, &name);
    else if (rc != E_NOTFOUND)
        call_problem(call, 400, "the query holds a broken %%-escape");
    buf_deinit(&name);
    buf_deinit(&value);
    return rc == E_NOTFOUND;
}

/* The key's own rate, else that of kith.lua, which does not hold for admin.key: nobody locks
 * himself out.  False: answered. */
static bool take_token(struct call *call)
{
    struct api *api = call->api;
    const struct caller *caller = &call->caller;
    const struct rate *rate = caller->rate.count != 0 ? &caller->rate : &api->settings->rate;
    if (caller->name.size == 0 || caller->is_inside ||
        (text_is(caller->name, "admin") && caller->rate.count == 0))
        return true;
    call->retry_s =
        limiter_take(api->limiter, caller->name, rate, api->clock.boot_ms(api->clock.arg));
    if (call->retry_s == 0)
        return true;
    metrics_limited(api->metrics);
    call_problem(call, 429, "the key %.*s may call %u times in %u s: try again after Retry-After",
                 (int)caller->name.size, caller->name.data, rate->count, rate->period_ms / 1000);
    return false;
}

/* What is looked at as soon as it is known who calls.  Whose key is in the body comes to this
 * late, in call_admit(). */
static bool admit(struct call *call)
{
    bool is_known = call->caller.name.size != 0 || call->route->scope == SCOPE_NONE;
    return !is_known || (take_token(call) && idempotency_admit(call));
}

static void enter(struct call *call)
{
    if (check_query(call) && admit(call) && read_body(call) && check_fields(call))
        call->route->handle(call);
}

static void admitted(struct call *call)
{
    if (call_may(call, call->route->scope))
        enter(call);
    else
        call_problem(call, 403, "%s", weak_key(call->route->scope));
}

static void ask_engine(struct engine *engine, struct call *call)
{
    auth_look_up(engine, &call->arena, call->data);
}

struct admission {
    struct auth_question question; /* first: call->data points to it */
    void (*done)(struct call *call);
};

static void engine_answered(struct call *call)
{
    struct admission *admission = call->data;
    call->data = NULL;
    auth_remember(call->api->auth, &admission->question);
    call->caller = admission->question.caller;
    if (!admission->question.is_known && call->route->scope != SCOPE_NONE)
        call_problem(call, 401, "%s", bad_key);
    else
        admission->done(call);
}

/* Who has the secret: now, or when the engine has looked.  Where no key is needed it may be
 * nobody's. */
static void identify(struct call *call, struct text secret, void (*done)(struct call *call))
{
    switch (auth_find(call->api->auth, secret, &call->arena, &call->caller)) {
    case AUTH_KNOWN:
        done(call);
        break;
    case AUTH_UNKNOWN:
        if (call->route->scope == SCOPE_NONE)
            done(call);
        else
            call_problem(call, 401, "%s", secret.size != 0 ? bad_key : no_key);
        break;
    case AUTH_ASK: {
        struct admission *admission = arena_alloc(&call->arena, sizeof *admission);
        auth_ask(call->api->auth, secret, &admission->question);
        admission->done = done;
        call->data = admission;
        call_ask(call, ask_engine, engine_answered);
        break;
    }
    }
}

static void admitted_late(struct call *call)
{
    if (!call_may(call, SCOPE_WRITE))
        call_problem(call, 403, "%s", weak_key(SCOPE_WRITE));
    else if (admit(call))
        call->worked(call);
}

void call_admit(struct call *call, struct text secret, void (*done)(struct call *call))
{
    call->worked = done; /* free while nothing is at work */
    identify(call, secret, admitted_late);
}

/* All that is left of the path, decoded. */
static bool read_tail(struct call *call, const char *path, struct buf *rest)
{
    buf_clear(rest);
    if (http_decode(path + 1, strlen(path + 1), false, rest) != 0 ||
        !utf8_valid(rest->data, rest->size))
        return false;
    const struct text text = { rest->size != 0 ? (const char *)rest->data : "",
                               (uint32_t)rest->size };
    call->params[call->param_count++] = arena_text(&call->arena, text);
    return true;
}

/* The parts of the path that the pattern names. */
static bool read_params(struct call *call)
{
    const char *pattern = call->route->path, *path = http_path(call->request);
    struct buf segment = BUF_INIT;
    bool is_good = true;
    while (is_good && *pattern != '\0' && !is_tail(pattern)) {
        int rc = http_segment_next(&path, &segment);
        is_good = rc == 0 && utf8_valid(segment.data, segment.size);
        if (is_good && pattern[1] == '{') {
            struct text text = { (const char *)segment.data, (uint32_t)segment.size };
            ASSERT(call->param_count < CALL_PARAMS_MAX);
            call->params[call->param_count++] = arena_text(&call->arena, text);
        }
        pattern += 1 + strcspn(pattern + 1, "/");
    }
    if (is_good && *pattern != '\0')
        is_good = read_tail(call, path, &segment);
    buf_deinit(&segment);
    return is_good;
}

/* False: answered. */
static bool check_request(struct call *call)
{
    size_t size;
    http_body(call->request, &size);
    if (!read_params(call))
        call_problem(call, 400, "the path holds a broken %%-escape or is not UTF-8");
    else if (size > call->route->body_max)
        call_problem(call, 413, "the body has %zu bytes, at most %zu are taken", size,
                     call->route->body_max);
    else
        return true;
    return false;
}

void call_enter_inside(struct call *call)
{
    if (check_request(call))
        admitted(call);
}

/* A plugin that asks for no key must not be handed one of ours (home_route.c). */
static bool is_asked_who(const struct route *route, const char *authorization)
{
    return authorization != NULL ? route->scope != SCOPE_NONE || route->plugin != NULL
                                 : route->scope != SCOPE_NONE && route->scope != SCOPE_WRITE;
}

static void on_request(void *arg, struct http_request *request)
{
    const struct route *route = http_data(request);
    struct call *call = call_new(arg, request, route);
    const char *authorization = http_field(request, "Authorization");
    if (!check_request(call))
        return;
    if (!is_asked_who(route, authorization))
        enter(call);
    else
        identify(call, auth_secret(authorization, &call->arena),
                 route->scope == SCOPE_NONE ? enter : admitted);
}

struct http_handler api_handler(struct api *api)
{
    return (struct http_handler){ .arg = api, .on_head = on_head, .on_request = on_request };
}
