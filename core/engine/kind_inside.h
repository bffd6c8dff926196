/* kind_inside.h -- what the files of the parser of kinds share; nobody else includes this.
 *
 * Each function returns 0, or a negative E_* with the reason in p->err, which begins with the
 * kind's name.  `where` is the place, "deadlines.answer.", or empty.
 */
#ifndef CORE_ENGINE_KIND_INSIDE_H
#define CORE_ENGINE_KIND_INSIDE_H

#include "core/engine/kind.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct parsing {
    struct arena *arena;
    struct kind *kind;
    struct err *err;
};

__attribute__((format(printf, 3, 4))) int parse_fail(struct parsing *p, int code,
                                                     const char *format, ...);
const char *parse_place(struct parsing *p, const char *list, struct text name);

/* Every field of the document is one of those. */
int parse_check_names(struct parsing *p, const char *where, struct doc doc,
                      const char *const names[], size_t count);
/* An attribute of one type; absent: DOC_NONE. */
int parse_get(struct parsing *p, const char *where, struct doc doc, const char *name,
              enum doc_type type, const char *expected, struct doc_value *out);
/* The same of a text; absent: *out stays. */
int parse_text(struct parsing *p, const char *where, struct doc doc, const char *name,
               struct text *out);
/* {NAME: ...} with at most `most` names; absent: none. */
int parse_map(struct parsing *p, struct doc doc, const char *name, size_t most, struct doc *out,
              size_t *out_count);
/* One state, a list of them, or "*": all that are not final, nor waiting unless `has_waiting`;
 * absent: none. */
int parse_states(struct parsing *p, const char *where, struct doc doc, const char *name,
                 bool has_waiting, uint64_t *out);

/* kind_deadline.c: when all else has been read. */
int kind_read_deadlines(struct parsing *p, struct doc doc);

#endif
