/* cli.c -- calling the daemon and printing what it says; see cli.h.
 *
 * Results go to standard output, everything else to standard error, so that a pipe gets
 * results only.  A problem is told by its `detail`; as JSON only to who asked for JSON.
 *
 * What changes something carries an Idempotency-Key of its own.  When the line breaks before the
 * answer has come, nobody knows whether it was done: the same is asked again under the same key,
 * and the daemon does it once.
 */
#include "core/cli/cli.h"

#include "core/base/hash.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/cli/interrupt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int cli_fail(struct cli *cli, const char *format, ...)
{
    va_list values;
    cli_flush(cli);
    fputs("kith: ", stderr);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int cli_fail_err(struct cli *cli, const struct err *err)
{
    cli_fail(cli, "%s", err->text);
    return err->code == E_IO ? EXIT_UNREACHABLE : EXIT_FAILED;
}

int cli_fail_file(struct cli *cli, const char *verb, const char *path, int error)
{
    return cli_fail(cli, "cannot %s %s: %s%s", verb, path, strerror(error),
                    error == EEXIST ? "; name a file that is not there yet" : "");
}

void cli_path(struct cli *cli, const char *head, const char *argument, const char *rest)
{
    buf_clear(&cli->path);
    buf_text(&cli->path, head);
    if (argument != NULL)
        path_text(&cli->path, argument);
    if (rest != NULL)
        buf_text(&cli->path, rest);
}

/* as_of is --as-of. */
static bool is_name_of(const char *option, const char *name, size_t size)
{
    size_t i = 0;
    while (i < size && (option[i] == name[i] || (option[i] == '-' && name[i] == '_')))
        i++;
    return i == size && option[i] == '\0';
}

/* The daemon names a field, `"due": ...`, or a part of the query, `?due=...`: what did the user
 * call it?  NULL: it was not the user's.  `*out_rest` is what is said of it. */
static const char *option_named(const struct cli *cli, const struct reply *reply,
                                const char **out_rest)
{
    const char *detail = doc_text(reply->doc, "detail").data;
    bool is_query = reply->status == 400 && detail != NULL && detail[0] == '?';
    bool is_field = reply->status == 422 && detail != NULL && detail[0] == '"';
    const struct option *option = cli->args.command->options;
    if (!is_query && !is_field)
        return NULL;
    size_t size = strcspn(++detail, is_query ? "=" : "\"");
    if (detail[size] == '\0')
        return NULL;
    *out_rest = detail + size + 1;
    *out_rest += strspn(*out_rest, ": ");
    if (cli->due_argument != NULL && size == 3 && memcmp(detail, "due", 3) == 0)
        return cli->due_argument;
    for (; option != NULL && option->name != NULL; option++)
        if (is_name_of(option->name, detail, size))
            return option->name;
    return NULL;
}

static int wrong_option(struct cli *cli, const char *name, const char *rest)
{
    struct buf clean = BUF_INIT;
    text_clean(text_of(rest), &clean);
    cli_fail(cli, "%s%s: %s", name == cli->due_argument ? "" : "--", name, buf_string(&clean));
    buf_deinit(&clean);
    return EXIT_USAGE;
}

int cli_problem(struct cli *cli, const struct reply *reply)
{
    struct buf reason = BUF_INIT, clean = BUF_INIT;
    const char *rest, *option = option_named(cli, reply, &rest);
    if (option != NULL && !cli->is_json)
        return wrong_option(cli, option, rest);
    cli_flush(cli);
    if (cli->is_json && reply->doc.data != NULL) {
        json_write_doc(&clean, reply->doc);
        fprintf(stderr, "%s\n", buf_string(&clean));
    } else {
        reply_reason(reply, &reason);
        text_clean((struct text){ (const char *)reason.data, (uint32_t)reason.size }, &clean);
        fprintf(stderr, "kith: %s\n", buf_string(&clean));
        if (reply->status == 401)
            fputs("kith: set KITH_KEY, or name the file of a key with --key-file\n", stderr);
    }
    buf_deinit(&reason);
    buf_deinit(&clean);
    return option != NULL ? EXIT_USAGE : EXIT_FAILED;
}

bool cli_choice(struct cli *cli, const char *option, const char *choices, const char **out_value)
{
    const char *value = args_value(&cli->args, option);
    *out_value = value;
    for (const char *at = choices; value != NULL && at != NULL;) {
        size_t size = strcspn(at, "|");
        if (strlen(value) == size && memcmp(at, value, size) == 0)
            return true;
        at = at[size] == '|' ? at + size + 1 : NULL;
    }
    if (value != NULL)
        cli_fail(cli, "--%s %s: one of %s is expected", option, value, choices);
    return value == NULL;
}

#define RETRIES_MAX 5
#define RETRY_MS 1000

static void make_key(char out_key[HEX_SIZE(DIGEST_16_BYTES)])
{
    uint8_t bytes[DIGEST_16_BYTES];
    ssize_t size = getrandom(bytes, sizeof bytes, 0);
    ASSERT(size == (ssize_t)sizeof bytes);
    hex_encode(bytes, sizeof bytes, out_key);
}

/* The call before, whose answer was lost, is still at work. */
static bool is_under_way(const struct reply *reply)
{
    static const char head[] = "the first call with this Idempotency-Key";
    struct text detail = doc_text(reply->doc, "detail");
    return reply->status == 409 && detail.size >= sizeof head - 1 &&
           memcmp(detail.data, head, sizeof head - 1) == 0;
}

/* A change, until its answer has come. */
static int call_once(struct cli *cli, const char *method, const struct buf *body,
                     struct reply *out_reply, struct err *err)
{
    char key[HEX_SIZE(DIGEST_16_BYTES)];
    bool is_in_doubt = false;
    make_key(key);
    for (int i = 0;; i++) {
        int rc = client_call_once(cli->client, method, buf_string(&cli->path), body, cli->body_type,
                                  key, out_reply, err);
        is_in_doubt = is_in_doubt || (rc == E_IO && client_is_in_doubt(cli->client));
        bool is_again = is_in_doubt && (rc == E_IO || (rc == 0 && is_under_way(out_reply)));
        if (!is_again || i == RETRIES_MAX || interrupt_seen())
            return rc;
        if (i == 0)
            cli_fail(cli, "no answer came: asking again, which does nothing twice");
        interrupt_sleep(RETRY_MS);
    }
}

static int call(struct cli *cli, const char *method, const struct buf *body, struct doc *out_doc)
{
    struct reply reply;
    struct err err;
    int rc = strcmp(method, "GET") != 0
                 ? call_once(cli, method, body, &reply, &err)
                 : client_call(cli->client, method, buf_string(&cli->path), body, &reply, &err);
    if (rc != 0)
        return cli_fail_err(cli, &err);
    if (reply.status < 200 || reply.status > 299)
        return cli_problem(cli, &reply);
    *out_doc = reply.doc;
    return EXIT_DONE;
}

int cli_get(struct cli *cli, struct doc *out_doc)
{
    return call(cli, "GET", NULL, out_doc);
}

int cli_send(struct cli *cli, const char *method, struct doc *out_doc)
{
    return call(cli, method, &cli->body, out_doc);
}

int cli_post(struct cli *cli, struct doc *out_doc)
{
    return cli_send(cli, "POST", out_doc);
}

int cli_answer(struct cli *cli, const char *method, struct doc *out_doc)
{
    int code = strcmp(method, "GET") == 0 ? cli_get(cli, out_doc) : cli_send(cli, method, out_doc);
    if (code == EXIT_DONE && cli->is_json)
        cli_json(cli, *out_doc);
    return code;
}

/* -- Lists ------------------------------------------------------------------------------- */

static void page_path(struct cli *cli, struct buf *path, int64_t left, const char *after)
{
    char number[24];
    buf_clear(&cli->path);
    buf_append(&cli->path, path->data, path->size);
    snprintf(number, sizeof number, "%lld", (long long)(left < LIST_MAX ? left : LIST_MAX));
    path_query(&cli->path, "limit", number);
    path_query(&cli->path, "after", after);
}

static int64_t print_items(struct cli *cli, struct doc page, int64_t left, cli_item_fn *each,
                           void *arg)
{
    struct doc_iter it = doc_iter(doc_child(page, "items"));
    for (; left != 0 && doc_next(&it); left--) {
        if (cli->is_json)
            cli_json(cli, it.value.doc);
        else
            each(cli, it.value.doc, arg);
    }
    return left;
}

int cli_list(struct cli *cli, int64_t limit, cli_item_fn *each, void *arg)
{
    struct buf path = BUF_INIT, after = BUF_INIT;
    int64_t left = limit != 0 ? limit : INT64_MAX;
    bool has_more = true;
    int code = EXIT_DONE;
    buf_append(&path, cli->path.data, cli->path.size);
    while (code == EXIT_DONE && has_more && left > 0) {
        struct doc page = { NULL, 0 };
        page_path(cli, &path, left, after.size != 0 ? buf_string(&after) : NULL);
        code = cli_get(cli, &page);
        if (code != EXIT_DONE)
            break;
        left = print_items(cli, page, left, each, arg);
        struct doc_value next = doc_get(page, "next");
        buf_clear(&after);
        value_print(&next, &after);
        has_more = next.type == DOC_TEXT || next.type == DOC_INT64;
        if (doc_bool(page, "behind", false))
            cli_fail(cli, "the daemon is busy: this is as of entry %lld",
                     (long long)doc_int(page, "seq", 0));
        if (cli->is_json)
            cli_flush(cli);
    }
    buf_deinit(&path);
    buf_deinit(&after);
    return code;
}

int cli_collect(struct cli *cli, int64_t limit, cli_item_fn *each, void *arg)
{
    bool is_json = cli->is_json;
    cli->is_json = false;
    int code = cli_list(cli, limit, each, arg);
    cli->is_json = is_json;
    return code;
}

bool cli_limit(struct cli *cli, int64_t otherwise, int64_t *out_limit)
{
    const char *text = args_value(&cli->args, "limit");
    char *end = NULL;
    *out_limit = otherwise;
    if (text == NULL)
        return true;
    errno = 0;
    long long limit = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || limit < 1) {
        cli_fail(cli, "--limit %s: a number from 1 is expected", text);
        return false;
    }
    *out_limit = limit;
    return true;
}

