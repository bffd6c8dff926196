/* api_privacy.c -- the rights of the person: everything that is known of her, and its end.
 *
 * An export is one document as long as her history.  It is made page by page: a short look at the
 * engine for the rows and what they name, then a worker that reads the log and writes JSON; so
 * nobody else waits for it, and an event that arrives meanwhile is not in it.
 */
#include "core/engine/read.h"

#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/server/api_command.h"
#include "core/server/node.h"
#include "core/server/purge.h"

#define PAGE_ROWS 200

/* -- Export ---------------------------------------------------------------------------- */

struct export
{
    struct read_page page;
    struct buf record, rows, events; /* of the page, but for the first */
    struct read_linked linked;
    struct buf timeline, reminders, effects, files, records; /* JSON */
    struct buf suppressions, plugins;
    int code;
    struct err err;
};

static void ask_page(struct engine *engine, struct call *call)
{
    struct export *export = call->data;
    struct text customer = call_param(call, "customer");
    buf_clear(&export->rows);
    if (export->record.size == 0) {
        export->code = read_customer(engine, customer, &export->record, &export->err);
        if (export->code == 0) {
            read_suppressions_of(engine, customer, &export->suppressions, NULL);
            read_plugin_states_of(engine, customer, &export->plugins, NULL);
        }
    }
    if (export->code == 0)
        export->code = read_timeline(engine, customer, &export->page, &export->rows, &export->err);
    if (export->code == 0)
        read_linked(engine, (struct doc){ export->rows.data, (uint32_t) export->rows.size },
                    &export->linked);
}

static void put_item(struct buf *json, struct doc doc)
{
    buf_text(json, json->size != 0 ? ",\n" : "");
    json_write_doc(json, doc);
}

/* Documents that stand one behind another. */
static void put_items(struct buf *json, struct buf *docs)
{
    for (size_t at = 0; at < docs->size;) {
        struct doc doc = { docs->data + at, 0 };
        memcpy(&doc.size, doc.data, sizeof doc.size); /* how a document begins */
        put_item(json, doc);
        at += doc.size;
    }
    buf_clear(docs);
}

static void write_page(struct call *call)
{
    struct export *export = call->data;
    struct doc rows = { export->rows.data, (uint32_t) export->rows.size };
    buf_clear(&export->events);
    export->code =
        read_timeline_events(node_log(call->api->node), rows, &export->events, &export->err);
    if (export->code != 0)
        return;
    struct doc events = { export->events.data, (uint32_t) export->events.size };
    for (struct doc_iter it = doc_iter(doc_child(events, "items")); doc_next(&it);)
        put_item(&export->timeline, it.value.doc);
    put_items(&export->reminders, &export->linked.reminders);
    put_items(&export->effects, &export->linked.effects);
    put_items(&export->files, &export->linked.files);
    put_items(&export->records, &export->linked.records);
    export->page.after = arena_text(&call->arena, doc_text(events, "next"));
    if (export->timeline.size + export->reminders.size + export->effects.size + export->files.size +
            export->records.size >
        EXPORT_BYTES_MAX)
        export->code = err_set(&export->err, E_LIMIT,
                               "what is known of the customer is more than %u MiB: read the "
                               "timeline page by page",
                               EXPORT_BYTES_MAX >> 20);
}

static void put_list(struct buf *json, const char *name, const struct buf *items)
{
    buf_printf(json, ",\n\"%s\":[", name);
    buf_append(json, items->data, items->size);
    buf_byte(json, ']');
}

static void put_docs(struct buf *json, const char *name, struct buf *docs)
{
    struct buf list = BUF_INIT;
    put_items(&list, docs);
    put_list(json, name, &list);
    buf_deinit(&list);
}

static void answer_export(struct call *call)
{
    struct export *export = call->data;
    struct buf *out = &call->out;
    struct doc record = { export->record.data, (uint32_t) export->record.size };
    if (export->code == 0) {
        buf_clear(out);
        buf_text(out, "{\"customer\":");
        json_write_doc(out, record);
        put_list(out, "timeline", &export->timeline);
        put_list(out, "reminders", &export->reminders);
        put_list(out, "effects", &export->effects);
        put_list(out, "files", &export->files);
        put_list(out, "records", &export->records);
        put_docs(out, "suppressions", &export->suppressions);
        put_docs(out, "plugins", &export->plugins);
        buf_text(out, "}\n");
    }
    struct buf *const parts[] = { &export->record,   &export->rows,         &export->events,
                                  &export->timeline, &export->reminders,    &export->effects,
                                  &export->files,    &export->suppressions, &export->records,
                                  &export->plugins };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_deinit(parts[i]);
    read_linked_deinit(&export->linked);
    if (export->code != 0)
        call_error(call, export->code, &export->err);
    else
        call_reply_text(call, 200, "application/json",
                        (struct text){ (const char *)out->data, (uint32_t)out->size });
}

static void have_page(struct call *call);

static void wrote_page(struct call *call)
{
    struct export *export = call->data;
    if (export->code != 0 || export->page.after.size == 0)
        answer_export(call);
    else
        call_ask(call, ask_page, have_page);
}

static void have_page(struct call *call)
{
    struct export *export = call->data;
    if (export->code != 0)
        answer_export(call);
    else
        call_work(call, write_page, wrote_page);
}

static void get_export(struct call *call)
{
    struct export *export = arena_zero(&call->arena, sizeof *export);
    export->page.limit = PAGE_ROWS;
    call->data = export;
    call_ask(call, ask_page, have_page);
}

/* -- Erasing --------------------------------------------------------------------------- */

static int read_begun(struct engine *engine, struct call *call, void *arg, struct buf *out,
                      struct err *err)
{
    const struct command *command = arg;
    (void)call;
    return read_erasure(engine, command->customer, out, err);
}

/* She is nobody any more when this is answered; the files follow. */
static void delete_customer(struct call *call)
{
    struct command *command = command_new(call, "erase.requested");
    command->ref = call_param(call, "customer");
    command->read = read_begun;
    command->status = 202;
    command_run(call);
}

struct erasures {
    const struct read_page *page;
    struct text reason; /* why the files are not done */
};

static int list_erasures(struct engine *engine, struct call *call, void *arg, struct buf *out,
                         struct err *err)
{
    const struct erasures *erasures = arg;
    (void)call;
    return read_erasures(engine, erasures->page, erasures->reason, out, err);
}

static void get_erasures(struct call *call)
{
    struct erasures *erasures = arena_zero(&call->arena, sizeof *erasures);
    struct purge_held held;
    erasures->page = call_read_page(call);
    if (erasures->page == NULL)
        return;
    if (purge_held(node_purge(call->api->node), &held))
        erasures->reason = arena_text(&call->arena, text_of(held.reason.text));
    call_read(call, list_erasures, erasures);
}

const struct route routes_privacy[] = {
    { "DELETE", "/v1/customers/{customer}", SCOPE_ADMIN, 0, false, delete_customer,
      "Erase a customer, from all files too: /v1/erasures tells how far it is", "wait", NULL,
      "202 Erasure|Accepted" },
    { "GET", "/v1/customers/{customer}/export", SCOPE_STAFF, 0, false, get_export,
      "Everything that is known of a customer, as one document", NULL, NULL, "Export" },
    { "GET", "/v1/erasures", SCOPE_ADMIN, 0, false, get_erasures,
      "Who is being erased; nobody in it: nothing of anybody who was is left in any file",
      "limit after", NULL, "Erasure[]" },
    ROUTES_END,
};
