/* fresh.c -- see fresh.h. */
#include "core/server/fresh.h"

#include "core/base/hash.h"

#include <string.h>

static uint64_t *place_of(struct fresh *fresh, struct text key)
{
    return &fresh->wrote[hash64(key.data, key.size) % FRESH_KEYS];
}

static void turn_to(struct fresh *fresh, int64_t now_ms)
{
    int64_t second = now_ms / 1000;
    for (int i = 0; i < 3 && fresh->second < second; i++) {
        fresh->counts[2] = fresh->counts[1];
        fresh->counts[1] = fresh->counts[0];
        fresh->counts[0] = 0;
        fresh->second++;
    }
    fresh->second = second;
}

void fresh_wrote(struct fresh *fresh, struct text key, uint64_t last_seq, uint64_t count,
                 int64_t now_ms)
{
    uint64_t *wrote = place_of(fresh, key);
    if (*wrote < last_seq)
        *wrote = last_seq;
    turn_to(fresh, now_ms);
    fresh->counts[0] += count;
}

/* Seconds that are over: of the present one nobody knows what it will bring. */
bool fresh_must_wait(struct fresh *fresh, struct text key, uint64_t shown, int64_t now_ms)
{
    if (*place_of(fresh, key) > shown)
        return true;
    turn_to(fresh, now_ms);
    return fresh->counts[1] < FRESH_BUSY_ENTRIES || fresh->counts[2] < FRESH_BUSY_ENTRIES;
}
