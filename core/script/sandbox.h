/* sandbox.h -- Lua 5.4 that gives the same answer everywhere, and always ends.
 *
 * A sandbox is one Lua state with an environment built from an allow-list.  Its
 * life has three steps.  The host adds its functions and loads the files of a
 * bundle, which register what they have (sandbox_keep).  sandbox_seal() then
 * makes everything read-only.  From there on each sandbox_call() begins in
 * exactly the state that sealing left: what a call computes depends on its
 * arguments and on nothing that ran before.
 *
 * What a host must do to keep that promise:
 *   - run in the "C" locale (sandbox_new() asserts it);
 *   - give its C functions work bounded by sandbox_spend(), no state of their
 *     own and no luaL_Buffer (its growth does not survive the memory limit);
 *   - put the Lua version and the processor architecture into what it considers
 *     "the world": a NaN joined to a string shows the sign the processor gave it.
 *
 * What differs from plain Lua is listed in sandbox_base.c and sandbox_source.c.
 *
 * One thread.  A call does not nest in another call of the same sandbox.
 */
#ifndef CORE_SCRIPT_SANDBOX_H
#define CORE_SCRIPT_SANDBOX_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_MESSAGE_MAX 512    /* bytes, the terminator included */
#define SANDBOX_FILE_MAX 128       /* bytes, the terminator included */
#define SANDBOX_TRACEBACK_MAX 2048 /* bytes, the terminator included */

struct err;
struct sandbox;

/* A member that is 0 takes its default. */
struct sandbox_limits {
    uint64_t call_instructions; /* per call; default 2,000,000 */
    uint64_t load_instructions; /* per file; default 20,000,000 */
    size_t call_bytes;          /* a call's memory above what sealing left; default 8 MiB */
    size_t load_bytes;          /* all memory while loading; default 64 MiB */
    size_t source_bytes;        /* one file's text; default 1 MiB */
    size_t string_bytes;        /* any one string; default 256 KiB */
};

/* BUDGET covers every limit that a repetition meets again at the same place:
 * instructions, the length of a string, the depth of calls.  MEMORY and
 * INTERRUPTED depend on the moment; a host that must repeat its past records
 * them. */
enum sandbox_outcome {
    SANDBOX_OK,
    SANDBOX_ERROR, /* the script raised it */
    SANDBOX_BUDGET,
    SANDBOX_MEMORY,
    SANDBOX_STOPPED,     /* a host function called sandbox_stop() */
    SANDBOX_INTERRUPTED, /* somebody said so: sandbox_set_interrupt() */
};

/* What became of a call.  All texts are terminated, valid UTF-8 and free of
 * control characters other than line feed and tab; those of a call that went
 * well or was stopped by the host are empty. */
struct sandbox_report {
    enum sandbox_outcome outcome;
    int line;              /* where it happened; 0 if not known */
    uint64_t instructions; /* in steps of 100, plus what C functions spent */

    /* A local variable outside the function had been changed and was put back;
     * NULL if there was none.  The names live as long as the sandbox. */
    const char *changed_name;
    const char *changed_file; /* of the function that uses it, which is ... */
    int changed_line;         /* ... defined at this line */

    char file[SANDBOX_FILE_MAX];
    char message[SANDBOX_MESSAGE_MAX]; /* without file and line */
    char traceback[SANDBOX_TRACEBACK_MAX];
};

/* Never NULL.  `limits` may be NULL; it is copied. */
struct sandbox *sandbox_new(const struct sandbox_limits *limits);
void sandbox_free(struct sandbox *sandbox); /* NULL is allowed */

/* A pointer of the host's, found again from inside its C functions. */
void sandbox_set_data(struct sandbox *sandbox, void *data);
void *sandbox_data(lua_State *lua);

lua_State *sandbox_state(struct sandbox *sandbox);
struct sandbox *sandbox_of(lua_State *lua);

/* Before sealing: a global function with `upvalue_count` values popped from the
 * stack, or a global value popped from the stack. */
void sandbox_add_function(struct sandbox *sandbox, const char *name, lua_CFunction function,
                          int upvalue_count);
void sandbox_add_value(struct sandbox *sandbox, const char *name);

/* Compile and run one file, named `name` (a path of at most 100 bytes) in
 * messages.  The text must be UTF-8; `^` is refused.  Fails with E_INVALID or
 * E_LIMIT and "file:line: reason"; the sandbox is then good for nothing but
 * sandbox_free(). */
int sandbox_load(struct sandbox *sandbox, const char *name, const char *text, size_t size,
                 struct err *err);

/* For C functions called while loading: keep the value at `index` of the stack
 * (a function to call, or a table of the script's) for the sandbox's life.  The
 * ids count from 0.  After sealing it raises an error in the script. */
unsigned sandbox_keep(lua_State *lua, int index);
void sandbox_push(struct sandbox *sandbox, unsigned id); /* a kept value */

/* After the last file: everything that scripts can reach becomes read-only in
 * place, tables among the upvalues of C functions included (contents of userdata
 * are their maker's).  Fails with E_LIMIT. */
int sandbox_seal(struct sandbox *sandbox, struct err *err);

/* Call the kept function `id` with the `argument_count` values on top of the
 * stack, which it pops, inside all limits.  If it returns SANDBOX_OK,
 * `result_count` values are on the stack, else none.  The report is filled
 * either way. */
enum sandbox_outcome sandbox_call(struct sandbox *sandbox, unsigned id, int argument_count,
                                  int result_count, struct sandbox_report *out_report);

/* For C functions: charge work to the budget of the call in progress.  A unit is
 * about an instruction, 5 ns.  Does not return when the budget is spent, so the
 * caller must own nothing at that moment. */
void sandbox_spend(lua_State *lua, uint64_t units);

/* For C functions: the call has used up something else that the host counts, and
 * ends with SANDBOX_BUDGET and this message, whatever the script has protected.
 * Does not return. */
int sandbox_exceed(lua_State *lua, const char *message);

/* For C functions: end the call in progress now, whatever the script has
 * protected, with SANDBOX_STOPPED.  Does not return; the result is for writing
 * `return sandbox_stop(lua)`. */
int sandbox_stop(lua_State *lua);

/* From the next call on: whoever sets *interrupt, which any thread and any signal
 * handler may do, ends the call in progress within a hundred instructions with
 * SANDBOX_INTERRUPTED.  It is false again when a call begins.  NULL, which it is
 * until now: nobody can. */
void sandbox_set_interrupt(struct sandbox *sandbox, atomic_bool *interrupt);

/* For C functions: push the table that holds what the table at `index` contains. The two differ
 * where the table is read-only; the raw functions of Lua see an empty one there. */
void sandbox_push_contents(lua_State *lua, int index);

/* For C functions: push what tostring() answers for the value at `index`.  Lua's own
 * luaL_tolstring() would tell where in memory a table lies, which is another place each time. */
void sandbox_push_text(lua_State *lua, int index);

/* From the next call on: another room than limits.call_bytes. */
void sandbox_set_room(struct sandbox *sandbox, size_t call_bytes);

size_t sandbox_bytes(const struct sandbox *sandbox); /* memory held at present */

#endif
