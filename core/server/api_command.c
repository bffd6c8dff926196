/* api_command.c -- see api_command.h. */
#include "core/server/api_command.h"

#include "core/base/limits.h"
#include "core/engine/read.h"
#include "core/server/node.h"

/* -- Fields ---------------------------------------------------------------------------- */

static bool is_name(const struct doc_value *value)
{
    return value->type == DOC_TEXT && value->text.size > 0 && value->text.size <= NAME_BYTES_MAX;
}

static bool is_list(const struct doc_value *value, enum doc_type of)
{
    if (value->type != DOC_ARRAY)
        return false;
    for (struct doc_iter it = doc_iter(value->doc); doc_next(&it);)
        if (of == DOC_TEXT ? !is_name(&it.value) : it.value.type != of)
            return false;
    return true;
}

static bool is_text_within(const struct doc_value *value, size_t size)
{
    return value->type == DOC_TEXT && value->text.size <= size;
}

/* NULL: it is of the kind; else what would be. */
static const char *expected(enum field_kind kind, const struct doc_value *value)
{
    switch (kind) {
    case FIELD_NAME:
        return is_name(value) ? NULL : "a text of 1 to 128 bytes";
    case FIELD_LINE:
        return is_text_within(value, COMMAND_LINE_MAX) ? NULL : "a text of at most 1024 bytes";
    case FIELD_NOTE:
        return is_text_within(value, COMMAND_NOTE_MAX) ? NULL : "a text of at most 16 KiB";
    case FIELD_CUSTOMER:
        return is_text_within(value, COMMAND_LINE_MAX) || value->type == DOC_INT64
                   ? NULL
                   : "a customer: 42, \"user_id:u-17\", \"email:ann@example.com\"";
    case FIELD_TIME:
        return is_text_within(value, COMMAND_LINE_MAX) || value->type == DOC_INT64
                   ? NULL
                   : "a time: \"3d\", \"1wd\", \"2026-12-01 10:00\", or milliseconds";
    case FIELD_COUNT:
        return value->type == DOC_INT64 && value->integer >= 1 && value->integer <= RATE_COUNT_MAX
                   ? NULL
                   : "a whole number from 1 to 1000000";
    case FIELD_BOOL:
        return value->type == DOC_BOOL ? NULL : "true or false";
    case FIELD_DOC:
        return value->type == DOC_DOC ? NULL : "an object";
    case FIELD_NAMES:
        return is_list(value, DOC_TEXT) ? NULL : "a list of texts of 1 to 128 bytes";
    case FIELD_DOCS:
        break;
    }
    return is_list(value, DOC_DOC) ? NULL : "a list of objects";
}

static const struct field *field_of(const struct field fields[], struct text name)
{
    for (; fields->name != NULL; fields++)
        if (text_is(name, fields->name))
            return fields;
    return NULL;
}

const struct field no_fields[] = { FIELDS_END };
const struct field reason_fields[] = { { "reason", FIELD_LINE, false }, FIELDS_END };

static void refuse_unknown(struct call *call, const struct field fields[], struct text name)
{
    struct buf known = BUF_INIT;
    for (; fields->name != NULL; fields++)
        buf_printf(&known, "%s%s", known.size != 0 ? ", " : "", fields->name);
    call_problem(call, 422, "there is no field \"%.*s\" here, but: %s", (int)name.size, name.data,
                 known.size != 0 ? buf_string(&known) : "none");
    buf_deinit(&known);
}

bool fields_check(struct call *call, struct doc body, const struct field fields[])
{
    for (struct doc_iter it = doc_iter(body); doc_next(&it);) {
        const struct field *field = field_of(fields, it.name);
        if (field == NULL) {
            refuse_unknown(call, fields, it.name);
            return false;
        }
        const char *wanted = it.value.type != DOC_NULL ? expected(field->kind, &it.value) : NULL;
        if (wanted != NULL) {
            call_problem(call, 422, "\"%s\" is %s", field->name, wanted);
            return false;
        }
    }
    for (; fields->name != NULL; fields++) {
        struct doc_value value = doc_get(body, fields->name);
        bool is_empty = value.type == DOC_NONE || value.type == DOC_NULL ||
                        (value.type == DOC_TEXT && value.text.size == 0);
        if (fields->is_needed && is_empty) {
            call_problem(call, 422, "\"%s\" is needed", fields->name);
            return false;
        }
    }
    return true;
}

