/* mustache_parse.c -- from the text of a template to its tokens; see mustache.h.
 *
 * One pass, tag by tag.  A tag that writes nothing by itself (a section's begin and end, a
 * comment, a partial, other signs) and has its line to itself takes the whole line away, as
 * the specification wants: whoever lays out a template does not lay out its output.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mustache_inside.h"
#include "core/base/near.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SIGN_BYTES_MAX 16 /* of {{ and }}, or what stands for them */

struct parser {
    struct text source;
    struct buf tokens;
    struct text open, close;               /* the signs in force: {{ and }} */
    uint32_t sections[TEMPLATE_DEPTH_MAX]; /* open ones, by their token */
    unsigned depth;
    uint32_t placed; /* the character that `place` is of: it only goes forward */
    struct mustache_place place;
    struct err *err;
};

struct tag {
    char kind;           /* # ^ / > ! = & { or 0 for a plain value */
    struct text content; /* between the signs, without blanks at its ends */
    uint32_t begin, end; /* of the whole tag in the source */
    bool is_alone;       /* nothing but blanks beside it on its line, which goes with it: */
    uint32_t line_begin, line_end;
    struct mustache_place place;
};

/* -- Places and faults ---------------------------------------------------- */

static struct mustache_place place_of(struct parser *parser, uint32_t at)
{
    for (; parser->placed < at; parser->placed++) {
        char letter = parser->source.data[parser->placed];
        if (letter == '\n') {
            parser->place.line++;
            parser->place.column = 1;
        } else if (((uint8_t)letter & 0xc0) != 0x80) { /* not inside of a character */
            parser->place.column++;
        }
    }
    return parser->place;
}

