/* api_reminders.c -- /v1/reminders: follow-ups, their list, and being done with them. */
#include "core/base/limits.h"
#include "core/engine/event.h"
#include "core/engine/read.h"
#include "core/http/http.h"
#include "core/server/api_command.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX (64u << 10)

/* -- Reading --------------------------------------------------------------------------- */

/* The number that the path names; false: answered. */
static bool task_of(struct call *call, uint64_t *out_task)
{
    struct text id = call_param(call, "id");
    uint64_t n;
    if (event_id_parse(id, out_task, &n) && n == 0)
        return true;
    call_problem(call, 404, "no reminder has the number %.*s", (int)id.size, id.data);
    return false;
}

/* What the answer says of the reminder, for whoever changes it later. */
static void add_etag(struct call *call)
{
    char tag[24];
    struct text version = doc_text(call_document(call), "version");
    snprintf(tag, sizeof tag, "\"%.*s\"", (int)version.size, version.data);
    if (version.size != 0)
        http_add_field(call->request, "ETag", tag);
}

/* The version that whoever calls has seen; empty: any.  False: answered. */
static bool read_expected(struct call *call, struct text *out_version)
{
    const char *tag = http_field(call->request, "If-Match");
    *out_version = (struct text){ "", 0 };
    if (tag == NULL || strcmp(tag, "*") == 0)
        return true;
    size_t size = strlen(tag);
    if (size > 2 && tag[0] == '"' && strchr(tag + 1, '"') == tag + size - 1) {
        *out_version = arena_text(&call->arena, (struct text){ tag + 1, (uint32_t)size - 2 });
        return true;
    }
    call_problem(call, 412,
                 "If-Match is the ETag of the reminder, as it was read: its version in "
                 "quotes");
    return false;
}

struct one {
    uint64_t task;
    int code;
    struct err err;
};

static void ask_one(struct engine *engine, struct call *call)
{
    struct one *one = call->data;
    one->code = read_reminder(engine, one->task, &call->out, &one->err);
}

static void have_one(struct call *call)
{
    struct one *one = call->data;
    if (one->code != 0) {
        call_error(call, one->code, &one->err);
        return;
    }
    add_etag(call);
    call_reply(call, 200, call_document(call));
}

static void get_reminder(struct call *call)
{
    struct one *one = arena_zero(&call->arena, sizeof *one);
    if (!task_of(call, &one->task))
        return;
    call->data = one;
    call_ask(call, ask_one, have_one);
}

struct listing {
    struct read_reminders which;
    struct read_page page;
    struct text customer;
    struct text due;
    int code;
    const char *at; /* what of the query is wrong; NULL: no matter */
    struct err err;
};

static int list(struct snapshot *snapshot, struct call *call, void *arg, struct buf *out,
                struct err *err)
{
    const struct listing *listing = arg;
    (void)call;
    return read_reminders(snapshot, &listing->which, &listing->page, out, err);
}

static int list_of_customer(struct engine *engine, struct call *call, void *arg, struct buf *out,
                            struct err *err)
{
    const struct listing *listing = arg;
    (void)call;
    return read_reminders_of(engine, listing->customer, &listing->which, &listing->page, out, err);
}

static void ask_members(struct engine *engine, struct call *call, struct listing *listing)
{
    struct buf members = BUF_INIT;
    listing->code = read_members(engine, listing->customer, &members, &listing->err);
    if (listing->code == 0) {
        listing->which.customers = arena_copy(&call->arena, members.data, members.size);
        listing->which.customer_count = members.size / sizeof(uint64_t);
    }
    buf_deinit(&members);
}

/* "today" and "2026-12-01" mean to the end of that day. */
static void ask_due(struct engine *engine, struct call *call, struct listing *listing)
{
    struct clock clock = call->api->clock;
    struct doc_value due = { .type = DOC_TEXT, .text = listing->due };
    struct read_due how = {
        .to = listing->which.to,
        .now = clock.wall_ms(clock.arg),
        .day_minute = 24 * 60,
    };
    listing->code = read_due(engine, &how, &due, &listing->which.due_before, &listing->err);
    listing->at = listing->code != 0 ? "due" : NULL;
}

static void ask_which(struct engine *engine, struct call *call)
{
    struct listing *listing = call->data;
    if (listing->due.size != 0)
        ask_due(engine, call, listing);
    if (listing->code == 0 && listing->customer.size != 0)
        ask_members(engine, call, listing);
}

