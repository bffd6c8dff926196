/* good_channel.c -- a channel that does with a message what its body says.
 *
 *     sent, rejected, retry, uncertain   at once
 *     later                              sent, in a moment
 *     pause                              sent, and then the channel is paused
 *     silence                            nothing, ever
 *     bounce, complain, unsubscribe, open   sent, and then that is told of
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
    char effect[64], type[32];
    int64_t attempt;
};

static void answer(struct self *self, const char *effect, int64_t attempt, int32_t outcome)
{
    const struct kith_outcome given = {
        .size = sizeof given,
        .outcome = outcome,
        .detail = kith_text(outcome == KITH_SENT ? "" : "the pigeon says no"),
        .wait_ms = outcome == KITH_RETRY ? 1 : 0,
    };
    self->host->deliver(self->kith, kith_text(effect), attempt, &given);
}

static void on_told(void *arg, int32_t status, struct kith_doc result)
{
    struct self *self = arg;
    (void)result;
    self->host->count(self->kith, status == KITH_OK ? "told" : "not_told", 1);
}

static void on_later(void *arg)
{
    struct later *later = arg;
    struct self *self = later->self;
    char room[256];
    struct kith_writer w;
    if (later->type[0] == '\0') {
        answer(self, later->effect, later->attempt, KITH_SENT);
        free(later);
        return;
    }
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "effect", later->effect);
    kith_put_bool(&w, "hard", 1);
    const struct kith_event event = {
        .size = sizeof event,
        .type = later->type,
        .data = kith_end(&w),
    };
    self->host->append(self->kith, &event, on_told, self);
    free(later);
}

static void put_off(struct self *self, const char *effect, int64_t attempt, const char *type)
{
    struct later *later = calloc(1, sizeof *later);
    if (later == NULL)
        return;
    later->self = self;
    later->attempt = attempt;
    snprintf(later->effect, sizeof later->effect, "%s", effect);
    snprintf(later->type, sizeof later->type, "%s", type);
    self->host->timer(self->kith, 20, on_later, later, NULL);
}

static void act(struct self *self, const char *body, const char *effect, int64_t attempt)
{
    static const struct {
        const char *body, *type;
    } feedback[] = { { "bounce", "message.bounced" },
                     { "complain", "message.complained" },
                     { "unsubscribe", "message.unsubscribed" },
                     { "open", "message.opened" } };
    if (strcmp(body, "silence") == 0)
        return;
    if (strcmp(body, "later") == 0) {
        put_off(self, effect, attempt, "");
        return;
    }
    answer(self, effect, attempt,
           strcmp(body, "rejected") == 0                ? KITH_REJECTED
           : strcmp(body, "retry") == 0 && attempt == 1 ? KITH_RETRY
           : strcmp(body, "uncertain") == 0             ? KITH_UNCERTAIN
                                                        : KITH_SENT);
    if (strcmp(body, "pause") == 0)
        self->host->pause(self->kith, "pigeon", "the pigeon is asleep");
    for (size_t i = 0; i < sizeof feedback / sizeof *feedback; i++)
        if (strcmp(body, feedback[i].body) == 0)
            put_off(self, effect, attempt, feedback[i].type);
}

static void send(void *arg, const struct kith_message *message)
{
    struct self *self = arg;
    struct kith_text body = kith_get_text(message->message, "body");
    char effect[64], word[64];
    snprintf(effect, sizeof effect, "%.*s", (int)message->effect.size, message->effect.data);
    snprintf(word, sizeof word, "%.*s", (int)body.size, body.data);
    word[strcspn(word, "\n")] = '\0';
    self->host->count(self->kith, "messages", 1);
    act(self, word, effect, message->attempt);
}

static void status(void *arg, struct kith_channel_status *status)
{
    (void)arg;
    status->window = 2;
    status->target = "the loft";
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)reason;
    struct self *self = calloc(1, sizeof *self);
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

static const char *const needs[] = { "channel", "append", NULL };
static const struct kith_channel pigeon = {
    .size = sizeof pigeon,
    .name = "pigeon",
    .flags = KITH_NEEDS_ADDRESS,
    .send = send,
    .status = status,
};
static const struct kith_channel *const channels[] = { &pigeon, NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_channel",
    .version = "1",
    .about = "A channel that does as it is told",
    .needs = needs,
    .channels = channels,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
