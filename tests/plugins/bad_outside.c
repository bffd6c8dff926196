/* bad_outside.c -- an outside side that crashes and hangs when it is told to, and is well else.
 *
 *     GET  /v1/fragile/{what}   "crash", "exit", "_exit", "hang", "job" (the next one crashes),
 *                               "work" (its thread), "timer", "done" (of a work), "memory",
 *                               "never"; anything else is answered
 *     channel "glass"           a message "crash" or "hang"; one called "held" is never spoken of
 *     event Break               crashes on the deterministic side
 */
#include "kith.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
    int breaks_in_job;
};

static void crash(void *arg)
{
    volatile int *volatile nowhere = NULL;
    (void)arg;
    *nowhere = 1;
}

static void hang(void)
{
    for (volatile int turns = 1; turns != 0;)
        ;
}

static void hoard(void)
{
    for (;;) {
        char *room = malloc(64u << 20);
        if (room == NULL)
            abort();
        memset(room, 1, 64u << 20);
    }
}

static void answer(struct self *self, uint64_t request)
{
    const struct kith_reply reply = {
        .size = sizeof reply,
        .status = 200,
        .body = "whole",
        .body_size = 5,
    };
    self->host->reply(self->kith, request, &reply);
}

static void rest(void *arg)
{
    (void)arg;
}

static void act(struct self *self, struct kith_text word)
{
    if (kith_is(word, "timer"))
        self->host->timer(self->kith, 1, crash, NULL, NULL);
    if (kith_is(word, "done"))
        self->host->work(self->kith, rest, crash, NULL);
    if (kith_is(word, "crash"))
        crash(NULL);
    if (kith_is(word, "exit"))
        exit(0);
    if (kith_is(word, "_exit"))
        _exit(3);
    if (kith_is(word, "hang"))
        hang();
    if (kith_is(word, "memory"))
        hoard();
    if (kith_is(word, "job"))
        self->breaks_in_job = 1;
    if (kith_is(word, "work"))
        self->host->work(self->kith, crash, NULL, NULL);
}

static void handle(void *arg, const struct kith_request *request)
{
    struct self *self = arg;
    struct kith_text word = request->params[0].value;
    self->host->count(self->kith, "requests", 1);
    act(self, word);
    if (!kith_is(word, "never"))
        answer(self, request->id);
}

static void send(void *arg, const struct kith_message *message)
{
    struct self *self = arg;
    const struct kith_outcome sent = { .size = sizeof sent, .outcome = KITH_SENT };
    struct kith_text body = kith_get_text(message->message, "body");
    self->host->count(self->kith, "messages", 1);
    act(self, body);
    if (!kith_is(body, "held"))
        self->host->deliver(self->kith, message->effect, message->attempt, &sent);
}

static void job(void *arg)
{
    struct self *self = arg;
    if (self->breaks_in_job)
        crash(NULL);
}

static int32_t on_break(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    crash(NULL);
    return KITH_OK;
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

static const char *const needs[] = { "routes", "channel", "work", NULL };
static const struct kith_route fragile = {
    .size = sizeof fragile,
    .method = "GET",
    .path = "/v1/fragile/{what}",
    .summary = "A trial",
    .auth = KITH_AUTH_NONE,
    .handle = handle,
};
static const struct kith_route *const routes[] = { &fragile, NULL };
static const struct kith_channel glass = { .size = sizeof glass, .name = "glass", .send = send };
static const struct kith_channel *const channels[] = { &glass, NULL };
static const struct kith_job often = { sizeof often, "often", 1000, job };
static const struct kith_job *const jobs[] = { &often, NULL };
static const char *const types[] = { "Break", NULL };
static const char *const reads[] = { "event.id", NULL };
static const struct kith_handler breaks = { sizeof breaks, "break", types, reads, on_break };
static const struct kith_handler *const handlers[] = { &breaks, NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "bad_outside",
    .version = "1",
    .about = "Breaks when it is told to",
    .needs = needs,
    .handlers = handlers,
    .routes = routes,
    .channels = channels,
    .jobs = jobs,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
