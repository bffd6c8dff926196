/* mail_in.c -- a plugin called "email" that says of a mail what the real one would say.
 *
 *     POST /v1/mail-in     customer, id and the fields of email.received as a form
 *
 * What becomes of a mail is tested with it, without a mail server: every field is what the test
 * has written.
 */
#include "fields.h"
#include "kith.h"

#include <stdlib.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
};

struct mail {
    struct self *self;
    uint64_t request;
};

static void answer(struct self *self, uint64_t request, int32_t status)
{
    const struct kith_reply reply = { .size = sizeof reply, .status = status };
    self->host->reply(self->kith, request, &reply);
}

static void on_done(void *arg, int32_t status, struct kith_doc result)
{
    struct mail *mail = arg;
    (void)result;
    answer(mail->self, mail->request, status == KITH_OK ? 204 : 422);
    free(mail);
}

static void handle(void *arg, const struct kith_request *request)
{
    static const char *const names[] = { "from", "to",         "subject",
                                         "text", "message_id", "in_reply_to" };
    struct self *self = arg;
    struct mail *mail = calloc(1, sizeof *mail);
    struct kith_text body = { request->body, request->body_size };
    char room[16384], value[8192], customer[200], id[200];
    struct kith_writer w;
    if (mail == NULL)
        return;
    mail->self = self;
    mail->request = request->id;
    kith_begin(&w, room, sizeof room);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct kith_text text = fields_get(body, names[i], value, sizeof value);
        if (text.size != 0)
            kith_put_text(&w, names[i], text);
    }
    const struct kith_event event = {
        .size = sizeof event,
        .type = "email.received",
        .customer = fields_get(body, "customer", customer, sizeof customer),
        .id = fields_get(body, "id", id, sizeof id),
        .data = kith_end(&w),
    };
    int32_t rc = self->host->append(self->kith, &event, on_done, mail);
    if (rc != KITH_OK)
        on_done(mail, rc, event.data);
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

static const char *const needs[] = { "append", "routes", NULL };
static const struct kith_route route = {
    .size = sizeof route,
    .method = "POST",
    .path = "/v1/mail-in",
    .summary = "A mail has come",
    .auth = KITH_AUTH_WRITE,
    .body_max = 16384,
    .handle = handle,
};
static const struct kith_route *const routes[] = { &route, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = {
        .size = sizeof plugin,
        .abi = KITH_ABI,
        .name = "email",
        .version = "1",
        .about = "Says what a mail would be",
        .needs = needs,
        .routes = routes,
        .start = start,
        .stop = stop,
    };
    return &plugin;
}
