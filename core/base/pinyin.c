/* pinyin.c -- see pinyin.h; the readings stand in a table (pinyin_table.h). */
#include "core/base/pinyin.h"

#include "core/base/pinyin_table.h"
#include "core/base/search_text.h"

#include <string.h>
#include <unicode/utf8.h>

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

/* "": it has no reading. */
static const char *reading_of(UChar32 c)
{
    for (size_t i = 0; i < pinyin_block_count; i++) {
        const struct pinyin_block *block = &pinyin_blocks[i];
        if ((uint32_t)c >= block->first && (uint32_t)c <= block->last)
            return pinyin_syllables[block->syllables[(uint32_t)c - block->first]];
    }
    return "";
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
