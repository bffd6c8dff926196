/* sandbox_pattern.c -- Lua's patterns with a meter.
 *
 * Six lazy items and a subject of sixty bytes keep Lua's own matcher busy for
 * eight seconds, and no hook fires inside it.  A guard in front of it (length to
 * the power of the repeated items) would have to refuse honest patterns, such as
 * ^%s*(.-)%s*$ over a page of text.  So the matching is done here and every step
 * is charged: a pattern may be as bad as it likes, it only spends its own budget.
 *
 * A pattern is compiled into a line of items.  Without alternation and without
 * repeated groups each item is passed once on the way to a match, so the
 * choices still open are at most one for every repeated item: a small array
 * replaces recursion.  Captures need no undoing either, since whatever lies
 * behind a choice is done again after it.
 *
 * Letters are ASCII letters, whatever the locale.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

enum item_kind {
    ITEM_ANY,      /* . */
    ITEM_BYTE,     /* a */
    ITEM_CLASS,    /* %a */
    ITEM_SET,      /* [...] */
    ITEM_OPEN,     /* ( */
    ITEM_CLOSE,    /* ) */
    ITEM_POSITION, /* () */
    ITEM_BACK,     /* %1 */
    ITEM_BALANCE,  /* %b() */
    ITEM_FRONTIER, /* %f[...] */
    ITEM_END,      /* $ */
};

#define SPEND_STEPS 4096 /* between two looks at the budget */
#define RUN_BYTES 4      /* bytes of a run for one step */

static bool is_between(int byte, int low, int high)
{
    return byte >= low && byte <= high;
}

static bool is_class(int byte, int letter)
{
    bool is_lower = is_between(byte, 'a', 'z');
    bool is_upper = is_between(byte, 'A', 'Z');
    bool is_digit = is_between(byte, '0', '9');
    bool is_visible = is_between(byte, '!', '~');

    switch (letter) {
    case 'a':
        return is_lower || is_upper;
    case 'c':
        return byte < ' ' || byte == 0x7F;
    case 'd':
        return is_digit;
    case 'g':
        return is_visible;
    case 'l':
        return is_lower;
    case 'p':
        return is_visible && !is_lower && !is_upper && !is_digit;
    case 's':
        return byte == ' ' || is_between(byte, '\t', '\r');
    case 'u':
        return is_upper;
    case 'w':
        return is_lower || is_upper || is_digit;
    case 'x':
        return is_digit || is_between(byte | 0x20, 'a', 'f');
    default:
        return false;
    }
}

/* `letter` after a %: a class, its complement, or the byte itself. */
static bool is_member(int byte, int letter)
{
    int lower = letter | 0x20;

    if (!is_between(lower, 'a', 'z') || strchr("acdglpsuwx", lower) == NULL)
        return byte == letter;
    return is_class(byte, lower) == (letter == lower);
}

/* ---- compiling ---- */

struct compiler {
    lua_State *lua;
    struct pattern *pattern;
    const char *text;
    size_t size;
    size_t at;
    unsigned repeats;
    unsigned depth; /* captures that are open */
    uint8_t open[PATTERN_CAPTURES_MAX];
    bool is_closed[PATTERN_CAPTURES_MAX];
};

static struct pattern_item *add_item(struct compiler *compiler, enum item_kind kind, unsigned a)
{
    struct pattern *pattern = compiler->pattern;

    if (pattern->item_count == PATTERN_ITEMS_MAX)
        luaL_error(compiler->lua,
                   "the pattern has more than %d parts; for plain text use "
                   "string.find(s, text, 1, true)",
                   PATTERN_ITEMS_MAX);
    struct pattern_item *item = &pattern->items[pattern->item_count++];
    *item = (struct pattern_item){ .kind = (uint8_t)kind, .a = (uint8_t)a };
    return item;
}

static int next_byte(struct compiler *compiler, const char *missing)
{
    if (compiler->at >= compiler->size)
        luaL_error(compiler->lua, "malformed pattern (%s)", missing);
    return (unsigned char)compiler->text[compiler->at++];
}

static bool is_next(const struct compiler *compiler, int byte)
{
    return compiler->at < compiler->size && (unsigned char)compiler->text[compiler->at] == byte;
}

