/* search.h -- what a customer is found by.
 *
 * Forms   what was folded out of a profile: names, their readings, phone numbers, e-mail
 *         addresses, numbers of other systems.  They are kept in a row of their own, so that what
 *         is in the index can be taken out again whatever folding has become since (another
 *         release of ICU), and so that nobody who searches folds a profile.
 * Terms   where a search may begin in them, each a row of the index: a search reads the rows that
 *         begin with what was typed, and nothing else.
 *
 *         kind                 term of "Anna Schmidt", "王小明", +4930123456, ann.lee@example.com
 *         SEARCH_NAME     a    anna schmidt                     the name from its beginning
 *         SEARCH_WORD     b    schmidt anna                     from a later word on, and round
 *         SEARCH_INITIALS d    wxm, xm                          of a reading
 *         SEARCH_EMAIL    e    ann.lee@example.com, lee@example.com, example.com
 *         SEARCH_ID       i    the whole id of another system
 *         SEARCH_PHONE    p    6543210394                       backwards: its end is what is known
 *         SEARCH_PART     c    midt -> schmidt                  inside a word: leads to words
 *
 * A user_id is found by the row that identities have anyway (SEARCH_USER), as it is written.
 *
 * SEARCH_PART is a dictionary: its rows are those of the words that are in use, not of customers.
 * A name costs a row for each of its words, and what stands inside of words is paid for once.
 *
 * Terms are a pure function of forms.  Changing it needs another STATE_FORMAT.
 */
#ifndef CORE_ENGINE_SEARCH_H
#define CORE_ENGINE_SEARCH_H

#include "core/base/arena.h"
#include "core/engine/profile.h"
#include "storage/key.h"

struct engine;

enum search_kind {
    SEARCH_NAME = 'a',
    SEARCH_WORD = 'b',
    SEARCH_PART = 'c',
    SEARCH_INITIALS = 'd',
    SEARCH_EMAIL = 'e',
    SEARCH_ID = 'i',
    SEARCH_PHONE = 'p',
    SEARCH_USER = 'u', /* in no key */
};

#define SEARCH_TERM_BYTES 24  /* of a term in a key; what follows is compared in the forms */
#define SEARCH_PART_BYTES 12  /* of what stands inside a word */
#define SEARCH_PART_LETTERS 3 /* fewer are not looked for inside of words */
#define SEARCH_FORMS_MAX 24   /* of one profile; what is beyond is not found */
#define SEARCH_TERMS_MAX 12   /* of one form */

struct search_term {
    enum search_kind kind;
    struct text text; /* whole */
};
struct search_terms {
    struct search_term *items;
    size_t count;
};

/* -- Keeping the index (engine) ------------------------------------------- */

/* Whether a profile's terms may come from this trait. */
bool search_reads_trait(struct text name);
/* The profile is another: bring its rows up to date. */
void search_update(struct engine *engine, const struct profile *profile);
/* Take all rows of a customer number out, before its own are deleted. */
void search_forget(struct engine *engine, uint64_t number);

/* -- Forms and terms ------------------------------------------------------ */

/* {n: [name ...], r: [reading ...], p: [digits ...], e: [address ...], i: [id ...]}; appended to
 * `out`. */
struct doc search_forms(const struct profile *profile, struct buf *out);

/* With the user_ids of `ids` (profile.h), which have no rows here.  In the arena; they borrow from
 * both or lie there too. */
struct search_terms search_terms(struct doc forms, struct doc ids, struct arena *arena);

/* Walk the words of names that the dictionary has: False at the end. */
struct search_words {
    struct doc_iter names;
    struct text left;
    struct text word; /* at most SEARCH_TERM_BYTES of it */
};
struct search_words search_words(struct doc forms);
bool search_next_word(struct search_words *words);
/* Walk what stands inside a word, from the front; `part` begins with {NULL, 0}. */
bool search_next_part(struct text word, struct text *part);

/* -- Keys ----------------------------------------------------------------- */

/* Where the rows of terms that begin so begin. */
void key_search(struct key *key, enum search_kind kind, struct text term);
/* The row of a member's term. */
void key_search_row(struct key *key, const struct search_term *term, uint64_t member);
/* The row of a word in the dictionary. */
void key_search_part(struct key *key, struct text part, struct text word);
/* `text` cut to what a key has of a term. */
struct text search_cut(struct text text, size_t bytes);

#endif
