/* vocabulary.c -- looking into lists of words and fields; the lists stand beside the words. */
#include "core/script/vocabulary.h"

#include "core/base/mem.h"

#include <stdint.h>
#include <string.h>

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

/* Those that need nobody's table: the language's, its library's, and a test's. */
static const char *const own[] = {
    "event",  "customer", "test",   "string", "table",  "math",     "utf8",     "assert",
    "error",  "next",     "ipairs", "pairs",  "pcall",  "print",    "select",   "type",
    "and",    "break",    "do",     "else",   "elseif", "end",      "false",    "for",
    "goto",   "if",       "in",     "local",  "nil",    "not",      "or",       "repeat",
    "return", "then",     "true",   "until",  "while",  "function", "tonumber", "tostring",
};

static const struct script_word *const tables[] = {
    words_declare, words_calendar, words_subject, words_ask,  words_trigger,  words_kind,
    words_record,  words_act,      words_send,    words_time, words_duration,
};

bool script_is_word(const char *name)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], name) == 0)
            return true;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct script_word *word = tables[i]; word->name != NULL; word++)
            if (strcmp(word->name, name) == 0)
                return true;
    return false;
}
