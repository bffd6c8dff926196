/* channel_log.c -- see channel_log.h.
 *
 * A line is written by one call with O_APPEND, so that two processes that share the file
 * mix lines and not letters.  Of a line that was cut by a full disk the rest is lost: the
 * next attempt begins on a new line.
 */
#include "core/server/channel_log.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/server/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct channel_log {
    char *path; /* NULL: standard error */
    int fd;
    bool is_cut; /* the last line has no end */
    struct clock clock;
    struct metrics *metrics;
    struct buf document, line;
};

int channel_log_reopen(struct channel_log *log, struct err *err)
{
    if (log->path == NULL)
        return 0;
    int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, E_IO, "channel log: cannot open %s: %s", log->path, strerror(errno));
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    return 0;
}

int channel_log_open(const char *path, struct clock clock, struct metrics *metrics,
                     struct channel_log **out_log, struct err *err)
{
    struct channel_log *log = mem_zero(sizeof *log);
    log->path = path != NULL ? mem_string(path) : NULL;
    log->fd = path != NULL ? -1 : STDERR_FILENO;
    log->clock = clock;
    log->metrics = metrics;
    int rc = channel_log_reopen(log, err);
    if (rc != 0) {
        channel_log_close(log);
        return rc;
    }
    *out_log = log;
    return 0;
}

void channel_log_close(struct channel_log *log)
{
    if (log == NULL)
        return;
    if (log->path != NULL && log->fd >= 0)
        close(log->fd);
    free(log->path);
    buf_deinit(&log->document);
    buf_deinit(&log->line);
    free(log);
}

static void make_line(struct channel_log *log, struct doc message)
{
    struct doc_writer w;
    buf_clear(&log->document);
    buf_clear(&log->line);
    doc_begin(&w, &log->document);
    doc_put_datetime(&w, "time", log->clock.wall_ms(log->clock.arg));
    for (struct doc_iter it = doc_iter(message); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    struct doc document = doc_end(&w);
    if (log->is_cut)
        buf_byte(&log->line, '\n');
    json_write_doc(&log->line, document);
    buf_byte(&log->line, '\n');
}

/* 0 or errno. */
static int write_line(struct channel_log *log)
{
    size_t done = 0;
    while (done < log->line.size) {
        ssize_t size = write(log->fd, log->line.data + done, log->line.size - done);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0) {
            log->is_cut = log->is_cut || done != 0;
            return errno;
        }
        done += (size_t)size;
    }
    log->is_cut = false;
    return 0;
}

static void send(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                 struct doc message)
{
    struct channel_log *log = self;
    make_line(log, message);
    int code = write_line(log);
    enum outcome outcome = code == 0 ? OUTCOME_SENT : OUTCOME_FAILED;
    struct text detail = code == 0 ? (struct text){ "", 0 } : text_of(strerror(code));
    metrics_delivery(log->metrics, (int)outcome);
    deliver_answer(deliverer, id, attempt, outcome, detail);
}

struct channel channel_log_channel(struct channel_log *log)
{
    return (struct channel){ .name = "log", .self = log, .send = send };
}
