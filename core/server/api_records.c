/* api_records.c -- /v1/records: objects of declared kinds, their state by transition, their fields
 * by PATCH.
 *
 *     GET    /v1/records                           the kinds
 *     GET    /v1/records/{kind}                    a list, POST one more
 *     GET    /v1/records/{kind}/{id}               one; PATCH its fields; PUT by an external id
 *     POST   /v1/records/{kind}/{id}/{transition}  into another state
 *     POST   .../assign  .../links  .../notes      what else is done with one
 *
 * {id} is the record's number, or FIELD:VALUE by an external id.  Who changes one that he has read
 * sends its ETag as If-Match: of two who change the same the second gets 412 and looks again.
 */
#include "core/base/limits.h"
#include "core/engine/read.h"
#include "core/engine/read_record_search.h"
#include "core/http/http.h"
#include "core/server/api_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (128u << 10)

/* -- Reading --------------------------------------------------------------------------- */

static int list_kinds(struct engine *engine, struct call *call, void *arg, struct buf *out,
                      struct err *err)
{
    (void)call;
    (void)arg;
    (void)err;
    read_kinds(engine, out);
    return 0;
}

static void get_kinds(struct call *call)
{
    struct page page; /* there are never more than one holds */
    if (call_page(call, &page))
        call_read(call, list_kinds, NULL);
}

/* The version, as whoever changes the record later says which one he has seen. */
static void add_etag(struct call *call)
{
    char tag[32];
    int64_t version = doc_int(call_document(call), "version", 0);
    snprintf(tag, sizeof tag, "\"%lld\"", (long long)version);
    if (version != 0)
        http_add_field(call->request, "ETag", tag);
}

struct naming { /* of one record, by the path */
    uint64_t number;
    int code;
    struct err err;
    void (*named)(struct call *call, uint64_t number);
};

static void ask_record(struct engine *engine, struct call *call)
{
    struct naming *naming = call->data;
    struct text kind = call_param(call, "kind");
    naming->code =
        read_record_number(engine, kind, call_param(call, "id"), &naming->number, &naming->err);
    if (naming->code == 0 && naming->named == NULL)
        naming->code = read_record(engine, kind, naming->number, &call->out, &naming->err);
}

static void have_record(struct call *call)
{
    struct naming *naming = call->data;
    if (naming->code != 0) {
        call_error(call, naming->code, &naming->err);
    } else if (naming->named != NULL) {
        naming->named(call, naming->number);
    } else {
        add_etag(call);
        call_reply(call, 200, call_document(call));
    }
}

/* Find the record of the path, then go on with its number; NULL: answer with it. */
static void with_record(struct call *call, void (*named)(struct call *call, uint64_t number))
{
    struct naming *naming = arena_zero(&call->arena, sizeof *naming);
    naming->named = named;
    call->data = naming;
    call_ask(call, ask_record, have_record);
}

static void get_record(struct call *call)
{
    with_record(call, NULL);
}

struct listing {
    struct read_records which;
    struct read_page page;
    struct record_query query;
    struct text customer;
    int code;
    bool is_wrong; /* a state or an owner that there is not */
    struct err err;
};

static void ask_listing(struct engine *engine, struct call *call)
{
    struct listing *listing = call->data;
    struct buf members = BUF_INIT;
    listing->code = read_kind_title(engine, listing->which.kind, &call->arena,
                                    &listing->which.title, &listing->err);
    if (listing->code == 0) {
        listing->code = read_records_check(engine, &listing->which, &listing->err);
        listing->is_wrong = listing->code != 0;
    }
    if (listing->code == 0 && listing->which.query != NULL)
        listing->code =
            read_kind_searchable(engine, listing->which.kind, &call->arena, &listing->query.fields,
                                 &listing->query.field_count, &listing->err);
    if (listing->code == 0 && listing->customer.size != 0) {
        listing->code = read_members(engine, listing->customer, &members, &listing->err);
        listing->which.customers = arena_copy(&call->arena, members.data, members.size);
        listing->which.customer_count = members.size / sizeof(uint64_t);
    }
    buf_deinit(&members);
}

