/* pinyin_table.c -- pinyin_table FILE: the table that core/base/pinyin_table.h declares, as C.
 *
 * Every ideograph is read by ICU's Han-Latin, and loses the mark of its tone.
 */
#include "core/base/pinyin_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utrans.h>

#define SYLLABLES_MAX 1024
#define READING_MAX 64 /* UTF-16 units of what ICU says of one character */

/* Where ideographs are, with the gaps that Unicode has left so far. */
static const UChar32 blocks[][2] = { { 0x3400, 0x9fff }, { 0xf900, 0xfaff }, { 0x20000, 0x3ffff } };
#define BLOCK_COUNT (sizeof blocks / sizeof *blocks)

static char syllables[SYLLABLES_MAX][PINYIN_SYLLABLE_SIZE];
static size_t syllable_count = 1;

static void need(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "pinyin_table: %s\n", what);
    exit(EXIT_FAILURE);
}

/* The letters of a syllable, without what stands above them.  False: it is no syllable. */
static bool plain_letters(const UChar *reading, int32_t size, char out[PINYIN_SYLLABLE_SIZE])
{
    UErrorCode status = U_ZERO_ERROR;
    UChar apart[READING_MAX];
    size_t used = 0;
    size = unorm2_normalize(unorm2_getNFDInstance(&status), reading, size, apart, READING_MAX,
                            &status);
    if (U_FAILURE(status))
        return false;
    for (int32_t i = 0; i < size; i++) {
        if (apart[i] >= 'a' && apart[i] <= 'z' && used + 1 < PINYIN_SYLLABLE_SIZE)
            out[used++] = (char)apart[i];
        else if (apart[i] < 0x300 || apart[i] > 0x36f)
            return false;
    }
    out[used] = '\0';
    return used != 0;
}

static bool ask_icu(UTransliterator *transliterator, UChar32 c, char out[PINYIN_SYLLABLE_SIZE])
{
    UErrorCode status = U_ZERO_ERROR;
    UChar text[READING_MAX];
    int32_t size = 0;
    U16_APPEND_UNSAFE(text, size, c);
    int32_t limit = size;
    utrans_transUChars(transliterator, text, &size, READING_MAX, 0, &limit, &status);
    return U_SUCCESS(status) && plain_letters(text, size, out);
}

static size_t syllable_index(const char *syllable)
{
    for (size_t i = 0; i < syllable_count; i++)
        if (strcmp(syllables[i], syllable) == 0)
            return i;
    need(syllable_count < SYLLABLES_MAX, "more syllables than SYLLABLES_MAX");
    memcpy(syllables[syllable_count], syllable, PINYIN_SYLLABLE_SIZE);
    return syllable_count++;
}

static void put_block(FILE *out, UTransliterator *transliterator, size_t i)
{
    fprintf(out, "static const uint16_t block%zu[] = {", i);
    for (UChar32 c = blocks[i][0]; c <= blocks[i][1]; c++) {
        char syllable[PINYIN_SYLLABLE_SIZE] = "";
        if (!u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) || !ask_icu(transliterator, c, syllable))
            syllable[0] = '\0';
        fprintf(out, "%zu,", syllable_index(syllable));
    }
    fprintf(out, "};\n");
}

static void put_all(FILE *out, UTransliterator *transliterator)
{
    fprintf(out, "#include \"core/base/pinyin_table.h\"\n");
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        put_block(out, transliterator, i);
    fprintf(out, "const struct pinyin_block pinyin_blocks[] = {\n");
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        fprintf(out, "    { 0x%x, 0x%x, block%zu },\n", (unsigned)blocks[i][0],
                (unsigned)blocks[i][1], i);
    fprintf(out, "};\nconst size_t pinyin_block_count = %zu;\n", BLOCK_COUNT);
    fprintf(out, "const char pinyin_syllables[][PINYIN_SYLLABLE_SIZE] = {\n");
    for (size_t i = 0; i < syllable_count; i++)
        fprintf(out, "    \"%s\",\n", syllables[i]);
    fprintf(out, "};\n");
}

int main(int argc, char **argv)
{
    static const UChar id[] = u"Han-Latin";
    UErrorCode status = U_ZERO_ERROR;
    need(argc == 2, "usage: pinyin_table FILE");
    UTransliterator *transliterator = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    need(U_SUCCESS(status), "this ICU has no Han-Latin");
    FILE *out = fopen(argv[1], "w");
    need(out != NULL, "the file cannot be opened");
    put_all(out, transliterator);
    need(fclose(out) == 0, "the file cannot be written");
    utrans_close(transliterator);
    return EXIT_SUCCESS;
}
