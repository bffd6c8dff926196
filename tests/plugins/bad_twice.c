/* bad_twice.c -- says twice what became of a message. */
#include "hosted.h"

static void send(void *self, const struct kith_message *message)
{
    const struct kith_outcome sent = { .size = sizeof sent, .outcome = KITH_SENT };
    (void)self;
    host_table->deliver(place, message->effect, message->attempt, &sent);
    host_table->deliver(place, message->effect, message->attempt, &sent);
}

static const struct kith_channel channel = { .size = sizeof channel,
                                             .name = "twice",
                                             .send = send };
static const struct kith_channel *const channels[] = { &channel, NULL };
static const char *const needs[] = { "channel", NULL };

OUTSIDE_PLUGIN("bad_twice", .channels = channels, .needs = needs)
