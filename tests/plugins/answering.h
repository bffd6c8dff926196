/* answering.h -- an outside side that answers requests, but those without a body. */
#ifndef TESTS_PLUGINS_ANSWERING_H
#define TESTS_PLUGINS_ANSWERING_H

#include "hosted.h"

static void handle(void *self, const struct kith_request *request)
{
    const struct kith_reply reply = { .size = sizeof reply, .status = 204 };
    (void)self;
    if (request->body_size != 0)
        host_table->reply(place, request->id, &reply);
}

#endif
