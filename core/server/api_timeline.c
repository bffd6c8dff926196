/* api_timeline.c -- see api_timeline.h. */
#include "core/server/api_timeline.h"

#include "core/server/api_command.h"
#include "core/server/node.h"
#include "core/server/say.h"

struct timeline {
    timeline_rows_fn *read_rows;
    struct read_page page;
    struct buf rows;
    int code;
    struct err err;
};

static void ask_rows(struct engine *engine, struct call *call)
{
    struct timeline *timeline = call->data;
    timeline->code =
        timeline->read_rows(engine, call, &timeline->page, &timeline->rows, &timeline->err);
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

static void answer(struct call *call)
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
        answer(call);
    else
        call_work(call, read_events, answer);
}

void get_timeline_of(struct call *call, timeline_rows_fn *read_rows)
{
    struct read_page *page = call_read_page(call);
    if (page == NULL)
        return;
    struct timeline *timeline = arena_zero(&call->arena, sizeof *timeline);
    timeline->read_rows = read_rows;
    timeline->page = *page;
    call->data = timeline;
    call_ask(call, ask_rows, have_rows);
}
