/* search_terms.c -- from forms to terms; see search.h. */
#include "core/engine/search.h"

#include "core/base/search_text.h"
#include "core/base/utf8.h"
#include "core/engine/keys.h"

#include <string.h>

struct text search_cut(struct text text, size_t bytes)
{
    text.size = (uint32_t)utf8_cut(text.data, text.size, bytes);
    return text;
}

/* -- Keys ----------------------------------------------------------------- */

static void key_user(struct key *key)
{
    key_start(key, 'i');
    key_text(key, text_of("user_id"));
}

void key_search(struct key *key, enum search_kind kind, struct text term)
{
    if (kind == SEARCH_USER) {
        key_user(key);
        key_tail(key, term);
        return;
    }
    key_start(key, 'f');
    key_byte(key, (uint8_t)kind);
    key_tail(key, search_cut(term, SEARCH_TERM_BYTES));
}

void key_search_row(struct key *key, const struct search_term *term, uint64_t member)
{
    if (term->kind == SEARCH_USER) {
        key_user(key);
        key_text(key, term->text);
        return;
    }
    key_start(key, 'f');
    key_byte(key, (uint8_t)term->kind);
    key_text(key, search_cut(term->text, SEARCH_TERM_BYTES));
    key_number_down(key, member); /* the newest first */
}

void key_search_part(struct key *key, struct text part, struct text word)
{
    key_start(key, 'f');
    key_byte(key, SEARCH_PART);
    key_text(key, search_cut(part, SEARCH_PART_BYTES));
    key_tail(key, word);
}

/* -- Terms ---------------------------------------------------------------- */

static void add(struct search_terms *terms, enum search_kind kind, struct text text)
{
    if (text.size != 0)
        terms->items[terms->count++] = (struct search_term){ kind, text };
}

static struct text rest_of(struct text text, size_t at)
{
    return (struct text){ text.data + at, text.size - (uint32_t)at };
}

/* From `at` to the end, and then, behind `gap`, what stands before. */
static struct text turned(struct text text, size_t at, const char *gap, struct arena *arena)
{
    size_t before = at;
    while (before != 0 && text.data[before - 1] == ' ')
        before--;
    size_t rest = text.size - at, gap_size = strlen(gap);
    char *data = arena_alloc(arena, rest + gap_size + before);
    memcpy(data, text.data + at, rest);
    memcpy(data + rest, gap, gap_size);
    memcpy(data + rest + gap_size, text.data, before);
    return (struct text){ data, (uint32_t)(rest + gap_size + before) };
}

/* A name: from each word on, and from each character that is written without blanks. */
static void add_name(struct search_terms *terms, struct text name, struct arena *arena)
{
    size_t end = terms->count + SEARCH_TERMS_MAX;
    bool is_start = true, was_character = false;
    add(terms, SEARCH_NAME, name);
    for (size_t at = 0; at < name.size && terms->count < end;) {
        bool is_character;
        size_t size = search_character(name, at, &is_character);
        if (at != 0 && is_start)
            add(terms, SEARCH_WORD, turned(name, at, " ", arena));
        else if (at != 0 && (is_character || was_character))
            add(terms, SEARCH_WORD, rest_of(name, at));
        is_start = name.data[at] == ' ';
        was_character = is_character;
        at += size;
    }
}

