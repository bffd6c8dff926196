/* cli.h -- what every command works with: the line that was typed, the daemon, the screen.
 *
 * A command returns an exit code and prints its own errors, through cli_fail() or by
 * calling the daemon with cli_call().  Paths are built in cli->path, bodies in cli->body;
 * results are collected in cli->out and written by kith_main().  One thread.
 */
#ifndef CORE_CLI_CLI_H
#define CORE_CLI_CLI_H

#include "core/base/err.h"
#include "core/cli/client.h"
#include "core/cli/command.h"
#include "core/cli/table.h"

struct cli {
    struct args args;
    struct client *client;
    struct screen screen;
    bool is_json;
    struct buf path, body, out;
    const char *due_argument; /* that is sent as "due"; NULL: it is an option */
    const char *body_type;    /* Content-Type of the next change; NULL: JSON */
};

/* Say on standard error what went wrong.  They return EXIT_FAILED, but as noted. */
__attribute__((format(printf, 2, 3))) int cli_fail(struct cli *cli, const char *format, ...);
int cli_fail_err(struct cli *cli, const struct err *err); /* E_IO: EXIT_UNREACHABLE */
/* "cannot VERB PATH: reason", of the errno `error`; of a file that is there already with what
 * to do about it. */
int cli_fail_file(struct cli *cli, const char *verb, const char *path, int error);

/* Print what a status beyond 2xx says; the exit code. */
int cli_problem(struct cli *cli, const struct reply *reply);

/* Begin a path: "/v1/customers/" and an argument, encoded; `rest` follows as it is.
 * Either may be NULL. */
void cli_path(struct cli *cli, const char *head, const char *argument, const char *rest);

/* The value of an option, which must be one of `choices` ("a|b|c"); NULL: not given.  False: it is
 * none, and that has been said: EXIT_USAGE. */
bool cli_choice(struct cli *cli, const char *option, const char *choices, const char **out_value);

/* Whether `kith help lua NAME.WORD` is asked: a word that a plugin offers, which only a daemon
 * knows.  One that is not reachable is no error. */
bool help_asks_daemon(const struct cli *cli);
/* Tell of such a word what its plugin says of it, or where such words are listed. */
int help_plugin_word(struct cli *cli, const char *word);

/* Call cli->path.  A status beyond 2xx is printed and becomes an exit code: EXIT_USAGE where the
 * daemon does not understand what an option says.  *out_doc lives until the next call. */
int cli_get(struct cli *cli, struct doc *out_doc);
int cli_send(struct cli *cli, const char *method, struct doc *out_doc); /* with cli->body */
int cli_post(struct cli *cli, struct doc *out_doc);
/* The same by any method, and with --json the answer is printed: then nothing else is to be. */
int cli_answer(struct cli *cli, const char *method, struct doc *out_doc);

/* "1 row", "2 rows". */
#define COUNTED(count) (unsigned long long)(count), (count) == 1 ? "" : "s"

/* Walk the list at cli->path, whatever the number of its pages, up to `limit` items
 * (0: all).  With --json each item is printed as it is and `each` is not called.  That the list is
 * behind what has happened is said on standard error. */
typedef void cli_item_fn(struct cli *cli, struct doc item, void *arg);
int cli_list(struct cli *cli, int64_t limit, cli_item_fn *each, void *arg);
/* The same where the items are not for the reader: `each` is called with --json too. */
int cli_collect(struct cli *cli, int64_t limit, cli_item_fn *each, void *arg);
/* --limit, or `otherwise`; false: it is no number, and that has been said. */
bool cli_limit(struct cli *cli, int64_t otherwise, int64_t *out_limit);

/* The customer that somebody wrote, as the daemon takes it: a reference as it is, else the number
 * of the only one who is found by it.  Nobody or several: that has been said. */
int cli_find_customer(struct cli *cli, const char *text, struct buf *out_reference);

/* Write what has been collected so far. */
void cli_flush(struct cli *cli);
void cli_json(struct cli *cli, struct doc doc); /* one line */
void cli_table(struct cli *cli, const struct table *table, const char *when_empty);

/* Append "total 120, product Tea": the fields of an event in one line. */
void print_data(struct cli *cli, struct buf *out, struct doc data);

/* An entry of a timeline: its cells behind the first, which is its time. */
extern const struct column timeline_columns[];
void timeline_cells(struct cli *cli, struct table *table, struct doc item);

/* Cells from fields of a document. */
void cell_field(struct table *table, struct doc doc, const char *name, enum tint tint);
void cell_state(struct table *table, struct doc doc, const char *name); /* in its colour */
void cell_time(struct cli *cli, struct table *table, struct doc doc, const char *name);

/* cli->body as a JSON object: body_open(), fields, body_close(). */
void body_open(struct cli *cli);
void body_text(struct cli *cli, const char *name, const char *value); /* NULL: left out */
void body_close(struct cli *cli);

