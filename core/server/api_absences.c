/* api_absences.c -- when somebody of staff is away.
 *
 * Bounds are dates or moments, by the company's clocks.  `until` is the moment at which she is
 * back; `to` is how people say it: the last day, or the last moment, that she is away.
 */
#include "core/server/api_absences.h"

#include "core/base/civil.h"
#include "core/base/moment.h"
#include "core/base/zone.h"
#include "core/engine/read.h"

/* No duration, for it would count from nobody knows when. */
static bool read_bound(struct call *call, const struct doc_value *value, const char *name,
                       int64_t *out_ms)
{
    struct err err;
    bool has_offset = true;
    if (value->type == DOC_INT64) {
        *out_ms = value->integer;
        return true;
    }
    if (value->type != DOC_TEXT ||
        moment_parse_loose(value->text.data, value->text.size, out_ms, &has_offset, &err) != 0) {
        call_problem(call, 422, "an absence's \"%s\" is a date or a moment: \"2026-12-01\"", name);
        return false;
    }
    if (!has_offset)
        *out_ms = zone_ms_from_local(call->api->zone, *out_ms);
    return true;
}

static bool read_field(struct call *call, struct doc absence, const char *name, int64_t *out_ms)
{
    struct doc_value value = doc_get(absence, name);
    return read_bound(call, &value, name, out_ms);
}

bool absences_put(struct call *call, struct doc_writer *w, struct doc absences)
{
    static const struct field fields[] = { { "from", FIELD_TIME, true },
                                           { "until", FIELD_TIME, true },
                                           { "deputy", FIELD_NAME, false },
                                           FIELDS_END };
    doc_open_array(w, "absences");
    for (struct doc_iter it = doc_iter(absences); doc_next(&it);) {
        struct doc absence = it.value.doc;
        int64_t from, until;
        if (!fields_check(call, absence, fields) || !read_field(call, absence, "from", &from) ||
            !read_field(call, absence, "until", &until))
            return false;
        doc_open(w, "");
        doc_put_int(w, "from", from);
        doc_put_int(w, "until", until);
        doc_put_present(w, "deputy", doc_text(absence, "deputy"));
        doc_close(w);
    }
    doc_close(w);
    return true;
}

/* -- One ------------------------------------------------------------------------------- */

const struct field absence_fields[] = {
    { "from", FIELD_TIME, false },
    { "to", FIELD_TIME, false },
    { "until", FIELD_TIME, false },
    { "deputy", FIELD_NAME, false },
    FIELDS_END,
};

/* A day is over when the next one begins. */
static bool read_last(struct call *call, int64_t *out_until)
{
    struct text to = doc_text(call->body, "to");
    int64_t day;
    if (moment_parse_date(to.data, to.size, &day, NULL) != 0)
        return read_field(call, call->body, "to", out_until);
    *out_until = zone_ms_from_local(call->api->zone, (day + 1) * CIVIL_DAY_MS);
    return true;
}

/* False: answered. */
static bool read_bounds(struct call *call, int64_t *out_from, int64_t *out_until)
{
    bool has_to = doc_get(call->body, "to").type != DOC_NONE;
    if (has_to == (doc_get(call->body, "until").type != DOC_NONE)) {
        call_problem(call, 422,
                     "an absence needs \"to\", the last day, or \"until\", when she is back");
        return false;
    }
    *out_from = call->api->clock.wall_ms(call->api->clock.arg);
    if (doc_get(call->body, "from").type != DOC_NONE &&
        !read_field(call, call->body, "from", out_from))
        return false;
    return has_to ? read_last(call, out_until) : read_field(call, call->body, "until", out_until);
}

static int read_member(struct engine *engine, struct call *call, void *arg, struct buf *out,
                       struct err *err)
{
    (void)arg;
    return read_staff_member(engine, call_param(call, "name"), out, err);
}

static void run(struct call *call, struct command *command, struct doc_writer *w)
{
    command->data = arena_doc(&call->arena, doc_end(w));
    command->read = read_member;
    command_run(call);
}

static int check_deputy(struct engine *engine, const struct command *command, struct err *err)
{
    return read_staff_check(engine, command->data, err);
}

void post_absence(struct call *call)
{
    struct doc_writer w;
    int64_t from, until;
    if (!read_bounds(call, &from, &until))
        return;
    struct command *command = command_new(call, "staff.absent");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "name", call_param(call, "name"));
    doc_put_int(&w, "from", from);
    doc_put_int(&w, "until", until);
    doc_put_present(&w, "deputy", doc_text(call->body, "deputy"));
    command->check = check_deputy;
    run(call, command, &w);
}

void delete_absence(struct call *call)
{
    struct doc_value value = { .type = DOC_TEXT, .text = call_query(call, "from") };
    struct doc_writer w;
    int64_t from = INT64_MIN;
    if (value.text.size != 0 && !read_bound(call, &value, "from", &from))
        return;
    struct command *command = command_new(call, "staff.back");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "name", call_param(call, "name"));
    if (from != INT64_MIN)
        doc_put_int(&w, "from", from);
    run(call, command, &w);
}
