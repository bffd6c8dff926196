/* scripts.c -- `kith check` and `kith test`: a folder of scripts, looked at without a daemon.
 *
 * The engine, the rules and their limits are those of kithd (core/script/suite.h); what stands in
 * kith.lua and the scripts meet (the zone, the plugins with their channels, the limits) is read
 * from --config, and without it is what kithd would have without one.  Plugins run in processes of
 * their own, so that none ends this one, and never begin their outside: no secret is needed.  The
 * state that the tests begin from is an empty one in a directory of its own, whose files are
 * unlinked as soon as they are open: whatever becomes of this process, nothing is left behind.
 */
#include "core/base/civil.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/moment.h"
#include "core/base/zone.h"
#include "core/cli/cli.h"
#include "core/plugin/set.h"
#include "core/script/bundle.h"
#include "core/script/lint.h"
#include "core/script/settings.h"
#include "core/script/suite.h"
#include "core/server/plugins.h"
#include "storage/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAP_BYTES ((size_t)1 << 30)

/* -- The folder, and what it is run with ------------------------------------------------- */

struct scripts {
    struct settings settings; /* of --config, else those of a daemon without one */
    struct plugin_set *plugins;
    const struct zone *zone; /* the company's */
    struct buf files;
    struct doc bundle; /* borrowed from `files` */
};

/* The folder is the command's first argument.  E_IO, E_INVALID, E_LIMIT name the file.  End with
 * scripts_close() in any case. */
static int scripts_open(struct scripts *scripts, struct cli *cli, struct err *err)
{
    const char *config = args_value(&cli->args, "config");
    const char *plugins = args_value(&cli->args, "plugins");
    *scripts = (struct scripts){ .files = BUF_INIT };
    settings_init(&scripts->settings);
    int rc = config != NULL ? settings_load(&scripts->settings, config, err) : 0;
    if (rc == 0)
        rc = zone_open(scripts->settings.zone, &scripts->zone, err);
    if (plugins != NULL)
        scripts->settings.plugin_dir = plugins;
    settings_finish(&scripts->settings);
    if (rc == 0)
        rc = plugins_load_for_trial(&scripts->settings, &scripts->plugins, err);
    if (rc == 0)
        rc = bundle_read_dir(args_argument(&cli->args, 0), &scripts->files, &scripts->bundle, err);
    return rc;
}

static void scripts_close(struct scripts *scripts)
{
    plugin_set_free(scripts->plugins);
    settings_deinit(&scripts->settings);
    buf_deinit(&scripts->files);
}

/* -- check --------------------------------------------------------------------------------- */

static void print_finding(struct cli *cli, struct doc finding)
{
    int64_t line = doc_int(finding, "line", 0);
    text_clean(doc_text(finding, "file"), &cli->out);
    if (line != 0)
        buf_printf(&cli->out, ":%lld", (long long)line);
    buf_text(&cli->out, ": ");
    text_clean(doc_text(finding, "text"), &cli->out);
    buf_byte(&cli->out, '\n');
}

#define ADVICE "if a plugin brings it: --config FILE, the kith.lua that names the plugin"

/* Without --config there are no plugins, and what rules have of them is a name nobody knows. */
static bool may_be_plugins(const struct cli *cli, const char *text)
{
    return args_value(&cli->args, "config") == NULL &&
           (strstr(text, ": neither a word nor a function of these scripts") != NULL ||
            strstr(text, "a nil value (global '") != NULL);
}

static void fail(struct cli *cli, const struct err *err)
{
    bool is_advised = may_be_plugins(cli, err->text);
    cli_fail(cli, "%s%s", err->text, is_advised ? "; " ADVICE : "");
}

