/* sandbox_parts.h -- what the files of the sandbox share among themselves.
 *
 * Nothing outside core/script/sandbox*.c includes this.  Functions that take a
 * lua_State raise Lua errors; therefore they own nothing while they run: their
 * memory is Lua's.  The sandbox's thread, but for `*interrupt`.
 */
#ifndef CORE_SCRIPT_SANDBOX_PARTS_H
#define CORE_SCRIPT_SANDBOX_PARTS_H

#include "core/script/sandbox.h"

#include <lauxlib.h>
#include <stdatomic.h>

struct buf;

#define SANDBOX_SLICE 100         /* instructions between two looks at the budget */
#define SANDBOX_DEPTH_MAX 1000    /* calls in progress */
#define SANDBOX_WORK_BYTES 64     /* bytes copied or scanned for one unit */
#define SANDBOX_LENGTH "__length" /* the global function that `#` becomes */

/* A variable that a call may change and that is put back after it. */
struct sandbox_watch {
    int upvalue;      /* index in its function */
    const char *name; /* anchored by the function, as is the file */
    const char *file;
    int line;
};

struct sandbox_kept {
    int reference;        /* in the registry */
    unsigned watch_first; /* its own part of the watches; the first */
    unsigned watch_count; /* watch_common of them concern every function */
};

struct sandbox {
    lua_State *lua;
    void *data; /* the host's */
    struct sandbox_limits limits;
    struct sandbox_report *report; /* of the run in progress, else NULL */

    uint64_t units;              /* spent by the run in progress */
    uint64_t units_max;          /* what it may spend */
    enum sandbox_outcome killed; /* not OK: the run must end, whatever it protects */
    bool is_reported;            /* the report already tells why */
    bool is_sealed;
    atomic_bool *interrupt; /* NULL: nobody may */

    size_t bytes;             /* held from the C library */
    size_t bytes_soft;        /* above it the run is ended in good order ... */
    size_t bytes_hard;        /* ... above it there is no more */
    size_t bytes_sealed;      /* held after sealing */
    size_t bytes_refused;     /* the request that Lua will repeat after collecting */
    size_t string_longest[2]; /* the two longest strings made since the last call */
    size_t string_sealed[2];  /* the two longest made before sealing */

    struct sandbox_kept *kept;
    unsigned kept_count;
    struct sandbox_watch *watches;
    unsigned watch_count;
    unsigned watch_common;
};

/* sandbox_alloc.c */
void *sandbox_allocate(void *data, void *block, size_t old_size, size_t new_size);

/* sandbox_budget.c */
void budget_begin(struct sandbox *sandbox, uint64_t units_max, size_t bytes_soft);
void budget_end(struct sandbox *sandbox);
/* End the run: called from a C function with a reason, where it does not return,
 * or from the allocator, where the next instruction does the rest. */
int budget_kill(lua_State *lua, enum sandbox_outcome outcome, const char *reason);
void budget_mark(struct sandbox *sandbox, enum sandbox_outcome outcome);
/* Rethrow the value on top of the stack if the run must end. */
void budget_rethrow(lua_State *lua);
/* Charge `count` comparisons of strings as long as any two at hand. */
void budget_compare(lua_State *lua, uint64_t count);
void budget_bytes(lua_State *lua, size_t size); /* charge a copy or a scan */

/* sandbox_report.c */
void report_begin(struct sandbox_report *report);
/* Fill in message, place and traceback while the stack still stands, from its
 * level `first`. */
void report_failure(lua_State *lua, int first, struct sandbox_report *report, const char *message,
                    size_t size);
/* The error value at `index` as text, never by running the script's code. */
const char *report_render(lua_State *lua, int index, size_t *out_size);
/* A copy in valid UTF-8 without control characters, cut with "..." if it must. */
void report_clean(char *out, size_t out_size, const char *text, size_t size);

/* sandbox_source.c: check a file's tokens, write the text to compile into
 * `out_text` and remember the names that it may assign to.  Returns 0, E_INVALID
 * with the reason, or SOURCE_BROKEN if the text has no tokens of Lua or brackets
 * that do not pair, which is then for the compiler to explain: `out_text` is for it
 * alone and must not run. */
#define SOURCE_BROKEN 1

int source_prepare(lua_State *lua, const char *name, const char *text, size_t size,
                   struct buf *out_text, struct err *err);
/* Push the set of those names, a table. */
void source_assigned(lua_State *lua);

/* sandbox_lexer.c */
enum token_kind { TOKEN_NAME, TOKEN_KEYWORD, TOKEN_VALUE, TOKEN_SYMBOL };

/* A symbol of one character is told by that character, a longer one by 0 except
 * for those the grammar of this module needs. */
