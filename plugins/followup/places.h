/* places.h -- where in a list something stands, by its name or its number.
 *
 * A hash table in a pool; it holds pointers to texts that live as long.  Of several with the same
 * key the first counts.  For one thread.
 */
#ifndef PLUGINS_FOLLOWUP_PLACES_H
#define PLUGINS_FOLLOWUP_PLACES_H

#include "pool.h"

#include <stddef.h>
#include <stdint.h>

#define PLACES_NONE SIZE_MAX

struct place {
    const char *text; /* NULL: the key is the number */
    uint64_t number;
    size_t at;
    bool is_used;
};

struct places {
    struct place *slots;
    size_t mask;
};

/* For `count` of them.  False: memory is short. */
bool places_init(struct places *places, struct pool *pool, size_t count);

/* Note where it stands, unless it stands somewhere already; returns where it does. */
size_t places_add_text(struct places *places, const char *text, size_t at);
size_t places_add_number(struct places *places, uint64_t number, size_t at);

/* PLACES_NONE: nowhere. */
size_t places_of_text(const struct places *places, const char *text);
size_t places_of_number(const struct places *places, uint64_t number);

#endif
