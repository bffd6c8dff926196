/* parent.c -- see parent.h.
 *
 * All signals that matter are blocked and taken one by one with sigwaitinfo(), so there is no
 * handler, no race between looking and sleeping, and nothing that wakes it while the daemon is
 * well.  They stay blocked in the child until its loop listens: one that comes early waits.
 *
 * A program of its own to watch the daemon (or the service manager alone) was rejected: neither
 * would know where the daemon stood, and what is forked needs no path to itself.
 */
#include "core/server/parent.h"

#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/blame.h"
#include "core/server/notify.h"
#include "core/server/restart.h"
#include "core/server/say.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_BYTES 400

static const int heard[] = { SIGTERM, SIGINT, SIGHUP };

struct parent {
    sigset_t before, waited;
    pid_t child;
    int told; /* the signal by which we were told to end; 0: none */
    struct restart_history history;
};

/* -- Signals of the daemon --------------------------------------------------------------------- */

static void mask_heard(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
        sigaddset(&set, heard[i]);
    sigprocmask(how, &set, NULL);
}

void parent_hold_signals(void)
{
    mask_heard(SIG_BLOCK);
}

void parent_hear(void)
{
    mask_heard(SIG_UNBLOCK);
}

/* -- The child --------------------------------------------------------------------------------- */

/* What a service manager says to one process by its number is meant for the daemon. */
static void take_over(const char *variable, pid_t parent)
{
    const char *value = getenv(variable);
    char own[24];
    if (value == NULL || strtoll(value, NULL, 10) != parent)
        return;
    snprintf(own, sizeof own, "%lld", (long long)getpid());
    setenv(variable, own, 1);
}

static void become_child(const struct parent *parent, pid_t above)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != above) /* it died before that */
        _exit(EXIT_FAILURE);
    prctl(PR_SET_NAME, "kithd");
    take_over("LISTEN_PID", above);
    take_over("WATCHDOG_PID", above);
    sigprocmask(SIG_SETMASK, &parent->before, NULL);
    breadcrumb_watch_crashes();
}

/* -- Waiting ----------------------------------------------------------------------------------- */

/* Ctrl-C and its like reach the whole group: the child has it from the terminal. */
static void pass_on(struct parent *parent, const siginfo_t *info)
{
    int number = info->si_signo;
    if (number != SIGHUP && parent->told == 0)
        parent->told = number;
    if (parent->child != 0 && info->si_code != SI_KERNEL)
        kill(parent->child, number);
}

/* Whether the daemon has ended.  As the first process of a container we are given the children of
 * others as well. */
static bool has_ended(struct parent *parent, int *out_status)
{
    int status;
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
        if (ended == parent->child) {
            parent->child = 0;
            *out_status = status;
            return true;
        }
    return false;
}

static int wait_for_child(struct parent *parent)
{
    int status = 0;
    while (!has_ended(parent, &status)) {
        siginfo_t info;
        int number = sigwaitinfo(&parent->waited, &info);
        if (number > 0 && number != SIGCHLD)
            pass_on(parent, &info);
    }
    return status;
}

/* False: we were told to end meanwhile. */
static bool rest(struct parent *parent, int64_t pause_ms)
{
    struct clock clock = clock_machine();
    int64_t until = clock.boot_ms(clock.arg) + pause_ms;
    for (;;) {
        int64_t left = until - clock.boot_ms(clock.arg);
        if (left < 0)
            left = 0;
        struct timespec time = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
        siginfo_t info;
        int number = sigtimedwait(&parent->waited, &info, &time);
        if (number > 0 && number != SIGCHLD)
            pass_on(parent, &info);
        if (parent->told != 0)
            return false;
        if (left == 0 && number < 0)
            return true;
    }
}

/* -- A crash ----------------------------------------------------------------------------------- */

static void describe_end(const struct breadcrumb_crash *crash, char out[48])
{
    if (crash->is_hang && crash->is_own)
        snprintf(out, 48, "hung");
    else if (crash->signal == 0)
        snprintf(out, 48, "was ended by an exit (code %u)", crash->exit_code);
    else
        snprintf(out, 48, "crashed (SIG%s)", sigabbrev_np(crash->signal));
}

static void describe(const struct breadcrumb_crash *crash, char out[WORDS_BYTES])
{
    char end[48], entry[48] = "";
    describe_end(crash, end);
    uint64_t seq = crash->seq != 0 ? crash->seq : crash->about;
    if (seq != 0)
        snprintf(entry, sizeof entry, " at entry %" PRIu64, seq);
    if (crash->plugin[0] != '\0')
        snprintf(out, WORDS_BYTES, "the daemon %s%s in plugin \"%s\" (%s)", end, entry,
                 crash->plugin, breadcrumb_call_name((enum breadcrumb_call)crash->call));
    else
        snprintf(out, WORDS_BYTES, "the daemon %s%s", end, entry);
}

static void announce(const struct breadcrumb_crash *crash, const struct restart_decision *decision)
{
    char words[WORDS_BYTES], what[160] = "", status[WORDS_BYTES + 40];
    describe(crash, words);
    if (decision->refused_seq != 0)
        snprintf(what, sizeof what, ", read-only: nothing is applied from entry %" PRIu64 " on",
                 decision->refused_seq);
    else if (decision->is_plugins && crash->call != BREADCRUMB_DESCRIBE)
        snprintf(what, sizeof what, ", without that plugin");
    if (decision->pause_ms == 0)
        say("%s; it is started again%s", words, what);
    else
        say("%s; it is started again in %" PRId64 " s%s", words, decision->pause_ms / 1000, what);
    snprintf(status, sizeof status, "WATCHDOG=1\nSTATUS=%s", words);
    notify(status);
}

