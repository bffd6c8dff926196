/* plugin_try.c -- a plugin in a process of its own, for `kith plugin check`; see plugin_check.h.
 *
 * The plugin is run by this same program, started anew (core/plugin/kit.h).  Here is who waits for
 * it, who tells a death or a silence from an answer, and who begins another process that makes all
 * else when a call has ended one.
 */
#include "core/base/mem.h"
#include "core/cli/cli.h"
#include "core/cli/plugin_check.h"
#include "core/outside/asked.h"
#include "core/plugin/kit.h"
#include "core/script/settings.h"
#include "core/server/plugin_ask.h"
#include "core/server/plugin_route.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_VARIABLE "KITH_PLUGIN_CHECK"
#define DEATHS_VARIABLE "KITH_PLUGIN_CHECK_DEATHS"
#define CHILD_FD 3
#define MESSAGE_BYTES_MAX (64u << 20)

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
    .scope = plugin_ask_check,
    .reply = asked_reply,
    .file = asked_file,
    .pause = asked_pause,
    .count = asked_count,
};

bool check_is_child(void)
{
    return getenv(CHILD_VARIABLE) != NULL;
}

int check_run_child(struct cli *cli)
{
    const char *config = args_value(&cli->args, "config");
    struct kit_options options = { .path = args_argument(&cli->args, 0),
                                   .log = args_value(&cli->args, "log"),
                                   .is_again = text_is(text_of(getenv(CHILD_VARIABLE)), "again"),
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

int check_config(struct cli *cli, const char *path)
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
    else if (text_is(it.name, "end")) {
        told->is_complete = true;
        told->is_loaded = doc_bool(message, "end", false);
    }
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

/* What the old one of two versions does over a log is no mistake of the new one. */
static void tell_end(struct check *check, const struct told *told, const char *what,
                     const char *todo)
{
    bool is_old = told->version != NULL && !told->is_other && told->step[0] != '\0';
    struct buf who = BUF_INIT;
    buf_printf(&who, "%s%s%s", told->version != NULL ? told->version : "",
               told->version != NULL ? ", " : "", told->at);
    check_find(check, is_old ? "warning" : "error", buf_string(&who), NULL, what, todo);
    buf_deinit(&who);
}

static void tell_death(struct check *check, const struct told *told, int status)
{
    char what[300];
    if (!WIFSIGNALED(status)) {
        snprintf(what, sizeof what, "it ended the whole process, with exit code %d",
                 WEXITSTATUS(status));
        tell_end(check, told, what,
                 "the process is the daemon's: return a code, and say why by fail()");
        return;
    }
    snprintf(what, sizeof what, "it crashed (SIG%s): %s", sigabbrev_np(WTERMSIG(status)),
             signal_words(WTERMSIG(status)));
    tell_end(check, told, what,
             "in the daemon it is quarantined from then on; find the place with gdb, or build it "
             "with -fsanitize=address,undefined");
}

static void tell_silence(struct check *check, const struct told *told)
{
    char what[120];
    snprintf(what, sizeof what, "it did not come back within %d s", KIT_CALL_MS / 1000);
    tell_end(check, told, what,
             "every loop needs an end that does not depend on what it is given; who must wait does "
             "so on the outside side");
}

/* -- Processes --------------------------------------------------------------------------------- */

/* Hear one from its beginning to its end.  False: it could not be started. */
static bool try_out(struct check *check, struct told *told, int *out_status)
{
    int fd;
    pid_t pid = start_child(check, told->is_again, &fd);
    if (pid < 0) {
        cli_fail(check->cli, "cannot start another process: %s", strerror(errno));
        return false;
    }
    bool has_answered = listen_to(check, told, fd);
    close(fd);
    if (!has_answered || !told->is_complete)
        kill(pid, has_answered ? SIGPIPE : SIGKILL);
    while (waitpid(pid, out_status, 0) < 0 && errno == EINTR)
        continue;
    told->is_hung = !has_answered;
    return true;
}

/* As it was before anything was heard. */
static bool begin_anew(struct check *check, struct told *told)
{
    struct told fresh = { .version = told->version,
                          .file = told->file,
                          .expected = told->expected,
                          .until = told->until,
                          .at = "loading",
                          .is_again = told->is_again,
                          .is_other = told->is_other };
    told_deinit(told);
    *told = fresh;
    return replay_begin(check, told);
}

/* What a process found that ended too early: the next one finds it again. */
static void forget(struct check *check, const struct check *before)
{
    check->errors = before->errors;
    check->warnings = before->warnings;
    check->differences = before->differences;
    check->left_out = before->left_out;
    check->findings.size = before->findings.size;
}

static void tell_rest(struct check *check, const struct told *told)
{
    struct buf given = BUF_INIT;
    if (check->log != NULL)
        buf_printf(&given, "by %s from there on: %s",
                   told->version != NULL ? told->version : "the plugin", told->at);
    check_find(check, "not made", check->log != NULL ? "entries of the log" : "every further check",
               check->log != NULL ? buf_string(&given) : NULL,
               told->step[0] != '\0' ? "too many calls have ended their process"
                                     : "without this nothing else can be tried",
               "mend that, and check again");
    buf_deinit(&given);
}

bool check_try_to_end(struct check *check, struct told *told)
{
    size_t most = check->log != NULL ? KIT_LOG_DEATHS_MAX : KIT_DEATHS_MAX;
    for (;;) {
        const struct check before = *check;
        int status = 0;
        if (!begin_anew(check, told) || !try_out(check, told, &status))
            return false;
        if (told->is_complete)
            return true;
        bool is_last = told->step[0] == '\0' || check->death_count++ == most;
        if (!is_last)
            forget(check, &before);
        if (told->is_hung)
            tell_silence(check, told);
        else
            tell_death(check, told, status);
        if (is_last) {
            tell_rest(check, told);
            return true;
        }
        buf_printf(&check->deaths, "%s%s ", told->step, told->is_hung ? "!" : "");
        buf_string(&check->deaths);
    }
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
