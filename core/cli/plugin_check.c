/* plugin_check.c -- `kith plugin check FILE.so`: does this plugin keep the contract?
 *
 * The plugin is run in two processes (plugin_try.c): in one as it comes, and in another with
 * everything else that can be else.  Here is what was found, and who holds what the two wanted side
 * by side.
 */
#include "core/cli/plugin_check.h"
#include "core/base/json_write.h"
#include "core/cli/cli.h"
#include "core/plugin/kit_symbols.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOCK_MOVES_MS 1100 /* a clock that shows seconds shows another one */
#define SHOWN_BYTES 60 /* of a difference */

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
    struct told first = { .file = NULL }, second = { .is_again = true };
    bool is_done = check_try_to_end(check, &first);
    if (is_done && first.is_complete && first.result_count != 0) {
        check_wait_for_clock();
        is_done = check_try_to_end(check, &second);
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
    const char *other = args_argument(&cli->args, 1);
    char room[4][PATH_MAX];
    struct check check = { .cli = cli };
    if (check_is_child())
        return check_run_child(cli);
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
