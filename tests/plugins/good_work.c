/* good_work.c -- sums on threads of the host's, and tells on the loop. */
#include "kith.h"

#include <stdlib.h>
#include <unistd.h>

#define WORKS 8

struct self {
    const struct kith_host *host;
    struct kith *kith;
};

struct sum {
    struct self *self;
    int64_t of, result;
};

static void compute(void *arg)
{
    struct sum *sum = arg;
    usleep(2000);
    for (int64_t i = 1; i <= sum->of; i++)
        sum->result += i;
    sum->self->host->log(sum->self->kith, KITH_DEBUG, "a sum is made");
}

static void tell(void *arg)
{
    struct sum *sum = arg;
    const struct kith_host *host = sum->self->host;
    host->count(sum->self->kith, "sum", sum->result);
    host->count(sum->self->kith, "done", 1);
    free(sum);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = calloc(1, sizeof *self);
    int32_t code = KITH_OK;
    (void)reason;
    if (self == NULL)
        return KITH_FAILED;
    *self = (struct self){ .host = host, .kith = kith };
    *out_self = self;
    for (int i = 0; code == KITH_OK && i < WORKS; i++) {
        struct sum *sum = calloc(1, sizeof *sum);
        if (sum == NULL)
            return KITH_FAILED;
        sum->self = self;
        sum->of = 100;
        code = host->work(kith, compute, tell, sum);
    }
    return code;
}

static void stop(void *self)
{
    free(self);
}

static const char *const needs[] = { "work", NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_work",
    .version = "1",
    .about = "Adds numbers up where it may take long",
    .needs = needs,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
