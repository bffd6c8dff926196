/* mustache_inside.h -- what the parser leaves for the renderer; nobody else includes this.
 *
 * A template is a row of tokens.  A section's token knows the place of its end, and the end that
 * of its section, so that the renderer goes through them with an index and a short stack.
 */
#ifndef CORE_BASE_MUSTACHE_INSIDE_H
#define CORE_BASE_MUSTACHE_INSIDE_H

#include "core/base/locale.h"
#include "core/base/mustache.h"

enum token_kind {
    TOKEN_TEXT, /* of one line, its end included */
    TOKEN_VALUE,
    TOKEN_SECTION,
    TOKEN_INVERTED,
    TOKEN_END,
    TOKEN_PARTIAL,
};

struct token {
    enum token_kind kind;
    struct text text;   /* or the name */
    struct text indent; /* TOKEN_PARTIAL: before each of its lines */
    bool begins_line;   /* an indent goes before it */
    bool is_raw;        /* TOKEN_VALUE: not escaped */
    enum locale_style style;
    struct text detail; /* of the style */
    uint32_t other;     /* TOKEN_SECTION, TOKEN_INVERTED: index of the end; and back */
    struct mustache_place place;
};

struct mustache {
    const struct token *tokens;
    uint32_t count;
};

#endif
