/* import.c -- `kith import`: a file's rows, made into calls and sent.
 *
 *     file -> text in UTF-8 -> records -> calls -+-> batches -> /v1/import
 *                                                +-> spool, sorted -> batches   (--replay)
 *                                                +-> counts, /v1/dry-runs       (--dry-run)
 *
 * Nothing is kept of an import but the ids of its calls: each is the hash of the file's
 * content and the row's number, so whoever runs the same import again, after a crash or by
 * mistake, adds nothing.  That is why there is no journal to resume from: a journal can be
 * lost, or belong to another file.
 */
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/moment.h"
#include "core/base/utf8.h"
#include "core/base/zone.h"
#include "core/cli/batch.h"
#include "core/cli/cli.h"
#include "core/cli/csv.h"
#include "core/cli/dry_run.h"
#include "core/cli/input.h"
#include "core/cli/interrupt.h"
#include "core/cli/mapping.h"
#include "core/cli/progress.h"
#include "core/cli/rejects.h"
#include "core/cli/spool.h"
#include "core/cli/survey.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define HEADER_MAX 2000 /* columns */

struct import {
    struct cli *cli;
    const char *path;
    struct input *input;
    struct csv *csv;
    struct mapping *mapping; /* NULL: the records are NDJSON */
    size_t columns;          /* of the header */
    struct json_reader *reader;
    struct buf json, doc; /* of one row */
    bool is_dry, is_replay;
    struct rejects_form form;
    struct buf header; /* which the form has */
    struct rejects rejects;
    struct survey survey;
    struct dry_run dry_run;
    struct spool *spool;
    struct batch *batch;
    struct progress progress;
    uint64_t rows; /* records that are not the header */
    uint64_t calls;
    int64_t last_at; /* of a replay: the time of its last row */
};

/* -- What was asked for ------------------------------------------------------------------ */

static bool is_named(const char *path, const char *ending)
{
    size_t size = strlen(path), end = strlen(ending);
    return size > end && strcmp(path + size - end, ending) == 0;
}

/* By --format, by what only CSV has, by the name, by the first character. */
static int find_format(const struct import *import, bool *out_is_ndjson, struct err *err)
{
    const struct args *args = &import->cli->args;
    const char *format = args_value(args, "format");
    bool has_columns = args_has(args, "map") || args_has(args, "columns") ||
                       args_has(args, "event") || args_has(args, "id") ||
                       args_has(args, "delimiter");
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "ndjson") != 0)
        return err_set(err, E_INVALID, "--format is csv or ndjson, not %.60s", format);
    bool looks_like_json = is_named(import->path, ".ndjson") || is_named(import->path, ".jsonl") ||
                           input_first(import->input) == '{';
    *out_is_ndjson =
        format != NULL ? strcmp(format, "ndjson") == 0 : looks_like_json && !has_columns;
    if (*out_is_ndjson && has_columns)
        return err_set(err, E_INVALID, "NDJSON has no columns: leave --map and its like out");
    return 0;
}

static int find_delimiter(const char *text, struct rejects_form *form, struct err *err)
{
    form->format = CSV_QUOTED;
    form->delimiter = ',';
    if (text == NULL)
        return 0;
    if (strcmp(text, "space") == 0)
        form->format = CSV_BLANKS;
    else if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        form->delimiter = '\t';
    else if (strlen(text) == 1 && strchr("\"\r\n", text[0]) == NULL && (text[0] & 0x80) == 0)
        form->delimiter = text[0];
    else
        return err_set(err, E_INVALID,
                       "--delimiter is one character, such as ; or |, or tab, or space");
    return 0;
}

static int make_mapping(struct import *import, struct err *err)
{
    const struct args *args = &import->cli->args;
    const struct zone *zone;
    const char *zone_name = args_value(args, "zone"), *map;
    int rc = zone_open(zone_name != NULL ? zone_name : "UTC", &zone, err);
    if (rc != 0)
        return rc;
    import->mapping = mapping_new(zone, args_value(args, "event"), args_value(args, "id"));
    for (size_t at = 0; rc == 0 && (map = args_next(args, "map", &at)) != NULL;)
        rc = mapping_add(import->mapping, map, err);
    return rc;
}

/* -- The header -------------------------------------------------------------------------- */

