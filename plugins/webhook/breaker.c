/* breaker.c -- see breaker.h. */
#include "breaker.h"

#include <stdbool.h>

void breaker_init(struct breaker *breaker, int64_t rest_ms)
{
    *breaker = (struct breaker){ .rest_ms = rest_ms };
}

void breaker_answered(struct breaker *breaker)
{
    breaker->failures = 0;
    breaker->rest_now = 0;
}

static int64_t next_rest(const struct breaker *breaker)
{
    int64_t most = breaker->rest_ms > BREAKER_REST_MS_MAX ? breaker->rest_ms : BREAKER_REST_MS_MAX;
    int64_t rest = breaker->rest_now != 0 ? 2 * breaker->rest_now : breaker->rest_ms;
    return rest < most ? rest : most;
}

void breaker_failed(struct breaker *breaker, int64_t now)
{
    breaker->failures++;
    /* What had been sent before it opened fails as well, and says nothing new. */
    bool is_open = breaker->rest_now != 0 && now < breaker->rest_until;
    if (breaker->failures < BREAKER_FAILURES || is_open)
        return;
    breaker->rest_now = next_rest(breaker);
    breaker->rest_until = now + breaker->rest_now;
}

void breaker_hold(struct breaker *breaker, int64_t now, int64_t wait_ms)
{
    if (now + wait_ms > breaker->hold_until)
        breaker->hold_until = now + wait_ms;
}

void breaker_status(const struct breaker *breaker, int64_t now, size_t full,
                    struct kith_channel_status *out_status)
{
    bool is_closed = breaker->rest_now == 0;
    int64_t until = !is_closed && breaker->rest_until > breaker->hold_until ? breaker->rest_until
                                                                            : breaker->hold_until;
    out_status->failures = (uint32_t)breaker->failures;
    out_status->circuit = is_closed                   ? KITH_CLOSED
                          : now < breaker->rest_until ? KITH_OPEN
                                                      : KITH_HALF_OPEN;
    out_status->window = now < until ? 0 : is_closed ? full : 1;
    out_status->wait_ms = now < until ? until - now : 0;
}
