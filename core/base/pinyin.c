/* pinyin.c -- readings by ICU's Han-Latin, a character at a time; see pinyin.h.
 *
 * A transliterator belongs to one thread at a time and takes microseconds for a character; there
 * are some 27,000 of them and 400 syllables.  So each character is asked for once, under a lock,
 * and from then on its syllable stands in a table that is read without one.
 *
 * The alternative, all characters at the start, costs a fifth of a second of every start, those
 * of houses without a Chinese customer included.
 */
#include "core/base/pinyin.h"

#include "core/base/mem.h"
#include "core/base/search_text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>
#include <unicode/utrans.h>

#define HAN_FIRST 0x3400
#define HAN_LAST 0x9fff
#define SYLLABLE_SIZE 8 /* "zhuang" is the longest */
#define SYLLABLES_MAX 1024
#define READING_MAX 64 /* UTF-16 units of what ICU says of one character */

/* Guarded by `lock`, but for syllables already named in `known`: they never change. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static UTransliterator *transliterator;
static char syllables[SYLLABLES_MAX][SYLLABLE_SIZE]; /* the first is "": it has no reading */
static size_t syllable_count = 1;
static _Atomic uint16_t known[HAN_LAST - HAN_FIRST + 1]; /* 1 + index; 0: not asked yet */

/* -- Surnames ---------------------------------------------------------------------------- */

/* Those that ICU reads as something else.  Longer ones first. */
static const struct {
    const char *surname, *reading;
} surnames[] = {
    { "尉迟", "yu chi" },    { "尉遲", "yu chi" },    { "万俟", "mo qi" },   { "萬俟", "mo qi" },
    { "澹台", "tan tai" },   { "澹臺", "tan tai" },   { "单于", "chan yu" }, { "單于", "chan yu" },
    { "长孙", "zhang sun" }, { "長孫", "zhang sun" }, { "单", "shan" },      { "單", "shan" },
    { "曾", "zeng" },        { "解", "xie" },         { "仇", "qiu" },       { "查", "zha" },
    { "区", "ou" },          { "區", "ou" },          { "盖", "ge" },        { "蓋", "ge" },
    { "乐", "yue" },         { "樂", "yue" },         { "翟", "zhai" },      { "缪", "miao" },
    { "繆", "miao" },        { "折", "she" },         { "召", "shao" },      { "黑", "he" },
    { "员", "yun" },         { "員", "yun" },         { "种", "chong" },     { "種", "chong" },
    { "覃", "qin" },         { "朴", "piao" },        { "句", "gou" },       { "秘", "bi" },
    { "重", "chong" },       { "繁", "po" },          { "隗", "wei" },       { "能", "nai" },
    { "郗", "chi" },         { "谌", "shen" },        { "諶", "shen" },      { "阚", "kan" },
    { "闞", "kan" },         { "佴", "nai" },         { "薄", "bo" },        { "洗", "xian" },
    { "卜", "bu" },          { "莘", "xin" },         { "祭", "zhai" },      { "都", "du" },
    { "乜", "nie" },         { "郇", "xun" },         { "牟", "mu" },        { "费", "bi" },
    { "費", "bi" },          { "逢", "pang" },        { "颉", "xie" },
};

/* NULL: it begins with none of them. */
static const char *surname_reading(struct text text, size_t *out_size)
{
    for (size_t i = 0; i < sizeof surnames / sizeof *surnames; i++) {
        size_t size = strlen(surnames[i].surname);
        if (size <= text.size && memcmp(text.data, surnames[i].surname, size) == 0) {
            *out_size = size;
            return surnames[i].reading;
        }
    }
    return NULL;
}

/* -- One character ----------------------------------------------------------------------- */

/* The letters of a syllable, without what stands above them.  False: it is no syllable. */
static bool plain_letters(const UChar *reading, int32_t size, char out[SYLLABLE_SIZE])
{
    UErrorCode status = U_ZERO_ERROR;
    UChar apart[READING_MAX];
    size_t used = 0;
    size = unorm2_normalize(unorm2_getNFDInstance(&status), reading, size, apart, READING_MAX,
                            &status);
    if (U_FAILURE(status))
        return false;
    for (int32_t i = 0; i < size; i++) {
        if (apart[i] >= 'a' && apart[i] <= 'z' && used + 1 < SYLLABLE_SIZE)
            out[used++] = (char)apart[i];
        else if (apart[i] < 0x300 || apart[i] > 0x36f)
            return false;
    }
    out[used] = '\0';
    return used != 0;
}