static void set_add(uint8_t set[32], int low, int high)
{
    for (int byte = low; byte <= high; byte++)
        set[byte >> 3] |= (uint8_t)(1u << (byte & 7));
}

static void set_add_class(uint8_t set[32], int letter)
{
    for (int byte = 0; byte < 256; byte++)
        if (is_member(byte, letter))
            set_add(set, byte, byte);
}

/* After the `[`: the number of the set that is written there. */
static unsigned compile_set(struct compiler *compiler)
{
    struct pattern *pattern = compiler->pattern;

    if (pattern->set_count == PATTERN_SETS_MAX)
        luaL_error(compiler->lua, "the pattern has more than %d sets [...]", PATTERN_SETS_MAX);
    uint8_t *set = pattern->sets[pattern->set_count];
    memset(set, 0, 32);
    bool is_complement = is_next(compiler, '^');
    compiler->at += is_complement;
    bool is_first = true; /* a ] in the first place is a member */
    for (int byte; (byte = next_byte(compiler, "missing ']'")) != ']' || is_first;
         is_first = false) {
        if (byte == '%') {
            set_add_class(set, next_byte(compiler, "missing ']'"));
        } else if (is_next(compiler, '-') && compiler->at + 1 < compiler->size &&
                   compiler->text[compiler->at + 1] != ']') {
            compiler->at++;
            set_add(set, byte, next_byte(compiler, "missing ']'"));
        } else {
            set_add(set, byte, byte);
        }
    }
    for (size_t i = 0; is_complement && i < 32; i++)
        set[i] = (uint8_t)~set[i];
    return pattern->set_count++;
}

static void compile_open(struct compiler *compiler)
{
    unsigned capture = compiler->pattern->capture_count;

    if (capture == PATTERN_CAPTURES_MAX)
        luaL_error(compiler->lua, "the pattern has more than %d captures", PATTERN_CAPTURES_MAX);
    compiler->pattern->capture_count++;
    if (is_next(compiler, ')')) {
        compiler->at++;
        compiler->is_closed[capture] = true;
        add_item(compiler, ITEM_POSITION, capture);
        return;
    }
    compiler->open[compiler->depth++] = (uint8_t)capture;
    add_item(compiler, ITEM_OPEN, capture);
}

static void compile_close(struct compiler *compiler)
{
    if (compiler->depth == 0)
        luaL_error(compiler->lua, "malformed pattern (a ')' without a '(')");
    unsigned capture = compiler->open[--compiler->depth];
    compiler->is_closed[capture] = true;
    add_item(compiler, ITEM_CLOSE, capture);
}

static void compile_back(struct compiler *compiler, int digit)
{
    unsigned capture = (unsigned)(digit - '1');

    if (digit == '0' || capture >= compiler->pattern->capture_count ||
        !compiler->is_closed[capture])
        luaL_error(compiler->lua, "malformed pattern (%%%c names no capture)", digit);
    add_item(compiler, ITEM_BACK, capture);
}

/* After a `%`.  True if the item may be repeated. */
static bool compile_escape(struct compiler *compiler)
{
    int letter = next_byte(compiler, "ends with '%'");

    if (letter == 'b') {
        int opening = next_byte(compiler, "missing arguments to '%b'");
        int closing = next_byte(compiler, "missing arguments to '%b'");
        add_item(compiler, ITEM_BALANCE, (unsigned)opening)->b = (uint8_t)closing;
        return false;
    }
    if (letter == 'f') {
        if (next_byte(compiler, "missing '[' after '%f'") != '[')
            luaL_error(compiler->lua, "malformed pattern (missing '[' after '%%f')");
        add_item(compiler, ITEM_FRONTIER, compile_set(compiler));
        return false;
    }
    if (is_between(letter, '0', '9')) {
        compile_back(compiler, letter);
        return false;
    }
    add_item(compiler, ITEM_CLASS, (unsigned)letter);
    return true;
}

static void compile_repeat(struct compiler *compiler)
{
    if (compiler->at >= compiler->size || compiler->text[compiler->at] == '\0' ||
        strchr("*+-?", compiler->text[compiler->at]) == NULL)
        return;
    if (compiler->repeats++ == PATTERN_REPEATS_MAX)
        luaL_error(compiler->lua, "the pattern has more than %d repetitions", PATTERN_REPEATS_MAX);
    struct pattern *pattern = compiler->pattern;
    pattern->items[pattern->item_count - 1].repeat = (uint8_t)compiler->text[compiler->at++];
}

