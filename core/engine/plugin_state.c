/* plugin_state.c -- the documents that plugins keep about customers.
 *
 *     `c` customer `P` plugin key             BSON {p, k, v, d}: plugin, key, version, document
 *     `c` customer `O` absorbed plugin key    the same of the survivor before this merge; no d: none
 *
 * They lie with the customer, so that whoever erases or exports her need not know of them.  While
 * customers are one there is one document, the root's: what the absorbed had stays where it is and
 * is not looked at, and what the survivor had is put aside, so that both can be asked for when they
 * are two again.
 */
#include "core/engine/engine_inside.h"

#include <string.h>

struct document {
    struct text plugin, name;
    int64_t version; /* of its shape, as the plugin declared it when it was kept */
    struct doc doc;  /* none: there is none */
};

static void key_document(struct key *key, uint64_t customer, const struct document *document)
{
    key_customer(key, customer, 'P');
    key_text(key, document->plugin);
    key_tail(key, document->name);
}

/* Of all that `survivor` had when it absorbed the other. */
static void key_aside_prefix(struct key *key, uint64_t survivor, uint64_t absorbed)
{
    key_customer(key, survivor, 'O');
    key_number(key, absorbed);
}

static void key_aside(struct key *key, uint64_t survivor, uint64_t absorbed,
                      const struct document *document)
{
    key_aside_prefix(key, survivor, absorbed);
    key_text(key, document->plugin);
    key_tail(key, document->name);
}

static struct document read_document(struct engine *engine, const void *data, size_t size)
{
    struct doc row = arena_doc(&engine->arena, (struct doc){ data, (uint32_t)size });
    return (struct document){
        .plugin = doc_text(row, "p"),
        .name = doc_text(row, "k"),
        .version = doc_int(row, "v", 0),
        .doc = doc_child(row, "d"),
    };
}

/* What `customer` has of the same plugin and name. */
static struct document get(struct engine *engine, uint64_t customer, const struct document *like)
{
    struct key key;
    struct bytes row;
    key_document(&key, customer, like);
    if (!state_get(engine->state, &key, &row))
        return (struct document){ .plugin = like->plugin, .name = like->name };
    return read_document(engine, row.data, row.size);
}

static void put_row(struct engine *engine, const struct key *key, const struct document *document)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "p", document->plugin);
    doc_put_text(&w, "k", document->name);
    doc_put_int(&w, "v", document->version);
    if (document->doc.data != NULL)
        doc_put_doc(&w, "d", document->doc);
    struct doc row = doc_end(&w);
    state_put(engine->state, key, row.data, row.size);
}

static void put(struct engine *engine, uint64_t customer, const struct document *document)
{
    struct key key;
    key_document(&key, customer, document);
    if (document->doc.data != NULL)
        put_row(engine, &key, document);
    else
        state_delete(engine->state, &key);
}

/* -- For the plugin ------------------------------------------------------- */

void step_set_plugin(struct step *step, struct text plugin)
{
    step->plugin = plugin;
}

struct doc_value step_customer_field(struct step *step, struct text name)
{
    if (step->customer.number == 0)
        return (struct doc_value){ .type = DOC_NONE };
    return customer_field(&step->customer, step->engine, name);
}

void step_document(struct step *step, struct text plugin, struct text key, struct doc *out_doc,
                   int64_t *out_version)
{
    struct document like = { .plugin = plugin, .name = key };
    struct document found = get(step->engine, step->customer.number, &like);
    *out_doc = found.doc;
    *out_version = found.version;
}

int step_keep_document(struct step *step, struct text plugin, struct text key, int64_t version,
                       struct doc doc, struct err *err)
{
    struct engine *engine = step->engine;
    struct document document = { plugin, key, version, doc };
    if (doc.size > (size_t)engine->config.limits.plugin_state_bytes)
        return err_set(err, E_LIMIT,
                       "keep: the document \"%.*s\" has %u bytes, more than %lld (limit "
                       "plugin_state_bytes)",
                       (int)key.size, key.data, doc.size,
                       (long long)engine->config.limits.plugin_state_bytes);
    put(engine, step->customer.number, &document);
    step->trace.acts++;
    return 0;
}

/* -- Merging -------------------------------------------------------------- */

/* All documents under a prefix, in the arena: whoever writes has no cursor open. */
static size_t read_documents(struct engine *engine, const struct key *prefix,
                             struct document **out_documents)
{
    struct cursor cursor;
    size_t count = 0, capacity = 8;
    struct document *documents = arena_alloc(&engine->arena, capacity * sizeof *documents);
    cursor_open(&cursor, engine->state, prefix);
    while (cursor_next(&cursor)) {
        if (count == capacity) {
            struct document *larger = arena_alloc(&engine->arena, 2 * capacity * sizeof *larger);
            memcpy(larger, documents, count * sizeof *documents);
            documents = larger;
            capacity *= 2;
        }
        documents[count++] = read_document(engine, cursor.value.data, cursor.value.size);
    }
    cursor_close(&cursor);
    *out_documents = documents;
    return count;
}

static void put_child(struct doc_writer *w, const char *name, struct doc doc)
{
    if (doc.data != NULL)
        doc_put_doc(w, name, doc);
}

void plugin_states_merge(struct engine *engine, uint64_t survivor, uint64_t absorbed)
{
    struct key prefix, aside;
    struct document *theirs;
    key_customer(&prefix, absorbed, 'P');
    size_t count = read_documents(engine, &prefix, &theirs);
    for (size_t i = 0; i < count; i++) {
        struct document own = get(engine, survivor, &theirs[i]), merged = own;
        struct doc_writer w;
        key_aside(&aside, survivor, absorbed, &own);
        put_row(engine, &aside, &own);
        engine_draft(engine, &w);
        put_child(&w, "survivor", own.doc);
        put_child(&w, "absorbed", theirs[i].doc);
        if (!plugin_fold(engine, own.plugin, PLUGIN_MERGE, own.name, engine_doc(engine, &w),
                         &merged.doc))
            merged.doc = own.doc.data != NULL ? own.doc : theirs[i].doc;
        merged.version = theirs[i].version > own.version ? theirs[i].version : own.version;
        put(engine, survivor, &merged);
    }
}

/* Each has again what was hers, unless the plugin says otherwise. */
static void part(struct engine *engine, uint64_t root, uint64_t leaving, const struct document *was)
{
    struct document now = get(engine, root, was), theirs = get(engine, leaving, was);
    struct doc answer;
    struct doc_writer w;
    engine_draft(engine, &w);
    put_child(&w, "now", now.doc);
    put_child(&w, "survivor", was->doc);
    put_child(&w, "absorbed", theirs.doc);
    if (!plugin_fold(engine, was->plugin, PLUGIN_UNMERGE, was->name, engine_doc(engine, &w),
                     &answer))
        return;
    theirs.version = now.version;
    now.doc = doc_child(answer, "survivor");
    theirs.doc = doc_child(answer, "absorbed");
    put(engine, root, &now);
    put(engine, leaving, &theirs);
}

void plugin_states_unmerge(struct engine *engine, uint64_t root, uint64_t above, uint64_t leaving)
{
    struct key prefix, aside;
    struct document *were;
    key_aside_prefix(&prefix, above, leaving);
    size_t count = read_documents(engine, &prefix, &were);
    for (size_t i = 0; i < count; i++) {
        part(engine, root, leaving, &were[i]);
        key_aside(&aside, above, leaving, &were[i]);
        state_delete(engine->state, &aside);
    }
}