static int bind(struct import *import, const struct text *names, size_t count, struct err *err)
{
    import->columns = count;
    for (size_t i = 0; i < count; i++)
        if (!utf8_valid(names[i].data, names[i].size))
            return err_set(err, E_INVALID, "the header is not UTF-8: name the file's --encoding");
    return mapping_bind(import->mapping, names, count, err);
}

/* --columns a,b,c */
static int bind_given(struct import *import, const char *list, struct err *err)
{
    struct text *names = mem_alloc(HEADER_MAX * sizeof *names);
    size_t count = 0;
    for (const char *at = list; count < HEADER_MAX; count++) {
        size_t size = strcspn(at, ",");
        names[count] = (struct text){ at, (uint32_t)size };
        at += size;
        if (*at++ == '\0') {
            count++;
            break;
        }
    }
    int rc = bind(import, names, count, err);
    free(names);
    return rc;
}

/* "sep=;" is no row: it tells Excel, and so us, what stands between cells. */
static bool takes_delimiter(struct import *import, const struct csv_record *record)
{
    static const char mark[] = "sep=";
    struct text raw = record->raw;
    size_t size = sizeof mark - 1;
    if (raw.size != size + 1 || memcmp(raw.data, mark, size) != 0)
        return false;
    if (!args_has(&import->cli->args, "delimiter")) {
        csv_set_delimiter(import->csv, raw.data[size]);
        import->form.delimiter = raw.data[size];
        import->form.is_told = true;
    }
    return true;
}

static int bind_header(struct import *import, struct err *err)
{
    struct csv_record header;
    int rc = csv_next(import->csv, &header, err);
    if (rc == 1 && takes_delimiter(import, &header))
        rc = csv_next(import->csv, &header, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, E_INVALID, "%.200s is empty", import->path);
    if (header.fault != NULL)
        return err_set(err, E_INVALID, "%.200s, line %llu, the header: %s", import->path,
                       (unsigned long long)header.line, header.fault);
    rejects_note_header(&import->form, &header);
    buf_append(&import->header, header.raw.data, header.raw.size);
    import->form.header = (struct text){ buf_string(&import->header), header.raw.size };
    return bind(import, header.fields, header.count, err);
}

static int open_records(struct import *import, struct err *err)
{
    const struct args *args = &import->cli->args;
    const char *columns = args_value(args, "columns");
    struct rejects_form *form = &import->form;
    bool is_ndjson = false;
    int rc = find_format(import, &is_ndjson, err);
    *form = (struct rejects_form){ .format = CSV_LINES };
    form->is_decoded = !input_is_utf8(import->input);
    if (rc == 0 && !is_ndjson)
        rc = find_delimiter(args_value(args, "delimiter"), form, err);
    if (rc == 0 && !is_ndjson)
        rc = make_mapping(import, err);
    if (rc != 0)
        return rc;
    import->csv = csv_new(form->format, form->delimiter, input_read, import->input);
    if (is_ndjson)
        return 0;
    return columns != NULL ? bind_given(import, columns, err) : bind_header(import, err);
}

/* -- One record -------------------------------------------------------------------------- */

static void row_id(const struct import *import, const struct csv_record *record, struct buf *out)
{
    buf_printf(out, "%s-%llu", input_hash(import->input), (unsigned long long)record->number);
}

/* The reader counts lines too, and has seen one only: which it is the rejected row says. */
static int refuse_json(int rc, struct err *err)
{
    char *line = strstr(err->text, " (line 1)");
    if (line != NULL)
        *line = '\0';
    return rc;
}

static int read_json(struct import *import, struct text raw, struct doc *out_doc, struct err *err)
{
    const struct json_limits limits = { .depth_max = NESTING_MAX,
                                        .document_bytes_max = EVENT_BYTES_MAX };
    buf_clear(&import->doc);
    return json_to_doc(import->reader, raw.data, raw.size, &limits, &import->doc, out_doc, err);
}

/* A call as it stands; an id is put in front if it has none. */
static int take_json(struct import *import, const struct csv_record *record,
                     struct mapping_row *row, struct err *err)
{
    struct text raw = record->fields[0];
    struct doc doc;
    int rc = read_json(import, raw, &doc, err);
    if (rc != 0)
        return refuse_json(rc, err);
    if (doc_text(doc, "type").size == 0)
        return err_set(err, E_INVALID, "type is missing: identify, track, page ...");
    struct text at = doc_text(doc, "timestamp");
    if (at.size == 0)
        at = doc_text(doc, "originalTimestamp");
    *row = (struct mapping_row){ .calls = 1 };
    if (at.size != 0 && moment_parse(at.data, at.size, &row->at, err) != 0)
        return E_INVALID;
    row->has_at = at.size != 0;