/* The open ones of a customer have an index of their own. */
static void have_which(struct call *call)
{
    struct listing *listing = call->data;
    if (listing->at != NULL)
        call_problem(call, 400, "?%s=: %s", listing->at, listing->err.text);
    else if (listing->code != 0)
        call_error(call, listing->code, &listing->err);
    else if (listing->customer.size != 0 && listing->which.is_open)
        call_read(call, list_of_customer, listing);
    else
        call_list(call, list, listing);
}

static void get_reminders(struct call *call)
{
    struct listing *listing = arena_zero(&call->arena, sizeof *listing);
    struct text state = call_query(call, "state");
    struct read_page *page = call_read_page(call);
    if (page == NULL)
        return;
    if (state.size != 0 && !text_is(state, "open") && !text_is(state, "done") &&
        !text_is(state, "all")) {
        call_problem(call, 400, "?state= is open, done or all");
        return;
    }
    listing->page = *page;
    listing->customer = call_query(call, "customer");
    listing->due = call_query(call, "due");
    listing->which = (struct read_reminders){
        .to = call_query(call, "to"),
        .of = call_query(call, "of"),
        .is_open = state.size == 0 || text_is(state, "open"),
        .state = text_is(state, "done") ? state : (struct text){ "", 0 },
        .due_before = INT64_MAX,
    };
    call->data = listing;
    if (listing->customer.size != 0 || listing->due.size != 0)
        call_ask(call, ask_which, have_which);
    else
        call_list(call, list, listing);
}

/* -- Changing -------------------------------------------------------------------------- */

/* The one that is done, with the one that follows it as `next`. */
static int read_both(struct engine *engine, const struct command *command, struct buf *out,
                     struct err *err)
{
    struct buf done = BUF_INIT, next = BUF_INIT;
    struct doc_writer w;
    int rc = read_reminder(engine, command->task, &done, err);
    if (rc == 0)
        rc = read_reminder(engine, command->next, &next, err);
    if (rc == 0) {
        doc_begin(&w, out);
        struct doc doc = { done.data, (uint32_t)done.size };
        for (struct doc_iter it = doc_iter(doc); doc_next(&it);)
            doc_put_value_text(&w, it.name, &it.value);
        doc_put_doc(&w, "next", (struct doc){ next.data, (uint32_t)next.size });
        doc_end(&w);
    }
    buf_deinit(&done);
    buf_deinit(&next);
    return rc;
}

/* The call was made before, and its answer is no longer known: the newest open one that says the
 * same is what it made.  0: there is none any more. */
static uint64_t find_made(struct engine *engine, struct call *call, const struct command *command)
{
    const struct read_reminders which = { .is_open = true, .due_before = INT64_MAX };
    const struct read_page page = { .limit = LIST_MAX };
    struct buf list = BUF_INIT;
    struct err err;
    uint64_t task = 0;
    if (read_reminders_of(engine, command->ref, &which, &page, &list, &err) == 0) {
        struct doc doc = { list.data, (uint32_t)list.size };
        struct text title = doc_text(command->data, "title");
        for (struct doc_iter it = doc_iter(doc_child(doc, "items")); doc_next(&it);)
            if (text_equal(doc_text(it.value.doc, "title"), title) &&
                text_equal(doc_text(it.value.doc, "by"), call_by(call)))
                task = (uint64_t)doc_int(it.value.doc, "id", 0);
    }
    buf_deinit(&list);
    return task;
}

static int read_changed(struct engine *engine, struct call *call, void *arg, struct buf *out,
                        struct err *err)
{
    struct command *command = arg;
    if (command->task == 0)
        command->task = find_made(engine, call, command);
    if (command->task == 0)
        return err_set(err, E_CONFLICT,
                       "this Idempotency-Key has made a reminder before: no other was made");
    if (command->next == 0)
        return read_reminder(engine, command->task, out, err);
    return read_both(engine, command, out, err);
}

static const struct field reminder_fields[] = {
    { "customer", FIELD_CUSTOMER, true },
    { "title", FIELD_LINE, true },
    { "due", FIELD_TIME, true },
    { "to", FIELD_NAME, false },
    { "note", FIELD_NOTE, false },
    { "about", FIELD_LINE, false },
    FIELDS_END,
};

