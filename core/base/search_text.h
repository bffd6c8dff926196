/* search_text.h -- texts as a search compares them.
 *
 * Two names that a clerk would type the same way must become the same bytes.  Folding drops
 * case, accents, width and ligatures (NFKC with case folding), apostrophes and whatever else is
 * no letter; what stands between two words becomes one blank.  Chinese and Japanese are written
 * without blanks, so none stays between their characters.
 *
 * Umlauts are typed in two ways, and both are somebody's habit: "Groesse" and "Grosse" both mean
 * "Größe".  SEARCH_WORDS gives "grosse", SEARCH_SPELT "groesse".
 *
 * Pure, but for the release of ICU; from any thread.
 */
#ifndef CORE_BASE_SEARCH_TEXT_H
#define CORE_BASE_SEARCH_TEXT_H

#include "core/base/doc.h"

#define SEARCH_TEXT_MAX 160 /* bytes of a text that are looked at, before and after */

enum search_fold {
    SEARCH_WORDS, /* words with one blank between them */
    SEARCH_SPELT, /* the same, umlauts written as two letters */
    SEARCH_WHOLE, /* one word with its punctuation: an e-mail address, a number of another system */
};

/* Append the folded text to `out`: valid UTF-8 without control characters, perhaps nothing. */
void search_fold(struct text text, enum search_fold how, struct buf *out);

/* Append the digits of a phone number, those of other scripts as ASCII.  False, and nothing is
 * appended: there are letters in it, or no digit. */
bool search_digits(struct text text, struct buf *out);

/* The size of the character at `at`, a place in folded text; *out_is_word: it is written without
 * blanks around it and may begin what is searched for (Han, kana, Hangul). */
size_t search_character(struct text text, size_t at, bool *out_is_word);

#endif