struct text field_customer(struct call *call, struct doc body, const char *name)
{
    struct doc_value value = doc_get(body, name);
    if (value.type == DOC_INT64)
        return arena_printf(&call->arena, "%lld", (long long)value.integer);
    return value.type == DOC_TEXT ? value.text : (struct text){ "", 0 };
}

/* -- The way of a command -------------------------------------------------------------- */

struct command *command_new(struct call *call, const char *type)
{
    struct command *command = arena_zero(&call->arena, sizeof *command);
    command->type = type;
    command->status = 200;
    command->replay_at = REPLAY_NONE;
    call->data = command;
    return command;
}

struct command *command_about(struct call *call, const char *type, const char *subject,
                              const char *param)
{
    struct doc_writer w;
    struct command *command = command_new(call, type);
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, subject, call_param(call, param));
    doc_put_present(&w, "reason", doc_text(call->body, "reason"));
    command->data = arena_doc(&call->arena, doc_end(&w));
    return command;
}

struct doc command_data(struct call *call, struct doc body, const char *without)
{
    struct doc_writer w;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    for (struct doc_iter it = doc_iter(body); doc_next(&it);)
        if (it.value.type != DOC_NULL && (without == NULL || !text_is(it.name, without)))
            doc_put_value_text(&w, it.name, &it.value);
    return arena_doc(&call->arena, doc_end(&w));
}

struct doc call_document(const struct call *call)
{
    const uint8_t *data = call->out.size != 0 ? call->out.data : NULL;
    return (struct doc){ data, (uint32_t)call->out.size };
}

static void answer(struct call *call)
{
    struct command *command = call->data;
    if (command->code == 0 && command->told != NULL)
        command->told(call);
    if (command->code != 0)
        call_error(call, command->code, &command->err);
    else
        call_reply(call, command->status, call_document(call));
}

static void read_back(struct engine *engine, struct call *call)
{
    struct command *command = call->data;
    command->code = command->read(engine, call, command, &call->out, &command->err);
}

/* ?wait=durable: nobody knows yet what came of it. */
static void answer_durable(struct call *call, const struct submission *submission)
{
    struct doc_writer w;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_int(&w, "seq", (int64_t)submission->first_seq);
    call_reply(call, 202, doc_end(&w));
}

static void applied(struct call *call, const struct submission *submission)
{
    struct command *command = call->data;
    if (!submission->wants_applied) {
        answer_durable(call, submission);
        return;
    }
    if (!call_applied(call, submission))
        return;
    if (submission->result.task != 0)
        command->task = submission->result.task;
    if (submission->result.record != 0)
        command->record = submission->result.record;
    command->is_made = submission->result.is_made;
    command->next = submission->result.next;
    command->seq = submission->first_seq;
    command->customer = submission->result.customer;
    buf_clear(&call->out);
    if (command->applied != NULL)
        command->applied(call);
    if (command->read != NULL)
        call_ask(call, read_back, answer);
    else
        answer(call);
}

static void write_data(const struct command *command, struct doc_writer *w)
{
    doc_open(w, "data");
    for (struct doc_iter it = doc_iter(command->data); doc_next(&it);)
        doc_put_value_text(w, it.name, &it.value);
    if (command->time.type != DOC_NONE)
        doc_put_int(w, command->time_name, command->time_ms);
    if (command->time.type == DOC_TEXT && command->words_name != NULL)
        doc_put_text(w, command->words_name, command->time.text);
    doc_close(w);
}

static void submit(struct call *call)
{
    struct command *command = call->data;
    struct text id = call_entry_id(call);
    struct doc_writer w;
    if (command->code != 0) {
        bool is_wrong = command->code == E_INVALID || command->code == E_LIMIT;
        if (is_wrong && command->time.type == DOC_NONE)
            call_problem(call, 422, "%s", command->err.text);
        else if (is_wrong)
            call_problem(call, 422, "\"%s\": %s", command->time_name, command->err.text);
        else
            call_problem(call, 404, "%s", command->err.text);
        return;
    }
    struct submission *submission = submission_new(LOG_STAFF);
    submission->starts_clock = true;
    submission->wants_applied = command->wants_applied;
    submission->accepts_clock = command->accepts_clock;
    submission->replay_at = command->replay_at;
    submission_begin(submission, &w);
    if (id.size != 0)
        doc_put_text(&w, "id", id);
    doc_put_string(&w, "type", command->type);
    if (command->of_call != NULL)
        doc_put_string(&w, "call", command->of_call);
    if (command->ref.size != 0)
        doc_put_text(&w, "ref", command->ref);
    if (command->about.size != 0)
        doc_put_text(&w, "about", command->about);
    doc_put_text(&w, "source", call->caller.name);
    doc_put_text(&w, "by", call_by(call));
    write_data(command, &w);
    submission_end(submission, &w);
    call_submit(call, submission, applied);
}

