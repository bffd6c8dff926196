/* progress.c -- one line, drawn over itself; see progress.h. */
#include "core/cli/progress.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_CELLS 30
#define DRAW_NS INT64_C(200000000)
#define SECOND_NS 1e9

void progress_start(struct progress *progress, const char *verb, uint64_t total)
{
    *progress = (struct progress){
        .is_shown = isatty(STDERR_FILENO) != 0,
        .verb = verb,
        .total = total,
        .start_ns = clock_ns(),
    };
    progress->drawn_ns = progress->start_ns;
}

static void append_duration(struct buf *out, double seconds)
{
    uint64_t whole = (uint64_t)(seconds + 0.5);
    if (whole >= 3600)
        buf_printf(out, "%llu:", (unsigned long long)(whole / 3600));
    buf_printf(out, whole >= 3600 ? "%02llu:%02llu" : "%llu:%02llu",
               (unsigned long long)(whole / 60 % 60), (unsigned long long)(whole % 60));
}

void progress_line(const struct progress *progress, uint64_t done, uint64_t events,
                   int64_t elapsed_ns, struct buf *out)
{
    double share = progress->total != 0 ? (double)done / (double)progress->total : 1;
    double seconds = (double)elapsed_ns / SECOND_NS;
    buf_printf(out, "%s [", progress->verb);
    for (int i = 0; i < BAR_CELLS; i++)
        buf_byte(out, i < (int)(share * BAR_CELLS) ? '#' : '.');
    buf_printf(out, "] %3d%%  %llu events", (int)(share * 100), (unsigned long long)events);
    if (seconds > 0)
        buf_printf(out, "  %.0f/s", (double)events / seconds);
    if (share > 0 && share < 1) {
        buf_text(out, "  ETA ");
        append_duration(out, seconds * (1 - share) / share);
    }
}

void progress_update(struct progress *progress, uint64_t done, uint64_t events)
{
    if (!progress->is_shown)
        return;
    int64_t now = clock_ns();
    if (now - progress->drawn_ns < DRAW_NS)
        return;
    struct buf line = BUF_INIT;
    progress->drawn_ns = now;
    progress_line(progress, done, events, now - progress->start_ns, &line);
    fprintf(stderr, "\r%s\033[K", buf_string(&line));
    fflush(stderr);
    buf_deinit(&line);
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown && progress->drawn_ns != progress->start_ns)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