static void open_transliterator(void)
{
    static const UChar id[] = u"Han-Latin";
    UErrorCode status = U_ZERO_ERROR;
    if (transliterator == NULL)
        transliterator = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    ASSERT(transliterator != NULL); /* it is part of every ICU */
}

static bool ask_icu(UChar32 c, char out[SYLLABLE_SIZE])
{
    UErrorCode status = U_ZERO_ERROR;
    UChar text[READING_MAX];
    int32_t size = 0;
    open_transliterator();
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
    ASSERT(syllable_count < SYLLABLES_MAX);
    memcpy(syllables[syllable_count], syllable, SYLLABLE_SIZE);
    return syllable_count++;
}

/* Lives for ever; "": it has no reading. */
static const char *reading_of(UChar32 c)
{
    bool has_place = c >= HAN_FIRST && c <= HAN_LAST;
    if (!has_place && (c < HAN_FIRST || !u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC)))
        return "";
    _Atomic uint16_t *place = has_place ? &known[c - HAN_FIRST] : NULL;
    uint16_t index =
        place != NULL ? atomic_load_explicit(place, memory_order_acquire) : (uint16_t)0;
    if (index == 0) {
        char syllable[SYLLABLE_SIZE] = "";
        pthread_mutex_lock(&lock);
        if (!ask_icu(c, syllable))
            syllable[0] = '\0';
        index = (uint16_t)(1 + syllable_index(syllable));
        if (place != NULL)
            atomic_store_explicit(place, index, memory_order_release);
        pthread_mutex_unlock(&lock);
    }
    return syllables[index - 1];
}

void pinyin_prepare(void)
{
    reading_of(0x4e00); /* the first character of all tables, so that its data are read too */
}

/* -- A text ------------------------------------------------------------------------------ */

static UChar32 character_at(struct text text, size_t *at)
{
    UChar32 c;
    int32_t next = (int32_t)*at;
    const uint8_t *bytes = (const uint8_t *)text.data;
    U8_NEXT_OR_FFFD(bytes, next, (int32_t)text.size, c);
    *at = (size_t)next;
    return c;
}

static void put_word(struct buf *out, size_t start, const char *word, size_t size)
{
    if (out->size != start && out->data[out->size - 1] != ' ')
        buf_byte(out, ' ');
    buf_append(out, word, size);
}

/* Returns whether any character had a reading. */
static bool read_text(struct text text, size_t start, struct buf *out)
{
    bool has_reading = false, was_read = true;
    for (size_t at = 0; at < text.size;) {
        size_t from = at;
        const char *reading = reading_of(character_at(text, &at));
        bool is_read = reading[0] != '\0';
        if (is_read)
            put_word(out, start, reading, strlen(reading));
        else if (was_read && text.data[from] != ' ')
            put_word(out, start, text.data + from, at - from);
        else
            buf_append(out, text.data + from, at - from);
        was_read = is_read;
        has_reading = has_reading || is_read;
    }
    return has_reading;
}

size_t pinyin_readings(struct text text, struct buf *out, size_t out_sizes[PINYIN_READINGS_MAX])
{
    size_t start = out->size, size = 0;
    if (!read_text(text, start, out)) {
        out->size = start;
        return 0;
    }
    out_sizes[0] = out->size - start;
    const char *surname = surname_reading(text, &size);
    if (surname == NULL)
        return 1;
    size_t second = out->size;
    struct text rest = { text.data + size, text.size - (uint32_t)size };
    buf_text(out, surname);
    read_text(rest, second, out);
    out_sizes[1] = out->size - second;
    bool is_same = out_sizes[0] == out_sizes[1] &&
                   memcmp(out->data + start, out->data + second, out_sizes[0]) == 0;
    if (is_same)
        out->size = second;
    return is_same ? 1 : 2;
}