static int print_findings(struct cli *cli, struct doc found)
{
    struct doc findings = doc_child(found, "findings");
    size_t count = doc_count(findings);
    bool is_advised = false;
    for (struct doc_iter it = doc_iter(findings); doc_next(&it);) {
        struct text text = doc_text(it.value.doc, "text");
        is_advised = is_advised || (text.size != 0 && may_be_plugins(cli, text.data));
        if (cli->is_json)
            cli_json(cli, it.value.doc);
        else
            print_finding(cli, it.value.doc);
    }
    if (!cli->is_json)
        buf_printf(&cli->out,
                   "%llu file%s, %llu rule%s, %llu test%s: ", COUNTED(doc_int(found, "files", 0)),
                   COUNTED(doc_int(found, "rules", 0)), COUNTED(doc_int(found, "tests", 0)));
    if (!cli->is_json && count == 0)
        buf_text(&cli->out, "nothing to mend\n");
    else if (!cli->is_json)
        buf_printf(&cli->out, "%llu finding%s%s\n", COUNTED(count), is_advised ? "; " ADVICE : "");
    return count == 0 ? EXIT_DONE : EXIT_FAILED;
}

int run_check(struct cli *cli)
{
    struct scripts scripts;
    struct buf found = BUF_INIT;
    struct err err;
    int code = EXIT_FAILED, rc = scripts_open(&scripts, cli, &err);
    if (rc == 0 && bundle_scripts(scripts.bundle) == 0)
        rc = err_set(&err, E_INVALID, "%s holds no .lua file that is not a test",
                     args_argument(&cli->args, 0));
    if (rc == 0)
        rc = lint_bundle(scripts.bundle, scripts.settings.config,
                         plugin_set_engine(scripts.plugins), &found, &err);
    if (rc == 0)
        code = print_findings(cli, (struct doc){ found.data, (uint32_t)found.size });
    else
        fail(cli, &err);
    buf_deinit(&found);
    scripts_close(&scripts);
    return code;
}

/* -- The state --------------------------------------------------------------------------- */

