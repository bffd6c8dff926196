/* pinyin_table.h -- the syllable of each Chinese character.
 *
 * Made with the build, by tools/pinyin_table.c, from what that release of ICU says: ICU itself
 * needs a tenth of a second and some megabytes before it can be asked.
 */
#ifndef CORE_BASE_PINYIN_TABLE_H
#define CORE_BASE_PINYIN_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define PINYIN_SYLLABLE_SIZE 8 /* "zhuang" is the longest */

/* Characters that follow one another, and which of the syllables each of them is. */
struct pinyin_block {
    uint32_t first, last;
    const uint16_t *syllables;
};

extern const struct pinyin_block pinyin_blocks[];
extern const size_t pinyin_block_count;
extern const char pinyin_syllables[][PINYIN_SYLLABLE_SIZE]; /* the first is "": no reading */

#endif
