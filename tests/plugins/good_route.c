/* good_route.c -- routes of all kinds: what came is told back.
 *
 *     GET  /v1/echo/{name}   anybody
 *     *    /loft/ and below  a key that may read; what was asked comes back as text
 *     POST /v1/slow          answered in a moment, with the size of the body
 *     GET  /v1/never         answered never
 *     GET  /v1/bad           an answer that cannot be sent, and then one that can
 */
#include "kith.h"

#include <stdio.h>
#include <stdlib.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
};

struct later {
    struct self *self;
    uint64_t request;
    size_t size;
};

static void answer(struct self *self, uint64_t request, int status, const char *body)
{
    static const char *const headers[] = { "Content-Type: text/plain", "X-Loft: pigeons", NULL };
    const struct kith_reply reply = {
        .size = sizeof reply,
        .status = status,
        .headers = headers,
        .body = body,
        .body_size = strlen(body),
    };
    if (self->host->reply(self->kith, request, &reply) != KITH_OK)
        self->host->count(self->kith, "lost", 1);
}

static void tell(char *out, size_t room, const char *name, struct kith_text text)
{
    size_t used = strlen(out);
    snprintf(out + used, room - used, "%s=%.*s\n", name, (int)text.size, text.data);
}

static void echo(void *arg, const struct kith_request *request)
{
    struct self *self = arg;
    char out[2000] = "";
    const struct kith_text body = { request->body, request->body_size };
    tell(out, sizeof out, "method", kith_text(request->method));
    tell(out, sizeof out, "path", request->path);
    tell(out, sizeof out, "query", request->query);
    for (size_t i = 0; i < request->param_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "param %.*s", (int)request->params[i].name.size,
                 request->params[i].name.data);
        tell(out, sizeof out, name, request->params[i].value);
    }
    for (size_t i = 0; i < request->header_count; i++)
        if (kith_is(request->headers[i].name, "X-Seen"))
            tell(out, sizeof out, "header", request->headers[i].value);
    tell(out, sizeof out, "authorization", kith_header(request, "Authorization"));
    tell(out, sizeof out, "body", body);
    tell(out, sizeof out, "key", request->key);
    tell(out, sizeof out, "staff", request->staff);
    tell(out, sizeof out, "peer", request->peer);
    answer(self, request->id, strcmp(request->method, "PROPFIND") == 0 ? 207 : 200, out);
}

static void on_later(void *arg)
{
    struct later *later = arg;
    char out[64];
    snprintf(out, sizeof out, "%zu bytes", later->size);
    answer(later->self, later->request, 202, out);
    free(later);
}

static void slow(void *arg, const struct kith_request *request)
{
    struct self *self = arg;
    struct later *later = calloc(1, sizeof *later);
    if (later == NULL)
        return;
    later->self = self;
    later->request = request->id;
    later->size = request->body_size;
    self->host->timer(self->kith, 30, on_later, later, NULL);
}

static void never(void *arg, const struct kith_request *request)
{
    struct self *self = arg;
    (void)request;
    self->host->count(self->kith, "never", 1);
}

static void bad(void *arg, const struct kith_request *request)
{
    static const char *const headers[] = { "X-Split: a\r\nSet-Cookie: b", NULL };
    static const char *const ours[] = { "Content-Length: 5", NULL };
    struct self *self = arg;
    struct kith_reply reply = { .size = sizeof reply, .status = 200, .headers = headers };
    int refused = self->host->reply(self->kith, request->id, &reply) == KITH_INVALID;
    reply.headers = ours;
    refused += self->host->reply(self->kith, request->id, &reply) == KITH_INVALID;
    reply.headers = NULL;
    reply.status = 99;
    refused += self->host->reply(self->kith, request->id, &reply) == KITH_INVALID;
    answer(self, request->id, 200, refused == 3 ? "refused" : "taken");
    answer(self, request->id, 200, "a second time"); /* counts as lost */
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = calloc(1, sizeof *self);
    (void)reason;
    if (self == NULL)
        return KITH_FAILED;
    self->host = host;
    self->kith = kith;
    *out_self = self;
    return KITH_OK;
}

static void stop(void *self)
{
    free(self);
}

#define ROUTE(name, verb, place, whose, most, function)                                   \
    static const struct kith_route name = { sizeof name, verb, place, "A trial", NULL,    \
                                            whose,       0,    most,  function }
ROUTE(echo_route, "GET", "/v1/echo/{name}", KITH_AUTH_NONE, 0, echo);
ROUTE(loft_route, "*", "/loft/*", KITH_AUTH_READ, 1000, echo);
ROUTE(slow_route, "POST", "/v1/slow", KITH_AUTH_WRITE, 100000, slow);
ROUTE(never_route, "GET", "/v1/never", KITH_AUTH_NONE, 0, never);
ROUTE(bad_route, "GET", "/v1/bad", KITH_AUTH_NONE, 0, bad);

static const char *const needs[] = { "routes", NULL };
static const struct kith_route *const routes[] = { &echo_route,  &loft_route, &slow_route,
                                                   &never_route, &bad_route,  NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_route",
    .version = "1",
    .about = "Tells back what came",
    .needs = needs,
    .routes = routes,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
