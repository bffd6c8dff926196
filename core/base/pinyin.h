/* pinyin.h -- how Chinese characters are read, in Latin letters without tones.
 *
 * "王小明" is "wang xiao ming".  The reading of a character is ICU's.  Some characters are read
 * in another way when they are a surname (单 is "shan", not "dan"), and nobody can say which it
 * is from the text alone: then there are two readings, and both are right to look for.
 *
 * Pure, but for the release of ICU that it was built with; from any thread.
 */
#ifndef CORE_BASE_PINYIN_H
#define CORE_BASE_PINYIN_H

#include "core/base/doc.h"

#define PINYIN_READINGS_MAX 2

/* Append the readings of folded text (search_text.h) to `out`, one behind the other: syllables and
 * other words with a blank between them.  Returns how many there are, 0 when no character has one;
 * the last of them is a surname's.  `out_sizes` are their bytes. */
size_t pinyin_readings(struct text text, struct buf *out, size_t out_sizes[PINYIN_READINGS_MAX]);

#endif