/* -- Printing ---------------------------------------------------------------------------- */

void cli_flush(struct cli *cli)
{
    if (cli->out.size != 0)
        fwrite(cli->out.data, 1, cli->out.size, stdout);
    fflush(stdout);
    buf_clear(&cli->out);
}

void cli_json(struct cli *cli, struct doc doc)
{
    json_write_doc(&cli->out, doc);
    buf_byte(&cli->out, '\n');
}

void cli_table(struct cli *cli, const struct table *table, const char *when_empty)
{
    if (cli->is_json)
        return;
    if (table_rows(table) == 0 && cli->screen.is_terminal)
        buf_printf(&cli->out, "%s\n", when_empty);
    else
        table_print(table, &cli->screen, &cli->out); /* a pipe gets the titles always */
}

void cell_field(struct table *table, struct doc doc, const char *name, enum tint tint)
{
    struct doc_value value = doc_get(doc, name);
    struct buf text = BUF_INIT;
    if (value.type != DOC_NULL)
        value_print(&value, &text);
    table_add(table, (struct text){ buf_string(&text), (uint32_t)text.size }, tint);
    buf_deinit(&text);
}

void cell_state(struct table *table, struct doc doc, const char *name)
{
    cell_field(table, doc, name, tint_of_state(doc_text(doc, name)));
}

void cell_time(struct cli *cli, struct table *table, struct doc doc, const char *name)
{
    struct buf text = BUF_INIT;
    screen_time(&cli->screen, doc_text(doc, name), &text);
    table_add_whole(table, (struct text){ buf_string(&text), (uint32_t)text.size }, TINT_NONE);
    buf_deinit(&text);
}

/* -- Bodies ------------------------------------------------------------------------------ */

void body_open(struct cli *cli)
{
    buf_clear(&cli->body);
    buf_byte(&cli->body, '{');
}

void body_text(struct cli *cli, const char *name, const char *value)
{
    if (value == NULL)
        return;
    if (cli->body.size > 1)
        buf_byte(&cli->body, ',');
    json_write_text(&cli->body, text_of(name));
    buf_byte(&cli->body, ':');
    json_write_text(&cli->body, text_of(value));
}

void body_close(struct cli *cli)
{
    buf_byte(&cli->body, '}');
}
