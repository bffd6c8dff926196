/* search_query.h -- what somebody typed, as places to look in the index.
 *
 * A query becomes ranges: rows of one kind that begin with some text, the best first.  A customer
 * stands where her first row in the first range that has one is, and nowhere else; so a walk over
 * the ranges meets everybody once, in order, and can go on anywhere.
 *
 * Any thread.
 */
#ifndef CORE_ENGINE_SEARCH_QUERY_H
#define CORE_ENGINE_SEARCH_QUERY_H

#include "core/engine/search.h"

struct snapshot;

enum search_rank {
    RANK_EXACT,  /* given to whoever's term is the range's text and no more */
    RANK_NAME,   /* begins so; a number's end */
    RANK_WORD,   /* has a word that begins so */
    RANK_WORDS,  /* has all the words */
    RANK_INSIDE, /* has it inside a word */
};

struct search_range {
    enum search_rank rank;
    enum search_kind kind;
    struct text text;
    bool wants_all; /* the other words of the query must be found too */
};

#define SEARCH_RANGES_MAX 512
#define SEARCH_INSIDE_MAX 200 /* words of the dictionary that one search follows */
#define SEARCH_WORDS_MAX 8    /* of a query */

struct search_query {
    struct arena *arena;
    uint64_t number; /* of a customer, if it could be one; 0: not */
    struct text words[SEARCH_WORDS_MAX], spelt[SEARCH_WORDS_MAX]; /* folded in both ways */
    size_t word_count, spelt_count;
    struct search_range ranges[SEARCH_RANGES_MAX];
    size_t range_count;
};

/* All of it lies in the arena, or in `text`.  False: there is nothing to look for. */
bool search_query_read(struct search_query *query, struct snapshot *snapshot, struct text text,
                       struct arena *arena);

/* A term begins with the range's text. */
bool search_range_has(const struct search_range *range, const struct search_term *term);
/* False: of a customer of one member with these forms and ids some word cannot be found.  No term
 * is made for that, and most of those that are walked over fall here. */
bool search_may_have_all(const struct search_query *query, struct doc forms, struct doc ids);
/* Each word of the query is found in the terms. */
bool search_has_all(const struct search_query *query, const struct search_terms *terms);

#endif