static void remove_files(const char *dir)
{
    static const char *const names[] = { "data.mdb", "lock.mdb" };
    char path[4096];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int open_state(struct state **out_state, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    char dir[1024];
    snprintf(dir, sizeof dir, "%s/kith-test-XXXXXX",
             folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    if (mkdtemp(dir) == NULL)
        return err_set(err, E_IO, "cannot make the directory %s: %s; TMPDIR names another place",
                       dir, strerror(errno));
    struct state_options options = { .dir = dir, .map_bytes = STATE_MAP_BYTES };
    int rc = state_open(&options, out_state, err);
    remove_files(dir);
    return rc;
}

/* -- Telling what came of a test ----------------------------------------------------------- */

/* As the company's clocks show it, which is how tests say it. */
static void cell_clock(const struct scripts *scripts, struct table *table, struct doc item,
                       const char *name)
{
    struct text at = doc_text(item, name);
    struct civil civil;
    int64_t ms;
    char text[80] = "";
    if (moment_parse(at.data, at.size, &ms, NULL) == 0) {
        zone_civil_from_ms(scripts->zone, ms, &civil);
        snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d", civil.year, civil.month, civil.day,
                 civil.hour, civil.minute);
    }
    table_add_whole(table, text_of(text), TINT_DIM);
}

static void print_indented(struct cli *cli, const struct table *table)
{
    struct buf text = BUF_INIT;
    struct screen screen = cli->screen;
    screen.width = screen.width > 8 ? screen.width - 4 : screen.width;
    table_print(table, &screen, &text);
    const char *line = buf_string(&text);
    for (size_t size; *line != '\0'; line += size + 1) {
        size = strcspn(line, "\n");
        buf_printf(&cli->out, "    %.*s\n", (int)size, line);
    }
    buf_deinit(&text);
}

/* A rule and what it gave, of a message or a reminder that was looked at. */
static void got_cells(const struct scripts *scripts, struct table *table, struct doc item)
{
    struct doc message = doc_child(item, "message"), content = doc_child(item, "content");
    struct doc given = message.data != NULL ? message : content;
    bool is_reminder = doc_text(item, "title").size != 0;
    struct text words = doc_text(given, "body");
    struct buf state = BUF_INIT;
    struct text reason = doc_text(item, "reason"), name = doc_text(item, "state");
    cell_field(table, item, "id", TINT_BOLD);
    buf_append(&state, name.data, name.size);
    if (reason.size != 0)
        buf_printf(&state, ": %.*s", (int)reason.size, reason.data);
    table_add(table, (struct text){ buf_string(&state), (uint32_t)state.size },
              tint_of_state(name));
    cell_field(table, item, "rule", TINT_NONE);
    cell_field(table, item, is_reminder ? "assignee" : "channel", TINT_NONE);
    table_add(table, is_reminder ? doc_text(item, "title") : words, TINT_NONE);
    if (is_reminder)
        cell_clock(scripts, table, item, "due");
    else
        cell_field(table, item, "to", TINT_NONE);
    buf_deinit(&state);
}

static void print_got(struct cli *cli, const struct scripts *scripts, struct doc got)
{
    static const struct column messages[] = { { "id", true },       { "state", false },
                                              { "rule", false },    { "channel", false },
                                              { "message", false }, { "to", false },
                                              { NULL, false } };
    static const struct column reminders[] = { { "id", true },        { "state", false },
                                               { "rule", false },     { "assignee", false },
                                               { "reminder", false }, { "due", false },
                                               { NULL, false } };
    struct table table;
    struct doc_iter it = doc_iter(got);
    if (got.data == NULL)
        return;
    if (!doc_next(&it)) {
        buf_text(&cli->out, "  got: nothing at all\n");
        return;
    }
    buf_text(&cli->out, "  got:\n");
    table_init(&table, doc_text(it.value.doc, "title").size != 0 ? reminders : messages);
    do
        got_cells(scripts, &table, it.value.doc);
    while (doc_next(&it));
    print_indented(cli, &table);
    table_deinit(&table);
}

/* That it went out, effect.sent says as well. */
static bool is_plumbing(struct doc item)
{
    return text_is(doc_text(item, "type"), "effect.claim") ||
           text_is(doc_text(item, "type"), "effect.outcome");
}

/* The first thing first: a story, where `kith timeline` is for looking up what is new. */
static void print_timeline(struct cli *cli, const struct scripts *scripts, struct doc report)
{
    struct doc lines[TEST_TIMELINE_MAX], customer = doc_child(report, "customer");
    struct text name = doc_text(customer, "name");
    size_t count = 0;
    struct table table;
    for (struct doc_iter it = doc_iter(doc_child(report, "timeline"));
         count < TEST_TIMELINE_MAX && doc_next(&it);)
        if (!is_plumbing(it.value.doc))
            lines[count++] = it.value.doc;
    if (count == 0)
        return;
    buf_printf(&cli->out, "  what happened to customer %lld%s%.*s:\n",
               (long long)doc_int(customer, "id", 0), name.size != 0 ? ", " : "", (int)name.size,
               name.data);
    table_init(&table, timeline_columns);
    while (count-- != 0) {
        cell_clock(scripts, &table, lines[count], "logged");
        timeline_cells(cli, &table, lines[count]);
    }
    print_indented(cli, &table);
    table_deinit(&table);
}

static void print_failure(struct cli *cli, const struct scripts *scripts, struct doc report)
{
    struct text message = doc_text(report, "message");
    struct doc rule = doc_child(report, "rule");
    struct text rule_name = doc_text(rule, "rule"), why = doc_text(rule, "message");
    buf_text(&cli->out, "  ");
    text_clean(message, &cli->out);
    buf_byte(&cli->out, '\n');
    if (rule.data != NULL && memmem(message.data, message.size, why.data, why.size) == NULL) {
        buf_printf(&cli->out, "  rule \"%.*s\" failed: ", (int)rule_name.size, rule_name.data);
        text_clean(why, &cli->out);
        buf_byte(&cli->out, '\n');
    }
    print_got(cli, scripts, doc_child(report, "got"));
    print_timeline(cli, scripts, report);
}

static void print_report(struct cli *cli, const struct scripts *scripts, struct doc report)
{
    bool is_ok = doc_bool(report, "ok", false);
    struct buf title = BUF_INIT;
    screen_tint(&cli->screen, is_ok ? TINT_GREEN : TINT_RED, is_ok ? "ok" : "FAILED", &cli->out);
    text_clean(doc_text(report, "file"), &title);
    buf_printf(&title, ":%lld: ", (long long)doc_int(report, "line", 0));
    text_clean(doc_text(report, "name"), &title);
    buf_printf(&cli->out, "%s%s\n", is_ok ? "      " : "  ", buf_string(&title));
    buf_deinit(&title);
    if (!is_ok)
        print_failure(cli, scripts, report);
}

/* What people see is what --json prints. */
static void tell(struct cli *cli, const struct scripts *scripts, struct doc report)
{
    const struct json_limits limits = { .depth_max = DOC_DEPTH_MAX };
    struct buf text = BUF_INIT, read = BUF_INIT;
    struct doc doc;
    struct err err;
    if (cli->is_json) {
        cli_json(cli, report);
        return;
    }
    struct json_reader *reader = json_reader_new();
    json_write_doc(&text, report);
    if (json_to_doc(reader, (const char *)text.data, text.size, &limits, &read, &doc, &err) == 0)
        print_report(cli, scripts, doc);
    else
        cli_fail(cli, "%s", err.text);
    json_reader_free(reader);
    buf_deinit(&text);
    buf_deinit(&read);
}

/* -- test ---------------------------------------------------------------------------------- */

static bool is_wanted(struct cli *cli, struct suite_test test)
{
    const char *filter = args_value(&cli->args, "filter");
    return filter == NULL || strstr(test.name, filter) != NULL || strstr(test.file, filter) != NULL;
}

/* A test does not notice what another did to a plugin. */
static int revive(const struct scripts *scripts, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin_set_count(scripts->plugins); i++) {
        struct remote *remote;
        if (!plugin_set_is_lost(scripts->plugins, i))
            continue;
        rc = plugin_set_another(scripts->plugins, i, &remote, err);
        if (rc == 0)
            plugin_set_replace(scripts->plugins, i, remote);
    }
    return rc;
}

