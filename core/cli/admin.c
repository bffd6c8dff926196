/* admin.c -- bundles, staff, keys, and the health of the log: an admin's commands. */
#include "core/cli/cli.h"

#include "core/base/json_write.h"
#include "core/script/bundle.h"
#include "core/script/reference.h"

#include <string.h>

static int post_empty(struct cli *cli, const char *path, struct doc *out_doc)
{
    body_open(cli);
    body_close(cli);
    cli_path(cli, path, NULL, NULL);
    return cli_answer(cli, "POST", out_doc);
}

/* -- Bundles ----------------------------------------------------------------------------- */

static void say_active(struct cli *cli, struct doc bundle)
{
    if (cli->is_json)
        return;
    struct text hash = doc_text(bundle, "hash");
    int64_t files = doc_int(bundle, "files", 0), rules = doc_int(bundle, "rules", 0);
    buf_printf(&cli->out, "in force: %.*s since entry %lld: %llu file%s, %llu rule%s\n",
               (int)hash.size, hash.data, (long long)doc_int(bundle, "seq", 0), COUNTED(files),
               COUNTED(rules));
    for (struct doc_iter it = doc_iter(doc_child(bundle, "undeclared")); doc_next(&it);) {
        struct text kind = doc_text(it.value.doc, "kind");
        int64_t open = doc_int(it.value.doc, "open", 0);
        buf_printf(&cli->out,
                   "the kind %.*s is not declared any more, and has %llu open record%s: nobody is "
                   "reminded of their deadlines\n",
                   (int)kind.size, kind.data, COUNTED(open));
    }
}

int run_deploy(struct cli *cli)
{
    struct buf files = BUF_INIT;
    struct doc bundle, answer = { NULL, 0 };
    struct err err;
    if (bundle_read_dir(args_argument(&cli->args, 0), &files, &bundle, &err) != 0) {
        buf_deinit(&files);
        return cli_fail(cli, "%s", err.text); /* a file's trouble, not the daemon's */
    }
    if (bundle_scripts(bundle) == 0) {
        buf_deinit(&files);
        return cli_fail(cli,
                        "%s: no .lua file among the files: all rules would be gone; to be "
                        "without any, deploy a file that holds none",
                        args_argument(&cli->args, 0));
    }
    buf_clear(&cli->body);
    json_write_doc(&cli->body, bundle);
    buf_deinit(&files);
    cli_path(cli, "/v1/bundles", NULL, NULL);
    int code = cli_answer(cli, "POST", &answer);
    if (code == EXIT_DONE)
        say_active(cli, answer);
    return code;
}

static void bundle_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    bool is_active = doc_bool(item, "active", false);
    (void)cli;
    table_add_whole(table, doc_text(item, "hash"), is_active ? TINT_BOLD : TINT_NONE);
    table_add_string(table, is_active ? "active" : "", TINT_GREEN);
    cell_field(table, item, "seq", TINT_NONE);
}

int run_bundles(struct cli *cli)
{
    static const struct column columns[] = {
        { "hash", false }, { "state", false }, { "entry", true }, { NULL, false }
    };
    struct table table;
    table_init(&table, columns);
    cli_path(cli, "/v1/bundles", NULL, NULL);
    int code = cli_list(cli, 0, bundle_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "nothing has been deployed: kith deploy DIR");
    table_deinit(&table);
    return code;
}

/* Its `from` is the bundle that is in force now; empty: none is. */
static int body_from(struct cli *cli)
{
    struct doc page = { NULL, 0 };
    cli_path(cli, "/v1/bundles?limit=1", NULL, NULL);
    int code = cli_get(cli, &page);
    struct doc_iter it = doc_iter(doc_child(page, "items"));
    struct doc bundle = code == EXIT_DONE && doc_next(&it) ? it.value.doc : (struct doc){ NULL, 0 };
    struct buf hash = BUF_INIT;
    struct doc_value value = doc_get(bundle, "hash");
    if (value.type == DOC_TEXT)
        value_print(&value, &hash);
    body_open(cli);
    body_text(cli, "from", hash.size != 0 ? buf_string(&hash) : NULL);
    body_close(cli);
    buf_deinit(&hash);
    return code;
}

/* It says what it leaves: done twice, whatever happens in between, it does not go back further. */
int run_rollback(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    int code = body_from(cli);
    if (code != EXIT_DONE)
        return code;
    cli_path(cli, "/v1/bundles/rollback", NULL, NULL);
    code = cli_answer(cli, "POST", &answer);
    if (code == EXIT_DONE)
        say_active(cli, answer);
    return code;
}

/* -- Keys -------------------------------------------------------------------------------- */

/* The standard scope is what a clerk needs. */
static void body_scopes(struct cli *cli)
{
    size_t at = 0;
    const char *scope = args_next(&cli->args, "scope", &at), *gap = "";
    if (cli->body.size > 1)
        buf_byte(&cli->body, ',');
    buf_text(&cli->body, "\"scopes\":[");
    if (scope == NULL)
        buf_text(&cli->body, "\"staff\"");
    for (; scope != NULL; scope = args_next(&cli->args, "scope", &at), gap = ",") {
        buf_text(&cli->body, gap);
        json_write_text(&cli->body, text_of(scope));
    }
    buf_byte(&cli->body, ']');
}

