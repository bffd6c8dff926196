/* search_forms.c -- what of a profile is searched, folded; see search.h.
 *
 * Of a trait the winner counts, of identities and addresses all.  The names of traits are those
 * that senders use: Segment's own, and the same with underscores.
 */
#include "core/engine/search.h"

#include "core/base/pinyin.h"
#include "core/base/search_text.h"

#include <string.h>

bool search_reads_trait(struct text name)
{
    switch (name.size != 0 ? name.data[0] : '\0') { /* asked of every trait that changes */
    case 'n':
        return text_is(name, "name") || text_is(name, "nickname");
    case 'f':
        return text_is(name, "firstName") || text_is(name, "first_name");
    case 'l':
        return text_is(name, "lastName") || text_is(name, "last_name");
    case 'c':
        return text_is(name, "company");
    case 'e':
        return text_is(name, "email");
    case 'p':
        return text_is(name, "phone");
    case 'm':
        return text_is(name, "mobile");
    default:
        return false;
    }
}

struct forming {
    const struct profile *profile;
    struct doc_writer w;
    struct {
        char kind;
        uint32_t at, size; /* in `text` */
    } forms[SEARCH_FORMS_MAX];
    size_t count;
    struct buf text;
};

/* What was appended to the text since `at` is a form, unless it is empty, or known. */
static void keep(struct forming *forming, char kind, size_t at)
{
    size_t size = forming->text.size - at;
    const uint8_t *data = forming->text.data;
    bool is_wanted = size != 0 && forming->count < SEARCH_FORMS_MAX;
    for (size_t i = 0; is_wanted && i < forming->count; i++)
        is_wanted = forming->forms[i].kind != kind || forming->forms[i].size != size ||
                    memcmp(data + forming->forms[i].at, data + at, size) != 0;
    if (!is_wanted) {
        forming->text.size = at;
        return;
    }
    forming->forms[forming->count].kind = kind;
    forming->forms[forming->count].at = (uint32_t)at;
    forming->forms[forming->count++].size = (uint32_t)size;
}

/* -- Names ---------------------------------------------------------------- */

static void add_readings(struct forming *forming, struct text folded)
{
    struct buf readings = BUF_INIT;
    size_t sizes[PINYIN_READINGS_MAX], start = 0;
    size_t count = pinyin_readings(folded, &readings, sizes);
    for (size_t i = 0; i < count; i++) {
        size_t at = forming->text.size;
        buf_append(&forming->text, readings.data + start, sizes[i]);
        keep(forming, 'r', at);
        start += sizes[i];
    }
    buf_deinit(&readings);
}

static void add_name(struct forming *forming, struct text name)
{
    struct buf folded = BUF_INIT;
    size_t at = forming->text.size;
    search_fold(name, SEARCH_WORDS, &folded);
    buf_append(&forming->text, folded.data, folded.size);
    keep(forming, 'n', at);
    at = forming->text.size;
    search_fold(name, SEARCH_SPELT, &forming->text);
    keep(forming, 'n', at);
    add_readings(forming, (struct text){ (const char *)folded.data, (uint32_t)folded.size });
    buf_deinit(&folded);
}

static struct text trait(const struct forming *forming, const char *name)
{
    struct doc_value value = profile_trait(forming->profile, text_of(name)).value;
    if (value.type == DOC_DOC) /* company: {name} */
        return doc_text(value.doc, "name");
    return value.type == DOC_TEXT ? value.text : (struct text){ "", 0 };
}

static void add_two_names(struct forming *forming, const char *first_name, const char *last_name)
{
    struct buf name = BUF_INIT;
    struct text first = trait(forming, first_name), last = trait(forming, last_name);
    buf_append(&name, first.data, first.size);
    buf_byte(&name, ' ');
    buf_append(&name, last.data, last.size);
    add_name(forming, (struct text){ (const char *)name.data, (uint32_t)name.size });
    buf_deinit(&name);
}

static void add_names(struct forming *forming)
{
    add_name(forming, trait(forming, "name"));
    add_two_names(forming, "firstName", "lastName");
    add_two_names(forming, "first_name", "last_name");
    add_name(forming, trait(forming, "company"));
    add_name(forming, trait(forming, "nickname"));
}

/* -- Numbers and addresses ------------------------------------------------ */

static void add_whole(struct forming *forming, char kind, struct text text)
{
    size_t at = forming->text.size;
    search_fold(text, SEARCH_WHOLE, &forming->text);
    keep(forming, kind, at);
}

/* Without the zeros that are dialled in front: whoever knows the end finds it by the number with
 * its country as well. */
static bool is_known_end(const struct forming *forming, struct text digits)
{
    for (size_t i = 0; i < forming->count; i++) {
        uint32_t size = forming->forms[i].size;
        if (forming->forms[i].kind == 'p' && size >= digits.size &&
            memcmp(forming->text.data + forming->forms[i].at + size - digits.size, digits.data,
                   digits.size) == 0)
            return true;
    }
    return false;
}

static void add_phone(struct forming *forming, struct text phone)
{
    struct buf digits = BUF_INIT;
    size_t at = forming->text.size, zeros = 0;
    if (search_digits(phone, &digits)) {
        while (zeros < digits.size && digits.data[zeros] == '0')
            zeros++;
        struct text text = { (const char *)digits.data + zeros, (uint32_t)(digits.size - zeros) };
        if (!is_known_end(forming, text)) {
            buf_append(&forming->text, text.data, text.size);
            keep(forming, 'p', at);
        }
    }
    buf_deinit(&digits);
}

static void add_reach(struct forming *forming, struct text value)
{
    if (value.size != 0 && memchr(value.data, '@', value.size) != NULL)
        add_whole(forming, 'e', value);
    else
        add_phone(forming, value);
}

static void add_identities(struct forming *forming)
{
    for (struct doc_iter it = doc_iter(forming->profile->ids); doc_next(&it);) {
        struct text name_space = it.value.text;
        if (!doc_next(&it))
            return;
        if (text_is(name_space, "email") || text_is(name_space, "phone"))
            add_reach(forming, it.value.text);
        else if (!text_is(name_space, "user_id") && !text_is(name_space, "anonymous_id"))
            add_whole(forming, 'i', it.value.text);
    }
}

static void add_reaches(struct forming *forming)
{
    for (struct doc_iter it = doc_iter(forming->profile->addresses); doc_next(&it);)
        add_reach(forming, doc_text(it.value.doc, "value"));
    add_reach(forming, trait(forming, "email"));
    add_reach(forming, trait(forming, "phone"));
    add_reach(forming, trait(forming, "mobile"));
}

/* -- The document --------------------------------------------------------- */

static void put_kind(struct forming *forming, const char *kind)
{
    bool is_open = false;
    for (size_t i = 0; i < forming->count; i++) {
        if (forming->forms[i].kind != kind[0])
            continue;
        if (!is_open)
            doc_open_array(&forming->w, kind);
        is_open = true;
        doc_put_text(&forming->w, "",
                     (struct text){ (const char *)forming->text.data + forming->forms[i].at,
                                    forming->forms[i].size });
    }
    if (is_open)
        doc_close(&forming->w);
}

struct doc search_forms(const struct profile *profile, struct buf *out)
{
    static const char *const kinds[] = { "n", "r", "p", "e", "i" };
    struct forming forming = { .profile = profile, .text = BUF_INIT };
    add_names(&forming);
    add_identities(&forming);
    add_reaches(&forming);
    doc_begin(&forming.w, out);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        put_kind(&forming, kinds[i]);
    struct doc forms = doc_end(&forming.w);
    buf_deinit(&forming.text);
    return forms;
}
