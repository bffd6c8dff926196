/* sandbox_source.c -- what is settled about a file before it is compiled.
 *
 * `^`      refused: the C library's pow() differs in the last bit between
 *          machines, and power(x, n) does not.
 * `_ENV`   refused: globals could be led past the read-only environment.
 * `#x`     becomes (__length(x)).  On a table with holes Lua's own answer depends
 *          on how its hash part filled up, and so, once string keys come and go,
 *          on a hash seed taken from the clock.  Ours depends on the contents.
 *          Because `^` is refused, every unary operator binds tighter than every
 *          binary one and the operand ends where a chain of suffixes ends.
 * `größe`  where it is a field becomes a key in brackets, for Lua's names are ASCII
 *          (sandbox_names.c).
 * names    that are assigned to are noted.  A variable outside a function can
 *          only change if its name stands left of a `=`; all others need not be
 *          put back after a call.  Noting too many costs time, not correctness,
 *          so the test is coarse: names before a `=`, and names before commas
 *          that may lead up to one.
 *
 * Nothing else is changed and no line moves.  The alternative, patching compiled
 * code, depends on the innards of one release of Lua.
 */
#include "core/script/sandbox_parts.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 250 /* brackets; Lua's own limit is 200 */

struct source {
    const char *name;
    const char *text;
    size_t size;
    struct token *tokens;
    uint32_t *partners; /* of a bracket: the token that closes or opens it */
    uint32_t *ends;     /* of a unary operator: the last token of its operand */
    uint32_t count;
    struct err *err;
};

/* The place of a token as editors count: lines and characters from 1. */
static int refuse(const struct source *source, size_t offset, const char *reason)
{
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < offset; i++) {
        unsigned char byte = (unsigned char)source->text[i];
        if (byte == '\n') {
            line++;
            column = 1;
        } else if ((byte & 0xC0) != 0x80) {
            column++;
        }
    }
    return err_set(source->err, E_INVALID, "%s:%zu:%zu: %s", source->name, line, column, reason);
}

static int cut(struct source *source)
{
    struct lexer lexer = { source->text, source->size, 0 };
    uint32_t capacity = 0;
    struct token token;

    for (;;) {
        int more = lexer_next(&lexer, &token);
        if (more <= 0)
            return more == 0 ? 0 : SOURCE_BROKEN;
        if (source->count == capacity) {
            capacity = capacity != 0 ? capacity * 2 : 256;
            source->tokens = mem_resize(source->tokens, capacity * sizeof source->tokens[0]);
        }
        source->tokens[source->count++] = token;
    }
}

static bool is_symbol(const struct source *source, uint32_t i, int symbol)
{
    return i < source->count && source->tokens[i].kind == TOKEN_SYMBOL &&
           source->tokens[i].symbol == symbol;
}

static bool is_word(const struct source *source, uint32_t i, const char *word)
{
    return i < source->count && source->tokens[i].kind == TOKEN_KEYWORD &&
           token_is(&source->tokens[i], source->text, word);
}

static int bracket_closing(int symbol)
{
    return symbol == '(' ? ')' : symbol == '[' ? ']' : symbol == '{' ? '}' : 0;
}

/* Pair the brackets; if they do not pair the compiler will say so.  The partner of a separator is
 * the bracket around it. */
static int pair(struct source *source)
{
    uint32_t open[NESTING_MAX];
    unsigned depth = 0;

    source->partners = mem_zero(source->count * sizeof source->partners[0]);
    for (uint32_t i = 0; i < source->count; i++) {
        if (source->tokens[i].kind != TOKEN_SYMBOL)
            continue;
        int symbol = source->tokens[i].symbol;
        if (bracket_closing(symbol) != 0) {
            if (depth == NESTING_MAX)
                return refuse(source, source->tokens[i].offset, "brackets nested too deeply");
            open[depth++] = i;
        } else if (symbol == ')' || symbol == ']' || symbol == '}') {
            if (depth == 0 || bracket_closing(source->tokens[open[depth - 1]].symbol) != symbol)
                return SOURCE_BROKEN;
            source->partners[i] = open[--depth];
            source->partners[open[depth]] = i;
        } else if ((symbol == ',' || symbol == ';') && depth > 0) {
            source->partners[i] = open[depth - 1];
        }
    }
    return depth == 0 ? 0 : SOURCE_BROKEN;
}

