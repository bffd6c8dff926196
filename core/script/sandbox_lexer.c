/* sandbox_lexer.c -- the tokens of Lua 5.4, as its own scanner cuts them; but a name may have
 * the letters of any script (sandbox_names.c).
 *
 * Three things of the language are dealt with before the compiler sees a file
 * (sandbox_source.c), and each needs to know that a character is an operator and
 * not part of a string, a long bracket or a comment.
 *
 * Where Lua would refuse a token the lexer only says so, and the compiler gets
 * the text as it is: its own message is the best there can be.  Escapes in
 * strings are not checked for the same reason; all that matters is where a
 * string ends.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

static const char *const KEYWORDS[] = {
    "and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
    "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
    "repeat",   "return", "then", "true", "until",  "while",
};

static const char *const SYMBOLS[] = {
    /* of several characters, the longest first */
    "...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", "..",
};

static int peek(const struct lexer *lexer, size_t ahead)
{
    size_t offset = lexer->offset + ahead;
    return offset < lexer->size ? (unsigned char)lexer->text[offset] : -1;
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(int byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_hex(int byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_space(int byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* At a `[`: the number of `=` in the long bracket that opens here, -1 if it is a
 * plain bracket, -2 if it is neither. */
static int bracket_level(const struct lexer *lexer)
{
    size_t level = 0;

    while (peek(lexer, 1 + level) == '=')
        level++;
    if (peek(lexer, 1 + level) == '[')
        return (int)level;
    return level == 0 ? -1 : -2;
}

/* Past the end of the long bracket of `level` that opens here. */
static bool skip_bracket(struct lexer *lexer, int level)
{
    lexer->offset += (size_t)level + 2;
    while (lexer->offset < lexer->size) {
        size_t equals = 0;
        if (peek(lexer, 0) == ']') {
            while (peek(lexer, 1 + equals) == '=')
                equals++;
            if (equals == (size_t)level && peek(lexer, 1 + equals) == ']') {
                lexer->offset += equals + 2;
                return true;
            }
        }
        lexer->offset += 1 + equals;
    }
    return false;
}

static bool skip_comment(struct lexer *lexer)
{
    lexer->offset += 2;
    if (peek(lexer, 0) == '[') {
        int level = bracket_level(lexer);
        if (level >= 0)
            return skip_bracket(lexer, level);
    }
    while (lexer->offset < lexer->size && peek(lexer, 0) != '\n' && peek(lexer, 0) != '\r')
        lexer->offset++;
    return true;
}

/* Past spaces and comments; false if a comment does not end. */
static bool skip_blank(struct lexer *lexer)
{
    for (;;) {
        if (is_space(peek(lexer, 0)))
            lexer->offset++;
        else if (peek(lexer, 0) != '-' || peek(lexer, 1) != '-')
            return true;
        else if (!skip_comment(lexer))
            return false;
    }
}

/* Past the character after a backslash, and what belongs to it. */
static void skip_escape(struct lexer *lexer)
{
    int byte = peek(lexer, 1);

    lexer->offset += 2;
    if (byte == 'z')
        while (is_space(peek(lexer, 0)))
            lexer->offset++;
    else if ((byte == '\r' && peek(lexer, 0) == '\n') || (byte == '\n' && peek(lexer, 0) == '\r'))
        lexer->offset++;
}

static bool skip_string(struct lexer *lexer)
{
    int quote = peek(lexer, 0);

    lexer->offset++;
    while (lexer->offset < lexer->size) {
        int byte = peek(lexer, 0);
        if (byte == '\n' || byte == '\r')
            return false;
        if (byte == '\\') {
            skip_escape(lexer);
            continue;
        }
        lexer->offset++;
        if (byte == quote)
            return true;
    }
    return false;
}

static void skip_number(struct lexer *lexer)
{
    int exponent = 'e';

    if (peek(lexer, 0) == '0' && (peek(lexer, 1) | 0x20) == 'x') {
        exponent = 'p';
        lexer->offset += 2;
    }
    for (;;) {
        int byte = peek(lexer, 0);
        if (byte != -1 && (byte | 0x20) == exponent) {
            bool has_sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
            lexer->offset += has_sign ? 2 : 1;
        } else if (is_hex(byte) || byte == '.') {
            lexer->offset++;
        } else {
            return;
        }
    }
}

/* Bytes of the letter of a name that stands here; 0: there is none. */
static size_t letter_size(const struct lexer *lexer)
{
    int byte = peek(lexer, 0);
    if (byte < 0x80)
        return is_letter(byte) ? 1 : 0;
    return names_letter(lexer->text + lexer->offset, lexer->size - lexer->offset);
}

static void skip_name(struct lexer *lexer)
{
    for (;;) {
        size_t size = is_digit(peek(lexer, 0)) ? 1 : letter_size(lexer);
        if (size == 0)
            return;
        lexer->offset += size;
    }
}

bool token_is(const struct token *token, const char *text, const char *word)
{
    size_t size = strlen(word);
    return token->size == size && memcmp(text + token->offset, word, size) == 0;
}

static bool is_keyword(const struct token *token, const char *text)
{
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof KEYWORDS[0]; i++)
        if (token_is(token, text, KEYWORDS[i]))
            return true;
    return false;
}

static void skip_symbol(struct lexer *lexer, struct token *token)
{
    const char *at = lexer->text + lexer->offset;
    size_t left = lexer->size - lexer->offset;

    token->symbol = (uint8_t)at[0];
    for (size_t i = 0; i < sizeof SYMBOLS / sizeof SYMBOLS[0]; i++) {
        size_t size = strlen(SYMBOLS[i]);
        if (size > left || memcmp(at, SYMBOLS[i], size) != 0)
            continue;
        token->symbol = i == 0 ? SYMBOL_DOTS : at[0] == ':' ? SYMBOL_LABEL : 0;
        lexer->offset += size;
        return;
    }
    lexer->offset++;
}

/* Move past the token that begins here and tell its kind, -1 if there is none. */
static int scan(struct lexer *lexer, struct token *token)
{
    int byte = peek(lexer, 0);
    int level = byte == '[' ? bracket_level(lexer) : -1;

    if (letter_size(lexer) != 0) {
        skip_name(lexer);
        return TOKEN_NAME;
    }
    if (is_digit(byte) || (byte == '.' && is_digit(peek(lexer, 1)))) {
        skip_number(lexer);
        return TOKEN_VALUE;
    }
    if (byte == '"' || byte == '\'')
        return skip_string(lexer) ? TOKEN_VALUE : -1;
    if (level >= 0)
        return skip_bracket(lexer, level) ? TOKEN_VALUE : -1;
    if (level == -2)
        return -1;
    skip_symbol(lexer, token);
    return TOKEN_SYMBOL;
}

int lexer_next(struct lexer *lexer, struct token *out_token)
{
    if (!skip_blank(lexer))
        return -1;
    if (lexer->offset >= lexer->size)
        return 0;

    struct token token = { .offset = (uint32_t)lexer->offset };
    int kind = scan(lexer, &token);
    if (kind < 0)
        return -1;
    token.kind = (uint8_t)kind;
    token.size = (uint32_t)(lexer->offset - token.offset);
    if (kind == TOKEN_NAME && is_keyword(&token, lexer->text))
        token.kind = TOKEN_KEYWORD;
    *out_token = token;
    return 1;
}