static int run_tests(struct cli *cli, const struct scripts *scripts, struct suite *suite)
{
    const char *dir = args_argument(&cli->args, 0);
    size_t passed = 0, failed = 0;
    struct buf report = BUF_INIT;
    struct err err;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < suite_count(suite); i++) {
        if (!is_wanted(cli, suite_test(suite, i)))
            continue;
        buf_clear(&report);
        bool is_ok = suite_run(suite, i, &report);
        tell(cli, scripts, (struct doc){ report.data, (uint32_t)report.size });
        cli_flush(cli);
        passed += is_ok;
        failed += !is_ok;
        rc = revive(scripts, &err);
    }
    buf_deinit(&report);
    if (rc != 0)
        return cli_fail(cli, "%s", err.text);
    if (suite_count(suite) == 0)
        return cli_fail(cli, "%s has no tests: they stand in files called *_test.lua", dir);
    if (passed + failed == 0)
        return cli_fail(cli, "no test of %s has \"%s\" in its name or its file's", dir,
                        args_value(&cli->args, "filter"));
    if (!cli->is_json)
        buf_printf(&cli->out, "%zu passed, %zu failed\n", passed, failed);
    return failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

int run_test(struct cli *cli)
{
    struct scripts scripts;
    struct state *state = NULL;
    struct suite *suite = NULL;
    struct err err;
    int code = EXIT_FAILED, rc = scripts_open(&scripts, cli, &err);
    if (rc == 0)
        rc = open_state(&state, &err);
    struct suite_options options = { scripts.bundle, scripts.settings.config, state,
                                     plugin_set_engine(scripts.plugins) };
    if (rc == 0)
        rc = suite_open(&options, &suite, &err);
    if (rc == 0)
        code = run_tests(cli, &scripts, suite);
    else
        fail(cli, &err);
    suite_close(suite);
    if (state != NULL)
        state_close(state);
    scripts_close(&scripts);
    return code;
}