static bool is_unary(const struct source *source, uint32_t i)
{
    return is_symbol(source, i, '#') || is_symbol(source, i, '-') || is_symbol(source, i, '~') ||
           is_word(source, i, "not");
}

/* The last token of the suffixes that follow the operand ending at `i`. */
static uint32_t suffixes_end(const struct source *source, uint32_t i)
{
    for (;;) {
        if (is_symbol(source, i + 1, '.') || is_symbol(source, i + 1, ':'))
            i += 2;
        else if (is_symbol(source, i + 1, '(') || is_symbol(source, i + 1, '[') ||
                 is_symbol(source, i + 1, '{'))
            i = source->partners[i + 1];
        else if (i + 1 < source->count && source->tokens[i + 1].kind == TOKEN_VALUE &&
                 strchr("\"'[", source->text[source->tokens[i + 1].offset]) != NULL)
            i++;
        else
            return i;
    }
}

/* The last token of the operand that begins at `i`; count if there is none. */
static uint32_t operand_end(const struct source *source, uint32_t i)
{
    if (i >= source->count)
        return source->count;
    if (is_unary(source, i))
        return source->ends[i];
    if (source->tokens[i].kind == TOKEN_NAME)
        return suffixes_end(source, i);
    if (is_symbol(source, i, '('))
        return suffixes_end(source, source->partners[i]);
    if (is_symbol(source, i, '{'))
        return source->partners[i];
    if (is_symbol(source, i, SYMBOL_DOTS) || source->tokens[i].kind == TOKEN_VALUE)
        return i;
    if (is_word(source, i, "nil") || is_word(source, i, "true") || is_word(source, i, "false"))
        return i;
    return source->count;
}

/* Whether an expression has ended at `i`, so that no unary operator can follow. */
static bool ends_expression(const struct source *source, uint32_t i)
{
    static const char *const words[] = { "end", "nil", "true", "false" };
    const struct token *token = &source->tokens[i];

    if (token->kind == TOKEN_NAME || token->kind == TOKEN_VALUE)
        return true;
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
        if (is_word(source, i, words[w]))
            return true;
    return is_symbol(source, i, ')') || is_symbol(source, i, ']') || is_symbol(source, i, '}') ||
           is_symbol(source, i, SYMBOL_DOTS);
}

/* From the last token to the first, so that the end of an inner operand is known
 * when an outer one asks: a thousand `#` in a row cost a thousand steps. */
static int find_operands(struct source *source)
{
    source->ends = mem_zero(source->count * sizeof source->ends[0]);
    for (uint32_t i = source->count; i-- > 0;) {
        if (!is_unary(source, i))
            continue;
        source->ends[i] = operand_end(source, i + 1);
        if (!is_symbol(source, i, '#'))
            continue;
        if (source->ends[i] >= source->count || (i > 0 && ends_expression(source, i - 1)))
            return refuse(source, source->tokens[i].offset,
                          "unexpected `#`; it stands before a string, a table or a variable");
    }
    return 0;
}

/* A character that has no meaning in Lua, but looks as if it had. */
static int refuse_character(const struct source *source, const struct token *token)
{
    char reason[160];
    const char *at = source->text + token->offset;
    uint32_t code = names_code(at, source->size - token->offset);
    if (code == 0)
        return refuse(source, token->offset, "a byte that is not UTF-8; save the file as UTF-8");
    snprintf(reason, sizeof reason,
             "the character U+%04X means nothing here; is it a blank or a quotation mark of a word "
             "processor?",
             code);
    return refuse(source, token->offset, reason);
}