/* One item.  True if it may be repeated. */
static bool compile_item(struct compiler *compiler)
{
    int byte = next_byte(compiler, "empty");

    switch (byte) {
    case '(':
        compile_open(compiler);
        return false;
    case ')':
        compile_close(compiler);
        return false;
    case '%':
        return compile_escape(compiler);
    case '[':
        add_item(compiler, ITEM_SET, compile_set(compiler));
        return true;
    case '.':
        add_item(compiler, ITEM_ANY, 0);
        return true;
    case '$':
        if (compiler->at == compiler->size) {
            add_item(compiler, ITEM_END, 0);
            return false;
        }
        /* fallthrough */
    default:
        add_item(compiler, ITEM_BYTE, (unsigned)byte);
        return true;
    }
}

void pattern_compile(lua_State *lua, struct pattern *pattern, const char *text, size_t size,
                     bool may_anchor)
{
    struct compiler compiler = { .lua = lua, .pattern = pattern, .text = text, .size = size };

    pattern->item_count = 0;
    pattern->set_count = 0;
    pattern->capture_count = 0;
    pattern->is_anchored = may_anchor && is_next(&compiler, '^');
    compiler.at += pattern->is_anchored;
    while (compiler.at < size)
        if (compile_item(&compiler))
            compile_repeat(&compiler);
    if (compiler.depth != 0)
        luaL_error(lua, "malformed pattern (a '(' without a ')')");
    sandbox_spend(lua, 4 + pattern->item_count / 4 + 16 * pattern->set_count);
}

/* ---- matching ---- */

/* A repeated item that could still match otherwise. */
struct choice {
    unsigned item;
    size_t at;    /* where the rest of the pattern was last tried */
    size_t limit; /* not before it, if it was greedy; 0 and unused if lazy */
};

struct matcher {
    lua_State *lua;
    struct pattern *pattern;
    uint64_t steps;
    size_t at;
    unsigned item;
    unsigned choice_count;
    struct choice choices[PATTERN_REPEATS_MAX];
};

static void spend_steps(struct matcher *matcher, uint64_t steps)
{
    matcher->steps += steps;
    if (matcher->steps >= SPEND_STEPS) {
        sandbox_spend(matcher->lua, matcher->steps);
        matcher->steps = 0;
    }
}

static bool is_in_set(const uint8_t set[32], int byte)
{
    return (set[byte >> 3] >> (byte & 7) & 1) != 0;
}

static bool is_single(const struct pattern *pattern, const struct pattern_item *item, size_t at)
{
    if (at >= pattern->size)
        return false;
    int byte = (unsigned char)pattern->text[at];
    switch (item->kind) {
    case ITEM_ANY:
        return true;
    case ITEM_BYTE:
        return byte == item->a;
    case ITEM_CLASS:
        return is_member(byte, item->a);
    default:
        return is_in_set(pattern->sets[item->a], byte);
    }
}

static void push_choice(struct matcher *matcher, size_t at, size_t limit)
{
    matcher->choices[matcher->choice_count++] = (struct choice){
        .item = matcher->item,
        .at = at,
        .limit = limit,
    };
}

static bool step_single(struct matcher *matcher, const struct pattern_item *item)
{
    size_t begin = matcher->at;

    switch (item->repeat) {
    case 0:
        matcher->at++;
        return is_single(matcher->pattern, item, begin);
    case '?':
        if (is_single(matcher->pattern, item, begin)) {
            push_choice(matcher, begin + 1, begin);
            matcher->at++;
        }
        return true;
    case '-':
        push_choice(matcher, begin, 0);
        return true;
    default:
        while (is_single(matcher->pattern, item, matcher->at))
            matcher->at++;
        spend_steps(matcher, (matcher->at - begin) / RUN_BYTES);
        if (item->repeat == '+' && matcher->at == begin)
            return false;
        push_choice(matcher, matcher->at, begin + (item->repeat == '+'));
        return true;
    }
}

