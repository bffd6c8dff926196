/* file.c -- whose a file is: the customers whose events name it.
 *
 * An event names files in `data.files`, a list of hashes, each a text of 64 hexadecimal digits or
 * an object whose `hash` is one.  Two rows are kept of each naming, one under the customer, so that
 * it can be told what is hers, and one under the file, so that it can be told whether it is
 * anybody's.  When the last row of a file goes, because a customer is erased, a third row says so
 * until the erasure is done: its bytes must go before that, and not only after a day.
 *
 *     c customer F seq hash             her file, and the entry that names it
 *     F hash customer seq               the same from the other side
 *     G hash                 customer   nobody's any more; the erasure of this one took the last
 *
 * Of each naming and not of each pair: an entry of somebody else's, or of nobody's, may be erased
 * with her, because her rules sent it or because it was said by a name of hers.  Then it names
 * nothing any more, and what other entries of that customer name stays.
 */
#include "core/engine/file.h"

#include "core/base/limits.h"
#include "core/engine/engine_inside.h"

#include <string.h>

static void key_bytes(struct key *key, const uint8_t hash[DIGEST_32_BYTES])
{
    for (size_t i = 0; i < DIGEST_32_BYTES; i++)
        key_byte(key, hash[i]);
}

static void key_naming(struct key *key, uint64_t customer, uint64_t seq)
{
    key_customer(key, customer, 'F');
    key_number(key, seq);
}

static void key_owners(struct key *key, const uint8_t hash[DIGEST_32_BYTES])
{
    key_start(key, 'F');
    key_bytes(key, hash);
}

static void key_forgotten(struct key *key, const uint8_t hash[DIGEST_32_BYTES])
{
    key_start(key, 'G');
    key_bytes(key, hash);
}

static void put_number(struct engine *engine, const struct key *key, uint64_t number)
{
    struct key value = { .size = 0 };
    key_number(&value, number);
    state_put(engine->state, key, value.data, value.size);
}

/* -- Named --------------------------------------------------------------------------- */

static bool read_hash(const struct doc_value *item, uint8_t out_hash[DIGEST_32_BYTES])
{
    struct text text = { "", 0 };
    if (item->type == DOC_TEXT)
        text = item->text;
    else if (item->type == DOC_DOC)
        text = doc_text(item->doc, "hash");
    return text.size != 0 && hex_decode(text.data, text.size, out_hash, DIGEST_32_BYTES);
}

static void own(struct engine *engine, uint64_t customer, const uint8_t hash[DIGEST_32_BYTES])
{
    struct key named, owners, forgotten;
    struct bytes row;
    key_naming(&named, customer, engine->seq);
    key_bytes(&named, hash);
    state_put(engine->state, &named, "", 0);
    key_owners(&owners, hash);
    key_number(&owners, customer);
    key_number(&owners, engine->seq);
    state_put(engine->state, &owners, "", 0);
    key_forgotten(&forgotten, hash);
    if (state_get(engine->state, &forgotten, &row))
        state_delete(engine->state, &forgotten);
}

void file_note(struct step *step)
{
    struct doc_value files = doc_get(step->event->data, "files");
    uint8_t hash[DIGEST_32_BYTES];
    size_t count = 0;
    if (files.type != DOC_ARRAY)
        return;
    for (struct doc_iter it = doc_iter(files.doc); doc_next(&it);) {
        if (!read_hash(&it.value, hash))
            continue;
        if (count++ == EVENT_FILES_MAX) {
            step_note_line(step, arena_printf(&step->engine->arena,
                                              "only the first %d files that it names are kept",
                                              EVENT_FILES_MAX));
            return;
        }
        own(step->engine, step->event->customer, hash);
    }
}

void file_show(struct engine *engine, uint64_t customer, uint64_t seq, struct buf *out)
{
    struct key prefix;
    struct cursor cursor;
    key_naming(&prefix, customer, seq);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        char hex[HEX_SIZE(DIGEST_32_BYTES)], id[EVENT_ID_TEXT_MAX];
        struct doc_writer w;
        hex_encode(cursor.key.data + prefix.size, DIGEST_32_BYTES, hex);
        doc_begin(&w, out);
        doc_put_string(&w, "hash", hex);
        doc_put_text(&w, "event", event_id_text(seq, 0, id));
        doc_end(&w);
    }
    cursor_close(&cursor);
}

/* -- Forgotten ----------------------------------------------------------------------- */

static bool is_anybodys(struct engine *engine, const struct key *owners)
{
    struct cursor cursor;
    cursor_open(&cursor, engine->state, owners);
    bool is_found = cursor_next(&cursor);
    cursor_close(&cursor);
    return is_found;
}

static void forget(struct engine *engine, uint64_t erased, uint64_t customer, uint64_t seq,
                   const uint8_t hash[DIGEST_32_BYTES])
{
    struct key key, owners;
    key_naming(&key, customer, seq);
    key_bytes(&key, hash);
    state_delete(engine->state, &key);
    key_owners(&owners, hash);
    key = owners;
    key_number(&key, customer);
    key_number(&key, seq);
    state_delete(engine->state, &key);
    key_forgotten(&key, hash);
    if (!is_anybodys(engine, &owners))
        put_number(engine, &key, erased);
}

void file_forget(struct engine *engine, uint64_t erased, uint64_t customer, uint64_t seq)
{
    struct key prefix;
    struct cursor cursor;
    key_naming(&prefix, customer, seq);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        uint8_t hash[DIGEST_32_BYTES];
        ASSERT(cursor.key.size == prefix.size + sizeof hash);
        memcpy(hash, cursor.key.data + prefix.size, sizeof hash);
        forget(engine, erased, customer, seq, hash);
    }
    cursor_close(&cursor);
}

void file_forgotten(struct engine *engine, uint64_t customer)
{
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, 'G');
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct key_reader value = { cursor.value.data, cursor.value.data + cursor.value.size };
        struct key key = { .size = (uint16_t)cursor.key.size };
        uint64_t last = key_take_number(&value);
        memcpy(key.data, cursor.key.data, key.size);
        if (last == customer)
            state_delete(engine->state, &key);
    }
    cursor_close(&cursor);
}

/* -- Asked by others ------------------------------------------------------------------- */

static int stop(void *arg, struct bytes key, struct bytes value)
{
    (void)arg;
    (void)key;
    (void)value;
    return 1;
}

static int64_t erased_ms(struct snapshot *snapshot, struct bytes customer)
{
    struct key_reader reader = { customer.data, customer.data + customer.size };
    struct key key;
    struct bytes row;
    uint64_t number = key_take_number(&reader);
    key_erasure(&key, number);
    if (!snapshot_get(snapshot, &key, &row))
        return INT64_MAX;
    return doc_int((struct doc){ row.data, (uint32_t)row.size }, "at", INT64_MAX);
}

enum file_names file_names(struct snapshot *snapshot, const uint8_t hash[DIGEST_32_BYTES],
                           int64_t *out_erased_ms)
{
    struct key key;
    struct bytes row;
    key_owners(&key, hash);
    if (snapshot_visit(snapshot, &key, NULL, stop, NULL) != 0)
        return FILE_NAMED;
    key_forgotten(&key, hash);
    if (!snapshot_get(snapshot, &key, &row))
        return FILE_NEVER_NAMED;
    *out_erased_ms = erased_ms(snapshot, row);
    return FILE_FORGOTTEN;
}
