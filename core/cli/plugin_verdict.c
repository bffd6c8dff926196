/* plugin_verdict.c -- what `kith plugin check` has found, for people and for programs.
 *
 * A finding says of whom, given what, what was wrong and what to do; at the end stands who the
 * plugin is and all that it declares, so that what is missing in a description is seen as well.
 */
#include "core/base/doc.h"
#include "core/base/json_write.h"
#include "core/cli/cli.h"
#include "core/cli/plugin_check.h"

#include <string.h>

#define SIDE_BYTES_MAX 500 /* of what one of two versions wanted */

static struct doc doc_of(const struct buf *buf)
{
    return (struct doc){ buf->size != 0 ? buf->data : NULL, (uint32_t)buf->size };
}

/* What one of two wanted: a line that begins with which. */
static void print_side(struct cli *cli, struct doc finding, const char *name)
{
    struct doc_value calls = doc_get(finding, name);
    struct buf json = BUF_INIT;
    if (calls.type == DOC_NONE)
        return;
    buf_printf(&cli->out, "\n    %s: ", name);
    if (calls.type == DOC_NULL)
        buf_text(&json, "it did not hear of it");
    else if (calls.type == DOC_TEXT)
        buf_text(&json, "it crashed");
    else if (calls.doc.size <= 5) /* an empty list */
        buf_text(&json, "nothing else than the other");
    else
        json_write_value(&json, &calls);
    size_t shown = json.size < SIDE_BYTES_MAX ? json.size : SIDE_BYTES_MAX;
    text_clean((struct text){ (const char *)json.data, (uint32_t)shown }, &cli->out);
    buf_text(&cli->out, shown < json.size ? " ..." : "");
    buf_deinit(&json);
}

static void print_finding(struct cli *cli, struct doc finding)
{
    static const char *const sides[] = { "first", "second", "was", "is" };
    struct text given = doc_text(finding, "given");
    text_clean(doc_text(finding, "level"), &cli->out);
    buf_text(&cli->out, ": ");
    text_clean(doc_text(finding, "who"), &cli->out);
    if (given.size != 0) {
        buf_text(&cli->out, ", ");
        text_clean(given, &cli->out);
    }
    buf_text(&cli->out, ": ");
    text_clean(doc_text(finding, "what"), &cli->out);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        print_side(cli, finding, sides[i]);
    buf_text(&cli->out, "\n    ");
    text_clean(doc_text(finding, "todo"), &cli->out);
    buf_byte(&cli->out, '\n');
}

void verdict_print(struct check *check)
{
    for (size_t at = 0; at < check->findings.size;) {
        struct doc finding = { check->findings.data + at, 0 };
        memcpy(&finding.size, finding.data, sizeof finding.size);
        at += finding.size;
        if (check->cli->is_json)
            cli_json(check->cli, finding);
        else
            print_finding(check->cli, finding);
    }
}

static void print_time(struct buf *out, int64_t ns)
{
    if (ns < 10000)
        buf_printf(out, "%lld ns", (long long)ns);
    else if (ns < 10000000)
        buf_printf(out, "%lld us", (long long)ns / 1000);
    else
        buf_printf(out, "%lld ms", (long long)ns / 1000000);
}

static void print_text(struct check *check, const struct told *told)
{
    static const struct {
        const char *name, *word;
    } lists[] = { { "handlers", "handler" },  { "functions", "function" },
                  { "kinds", "record kind" }, { "states", "state" },
                  { "traits", "trait" },      { "channels", "channel" },
                  { "routes", "route" },      { "jobs", "job" },
                  { "settings", "setting" } };
    struct buf *out = &check->cli->out;
    struct doc about = doc_child(doc_of(&told->about), "about");
    struct text name = doc_text(about, "name"), version = doc_text(about, "version");
    for (struct doc_iter it = doc_iter(doc_child(doc_of(&told->times), "times")); doc_next(&it);) {
        struct text who = doc_text(it.value.doc, "who");
        buf_printf(out, "%.*s: %lld calls, half of them within ", (int)who.size, who.data,
                   (long long)doc_int(it.value.doc, "calls", 0));
        print_time(out, doc_int(it.value.doc, "median_ns", 0));
        buf_text(out, ", the longest ");
        print_time(out, doc_int(it.value.doc, "longest_ns", 0));
        buf_byte(out, '\n');
    }
    buf_printf(out, "%.*s%s%.*s", (int)name.size, name.data, name.size != 0 ? " " : "",
               (int)version.size, version.data);
    if (name.size == 0)
        buf_text(out, check->path);
    const char *before = ":";
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        int64_t count = doc_int(about, lists[i].name, 0);
        if (count == 0)
            continue;
        buf_printf(out, "%s %lld %s%s", before, (long long)count, lists[i].word,
                   count == 1 ? "" : "s");
        before = ",";
    }
    before = "; needs ";
    for (struct doc_iter it = doc_iter(doc_child(about, "needs")); doc_next(&it);) {
        buf_printf(out, "%s%.*s", before, (int)it.value.text.size, it.value.text.data);
        before = ", ";
    }
    if (check->errors + check->warnings == 0)
        buf_text(out, "; nothing to mend");
    else
        buf_printf(out, "; %llu error%s, %llu warning%s", COUNTED(check->errors),
                   COUNTED(check->warnings));
    if (check->left_out != 0)
        buf_printf(out, "; %llu check%s not made", COUNTED(check->left_out));
    buf_byte(out, '\n');
}

static void print_json(struct check *check, const struct told *told)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    doc_put_doc(&w, "about", doc_child(doc_of(&told->about), "about"));
    doc_put_array(&w, "times", doc_child(doc_of(&told->times), "times"));
    doc_put_int(&w, "errors", (int64_t)check->errors);
    doc_put_int(&w, "warnings", (int64_t)check->warnings);
    doc_put_int(&w, "not_made", (int64_t)check->left_out);
    cli_json(check->cli, doc_end(&w));
    buf_deinit(&buf);
}

void verdict_print_summary(struct check *check, const struct told *told)
{
    if (check->cli->is_json)
        print_json(check, told);
    else
        print_text(check, told);
}