/* Remove what the first argument names: DELETE on `head` and it; "NAME `words`" is said. */
int remove_named(struct cli *cli, const char *head, const char *words);

/* Whether somebody on the staff has this name, in a house that has any; else that has been said. */
int staff_check(struct cli *cli, const char *name);
/* The same as a remark, where it is no failure: she may yet come.  Not with --json. */
int staff_note(struct cli *cli, const char *name);

/* Whether an item of the list of staff is a team. */
bool staff_is_team(struct doc item);

/* Print that it is a team, and whether anybody is in it.  team.c; the exit code. */
int team_say(struct cli *cli, const char *name);

/* leaving.c: which teams somebody is in and whose deputy she is; of a team, who is in it.  The
 * caller sets name and is_dry, and frees the lines. */
struct leaving {
    const char *name;
    bool is_dry; /* so it is; else it was so */
    bool is_team, is_json;
    struct buf lines;
};
int leaving_list(struct cli *cli, struct leaving *leaving);
void leaving_print(struct cli *cli, const struct leaving *leaving);

/* Put a file: its hash, appended.  Else what was wrong has been said. */
int cli_put_file(struct cli *cli, const char *path, const char *type, struct buf *out_hash);

/* The commands; each is described in commands.c. */
int run_assign(struct cli *cli);
int run_backup(struct cli *cli);
int run_bundles(struct cli *cli);
int run_channels(struct cli *cli);
int run_check(struct cli *cli);
int run_clock_accept(struct cli *cli);
int run_completion(struct cli *cli);
int run_consent(struct cli *cli);
int run_deploy(struct cli *cli);
int run_doctor(struct cli *cli);
int run_done(struct cli *cli);
int run_drop(struct cli *cli);
int run_effects(struct cli *cli);
int run_erase(struct cli *cli);
int run_erasures(struct cli *cli);
int run_explain(struct cli *cli);
int run_export(struct cli *cli);
int run_file_get(struct cli *cli);
int run_file_put(struct cli *cli);
int run_get(struct cli *cli);
int run_handover_confirm(struct cli *cli);
int run_handover_call_off(struct cli *cli);
int run_handover_list(struct cli *cli);
int run_handover_prepare(struct cli *cli);
int run_handover_show(struct cli *cli);
int run_help(struct cli *cli);
int run_import(struct cli *cli);
int run_key_add(struct cli *cli);
int run_key_list(struct cli *cli);
int run_key_remove(struct cli *cli);
int run_link(struct cli *cli);
int run_merge(struct cli *cli);
int run_note(struct cli *cli);
int run_pause(struct cli *cli);
int run_pause_channel(struct cli *cli);
int run_pause_rule(struct cli *cli);
int run_plugin_check(struct cli *cli);
int run_plugin_disable(struct cli *cli);
int run_plugin_enable(struct cli *cli);
int run_plugin_list(struct cli *cli);
int run_plugin_new(struct cli *cli);
int run_plugin_reload(struct cli *cli);
int run_budget_list(struct cli *cli);
int run_budget_show(struct cli *cli);
int run_budget_timeline(struct cli *cli);
int run_pool_list(struct cli *cli);
int run_pool_load(struct cli *cli);
int run_pool_show(struct cli *cli);
int run_pool_timeline(struct cli *cli);
int run_preview(struct cli *cli);
int run_promise_add(struct cli *cli);
int run_promise_apologize(struct cli *cli);
int run_promise_keep(struct cli *cli);
int run_promise_list(struct cli *cli);
int run_promise_recover(struct cli *cli);
int run_promise_withdraw(struct cli *cli);
int run_record_add(struct cli *cli);
int run_record_assign(struct cli *cli);
int run_record_change(struct cli *cli);
int run_record_link(struct cli *cli);
int run_record_move(struct cli *cli);
int run_record_note(struct cli *cli);
int run_record_show(struct cli *cli);
int run_records(struct cli *cli);
int run_release(struct cli *cli);
int run_remind(struct cli *cli);
int run_reminders(struct cli *cli);
int run_restore(struct cli *cli);
int run_resume(struct cli *cli);
int run_resume_channel(struct cli *cli);
int run_resume_rule(struct cli *cli);
int run_rollback(struct cli *cli);
int run_rules(struct cli *cli);
int run_search(struct cli *cli);
int run_show(struct cli *cli);
int run_snooze(struct cli *cli);
int run_staff_absent(struct cli *cli);
int run_staff_add(struct cli *cli);
int run_staff_back(struct cli *cli);
int run_staff_list(struct cli *cli);
int run_staff_remove(struct cli *cli);
int run_staff_show(struct cli *cli);
int run_state_hash(struct cli *cli);
int run_suppress(struct cli *cli);
int run_tail(struct cli *cli);
int run_team(struct cli *cli);
int run_team_set(struct cli *cli);
int run_test(struct cli *cli);
int run_timeline(struct cli *cli);
int run_unmerge(struct cli *cli);
int run_verify(struct cli *cli);

#endif
