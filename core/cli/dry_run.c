/* dry_run.c -- see dry_run.h. */
#include "core/cli/dry_run.h"

#include "core/base/json_write.h"
#include "core/cli/cli.h"

static void dry_run_path(struct dry_run *dry_run)
{
    cli_path(dry_run->cli, "/v1/dry-runs/", NULL, NULL);
    buf_printf(&dry_run->cli->path, "%lld", (long long)dry_run->id);
}

static int fail(const struct reply *reply, struct err *err)
{
    struct buf reason = BUF_INIT;
    reply_reason(reply, &reason);
    int rc = err_set(err, E_INVALID, "%s", buf_string(&reason));
    buf_deinit(&reason);
    return rc;
}

/* A call to cli->path whose failure is not the command's. */
static int call(struct dry_run *dry_run, const char *method, const char *body, struct doc *out_doc,
                struct err *err)
{
    struct cli *cli = dry_run->cli;
    struct reply reply;
    buf_clear(&cli->body);
    buf_text(&cli->body, body != NULL ? body : "");
    int rc = client_call(cli->client, method, buf_string(&cli->path),
                         body != NULL ? &cli->body : NULL, &reply, err);
    if (rc == 0 && (reply.status < 200 || reply.status > 299))
        rc = fail(&reply, err);
    if (rc == 0)
        *out_doc = reply.doc;
    return rc;
}

void dry_run_begin(struct dry_run *dry_run, struct cli *cli, batch_refused_fn *refused, void *arg)
{
    struct doc answer;
    struct err err;
    *dry_run = (struct dry_run){ .cli = cli };
    if (args_has(&cli->args, "replay")) {
        cli_fail(
            cli,
            "what the rules would do is not tried out with --replay: without it they are, as of "
            "now");
        return;
    }
    if (cli->client == NULL) {
        cli_fail(cli, "without a key (KITH_KEY, --key-file) what the rules would do is not known");
        return;
    }
    cli_path(cli, "/v1/dry-runs", NULL, NULL);
    if (call(dry_run, "POST", "{}", &answer, &err) != 0) {
        cli_fail(cli, "what the rules would do is not known: %s", err.text);
        return;
    }
    dry_run->id = doc_int(answer, "id", 0);
    dry_run_path(dry_run);
    path_query(&cli->path, "forever", "1");
    if (args_has(&cli->args, "historic"))
        path_query(&cli->path, "historic", "1");
    dry_run->batch = batch_new(cli->client, buf_string(&cli->path), refused, arg);
}

/* The rest is read and counted. */
static void cut(struct dry_run *dry_run, const struct err *err)
{
    dry_run->sent = batch_sent(dry_run->batch);
    batch_free(dry_run->batch);
    dry_run->batch = NULL;
    dry_run->is_cut = true;
    cli_fail(dry_run->cli, "only the first %llu events were tried out: %s",
             (unsigned long long)dry_run->sent, err->text);
}

void dry_run_add(struct dry_run *dry_run, struct text json, size_t calls, uint64_t line,
                 struct text raw)
{
    struct err err;
    if (dry_run->batch != NULL && batch_add(dry_run->batch, json, calls, line, raw, &err) != 0)
        cut(dry_run, &err);
}

/* -- What would happen ------------------------------------------------------------------- */

static void print_list(struct dry_run *dry_run, struct doc report, const char *list,
                       const struct column *columns, struct buf *out)
{
    struct table table;
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(doc_child(report, list)); doc_next(&it);)
        for (const struct column *column = columns; column->title != NULL; column++) {
            if (text_is(text_of(column->title), "state"))
                cell_state(&table, it.value.doc, column->title);
            else
                cell_field(&table, it.value.doc, column->title, TINT_NONE);
        }
    if (table_rows(&table) != 0) {
        buf_byte(out, '\n');
        screen_tint(&dry_run->cli->screen, TINT_BOLD, list, out);
        buf_byte(out, '\n');
        table_print(&table, &dry_run->cli->screen, out);
    }
    table_deinit(&table);
}

static void print_counts(struct doc report, struct buf *out)
{
    struct doc customers = doc_child(report, "customers");
    buf_printf(out, "\nwhat would happen, after entry %lld:\n",
               (long long)doc_int(report, "seq", 0));
    buf_printf(out, "  %lld customers created, %lld known ones concerned\n",
               (long long)doc_int(customers, "created", 0),
               (long long)doc_int(customers, "existing", 0));
    buf_printf(out, "  %lld merged into others, %lld suspected to be another one\n",
               (long long)doc_int(customers, "merged", 0),
               (long long)doc_int(customers, "suspected", 0));
    buf_printf(out, "  %lld events are in already and add nothing, %lld are refused\n",
               (long long)doc_int(report, "duplicates", 0),
               (long long)doc_int(report, "refused", 0));
    buf_printf(out, "  %lld times a rule fails\n", (long long)doc_int(report, "failures", 0));
    buf_printf(out, "  %lld times a rule asks to be called later\n",
               (long long)doc_int(report, "timers", 0));
}

static void print_report(struct dry_run *dry_run, struct doc report, struct buf *out)
{
    static const struct column rules[] = { { "runs", true }, { "name", false }, { NULL, false } };
    static const struct column reminders[] = {
        { "count", true }, { "rule", false }, { "assignee", false }, { NULL, false }
    };
    static const struct column messages[] = { { "count", true },    { "rule", false },
                                              { "channel", false }, { "state", false },
                                              { "reason", false },  { NULL, false } };
    print_counts(report, out);
    print_list(dry_run, report, "rules", rules, out);
    print_list(dry_run, report, "reminders", reminders, out);
    print_list(dry_run, report, "messages", messages, out);
}

static void forget(struct dry_run *dry_run)
{
    struct doc answer;
    struct err err; /* it would end by itself too */
    dry_run_path(dry_run);
    (void)call(dry_run, "DELETE", NULL, &answer, &err);
}

void dry_run_end(struct dry_run *dry_run, struct buf *out)
{
    struct doc report;
    struct err err;
    if (dry_run->batch != NULL && batch_flush(dry_run->batch, &err) != 0)
        cut(dry_run, &err);
    if (dry_run->id == 0)
        return;
    dry_run_path(dry_run);
    if (call(dry_run, "GET", NULL, &report, &err) != 0) {
        cli_fail(dry_run->cli, "what the rules would do is not known: %s", err.text);
        return;
    }
    if (dry_run->cli->is_json) {
        buf_printf(out, ",\"tried_out_whole\":%s,\"would\":", dry_run->is_cut ? "false" : "true");
        json_write_doc(out, report);
    } else {
        print_report(dry_run, report, out);
    }
}

void dry_run_deinit(struct dry_run *dry_run)
{
    batch_free(dry_run->batch);
    dry_run->batch = NULL;
    if (dry_run->id != 0)
        forget(dry_run);
}
