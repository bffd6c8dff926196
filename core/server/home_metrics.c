/* home_metrics.c -- kith_plugin_*: how often plugins are called, for how long, and what they count.
 *
 * Names of counters are the plugin's, checked where they came in; nothing here needs escaping.
 */
#include "core/server/home_inside.h"

#include "core/base/clock.h"
#include "core/server/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int home_count(struct home_guest *guest, struct doc doc, struct err *err)
{
    struct text name = doc_text(doc, "name");
    int64_t by = doc_int(doc, "by", 0);
    size_t i = 0;
    while (i < guest->counter_count && !text_is(name, guest->counters[i].name))
        i++;
    if (name.size == 0 || name.size > PLUGIN_NAME_MAX || by < 0)
        return err_set(err, E_INVALID, "a counter has a name, and only grows");
    for (uint32_t at = 0; at < name.size; at++)
        if ((name.data[at] < 'a' || name.data[at] > 'z') &&
            (name.data[at] < '0' || name.data[at] > '9') && name.data[at] != '_')
            return err_set(err, E_INVALID, "the name of a counter is made of a-z, 0-9 and _");
    if (i == PLUGIN_COUNTERS_MAX)
        return err_set(err, E_LIMIT, "a plugin has at most %d counters", PLUGIN_COUNTERS_MAX);
    if (i == guest->counter_count) {
        memcpy(guest->counters[i].name, name.data, name.size);
        guest->counter_count++;
    }
    guest->counters[i].value += (uint64_t)by;
    return 0;
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One line for each call that was made. */
static void write_calls(struct home *home, struct buf *out, const char *name,
                        uint64_t (*value)(const struct outside_numbers *numbers, size_t call),
                        double scale)
{
    for (size_t i = 0; i < home->guest_count; i++) {
        struct home_guest *guest = &home->guests[i];
        for (size_t call = 0; call < OUTSIDE_CALLS; call++)
            if (atomic_load(&guest->numbers.calls[call]) != 0)
                buf_printf(out, "%s{plugin=\"%s\",call=\"%s\"} %.9g\n", name, guest->plugin->name,
                           outside_call_name((enum outside_call)call),
                           (double)value(&guest->numbers, call) * scale);
    }
}

static uint64_t calls_of(const struct outside_numbers *numbers, size_t call)
{
    return atomic_load(&numbers->calls[call]);
}

static uint64_t failures_of(const struct outside_numbers *numbers, size_t call)
{
    return atomic_load(&numbers->failures[call]);
}

uint64_t home_forget_failures(const struct home *home, const char *plugin)
{
    for (size_t i = 0; home != NULL && i < home->guest_count; i++)
        if (strcmp(home->guests[i].plugin->name, plugin) == 0)
            return atomic_load(&home->guests[i].numbers.failures[CALL_ERASED]);
    return 0;
}

static uint64_t nanoseconds_of(const struct outside_numbers *numbers, size_t call)
{
    return atomic_load(&numbers->nanoseconds[call]);
}

static void write_states(struct home *home, struct buf *out)
{
    head(out, "kith_plugin_up", "gauge", "1 while the outside side of the plugin runs.");
    for (size_t i = 0; i < home->guest_count; i++)
        buf_printf(out, "kith_plugin_up{plugin=\"%s\"} %d\n", home->guests[i].plugin->name,
                   home->guests[i].state == GUEST_SERVING);
    head(out, "kith_plugin_slow_total", "counter", "Calls that held up the loop.");
    for (size_t i = 0; i < home->guest_count; i++)
        buf_printf(out, "kith_plugin_slow_total{plugin=\"%s\"} %" PRIu64 "\n",
                   home->guests[i].plugin->name,
                   (uint64_t)atomic_load(&home->guests[i].numbers.slow));
    head(out, "kith_plugin_requests_under_way", "gauge", "Requests that it has not answered.");
    for (size_t i = 0; i < home->guest_count; i++)
        buf_printf(out, "kith_plugin_requests_under_way{plugin=\"%s\"} %zu\n",
                   home->guests[i].plugin->name, home->guests[i].request_count);
}

static int64_t boot_ms(void)
{
    struct clock clock = clock_machine();
    return clock.boot_ms(clock.arg);
}

static void write_works(const struct home *home, struct buf *out)
{
    int64_t oldest, now = boot_ms();
    head(out, "kith_plugin_works_under_way", "gauge", "Works that are on a thread now.");
    for (size_t i = 0; i < home->guest_count; i++)
        buf_printf(out, "kith_plugin_works_under_way{plugin=\"%s\"} %zu\n",
                   home->guests[i].plugin->name,
                   outside_works_count(&home->guests[i].numbers, now, &oldest));
    head(out, "kith_plugin_work_oldest_seconds", "gauge", "For how long the oldest of them is.");
    for (size_t i = 0; i < home->guest_count; i++) {
        outside_works_count(&home->guests[i].numbers, now, &oldest);
        buf_printf(out, "kith_plugin_work_oldest_seconds{plugin=\"%s\"} %g\n",
                   home->guests[i].plugin->name, (double)oldest / 1000);
    }
}

/* A work may take its time, but one that waits for what never comes is seen by nobody else. */
static void look_at_works(struct home_guest *guest, int64_t now)
{
    for (size_t i = 0; i < OUTSIDE_WORKS_SHOWN; i++) {
        int64_t since = atomic_load(&guest->numbers.works[i]);
        if (since == 0 || since == guest->works_told[i] || now - since < PLUGIN_WORK_TELL_MS)
            continue;
        guest->works_told[i] = since;
        say("plugin %s: one of its works has not ended in %d s: it holds one of the %d threads "
            "that the plugin has, until the plugin is reloaded",
            guest->plugin->name, PLUGIN_WORK_TELL_MS / 1000, PLUGIN_THREADS_MAX);
    }
}

void home_look(struct home *home)
{
    int64_t now = boot_ms();
    for (size_t i = 0; i < home->guest_count; i++)
        look_at_works(&home->guests[i], now);
}

/* Resident, in bytes; 0: there is no such process. */
static uint64_t memory_of_process(int pid)
{
    char path[32];
    char line[128] = "";
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    const char *resident = fgets(line, sizeof line, file) != NULL ? strchr(line, ' ') : NULL;
    uint64_t pages = resident != NULL ? strtoull(resident, NULL, 10) : 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_memory(const struct home *home, struct buf *out)
{
    head(out, "kith_plugin_memory_bytes", "gauge",
         "Of its process; of one in the daemon, its code and data without what it allocates.");
    for (size_t i = 0; i < home->guest_count; i++) {
        const struct home_guest *guest = &home->guests[i];
        buf_printf(
            out, "kith_plugin_memory_bytes{plugin=\"%s\"} %" PRIu64 "\n", guest->plugin->name,
            guest->pid != 0 ? memory_of_process(guest->pid) : (uint64_t)guest->plugin->image_bytes);
    }
}

void home_write_metrics(struct home *home, struct buf *out)
{
    if (home == NULL)
        return;
    write_states(home, out);
    write_works(home, out);
    write_memory(home, out);
    head(out, "kith_plugin_calls_total", "counter", "Calls into a plugin, and of the host by it.");
    write_calls(home, out, "kith_plugin_calls_total", calls_of, 1);
    head(out, "kith_plugin_failures_total", "counter", "Those that failed, or were refused.");
    write_calls(home, out, "kith_plugin_failures_total", failures_of, 1);
    head(out, "kith_plugin_call_seconds_total", "counter", "Time in calls into a plugin.");
    write_calls(home, out, "kith_plugin_call_seconds_total", nanoseconds_of, 1e-9);
    head(out, "kith_plugin_count", "counter", "What plugins count.");
    for (size_t i = 0; i < home->guest_count; i++)
        for (size_t j = 0; j < home->guests[i].counter_count; j++)
            buf_printf(out, "kith_plugin_count{plugin=\"%s\",name=\"%s\"} %" PRIu64 "\n",
                       home->guests[i].plugin->name, home->guests[i].counters[j].name,
                       home->guests[i].counters[j].value);
}