static bool step_back(struct matcher *matcher, unsigned index)
{
    const struct pattern *pattern = matcher->pattern;
    const struct capture *capture = &pattern->captures[index];
    size_t size = capture->size == CAPTURE_POSITION ? 0 : capture->size;

    if (size > pattern->size - matcher->at)
        return false;
    spend_steps(matcher, size / RUN_BYTES);
    if (memcmp(pattern->text + capture->begin, pattern->text + matcher->at, size) != 0)
        return false;
    matcher->at += size;
    return true;
}

static bool step_balance(struct matcher *matcher, const struct pattern_item *item)
{
    const struct pattern *pattern = matcher->pattern;
    size_t begin = matcher->at;
    size_t depth = 0;

    if (begin >= pattern->size || (unsigned char)pattern->text[begin] != item->a)
        return false;
    for (size_t i = begin; i < pattern->size; i++) {
        unsigned char byte = (unsigned char)pattern->text[i];
        if (byte == item->b && i > begin)
            depth--;
        else if (byte == item->a)
            depth++;
        if (depth == 0) {
            spend_steps(matcher, (i - begin) / RUN_BYTES);
            matcher->at = i + 1;
            return true;
        }
    }
    spend_steps(matcher, (pattern->size - begin) / RUN_BYTES);
    return false;
}

static bool step_frontier(const struct matcher *matcher, const uint8_t set[32])
{
    const struct pattern *pattern = matcher->pattern;
    int before = matcher->at == 0 ? 0 : (unsigned char)pattern->text[matcher->at - 1];
    int after = matcher->at == pattern->size ? 0 : (unsigned char)pattern->text[matcher->at];

    return !is_in_set(set, before) && is_in_set(set, after);
}

/* Pass the current item, or tell that it does not match here. */
static bool step(struct matcher *matcher)
{
    struct pattern *pattern = matcher->pattern;
    const struct pattern_item *item = &pattern->items[matcher->item];
    struct capture *capture = &pattern->captures[item->a % PATTERN_CAPTURES_MAX];

    spend_steps(matcher, 1);
    switch (item->kind) {
    case ITEM_OPEN:
        capture->begin = matcher->at;
        return true;
    case ITEM_CLOSE:
        capture->size = matcher->at - capture->begin;
        return true;
    case ITEM_POSITION:
        *capture = (struct capture){ matcher->at, CAPTURE_POSITION };
        return true;
    case ITEM_BACK:
        return step_back(matcher, item->a);
    case ITEM_BALANCE:
        return step_balance(matcher, item);
    case ITEM_FRONTIER:
        return step_frontier(matcher, pattern->sets[item->a]);
    case ITEM_END:
        return matcher->at == pattern->size;
    default:
        return step_single(matcher, item);
    }
}

/* Go back to the last choice that is left and take its next branch. */
static bool take_choice(struct matcher *matcher)
{
    while (matcher->choice_count > 0) {
        struct choice *choice = &matcher->choices[matcher->choice_count - 1];
        const struct pattern_item *item = &matcher->pattern->items[choice->item];
        bool is_left = item->repeat == '-' ? is_single(matcher->pattern, item, choice->at)
                                           : choice->at > choice->limit;
        if (is_left) {
            choice->at = item->repeat == '-' ? choice->at + 1 : choice->at - 1;
            matcher->at = choice->at;
            matcher->item = choice->item + 1;
            return true;
        }
        matcher->choice_count--;
    }
    return false;
}

static bool match_at(struct matcher *matcher, size_t begin)
{
    matcher->at = begin;
    matcher->item = 0;
    matcher->choice_count = 0;
    while (matcher->item < matcher->pattern->item_count) {
        if (step(matcher))
            matcher->item++;
        else if (!take_choice(matcher))
            return false;
    }
    return true;
}

bool pattern_search(lua_State *lua, struct pattern *pattern, size_t from, size_t *out_begin,
                    size_t *out_end)
{
    struct matcher matcher;
    bool is_found = false;

    matcher.lua = lua;
    matcher.pattern = pattern;
    matcher.steps = 1;
    size_t begin = from;
    for (; begin <= pattern->size; begin++) {
        is_found = match_at(&matcher, begin);
        if (is_found || pattern->is_anchored)
            break;
    }
    sandbox_spend(lua, matcher.steps);
    if (is_found) {
        *out_begin = begin;
        *out_end = matcher.at;
    }
    return is_found;
}