/* What must be known before the entry is written. */
static void prepare(struct engine *engine, struct call *call)
{
    struct command *command = call->data;
    struct clock clock = call->api->clock;
    struct read_due due = {
        .customer = command->ref,
        .to = command->due_to,
        .task = command->due_task,
        .now = clock.wall_ms(clock.arg),
        .day_minute = 9 * 60,
    };
    if (command->ref.size != 0)
        command->code = read_exists(engine, command->ref, &command->err);
    if (command->code == 0 && command->time.type != DOC_NONE)
        command->code = read_due(engine, &due, &command->time, &command->time_ms, &command->err);
    if (command->code == 0 && command->check != NULL)
        command->code = command->check(engine, command, &command->err);
}

void command_run(struct call *call)
{
    struct command *command = call->data;
    if (command->time.type == DOC_NULL)
        command->time.type = DOC_NONE;
    if (!call_wait(call, true, &command->wants_applied))
        return;
    if (command->applied != NULL) /* what follows from it is asked of the engine */
        command->wants_applied = true;
    if (command->ref.size != 0 || command->time.type != DOC_NONE || command->check != NULL)
        call_ask(call, prepare, submit);
    else
        submit(call);
}

/* -- Reading --------------------------------------------------------------------------- */

struct reading {
    call_read_fn *read;
    call_list_fn *list;
    void *arg;
    int code;
    struct err err;
};

static struct reading *reading_new(struct call *call, void *arg)
{
    struct reading *reading = arena_zero(&call->arena, sizeof *reading);
    reading->arg = arg;
    call->data = reading;
    return reading;
}

static void answer_reading(struct call *call)
{
    struct reading *reading = call->data;
    if (reading->code != 0)
        call_error(call, reading->code, &reading->err);
    else
        call_reply(call, 200, call_document(call));
}

static void run_read(struct engine *engine, struct call *call)
{
    struct reading *reading = call->data;
    reading->code = reading->read(engine, call, reading->arg, &call->out, &reading->err);
}

void call_read(struct call *call, call_read_fn *read, void *arg)
{
    reading_new(call, arg)->read = read;
    call_ask(call, run_read, answer_reading);
}

static void run_list(struct call *call)
{
    struct reading *reading = call->data;
    struct snapshot *snapshot = NULL;
    reading->code = snapshot_open(node_state(call->api->node), &snapshot, &reading->err);
    if (reading->code != 0)
        return;
    reading->code = reading->list(snapshot, call, reading->arg, &call->out, &reading->err);
    snapshot_close(snapshot);
}

/* That the list is older than what was asked for must be said in it. */
static void answer_list(struct call *call)
{
    struct reading *reading = call->data;
    struct doc_writer w;
    if (reading->code != 0 || !call->is_behind) {
        answer_reading(call);
        return;
    }
    struct doc list = arena_doc(&call->arena, call_document(call));
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    doc_put_bool(&w, "behind", true);
    call_reply(call, 200, doc_end(&w));
}

static void list_now(struct call *call)
{
    call_work(call, run_list, answer_list);
}

void call_list(struct call *call, call_list_fn *list, void *arg)
{
    reading_new(call, arg)->list = list;
    if (call_query(call, "after").size != 0)
        list_now(call); /* goes on with what began as new as could be */
    else
        call_await_own(call, list_now);
}

struct read_page *call_read_page(struct call *call)
{
    struct page page;
    if (!call_page(call, &page))
        return NULL;
    struct read_page *out = arena_alloc(&call->arena, sizeof *out);
    *out = (struct read_page){ page.limit, page.after };
    return out;
}
