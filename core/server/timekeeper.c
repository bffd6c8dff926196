/* timekeeper.c -- see timekeeper.h for the table. */
#include "core/server/timekeeper.h"

#include "core/base/limits.h"

#include <stddef.h>

void timekeeper_init(struct timekeeper *keeper, struct clock clock, int64_t last)
{
    *keeper = (struct timekeeper){ .clock = clock, .last = last, .anchor_boot = -1 };
}

int64_t timekeeper_now(struct timekeeper *keeper)
{
    int64_t wall = keeper->clock.wall_ms(keeper->clock.arg);
    keeper->is_standing = false;
    keeper->is_set_back = keeper->last - wall > CLOCK_JUMP_MS;
    if (keeper->last == 0 || wall <= keeper->last)
        return keeper->last == 0 ? wall : keeper->last;
    int64_t elapsed = 0, most = CLOCK_GAP_MS;
    if (keeper->anchor_boot >= 0) {
        elapsed = keeper->clock.boot_ms(keeper->clock.arg) - keeper->anchor_boot;
        most = CLOCK_JUMP_MS;
    }
    keeper->is_standing = wall - (keeper->last + elapsed) > most;
    return keeper->is_standing ? keeper->last + 1 : wall;
}

/* While time stands or waits the anchor stays: elapsed time counts from the last entry that moved
 * it, or a clock that is right again would seem to have leapt. */
void timekeeper_wrote(struct timekeeper *keeper, int64_t logged)
{
    if (!keeper->is_standing && logged > keeper->last)
        keeper->anchor_boot = keeper->clock.boot_ms(keeper->clock.arg);
    keeper->last = logged;
}

const char *timekeeper_reason(bool is_standing, bool is_set_back)
{
    if (is_standing)
        return "log time stands still, for the machine's clock leapt ahead of the last entry: set "
               "the clock right, or, if it is right (after a long pause, or a replayed import), "
               "accept it with: kith clock accept";
    if (is_set_back)
        return "log time stands still, for the machine's clock is behind the last entry: set the "
               "clock right; nothing falls due until then";
    return NULL;
}

void timekeeper_accept(struct timekeeper *keeper)
{
    int64_t wall = keeper->clock.wall_ms(keeper->clock.arg);
    if (wall > keeper->last && keeper->last != 0) {
        keeper->last = wall;
        keeper->anchor_boot = keeper->clock.boot_ms(keeper->clock.arg);
    }
}
