/* mustache.h -- text with holes, and what fills them: Mustache over documents.
 *
 *     {{name}}  {{a.b}}  {{.}}       a value, escaped as the text around it wants it
 *     {{{name}}}  {{&name}}          the same as it is
 *     {{name | date}}                a value in a style of locale.h: number, number 2, money,
 *                                    money EUR, date, time, datetime
 *     {{#name}} ... {{/name}}        for each item of a list; else once if it is there
 *     {{^name}} ... {{/name}}        if it is not
 *     {{> name}}                     another template
 *     {{! words }}  {{=<% %>=}}      nothing; other signs for {{ and }}
 *
 * As the specification of Mustache (1.4) says, with its rules for tags that stand alone on a line,
 * but without what it calls optional: lambdas, inheritance, dynamic names.  Not there are: what is
 * missing, null, false, an empty text, list or document.  What is missing is written as nothing.
 *
 * A template is parsed once and then only read; it lives in the arena it was parsed into.  Neither
 * parsing nor rendering recurses.  Any thread.
 */
#ifndef CORE_BASE_MUSTACHE_H
#define CORE_BASE_MUSTACHE_H

#include "core/base/arena.h"
#include "core/base/doc.h"

struct err;
struct locale;
struct zone;

struct mustache;

/* Where the first character of the source stands in its file, counted from 1. */
struct mustache_place {
    unsigned line, column;
};

/* E_INVALID, E_LIMIT: "line:column: reason".  The source is copied. */
int mustache_parse(struct text source, struct mustache_place first, struct arena *arena,
                   const struct mustache **out_template, struct err *err);

/* Walk the partials that it names, from *at = 0 on.  False: no more. */
bool mustache_partial(const struct mustache *mustache, size_t *at, struct text *out_name,
                      struct mustache_place *out_place);

/* What values are put into, in which they are to read as the words that they are. */
enum mustache_escape { MUSTACHE_PLAIN, MUSTACHE_HTML, MUSTACHE_MARKDOWN };

struct mustache_options {
    enum mustache_escape escape;
    bool has_dotted_names; /* a name with dots may be one field's: looked for first */
    size_t bytes_max;      /* of what is appended */
    const struct locale *locale;
    const struct zone *zone;
    /* Find a partial; NULL: there is none, and nothing is written. */
    const struct mustache *(*partial)(void *arg, struct text name);
    void *arg;
};

/* Append the rendering to `out`.  Names are looked for in the last of the documents first.
 * E_LIMIT: over bytes_max, TEMPLATE_DEPTH_MAX or TEMPLATE_STEPS_MAX; what was appended is then of
 * no use. */
int mustache_render(const struct mustache *mustache, const struct doc contexts[], size_t count,
                    const struct mustache_options *options, struct buf *out, struct err *err);

#endif
