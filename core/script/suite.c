/* suite.c -- tests are found, run one by one, and told about; see suite.h. */
#include "core/script/suite_inside.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/plugins.h"
#include "core/engine/read.h"
#include "core/engine/rehearsal.h"
#include "core/script/explain.h"
#include "core/script/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Opening --------------------------------------------------------------------------- */

static void file_free(struct suite_file *file)
{
    sandbox_free(file->host.sandbox);
    arena_deinit(&file->host.arena);
    buf_deinit(&file->host.scratch);
    free(file);
}

static struct suite_file *add_file(struct suite *suite, struct text name)
{
    struct sandbox_limits limits = {
        .call_instructions = TEST_INSTRUCTIONS_MAX,
        .call_bytes = TEST_MEMORY_BYTES_MAX,
    };
    struct suite_file *file = mem_zero(sizeof *file);
    file->suite = suite;
    file->name = arena_text(&suite->arena, name).data;
    file->host.config = suite->config;
    file->host.sandbox = sandbox_new(&limits);
    sandbox_set_data(file->host.sandbox, &file->host);
    words_duration_add(&file->host);
    suite_words_add(file);
    suite->files = mem_resize(suite->files, (suite->file_count + 1) * sizeof(struct suite_file *));
    suite->files[suite->file_count++] = file;
    return file;
}

/* `test "name"` without a function would be no mistake to Lua, and no test. */
static int check_cases(const struct suite *suite, const struct suite_file *file, struct err *err)
{
    for (size_t i = 0; i < suite->case_count; i++) {
        const struct suite_case *test = &suite->cases[i];
        if (test->file == file && !test->has_function)
            return err_set(err, E_INVALID,
                           "%s:%d: test \"%s\" tests nothing: a function must follow, test \"%s\" "
                           "(function(t) ... end)",
                           file->name, test->line, test->name.data, test->name.data);
    }
    return 0;
}

static int load_file(struct suite *suite, struct text name, struct text text, struct err *err)
{
    const char *const none[] = { NULL };
    struct suite_file *file = add_file(suite, name);
    struct explain_context context = { file->host.words, file->host.methods, none, false };
    file->host.is_loading = true;
    int rc = sandbox_load(file->host.sandbox, file->name, text.data, text.size, err);
    if (rc != 0)
        explain_err(&context, &file->host.scratch, err);
    else
        rc = check_cases(suite, file, err);
    if (rc == 0)
        rc = sandbox_seal(file->host.sandbox, err);
    file->host.is_loading = false;
    return rc;
}

static int load_rules(struct suite *suite, struct err *err)
{
    struct script_surroundings surroundings = { .plugins = suite->options.plugins };
    struct ruleset *rules;
    int rc = config_read(suite->config, suite->options.config, err);
    if (rc == 0)
        rc = script_load(&surroundings, suite->options.bundle, suite->config, &rules, err);
    if (rc == 0)
        rules->free(rules);
    return rc;
}

int suite_open(const struct suite_options *options, struct suite **out_suite, struct err *err)
{
    struct suite *suite = mem_zero(sizeof *suite);
    suite->options = *options;
    suite->config = mem_zero(sizeof *suite->config);
    bundle_hash(options->bundle, suite->hash);
    int rc = load_rules(suite, err);
    struct doc_iter it = doc_iter(doc_child(options->bundle, "files"));
    while (rc == 0 && doc_next(&it))
        if (bundle_is_test(it.name))
            rc = load_file(suite, it.name, it.value.text, err);
    if (rc != 0) {
        suite_close(suite);
        return rc;
    }
    *out_suite = suite;
    return 0;
}

void suite_close(struct suite *suite)
{
    if (suite == NULL)
        return;
    for (size_t i = 0; i < suite->file_count; i++)
        file_free(suite->files[i]);
    free(suite->files);
    free(suite->cases);
    free(suite->config);
    arena_deinit(&suite->arena);
    free(suite);
}

size_t suite_count(const struct suite *suite)
{
    return suite->case_count;
}

struct suite_test suite_test(const struct suite *suite, size_t index)
{
    const struct suite_case *test = &suite->cases[index];
    return (struct suite_test){ test->name.data, test->file->name, test->line };
}

/* -- What came of it ------------------------------------------------------------------- */

static void put_message(struct suite *suite, struct suite_file *file,
                        const struct sandbox_report *report, struct doc_writer *w)
{
    const char *const none[] = { NULL };
    struct explain_context context = { file->host.words, file->host.methods, none, false };
    struct buf *text = &suite->play.scratch;
    buf_clear(text);
    if (report->file[0] != '\0')
        buf_printf(text, "%s:%d: ", report->file, report->line);
    explain_message(report->message, &context, text);
    doc_put_text(w, "message", (struct text){ (const char *)text->data, (uint32_t)text->size });
    if (strchr(report->traceback, '\n') != NULL)
        doc_put_string(w, "traceback", report->traceback);
}