static void post_reminder(struct call *call)
{
    static const char *const kept[] = { "title", "to", "note", "about" };
    struct doc_writer w;
    struct command *command = command_new(call, "reminder.set");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (doc_text(call->body, kept[i]).size != 0)
            doc_put_text(&w, kept[i], doc_text(call->body, kept[i]));
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->ref = field_customer(call, call->body, "customer");
    command->time_name = "due";
    command->words_name = "civil";
    command->time = doc_get(call->body, "due");
    command->due_to = doc_text(call->body, "to");
    command->status = 201;
    command->read = read_changed;
    command_run(call);
}

/* What is said of one that is gone would stay in the log, with nobody to be erased with. */
static int check_reminder(struct engine *engine, const struct command *command, struct err *err)
{
    struct buf row = BUF_INIT;
    int rc = read_reminder(engine, command->task, &row, err);
    buf_deinit(&row);
    return rc;
}

/* A command on the reminder of the path, with a time called `time_name`. */
static void change(struct call *call, const char *type, const char *time_name)
{
    uint64_t task;
    struct doc_writer w;
    struct text expected;
    if (!task_of(call, &task) || !read_expected(call, &expected))
        return;
    struct command *command = command_new(call, type);
    command->told = add_etag;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_int(&w, "task", (int64_t)task);
    doc_put_present(&w, "expect", expected);
    for (struct doc_iter it = doc_iter(call->body); doc_next(&it);)
        if (it.value.type != DOC_NULL && !text_is(it.name, time_name))
            doc_put_value_text(&w, it.name, &it.value);
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->task = command->due_task = task;
    command->time_name = time_name;
    command->words_name = "civil";
    command->time = doc_get(call->body, time_name);
    command->check = check_reminder;
    command->read = read_changed;
    command_run(call);
}

static const struct field patch_fields[] = { { "title", FIELD_LINE, false },
                                             { "to", FIELD_NAME, false },
                                             { "note", FIELD_NOTE, false },
                                             { "due", FIELD_TIME, false },
                                             FIELDS_END };

static void patch_reminder(struct call *call)
{
    if (doc_count(call->body) == 0)
        call_problem(call, 422, "nothing is to be changed: title, to, note or due is needed");
    else
        change(call, "reminder.change", "due");
}

static const struct field done_fields[] = {
    { "outcome", FIELD_LINE, false }, { "title", FIELD_LINE, false }, { "note", FIELD_NOTE, false },
    { "due", FIELD_TIME, false },     { "next", FIELD_TIME, false },  FIELDS_END
};

static void post_done(struct call *call)
{
    enum doc_type due = doc_get(call->body, "due").type, next = doc_get(call->body, "next").type;
    bool has_due = due != DOC_NONE && due != DOC_NULL;
    if (has_due && next != DOC_NONE && next != DOC_NULL)
        call_problem(call, 422, "due or next: that one is over, or another one's time");
    else
        change(call, "reminder.done", has_due ? "due" : "next");
}

static const struct field snooze_fields[] = { { "due", FIELD_TIME, true }, FIELDS_END };

static void post_snooze(struct call *call)
{
    change(call, "reminder.snooze", "due");
}

const struct route routes_reminders[] = {
    { "GET", "/v1/reminders", SCOPE_READ, 0, false, get_reminders,
      "Reminders: ?to= ?of= ?state=open|done|all ?due= ?customer=",
      "to of state due customer limit after", NULL, "Reminder[]" },
    { "POST", "/v1/reminders", SCOPE_STAFF, BODY_MAX, true, post_reminder,
      "Remind somebody of a customer", "wait", reminder_fields, "201 Reminder" },
    { "GET", "/v1/reminders/{id}", SCOPE_READ, 0, false, get_reminder, "One reminder", NULL, NULL,
      "Reminder" },
    { "PATCH", "/v1/reminders/{id}", SCOPE_STAFF, BODY_MAX, true, patch_reminder,
      "Change title, note, time, or who shall do it", "wait", patch_fields, "Reminder" },
    { "POST", "/v1/reminders/{id}/done", SCOPE_STAFF, BODY_MAX, true, post_done,
      "It is done, as `title`, `note`, `due` have it; `next` makes another", "wait", done_fields,
      "Reminder" },
    { "POST", "/v1/reminders/{id}/snooze", SCOPE_STAFF, BODY_MAX, true, post_snooze,
      "Move it to another time", "wait", snooze_fields, "Reminder" },
    ROUTES_END,
};
