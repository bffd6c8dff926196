/* api_customers.c -- /v1/customers: the record, the timeline, and what staff changes of them. */
#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/engine/customer.h"
#include "core/engine/read.h"
#include "core/server/api_as_of.h"
#include "core/server/api_command.h"
#include "core/server/api_timeline.h"

#define BODY_MAX (64u << 10)

/* -- Reading --------------------------------------------------------------------------- */

static int read_whole(struct engine *engine, struct call *call, void *arg, struct buf *out,
                      struct err *err)
{
    (void)arg;
    return read_customer(engine, call_param(call, "customer"), out, err);
}

static void get_customer(struct call *call)
{
    struct text time = call_query(call, "as_of");
    if (time.data != NULL)
        get_as_of(call, time);
    else
        call_read(call, read_whole, NULL);
}

/* All, or who is found by ?q=. */
static int list_customers(struct snapshot *snapshot, struct call *call, void *arg, struct buf *out,
                          struct err *err)
{
    struct text query = call_query(call, "q");
    return query.data != NULL ? read_search(snapshot, query, arg, out, err)
                              : read_customers(snapshot, arg, out, err);
}

static void get_customers(struct call *call)
{
    struct read_page *page = call_read_page(call);
    if (page != NULL)
        call_list(call, list_customers, page);
}

static int read_consents(struct engine *engine, struct call *call, void *arg, struct buf *out,
                         struct err *err)
{
    struct buf record = BUF_INIT;
    struct doc_writer w;
    int rc = read_whole(engine, call, arg, &record, err);
    if (rc == 0) {
        struct doc doc = { record.data, (uint32_t)record.size };
        doc_begin(&w, out);
        doc_put_array(&w, "items", doc_child(doc, "consents"));
        doc_put_null(&w, "next");
        doc_end(&w);
    }
    buf_deinit(&record);
    return rc;
}

static void get_consents(struct call *call)
{
    call_read(call, read_consents, NULL);
}

/* -- The timeline ---------------------------------------------------------------------- */

static int read_rows(struct engine *engine, struct call *call, const struct read_page *page,
                     struct buf *rows, struct err *err)
{
    struct text as_of = call_query(call, "as_of");
    int64_t at = INT64_MAX;
    int rc = as_of.size != 0 ? as_of_time(engine, call, as_of, &at, err) : 0;
    return rc != 0 ? rc
                   : read_timeline_as_of(engine, call_param(call, "customer"), page, at, rows, err);
}

static void get_timeline(struct call *call)
{
    get_timeline_of(call, read_rows);
}

/* -- Changing -------------------------------------------------------------------------- */

/* A command on the customer of the path, answered with her record. */
static struct command *command_on(struct call *call, const char *type)
{
    struct command *command = command_new(call, type);
    command->ref = call_param(call, "customer");
    command->data = command_data(call, call->body, NULL);
    command->read = read_whole;
    return command;
}

static void change(struct call *call, const char *type)
{
    command_on(call, type);
    command_run(call);
}

static const struct field patch_fields[] = { { "traits", FIELD_DOC, true }, FIELDS_END };

/* An identify call: what staff knows of her. */
static void patch_customer(struct call *call)
{
    struct command *command = command_on(call, "identify");
    for (struct doc_iter it = doc_iter(doc_child(call->body, "traits")); doc_next(&it);)
        if (trait_is_system(it.name)) {
            call_problem(call, 422, "\"%s\" is no trait: it belongs to the system", it.name.data);
            return;
        }
    command->of_call = "identify";
    command->data = doc_child(call->body, "traits");
    command_run(call);
}

static const struct field consent_fields[] = { { "purpose", FIELD_NAME, true },
                                               { "channel", FIELD_NAME, true },
                                               { "state", FIELD_NAME, true },
                                               { "proof", FIELD_LINE, false },
                                               FIELDS_END };

static int check_consent(struct engine *engine, const struct command *command, struct err *err)
{
    return read_consent_terms(engine, command->ref, doc_text(command->data, "purpose"),
                              doc_text(command->data, "channel"), err);
}

static void put_consent(struct call *call)
{
    struct command *command = command_on(call, "consent.changed");
    command->check = check_consent;
    command_run(call);
}

static const struct field merge_fields[] = { { "absorbed", FIELD_CUSTOMER, true }, FIELDS_END };

static void post_merge(struct call *call)
{
    struct command *command = command_on(call, "customer.merge");
    struct doc_writer w;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "absorbed", field_customer(call, call->body, "absorbed"));
    command->data = arena_doc(&call->arena, doc_end(&w));
    command_run(call);
}

static void post_unmerge(struct call *call)
{
    change(call, "customer.unmerge");
}

static const struct field assign_fields[] = { { "owner", FIELD_LINE, false }, FIELDS_END };

