/* good_relay.c -- all that an outside side can have, in one version or another: what is loaded anew
 * while it works.
 *
 *     channel "relay"          a message is written into the file `book`, a moment later, and is
 *                              sent then; one that says "silence" is taken and never spoken of
 *     GET /v1/relay/{name}     answered a moment later, with the version and the name
 *     job                      counts and tells, `good_relay.tick`, under the version's name
 *
 * RELAY says when it is compiled which one it is.  1 and 2 are good, and 2 has a route more; 3 asks
 * for one that is Kith's own; 4 does not start; 5 dies of it; 6 is for another contract.
 */
#include "kith.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef RELAY
#define RELAY 1
#endif
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define MOMENT_MS 30

struct self {
    const struct kith_host *host;
    struct kith *kith;
    int book;
};

struct later {
    struct self *self;
    char text[80]; /* of the effect, or what is asked for */
    int64_t attempt;
    uint64_t request;
};

static void put_off(struct self *self, struct kith_text text, int64_t attempt, uint64_t request,
                    void (*run)(void *arg))
{
    struct later *later = calloc(1, sizeof *later);
    if (later == NULL)
        return;
    later->self = self;
    later->attempt = attempt;
    later->request = request;
    snprintf(later->text, sizeof later->text, "%.*s", (int)text.size, text.data);
    self->host->timer(self->kith, MOMENT_MS, run, later, NULL);
}

/* -- The channel ------------------------------------------------------------------------------- */

static void on_sent(void *arg)
{
    struct later *later = arg;
    struct self *self = later->self;
    const struct kith_outcome outcome = { .size = sizeof outcome, .outcome = KITH_SENT };
    char line[120];
    int size = snprintf(line, sizeof line, TEXT(RELAY) " %s\n", later->text);
    if (write(self->book, line, (size_t)size) != size)
        self->host->count(self->kith, "unwritten", 1);
    self->host->deliver(self->kith, kith_text(later->text), later->attempt, &outcome);
    free(later);
}

static void send(void *arg, const struct kith_message *message)
{
    struct self *self = arg;
    if (kith_is(kith_get_text(message->message, "body"), "silence"))
        self->host->count(self->kith, "silent", 1);
    else
        put_off(self, message->effect, message->attempt, 0, on_sent);
}

static void status(void *arg, struct kith_channel_status *status)
{
    (void)arg;
    status->window = 8;
}

/* -- The route --------------------------------------------------------------------------------- */

static void on_answered(void *arg)
{
    struct later *later = arg;
    char body[120];
    snprintf(body, sizeof body, TEXT(RELAY) " %s", later->text);
    const struct kith_reply reply = {
        .size = sizeof reply, .status = 200, .body = body, .body_size = strlen(body)
    };
    later->self->host->reply(later->self->kith, later->request, &reply);
    free(later);
}

static void ask(void *arg, const struct kith_request *request)
{
    put_off(arg, request->params[0].value, 0, request->id, on_answered);
}

/* -- The job ----------------------------------------------------------------------------------- */

static void on_told(void *arg, int32_t code, struct kith_doc result)
{
    struct self *self = arg;
    (void)result;
    self->host->count(self->kith, code == KITH_OK ? "told" : "untold", 1);
}

static void tick(void *arg)
{
    struct self *self = arg;
    const struct kith_event event = { .size = sizeof event, .type = "good_relay.tick" };
    self->host->count(self->kith, "ticks_" TEXT(RELAY), 1);
    if (self->host->append(self->kith, &event, on_told, self) == KITH_OK)
        self->host->count(self->kith, "asked", 1);
}

/* -- Life -------------------------------------------------------------------------------------- */

static int64_t *volatile nowhere;

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct kith_doc config;
    char path[256];
    host->config(kith, &config);
    struct kith_text book = kith_get_text(config, "book");
    snprintf(path, sizeof path, "%.*s", (int)book.size, book.data);
    if (RELAY == 4) {
        snprintf(reason, 256, "the fourth never does");
        return KITH_FAILED;
    }
    if (RELAY == 5)
        *nowhere = 1;
    struct self *self = calloc(1, sizeof *self);
    if (self == NULL)
        return KITH_FAILED;
    self->host = host;
    self->kith = kith;
    self->book = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    *out_self = self;
    return KITH_OK;
}

static void stop(void *arg)
{
    struct self *self = arg;
    self->host->count(self->kith, "stops", 1);
    close(self->book);
    free(self);
}

static const char *const needs[] = { "append", "channel", "routes", NULL };
static const struct kith_channel relay = {
    .size = sizeof relay, .name = "relay", .send = send, .status = status
};
static const struct kith_channel *const channels[] = { &relay, NULL };

static const struct kith_route ask_route = { .size = sizeof ask_route,
                                             .method = "GET",
                                             .path = "/v1/relay/{name}",
                                             .summary = "Who is there?",
                                             .auth = KITH_AUTH_NONE,
                                             .handle = ask };
#if RELAY == 2 || RELAY == 3
static const struct kith_route more_route = { .size = sizeof more_route,
                                              .method = "GET",
                                              .path = RELAY == 2 ? "/v1/relay/{name}/more"
                                                                 : "/v1/customers/{id}",
                                              .summary = "Who else is there?",
                                              .auth = KITH_AUTH_NONE,
                                              .handle = ask };
static const struct kith_route *const routes[] = { &ask_route, &more_route, NULL };
#else
static const struct kith_route *const routes[] = { &ask_route, NULL };
#endif

static const struct kith_job job = { sizeof job, "tick", 1000, tick };
static const struct kith_job *const jobs[] = { &job, NULL };

static const struct kith_field book_field = { .size = sizeof book_field,
                                              .name = "book",
                                              .type = "text",
                                              .standard = "/dev/null",
                                              .about = "the file that is written into" };
static const struct kith_field *const config[] = { &book_field, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = RELAY == 6 ? KITH_ABI + 1 : KITH_ABI,
                                               .name = "good_relay",
                                               .version = TEXT(RELAY),
                                               .about = "Passes on what it is given",
                                               .needs = needs,
                                               .config = config,
                                               .channels = channels,
                                               .routes = routes,
                                               .jobs = jobs,
                                               .start = start,
                                               .stop = stop };
    return &plugin;
}
