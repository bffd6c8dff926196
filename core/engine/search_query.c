/* search_query.c -- from a query to ranges; see search_query.h.
 *
 * Names are looked for as they were typed, with the umlauts spelt out, without blanks (a reading),
 * and two words also the other way round: who is "Schmidt, Anna" here is "Anna Schmidt" there.
 * Behind these come those who have all words in another order: the word that fewest rows begin with
 * is walked, and the others are looked for in whoever it finds.
 *
 * Who types an address means the address: what it is made of ("example", "com") is everybody's, and
 * is not walked.
 */
#include "core/engine/search_query.h"

#include "core/base/search_text.h"
#include "core/engine/read_inside.h"

#include <stdint.h>
#include <string.h>

#define PHONE_END 3   /* fewer digits beside other words are no phone number's */
#define PHONE_WHOLE 6 /* from so many digits on it may be dialled with a zero in front */
#define WALKS_MAX 7
#define WALK_ROWS_MAX 1000 /* words that more rows begin with are frequent, one as the other */

static void add_range(struct search_query *query, enum search_rank rank, enum search_kind kind,
                      struct text text, bool wants_all)
{
    for (size_t i = 0; i < query->range_count; i++)
        if (query->ranges[i].kind == kind && text_equal(query->ranges[i].text, text) &&
            (!query->ranges[i].wants_all || wants_all))
            return;
    if (text.size != 0 && query->range_count < SEARCH_RANGES_MAX)
        query->ranges[query->range_count++] = (struct search_range){ rank, kind, text, wants_all };
}

/* -- Texts ---------------------------------------------------------------- */

static struct text folded(struct search_query *query, struct text text, enum search_fold how)
{
    struct buf buf = BUF_INIT;
    search_fold(text, how, &buf);
    struct text copy =
        arena_text(query->arena, (struct text){ (const char *)buf.data, (uint32_t)buf.size });
    buf_deinit(&buf);
    return copy;
}

