/* restart.c -- see restart.h.
 *
 * Served for a while, a daemon is one that works: what ends it now and then is worth a message and
 * a start, however often.  Only one that never comes so far is given up, for a service manager and
 * a person to see; and until then the pauses double, since what is wrong may be the machine.  Not
 * so when a plugin is to blame that was not before: it is shut out, and the next start another one.
 * There are only so many of them, and whoever comes back was let in by a person: such a crash does
 * not count towards giving up.
 */
#include "core/server/restart.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <signal.h>
#include <string.h>

bool restart_is_crash(int signal)
{
    static const int crashes[] = { SIGSEGV, SIGBUS,  SIGABRT, SIGILL,  SIGFPE,
                                   SIGSYS,  SIGTRAP, SIGXCPU, SIGXFSZ, SIGKILL };
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (signal == crashes[i])
            return true;
    return false;
}

static bool is_same_place(const struct breadcrumb_crash *a, const struct breadcrumb_crash *b)
{
    return a->seq == b->seq && strcmp(a->plugin, b->plugin) == 0;
}

/* Whoever is killed from outside, and is at work for most of the time, was met by chance. */
static bool is_by_chance(const struct breadcrumb_crash *crash, int64_t since_last)
{
    return crash->seq == 0 && crash->signal == SIGKILL && !crash->is_own &&
           since_last >= CRASH_WINDOW_MS;
}

/* The index of the place, which is new or known; the one that was written first makes room. */
static size_t remember(struct restart_history *history, struct breadcrumb_crash *crash, int64_t now)
{
    size_t i = 0;
    while (i < history->place_count && !is_same_place(&history->places[i], crash))
        i++;
    bool is_known = i < history->place_count;
    bool is_again = is_known && !is_by_chance(crash, now - history->place_times[i]);
    crash->count = is_again ? history->places[i].count + 1 : 1;
    if (!is_known && history->place_count == RESTART_PLACES_MAX) {
        i = RESTART_PLACES_MAX - 1;
        memmove(history->places, history->places + 1, i * sizeof *history->places);
        memmove(history->was_blamed, history->was_blamed + 1, i * sizeof *history->was_blamed);
        memmove(history->place_times, history->place_times + 1, i * sizeof *history->place_times);
    } else if (!is_known) {
        history->place_count++;
    }
    history->was_blamed[i] = is_known && history->was_blamed[i];
    history->places[i] = *crash;
    history->place_times[i] = now;
    return i;
}

/* Those that lie in the window, with the one of now. */
static void count_crash(struct restart_history *history, bool is_shut_out, int64_t served_since,
                        int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < history->crash_count; i++)
        if (now - history->starts[i] < CRASH_WINDOW_MS)
            history->starts[kept++] = history->starts[i];
    if (kept == RESTART_PLACES_MAX) {
        kept--;
        memmove(history->starts, history->starts + 1, kept * sizeof *history->starts);
    }
    history->starts[kept++] = now;
    history->crash_count = kept;
    bool has_served = served_since >= 0 && now - served_since >= CRASH_SERVED_MS;
    history->idle_count = has_served ? 0 : history->idle_count + !is_shut_out;
    if (history->idle_count > kept)
        history->idle_count = kept;
}

static int64_t pause_after(size_t crashes)
{
    int64_t pause = 0;
    for (size_t i = 1; i < crashes && pause < CRASH_PAUSE_MS_MAX; i++)
        pause = pause == 0 ? CRASH_PAUSE_MS : 2 * pause;
    return pause < CRASH_PAUSE_MS_MAX ? pause : CRASH_PAUSE_MS_MAX;
}

static bool is_plugins(const struct breadcrumb_crash *crash)
{
    return crash->plugin[0] != '\0' && (crash->is_own || crash->count > 1);
}

/* Whether the next start is without a plugin that this one had.  One that was blamed at no entry,
 * and ends a daemon that has served, was let in again: until then its verdict had kept it out. */
static bool shuts_out(const struct restart_history *history, size_t place, int64_t served_since)
{
    if (!history->was_blamed[place])
        return true;
    return history->places[place].seq == 0 && served_since >= 0 && history->refused_seq == 0;
}

/* One entry at a time: what lies behind a refused one is not reached. */
static void refuse(struct restart_history *history, uint64_t seq)
{
    if (seq != 0 && (history->refused_seq == 0 || seq < history->refused_seq))
        history->refused_seq = seq;
}

void restart_decide(struct restart_history *history, struct breadcrumb_crash *crash,
                    int64_t served_since, int64_t now, struct restart_decision *out_decision)
{
    size_t place = remember(history, crash, now);
    bool is_blamed = is_plugins(crash);
    bool is_shut_out = is_blamed && shuts_out(history, place, served_since);
    count_crash(history, is_shut_out, served_since, now);
    if (is_blamed ? history->was_blamed[place]
                  : crash->plugin[0] == '\0' && crash->count >= CRASHES_AT_ENTRY_MAX)
        refuse(history, crash->seq);
    history->was_blamed[place] = history->was_blamed[place] || is_blamed;
    *out_decision = (struct restart_decision){
        .gives_up = history->idle_count >= CRASHES_MAX,
        .is_plugins = is_blamed,
        .pause_ms = is_shut_out ? 0 : pause_after(history->crash_count),
        .refused_seq = history->refused_seq,
    };
}
