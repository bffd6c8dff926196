/* form.c -- see form.h.
 *
 * A form is decoded into a buffer first, which is never longer than it was, and its fields are
 * sorted there, by name and value, which is how they are signed where they are.
 */
#include "core/base/form.h"

#include "core/base/doc.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct field {
    char *name, *value; /* terminated, decoded in place */
};

/* -- Reading ----------------------------------------------------------------------------------- */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A "%" that encodes nothing stays as it is, as in browsers. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        int c = *from == '+' ? ' ' : *from;
        if (*from == '%') {
            int high = digit(from[1]), low = high >= 0 ? digit(from[2]) : -1;
            if (low >= 0 && high + low == 0)
                return false;
            c = low >= 0 ? high << 4 | low : '%';
            from += low >= 0 ? 2 : 0;
        }
        *to++ = (char)c;
    }
    *to = '\0';
    return utf8_valid(text, (size_t)(to - text));
}

static int compare(const void *a, const void *b)
{
    const struct field *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->value, y->value);
}

/* Take `text` apart; E_INVALID, E_LIMIT. */
static int split(char *text, struct field *fields, size_t *out_count, struct err *err)
{
    size_t count = 0;
    for (char *rest = text, *item; (item = strsep(&rest, "&")) != NULL;) {
        char *value = strchrnul(item, '=');
        if (item[0] == '\0')
            continue;
        if (*value != '\0')
            *value++ = '\0';
        if (count == FORM_FIELDS_MAX)
            return err_set(err, E_LIMIT, "the form has more than %d fields", FORM_FIELDS_MAX);
        if (!decode(item) || !decode(value))
            return err_set(err, E_INVALID, "field %zu of the form has a zero, or is not UTF-8",
                           count + 1);
        fields[count++] = (struct field){ item, value };
    }
    *out_count = count;
    return 0;
}

int form_read(const char *text, size_t size, struct buf *out, struct doc *out_doc, struct err *err)
{
    if (size != 0 && memchr(text, '\0', size) != NULL)
        return err_set(err, E_INVALID, "the form has a zero");
    struct field *fields = mem_zero(FORM_FIELDS_MAX * sizeof *fields);
    struct buf copy = BUF_INIT;
    struct doc_writer w;
    size_t count = 0;
    buf_append(&copy, text, size);
    (void)buf_string(&copy); /* terminates it */
    int rc = split((char *)copy.data, fields, &count, err);
    if (rc == 0) {
        qsort(fields, count, sizeof *fields, compare);
        doc_begin(&w, out);
        for (size_t i = 0; i < count; i++)
            if (i == 0 || compare(&fields[i], &fields[i - 1]) != 0)
                doc_put_string(&w, fields[i].name, fields[i].value);
        *out_doc = doc_end(&w);
    }
    free(fields);
    buf_deinit(&copy);
    return rc;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void encode(struct text text, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    for (uint32_t i = 0; i < text.size; i++) {
        if (memchr(plain, text.data[i], sizeof plain - 1) != NULL)
            buf_append(out, text.data + i, 1);
        else
            buf_printf(out, "%%%02X", (unsigned char)text.data[i]);
    }
}

int form_write(struct doc doc, struct buf *out, struct err *err)
{
    bool is_first = true;
    for (struct doc_iter it = doc_iter(doc); doc_next(&it); is_first = false) {
        if (it.value.type != DOC_TEXT && it.value.type != DOC_INT64)
            return err_set(err, E_INVALID, "a form has texts and whole numbers: %.*s is neither",
                           (int)it.name.size, it.name.data);
        buf_text(out, is_first ? "" : "&");
        encode(it.name, out);
        buf_text(out, "=");
        if (it.value.type == DOC_TEXT)
            encode(it.value.text, out);
        else
            buf_printf(out, "%" PRId64, it.value.integer);
    }
    return 0;
}
