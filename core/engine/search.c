/* search.c -- keeping the index of what customers are found by; see search.h.
 *
 * The forms in the state are those that the rows were made of.  So a change is the difference
 * between two lists of rows, and taking a customer out is the difference to none.
 *
 * Rows belong to members: a merge moves none, and whoever reads them follows the links.
 *
 * A word enters the dictionary when a name has it for the first time, and leaves it with the last
 * name: whether there is one is asked of the index, and no count can be wrong.
 */
#include "core/engine/search.h"

#include "core/engine/engine_inside.h"

/* -- The dictionary ------------------------------------------------------- */

static bool is_word_known(struct engine *engine, struct text word)
{
    struct text part = { NULL, 0 };
    struct key key;
    struct bytes row;
    search_next_part(word, &part);
    key_search_part(&key, part, word);
    return state_get(engine->state, &key, &row);
}

static bool has_row(struct engine *engine, const struct key *prefix)
{
    struct cursor cursor;
    cursor_open(&cursor, engine->state, prefix);
    bool has = cursor_next(&cursor);
    cursor_close(&cursor);
    return has;
}

/* A term begins with it, and goes on with another word or ends. */
static bool is_word_used(struct engine *engine, struct text word)
{
    static const enum search_kind kinds[] = { SEARCH_NAME, SEARCH_WORD };
    struct key key;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        key_search(&key, kinds[i], word);
        key_byte(&key, ' ');
        if (has_row(engine, &key))
            return true;
        key_search(&key, kinds[i], word);
        key_byte(&key, '\0'); /* how a text ends */
        if (has_row(engine, &key))
            return true;
    }
    return false;
}

static void put_words(struct engine *engine, struct doc forms)
{
    struct key key;
    for (struct search_words it = search_words(forms); search_next_word(&it);) {
        if (is_word_known(engine, it.word))
            continue;
        for (struct text part = { NULL, 0 }; search_next_part(it.word, &part);) {
            key_search_part(&key, part, it.word);
            state_put(engine->state, &key, "", 0);
        }
    }
}

static void delete_words(struct engine *engine, struct doc forms)
{
    struct key key;
    for (struct search_words it = search_words(forms); search_next_word(&it);) {
        if (is_word_used(engine, it.word))
            continue;
        for (struct text part = { NULL, 0 }; search_next_part(it.word, &part);) {
            key_search_part(&key, part, it.word);
            state_delete(engine->state, &key);
        }
    }
}

/* -- Rows ----------------------------------------------------------------- */

static bool has_term(const struct search_terms *terms, const struct search_term *term)
{
    for (size_t i = 0; i < terms->count; i++)
        if (terms->items[i].kind == term->kind &&
            text_equal(search_cut(terms->items[i].text, SEARCH_TERM_BYTES),
                       search_cut(term->text, SEARCH_TERM_BYTES)))
            return true;
    return false;
}

static void replace_rows(struct engine *engine, uint64_t number, struct doc before,
                         struct doc after)
{
    struct doc none = { NULL, 0 };
    struct search_terms old_terms = search_terms(before, none, &engine->arena);
    struct search_terms new_terms = search_terms(after, none, &engine->arena);
    struct key key;
    for (size_t i = 0; i < old_terms.count; i++)
        if (!has_term(&new_terms, &old_terms.items[i])) {
            key_search_row(&key, &old_terms.items[i], number);
            state_delete(engine->state, &key);
        }
    for (size_t i = 0; i < new_terms.count; i++)
        if (!has_term(&old_terms, &new_terms.items[i])) {
            key_search_row(&key, &new_terms.items[i], number);
            state_put(engine->state, &key, "", 0);
        }
    put_words(engine, after);
    delete_words(engine, before);
}

/* -- Forms ---------------------------------------------------------------- */

/* `after` without a form: the customer is found by nothing. */
static void replace(struct engine *engine, uint64_t number, struct doc after)
{
    struct doc before = { NULL, 0 };
    struct key key;
    struct bytes row;
    key_customer(&key, number, 'f');
    if (state_get(engine->state, &key, &row))
        before = arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
    bool has_forms = after.data != NULL && doc_count(after) != 0, had_forms = before.data != NULL;
    if (!has_forms && !had_forms)
        return;
    if (has_forms && had_forms && before.size == after.size &&
        memcmp(before.data, after.data, after.size) == 0)
        return;
    replace_rows(engine, number, before, after);
    if (has_forms)
        state_put(engine->state, &key, after.data, after.size);
    else
        state_delete(engine->state, &key);
}

void search_update(struct engine *engine, const struct profile *profile)
{
    buf_clear(&engine->scratch);
    replace(engine, profile->number, search_forms(profile, &engine->scratch));
}

void search_forget(struct engine *engine, uint64_t number)
{
    replace(engine, number, (struct doc){ NULL, 0 });
}