    size_t brace = (size_t)((const char *)memchr(raw.data, '{', raw.size) - raw.data) + 1;
    if (doc_get(doc, "messageId").type != DOC_NONE) {
        buf_append(&import->json, raw.data, raw.size);
        return 0;
    }
    buf_text(&import->json, "{\"messageId\":\"");
    row_id(import, record, &import->json);
    buf_text(&import->json, "\",");
    buf_append(&import->json, raw.data + brace, raw.size - brace);
    return 0;
}

static int take_cells(struct import *import, const struct csv_record *record,
                      struct mapping_row *row, struct err *err)
{
    struct buf id = BUF_INIT;
    if (record->count != import->columns)
        return err_set(err, E_INVALID, "%zu column%s instead of %zu%s", record->count,
                       record->count != 1 ? "s" : "", import->columns,
                       record->count == 1 ? ": is the --delimiter another?" : "");
    row_id(import, record, &id);
    int rc = mapping_row(import->mapping, record->fields, record->count,
                         (struct text){ (const char *)id.data, (uint32_t)id.size }, &import->json,
                         row, err);
    buf_deinit(&id);
    return rc;
}

/* Rejected rows are kept in UTF-8, those too that were of another encoding, or of none. */
static bool may_be_broken(const struct import *import)
{
    return !input_is_utf8(import->input) ||
           (import->form.has_reasons && input_has_mark(import->input));
}

static int take_record(struct import *import, const struct csv_record *record,
                       struct mapping_row *row, struct err *err)
{
    struct text raw = record->raw;
    buf_clear(&import->json);
    if (record->fault != NULL)
        return err_set(err, E_INVALID, "%s", record->fault);
    if (may_be_broken(import) && memmem(raw.data, raw.size, "\xef\xbf\xbd", 3) != NULL)
        return err_set(err, E_INVALID, "bytes that are not %s: name the file's --encoding",
                       input_encoding(import->input));
    int rc = import->mapping != NULL ? take_cells(import, record, row, err)
                                     : take_json(import, record, row, err);
    if (rc == 0 && import->json.size > BATCH_SEND_BYTES / 2)
        rc = err_set(err, E_LIMIT, "larger than an event may be (%d KiB)",
                     (int)(BATCH_SEND_BYTES / 2 >> 10));
    if (rc == 0 && import->is_replay && !row->has_at)
        rc = err_set(err, E_INVALID, "no time, and --replay goes by it");
    return rc;
}

/* -- Where calls go ---------------------------------------------------------------------- */

static void reject(void *arg, uint64_t line, struct text raw, struct text reason)
{
    struct import *import = arg;
    rejects_add(&import->rejects, line, raw, reason);
}

static int pass_on(struct import *import, const struct csv_record *record,
                   const struct mapping_row *row, struct err *err)
{
    struct text json = { (const char *)import->json.data, (uint32_t)import->json.size };
    import->calls += row->calls;
    if (import->is_dry) {
        survey_add(&import->survey, json, row);
        dry_run_add(&import->dry_run, json, row->calls, record->line, record->raw);
        return 0;
    }
    if (!import->is_replay)
        return batch_add(import->batch, json, row->calls, record->line, record->raw, err);
    const struct spool_row spooled = {
        .at = row->at, .line = record->line, .calls = row->calls, .json = json, .raw = record->raw
    };
    return spool_add(import->spool, &spooled, err);
}

/* What is wrong with a row that was rejected before, and stands below. */
static bool is_reason(struct import *import, const struct csv_record *record)
{
    struct doc doc;
    if (!rejects_may_be_reason(record->raw) || read_json(import, record->raw, &doc, NULL) != 0 ||
        !rejects_is_reason(doc))
        return false;
    import->form.has_reasons = true;
    return true;
}

/* Excel leaves rows behind that are nothing but delimiters. */
static bool is_blank(struct import *import, const struct csv_record *record)
{
    if (import->mapping == NULL)
        return is_reason(import, record);
    if (record->fault != NULL)
        return false;
    for (size_t i = 0; i < record->count; i++)
        if (record->fields[i].size != 0)
            return false;
    return true;
}

