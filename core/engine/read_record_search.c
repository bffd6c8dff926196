/* read_record_search.c -- see read_record_search.h.
 *
 * Folding looks at SEARCH_TEXT_MAX bytes, so a text goes through it in pieces: word by word where
 * there are blanks; what has none for so long, as in Chinese, by windows that overlap by half, so
 * that a word of the query that is no longer than that is in one of them.
 */
#include "core/engine/read_record_search.h"

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/search_text.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_inside(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The next piece of the text, from *at on; size 0: there is none. */
static struct text next_piece(struct text text, uint32_t *at)
{
    while (*at < text.size && is_blank(text.data[*at]))
        (*at)++;
    struct text piece = { text.data + *at, 0 };
    while (*at + piece.size < text.size && !is_blank(piece.data[piece.size]) &&
           piece.size < SEARCH_TEXT_MAX)
        piece.size++;
    bool is_cut = *at + piece.size < text.size && !is_blank(piece.data[piece.size]);
    uint32_t step = is_cut ? SEARCH_TEXT_MAX / 2 : piece.size;
    while (is_cut && is_inside(piece.data[piece.size]))
        piece.size--;
    while (is_cut && is_inside(piece.data[step]))
        step--;
    *at += step;
    return piece;
}

bool record_query_read(struct record_query *query, struct text text, struct arena *arena)
{
    struct buf folded = BUF_INIT;
    uint32_t at = 0;
    bool fits = true;
    query->word_count = 0;
    for (struct text piece = next_piece(text, &at); fits && piece.size != 0;
         piece = next_piece(text, &at)) {
        fits = query->word_count < RECORD_QUERY_WORDS_MAX;
        buf_clear(&folded);
        search_fold(piece, SEARCH_WORDS, &folded);
        if (!fits || folded.size == 0)
            continue;
        size_t size = folded.size;
        search_fold(piece, SEARCH_SPELT, &folded);
        struct text both =
            arena_text(arena, (struct text){ buf_string(&folded), (uint32_t)folded.size });
        query->words[query->word_count] = (struct text){ both.data, (uint32_t)size };
        query->spelt[query->word_count++] =
            (struct text){ both.data + size, both.size - (uint32_t)size };
    }
    buf_deinit(&folded);
    return fits && query->word_count != 0;
}

static bool has(const struct buf *folded, struct text word)
{
    return word.size != 0 && folded->size != 0 &&
           memmem(folded->data, folded->size, word.data, word.size) != NULL;
}

/* Tick those of the words that stand in the text. */
static void tick(const struct record_query *query, struct text text, bool *is_found)
{
    struct buf words = BUF_INIT, spelt = BUF_INIT;
    uint32_t at = 0;
    for (struct text piece = next_piece(text, &at); piece.size != 0;
         piece = next_piece(text, &at)) {
        buf_clear(&words);
        buf_clear(&spelt);
        search_fold(piece, SEARCH_WORDS, &words);
        search_fold(piece, SEARCH_SPELT, &spelt);
        for (size_t i = 0; i < query->word_count; i++)
            is_found[i] = is_found[i] || has(&words, query->words[i]) ||
                          has(&spelt, query->words[i]) || has(&spelt, query->spelt[i]);
    }
    buf_deinit(&words);
    buf_deinit(&spelt);
}

bool record_query_finds(const struct record_query *query, struct doc fields)
{
    bool is_found[RECORD_QUERY_WORDS_MAX] = { false }, are_all = true;
    for (size_t i = 0; i < query->field_count; i++) {
        struct doc_value value = doc_get_text(fields, query->fields[i]);
        if (value.type == DOC_TEXT)
            tick(query, value.text, is_found);
    }
    for (size_t i = 0; i < query->word_count; i++)
        are_all = are_all && is_found[i];
    return are_all;
}
