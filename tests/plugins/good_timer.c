/* good_timer.c -- timers and a job: what is set runs once, what is cancelled never, a job again and
 * again.
 */
#include "kith.h"

struct self {
    const struct kith_host *host;
    struct kith *kith;
    uint64_t never;
};

static struct self the_self;

static void on_never(void *arg)
{
    struct self *self = arg;
    self->host->count(self->kith, "never", 1);
}

static void on_second(void *arg)
{
    struct self *self = arg;
    self->host->count(self->kith, "second", 1);
}

static void on_first(void *arg)
{
    struct self *self = arg;
    self->host->count(self->kith, "first", 1);
    self->host->cancel(self->kith, self->never);
    self->host->cancel(self->kith, self->never); /* in silence */
    self->host->timer(self->kith, 0, on_second, self, NULL);
}

static void tick(void *arg)
{
    struct self *self = arg;
    self->host->count(self->kith, "tick", 1);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = &the_self;
    (void)reason;
    self->host = host;
    self->kith = kith;
    *out_self = self;
    int32_t code = host->timer(kith, 1, on_first, self, NULL);
    if (code == KITH_OK)
        code = host->timer(kith, 1500, on_never, self, &self->never);
    return code;
}

static void stop(void *arg)
{
    struct self *self = arg;
    self->host->count(self->kith, "stopped", 1);
}

static const struct kith_job job = { sizeof job, "tick", 1000, tick };
static const struct kith_job *const jobs[] = { &job, NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_timer",
    .version = "1",
    .about = "Counts what its timers and its job do",
    .jobs = jobs,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