static int list(struct snapshot *snapshot, struct call *call, void *arg, struct buf *out,
                struct err *err)
{
    const struct listing *listing = arg;
    (void)call;
    return read_records(snapshot, &listing->which, &listing->page, out, err);
}

static void have_listing(struct call *call)
{
    struct listing *listing = call->data;
    if (listing->is_wrong)
        call_problem(call, 422, "%s", listing->err.text);
    else if (listing->code != 0)
        call_error(call, listing->code, &listing->err);
    else
        call_list(call, list, listing);
}

/* ?open=1, or 0, or nothing; else it is answered. */
static bool read_open(struct call *call, bool *out_is_open)
{
    struct text open = call_query(call, "open");
    *out_is_open = text_is(open, "1");
    if (open.data == NULL || *out_is_open || text_is(open, "0"))
        return true;
    call_problem(call, 422, "?open= is 1, for open records only, or 0, for all");
    return false;
}

static void get_records(struct call *call)
{
    struct listing *listing = arena_zero(&call->arena, sizeof *listing);
    struct read_page *page = call_read_page(call);
    bool is_open;
    if (page == NULL || !read_open(call, &is_open))
        return;
    listing->page = *page;
    listing->customer = call_query(call, "customer");
    listing->which = (struct read_records){
        .kind = call_param(call, "kind"),
        .is_open = is_open,
        .state = call_query(call, "state"),
        .owner = call_query(call, "owner"),
    };
    if (listing->which.state.size > NAME_BYTES_MAX || listing->which.owner.size > NAME_BYTES_MAX) {
        call_problem(call, 400, "?state= and ?owner= have at most %d bytes", NAME_BYTES_MAX);
        return;
    }
    struct text query = call_query(call, "q");
    if (query.size != 0 && !record_query_read(&listing->query, query, &call->arena)) {
        call_problem(call, 400, "?q= has one to %d words, of letters and digits",
                     RECORD_QUERY_WORDS_MAX);
        return;
    }
    listing->which.query = query.size != 0 ? &listing->query : NULL;
    call->data = listing;
    call_ask(call, ask_listing, have_listing);
}

/* -- What is written ------------------------------------------------------------------- */

/* The version that whoever calls has seen; 0: any.  False: answered. */
static bool read_expected(struct call *call, int64_t *out_version)
{
    const char *tag = http_field(call->request, "If-Match");
    char *end = NULL;
    *out_version = 0;
    if (tag == NULL || strcmp(tag, "*") == 0)
        return true;
    if (tag[0] == '"')
        *out_version = strtoll(tag + 1, &end, 10);
    if (*out_version > 0 && end != NULL && strcmp(end, "\"") == 0)
        return true;
    call_problem(call, 412, "If-Match is the ETag of the record, as it was read: \"3\"");
    return false;
}

static bool is_customer(const struct doc_value *value)
{
    return value->type == DOC_TEXT || value->type == DOC_INT64;
}

static bool is_role(const struct doc_value *value)
{
    if (value->type != DOC_ARRAY)
        return value->type == DOC_NULL || is_customer(value);
    for (struct doc_iter it = doc_iter(value->doc); doc_next(&it);)
        if (!is_customer(&it.value))
            return false;
    return true;
}

/* Whether those of the body can be meant; else it is answered. */
static bool roles_check(struct call *call)
{
    for (struct doc_iter it = doc_iter(doc_child(call->body, "customers")); doc_next(&it);)
        if (!is_role(&it.value)) {
            call_problem(call, 422,
                         "\"customers\": \"%.*s\" is a customer, 42 or \"user_id:u-17\", or a "
                         "list of them; null empties it",
                         (int)it.name.size, it.name.data);
            return false;
        }
    return true;
}

/* The body's fields under their names, null too: it empties. */
static void put_body(struct call *call, struct doc_writer *w, const char *const names[])
{
    for (; *names != NULL; names++) {
        struct doc_value value = doc_get(call->body, *names);
        doc_put_value(w, *names, &value);
    }
}

