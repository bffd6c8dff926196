/* api_channels.c -- /v1/channels: how the ways out do, and whether they are in use.
 *
 * What waits and what is paused is the engine's knowledge, how a destination does that of the loop:
 * a list has both.
 */
#include "core/engine/config.h"
#include "core/engine/read.h"
#include "core/server/api_command.h"
#include "core/server/deliver.h"
#include "core/server/node.h"

#define BODY_MAX (16u << 10)

/* -- Reading --------------------------------------------------------------------------- */

static void put_channel(struct doc_writer *w, const struct deliver_report *report, struct doc known)
{
    struct doc_value paused = doc_get(known, "paused");
    doc_put_string(w, "name", report->name);
    if (report->status.target != NULL)
        doc_put_string(w, "target", report->status.target);
    doc_put_string(w, "state", paused.type == DOC_DOC ? "paused" : "active");
    doc_put_value(w, "paused", &paused);
    doc_put_string(w, "circuit", channel_circuit_name(report->status.circuit));
    doc_put_int(w, "failures", (int64_t)report->status.failures);
    if (report->status.window == 0)
        doc_put_int(w, "resting_ms", report->status.wait_ms);
    doc_put_int(w, "waiting", doc_int(known, "waiting", 0));
    doc_put_int(w, "under_way", (int64_t)report->under_way);
    doc_put_int(w, "sent", (int64_t)report->outcomes[OUTCOME_SENT]);
    doc_put_int(w, "failed", (int64_t)report->outcomes[OUTCOME_FAILED]);
}

static void ask_channels(struct engine *engine, struct call *call)
{
    read_channels(engine, &call->out);
}

static void answer_channels(struct call *call)
{
    struct doc known = arena_doc(&call->arena, call_document(call));
    struct deliver_report report;
    struct doc_writer w;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_open_array(&w, "items");
    for (size_t i = 0; deliver_report(node_deliverer(call->api->node), i, &report); i++) {
        doc_open(&w, "");
        put_channel(&w, &report, doc_child(known, report.name));
        doc_close(&w);
    }
    doc_close(&w);
    doc_put_null(&w, "next");
    call_reply(call, 200, doc_end(&w));
}

static void get_channels(struct call *call)
{
    call_ask(call, ask_channels, answer_channels);
}

/* -- Deciding -------------------------------------------------------------------------- */

static int read_pause(struct engine *engine, struct call *call, void *arg, struct buf *out,
                      struct err *err)
{
    (void)arg;
    (void)err;
    read_paused(engine, call_param(call, "name"), out);
    return 0;
}

static void decide(struct call *call, const char *type)
{
    command_about(call, type, "channel", "name")->read = read_pause;
    command_run(call);
}

static void post_pause(struct call *call)
{
    decide(call, "channel.paused");
}

static void post_resume(struct call *call)
{
    decide(call, "channel.resumed");
}

const struct route routes_channels[] = {
    { "GET", "/v1/channels", SCOPE_READ, 0, false, get_channels,
      "How the ways out do: what waits, what fails, what is paused; one page", "limit after", NULL,
      "Channel[]" },
    { "POST", "/v1/channels/{name}/pause", SCOPE_ADMIN, BODY_MAX, true, post_pause,
      "Claim nothing more for a channel (*: for any); what is meant for it waits until it expires",
      "wait", reason_fields, "Channel" },
    { "POST", "/v1/channels/{name}/resume", SCOPE_ADMIN, BODY_MAX, true, post_resume,
      "Use a channel again (*: all but those that are paused themselves)", "wait", no_fields,
      "Channel" },
    ROUTES_END,
};
