/* kit_rests.c -- what a plugin's outside side leaves behind after stop(); see kit.h.
 *
 * A daemon that loads a plugin anew a thousand times must not run out of descriptors, threads or
 * memory: each life ends with as much of them as it began with.
 */
#include "core/plugin/kit_inside.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>

#define CYCLES 12 /* the allocator keeps 7 freed pieces of a size, and counts them as taken */

static size_t count_entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count;
}

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* What it offers has not been asked for. */
static void leave_out(struct probe *probe, const char *why)
{
    const struct plugin *plugin = &probe->plugin;
    char given[120];
    snprintf(given, sizeof given, "channels (%zu), routes (%zu), jobs (%zu), %sstop()",
             plugin->channel_count, plugin->route_count, plugin->job_count,
             plugin->erased != NULL ? "erased(), " : "");
    kit_leave_out(probe, "outside side", given, why);
}

/* What is open and what runs, before and after it has lived. */
static void compare(struct probe *probe, size_t files, size_t threads)
{
    size_t now = count_entries("/proc/self/fd");
    if (now > files)
        kit_find(probe, NULL, KIT_GROWS, "stop()", "close in stop() what was opened since start()",
                 "it leaves descriptors open: %zu", now - files);
    now = count_entries("/proc/self/task");
    if (now > threads)
        kit_find(probe, NULL, KIT_GROWS, "stop()", "end them, and wait for them, before it returns",
                 "it leaves threads running: %zu", now - threads);
}

static void watch_memory(struct probe *probe)
{
    size_t least = SIZE_MAX; /* what each time leaves; the first ones also what is kept for ever */
    for (int i = 0; i < CYCLES; i++) {
        size_t used = memory_in_use();
        if (!kit_step(probe, KIT_START, 0, KIT_AGAIN)) {
            kit_leave_out(probe, "stop()", "whether memory is left",
                          "start() crashed, or hung, the second time");
            return;
        }
        kit_live(probe, false);
        size_t now = memory_in_use();
        least = now <= used ? 0 : now - used < least ? now - used : least;
    }
    if (least >= 8)
        kit_find(probe, NULL, KIT_GROWS, "stop()",
                 "give back in stop() what was taken since start()",
                 "it leaves %zu bytes of memory each time", least);
}

void kit_try_outside(struct probe *probe)
{
    if (probe->plugin.start == NULL)
        return;
    if (!kit_step(probe, KIT_START, 0, KIT_FIRST)) {
        leave_out(probe, "start() crashed, or hung");
        return;
    }
    size_t files = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    bool is_started = kit_live(probe, true);
    bool has_died =
        kit_has_died(probe, KIT_STOP, 0, KIT_FIRST) || kit_has_died(probe, KIT_STOP, 0, KIT_AGAIN);
    if (!is_started)
        leave_out(probe, "start() did not answer KITH_OK");
    if (has_died)
        kit_leave_out(probe, "stop()", "whether descriptors, threads or memory are left",
                      "stop() crashed, or hung");
    else
        compare(probe, files, threads);
    if (is_started && !has_died)
        watch_memory(probe);
}
