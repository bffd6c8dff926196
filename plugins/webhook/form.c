/* form.c -- see form.h. */
#include "form.h"

#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* What has been decoded is never longer than it was. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        char c = *from;
        if (c == '+')
            c = ' ';
        if (*from == '%') {
            int high = digit(from[1]), low = high >= 0 ? digit(from[2]) : -1;
            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high << 4 | low);
            from += 2;
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}

static bool add(struct form *form, char *item)
{
    char *equals = strchr(item, '=');
    struct pair *pair = &form->pairs[form->count];
    if (item[0] == '\0')
        return true;
    if (form->count == FORM_PAIRS_MAX)
        return false;
    if (equals != NULL)
        *equals = '\0';
    *pair = (struct pair){ item, equals != NULL ? equals + 1 : "" };
    form->count++;
    return decode(item) && (equals == NULL || decode(equals + 1));
}

bool form_read(struct form *form, const void *data, size_t size)
{
    *form = (struct form){ 0 };
    if (size != 0 && memchr(data, '\0', size) != NULL)
        return false;
    form->text = malloc(size + 1);
    form->pairs = malloc(FORM_PAIRS_MAX * sizeof *form->pairs);
    if (form->text == NULL || form->pairs == NULL)
        return false;
    if (size != 0)
        memcpy(form->text, data, size);
    form->text[size] = '\0';
    bool is_good = true;
    for (char *rest = form->text, *item; is_good && (item = strsep(&rest, "&")) != NULL;)
        is_good = add(form, item);
    return is_good;
}

void form_deinit(struct form *form)
{
    free(form->text);
    free(form->pairs);
    *form = (struct form){ 0 };
}

const char *form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->pairs[i].name, name) == 0)
            return form->pairs[i].value;
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->value, y->value);
}

void form_sort(struct form *form)
{
    if (form->count != 0)
        qsort(form->pairs, form->count, sizeof *form->pairs, compare);
}
