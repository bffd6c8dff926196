/* plugin_state.c -- the documents that plugins keep about customers.
 *
 *     `c` customer `P` plugin key             BSON {p, k, v, d}: plugin, key, version, document
 *     `c` customer `O` absorbed plugin key    the same of the survivor before this; no d: none
 *
 * They lie with the customer, so that whoever erases or exports her need not know of them.  While
 * customers are one there is one document, the root's: what the absorbed had stays where it is and
 * is not looked at, and what the survivor had is put aside, so that both can be asked for when they
 * are two again.
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/plugins.h"
#include "core/engine/read.h"
#include "core/engine/read_inside.h"

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

int plugin_document_check(const struct engine *engine, const char *who, struct text key,
                          struct doc doc, struct err *err)
{
    int64_t most = engine->config.limits.plugin_state_bytes;
    if ((int64_t)doc.size <= most)
        return 0;
    return err_set(err, E_LIMIT,
                   "%s: the document \"%.*s\" has %u bytes, more than %lld (limit "
                   "plugin_state_bytes)",
                   who, (int)key.size, key.data, doc.size, (long long)most);
}

int step_keep_document(struct step *step, struct text plugin, struct text key, int64_t version,
                       struct doc doc, struct err *err)
{
    struct engine *engine = step->engine;
    struct document document = { plugin, key, version, doc };
    int rc = plugin_document_check(engine, "keep", key, doc, err);
    if (rc != 0)
        return rc;
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

/* In the shape that the plugin in force gives its documents, which its hooks know; as it is, if
 * there is no telling. */
static void bring_up(struct engine *engine, struct document *document)
{
    int64_t version = plugin_version(engine, document->plugin, document->name);
    struct doc_writer w;
    struct doc brought;
    if (document->doc.data == NULL || version <= document->version)
        return;
    engine_draft(engine, &w);
    doc_put_int(&w, "version", document->version);
    doc_put_doc(&w, "state", document->doc);
    if (!plugin_fold(engine, document->plugin, PLUGIN_MIGRATE, document->name,
                     engine_doc(engine, &w), &brought))
        return;
    document->doc = brought;
    document->version = version;
}

static struct document merge(struct engine *engine, const struct document *own,
                             const struct document *theirs)
{
    struct document survivor = *own, absorbed = *theirs, merged = *own;
    struct doc_writer w;
    bring_up(engine, &survivor);
    bring_up(engine, &absorbed);
    engine_draft(engine, &w);
    put_child(&w, "survivor", survivor.doc);
    put_child(&w, "absorbed", absorbed.doc);
    if (!plugin_fold(engine, own->plugin, PLUGIN_MERGE, own->name, engine_doc(engine, &w),
                     &merged.doc))
        return survivor.doc.data != NULL ? survivor : absorbed;
    merged.version = plugin_version(engine, own->plugin, own->name);
    return merged;
}

void plugin_states_merge(struct engine *engine, uint64_t survivor, uint64_t absorbed)
{
    struct key prefix, aside;
    struct document *theirs;
    key_customer(&prefix, absorbed, 'P');
    size_t count = read_documents(engine, &prefix, &theirs);
    for (size_t i = 0; i < count; i++) {
        struct document own = get(engine, survivor, &theirs[i]);
        key_aside(&aside, survivor, absorbed, &own);
        put_row(engine, &aside, &own);
        struct document merged = merge(engine, &own, &theirs[i]);
        put(engine, survivor, &merged);
    }
}

/* What `from` has becomes what it has without her who leaves, and she has what is hers, unless the
 * plugin leaves that to us: then it keeps what it has. */
static void part(struct engine *engine, uint64_t from, uint64_t leaving, struct document was)
{
    struct document now = get(engine, from, &was), theirs = get(engine, leaving, &was);
    struct doc answer;
    struct doc_writer w;
    bring_up(engine, &now);
    bring_up(engine, &was);
    bring_up(engine, &theirs);
    engine_draft(engine, &w);
    put_child(&w, "now", now.doc);
    put_child(&w, "survivor", was.doc);
    put_child(&w, "absorbed", theirs.doc);
    if (!plugin_fold(engine, was.plugin, PLUGIN_UNMERGE, was.name, engine_doc(engine, &w), &answer))
        return;
    now.version = theirs.version = plugin_version(engine, was.plugin, was.name);
    now.doc = doc_child(answer, "survivor");
    theirs.doc = doc_child(answer, "absorbed");
    put(engine, from, &now);
    put(engine, leaving, &theirs);
}

/* Who absorbed `customer`; 0: nobody. */
static uint64_t absorber_of(const struct customer *group, uint64_t customer)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->members[i].number == customer)
            return group->members[i].merged;
    return 0;
}

/* Each of those she was absorbed into, one by the other, had something of hers; the last is the
 * root, whose answer stays. */
