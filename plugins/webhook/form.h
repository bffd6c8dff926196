/* form.h -- application/x-www-form-urlencoded. */
#ifndef PLUGINS_WEBHOOK_FORM_H
#define PLUGINS_WEBHOOK_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define FORM_PAIRS_MAX 1000

struct pair {
    const char *name, *value;
};

struct form {
    char *text; /* decoded in place */
    struct pair *pairs;
    size_t count;
};

/* Take `size` bytes apart.  False: it is no form, has zero bytes, more than FORM_PAIRS_MAX pairs,
 * or there is no memory.  form_deinit() in any case. */
bool form_read(struct form *form, const void *data, size_t size);
void form_deinit(struct form *form);

/* NULL: there is no such name. */
const char *form_value(const struct form *form, const char *name);

/* By name, then by value. */
void form_sort(struct form *form);

#endif
