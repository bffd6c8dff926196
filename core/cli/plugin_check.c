/* plugin_check.c -- `kith plugin check FILE.so`: does this plugin keep the contract?
 *
 * The plugin is run by this same program, started anew (core/plugin/kit.h): once, and once more
 * with everything else that can be else.  Here is who waits for these two, who tells a death or a
 * silence from an answer, and who holds what they wanted side by side.
 */
#include "core/cli/plugin_check.h"
#include "core/base/doc.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/cli/cli.h"
#include "core/outside/asked.h"
#include "core/plugin/kit.h"
#include "core/plugin/kit_symbols.h"
#include "core/script/settings.h"
#include "core/server/plugin_route.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_VARIABLE "KITH_PLUGIN_CHECK"
#define DEATHS_VARIABLE "KITH_PLUGIN_CHECK_DEATHS"
#define CHILD_FD 3
#define CLOCK_MOVES_MS 1100 /* a clock that shows seconds shows another one */
#define MESSAGE_BYTES_MAX (64u << 20)
#define SHOWN_BYTES 60 /* of a difference */

/* -- The process that is tried in -------------------------------------------------------------- */

/* {NAME: config} of all plugins that the file names. */
static struct doc read_configs(const char *path, struct settings *settings, struct buf *buf,
                               struct err *err, int *out_rc)
{
    struct doc_writer w;
    settings_init(settings);
    *out_rc = settings_load(settings, path, err);
    doc_begin(&w, buf);
    for (size_t i = 0; *out_rc == 0 && i < settings->plugin_count; i++)
        doc_put_doc(&w, settings->plugins[i].name, settings->plugins[i].config);
    return doc_end(&w);
}

static const struct kit_asked asked = {
    .event = asked_event,
    .request = asked_request,
    .reply = asked_reply,
    .file = asked_file,
    .pause = asked_pause,
    .count = asked_count,
};

static int run_child(struct cli *cli, const char *which)
{
    const char *config = args_value(&cli->args, "config");
    struct kit_options options = { .path = args_argument(&cli->args, 0),
                                   .log = args_value(&cli->args, "log"),
                                   .is_again = strcmp(which, "again") == 0,
                                   .check_route = plugin_route_check,
                                   .asked = &asked,
                                   .deaths = getenv(DEATHS_VARIABLE) };
    const struct rlimit no_core = { 0, 0 };
    struct settings settings = { .host = NULL };
    struct buf configs = BUF_INIT;
    struct err err;
    int code = 0;
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_DFL);
    if (config != NULL)
        options.configs = read_configs(config, &settings, &configs, &err, &code);
    code = code == 0 ? kit_probe(&options, CHILD_FD) : EXIT_FAILED;
    if (config != NULL)
        settings_deinit(&settings);
    buf_deinit(&configs);
    return code;
}

/* The file must be good before anybody is started with it. */
static int check_config(struct cli *cli, const char *path)
{
    struct settings settings;
    struct buf configs = BUF_INIT;
    struct err err;
    int rc;
    read_configs(path, &settings, &configs, &err, &rc);
    settings_deinit(&settings);
    buf_deinit(&configs);
    return rc == 0 ? EXIT_DONE : cli_fail(cli, "%s", err.text);
}

/* In the new process, until it is another program. */
_Noreturn static void become_child(const struct check *check, bool is_again, int out_fd)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    if (out_fd == CHILD_FD)
        fcntl(out_fd, F_SETFD, 0);
    else
        dup2(out_fd, CHILD_FD);
    setenv(CHILD_VARIABLE, is_again ? "again" : "first", 1);
    setenv(DEATHS_VARIABLE, check->deaths.size != 0 ? (const char *)check->deaths.data : "", 1);
    if (is_again) {
        setenv("TZ", "Asia/Shanghai", 1);
        setenv("MALLOC_PERTURB_", "165", 1);
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1); /* which knows no perturbing */
        setenv("LC_ALL", "de_DE.UTF-8", 1);
        if (chdir("/") != 0)
            _exit(EXIT_FAILED);
    }
    const char *words[10] = { "kith", "plugin", "check", check->path };
    size_t count = 4;
    if (check->config != NULL) {
        words[count++] = "--config";
        words[count++] = check->config;
    }
    if (check->log != NULL) {
        words[count++] = "--log";
        words[count++] = check->log;
    }
    execv("/proc/self/exe", (char *const *)(uintptr_t)words);
    _exit(EXIT_FAILED);
}