void plugin_states_unmerge(struct engine *engine, const struct customer *group, uint64_t leaving)
{
    struct key prefix, aside;
    struct document *were;
    uint64_t above = absorber_of(group, leaving);
    key_aside_prefix(&prefix, above, leaving);
    size_t count = read_documents(engine, &prefix, &were);
    for (size_t i = 0; i < count; i++) {
        struct document hers = get(engine, leaving, &were[i]);
        for (uint64_t from = above; from != 0; from = absorber_of(group, from)) {
            put(engine, leaving, &hers); /* as it was, for each of them */
            part(engine, from, leaving, were[i]);
        }
        key_aside(&aside, above, leaving, &were[i]);
        state_delete(engine->state, &aside);
    }
}

/* -- Whether it can be read ----------------------------------------------- */

/* Of whichever plugin: one that is not loaded, or does not know the key, reads nothing. */
static int check_kept(struct engine *engine, const struct document *document, struct err *err)
{
    long long declared = plugin_version(engine, document->plugin, document->name);
    if (declared == 0 || document->version <= declared)
        return 0;
    return err_set(err, E_CONFLICT,
                   "plugin %.*s keeps \"%.*s\" in version %lld, and of what is kept there is "
                   "version %lld: it could not read that; put the file back that declares at least "
                   "%lld",
                   (int)document->plugin.size, document->plugin.data, (int)document->name.size,
                   document->name.data, declared, (long long)document->version,
                   (long long)document->version);
}

static int check_kept_of(struct engine *engine, uint64_t customer, struct err *err)
{
    struct cursor cursor;
    struct key all, first;
    int rc = 0;
    key_start(&all, 'c');
    key_number(&all, customer);
    key_customer(&first, customer, 'O'); /* next to it: 'P' */
    cursor_open_at(&cursor, engine->state, &all, &first);
    while (rc == 0 && cursor_next(&cursor) && ((const uint8_t *)cursor.key.data)[all.size] <= 'P') {
        struct document document = read_document(engine, cursor.value.data, cursor.value.size);
        rc = check_kept(engine, &document, err);
        arena_clear(&engine->arena);
    }
    cursor_close(&cursor);
    return rc;
}

int plugins_check_kept(struct engine *engine, struct err *err)
{
    int rc = 0;
    for (uint64_t i = 1; rc == 0 && engine->plugins != NULL && i <= engine->counters.customer; i++)
        rc = check_kept_of(engine, i, err);
    return rc;
}

/* -- Telling her ---------------------------------------------------------- */

/* What the plugin makes of it between two entries: nothing of the state may follow from that, nor
 * from its being lost while it is asked.  False: it has nothing to say. */
static bool ask(struct engine *engine, const struct document *document, enum plugin_fold what,
                struct doc *out)
{
    struct plugins *plugins = engine->plugins;
    struct doc_writer w;
    struct doc answer = { NULL, 0 };
    struct err err;
    size_t place = plugin_place(engine, document->plugin);
    if (place == SIZE_MAX || !engine_plugin_is_there(engine, document->plugin))
        return false;
    engine_draft(engine, &w);
    doc_put_int(&w, "version", document->version);
    doc_put_doc(&w, "state", document->doc);
    if (plugins->fold(plugins, place, what, document->name, engine_doc(engine, &w), &engine->arena,
                      &answer, &err) != PLUGIN_OK ||
        answer.data == NULL)
        return false;
    *out = answer;
    return true;
}

/* `absorbed` 0: as it is now; else as it was until she was merged with that one. */
static void show_document(struct engine *engine, uint64_t customer, uint64_t absorbed,
                          struct document *document, struct buf *out)
{
    int64_t version = plugin_version(engine, document->plugin, document->name);
    struct doc_writer w;
    if (document->doc.data == NULL)
        return;
    if (document->version < version && ask(engine, document, PLUGIN_MIGRATE, &document->doc))
        document->version = version;
    ask(engine, document, PLUGIN_GIVE, &document->doc);
    doc_begin(&w, out);
    doc_put_text(&w, "plugin", document->plugin);
    doc_put_text(&w, "key", document->name);
    doc_put_int(&w, "customer", (int64_t)customer);
    if (absorbed != 0)
        doc_put_int(&w, "before", (int64_t)absorbed);
    doc_put_doc(&w, "state", document->doc);
    doc_end(&w);
}

static void show_documents(struct engine *engine, const struct key *prefix, uint64_t customer,
                           uint64_t absorbed, struct buf *out)
{
    struct document *documents;
    size_t count = read_documents(engine, prefix, &documents);
    for (size_t i = 0; i < count; i++)
        show_document(engine, customer, absorbed, &documents[i], out);
}

int read_plugin_states_of(struct engine *engine, struct text reference, struct buf *out,
                          struct err *err)
{
    struct customer customer;
    struct key prefix;
    int rc = customer_find(&customer, engine, reference, err);
    for (size_t i = 0; rc == 0 && i < customer.count; i++) {
        uint64_t member = customer.members[i].number;
        key_customer(&prefix, member, 'P');
        show_documents(engine, &prefix, member, 0, out);
        for (size_t j = 0; j < customer.count; j++) {
            uint64_t absorbed = customer.members[j].number;
            key_aside_prefix(&prefix, member, absorbed);
            show_documents(engine, &prefix, member, absorbed, out);
        }
    }
    return rc;
}
