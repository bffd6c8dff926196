/* vocabulary.c -- looking into lists of fields; the lists stand beside the words. */
#include "core/script/vocabulary.h"

#include "core/base/mem.h"

#include <stdint.h>

size_t script_field_find(const struct script_field fields[], struct text name)
{
    for (size_t i = 0; fields[i].name != NULL; i++)
        if (text_is(name, fields[i].name))
            return i;
    return SIZE_MAX;
}

void script_field_names(const struct script_field fields[],
                        const char *out_names[SCRIPT_FIELDS_MAX + 1])
{
    size_t count = 0;
    for (; fields[count].name != NULL; count++) {
        ASSERT(count < SCRIPT_FIELDS_MAX);
        out_names[count] = fields[count].name;
    }
    out_names[count] = NULL;
}