/* Who exits before the daemon has come to its end was not asked to, and took it along as much as
 * one who faults: a plugin that calls exit(), whatever the code. */
static bool has_crashed(int status)
{
    if (WIFSIGNALED(status))
        return restart_is_crash(WTERMSIG(status));
    return !breadcrumb_has_returned() && !breadcrumb_has_ended();
}

static void look(int status, struct breadcrumb_crash *out_crash)
{
    breadcrumb_read(WIFSIGNALED(status) ? WTERMSIG(status) : 0, out_crash);
    if (WIFEXITED(status))
        out_crash->exit_code = (uint8_t)WEXITSTATUS(status);
}

/* For the next run, whoever will be its parent. */
static void blame(const struct breadcrumb_crash *crash)
{
    breadcrumb_tell_blame(crash);
    blame_leave();
}

/* False: it is not worth another start. */
static bool judge(struct parent *parent, int status, int64_t *out_pause_ms)
{
    struct breadcrumb_crash crash;
    struct restart_decision decision;
    struct clock clock = clock_machine();
    look(status, &crash);
    restart_decide(&parent->history, &crash, breadcrumb_serving_since(), clock.boot_ms(clock.arg),
                   &decision);
    breadcrumb_tell(&crash, decision.refused_seq);
    if (decision.is_plugins)
        blame(&crash);
    if (!decision.gives_up) {
        announce(&crash, &decision);
        *out_pause_ms = decision.pause_ms;
        return true;
    }
    char words[WORDS_BYTES];
    describe(&crash, words);
    say("%s, and so it did again and again, with less than %d s of service between: giving up.  "
        "What is in the log is safe; the messages above say where it crashed",
        words, CRASH_SERVED_MS / 1000);
    return false;
}

/* One that crashed, and now finds no room to begin in: somebody may make some.  One that has never
 * served is for whoever started it to see. */
static bool waits_for_room(const struct parent *parent, int status)
{
    if (parent->told != 0 || parent->history.crash_count == 0 || !breadcrumb_has_returned() ||
        !WIFEXITED(status) || WEXITSTATUS(status) != PARENT_NO_ROOM)
        return false;
    say("it is tried again in %d s", CRASH_ROOM_PAUSE_MS / 1000);
    notify("WATCHDOG=1\nSTATUS=waiting for room on the disk, or in its quota");
    return true;
}

/* -- The end ----------------------------------------------------------------------------------- */

/* For the next start, which has another parent. */
static void leave_word(const struct parent *parent, int status)
{
    struct breadcrumb_crash crash;
    char words[WORDS_BYTES];
    look(status, &crash);
    crash.is_hang = crash.is_hang || (parent->told == SIGABRT && !crash.is_own);
    describe(&crash, words);
    say("%s while it was told to end", words);
    if (crash.plugin[0] != '\0' && (crash.is_own || crash.is_hang))
        blame(&crash);
}

/* As it ended, so that whoever waits for us sees it; but one core dump is enough. */
static int hand_on(const struct parent *parent, int status)
{
    static const struct rlimit none = { 0, 0 };
    sigset_t set;
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (has_crashed(status) && !is_killed)
        leave_word(parent, status);
    if (WIFEXITED(status))
        return has_crashed(status) && WEXITSTATUS(status) == 0 ? EXIT_FAILURE : WEXITSTATUS(status);
    int number = WTERMSIG(status);
    if (breadcrumb_has_ended() && !restart_is_crash(number))
        return EXIT_SUCCESS; /* told twice, by the terminal and by us: the second came late */
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return EXIT_FAILURE; /* not reached */
}

static void take_signals(struct parent *parent)
{
    static const int waited[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT };
    sigemptyset(&parent->waited);
    for (size_t i = 0; i < sizeof waited / sizeof *waited; i++)
        sigaddset(&parent->waited, waited[i]);
    signal(SIGCHLD, SIG_DFL); /* one who ignores it is not told of it */
    sigprocmask(SIG_BLOCK, &parent->waited, &parent->before);
}

int parent_run(int (*run)(void *arg), void *arg)
{
    struct parent parent = { .told = 0 };
    pid_t above = getpid();
    parent_hold_signals();
    take_signals(&parent);
    breadcrumb_share();
    prctl(PR_SET_NAME, "kithd-parent");
    for (;;) {
        breadcrumb_begin();
        parent.child = fork();
        if (parent.child == 0) {
            become_child(&parent, above);
            int code = run(arg);
            breadcrumb_note_returned();
            return code;
        }
        if (parent.child < 0) {
            say("the daemon cannot be started: fork: %s", strerror(errno));
            return EXIT_FAILURE;
        }
        int status = wait_for_child(&parent);
        int64_t pause_ms = CRASH_ROOM_PAUSE_MS;
        if (!waits_for_room(&parent, status)) {
            if (!has_crashed(status) || parent.told != 0)
                return hand_on(&parent, status);
            if (!judge(&parent, status, &pause_ms))
                return PARENT_GIVES_UP;
        }
        if (!rest(&parent, pause_ms))
            return EXIT_SUCCESS;
    }
}