static pid_t start_child(const struct check *check, bool is_again, int *out_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become_child(check, is_again, ends[1]);
    close(ends[1]);
    *out_fd = ends[0];
    if (pid < 0)
        close(ends[0]);
    return pid;
}

/* -- Findings ---------------------------------------------------------------------------------- */

/* Whether the same has been found of the same before, with whatever it was given. */
static bool is_known(const struct check *check, struct doc finding)
{
    struct text who = doc_text(finding, "who");
    if (text_is(who, "log") || text_is(who, "description")) /* each entry, each item, is one */
        return false;
    for (size_t at = 0; at < check->findings.size;) {
        struct doc known = { check->findings.data + at, 0 };
        memcpy(&known.size, known.data, sizeof known.size);
        at += known.size;
        if (text_equal(doc_text(known, "who"), who) &&
            text_equal(doc_text(known, "what"), doc_text(finding, "what")))
            return true;
    }
    return false;
}

void check_add(struct check *check, struct doc finding)
{
    struct text level = doc_text(finding, "level");
    if (is_known(check, finding))
        return;
    check->errors += text_is(level, "error");
    check->warnings += text_is(level, "warning");
    check->differences += text_is(level, "difference");
    check->left_out += text_is(level, "not made");
    buf_append(&check->findings, finding.data, finding.size);
}

void check_find(struct check *check, const char *level, const char *who, const char *given,
                const char *what, const char *todo)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    doc_put_string(&w, "level", level);
    doc_put_string(&w, "who", who);
    doc_put_present(&w, "given", text_of(given));
    doc_put_string(&w, "what", what);
    doc_put_string(&w, "todo", todo);
    check_add(check, doc_end(&w));
    buf_deinit(&buf);
}

/* -- Hearing ----------------------------------------------------------------------------------- */

static void keep_result(struct told *told, struct doc message)
{
    size_t number = (size_t)doc_int(message, "result", 0);
    if (number >= MESSAGE_BYTES_MAX)
        return;
    while (told->result_count <= number) {
        size_t count = told->result_count + 1;
        told->results = mem_resize(told->results, count * sizeof *told->results);
        told->results[told->result_count++] = (struct buf)BUF_INIT;
    }
    buf_clear(&told->results[number]);
    buf_append(&told->results[number], message.data, message.size);
}

static void keep_at(struct told *told, struct doc message)
{
    struct text at = doc_text(message, "at"), given = doc_text(message, "given");
    struct text step = doc_text(message, "step");
    snprintf(told->at, sizeof told->at, "%.*s, %.*s", (int)at.size, at.data, (int)given.size,
             given.data);
    snprintf(told->step, sizeof told->step, "%.*s", (int)step.size, step.data);
}

/* What is wrong the first process has told; the second finds the same again. */
static void keep_finding(struct check *check, const struct told *told, struct doc finding)
{
    if (!told->is_again || text_is(doc_text(finding, "level"), "not made"))
        check_add(check, finding);
}

