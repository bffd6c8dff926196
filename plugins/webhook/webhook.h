/* webhook.h -- the parts that speak with Kith: receivers, which are channels, and hooks. */
#ifndef PLUGINS_WEBHOOK_WEBHOOK_H
#define PLUGINS_WEBHOOK_WEBHOOK_H

#include "kith.h"

#define REASON_SIZE 256

struct webhook {
    const struct kith_host *host;
    struct kith *kith;
    struct receiver *receivers; /* lists; their texts are those of the configuration */
    struct hook *hooks;
    size_t under_way;     /* messages of all receivers */
    struct visit *visits; /* requests that wait for Kith */
};

/* Words into `reason`, of REASON_SIZE bytes; KITH_INVALID. */
__attribute__((format(printf, 2, 3))) int32_t refuse(char *reason, const char *format, ...);

/* -- receiver.c -------------------------------------------------------------------------------- */

int32_t receivers_open(struct webhook *webhook, struct kith_doc tables, char *reason);
/* Take the secrets of these tables; of one that is wrong the operator is told, and it is kept. */
void receivers_reread(struct webhook *webhook, struct kith_doc tables);
void receivers_close(struct webhook *webhook);

void receiver_send(void *self, const struct kith_message *message);
void receiver_status(void *self, struct kith_channel_status *status);

/* -- hook.c ------------------------------------------------------------------------------------ */

int32_t hooks_open(struct webhook *webhook, struct kith_doc tables, char *reason);
void hooks_reread(struct webhook *webhook, struct kith_doc tables);
void hooks_close(struct webhook *webhook);

void hook_handle(void *self, const struct kith_request *request);

#endif
