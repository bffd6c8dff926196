/* api_subjects.c -- /v1/pools, /v1/budgets: how they stand, what happened, loading codes. */
#include "core/engine/read.h"
#include "core/server/api_command.h"
#include "core/server/node.h"
#include "core/server/say.h"

#include <string.h>

#define BODY_MAX (256u << 10)

/* Both kinds have the same routes; the path says which is meant. */
static const char *kind_of(const struct call *call)
{
    return strncmp(call->route->path, "/v1/pools", strlen("/v1/pools")) == 0 ? "pool" : "budget";
}

static int list_all(struct engine *engine, struct call *call, void *arg, struct buf *out,
                    struct err *err)
{
    (void)arg;
    (void)err;
    read_subjects(engine, kind_of(call), out);
    return 0;
}

static void get_all(struct call *call)
{
    call_read(call, list_all, NULL);
}

static int read_one(struct engine *engine, struct call *call, void *arg, struct buf *out,
                    struct err *err)
{
    (void)arg;
    return read_subject(engine, kind_of(call), call_param(call, "name"), out, err);
}

static void get_one(struct call *call)
{
    call_read(call, read_one, NULL);
}

/* -- The timeline: rows from the engine, then the entries on a worker ------------------ */

struct timeline {
    struct read_page page;
    struct buf rows;
    int code;
    struct err err;
};

static void ask_rows(struct engine *engine, struct call *call)
{
    struct timeline *timeline = call->data;
    timeline->code = read_subject_timeline(engine, kind_of(call), call_param(call, "name"),
                                           &timeline->page, &timeline->rows, &timeline->err);
}

static void read_events(struct call *call)
{
    struct timeline *timeline = call->data;
    struct doc rows = { timeline->rows.data, (uint32_t)timeline->rows.size };
    timeline->code =
        read_timeline_events(node_log(call->api->node), rows, &call->out, &timeline->err);
    if (timeline->code == 0 && timeline->err.code != 0)
        say("%s is shown without what cannot be read: %s", call->route->path, timeline->err.text);
}

static void answer_timeline(struct call *call)
{
    struct timeline *timeline = call->data;
    buf_deinit(&timeline->rows);
    if (timeline->code != 0)
        call_error(call, timeline->code, &timeline->err);
    else
        call_reply(call, 200, call_document(call));
}

static void have_rows(struct call *call)
{
    struct timeline *timeline = call->data;
    if (timeline->code != 0)
        answer_timeline(call);
    else
        call_work(call, read_events, answer_timeline);
}

static void get_timeline(struct call *call)
{
    struct read_page *page = call_read_page(call);
    if (page == NULL)
        return;
    struct timeline *timeline = arena_zero(&call->arena, sizeof *timeline);
    timeline->page = *page;
    call->data = timeline;
    call_ask(call, ask_rows, have_rows);
}

/* -- Loading --------------------------------------------------------------------------- */

static const struct field load_fields[] = { { "codes", FIELD_NAMES, true }, FIELDS_END };

static void post_codes(struct call *call)
{
    struct doc_writer w;
    struct doc_value codes = doc_get(call->body, "codes");
    struct command *command = command_new(call, "pool.load");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "pool", call_param(call, "name"));
    doc_put_value(&w, "codes", &codes);
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->read = read_one;
    command_run(call);
}

const struct route routes_subjects[] = {
    { "GET", "/v1/pools", SCOPE_READ, 0, false, get_all,
      "The pools of codes that the rules in force declare; one page", "limit after", NULL,
      "Pool[]" },
    { "GET", "/v1/pools/{name}", SCOPE_READ, 0, false, get_one, "How one stands", NULL, NULL,
      "Pool" },
    { "GET", "/v1/pools/{name}/timeline", SCOPE_READ, 0, false, get_timeline,
      "What was asked of it and became of it, the newest first", "limit after", NULL,
      "TimelineEntry[]" },
    { "POST", "/v1/pools/{name}/codes", SCOPE_STAFF, BODY_MAX, true, post_codes,
      "Load codes; those that it has or had are passed over", "wait", load_fields, "Pool" },
    { "GET", "/v1/budgets", SCOPE_READ, 0, false, get_all,
      "The budgets that the rules in force declare; one page", "limit after", NULL, "Budget[]" },
    { "GET", "/v1/budgets/{name}", SCOPE_READ, 0, false, get_one, "How one stands", NULL, NULL,
      "Budget" },
    { "GET", "/v1/budgets/{name}/timeline", SCOPE_READ, 0, false, get_timeline,
      "What was asked of it and became of it, the newest first", "limit after", NULL,
      "TimelineEntry[]" },
    ROUTES_END,
};
