/* breadcrumb.c -- see breadcrumb.h.
 *
 * Who reads a crumb reads it after the writer's death, so no barrier of the processor is needed:
 * what a thread had stored before it faulted is there, in the order in which it was stored.  Only
 * the compiler must keep that order, which relaxed atomics and signal fences make it do.  A crumb
 * counts once `depth` says so, and is complete by then; other threads die at any instruction.
 *
 * The handler only notes its thread and gives the signal back to whoever would have had it.
 * A mark by thread id was rejected: the parent could not tell which of the ids was the engine's.
 */
#include "core/plugin/breadcrumb.h"

#include "core/base/mem.h"

#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NESTED_MAX 3 /* crumbs of one thread; what is called deeper is taken for the third */
#define PAGE_BYTES 4096
#define DATA_BYTES 401
#define STACK_BYTES (64u << 10) /* of the handler, with room for every register there is */
#define CRASHED_NOBODY 0u       /* no handler ran ... */
#define CRASHED_OTHER 1u        /* ... it ran on a thread without a slot ... */
#define CRASHED_SLOT 2u         /* ... or on the one of this slot and that much more */

struct crumb {
    _Atomic uint64_t seq;
    _Atomic uint32_t plugin, call;
};

struct trail { /* of one thread */
    alignas(64) _Atomic uint32_t depth;
    _Atomic uint32_t turn; /* calls so far, round and round */
    struct crumb crumbs[NESTED_MAX];
};

struct page {
    struct trail trails[BREADCRUMB_SLOTS];
    _Atomic uint64_t applying;
    _Atomic uint32_t crashed;
    _Atomic uint32_t workers; /* slots that were given */
    int64_t serving_since;
    bool has_ended, has_returned, is_hung;
    char function[BREADCRUMB_FUNCTION_BYTES]; /* of the call that crashed */
    char names[BREADCRUMB_PLUGINS_MAX][BREADCRUMB_NAME_BYTES];
    /* These are not wiped between two runs. */
    struct breadcrumb_crash last, blames[BREADCRUMB_BLAMES_MAX];
    uint64_t crashes, refused_seq;
    char data[DATA_BYTES];
    uint32_t blame_count;
    uint16_t port;
    bool was_opened;
};

_Static_assert(sizeof(struct page) <= PAGE_BYTES, "one page");

/* Names of functions, which are the plugins': nobody but this process can read them.  They are
 * copied into the page by the handler, while there still is a process. */
static const char *_Atomic functions[BREADCRUMB_SLOTS][NESTED_MAX];

static struct page own = { .serving_since = -1 }; /* of a process without a parent */
static struct page *page = &own;
static _Thread_local unsigned own_slot = BREADCRUMB_NO_SLOT;
static bool is_watching;
static pid_t watched_pid; /* what it forks has this page as well, and is none of the parent's */
static alignas(16) unsigned char stacks[BREADCRUMB_SLOTS][STACK_BYTES];

static const int watched[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS, SIGTRAP };
#define WATCHED (sizeof watched / sizeof *watched)
static struct sigaction before[WATCHED];

const char *breadcrumb_call_name(enum breadcrumb_call call)
{
    static const char *const names[BREADCRUMB_CALLS] = {
        "describe", "start",  "stop",  "event", "timer", "reduce", "function", "state",
        "send",     "source", "route", "job",   "watch", "work",   "done",
    };
    return call < BREADCRUMB_CALLS ? names[call] : "unknown";
}

/* -- Every thread that calls plugins ----------------------------------------------------------- */

void breadcrumb_attach(unsigned slot)
{
    ASSERT(slot <= BREADCRUMB_NO_SLOT);
    own_slot = slot;
    if (!is_watching || slot == BREADCRUMB_NO_SLOT)
        return;
    /* A sanitizer gives its threads one, and takes it away again.  Without any, a stack that runs
     * over is a crash by nobody. */
    stack_t stack = { .ss_sp = stacks[slot], .ss_size = STACK_BYTES }, there;
    if (sigaltstack(NULL, &there) == 0 && (there.ss_flags & SS_DISABLE) != 0)
        sigaltstack(&stack, NULL);
}

unsigned breadcrumb_slot(void)
{
    if (own_slot != BREADCRUMB_NO_SLOT)
        return own_slot;
    uint32_t worker = atomic_fetch_add_explicit(&page->workers, 1, memory_order_relaxed);
    if (worker < BREADCRUMB_SLOTS - BREADCRUMB_WORKER)
        breadcrumb_attach(BREADCRUMB_WORKER + worker);
    else /* counted no further, or the number would come round */
        atomic_store_explicit(&page->workers, BREADCRUMB_SLOTS, memory_order_relaxed);
    return own_slot;
}