static int check_tokens(const struct source *source)
{
    for (uint32_t i = 0; i < source->count; i++) {
        const struct token *token = &source->tokens[i];
        if (is_symbol(source, i, '^'))
            return refuse(source, token->offset,
                          "`^` gives different results on different "
                          "machines; write power(x, n) with a whole n instead of x^n");
        if (token->kind == TOKEN_SYMBOL && token->symbol >= 0x80)
            return refuse_character(source, token);
        if (token->kind != TOKEN_NAME)
            continue;
        if (token_is(token, source->text, "_ENV"))
            return refuse(source, token->offset, "`_ENV` is not available to scripts");
        if (token_is(token, source->text, SANDBOX_LENGTH))
            return refuse(source, token->offset, "the name `" SANDBOX_LENGTH "` is taken");
    }
    return 0;
}

/* Whether the name at `i` is a key in a table's constructor: { name = value }. */
static bool is_key(const struct source *source, uint32_t i)
{
    if (i == 0 || !is_symbol(source, i + 1, '='))
        return false;
    bool is_separated = is_symbol(source, i - 1, ',') || is_symbol(source, i - 1, ';');
    return is_symbol(source, is_separated ? source->partners[i - 1] : i - 1, '{');
}

static bool is_field(const struct source *source, uint32_t i)
{
    return i > 0 && is_symbol(source, i - 1, '.');
}

/* Whether the token at `i` is a name that must stand in brackets. */
static bool needs_brackets(const struct source *source, uint32_t i)
{
    return i < source->count && names_is_foreign(&source->tokens[i], source->text) &&
           (is_field(source, i) || is_key(source, i));
}

static int check_names(const struct source *source)
{
    char reason[200];
    for (uint32_t i = 0; i < source->count; i++) {
        const struct token *token = &source->tokens[i];
        int size = token->size < 60 ? (int)token->size : 60;
        if (!names_is_foreign(token, source->text) || needs_brackets(source, i))
            continue;
        snprintf(reason, sizeof reason,
                 "the name %.*s has letters that only a field may have, as in customer.%.*s; "
                 "variables and functions have names of a to z",
                 size, source->text + token->offset, size, source->text + token->offset);
        return refuse(source, token->offset, reason);
    }
    return 0;
}

static void note(lua_State *lua, const struct source *source, uint32_t i)
{
    lua_pushlstring(lua, source->text + source->tokens[i].offset, source->tokens[i].size);
    lua_pushboolean(lua, true);
    lua_rawset(lua, -3);
}

/* Whether the names that end before the `=` at `i` are being declared. */
static bool is_declaration(const struct source *source, uint32_t i)
{
    for (uint32_t at = i - 1; at >= 1 && source->tokens[at].kind == TOKEN_NAME; at -= 2) {
        if (is_word(source, at - 1, "local") || is_word(source, at - 1, "for"))
            return true;
        if (at < 2 || !is_symbol(source, at - 1, ','))
            return false;
    }
    return false;
}

/* Go back from the `=` at `i` over the names that it may assign to.  The list of
 * targets ends at the first token that cannot be part of one. */
static void note_targets(lua_State *lua, const struct source *source, uint32_t i)
{
    uint32_t at = i;

    while (at-- > 0) {
        const struct token *token = &source->tokens[at];
        if (is_symbol(source, at, ')') || is_symbol(source, at, ']') ||
            is_symbol(source, at, '}')) {
            at = source->partners[at];
        } else if (token->kind == TOKEN_NAME) {
            if (at + 1 == i || is_symbol(source, at + 1, ','))
                note(lua, source, at);
        } else if (!is_symbol(source, at, ',') && !is_symbol(source, at, '.') &&
                   !is_symbol(source, at, ':') && token->kind != TOKEN_VALUE) {
            return;
        }
    }
}

