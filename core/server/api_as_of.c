/* api_as_of.c -- GET /v1/customers/{customer}?as_of=: who she is, and what the time means, is asked
 * of the engine; her timeline, which may be long, is folded from a snapshot on a worker. */
#include "core/server/api_as_of.h"
#include "core/base/err.h"
#include "core/engine/read.h"
#include "core/server/api_command.h"
#include "core/server/node.h"

#define DAY_END_MINUTE (24 * 60)

struct as_of {
    struct text time;
    int64_t at;
    struct buf members; /* uint64_t each */
    int code;
    struct err err;
};

static int fold(struct snapshot *snapshot, struct call *call, void *arg, struct buf *out,
                struct err *err)
{
    struct as_of *as_of = arg;
    (void)call;
    int rc = read_as_of(snapshot, (const uint64_t *)(const void *)as_of->members.data,
                        as_of->members.size / sizeof(uint64_t), as_of->at, out, err);
    buf_deinit(&as_of->members);
    return rc;
}

/* Whatever says a time of day does not move with the day's end. */
int as_of_time(struct engine *engine, const struct call *call, struct text time, int64_t *out_at,
               struct err *err)
{
    struct clock clock = call->api->clock;
    struct doc_value value = { .type = DOC_TEXT, .text = time };
    struct read_due due = { .now = clock.wall_ms(clock.arg) };
    int64_t begin = 0, end = 0;
    int rc = read_due(engine, &due, &value, &begin, err);
    due.day_minute = DAY_END_MINUTE;
    if (rc == 0)
        rc = read_due(engine, &due, &value, &end, err);
    if (rc != 0) {
        struct err reason = *err;
        return err_set(err, E_INVALID, "?as_of=: %s", reason.text);
    }
    *out_at = end != begin ? end - 1 : end;
    return 0;
}

static void ask(struct engine *engine, struct call *call)
{
    struct as_of *as_of = call->data;
    as_of->code = as_of_time(engine, call, as_of->time, &as_of->at, &as_of->err);
    if (as_of->code == 0)
        as_of->code =
            read_members(engine, call_param(call, "customer"), &as_of->members, &as_of->err);
}

static void asked(struct call *call)
{
    struct as_of *as_of = call->data;
    if (as_of->code == 0)
        call_list(call, fold, as_of);
    else
        call_error(call, as_of->code, &as_of->err);
}

void get_as_of(struct call *call, struct text time)
{
    struct as_of *as_of = arena_zero(&call->arena, sizeof *as_of);
    as_of->time = time;
    call->data = as_of;
    call_ask(call, ask, asked);
}