/* A user_id is compared as it is. */
static struct text trimmed(struct text text)
{
    while (text.size != 0 && text.data[0] == ' ')
        text = (struct text){ text.data + 1, text.size - 1 };
    while (text.size != 0 && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

static size_t split(struct text text, struct text words[SEARCH_WORDS_MAX])
{
    size_t count = 0;
    while (text.size != 0 && count < SEARCH_WORDS_MAX) {
        const char *blank = memchr(text.data, ' ', text.size);
        uint32_t size = blank != NULL ? (uint32_t)(blank - text.data) : text.size;
        words[count++] = (struct text){ text.data, size };
        size += blank != NULL;
        text = (struct text){ text.data + size, text.size - size };
    }
    return count;
}

static struct text joined(struct search_query *query, const struct text words[], size_t count)
{
    struct text all = { "", 0 };
    for (size_t i = 0; i < count; i++)
        all = arena_printf(query->arena, "%.*s%.*s", (int)all.size, all.data, (int)words[i].size,
                           words[i].data);
    return all;
}

/* As it is typed where no key has an u with two dots: lv for lü, and lyu in passports. */
static struct text with_u(struct search_query *query, struct text text)
{
    char *data = arena_alloc(query->arena, text.size + 1u);
    uint32_t size = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        bool is_behind = i != 0 && (text.data[i - 1] == 'l' || text.data[i - 1] == 'n');
        bool is_yu =
            is_behind && i + 1 < text.size && text.data[i] == 'y' && text.data[i + 1] == 'u';
        if (!is_yu)
            data[size++] = is_behind && text.data[i] == 'v' ? 'u' : text.data[i];
    }
    return (struct text){ data, size };
}

static bool is_digits(struct text text)
{
    for (uint32_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size != 0;
}

static struct text backwards(struct search_query *query, struct text text)
{
    char *data = arena_alloc(query->arena, text.size + 1u);
    for (uint32_t i = 0; i < text.size; i++)
        data[i] = text.data[text.size - 1 - i];
    return (struct text){ data, text.size };
}

/* -- Ranges --------------------------------------------------------------- */

static void add_digits(struct search_query *query, struct text text)
{
    struct buf buf = BUF_INIT;
    uint32_t zeros = 0;
    if (search_digits(text, &buf)) {
        struct text digits = { (const char *)buf.data, (uint32_t)buf.size };
        while (zeros < digits.size && digits.data[zeros] == '0')
            zeros++;
        struct text bare = { digits.data + zeros, digits.size - zeros };
        add_range(query, RANK_NAME, SEARCH_PHONE, backwards(query, digits), false);
        if (bare.size >= PHONE_WHOLE)
            add_range(query, RANK_NAME, SEARCH_PHONE, backwards(query, bare), false);
        for (uint32_t i = 0; i < bare.size && bare.size <= 15 && zeros == 0; i++)
            query->number = query->number * 10 + (uint64_t)(bare.data[i] - '0');
    }
    buf_deinit(&buf);
}

/* The texts that names and readings are looked for by. */
static void add_texts(struct search_query *query, enum search_rank rank, enum search_kind kind,
                      struct text text, const struct text words[], size_t count)
{
    struct text all = joined(query, words, count);
    add_range(query, rank, kind, text, false);
    add_range(query, rank, kind, all, false);
    add_range(query, rank, kind, with_u(query, all), false);
}

static void add_names(struct search_query *query, enum search_rank rank, enum search_kind kind,
                      struct text plain, struct text spelt)
{
    add_texts(query, rank, kind, plain, query->words, query->word_count);
    add_texts(query, rank, kind, spelt, query->spelt, query->spelt_count);
}

static void add_turned(struct search_query *query, const struct text words[], size_t count)
{
    if (count != 2)
        return;
    struct text turned = arena_printf(query->arena, "%.*s %.*s", (int)words[1].size, words[1].data,
                                      (int)words[0].size, words[0].data);
    add_range(query, RANK_WORD, SEARCH_NAME, turned, false);
    add_range(query, RANK_WORD, SEARCH_WORD, turned, false);
}

/* -- Walks ---------------------------------------------------------------- */

/* Wherever search_has_all() finds a word that begins so, but for what is inside of words. */
static size_t walks_of(struct search_query *query, struct text word,
                       struct search_range out[WALKS_MAX])
{
    static const enum search_kind kinds[] = { SEARCH_NAME,  SEARCH_WORD, SEARCH_INITIALS,
                                              SEARCH_EMAIL, SEARCH_ID,   SEARCH_USER };
    size_t count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        out[count++] = (struct search_range){ RANK_WORDS, kinds[i], word, true };
    if (word.size >= PHONE_END && is_digits(word))
        out[count++] =
            (struct search_range){ RANK_WORDS, SEARCH_PHONE, backwards(query, word), true };
    return count;
}

static int count_row(void *arg, struct bytes key, struct bytes value)
{
    size_t *rows = arg;
    (void)key;
    (void)value;
    return ++*rows >= WALK_ROWS_MAX ? 1 : 0;
}

/* Rows that walking it would meet, at most about WALK_ROWS_MAX. */
static size_t count_rows(struct search_query *query, struct snapshot *snapshot, struct text word)
{
    struct search_range walks[WALKS_MAX];
    size_t rows = 0, count = walks_of(query, word, walks);
    for (size_t i = 0; i < count && rows < WALK_ROWS_MAX; i++) {
        struct key prefix;
        key_search(&prefix, walks[i].kind, walks[i].text);
        snapshot_visit(snapshot, &prefix, NULL, count_row, &rows);
    }
    return rows;
}

/* Of words that are as rare the longest.  One that nothing begins with is chosen last: it may be
 * inside of words, and then the others lead there sooner. */
static size_t choose_driver(struct search_query *query, struct snapshot *snapshot)
{
    size_t best = 0, fewest = SIZE_MAX;
    for (size_t i = 0; i < query->word_count; i++) {
        size_t rows = query->word_count > 1 ? count_rows(query, snapshot, query->words[i]) : 1;
        if (rows == 0)
            rows = SIZE_MAX;
        if (rows < fewest || (rows == fewest && query->words[i].size > query->words[best].size)) {
            best = i;
            fewest = rows;
        }
    }
    return best;
}

static void add_walks(struct search_query *query, struct text word)
{
    struct search_range walks[WALKS_MAX];
    size_t count = walks_of(query, word, walks);
    for (size_t i = 0; i < count; i++)
        add_range(query, walks[i].rank, walks[i].kind, walks[i].text, true);
}

/* -- Inside of words ------------------------------------------------------ */

struct inside {
    struct search_query *query;
    struct text part;
    struct buf word;
    size_t count;
};

static int follow_word(void *arg, struct bytes key, struct bytes value)
{
    struct inside *inside = arg;
    struct search_query *query = inside->query;
    struct key_reader reader = { key.data + 2, key.data + key.size };
    (void)value;
    buf_clear(&inside->word);
    if (!key_read_text(&reader, &inside->word))
        return 0;
    struct text word = { (const char *)reader.at, (uint32_t)(reader.end - reader.at) };
    if (memmem(word.data, word.size, inside->part.data, inside->part.size) == NULL)
        return 0; /* it is longer than what the row has of it */
    bool wants_all = query->word_count > 1;
    word = arena_text(query->arena, word);
    add_range(query, RANK_INSIDE, SEARCH_NAME, word, wants_all);
    add_range(query, RANK_INSIDE, SEARCH_WORD, word, wants_all);
    return ++inside->count == SEARCH_INSIDE_MAX ? 1 : 0;
}

static void add_inside(struct search_query *query, struct snapshot *snapshot, struct text part)
{
    struct inside inside = { .query = query, .part = part, .word = BUF_INIT };
    struct key key;
    size_t letters = 0;
    for (size_t at = 0; at < part.size; letters++) {
        bool is_character;
        at += search_character(part, at, &is_character);
    }
    if (letters < SEARCH_PART_LETTERS)
        return;
    key_search(&key, SEARCH_PART, search_cut(part, SEARCH_PART_BYTES));
    snapshot_visit(snapshot, &key, NULL, follow_word, &inside);
    buf_deinit(&inside.word);
}

/* -- The query ------------------------------------------------------------ */

static int stop_at_row(void *arg, struct bytes key, struct bytes value)
{
    (void)arg;
    (void)key;
    (void)value;
    return 1;
}

static bool has_row(struct snapshot *snapshot, enum search_kind kind, struct text text)
{
    struct key prefix;
    key_search(&prefix, kind, text);
    return snapshot_visit(snapshot, &prefix, NULL, stop_at_row, NULL) != 0;
}

/* Typed without a blank and with an @; or with a dot or a digit, and some address or id does begin
 * so. */
static bool is_address(const struct search_query *query, struct snapshot *snapshot,
                       struct text text, struct text whole)
{
    bool may_be = false;
    text = trimmed(text);
    if (whole.size == 0 || memchr(text.data, ' ', text.size) != NULL)
        return false;
    if (memchr(whole.data, '@', whole.size) != NULL)
        return true;
    for (uint32_t i = 0; i < whole.size; i++)
        may_be = may_be || whole.data[i] == '.' || (whole.data[i] >= '0' && whole.data[i] <= '9');
    return may_be && query->word_count > 1 &&
           (has_row(snapshot, SEARCH_EMAIL, whole) || has_row(snapshot, SEARCH_ID, whole));
}

bool search_query_read(struct search_query *query, struct snapshot *snapshot, struct text text,
                       struct arena *arena)
{
    *query = (struct search_query){ .arena = arena };
    struct text plain = folded(query, text, SEARCH_WORDS);
    struct text spelt = folded(query, text, SEARCH_SPELT);
    struct text whole = folded(query, text, SEARCH_WHOLE);
    query->word_count = split(plain, query->words);
    query->spelt_count = split(spelt, query->spelt);
    bool is_email = whole.size != 0 && memchr(whole.data, '@', whole.size) != NULL;
    add_digits(query, text);
    if (is_email)
        add_range(query, RANK_NAME, SEARCH_EMAIL, whole, false);
    add_names(query, RANK_NAME, SEARCH_NAME, plain, spelt);
    add_range(query, RANK_NAME, SEARCH_ID, whole, false);
    add_range(query, RANK_NAME, SEARCH_USER, trimmed(text), false);
    add_range(query, RANK_NAME, SEARCH_USER, whole, false);
    add_names(query, RANK_WORD, SEARCH_WORD, plain, spelt);
    add_turned(query, query->words, query->word_count);
    add_turned(query, query->spelt, query->spelt_count);
    add_range(query, RANK_WORD, SEARCH_INITIALS, joined(query, query->words, query->word_count),
              false);
    add_range(query, RANK_WORD, SEARCH_EMAIL, whole, false);
    if (query->word_count == 0 || is_address(query, snapshot, text, whole))
        return query->word_count != 0;
    size_t driver = choose_driver(query, snapshot);
    if (query->word_count > 1) {
        add_walks(query, query->words[driver]);
        if (driver < query->spelt_count)
            add_walks(query, query->spelt[driver]);
    }
    add_inside(query, snapshot, query->words[driver]);
    return true;
}

bool search_range_has(const struct search_range *range, const struct search_term *term)
{
    return term->kind == range->kind && term->text.size >= range->text.size &&
           memcmp(term->text.data, range->text.data, range->text.size) == 0;
}

/* -- All words ------------------------------------------------------------ */

static bool begins(struct text text, struct text with)
{
    return text.size >= with.size && memcmp(text.data, with.data, with.size) == 0;
}

static bool ends_backwards(struct text backward, struct text digits)
{
    if (backward.size < digits.size || digits.size < PHONE_END)
        return false;
    for (uint32_t i = 0; i < digits.size; i++)
        if (backward.data[i] != digits.data[digits.size - 1 - i])
            return false;
    return true;
}

static bool is_found(struct text word, const struct search_terms *terms)
{
    bool may_be_inside = word.size >= SEARCH_PART_LETTERS;
    for (size_t i = 0; i < terms->count; i++) {
        const struct search_term *term = &terms->items[i];
        if ((term->kind != SEARCH_PHONE && begins(term->text, word)) ||
            (term->kind == SEARCH_PHONE && ends_backwards(term->text, word)) ||
            (term->kind == SEARCH_NAME && may_be_inside &&
             memmem(term->text.data, term->text.size, word.data, word.size) != NULL))
            return true;
    }
    return false;
}

bool search_has_all(const struct search_query *query, const struct search_terms *terms)
{
    for (size_t i = 0; i < query->word_count; i++)
        if (!is_found(query->words[i], terms) &&
            (i >= query->spelt_count || !is_found(query->spelt[i], terms)))
            return false;
    return true;
}

/* A term begins with what stands in a form, or ends it; but for readings, which lose their blanks,
 * and initials. */
static bool lies_in(struct text word, struct doc doc)
{
    return doc.data != NULL && memmem(doc.data, doc.size, word.data, word.size) != NULL;
}

bool search_may_have_all(const struct search_query *query, struct doc forms, struct doc ids)
{
    if (doc_get(forms, "r").type != DOC_NONE)
        return true;
    for (size_t i = 0; i < query->word_count; i++) {
        struct text word = query->words[i];
        struct text spelt = i < query->spelt_count ? query->spelt[i] : word;
        if (!lies_in(word, forms) && !lies_in(spelt, forms) && !lies_in(word, ids))
            return false;
    }
    return true;
}
