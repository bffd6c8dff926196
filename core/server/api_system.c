/* api_system.c -- what machines ask of a daemon: does it live, can it work, how does it do,
 * and what can be asked of it. */
#include "core/server/api.h"
#include "core/server/api_openapi.h"
#include "core/server/home.h"
#include "core/server/metrics.h"
#include "core/server/node.h"
#include "core/server/plugin_watch.h"

static void health(struct call *call)
{
    struct doc_writer w;
    doc_begin(&w, &call->out);
    doc_put_string(&w, "status", "ok");
    call_reply(call, 200, doc_end(&w));
}

static void put_reasons(struct call *call, struct doc_writer *w, bool *out_is_ready)
{
    struct node *node = call->api->node;
    struct sequencer *sequencer = node_sequencer(node);
    const char *clock = timekeeper_reason(atomic_load(&sequencer->is_standing),
                                          atomic_load(&sequencer->is_set_back));
    const char *plugin = plugin_watch_reason(call->api->plugin_watch);
    struct err err;
    *out_is_ready = true;
    doc_open_array(w, "reasons");
    if (!node_is_ready(node) && node_refused_seq(node) == 0) {
        doc_put_string(w, "", "the log is being replayed");
        *out_is_ready = false;
    }
    if (node_health(node, &err) != 0) {
        doc_put_string(w, "", err.text);
        *out_is_ready = false;
    }
    if (clock != NULL) {
        doc_put_string(w, "", clock);
        *out_is_ready = false;
    }
    if (plugin != NULL) {
        doc_put_string(w, "", plugin);
        *out_is_ready = false;
    }
    doc_close(w);
}

static void ready(struct call *call)
{
    struct doc_writer w;
    bool is_ready;
    doc_begin(&w, &call->out);
    put_reasons(call, &w, &is_ready);
    doc_put_string(&w, "status", is_ready ? "ready" : "not ready");
    call_reply(call, is_ready ? 200 : 503, doc_end(&w));
}

static void metrics(struct call *call)
{
    bool is_held_up = plugin_watch_reason(call->api->plugin_watch) != NULL;
    metrics_write(call->api->metrics, call->api->node, call->api->plugins, is_held_up, &call->out);
    home_write_metrics(call->api->home, &call->out);
    call_reply_text(call, 200, "text/plain; version=0.0.4; charset=utf-8",
                    (struct text){ (const char *)call->out.data, (uint32_t)call->out.size });
}

static void openapi(struct call *call)
{
    call_reply(call, 200, openapi_document(call->api->home, &call->out));
}

const struct route routes_system[] = {
    { "GET", "/healthz", SCOPE_NONE, 0, false, health, "Whether the daemon runs", NULL, NULL,
      "Health" },
    { "GET", "/readyz", SCOPE_NONE, 0, false, ready, "Whether it can work, else why not", NULL,
      NULL, "Readiness" },
    { "GET", "/metrics", SCOPE_NONE, 0, false, metrics, "Prometheus metrics", NULL, NULL, "text" },
    { "GET", "/openapi.json", SCOPE_NONE, 0, false, openapi, "This description (OpenAPI 3.1)", NULL,
      NULL, "object" },
    ROUTES_END,
};