static int read_back(struct engine *engine, struct call *call, void *arg, struct buf *out,
                     struct err *err)
{
    struct command *command = arg;
    struct text kind = call_param(call, "kind");
    if (command->record == 0) /* the call was made before */
        command->record = read_record_made(engine, kind, call_entry_id(call));
    if (command->record == 0)
        return err_set(err, E_CONFLICT,
                       "this Idempotency-Key has made a record before: no other was made");
    return read_record(engine, kind, command->record, out, err);
}

static struct command *command_for(struct call *call, const char *type, struct doc_writer *w)
{
    struct command *command = command_new(call, type);
    command->read = read_back;
    command->told = add_etag;
    buf_clear(&call->out);
    doc_begin(w, &call->out);
    doc_put_text(w, "kind", call_param(call, "kind"));
    return command;
}

static void run(struct call *call, struct command *command, struct doc_writer *w)
{
    command->data = arena_doc(&call->arena, doc_end(w));
    command_run(call);
}

static const struct field create_fields[] = {
    { "customer", FIELD_CUSTOMER, false }, { "fields", FIELD_DOC, false },
    { "customers", FIELD_DOC, false },     { "owner", FIELD_NAME, false },
    { "lines", FIELD_DOCS, false },        FIELDS_END
};

static void post_record(struct call *call)
{
    static const char *const kept[] = { "fields", "customers", "owner", "lines", NULL };
    struct doc_writer w;
    if (!roles_check(call))
        return;
    struct command *command = command_for(call, "record.create", &w);
    put_body(call, &w, kept);
    command->ref = field_customer(call, call->body, "customer");
    command->status = 201;
    run(call, command, &w);
}

/* -- By an external id ----------------------------------------------------------------- */

struct putting {
    struct text field, value;
    uint64_t number; /* 0: it is not there yet */
    int64_t expected;
    int code;
    struct err err;
};

/* GET of the same path would be the record of that number. */
static bool is_number(struct text id)
{
    uint32_t i = 0;
    while (i < id.size && id.data[i] >= '0' && id.data[i] <= '9')
        i++;
    return i == id.size;
}

static void ask_putting(struct engine *engine, struct call *call)
{
    struct putting *putting = call->data;
    struct text kind = call_param(call, "kind"), id = call_param(call, "id");
    const char *colon = memchr(id.data, ':', id.size);
    putting->value = id;
    if (colon != NULL) {
        putting->field = (struct text){ id.data, (uint32_t)(colon - id.data) };
        putting->value = (struct text){ colon + 1, (uint32_t)(id.data + id.size - colon - 1) };
    } else {
        putting->code =
            read_kind_external(engine, kind, &call->arena, &putting->field, &putting->err);
    }
    if (putting->code == 0 && colon == NULL && is_number(id))
        putting->code =
            err_set(&putting->err, E_INVALID,
                    "%.*s is the number of a record: an external id of digits is "
                    "written with its field, %s:%.*s; PATCH changes a record",
                    (int)id.size, id.data, arena_text(&call->arena, putting->field).data,
                    (int)id.size, id.data);
    if (putting->code == 0) {
        struct text named =
            arena_printf(&call->arena, "%.*s:%.*s", (int)putting->field.size, putting->field.data,
                         (int)putting->value.size, putting->value.data);
        read_record_number(engine, kind, named, &putting->number, NULL);
    }
}

static void tell_put(struct call *call)
{
    struct command *command = call->data;
    command->status = command->is_made ? 201 : 200;
    add_etag(call);
}

static void have_putting(struct call *call)
{
    static const char *const kept[] = { "fields", "customers", "owner", "lines", NULL };
    struct putting *putting = call->data;
    struct doc_value value = { .type = DOC_TEXT, .text = putting->value };
    struct doc_writer w;
    if (putting->code == E_INVALID) {
        call_problem(call, 422, "%s", putting->err.text);
        return;
    }
    if (putting->code != 0) {
        call_error(call, putting->code, &putting->err);
        return;
    }
    struct command *command = command_for(call, "record.put", &w);
    doc_open(&w, "external");
    doc_put_value_text(&w, putting->field, &value);
    doc_close(&w);
    put_body(call, &w, kept);
    if (putting->expected != 0)
        doc_put_int(&w, "expect", putting->expected);
    command->ref = field_customer(call, call->body, "customer");
    command->record = putting->number;
    command->told = tell_put;
    run(call, command, &w);
}

