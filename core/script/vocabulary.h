/* vocabulary.h -- every word of scripts and of kith.lua, with what there is to know of it.
 *
 * A word is one row of a table beside its implementation.  The row makes it callable, its fields
 * are the ones that are accepted and that error messages name, and the same row is what
 * docs/lua-reference.md and `kith help lua` print: a word without a description cannot be said,
 * and a description cannot outlive its word.
 *
 * Everything is constant and lives for ever.  Any thread.
 */
#ifndef CORE_SCRIPT_VOCABULARY_H
#define CORE_SCRIPT_VOCABULARY_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>

struct lua_State;

#define SCRIPT_FIELDS_MAX 16 /* of one word */

/* A field of the table that a word takes, or of an object. */
struct script_field {
    const char *name; /* NULL ends a list */
    const char *type; /* "text", "time": for people */
    const char *text; /* without a full stop */
    bool is_needed;   /* in every use; what is needed at times says so in its text */
};

struct script_word {
    const char *name;                   /* NULL ends a table */
    int (*call)(struct lua_State *lua); /* NULL: nothing to call, only to be told */
    const char *usage;
    const char *text;
    const struct script_field *fields; /* NULL: it takes no table with names */
    const char *example;               /* whole lines; NULL: of a word that is only refused */
};

extern const struct script_word words_declare[], words_calendar[]; /* rule, purpose; calendar */
extern const struct script_word words_subject[], words_ask[];      /* pool, budget; ask */
extern const struct script_word words_trigger[];                   /* every, date, yearly */
extern const struct script_word words_kind[], words_record[];      /* kind; create, record ... */
extern const struct script_word words_record_object[];             /* record.NAME */
extern const struct script_word words_record_methods[];            /* record:move ... */
extern const struct script_word words_objects[];                   /* event, customer */
extern const struct script_word words_customer[];                  /* customer:set ... */
extern const struct script_word words_act[], words_send[];         /* remind ...; send, notify */
extern const struct script_word words_time[], words_duration[];    /* now, ago; days ... */
extern const struct script_word suite_words[], suite_methods[];    /* test; t:event ... */
extern const struct script_word settings_words[];                  /* of kith.lua */

extern const struct script_field customer_fields[]; /* those that are Kith's own */
extern const struct script_field record_parts[];    /* of a record, the same */

/* Whether `name` alone means something in a rule already: to Lua, or to Kith. */
bool script_is_word(const char *name);

/* The place of `name` among the fields; SIZE_MAX: it is none of them. */
size_t script_field_find(const struct script_field fields[], struct text name);
/* The names alone, NULL behind the last. */
void script_field_names(const struct script_field fields[],
                        const char *out_names[SCRIPT_FIELDS_MAX + 1]);

#endif