static int read_all(struct import *import, struct err *err)
{
    struct csv_record record;
    struct mapping_row row = { .calls = 0 };
    struct err why;
    int rc;
    while ((rc = rejects_next(&import->form, import->csv, &record, err)) == 1) {
        if (is_blank(import, &record))
            continue;
        import->rows++;
        if (interrupt_seen())
            return err_set(err, E_BUSY, "interrupted");
        if (take_record(import, &record, &row, &why) != 0) {
            reject(import, record.line, record.raw, text_of(why.text));
            continue;
        }
        rc = pass_on(import, &record, &row, err);
        if (rc != 0)
            return rc;
        progress_update(&import->progress, input_at(import->input), import->calls);
    }
    return rc;
}

static int send_spooled(struct import *import, struct err *err)
{
    struct spool_row row;
    size_t count = spool_count(import->spool);
    spool_sort(import->spool);
    progress_end(&import->progress);
    progress_start(&import->progress, "replaying", count);
    for (size_t i = 0; i < count; i++) {
        int rc = spool_get(import->spool, i, &row, err);
        if (rc == 0)
            rc = batch_add(import->batch, row.json, row.calls, row.line, row.raw, err);
        if (rc != 0)
            return rc;
        import->last_at = row.at;
        progress_update(&import->progress, i, batch_sent(import->batch));
    }
    return 0;
}

/* Log time stands where the data end.  It goes on to now by way of everything that is due until
 * then; or nobody's reminder would ever be due again. */
static int end_replay(struct import *import, struct err *err)
{
    struct buf reason = BUF_INIT;
    struct reply reply;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (import->last_at == 0 || import->last_at / 1000 >= now.tv_sec)
        return 0;
    int rc =
        client_call(import->cli->client, "POST", "/v1/clock/accept?replay=1", NULL, &reply, err);
    if (rc == 0 && (reply.status < 200 || reply.status > 299)) {
        reply_reason(&reply, &reason);
        rc = err_set(err, E_INVALID, "all is in, but log time stands still: %s",
                     buf_string(&reason));
    }
    buf_deinit(&reason);
    return rc;
}

static int work(struct import *import, struct err *err)
{
    int rc = import->is_replay ? spool_open(&import->spool, err) : 0;
    if (rc == 0)
        rc = read_all(import, err);
    if (rc == 0 && import->is_replay)
        rc = send_spooled(import, err);
    if (rc == 0 && !import->is_dry)
        rc = batch_finish(import->batch, err);
    bool is_end = import->is_replay && !import->is_dry && !args_has(&import->cli->args, "more");
    if (rc == 0 && is_end)
        rc = end_replay(import, err);
    return rc;
}

/* -- What came of it --------------------------------------------------------------------- */

static void say_rejected(struct cli *cli, uint64_t count, const char *path)
{
    if (count != 0 && path != NULL)
        buf_printf(&cli->out, "%llu row%s rejected: see %s\n", COUNTED(count), path);
    else if (count != 0)
        buf_printf(&cli->out, "%llu row%s would be rejected\n", COUNTED(count));
}

static void report(struct import *import, const char *rejected_path)
{
    struct cli *cli = import->cli;
    struct buf would = BUF_INIT;
    if (import->is_dry)
        dry_run_end(&import->dry_run, &would); /* which may reject more */
    uint64_t rejected = import->rejects.count;
    uint64_t sent = import->batch != NULL ? batch_sent(import->batch) : 0;
    if (cli->is_json && !import->is_dry) {
        buf_printf(&cli->out, "{\"rows\":%llu,\"sent\":%llu,\"rejected\":%llu}\n",
                   (unsigned long long)import->rows, (unsigned long long)sent,
                   (unsigned long long)rejected);
    } else if (cli->is_json) {
        survey_json(&import->survey, import->rows, rejected,
                    (struct text){ buf_string(&would), (uint32_t)would.size }, &cli->out);
    } else if (import->is_dry) {
        buf_printf(&cli->out, "%llu row%s\n", COUNTED(import->rows));
        survey_print(&import->survey, &cli->out);
        say_rejected(cli, rejected, NULL);
        buf_append(&cli->out, would.data, would.size);
        buf_text(&cli->out, "\na dry run: nothing was written or sent\n");
    } else {
        buf_printf(&cli->out, "%llu row%s, %llu event%s sent; those sent before add nothing\n",
                   COUNTED(import->rows), COUNTED(sent));
        say_rejected(cli, rejected, rejected_path);
    }
    buf_deinit(&would);
}