/* `a.b = 1` notes b and a table's `{ b = 1 }` does, too: coarse, and harmless. */
static void note_assigned(lua_State *lua, const struct source *source)
{
    for (uint32_t i = 1; i < source->count; i++) {
        if (is_symbol(source, i, '=') && !is_declaration(source, i))
            note_targets(lua, source, i);
        else if (is_word(source, i - 1, "function") && source->tokens[i].kind == TOKEN_NAME &&
                 (i < 2 || !is_word(source, i - 2, "local")))
            note(lua, source, i);
    }
}

/* What goes out, and how much of the source is behind it. */
struct writing {
    const struct source *source;
    struct buf *out;
    size_t copied;
};

static void copy_until(struct writing *writing, size_t offset)
{
    buf_append(writing->out, writing->source->text + writing->copied, offset - writing->copied);
    writing->copied = offset;
}

/* Instead of the token, which is left out. */
static void write_instead(struct writing *writing, const struct token *token, const char *text)
{
    copy_until(writing, token->offset);
    buf_text(writing->out, text);
    writing->copied = token->offset + token->size;
}

/* `.größe` is `["größe"]`; blanks and comments between the two stay, as all lines must. */
static void write_name(struct writing *writing, uint32_t i)
{
    const struct token *token = &writing->source->tokens[i];
    copy_until(writing, token->offset);
    buf_text(writing->out, is_field(writing->source, i) ? "\"" : "[\"");
    copy_until(writing, token->offset + token->size);
    buf_text(writing->out, "\"]");
}

static void write_text(const struct source *source, struct buf *out_text)
{
    uint32_t *closing = mem_zero(source->count * sizeof *closing);
    struct writing writing = { source, out_text, 0 };

    for (uint32_t i = 0; i < source->count; i++) {
        const struct token *token = &source->tokens[i];
        if (is_symbol(source, i, '#')) {
            write_instead(&writing, token, "(" SANDBOX_LENGTH "(");
            closing[source->ends[i]]++;
        } else if (is_symbol(source, i, '.') && needs_brackets(source, i + 1)) {
            write_instead(&writing, token, "[");
        } else if (needs_brackets(source, i)) {
            write_name(&writing, i);
        }
        if (closing[i] != 0)
            copy_until(&writing, token->offset + token->size);
        for (uint32_t n = 0; n < closing[i]; n++)
            buf_text(out_text, "))");
    }
    copy_until(&writing, source->size);
    free(closing);
}

/* For the compiler's eyes only, which would stumble over letters that it does not know before it
 * comes to what is really wrong. */
static void write_plain(const struct source *source, struct buf *out_text)
{
    struct writing writing = { source, out_text, 0 };
    for (uint32_t i = 0; i < source->count; i++) {
        const struct token *token = &source->tokens[i];
        if (!names_is_foreign(token, source->text))
            continue;
        write_instead(&writing, token, "");
        for (uint32_t byte = 0; byte < token->size; byte++)
            buf_byte(out_text, 'x');
    }
    copy_until(&writing, source->size);
}

static int prepare(lua_State *lua, struct source *source, struct buf *out_text)
{
    int rc = cut(source);
    int early = check_tokens(source); /* also what stands before the odd token */
    if (early != 0)
        return early;
    if (rc == 0)
        rc = pair(source);
    if (rc == SOURCE_BROKEN)
        write_plain(source, out_text);
    if (rc == 0)
        rc = check_names(source);
    if (rc == 0)
        rc = find_operands(source);
    if (rc != 0)
        return rc;
    source_assigned(lua);
    note_assigned(lua, source);
    lua_pop(lua, 1);
    write_text(source, out_text);
    return 0;
}

void source_assigned(lua_State *lua)
{
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, "sandbox.assigned");
}

int source_prepare(lua_State *lua, const char *name, const char *text, size_t size,
                   struct buf *out_text, struct err *err)
{
    struct source source = { .name = name, .text = text, .size = size, .err = err };

    int rc = prepare(lua, &source, out_text);
    free(source.tokens);
    free(source.partners);
    free(source.ends);
    return rc;
}