static void put_record(struct call *call)
{
    struct putting *putting = arena_zero(&call->arena, sizeof *putting);
    if (!roles_check(call) || !read_expected(call, &putting->expected))
        return;
    call->data = putting;
    call_ask(call, ask_putting, have_putting);
}

/* -- Changing one ---------------------------------------------------------------------- */

/* A command on the record of the path, to go on with; NULL: answered. */
static struct command *change(struct call *call, const char *type, uint64_t number,
                              struct doc_writer *w)
{
    int64_t expected;
    struct text kind = call_param(call, "kind");
    if (!read_expected(call, &expected))
        return NULL;
    struct command *command = command_for(call, type, w);
    command->record = number;
    command->about = arena_printf(&call->arena, "%.*s:%llu", (int)kind.size, kind.data,
                                  (unsigned long long)number);
    doc_put_int(w, "record", (int64_t)number);
    if (expected != 0)
        doc_put_int(w, "expect", expected);
    return command;
}

static const struct field patch_fields[] = { { "fields", FIELD_DOC, false },
                                             { "customers", FIELD_DOC, false },
                                             { "owner", FIELD_NAME, false },
                                             { "lines", FIELD_DOCS, false },
                                             FIELDS_END };

static void patch_named(struct call *call, uint64_t number)
{
    static const char *const kept[] = { "fields", "customers", "owner", "lines", NULL };
    struct doc_writer w;
    struct command *command = change(call, "record.change", number, &w);
    if (command == NULL)
        return;
    put_body(call, &w, kept);
    run(call, command, &w);
}

/* What null empties stands in them. */
static bool is_emptied(const struct call *call, const char *name)
{
    return doc_get(call->body, name).type == DOC_NULL;
}

static void patch_record(struct call *call)
{
    if (is_emptied(call, "fields") || is_emptied(call, "customers"))
        call_problem(call, 422,
                     "fields and customers are objects: {\"NAME\": null} empties one of them");
    else if (doc_count(call->body) == 0)
        call_problem(call, 422, "nothing is to be changed: fields, customers, owner or lines");
    else if (roles_check(call))
        with_record(call, patch_named);
}

static const struct field move_fields[] = { { "fields", FIELD_DOC, false },
                                            { "note", FIELD_NOTE, false },
                                            { "owner", FIELD_NAME, false },
                                            FIELDS_END };

static void move_named(struct call *call, uint64_t number)
{
    static const char *const kept[] = { "fields", "note", "owner", NULL };
    struct doc_writer w;
    struct command *command = change(call, "record.move", number, &w);
    if (command == NULL)
        return;
    doc_put_text(&w, "transition", call_param(call, "transition"));
    put_body(call, &w, kept);
    run(call, command, &w);
}

static void post_transition(struct call *call)
{
    with_record(call, move_named);
}

static const struct field assign_fields[] = { { "owner", FIELD_NAME, false }, FIELDS_END };

static void assign_named(struct call *call, uint64_t number)
{
    struct doc_writer w;
    struct command *command = change(call, "record.assign", number, &w);
    if (command == NULL)
        return;
    doc_put_text(&w, "owner", doc_text(call->body, "owner"));
    run(call, command, &w);
}

static void post_assign(struct call *call)
{
    with_record(call, assign_named);
}

static const struct field link_fields[] = { { "to", FIELD_NAME, true },
                                            { "type", FIELD_NAME, false },
                                            FIELDS_END };

static void link_named(struct call *call, uint64_t number)
{
    static const char *const kept[] = { "to", "type", NULL };
    struct doc_writer w;
    struct command *command = change(call, "record.link", number, &w);
    if (command == NULL)
        return;
    put_body(call, &w, kept);
    run(call, command, &w);
}

static void post_link(struct call *call)
{
    with_record(call, link_named);
}

static void unlink_named(struct call *call, uint64_t number)
{
    struct doc_writer w;
    struct command *command = change(call, "record.link", number, &w);
    if (command == NULL)
        return;
    doc_put_text(&w, "to", call_query(call, "to"));
    if (call_query(call, "type").size != 0)
        doc_put_text(&w, "type", call_query(call, "type"));
    doc_put_bool(&w, "on", false);
    run(call, command, &w);
}