/* How often it may call; false: it is no number, and that has been said. */
static bool body_rate(struct cli *cli)
{
    const char *burst = args_value(&cli->args, "burst");
    body_text(cli, "rate", args_value(&cli->args, "rate"));
    if (burst == NULL)
        return true;
    if (*burst == '\0' || strspn(burst, "0123456789") != strlen(burst) || strlen(burst) > 7) {
        cli_fail(cli, "--burst is a whole number, not \"%s\"", burst);
        return false;
    }
    buf_printf(&cli->body, ",\"burst\":%s", burst);
    return true;
}

/* The secret alone on its line: `kith key add shop --scope write > shop.key`. */
int run_key_add(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    body_open(cli);
    body_text(cli, "staff", args_value(&cli->args, "as"));
    body_scopes(cli);
    if (!body_rate(cli))
        return EXIT_USAGE;
    body_close(cli);
    cli_path(cli, "/v1/keys/", args_argument(&cli->args, 0), NULL);
    int code = cli_answer(cli, "PUT", &answer);
    if (code == EXIT_DONE && !cli->is_json) {
        text_clean(doc_text(answer, "secret"), &cli->out);
        buf_byte(&cli->out, '\n');
    }
    return code;
}

/* -- Care -------------------------------------------------------------------------------- */

int run_verify(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    int code = post_empty(cli, "/v1/verify", &answer);
    if (code != EXIT_DONE)
        return code;
    bool is_ok = doc_bool(answer, "ok", false);
    if (cli->is_json)
        return is_ok ? EXIT_DONE : EXIT_FAILED;
    for (struct doc_iter it = doc_iter(doc_child(answer, "faults")); doc_next(&it);) {
        buf_text(&cli->out, "fault: ");
        value_print(&it.value, &cli->out);
        buf_byte(&cli->out, '\n');
    }
    struct text hash = doc_text(answer, "hash"), fresh = doc_text(answer, "fresh");
    buf_printf(&cli->out, "%s: %lld entries, state %.*s, folded anew %.*s\n",
               is_ok ? "ok" : "not ok", (long long)doc_int(answer, "entries", 0), (int)hash.size,
               hash.data, (int)fresh.size, fresh.data);
    return is_ok ? EXIT_DONE : EXIT_FAILED;
}

int run_state_hash(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    cli_path(cli, "/v1/state-hash", NULL, NULL);
    int code = cli_answer(cli, "GET", &answer);
    if (code == EXIT_DONE && !cli->is_json) {
        struct text hash = doc_text(answer, "hash");
        buf_printf(&cli->out, "%.*s at entry %lld\n", (int)hash.size, hash.data,
                   (long long)doc_int(answer, "seq", 0));
    }
    return code;
}

int run_clock_accept(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    int code = post_empty(cli, "/v1/clock/accept", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_text(&cli->out, "the machine's clock is accepted\n");
    return code;
}

/* -- Help -------------------------------------------------------------------------------- */

#define LUA "lua "

/* `kith help lua remind`: words of scripts, which no command has. */
static int help_lua(struct cli *cli, const char *word)
{
    if (word[0] == '\0') {
        reference_overview(&cli->out);
        buf_text(&cli->out, "Words that plugins offer, as their daemon has them: kith help lua "
                            "PLUGIN.WORD\n");
        return EXIT_DONE;
    }
    if (reference_word(&cli->out, word))
        return EXIT_DONE;
    if (strchr(word, '.') != NULL)
        return help_plugin_word(cli, word);
    const char *near = reference_near(word);
    if (near != NULL)
        cli_fail(cli, "there is no word \"%s\": did you mean \"%s\"?", word, near);
    else
        cli_fail(cli, "there is no word \"%s\": `kith help lua` lists them", word);
    return EXIT_USAGE;
}

int run_help(struct cli *cli)
{
    const char *name = args_argument(&cli->args, 0), *man = args_value(&cli->args, "man");
    struct err err;
    if (man != NULL)
        return manual_write(man, &err) != 0 ? cli_fail_err(cli, &err) : EXIT_DONE;
    if (args_has(&cli->args, "page")) {
        reference_page(&cli->out);
        return EXIT_DONE;
    }
    if (name != NULL && strncmp(name, LUA, strlen(LUA)) == 0)
        return help_lua(cli, name + strlen(LUA));
    if (name != NULL && strcmp(name, "lua") == 0)
        return help_lua(cli, "");
    if (name == NULL) {
        help_overview(&cli->out);
        return EXIT_DONE;
    }
    const struct command *command = command_find(name);
    if (command == NULL && help_group(&cli->out, name))
        return EXIT_DONE;
    if (command == NULL) {
        cli_fail(cli, "there is no command \"%s\": `kith help` lists them", name);
        return EXIT_USAGE;
    }
    help_command(&cli->out, command);
    return EXIT_DONE;
}

int run_completion(struct cli *cli)
{
    const char *shell = args_argument(&cli->args, 0);
    completion_script(&cli->out, shell != NULL ? shell : "bash");
    return EXIT_DONE;
}
