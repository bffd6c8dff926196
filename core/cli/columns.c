/* columns.c -- see columns.h.  Headers are short, and looked at once: nothing here is fast. */
#include "core/cli/columns.h"

#include "core/base/err.h"
#include "core/base/near.h"

#include <stdlib.h>
#include <string.h>

#define LIST_BYTES 160 /* of an error's list of columns */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void columns_name(struct text name, struct buf *out)
{
    size_t start = out->size;
    bool is_apart = false;
    for (uint32_t i = 0; i < name.size; i++) {
        if (is_space(name.data[i])) {
            is_apart = out->size != start;
            continue;
        }
        if (is_apart)
            buf_byte(out, ' ');
        buf_byte(out, (uint8_t)name.data[i]);
        is_apart = false;
    }
}

static bool is_called(struct text column, const char *name)
{
    struct buf a = BUF_INIT, b = BUF_INIT;
    columns_name(column, &a);
    columns_name(text_of(name), &b);
    bool is_same = a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
    buf_deinit(&a);
    buf_deinit(&b);
    return is_same;
}

char columns_delimiter(const struct text *names, size_t count)
{
    static const char delimiters[] = ";\t|,";
    if (count != 1)
        return '\0';
    for (const char *at = delimiters; *at != '\0'; at++)
        if (memchr(names[0].data, *at, names[0].size) != NULL)
            return *at;
    return '\0';
}

/* -- What there is instead ------------------------------------------------------------------- */

static void list_names(const struct text *names, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        struct buf name = BUF_INIT;
        struct near_quote quote;
        columns_name(names[i], &name);
        near_quote(buf_string(&name), name.size, &quote);
        buf_deinit(&name);
        if (out->size + strlen(quote.text) > LIST_BYTES) {
            buf_printf(out, " ... %zu in all", count);
            return;
        }
        buf_printf(out, "%s\"%s\"", i != 0 ? ", " : "", quote.text);
    }
}

/* The column whose name is hardly another; `count`: there is none. */
static size_t nearest(const struct text *names, size_t count, const char *name)
{
    size_t best = count, least = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct buf column = BUF_INIT;
        columns_name(names[i], &column);
        size_t distance = near_distance(buf_string(&column), name);
        buf_deinit(&column);
        if (distance < least && near_is_likely(distance, name)) {
            best = i;
            least = distance;
        }
    }
    return best;
}

static int none(const struct text *names, size_t count, const char *name, struct err *err)
{
    struct near_quote quote;
    struct buf list = BUF_INIT;
    char delimiter = columns_delimiter(names, count);
    size_t near = nearest(names, count, name);
    const char *called = near_quote(name, strlen(name), &quote);
    if (near != count) {
        list_names(names + near, 1, &list);
        err_set(err, E_INVALID, "there is no column \"%s\"; is it %s?", called, buf_string(&list));
    } else if (delimiter != '\0') {
        list_names(names, count, &list);
        err_set(err, E_INVALID,
                "there is no column \"%s\": all of the first line is one, %s; say --delimiter %s",
                called, buf_string(&list),
                delimiter == '\t' ? "tab" : (const char[]){ '"', delimiter, '"', '\0' });
    } else {
        list_names(names, count, &list);
        err_set(err, E_INVALID, "there is no column \"%s\"; the first line has %s", called,
                buf_string(&list));
    }
    buf_deinit(&list);
    return E_INVALID;
}

/* -- The one that is meant ------------------------------------------------------------------- */

int columns_find(const struct text *names, size_t count, const char *name, size_t *out_index,
                 struct err *err)
{
    struct near_quote quote;
    size_t found = count;
    for (size_t i = 0; i < count; i++) {
        if (!is_called(names[i], name))
            continue;
        if (found != count)
            return err_set(err, E_INVALID, "two columns are called \"%s\": say which, #%zu or #%zu",
                           near_quote(name, strlen(name), &quote), found + 1, i + 1);
        found = i;
    }
    char *end = NULL;
    unsigned long number = name[0] == '#' ? strtoul(name + 1, &end, 10) : 0;
    if (found == count && number != 0 && *end == '\0' && number <= count)
        found = number - 1;
    if (found == count)
        return none(names, count, name, err);
    *out_index = found;
    return 0;
}
