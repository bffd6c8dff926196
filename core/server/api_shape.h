/* api_shape.h -- what answers and queries look like, for the description of the interface.
 *
 * Answers are documents that the engine's readers write; here stands which fields they have, once,
 * and a test compares it with what a daemon answers.
 */
#ifndef CORE_SERVER_API_SHAPE_H
#define CORE_SERVER_API_SHAPE_H

#include <stdbool.h>

struct shape_field {
    const char *name; /* NULL ends a list; "*": any other name */
    /* "text" "integer" "number" "boolean" "time" "object" "any", the name of a shape, or one of
     * these in [] for a list; "text?" or "integer?": null as well. */
    const char *type;
    bool is_always; /* there */
    const char *text;
};

struct shape {
    const char *name; /* NULL ends the table */
    const struct shape_field *fields;
};
extern const struct shape shapes[];

/* A name that a query may have. */
struct query_shape {
    const char *name; /* NULL ends the table */
    const char *path; /* where it means this; NULL: everywhere else */
    const char *type; /* "integer", "text", "time", "flag", or the choices: "a|b" */
    const char *text;
};
extern const struct query_shape query_shapes[];

#endif