static void delete_link(struct call *call)
{
    if (call_query(call, "to").size == 0)
        call_problem(call, 400, "?to= is the other record: order:5");
    else
        with_record(call, unlink_named);
}

/* -- Notes ----------------------------------------------------------------------------- */

static const struct field note_fields[] = { { "text", FIELD_NOTE, true }, FIELDS_END };

struct noting {
    struct naming naming; /* first: call->data points to it */
    struct text customer;
};

static void ask_noted(struct engine *engine, struct call *call)
{
    struct noting *noting = call->data;
    struct buf record = BUF_INIT;
    struct text kind = call_param(call, "kind");
    noting->naming.code = read_record_number(engine, kind, call_param(call, "id"),
                                             &noting->naming.number, &noting->naming.err);
    if (noting->naming.code == 0)
        noting->naming.code =
            read_record(engine, kind, noting->naming.number, &record, &noting->naming.err);
    if (noting->naming.code == 0) {
        int64_t customer =
            doc_int((struct doc){ record.data, (uint32_t)record.size }, "customer", 0);
        if (customer != 0)
            noting->customer = arena_printf(&call->arena, "%lld", (long long)customer);
    }
    buf_deinit(&record);
}

/* An event like any other, on the subject's timeline: rules may start at it. */
static void have_noted(struct call *call)
{
    const struct noting *noting = call->data;
    struct doc_writer w;
    if (noting->naming.code != 0) {
        call_error(call, noting->naming.code, &noting->naming.err);
        return;
    }
    struct command *command = change(call, "Note", noting->naming.number, &w);
    if (command == NULL)
        return;
    command->ref = noting->customer;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "text", doc_text(call->body, "text"));
    run(call, command, &w);
}

static void post_note(struct call *call)
{
    call->data = arena_zero(&call->arena, sizeof(struct noting));
    call_ask(call, ask_noted, have_noted);
}

const struct route routes_records[] = {
    { "GET", "/v1/records", SCOPE_READ, 0, false, get_kinds, "The kinds of records in force",
      "limit after", NULL, "Kind[]" },
    { "GET", "/v1/records/{kind}", SCOPE_READ, 0, false, get_records,
      "Records of a kind, the newest first", "q state owner customer open limit after", NULL,
      "RecordSummary[]" },
    { "POST", "/v1/records/{kind}", SCOPE_STAFF, BODY_MAX, true, post_record, "Make a record",
      "wait", create_fields, "201 Record" },
    { "GET", "/v1/records/{kind}/{id}", SCOPE_READ, 0, false, get_record,
      "One record, with its deadlines explained", NULL, NULL, "Record" },
    { "PATCH", "/v1/records/{kind}/{id}", SCOPE_STAFF, BODY_MAX, true, patch_record,
      "Change fields, roles, owner or lines; null empties", "wait", patch_fields, "Record" },
    { "PUT", "/v1/records/{kind}/{id}", SCOPE_STAFF, BODY_MAX, true, put_record,
      "Change the one with this external id, VALUE or FIELD:VALUE, or make it", "wait",
      create_fields, "201 Record" },
    { "POST", "/v1/records/{kind}/{id}/assign", SCOPE_STAFF, BODY_MAX, true, post_assign,
      "Give it an owner, or none", "wait", assign_fields, "Record" },
    { "POST", "/v1/records/{kind}/{id}/links", SCOPE_STAFF, BODY_MAX, true, post_link,
      "Link it to another record", "wait", link_fields, "Record" },
    { "DELETE", "/v1/records/{kind}/{id}/links", SCOPE_STAFF, 0, false, delete_link,
      "Take a link away", "to type wait", NULL, "Record" },
    { "POST", "/v1/records/{kind}/{id}/notes", SCOPE_STAFF, BODY_MAX, true, post_note,
      "Write a note about it", "wait", note_fields, "Record" },
    { "POST", "/v1/records/{kind}/{id}/{transition}", SCOPE_STAFF, BODY_MAX, true, post_transition,
      "Into another state, by a transition of its kind", "wait", move_fields, "Record" },
    ROUTES_END,
};
