/* read_record_search.h -- records by what their searchable fields say.
 *
 * There is no index: each record of the list is looked at, the newest first, and a page ends after
 * so many (READ_LOOKS_MAX), with a cursor, whether anything was found or not.  A record is found
 * when each word of the query stands in one of these fields, in whatever case and spelling
 * (search_text.h), at the beginning of a word or inside.
 *
 * Any thread.
 */
#ifndef CORE_ENGINE_READ_RECORD_SEARCH_H
#define CORE_ENGINE_READ_RECORD_SEARCH_H

#include "core/base/doc.h"

#define RECORD_QUERY_WORDS_MAX 8
#define RECORD_SEARCH_LOOKS 10 /* what one that is searched counts of READ_LOOKS_MAX */

struct arena;

struct record_query {
    const struct text *fields; /* in which is searched */
    size_t field_count;
    struct text words[RECORD_QUERY_WORDS_MAX], spelt[RECORD_QUERY_WORDS_MAX]; /* folded */
    size_t word_count; /* 0: every record is found */
};

/* The words lie in the arena.  False: there are more than that, or nothing to look for. */
bool record_query_read(struct record_query *query, struct text text, struct arena *arena);

bool record_query_finds(const struct record_query *query, struct doc fields);

#endif
