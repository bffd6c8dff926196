/* suppress.c -- `kith suppress`: addresses that are never written to, from a list.
 *
 * Each row is one statement of staff, sent like an import's in batches; saying it again changes
 * nothing, so a list that was cut off half-way is sent once more.
 */
#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/utf8.h"
#include "core/cli/batch.h"
#include "core/cli/cli.h"
#include "core/cli/csv.h"
#include "core/cli/input.h"
#include "core/cli/interrupt.h"
#include "core/cli/progress.h"
#include "core/cli/rejects.h"

struct list {
    const char *channel, *reason;
    bool is_removed;
    struct input *input;
    struct csv *csv;
    struct batch *batch;
    struct rejects_form form;
    struct rejects rejects;
    struct progress progress;
    struct buf json;
    uint64_t rows;
};

static void reject(void *arg, uint64_t line, struct text raw, struct text reason)
{
    struct list *list = arg;
    rejects_add(&list->rejects, line, raw, reason);
}

static void put(struct buf *json, const char *name, struct text value)
{
    buf_printf(json, ",\"%s\":", name);
    json_write_text(json, value);
}

static void put_row(struct list *list, struct text address, struct text reason)
{
    buf_clear(&list->json);
    buf_text(&list->json, "{\"type\":\"suppression.changed\",\"data\":{\"channel\":");
    json_write_text(&list->json, text_of(list->channel));
    put(&list->json, "value", address);
    put(&list->json, "state", text_of(list->is_removed ? "removed" : "active"));
    if (reason.size != 0)
        put(&list->json, "reason", reason);
    buf_text(&list->json, "}}");
}

/* address, or address and reason; NULL, or what is wrong. */
static const char *read_row(struct list *list, const struct csv_record *record)
{
    if (record->fault != NULL)
        return record->fault;
    if (record->count > 2)
        return "an address, and a reason behind a comma, are expected";
    if (!utf8_valid(record->raw.data, record->raw.size))
        return "not UTF-8: name the file's --encoding";
    if (record->count == 0 || record->fields[0].size == 0)
        return "no address";
    struct text reason = list->reason != NULL ? text_of(list->reason) : (struct text){ "", 0 };
    bool has_own = record->count == 2 && record->fields[1].size != 0;
    put_row(list, record->fields[0], has_own ? record->fields[1] : reason);
    return NULL;
}

static int send_all(struct list *list, struct err *err)
{
    struct csv_record record;
    int rc;
    while ((rc = rejects_next(&list->form, list->csv, &record, err)) == 1) {
        list->rows++;
        if (interrupt_seen())
            return err_set(err, E_BUSY, "interrupted");
        const char *fault = read_row(list, &record);
        if (fault != NULL) {
            reject(list, record.line, record.raw, text_of(fault));
            continue;
        }
        struct text json = { (const char *)list->json.data, (uint32_t)list->json.size };
        rc = batch_add(list->batch, json, 1, record.line, record.raw, err);
        if (rc != 0)
            return rc;
        progress_update(&list->progress, input_at(list->input), list->rows);
    }
    return rc == 0 ? batch_flush(list->batch, err) : rc;
}

static void report(struct cli *cli, const struct list *list, const char *rejected)
{
    uint64_t sent = batch_sent(list->batch);
    if (cli->is_json) {
        buf_printf(&cli->out, "{\"rows\":%llu,\"sent\":%llu,\"rejected\":%llu}\n",
                   (unsigned long long)list->rows, (unsigned long long)sent,
                   (unsigned long long)list->rejects.count);
        return;
    }
    buf_printf(&cli->out, "%llu address%s %s\n", (unsigned long long)sent, sent == 1 ? "" : "es",
               list->is_removed ? "may be written to again" : "will not be written to");
    if (list->rejects.count != 0)
        buf_printf(&cli->out, "%llu row%s rejected: see %s\n", COUNTED(list->rejects.count),
                   rejected);
}

static int carry_out(struct cli *cli, struct list *list, const char *rejected)
{
    struct err err, rejects_err;
    int code = EXIT_DONE;
    list->csv = csv_new(CSV_QUOTED, ',', input_read, list->input);
    list->batch = batch_new(cli->client, "/v1/import?wait=applied", reject, list);
    list->form = (struct rejects_form){ .format = CSV_QUOTED, .delimiter = ',' };
    list->form.is_decoded = !input_is_utf8(list->input);
    rejects_init(&list->rejects, rejected, &list->form, false);
    interrupt_watch();
    progress_start(&list->progress, "suppressing", input_size(list->input));
    int rc = send_all(list, &err);
    progress_end(&list->progress);
    if (rc != 0) {
        cli_fail(cli, "%s", err.text);
        code = batch_is_cut_off(list->batch) ? EXIT_UNREACHABLE : EXIT_FAILED;
    } else {
        report(cli, list, rejected);
    }
    if (rejects_close(&list->rejects, &rejects_err) != 0)
        code = cli_fail(cli, "%s", rejects_err.text);
    if (code == EXIT_DONE && list->rejects.count != 0)
        code = EXIT_FAILED; /* somebody would be written to who must not be */
    return code;
}

int run_suppress(struct cli *cli)
{
    const char *path = args_argument(&cli->args, 0);
    struct list list = {
        .channel = args_value(&cli->args, "channel"),
        .reason = args_value(&cli->args, "reason"),
        .is_removed = args_has(&cli->args, "remove"),
    };
    struct buf rejected = BUF_INIT;
    struct err err;
    if (list.channel == NULL) {
        cli_fail(cli, "on which channel? Add --channel email");
        return EXIT_USAGE;
    }
    buf_printf(&rejected, "%s.rejected", path);
    int rc = input_open(path, args_value(&cli->args, "encoding"), &list.input, &err);
    int code =
        rc != 0 ? cli_fail(cli, "%s", err.text) : carry_out(cli, &list, buf_string(&rejected));
    csv_free(list.csv);
    batch_free(list.batch);
    input_close(list.input);
    buf_deinit(&list.json);
    buf_deinit(&rejected);
    return code;
}