void breadcrumb_enter(unsigned slot, unsigned plugin, uint64_t seq, enum breadcrumb_call call)
{
    if (slot >= BREADCRUMB_SLOTS)
        return;
    struct trail *trail = &page->trails[slot];
    uint32_t depth = atomic_load_explicit(&trail->depth, memory_order_relaxed);
    if (depth < NESTED_MAX) {
        struct crumb *crumb = &trail->crumbs[depth];
        atomic_store_explicit(&crumb->seq, seq, memory_order_relaxed);
        atomic_store_explicit(&crumb->plugin, plugin, memory_order_relaxed);
        atomic_store_explicit(&crumb->call, (uint32_t)call, memory_order_relaxed);
        atomic_store_explicit(&functions[slot][depth], NULL, memory_order_relaxed);
    }
    uint32_t turn = atomic_load_explicit(&trail->turn, memory_order_relaxed);
    atomic_store_explicit(&trail->turn, turn + 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&trail->depth, depth + 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

void breadcrumb_leave(unsigned slot)
{
    if (slot >= BREADCRUMB_SLOTS)
        return;
    struct trail *trail = &page->trails[slot];
    uint32_t depth = atomic_load_explicit(&trail->depth, memory_order_relaxed);
    ASSERT(depth > 0);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&trail->depth, depth - 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

void breadcrumb_say(unsigned slot, const char *name)
{
    if (slot >= BREADCRUMB_SLOTS)
        return;
    uint32_t depth = atomic_load_explicit(&page->trails[slot].depth, memory_order_relaxed);
    if (depth >= 1 && depth <= NESTED_MAX)
        atomic_store_explicit(&functions[slot][depth - 1], name, memory_order_relaxed);
}

void breadcrumb_applying(uint64_t seq)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&page->applying, seq, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

/* The innermost call of a thread; false: it is in no plugin. */
static bool read_trail(unsigned slot, struct breadcrumb_crash *crash)
{
    const struct trail *trail = &page->trails[slot];
    uint32_t depth = trail->depth;
    if (depth == 0)
        return false;
    const struct crumb *crumb = &trail->crumbs[depth < NESTED_MAX ? depth - 1 : NESTED_MAX - 1];
    if (crumb->plugin >= BREADCRUMB_PLUGINS_MAX)
        return false;
    snprintf(crash->plugin, sizeof crash->plugin, "%.*s", BREADCRUMB_NAME_BYTES - 1,
             page->names[crumb->plugin]);
    crash->about = crumb->seq;
    crash->call = crumb->call;
    if (slot == BREADCRUMB_ENGINE)
        crash->seq = page->applying != 0 ? page->applying : crumb->seq;
    return true;
}

bool breadcrumb_look(unsigned slot, struct breadcrumb_crash *out_call, uint32_t *out_turn)
{
    *out_call = (struct breadcrumb_crash){ .signal = 0 };
    *out_turn = atomic_load_explicit(&page->trails[slot].turn, memory_order_relaxed);
    return read_trail(slot, out_call);
}

/* -- The daemon, at its start ------------------------------------------------------------------ */

void breadcrumb_name(unsigned plugin, const char *name)
{
    ASSERT(plugin < BREADCRUMB_PLUGINS_MAX);
    snprintf(page->names[plugin], sizeof page->names[plugin], "%s", name);
}

const struct breadcrumb_crash *breadcrumb_last(void)
{
    return page->crashes != 0 ? &page->last : NULL;
}

uint64_t breadcrumb_crashes(void)
{
    return page->crashes;
}

const struct breadcrumb_crash *breadcrumb_blames(size_t *out_count)
{
    *out_count = page->blame_count;
    return page->blames;
}

uint64_t breadcrumb_refused_seq(void)
{
    return page->refused_seq;
}

void breadcrumb_note_opened(void)
{
    page->was_opened = true;
    page->blame_count = 0;
}

bool breadcrumb_was_opened(void)
{
    return page->was_opened;
}

void breadcrumb_note_serving(int64_t boot_ms, uint16_t port)
{
    page->serving_since = boot_ms;
    page->port = port;
}

uint16_t breadcrumb_port(void)
{
    return page->port;
}

void breadcrumb_note_data(const char *dir)
{
    size_t size = strlen(dir);
    page->data[0] = '\0';
    if (size < sizeof page->data)
        memcpy(page->data, dir, size + 1);
}

void breadcrumb_note_ended(void)
{
    page->has_ended = true;
}

void breadcrumb_note_returned(void)
{
    page->has_returned = true;
}

/* In a signal handler: a text that is not there any more ends the process, and that is all. */
static void note_function(unsigned slot)
{
    uint32_t depth = atomic_load_explicit(&page->trails[slot].depth, memory_order_relaxed);
    uint32_t place = depth < NESTED_MAX ? depth : NESTED_MAX;
    const char *name = place != 0 ? atomic_load(&functions[slot][place - 1]) : NULL;
    for (size_t i = 0; name != NULL && name[i] != '\0' && i + 1 < sizeof page->function; i++)
        page->function[i] = name[i];
}

/* The first counts: others follow while the process dies. */
static bool note_slot(unsigned slot)
{
    uint32_t nobody = CRASHED_NOBODY;
    uint32_t who = slot < BREADCRUMB_SLOTS ? CRASHED_SLOT + slot : CRASHED_OTHER;
    bool is_first = atomic_compare_exchange_strong_explicit(
        &page->crashed, &nobody, who, memory_order_relaxed, memory_order_relaxed);
    if (is_first && slot < BREADCRUMB_SLOTS)
        note_function(slot);
    return is_first;
}

void breadcrumb_end_hung(unsigned slot)
{
    if (note_slot(slot))
        page->is_hung = true;
    abort();
}

/* exit() calls it on the thread that called exit(); of _exit() nobody hears. */
static void on_exit_called(void)
{
    if (getpid() == watched_pid && !page->has_returned)
        note_slot(own_slot);
}

/* A fault comes again when this returns, and then finds what would have met it; what was sent is
 * sent again.  What another process sends (an operator, a watchdog) is nobody's doing, and meets
 * whichever thread is at hand. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code != SI_USER)
        note_slot(own_slot);
    for (size_t i = 0; i < WATCHED; i++)
        if (watched[i] == number)
            sigaction(number, &before[i], NULL);
    if (info->si_code <= 0)
        raise(number);
}

bool breadcrumb_is_watched(void)
{
    return is_watching;
}

void breadcrumb_watch_crashes(void)
{
    struct sigaction action = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    is_watching = true;
    watched_pid = getpid();
    atexit(on_exit_called);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < WATCHED; i++)
        sigaction(watched[i], &action, &before[i]);
}

/* -- The parent -------------------------------------------------------------------------------- */

void breadcrumb_share(void)
{
    void *shared =
        mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared != MAP_FAILED);
    page = shared;
    page->serving_since = -1;
}

void breadcrumb_begin(void)
{
    memset((void *)page, 0, offsetof(struct page, last));
    page->serving_since = -1;
}

/* Killed from outside, or for want of memory: nobody is at fault for certain, the engine's entry
 * is the likeliest. */
static void read_likely(struct breadcrumb_crash *crash)
{
    for (unsigned slot = 0; slot < BREADCRUMB_SLOTS; slot++)
        if (read_trail(slot, crash))
            return;
    crash->seq = page->applying;
}

/* _exit() is the doing of a thread that lives no more to say so: it is known which when only one
 * was in a plugin. */
static bool is_known_who(int signal)
{
    struct breadcrumb_crash crash;
    unsigned calls = 0;
    if (signal != 0 || page->crashed != CRASHED_NOBODY)
        return page->crashed != CRASHED_NOBODY;
    for (unsigned slot = 0; slot < BREADCRUMB_SLOTS; slot++)
        calls += read_trail(slot, &crash);
    return calls == 1;
}

void breadcrumb_read(int signal, struct breadcrumb_crash *out_crash)
{
    uint32_t crashed = page->crashed;
    *out_crash = (struct breadcrumb_crash){ .signal = signal,
                                            .is_own = is_known_who(signal),
                                            .is_hang = page->is_hung };
    if (crashed == CRASHED_NOBODY)
        read_likely(out_crash);
    else if (crashed >= CRASHED_SLOT && crashed < CRASHED_SLOT + BREADCRUMB_SLOTS &&
             !read_trail(crashed - CRASHED_SLOT, out_crash) &&
             crashed == CRASHED_SLOT + BREADCRUMB_ENGINE)
        out_crash->seq = page->applying;
    if (out_crash->plugin[0] != '\0')
        memcpy(out_crash->function, page->function, sizeof out_crash->function);
}

int64_t breadcrumb_serving_since(void)
{
    return page->serving_since;
}

bool breadcrumb_has_ended(void)
{
    return page->has_ended;
}

bool breadcrumb_has_returned(void)
{
    return page->has_returned;
}

const char *breadcrumb_data(void)
{
    return page->data;
}

void breadcrumb_tell(const struct breadcrumb_crash *last, uint64_t refused_seq)
{
    page->last = *last;
    page->crashes++;
    page->refused_seq = refused_seq;
}

/* What finds no room crashes again. */
bool breadcrumb_tell_blame(const struct breadcrumb_crash *crash)
{
    for (size_t i = 0; i < page->blame_count; i++)
        if (strcmp(page->blames[i].plugin, crash->plugin) == 0)
            return false;
    if (page->blame_count == BREADCRUMB_BLAMES_MAX)
        return false;
    page->blames[page->blame_count++] = *crash;
    return true;
}