/* A text without its blanks. */
static struct text joined(struct text text, struct arena *arena)
{
    char *data = arena_alloc(arena, text.size + 1u);
    uint32_t size = 0;
    for (uint32_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ')
            data[size++] = text.data[i];
    return (struct text){ data, size };
}

static void add_initials(struct search_terms *terms, struct text reading, struct arena *arena)
{
    char *letters = arena_alloc(arena, reading.size + 1u);
    uint32_t size = 0;
    for (uint32_t i = 0; i < reading.size; i++)
        if ((i == 0 || reading.data[i - 1] == ' ') && (uint8_t)reading.data[i] < 0x80)
            letters[size++] = reading.data[i];
    if (size < 2)
        return;
    add(terms, SEARCH_INITIALS, (struct text){ letters, size });
    if (size > 2) /* without the surname */
        add(terms, SEARCH_INITIALS, (struct text){ letters + 1, size - 1 });
}

/* A reading: syllables are typed with blanks or without, so none is in the terms. */
static void add_reading(struct search_terms *terms, struct text reading, struct arena *arena)
{
    size_t end = terms->count + SEARCH_TERMS_MAX - 2;
    add(terms, SEARCH_NAME, joined(reading, arena));
    for (uint32_t at = 1; at < reading.size && terms->count < end; at++)
        if (reading.data[at - 1] == ' ')
            add(terms, SEARCH_WORD, joined(turned(reading, at, "", arena), arena));
    add_initials(terms, reading, arena);
}

static bool is_plain(char c)
{
    return (uint8_t)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* An address: from each part of what stands before the @ on, and the domain. */
static void add_email(struct search_terms *terms, struct text email)
{
    size_t end = terms->count + SEARCH_TERMS_MAX;
    bool is_domain = false;
    add(terms, SEARCH_EMAIL, email);
    for (size_t at = 1; at < email.size && !is_domain && terms->count < end; at++) {
        is_domain = email.data[at - 1] == '@';
        if (is_plain(email.data[at]) && !is_plain(email.data[at - 1]))
            add(terms, SEARCH_EMAIL, rest_of(email, at));
    }
}

static struct text backwards(struct text text, struct arena *arena)
{
    char *data = arena_alloc(arena, text.size + 1u);
    for (uint32_t i = 0; i < text.size; i++)
        data[i] = text.data[text.size - 1 - i];
    return (struct text){ data, text.size };
}

static void add_form(struct search_terms *terms, char kind, struct text form, struct arena *arena)
{
    switch (kind) {
    case 'n':
        add_name(terms, form, arena);
        break;
    case 'r':
        add_reading(terms, form, arena);
        break;
    case 'p':
        add(terms, SEARCH_PHONE, backwards(form, arena));
        break;
    case 'e':
        add_email(terms, form);
        break;
    case 'i':
        add(terms, SEARCH_ID, form);
        break;
    default:
        break;
    }
}

static void add_users(struct search_terms *terms, struct doc ids)
{
    for (struct doc_iter it = doc_iter(ids); doc_next(&it);) {
        bool is_user = text_is(it.value.text, "user_id");
        if (doc_next(&it) && is_user)
            add(terms, SEARCH_USER, it.value.text);
    }
}

struct search_terms search_terms(struct doc forms, struct doc ids, struct arena *arena)
{
    size_t count = doc_count(ids);
    for (struct doc_iter it = doc_iter(forms); doc_next(&it);)
        count += SEARCH_TERMS_MAX * doc_count(it.value.doc);
    struct search_terms terms = { NULL, 0 };
    if (count == 0)
        return terms;
    terms.items = arena_alloc(arena, count * sizeof *terms.items);
    add_users(&terms, ids);
    for (struct doc_iter it = doc_iter(forms); doc_next(&it);)
        for (struct doc_iter form = doc_iter(it.value.doc); doc_next(&form);)
            add_form(&terms, it.name.data[0], form.value.text, arena);
    return terms;
}

/* -- Words ---------------------------------------------------------------- */

struct search_words search_words(struct doc forms)
{
    return (struct search_words){ .names = doc_iter(doc_child(forms, "n")) };
}

/* What is written without blanks has a term for each character. */
static bool has_inside(struct text word)
{
    size_t letters = 0;
    for (size_t at = 0; at < word.size; letters++) {
        bool is_character;
        at += search_character(word, at, &is_character);
        if (is_character)
            return false;
    }
    return letters > SEARCH_PART_LETTERS;
}

bool search_next_word(struct search_words *words)
{
    do {
        while (words->left.size == 0) {
            if (!doc_next(&words->names))
                return false;
            words->left = words->names.value.text;
        }
        struct text word = words->left;
        const char *blank = memchr(word.data, ' ', word.size);
        if (blank != NULL)
            word.size = (uint32_t)(blank - word.data);
        size_t used = word.size + (blank != NULL);
        words->left = rest_of(words->left, used);
        words->word = search_cut(word, SEARCH_TERM_BYTES);
    } while (!has_inside(words->word));
    return true;
}

static size_t count_letters(struct text text)
{
    size_t letters = 0;
    for (uint32_t i = 0; i < text.size; i++)
        letters += ((uint8_t)text.data[i] & 0xc0) != 0x80;
    return letters;
}

bool search_next_part(struct text word, struct text *part)
{
    bool ignored;
    struct text from = part->data != NULL ? *part : word;
    *part = rest_of(from, search_character(from, 0, &ignored));
    return count_letters(*part) >= SEARCH_PART_LETTERS;
}