/* Without one of its own, a test has failed because of this. */
static void put_rule(struct suite *suite, struct doc rule, bool has_message, struct doc_writer *w)
{
    struct buf *text = &suite->play.scratch;
    bool is_plugin = doc_get(rule, "plugin").type != DOC_NONE;
    if (!has_message) {
        struct text name = doc_text(rule, is_plugin ? "handler" : "rule");
        struct text message = doc_text(rule, "message");
        buf_clear(text);
        buf_printf(text, "%s \"%.*s\" failed: %.*s", is_plugin ? "the plugin's handler" : "rule",
                   (int)name.size, name.data, (int)message.size, message.data);
        doc_put_text(w, "message", (struct text){ (const char *)text->data, (uint32_t)text->size });
    }
    doc_put_doc(w, "rule", rule);
}

static void put_customer(struct suite *suite, uint64_t number, struct doc_writer *w)
{
    struct buf *rows = &suite->play.rows;
    char reference[24];
    snprintf(reference, sizeof reference, "%" PRIu64, number);
    buf_clear(rows);
    doc_open(w, "customer");
    doc_put_int(w, "id", (int64_t)number);
    if (read_customer(rehearsal_engine(suite->play.rehearsal), text_of(reference), rows, NULL) == 0)
        doc_put_present(
            w, "name",
            doc_text(doc_child((struct doc){ rows->data, (uint32_t)rows->size }, "traits"),
                     "name"));
    doc_close(w);
    buf_clear(rows);
    if (rehearsal_timeline(suite->play.rehearsal, number, TEST_TIMELINE_MAX, rows, NULL) == 0)
        doc_put_array(w, "timeline",
                      doc_child((struct doc){ rows->data, (uint32_t)rows->size }, "items"));
}

/* Without one of its own, it has failed because a plugin crashed or did not come back. */
static void put_lost(struct suite *suite, struct doc_writer *w)
{
    struct buf *text = &suite->play.scratch;
    struct doc_writer shown;
    buf_clear(text);
    doc_begin(&shown, text);
    plugins_show(rehearsal_engine(suite->play.rehearsal), &shown);
    struct doc plugins = doc_child(doc_end(&shown), "plugins");
    struct doc_iter it = doc_iter(plugins);
    struct doc first = doc_next(&it) ? it.value.doc : (struct doc){ NULL, 0 };
    struct text name = doc_text(first, "name");
    bool is_hang = text_is(doc_text(doc_child(first, "quarantined"), "kind"), "hang");
    struct text words = arena_printf(
        &suite->play.arena, "the plugin %.*s %s: kith plugin check says more", (int)name.size,
        name.data, is_hang ? "did not come back from a call" : "crashed");
    doc_put_text(w, "message", words);
}

static void put_failure(struct suite *suite, const struct suite_case *test,
                        const struct sandbox_report *report, struct doc_writer *w)
{
    struct play *play = &suite->play;
    struct buf rule = BUF_INIT;
    bool has_message = report->outcome != SANDBOX_OK;
    if (has_message)
        put_message(suite, test->file, report, w);
    if (play->rehearsal != NULL && rehearsal_failure(play->rehearsal, &rule))
        put_rule(suite, (struct doc){ rule.data, (uint32_t)rule.size }, has_message, w);
    else if (!has_message && plugins_quarantined(rehearsal_engine(play->rehearsal)) != 0)
        put_lost(suite, w);
    else if (!has_message)
        doc_put_string(w, "message",
                       "a rule failed at a failure: log lines of the timeline say it");
    if (has_message && play->is_missed) {
        doc_put_text(
            w, "expected",
            (struct text){ (const char *)play->expected.data, (uint32_t)play->expected.size });
        doc_put_array(w, "got",
                      doc_child((struct doc){ play->got.data, (uint32_t)play->got.size }, "items"));
    }
    if (play->rehearsal != NULL && play->last != 0)
        put_customer(suite, play->last, w);
    buf_deinit(&rule);
}

static bool run(struct suite *suite, const struct suite_case *test, struct sandbox_report *report)
{
    struct sandbox *sandbox = test->file->host.sandbox;
    suite_push_test(sandbox_state(sandbox));
    bool is_ok = sandbox_call(sandbox, test->function, 1, 0, report) == SANDBOX_OK;
    if (suite->play.rehearsal == NULL)
        return is_ok;
    struct engine *engine = rehearsal_engine(suite->play.rehearsal);
    return is_ok && engine_failures(engine) == 0 && plugins_quarantined(engine) == 0;
}

bool suite_run(struct suite *suite, size_t index, struct buf *out_report)
{
    const struct suite_case *test = &suite->cases[index];
    struct sandbox_report *report = mem_zero(sizeof *report);
    struct doc_writer w;
    play_begin(suite);
    bool is_ok = run(suite, test, report);
    doc_begin(&w, out_report);
    doc_put_text(&w, "name", test->name);
    doc_put_string(&w, "file", test->file->name);
    doc_put_int(&w, "line", test->line);
    doc_put_bool(&w, "ok", is_ok);
    if (!is_ok)
        put_failure(suite, test, report, &w);
    doc_end(&w);
    play_end(suite);
    free(report);
    return is_ok;
}