static void hear(struct check *check, struct told *told, struct doc message)
{
    struct doc_iter it = doc_iter(message);
    if (!doc_next(&it))
        return;
    if (text_is(it.name, "at"))
        keep_at(told, message);
    else if (text_is(it.name, "finding"))
        keep_finding(check, told, doc_child(message, "finding"));
    else if (text_is(it.name, "result") && check->log != NULL)
        replay_hear(check, told, message);
    else if (text_is(it.name, "result"))
        keep_result(told, message);
    else if (text_is(it.name, "about"))
        buf_append(&told->about, message.data, message.size);
    else if (text_is(it.name, "times"))
        buf_append(&told->times, message.data, message.size);
    else if (text_is(it.name, "end"))
        told->is_complete = true;
}

/* The first whole message in `in`, which leaves it; false: not yet.  What is no message came from a
 * process that is not itself any more. */
static bool take_message(struct buf *in, size_t *at, struct doc *out, bool *out_is_broken)
{
    uint32_t size;
    if (in->size - *at < sizeof size)
        return false;
    memcpy(&size, in->data + *at, sizeof size);
    *out_is_broken = size > MESSAGE_BYTES_MAX || size < 5;
    if (*out_is_broken || in->size - *at < size)
        return false;
    *out_is_broken = doc_validate(in->data + *at, size, DOC_DEPTH_MAX, NULL) != 0;
    *out = (struct doc){ in->data + *at, size };
    *at += size;
    return !*out_is_broken;
}

