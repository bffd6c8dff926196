/* kit_step.c -- the steps of a try-out, and which of them are left out; see kit.h.
 *
 * A call that crashes ends its process.  The next one makes all the same steps again but those that
 * have ended one before, so that one mistake does not hide the others.  A step has a name that is
 * the same in every process: what is called (a letter and its place), and the number of the call.
 *
 *     c3.17    call 17 of the fourth function of the list of callees
 *     n0.4!    message 4 to the first channel: it hung
 *     l57.0    entry 57 of a log
 *
 * Who has crashed three times, or hung twice, is not called any more: what there is to mend is
 * known by then, and each hang takes seconds.
 */
#include "core/plugin/kit_inside.h"

#include <stdio.h>
#include <stdlib.h>

#define CRASHES_MAX 3 /* of one of them */
#define HANGS_MAX 2

struct seen {
    size_t deaths, hangs;
    bool is_here;
};

static struct seen look_up(const struct probe *probe, char group, size_t index, size_t number)
{
    struct seen seen = { .deaths = 0 };
    const char *at = probe->options->deaths;
    while (at != NULL && *at != '\0') {
        char *end;
        char letter = *at;
        size_t place = strtoull(at + 1, &end, 10);
        size_t which = *end == '.' ? strtoull(end + 1, &end, 10) : 0;
        if (letter == group && place == index) {
            seen.deaths += which != KIT_LEARN || group != KIT_CALLEE; /* a try does the same */
            seen.is_here = seen.is_here || which == number;
            seen.hangs += *end == '!';
        }
        at = end + strspn(end, "! ");
        if (end == at && *at != '\0') /* written by nobody here */
            break;
    }
    return seen;
}

static bool is_enough(struct seen seen)
{
    return seen.deaths >= CRASHES_MAX || seen.hangs >= HANGS_MAX;
}

bool kit_has_died(const struct probe *probe, char group, size_t index, size_t number)
{
    return look_up(probe, group, index, number).is_here;
}

bool kit_step(struct probe *probe, char group, size_t index, size_t number)
{
    struct seen seen = look_up(probe, group, index, number);
    if (seen.is_here || is_enough(seen))
        return false;
    snprintf(probe->step, sizeof probe->step, "%c%zu.%zu", group, index, number);
    return true;
}

void kit_tell_left_out(struct probe *probe, char group, size_t index, const char *who, size_t count,
                       size_t all, const char *calls)
{
    struct seen seen = look_up(probe, group, index, SIZE_MAX);
    char given[100], why[100];
    if (count <= seen.deaths || !is_enough(seen))
        return;
    snprintf(given, sizeof given, "%zu of its %zu %s", count - seen.deaths, all, calls);
    snprintf(why, sizeof why, "it has crashed, or hung, in %zu of them", seen.deaths);
    kit_leave_out(probe, who, given, why);
}