enum { SYMBOL_DOTS = 1, SYMBOL_LABEL = 2 };

struct token {
    uint32_t offset;
    uint32_t size;
    uint8_t kind;
    uint8_t symbol;
};

struct lexer {
    const char *text;
    size_t size;
    size_t offset; /* of the next character */
};

/* The next token: 1, 0 at the end, -1 if there is no token in Lua's grammar. */
int lexer_next(struct lexer *lexer, struct token *out_token);
bool token_is(const struct token *token, const char *text, const char *word);

/* sandbox_names.c: letters that Lua's own names do not have */
size_t names_letter(const char *text, size_t size); /* bytes of the letter here; 0: it is none */
uint32_t names_code(const char *text, size_t size); /* of the character; 0: it is none */
bool names_is_foreign(const struct token *token, const char *text); /* a name that has one */

/* sandbox_front.c: tables whose contents lie elsewhere */
void front_content(lua_State *lua, int index);  /* push the table that holds them */
void front_writable(lua_State *lua, int index); /* the same, or an error if read-only */
void front_freeze(lua_State *lua, int index);
/* Push the metatable as the script knows it, or nil. */
void front_metatable(lua_State *lua, int index);
void front_open(lua_State *lua); /* add its functions to the table on top */

/* sandbox_border.c */
lua_Integer table_border(lua_State *lua, int content); /* what `#` answers */
int table_length(lua_State *lua);                      /* `#` itself */

/* sandbox_pattern.c: Lua's patterns, compiled and matched without recursion */
#define PATTERN_ITEMS_MAX 200
#define PATTERN_SETS_MAX 24
#define PATTERN_REPEATS_MAX 32
#define PATTERN_CAPTURES_MAX 32

struct pattern_item {
    uint8_t kind;   /* enum in sandbox_pattern.c */
    uint8_t repeat; /* 0, or one of * + - ? */
    uint8_t a;      /* a byte, a class letter, a set, a capture: by kind */
    uint8_t b;
};

struct capture {
    size_t begin;
    size_t size; /* CAPTURE_POSITION for () */
};

#define CAPTURE_POSITION SIZE_MAX

struct pattern {
    struct pattern_item items[PATTERN_ITEMS_MAX];
    uint8_t sets[PATTERN_SETS_MAX][32]; /* a bit for every byte */
    struct capture captures[PATTERN_CAPTURES_MAX];
    unsigned item_count;
    unsigned set_count;
    unsigned capture_count;
    bool is_anchored;
    const char *text; /* the subject */
    size_t size;
};

/* `may_anchor`: whether a ^ in front is an anchor. */
void pattern_compile(lua_State *lua, struct pattern *pattern, const char *text, size_t size,
                     bool may_anchor);
/* The first match at or after `from`: its place in the subject, or false. */
bool pattern_search(lua_State *lua, struct pattern *pattern, size_t from, size_t *out_begin,
                    size_t *out_end);

/* sandbox_seal.c, sandbox_watch.c */
void watch_add(lua_State *lua, int function, int upvalue);
void watch_restore(struct sandbox *sandbox, const struct sandbox_kept *kept,
                   struct sandbox_report *report);
bool watch_is_iterator(lua_CFunction function);
int seal_all(lua_State *lua);

/* the libraries: add to, or return, the table on top of the stack */
void base_open(lua_State *lua);
void math_open(lua_State *lua);
void order_open(lua_State *lua);
void string_open(lua_State *lua);
void table_open(lua_State *lua);
void utf8_open(lua_State *lua);

int base_tostring(lua_State *lua); /* of the first argument */
int order_iterate(lua_State *lua); /* the iterator that pairs() makes */
int match_iterate(lua_State *lua); /* the iterator that gmatch() makes */
int table_sort(lua_State *lua);
int string_find(lua_State *lua);
int string_match(lua_State *lua);
int string_gmatch(lua_State *lua);
int string_gsub(lua_State *lua);
int string_format(lua_State *lua);

/* sandbox_text.c: bytes that grow in Lua's memory.  It needs one stack slot,
 * taken by text_init(); values may be pushed above it but not left below. */
struct text {
    lua_State *lua;
    char *data;
    size_t size;
    size_t capacity;
    int slot;
    char first[512];
};

void text_init(struct text *text, lua_State *lua);
void text_append(struct text *text, const char *data, size_t size);
void text_value(struct text *text); /* append and pop the string on top */
void text_fill(struct text *text, char byte, size_t count);
void text_push(struct text *text); /* the string, on top of the stack */

/* Raise if a string of `size` bytes is over the limit. */
void text_check(lua_State *lua, size_t size);

#endif