static void post_assign(struct call *call)
{
    change(call, "owner.changed");
}

static const struct field tag_fields[] = { { "tag", FIELD_NAME, true },
                                           { "on", FIELD_BOOL, false },
                                           FIELDS_END };

static void post_tag(struct call *call)
{
    change(call, "tag.changed");
}

static const struct field role_fields[] = { { "role", FIELD_NAME, true },
                                            { "on", FIELD_BOOL, false },
                                            FIELDS_END };

static void post_role(struct call *call)
{
    change(call, "role.changed");
}

static const struct field address_fields[] = {
    { "channel", FIELD_NAME, true },
    { "value", FIELD_LINE, true },
    { "label", FIELD_NAME, false },
    { "state", FIELD_NAME, false },
    { "verified", FIELD_BOOL, false },
    { "preferred", FIELD_BOOL, false },
    FIELDS_END,
};

static void post_address(struct call *call)
{
    change(call, "address.changed");
}

static const struct field relation_fields[] = { { "type", FIELD_NAME, true },
                                                { "other", FIELD_CUSTOMER, true },
                                                { "until", FIELD_TIME, false },
                                                FIELDS_END };

static void post_relation(struct call *call)
{
    struct command *command = command_on(call, "relation.changed");
    struct doc_writer w;
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "type", doc_text(call->body, "type"));
    doc_put_text(&w, "other", field_customer(call, call->body, "other"));
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->time_name = "until";
    command->time = doc_get(call->body, "until");
    command_run(call);
}

static const struct field note_fields[] = { { "text", FIELD_NOTE, true },
                                            { "files", FIELD_DOCS, false },
                                            FIELDS_END };

/* What names no file would be kept with the note and lead nowhere. */
static bool are_files(struct doc files)
{
    uint8_t hash[DIGEST_32_BYTES];
    for (struct doc_iter it = doc_iter(files); doc_next(&it);) {
        struct text text = doc_text(it.value.doc, "hash");
        if (!hex_decode(text.data, text.size, hash, sizeof hash))
            return false;
    }
    return doc_count(files) <= EVENT_FILES_MAX;
}

/* An event like any other: rules may start at it. */
static void post_note(struct call *call)
{
    if (are_files(doc_child(call->body, "files")))
        change(call, "Note");
    else
        call_problem(call, 422,
                     "\"files\": at most %d, each with the \"hash\" that it was answered with",
                     EVENT_FILES_MAX);
}

const struct route routes_customers[] = {
    { "GET", "/v1/customers", SCOPE_READ, 0, false, get_customers,
      "All customers, or those who are found by part of a name, a number or an address",
      "q limit after", NULL, "CustomerSummary[]" },
    { "GET", "/v1/customers/{customer}", SCOPE_READ, 0, false, get_customer,
      "One customer: the 360-degree record; ?as_of=: as it was then", "as_of", NULL,
      "Customer|CustomerThen" },
    { "PATCH", "/v1/customers/{customer}", SCOPE_STAFF, BODY_MAX, true, patch_customer,
      "Set traits; null removes one", "wait", patch_fields, "Customer" },
    { "GET", "/v1/customers/{customer}/timeline", SCOPE_READ, 0, false, get_timeline,
      "What happened to a customer, the newest first; ?as_of=: what had happened then",
      "as_of limit after", NULL, "TimelineEntry[]" },
    { "GET", "/v1/customers/{customer}/consents", SCOPE_READ, 0, false, get_consents,
      "What a customer has consented to", NULL, NULL, "Consent[]" },
    { "PUT", "/v1/customers/{customer}/consents", SCOPE_STAFF, BODY_MAX, true, put_consent,
      "Record a consent or its withdrawal", "wait", consent_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/merge", SCOPE_STAFF, BODY_MAX, true, post_merge,
      "Merge another customer into this one", "wait", merge_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/unmerge", SCOPE_STAFF, BODY_MAX, true, post_unmerge,
      "Let a merged customer go again", "wait", no_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/assign", SCOPE_STAFF, BODY_MAX, true, post_assign,
      "Give a customer an owner", "wait", assign_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/tags", SCOPE_STAFF, BODY_MAX, true, post_tag,
      "Add or remove a tag", "wait", tag_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/roles", SCOPE_STAFF, BODY_MAX, true, post_role,
      "Open or close a role", "wait", role_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/addresses", SCOPE_STAFF, BODY_MAX, true, post_address,
      "Add or change an address", "wait", address_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/relations", SCOPE_STAFF, BODY_MAX, true, post_relation,
      "Relate a customer to another", "wait", relation_fields, "Customer" },
    { "POST", "/v1/customers/{customer}/notes", SCOPE_STAFF, BODY_MAX, true, post_note,
      "Write a note, with files that were put before", "wait", note_fields, "Customer" },
    ROUTES_END,
};
