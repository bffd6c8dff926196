/* verdict.c -- see verdict.h. */
#include "core/server/verdict.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/plugin/breadcrumb.h"
#include "storage/log.h"

#include <string.h>

struct doc verdict_last(const struct buf *bytes)
{
    struct doc last = { NULL, 0 };
    for (size_t at = 0; at < bytes->size; at += last.size) {
        last.data = bytes->data + at;
        memcpy(&last.size, last.data, sizeof last.size); /* how a document begins */
    }
    return last;
}

static bool is_named(struct doc plugins, const char *name)
{
    for (struct doc_iter it = doc_iter(plugins); doc_next(&it);)
        if (text_is(doc_text(it.value.doc, "plugin"), name))
            return true;
    return false;
}

/* "in its handler visit" */
static void put_place(struct buf *out, const struct breadcrumb_crash *crash)
{
    static const char *const words[BREADCRUMB_CALLS] = {
        [BREADCRUMB_DESCRIBE] = "while it was loaded",
        [BREADCRUMB_START] = "in start()",
        [BREADCRUMB_STOP] = "in stop()",
        [BREADCRUMB_EVENT] = "in its handler",
        [BREADCRUMB_TIMER] = "in a timer",
        [BREADCRUMB_REDUCE] = "in a reducer",
        [BREADCRUMB_FUNCTION] = "in its function",
        [BREADCRUMB_STATE] = "in a hook of its document",
        [BREADCRUMB_SEND] = "in a channel",
        [BREADCRUMB_SOURCE] = "in a source",
        [BREADCRUMB_ROUTE] = "in a route",
        [BREADCRUMB_JOB] = "in a job",
        [BREADCRUMB_WATCH] = "at a socket",
        [BREADCRUMB_WORK] = "in a work()",
        [BREADCRUMB_DONE] = "when it was told an answer",
    };
    if (crash->call < BREADCRUMB_CALLS)
        buf_printf(out, " %s%s%s", words[crash->call], crash->function[0] != '\0' ? " " : "",
                   crash->function);
}

/* What is known, for whoever looks for the place: what becomes of customers does not depend on it.
 */
static void put_reason(struct buf *out, const struct breadcrumb_crash *crash)
{
    if (crash->is_hang)
        buf_printf(out, "it did not come back within %d ms", PLUGIN_HANG_MS);
    else if (crash->signal != 0)
        buf_printf(out, "it crashed (SIG%s)", sigabbrev_np(crash->signal));
    else if (crash->exit_code != 0)
        buf_printf(out, "it ended the process by exit(%u)", crash->exit_code);
    else
        buf_text(out, "it ended the process");
    put_place(out, crash);
}

static void put_crash(struct doc_writer *w, const struct breadcrumb_crash *crash)
{
    struct buf reason = BUF_INIT;
    put_reason(&reason, crash);
    doc_open(w, "");
    doc_put_string(w, "plugin", crash->plugin);
    doc_put_string(w, "kind", crash->is_hang ? "hang" : "crash");
    doc_put_string(w, "call", breadcrumb_call_name((enum breadcrumb_call)crash->call));
    if (crash->about != 0)
        doc_put_int(w, "about", (int64_t)crash->about);
    doc_put_string(w, "reason", buf_string(&reason));
    doc_close(w);
    buf_deinit(&reason);
}

/* The entry that a crash is at; 0: none that could still be applied otherwise. */
static uint64_t seq_of(const struct verdict_crashes *crashes, size_t index)
{
    uint64_t seq = crashes->items[index].seq;
    return seq > crashes->applied ? seq : 0;
}

/* Those of `crashes` that are at the entry `seq`; `said` is what is known of it. */
static void put_plugins(struct doc_writer *w, struct doc said,
                        const struct verdict_crashes *crashes, uint64_t seq)
{
    doc_open_array(w, "plugins");
    for (struct doc_iter it = doc_iter(said); doc_next(&it);)
        doc_put_value(w, "", &it.value);
    for (size_t i = 0; i < crashes->count; i++)
        if (seq_of(crashes, i) == seq && !is_named(said, crashes->items[i].plugin))
            put_crash(w, &crashes->items[i]);
    doc_close(w);
}

static int note_at(struct log *log, const struct verdict_crashes *crashes, uint64_t seq,
                   int64_t logged, struct err *err)
{
    struct buf row = BUF_INIT, body = BUF_INIT;
    struct doc_writer w;
    uint64_t end, at_seq = seq;
    int64_t last;
    log_end(log, &end, &last);
    if (seq == 0)
        at_seq = end + 1;
    int rc = seq != 0 ? log_get_verdict(log, seq, &row, err) : E_NOTFOUND;
    struct doc said = rc == 0 ? verdict_last(&row) : (struct doc){ NULL, 0 };
    if (rc == 0 || rc == E_NOTFOUND) {
        doc_begin(&w, &body);
        doc_put_string(&w, "type", "verdict");
        doc_put_int(&w, "at_seq", (int64_t)at_seq);
        if (doc_child(said, "rules").data != NULL)
            doc_put_array(&w, "rules", doc_child(said, "rules"));
        put_plugins(&w, doc_child(said, "plugins"), crashes, seq);
        struct doc doc = doc_end(&w);
        log_add(log, LOG_SYSTEM, logged, doc.data, doc.size);
        log_index_verdict(log, at_seq, doc.data, doc.size);
        rc = 0;
    }
    buf_deinit(&row);
    buf_deinit(&body);
    return rc;
}

/* Whether an earlier one stands for this entry. */
static bool is_noted(const struct verdict_crashes *crashes, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (seq_of(crashes, i) == seq_of(crashes, index))
            return true;
    return false;
}

int verdict_note(struct log *log, const struct verdict_crashes *crashes, int64_t logged,
                 struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < crashes->count; i++)
        if (!is_noted(crashes, i))
            rc = note_at(log, crashes, seq_of(crashes, i), logged, err);
    return rc;
}