/* Until it has ended, or is silent for too long; false: that. */
static bool listen_to(struct check *check, struct told *told, int fd)
{
    struct buf in = BUF_INIT;
    bool is_broken = false, is_silent = false;
    for (;;) {
        struct pollfd waited = { .fd = fd, .events = POLLIN };
        struct doc message;
        int ready = poll(&waited, 1, KIT_CALL_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        is_silent = ready == 0;
        ssize_t got = ready > 0 ? read(fd, buf_reserve(&in, 65536), 65536) : 0;
        if (got <= 0)
            break;
        in.size += (size_t)got;
        size_t at = 0;
        while (take_message(&in, &at, &message, &is_broken))
            hear(check, told, message);
        memmove(in.data, in.data + at, in.size - at);
        in.size -= at;
        if (is_broken)
            break;
    }
    buf_deinit(&in);
    return !is_silent;
}

/* -- Deaths ------------------------------------------------------------------------------------ */

static const char *signal_words(int number)
{
    switch (number) {
    case SIGSEGV:
    case SIGBUS:
        return "it used memory that is not there: a NULL pointer, or one that is not valid any "
               "more";
    case SIGFPE:
        return "it divided a whole number by zero, or the least one by -1";
    case SIGABRT:
        return "it gave up on itself: an assertion, or memory given back twice";
    case SIGILL:
        return "it came to code that cannot be reached, or that this machine does not have";
    default:
        return "it was ended";
    }
}

static void tell_death(struct check *check, const struct told *told, int status)
{
    char what[300];
    if (!WIFSIGNALED(status)) {
        snprintf(what, sizeof what, "it ended the whole process, with exit code %d",
                 WEXITSTATUS(status));
        check_find(check, "error", told->at, NULL, what,
                   "the process is the daemon's: return a code, and say why by fail()");
        return;
    }
    snprintf(what, sizeof what, "it crashed (SIG%s): %s", sigabbrev_np(WTERMSIG(status)),
             signal_words(WTERMSIG(status)));
    check_find(
        check, "error", told->at, NULL, what,
        "in the daemon it is quarantined from then on; find the place with gdb, or build it with "
        "-fsanitize=address,undefined");
}

static void tell_silence(struct check *check, const struct told *told)
{
    char what[120];
    snprintf(what, sizeof what, "it did not come back within %d s", KIT_CALL_MS / 1000);
    check_find(
        check, "error", told->at, NULL, what,
        "every loop needs an end that does not depend on what it is given; who must wait does so "
        "on the outside side");
}

/* False: it could not be started. */
bool check_try_out(struct check *check, struct told *told)
{
    int fd, status = 0;
    pid_t pid = start_child(check, told->is_again, &fd);
    if (pid < 0) {
        cli_fail(check->cli, "cannot start another process: %s", strerror(errno));
        return false;
    }
    const struct check before = *check;
    size_t size = check->findings.size;
    bool has_answered = listen_to(check, told, fd);
    close(fd);
    if (!has_answered || !told->is_complete)
        kill(pid, has_answered ? SIGPIPE : SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    told->is_hung = !has_answered;
    if (!told->is_complete && told->step[0] != '\0') { /* another process will find it again */
        check->errors = before.errors;
        check->warnings = before.warnings;
        check->left_out = before.left_out;
        check->findings.size = size;
    }
    if (!has_answered)
        tell_silence(check, told);
    else if (!told->is_complete)
        tell_death(check, told, status);
    return true;
}

/* Try out until a process has come to its end, each without what ended the ones before. */
static bool try_to_end(struct check *check, struct told *told)
{
    bool is_again = told->is_again;
    while (check_try_out(check, told)) {
        if (told->is_complete)
            return true;
        bool is_enough = check->death_count++ == KIT_DEATHS_MAX;
        if (told->step[0] == '\0' || is_enough) {
            check_find(check, "not made", "every further check", NULL,
                       is_enough ? "too many calls have ended their process"
                                 : "without this nothing else can be tried",
                       "mend that, and check again");
            return true;
        }
        buf_printf(&check->deaths, "%s%s ", told->step, told->is_hung ? "!" : "");
        buf_string(&check->deaths);
        told_deinit(told);
        *told = (struct told){ .at = "loading", .is_again = is_again };
    }
    return false;
}

void told_deinit(struct told *told)
{
    for (size_t i = 0; i < told->result_count; i++)
        buf_deinit(&told->results[i]);
    free(told->results);
    buf_deinit(&told->about);
    buf_deinit(&told->times);
    buf_deinit(&told->next);
}

/* -- Side by side ------------------------------------------------------------------------------ */

static struct doc doc_of(const struct buf *buf)
{
    return (struct doc){ buf->size != 0 ? buf->data : NULL, (uint32_t)buf->size };
}

/* Where two texts part: a piece of each from there. */
static void tell_difference(struct check *check, struct doc first, struct doc second)
{
    struct buf texts[2] = { BUF_INIT, BUF_INIT }, what = BUF_INIT, who = BUF_INIT;
    const struct text name = doc_text(first, "who"), given = doc_text(first, "given");
    struct doc_value outs[2] = { doc_get(first, "out"), doc_get(second, "out") };
    for (size_t i = 0; i < 2; i++)
        json_write_value(&texts[i], &outs[i]);
    const char *a = buf_string(&texts[0]), *b = buf_string(&texts[1]);
    size_t at = 0;
    while (a[at] != '\0' && a[at] == b[at])
        at++;
    at = at > 20 ? at - 20 : 0;
    buf_printf(&what, "in another process it wants something else: ...%.*s... and ...%.*s...",
               SHOWN_BYTES, a + at, SHOWN_BYTES, b + at);
    buf_append(&who, name.data, name.size);
    struct text words = { (const char *)what.data, (uint32_t)what.size };
    struct buf clean = BUF_INIT, where = BUF_INIT;
    text_clean(words, &clean);
    buf_append(&where, given.data, given.size);
    check_find(
        check, "error", buf_string(&who), buf_string(&where), buf_string(&clean),
        "nothing may decide but what it was given: no clock, addresses, order of calls, zone, "
        "folder, or memory that was never set");
    struct buf *bufs[] = { &texts[0], &texts[1], &what, &who, &clean, &where };
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_deinit(bufs[i]);
}

/* Of each function the first. */
static void compare(struct check *check, const struct told *first, const struct told *second)
{
    struct text last = { NULL, 0 };
    for (size_t i = 0; i < first->result_count && i < second->result_count; i++) {
        const struct buf *a = &first->results[i], *b = &second->results[i];
        if (a->size == 0 || b->size == 0) /* one of the two came to no end */
            continue;
        bool is_same = a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
        struct text who = doc_text(doc_of(a), "who");
        if (is_same || text_equal(who, last))
            continue;
        last = who;
        tell_difference(check, doc_of(a), doc_of(b));
    }
}

static void find_symbol(void *arg, const char *level, const char *what, const char *todo)
{
    check_find(arg, level, "file", NULL, what, todo);
}

void check_wait_for_clock(void)
{
    const struct timespec moved = { CLOCK_MOVES_MS / 1000, CLOCK_MOVES_MS % 1000 * 1000000l };
    nanosleep(&moved, NULL);
}

static int check_file(struct check *check)
{
    struct told first = { .at = "loading" }, second = { .at = "loading", .is_again = true };
    bool is_done = try_to_end(check, &first);
    if (is_done && first.is_complete && first.result_count != 0) {
        check_wait_for_clock();
        is_done = try_to_end(check, &second);
        if (second.is_complete)
            compare(check, &first, &second);
    }
    if (is_done) {
        kit_symbols_check(check->path, doc_child(doc_of(&first.about), "about"), find_symbol,
                          check);
        verdict_print(check);
        verdict_print_summary(check, &first);
    }
    told_deinit(&first);
    told_deinit(&second);
    return is_done && check->errors == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* The path of an argument or option from the root, in `room`; NULL is NULL.  False: there is no
 * such file, and that has been said. */
static bool resolve(struct cli *cli, const char *given, char *room, const char **out_path)
{
    *out_path = NULL;
    if (given == NULL)
        return true;
    if (realpath(given, room) == NULL) {
        cli_fail(cli, "cannot read %s: %s", given, strerror(errno));
        return false;
    }
    *out_path = room;
    return true;
}

/* The folder of the log within that of the data, or of a backup. */
static bool resolve_log(struct cli *cli, const char *given, char *room, const char **out_path)
{
    struct buf path = BUF_INIT;
    if (given != NULL)
        buf_printf(&path, "%s/log", given);
    bool is_there = resolve(cli, given != NULL ? buf_string(&path) : NULL, room, out_path);
    buf_deinit(&path);
    return is_there;
}

static int check_all(struct check *check, const char *other)
{
    const char *log = check->log;
    bool is_done = true;
    check->log = NULL;
    int code = other == NULL ? check_file(check) : EXIT_DONE;
    buf_clear(&check->findings);
    buf_clear(&check->deaths);
    check->errors = check->warnings = check->left_out = check->death_count = 0;
    check->log = log;
    if (log != NULL)
        is_done = replay_compare(check, other);
    if (log != NULL)
        verdict_print(check);
    if (!is_done || check->errors != 0)
        return EXIT_FAILED;
    return code == EXIT_DONE && check->differences != 0 ? EXIT_DIFFERS : code;
}

int run_plugin_check(struct cli *cli)
{
    const char *which = getenv(CHILD_VARIABLE), *other = args_argument(&cli->args, 1);
    char room[4][PATH_MAX];
    struct check check = { .cli = cli };
    if (which != NULL)
        return run_child(cli, which);
    if (other != NULL && args_value(&cli->args, "log") == NULL) {
        cli_fail(cli, "two plugins are compared over a log: --log DIR");
        return EXIT_USAGE;
    }
    if (!resolve(cli, args_argument(&cli->args, 0), room[0], &check.path) ||
        !resolve(cli, other, room[1], &other) ||
        !resolve(cli, args_value(&cli->args, "config"), room[2], &check.config) ||
        !resolve_log(cli, args_value(&cli->args, "log"), room[3], &check.log))
        return EXIT_FAILED;
    if (check.config != NULL && check_config(cli, check.config) != EXIT_DONE)
        return EXIT_FAILED;
    int code = check_all(&check, other);
    buf_deinit(&check.findings);
    buf_deinit(&check.deaths);
    return code;
}