__attribute__((format(printf, 3, 4)))
static int fault(const struct parser *parser, struct mustache_place place, const char *format, ...)
{
    char reason[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return err_set(parser->err, E_INVALID, "%u:%u: %s", place.line, place.column, reason);
}

/* -- Tokens --------------------------------------------------------------- */

static struct token *token_at(const struct parser *parser, uint32_t index)
{
    return (struct token *)(void *)parser->tokens.data + index;
}

static uint32_t token_count(const struct parser *parser)
{
    return (uint32_t)(parser->tokens.size / sizeof(struct token));
}

static bool is_line_begin(const struct parser *parser, uint32_t at)
{
    return at == 0 || parser->source.data[at - 1] == '\n';
}

static void push(struct parser *parser, const struct token *token)
{
    buf_append(&parser->tokens, token, sizeof *token);
}

static void push_text(struct parser *parser, uint32_t from, uint32_t to)
{
    while (from < to) {
        const char *begin = parser->source.data + from;
        const char *newline = memchr(begin, '\n', to - from);
        uint32_t size = newline != NULL ? (uint32_t)(newline + 1 - begin) : to - from;
        push(parser, &(struct token){ .kind = TOKEN_TEXT,
                                      .text = { begin, size },
                                      .begins_line = is_line_begin(parser, from) });
        from += size;
    }
}

/* -- Finding a tag -------------------------------------------------------- */

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

static bool is_space(char letter)
{
    return is_blank(letter) || letter == '\n' || letter == '\r';
}

static struct text trim(struct text text)
{
    while (text.size != 0 && is_space(text.data[0]))
        text = (struct text){ text.data + 1, text.size - 1 };
    while (text.size != 0 && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* The place of `what` from `from` on; the source's size: nowhere. */
static uint32_t find(const struct parser *parser, uint32_t from, struct text what)
{
    const char *found =
        memmem(parser->source.data + from, parser->source.size - from, what.data, what.size);
    return found != NULL ? (uint32_t)(found - parser->source.data) : parser->source.size;
}

static void find_line(const struct parser *parser, struct tag *tag)
{
    const char *source = parser->source.data;
    uint32_t begin = tag->begin, end = tag->end;
    while (begin != 0 && is_blank(source[begin - 1]))
        begin--;
    while (end < parser->source.size && is_blank(source[end]))
        end++;
    if (end + 1 < parser->source.size && source[end] == '\r' && source[end + 1] == '\n')
        end++;
    tag->is_alone =
        is_line_begin(parser, begin) && (end == parser->source.size || source[end] == '\n');
    tag->line_begin = begin;
    tag->line_end = end < parser->source.size ? end + 1 : end;
}

/* The tag that begins at `begin`. */
static int read_tag(struct parser *parser, uint32_t begin, struct tag *tag)
{
    static const char kinds[] = "#^/>!=&{<$";
    char close[SIGN_BYTES_MAX + 2];
    uint32_t at = begin + parser->open.size;
    *tag = (struct tag){ .begin = begin, .place = place_of(parser, begin) };
    while (at < parser->source.size && is_space(parser->source.data[at]))
        at++;
    if (at < parser->source.size && parser->source.data[at] != '\0' &&
        strchr(kinds, parser->source.data[at]) != NULL)
        tag->kind = parser->source.data[at++];
    uint32_t extra = 0;
    if (tag->kind == '{' || tag->kind == '=')
        close[extra++] = tag->kind == '{' ? '}' : '=';
    memcpy(close + extra, parser->close.data, parser->close.size);
    struct text sign = { close, extra + parser->close.size };
    uint32_t end = find(parser, at, sign);
    if (end == parser->source.size)
        return fault(parser, tag->place, "the tag that begins here never ends: %.*s is missing",
                     (int)sign.size, sign.data);
    tag->content = trim((struct text){ parser->source.data + at, end - at });
    tag->end = end + sign.size;
    find_line(parser, tag);
    return 0;
}

/* -- What it says --------------------------------------------------------- */

static int check_name(const struct parser *parser, const struct tag *tag, struct text name)
{
    struct near_quote quote;
    char before = '.';
    bool is_good = name.size != 0;
    for (uint32_t i = 0; i < name.size; i++) {
        char letter = name.data[i];
        bool is_double_dot = letter == '.' && before == '.' && name.size != 1;
        is_good = is_good && !is_space(letter) && letter != '\0' && !is_double_dot;
        before = letter;
    }
    if (name.size > 1 && before == '.')
        is_good = false;
    if (is_good)
        return 0;
    if (name.size == 0)
        return fault(parser, tag->place, "a tag without a name");
    return fault(parser, tag->place, "\"%s\" is no name: one has no blanks, and words between dots",
                 near_quote(name.data, name.size, &quote));
}

/* {{ name | style detail }} */
static int read_style(const struct parser *parser, const struct tag *tag, struct token *token)
{
    struct near_quote quote;
    if (tag->content.size == 0)
        return 0;
    const char *bar = memchr(tag->content.data, '|', tag->content.size);
    if (bar == NULL)
        return 0;
    struct text name = { tag->content.data, (uint32_t)(bar - tag->content.data) };
    struct text style = trim((struct text){ bar + 1, tag->content.size - name.size - 1 });
    token->text = trim(name);
    uint32_t size = 0;
    while (size < style.size && !is_space(style.data[size]))
        size++;
    token->detail = trim((struct text){ style.data + size, style.size - size });
    style.size = size;
    if (!locale_style_find(style, &token->style))
        return fault(parser, tag->place,
                     "\"%s\" is no style: there is number, money, date, time and datetime",
                     near_quote(style.data, style.size, &quote));
    if (!locale_style_takes(token->style, token->detail))
        return fault(parser, tag->place,
                     "%.*s does not take \"%s\": number takes its digits behind the point (0 to "
                     "9), money a currency such as EUR, the others nothing",
                     (int)style.size, style.data,
                     near_quote(token->detail.data, token->detail.size, &quote));
    return 0;
}

static int take_value(struct parser *parser, const struct tag *tag)
{
    struct token token = { .kind = TOKEN_VALUE,
                           .text = tag->content,
                           .is_raw = tag->kind != '\0',
                           .begins_line = is_line_begin(parser, tag->begin),
                           .place = tag->place };
    int rc = read_style(parser, tag, &token);
    if (rc == 0)
        rc = check_name(parser, tag, token.text);
    if (rc == 0)
        push(parser, &token);
    return rc;
}

static int take_section(struct parser *parser, const struct tag *tag)
{
    int rc = check_name(parser, tag, tag->content);
    if (rc != 0)
        return rc;
    if (parser->depth == TEMPLATE_DEPTH_MAX)
        return fault(parser, tag->place, "sections stand in each other at most %d deep",
                     TEMPLATE_DEPTH_MAX);
    parser->sections[parser->depth++] = token_count(parser);
    push(parser,
         &(struct token){ .kind = tag->kind == '#' ? TOKEN_SECTION : TOKEN_INVERTED,
                          .text = tag->content,
                          .begins_line = !tag->is_alone && is_line_begin(parser, tag->begin),
                          .place = tag->place });
    return 0;
}

static int take_end(struct parser *parser, const struct tag *tag)
{
    struct near_quote quote;
    if (parser->depth == 0)
        return fault(parser, tag->place, "nothing that \"%s\" ends has begun",
                     near_quote(tag->content.data, tag->content.size, &quote));
    uint32_t index = parser->sections[--parser->depth];
    struct token *begin = token_at(parser, index);
    if (!text_equal(begin->text, tag->content))
        return fault(parser, tag->place,
                     "the section that begins at %u:%u is called \"%s\": it must end before "
                     "another does",
                     begin->place.line, begin->place.column,
                     near_quote(begin->text.data, begin->text.size, &quote));
    begin->other = token_count(parser);
    push(parser,
         &(struct token){ .kind = TOKEN_END,
                          .other = index,
                          .begins_line = !tag->is_alone && is_line_begin(parser, tag->begin),
                          .place = tag->place });
    return 0;
}

static int take_partial(struct parser *parser, const struct tag *tag)
{
    struct token token = { .kind = TOKEN_PARTIAL,
                           .text = tag->content,
                           .begins_line = !tag->is_alone && is_line_begin(parser, tag->begin),
                           .place = tag->place };
    int rc = check_name(parser, tag, tag->content);
    if (tag->is_alone)
        token.indent =
            (struct text){ parser->source.data + tag->line_begin, tag->begin - tag->line_begin };
    if (rc == 0)
        push(parser, &token);
    return rc;
}

/* {{=<% %>=}} */
static int take_signs(struct parser *parser, const struct tag *tag)
{
    struct text open = tag->content;
    uint32_t size = 0;
    while (size < open.size && !is_space(open.data[size]))
        size++;
    struct text close = trim((struct text){ open.data + size, open.size - size });
    open.size = size;
    bool is_good = open.size != 0 && close.size != 0 && open.size <= SIGN_BYTES_MAX &&
                   close.size <= SIGN_BYTES_MAX &&
                   memchr(tag->content.data, '=', tag->content.size) == NULL;
    for (uint32_t i = 0; i < close.size; i++)
        is_good = is_good && !is_space(close.data[i]);
    if (!is_good)
        return fault(parser, tag->place,
                     "other signs are set by %.*s=<%% %%>=%.*s: two of 1 to %d bytes, no = in them",
                     (int)parser->open.size, parser->open.data, (int)parser->close.size,
                     parser->close.data, SIGN_BYTES_MAX);
    parser->open = open;
    parser->close = close;
    return 0;
}

static int take(struct parser *parser, const struct tag *tag)
{
    switch (tag->kind) {
    case '#':
    case '^':
        return take_section(parser, tag);
    case '/':
        return take_end(parser, tag);
    case '>':
        return take_partial(parser, tag);
    case '=':
        return take_signs(parser, tag);
    case '!':
        return 0;
    case '<':
    case '$':
        return fault(parser, tag->place,
                     "templates do not inherit: use {{> name}} to take in another");
    default:
        return take_value(parser, tag);
    }
}

/* -- All of it ------------------------------------------------------------ */

static int parse(struct parser *parser)
{
    uint32_t at = 0, size = parser->source.size;
    for (;;) {
        struct tag tag;
        uint32_t begin = find(parser, at, parser->open);
        if (begin == size)
            break;
        int rc = read_tag(parser, begin, &tag);
        if (rc != 0)
            return rc;
        bool writes = tag.kind == '\0' || tag.kind == '&' || tag.kind == '{';
        tag.is_alone = tag.is_alone && !writes;
        push_text(parser, at, tag.is_alone ? tag.line_begin : tag.begin);
        rc = take(parser, &tag);
        if (rc != 0)
            return rc;
        at = tag.is_alone ? tag.line_end : tag.end;
    }
    push_text(parser, at, size);
    if (parser->depth == 0)
        return 0;
    const struct token *open = token_at(parser, parser->sections[parser->depth - 1]);
    return fault(parser, open->place, "the section \"%.*s\" that begins here never ends",
                 (int)open->text.size, open->text.data);
}

int mustache_parse(struct text source, struct mustache_place first, struct arena *arena,
                   const struct mustache **out_template, struct err *err)
{
    if (source.size > TEMPLATE_BYTES_MAX)
        return err_set(err, E_LIMIT, "%u:%u: a template has at most %u KiB", first.line,
                       first.column, TEMPLATE_BYTES_MAX >> 10);
    struct parser parser = { .source = arena_text(arena, source),
                             .tokens = BUF_INIT,
                             .open = text_of("{{"),
                             .close = text_of("}}"),
                             .place = first,
                             .err = err };
    int rc = parse(&parser);
    if (rc == 0) {
        struct mustache *mustache = arena_alloc(arena, sizeof *mustache);
        mustache->count = token_count(&parser);
        mustache->tokens = arena_copy(arena, parser.tokens.data, parser.tokens.size);
        *out_template = mustache;
    }
    buf_deinit(&parser.tokens);
    return rc;
}

bool mustache_partial(const struct mustache *mustache, size_t *at, struct text *out_name,
                      struct mustache_place *out_place)
{
    while (*at < mustache->count) {
        const struct token *token = &mustache->tokens[(*at)++];
        if (token->kind == TOKEN_PARTIAL) {
            *out_name = token->text;
            *out_place = token->place;
            return true;
        }
    }
    return false;
}
