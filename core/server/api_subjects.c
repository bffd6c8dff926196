/* api_subjects.c -- /v1/pools, /v1/budgets: how they stand, what happened, loading codes. */
#include "core/engine/read.h"
#include "core/server/api_command.h"
#include "core/server/api_timeline.h"

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

/* -- The timeline ---------------------------------------------------------------------- */

static int read_rows(struct engine *engine, struct call *call, const struct read_page *page,
                     struct buf *rows, struct err *err)
{
    return read_subject_timeline(engine, kind_of(call), call_param(call, "name"), page, rows, err);
}

static void get_timeline(struct call *call)
{
    get_timeline_of(call, read_rows);
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
