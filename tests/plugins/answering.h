/* answering.h -- an outside side that answers requests, but those without a body. */
#ifndef TESTS_PLUGINS_ANSWERING_H
#define TESTS_PLUGINS_ANSWERING_H

#include "outside.h"

static const struct kith_host *host_table;
static struct kith *place;

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host_table = host;
    place = kith;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static void handle(void *self, const struct kith_request *request)
{
    const struct kith_reply reply = { .size = sizeof reply, .status = 204 };
    (void)self;
    if (request->body_size != 0)
        host_table->reply(place, request->id, &reply);
}

#endif