/* An import that stops half-way says what to do; the daemon's absence has its own code. */
static int stopped(struct import *import, const struct err *err)
{
    struct cli *cli = import->cli;
    uint64_t sent = import->batch != NULL ? batch_sent(import->batch) : 0;
    cli_fail(cli, "%s", err->text);
    if (!import->is_dry)
        cli_fail(cli,
                 "%llu events are in; to go on, run the same command again: what is in "
                 "already is not added twice",
                 (unsigned long long)sent);
    bool is_cut_off = import->batch != NULL && batch_is_cut_off(import->batch);
    return is_cut_off ? EXIT_UNREACHABLE : EXIT_FAILED;
}

static void say_encoding(const struct import *import)
{
    bool is_given = args_has(&import->cli->args, "encoding");
    if (!is_given && !input_is_utf8(import->input))
        cli_fail(import->cli, "%s is read as %s; if it is not, say --encoding", import->path,
                 input_encoding(import->input));
}

static void make_batch(struct import *import)
{
    struct buf path = BUF_INIT;
    if (import->is_dry)
        return;
    buf_text(&path, "/v1/import?forever=1");
    if (args_has(&import->cli->args, "historic"))
        path_query(&path, "historic", "1");
    if (import->is_replay)
        path_query(&path, "replay", "1");
    import->batch = batch_new(import->cli->client, buf_string(&path), reject, import);
    buf_deinit(&path);
}

static int carry_out(struct import *import, const char *rejected_path)
{
    struct err err, rejects_err;
    make_batch(import);
    rejects_init(&import->rejects, rejected_path, &import->form, import->is_dry);
    survey_init(&import->survey, import->reader);
    if (import->is_dry)
        dry_run_begin(&import->dry_run, import->cli, reject, import);
    interrupt_watch();
    progress_start(&import->progress, import->is_replay || import->is_dry ? "reading" : "importing",
                   input_size(import->input));
    int rc = work(import, &err);
    progress_end(&import->progress);
    int code = EXIT_DONE;
    if (rc != 0)
        code = stopped(import, &err);
    else
        report(import, rejected_path);
    if (rejects_close(&import->rejects, &rejects_err) != 0)
        code = cli_fail(import->cli, "%s", rejects_err.text);
    if (code == EXIT_DONE && import->rejects.count != 0 && import->rejects.count == import->rows)
        code = EXIT_FAILED; /* a mapping that fits no row at all */
    return code;
}

static void import_deinit(struct import *import)
{
    csv_free(import->csv);
    mapping_free(import->mapping);
    spool_close(import->spool);
    batch_free(import->batch);
    dry_run_deinit(&import->dry_run);
    input_close(import->input);
    json_reader_free(import->reader);
    survey_deinit(&import->survey);
    buf_deinit(&import->json);
    buf_deinit(&import->doc);
    buf_deinit(&import->header);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

int run_import(struct cli *cli)
{
    const char *rejected = args_value(&cli->args, "rejected");
    struct import import = {
        .cli = cli,
        .path = args_argument(&cli->args, 0),
        .reader = json_reader_new(),
        .is_dry = args_has(&cli->args, "dry-run"),
        .is_replay = args_has(&cli->args, "replay"),
    };
    struct buf rejected_path = BUF_INIT;
    struct err err;
    int code;
    if (rejected != NULL)
        buf_text(&rejected_path, rejected);
    else
        buf_printf(&rejected_path, "%s.rejected", import.path);
    if (input_open(import.path, args_value(&cli->args, "encoding"), &import.input, &err) != 0) {
        code = cli_fail(cli, "%s", err.text);
    } else if (is_same_file(import.path, buf_string(&rejected_path))) {
        code = cli_fail(cli, "--rejected is the file that is imported: name another");
    } else {
        say_encoding(&import);
        code = open_records(&import, &err) != 0 ? cli_fail(cli, "%s", err.text)
                                                : carry_out(&import, buf_string(&rejected_path));
    }
    import_deinit(&import);
    buf_deinit(&rejected_path);
    return code;
}
