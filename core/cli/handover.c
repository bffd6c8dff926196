/* handover.c -- kith staff remove: a colleague leaves, and what was hers goes to somebody.
 *
 * What is hers is listed first -- customers, open records of every kind, open follow-ups -- and
 * then given away, one change after the other, each an entry of its own with the name of whoever
 * did it.  An interrupted handover is simply run again: what was given is not hers any more.
 * Customers go before records, so that what a rule asks of the owner in between is asked of the new
 * one, and records before follow-ups, since those of a record's deadlines go with it.
 *
 * Then it is looked again: what came to her meanwhile is given too, and she does not go while
 * anything is left.  The list from before is the protocol, with the teams that she was in and whose
 * deputy she was: the daemon ends that when she goes.
 */
#include "core/cli/cli.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 5

enum what { CUSTOMERS, RECORDS, FOLLOW_UPS, WHATS };

struct thing {
    enum what what;
    int64_t number;
    char *kind;  /* of a record */
    char *title; /* by which people know it */
};

struct belongings {
    const char *owner, *kind; /* the kind that is listed */
    enum what what;
    struct thing *things;
    size_t count, room;
};

static void belongings_deinit(struct belongings *hers)
{
    for (size_t i = 0; i < hers->count; i++) {
        free(hers->things[i].kind);
        free(hers->things[i].title);
    }
    free(hers->things);
    *hers = (struct belongings){ .owner = hers->owner };
}

static char *copy_of(struct text text)
{
    char *copy = mem_zero((size_t)text.size + 1);
    if (text.size != 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

static void keep(struct belongings *hers, struct doc item, struct text title)
{
    if (hers->count == hers->room) {
        hers->room = hers->room == 0 ? 64 : 2 * hers->room;
        hers->things = mem_resize(hers->things, hers->room * sizeof *hers->things);
    }
    hers->things[hers->count++] = (struct thing){
        .what = hers->what,
        .number = doc_int(item, "id", 0),
        .kind = hers->what == RECORDS ? mem_string(hers->kind) : NULL,
        .title = copy_of(title),
    };
}

static size_t count_of(const struct belongings *hers, enum what what)
{
    size_t count = 0;
    for (size_t i = 0; i < hers->count; i++)
        count += hers->things[i].what == what;
    return count;
}

/* -- What is hers ------------------------------------------------------------------------------ */

static void customer_item(struct cli *cli, struct doc item, void *arg)
{
    struct belongings *hers = arg;
    (void)cli;
    if (text_is(doc_text(item, "owner"), hers->owner))
        keep(hers, item, doc_text(item, "name"));
}

static void titled_item(struct cli *cli, struct doc item, void *arg)
{
    (void)cli;
    keep(arg, item, doc_text(item, "title"));
}

/* Names of kinds, each with a zero behind it. */
static void kind_item(struct cli *cli, struct doc item, void *arg)
{
    struct text kind = doc_text(item, "kind");
    (void)cli;
    buf_append(arg, kind.data, kind.size);
    buf_byte(arg, '\0');
}

static int list_customers(struct cli *cli, struct belongings *hers)
{
    hers->what = CUSTOMERS;
    cli_path(cli, "/v1/customers", NULL, NULL);
    return cli_collect(cli, 0, customer_item, hers);
}

static int list_records(struct cli *cli, struct belongings *hers)
{
    struct buf kinds = BUF_INIT;
    hers->what = RECORDS;
    cli_path(cli, "/v1/records", NULL, NULL);
    int code = cli_collect(cli, 0, kind_item, &kinds);
    for (size_t at = 0; at < kinds.size && code == EXIT_DONE; at += strlen(hers->kind) + 1) {
        hers->kind = (const char *)kinds.data + at;
        cli_path(cli, "/v1/records/", hers->kind, "?open=1");
        path_query(&cli->path, "owner", hers->owner);
        code = cli_collect(cli, 0, titled_item, hers);
    }
    hers->kind = NULL;
    buf_deinit(&kinds);
    return code;
}

/* Those in her list, and those that a deputy has for her. */
static int list_follow_ups(struct cli *cli, int64_t limit, struct belongings *hers)
{
    static const char *const lists[] = { "to", "of" };
    int code = EXIT_DONE;
    hers->what = FOLLOW_UPS;
    for (size_t i = 0; i < 2 && code == EXIT_DONE; i++) {
        cli_path(cli, "/v1/reminders", NULL, NULL);
        path_query(&cli->path, lists[i], hers->owner);
        code = cli_collect(cli, limit, titled_item, hers);
    }
    return code;
}

static int list_all(struct cli *cli, struct belongings *hers)
{
    int code = list_customers(cli, hers);
    if (code == EXIT_DONE)
        code = list_records(cli, hers);
    return code == EXIT_DONE ? list_follow_ups(cli, 0, hers) : code;
}

/* -- Giving ------------------------------------------------------------------------------------ */

static int give(struct cli *cli, const struct thing *thing, const char *to)
{
    struct doc answer = { NULL, 0 };
    struct buf number = BUF_INIT;
    body_open(cli);
    body_text(cli, thing->what == FOLLOW_UPS ? "to" : "owner", to);
    body_close(cli);
    buf_printf(&number, "%lld", (long long)thing->number);
    if (thing->what == RECORDS) {
        buf_clear(&number);
        buf_printf(&number, "/%lld/assign", (long long)thing->number);
        cli_path(cli, "/v1/records/", thing->kind, buf_string(&number));
    } else if (thing->what == CUSTOMERS) {
        cli_path(cli, "/v1/customers/", buf_string(&number), "/assign");
    } else {
        cli_path(cli, "/v1/reminders/", buf_string(&number), NULL);
    }
    int code = cli_send(cli, thing->what == FOLLOW_UPS ? "PATCH" : "POST", &answer);
    buf_deinit(&number);
    return code;
}

static int give_kind(struct cli *cli, const struct belongings *hers, enum what what, const char *to)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < hers->count && code == EXIT_DONE; i++)
        if (hers->things[i].what == what)
            code = give(cli, &hers->things[i], to);
    return code;
}

/* Follow-ups are listed anew: with customers and records many of them have gone. */
static int give_round(struct cli *cli, const struct belongings *hers, const char *to)
{
    struct belongings rest = { .owner = hers->owner };
    int code = give_kind(cli, hers, CUSTOMERS, to);
    if (code == EXIT_DONE)
        code = give_kind(cli, hers, RECORDS, to);
    if (code == EXIT_DONE)
        code = list_follow_ups(cli, 0, &rest);
    if (code == EXIT_DONE)
        code = give_kind(cli, &rest, FOLLOW_UPS, to);
    belongings_deinit(&rest);
    return code;
}

static int give_rest(struct cli *cli, const char *name, const char *to)
{
    int code = EXIT_DONE;
    for (size_t round = 0; round < ROUNDS_MAX && code == EXIT_DONE; round++) {
        struct belongings rest = { .owner = name };
        code = list_all(cli, &rest);
        size_t count = rest.count;
        if (code == EXIT_DONE && count != 0)
            code = give_round(cli, &rest, to);
        belongings_deinit(&rest);
        if (count == 0)
            return code;
    }
    return code != EXIT_DONE
               ? code
               : cli_fail(cli,
                          "what was handed over to %s is %s's again: is she in that team, "
                          "or does a rule give it back?  Say that she is away (kith "
                          "staff absent %s --to DAY), and run this again",
                          to, name, name);
}

/* -- The protocol ------------------------------------------------------------------------------ */

static void print_thing(struct cli *cli, const struct thing *thing)
{
    static const char *const names[] = { "customer", NULL, "follow-up" };
    struct doc_writer w;
    struct buf bytes = BUF_INIT;
    const char *name = thing->what == RECORDS ? thing->kind : names[thing->what];
    if (cli->is_json) {
        doc_begin(&w, &bytes);
        doc_put_string(&w, "what", name);
        doc_put_int(&w, "id", thing->number);
        doc_put_string(&w, "title", thing->title);
        cli_json(cli, doc_end(&w));
    } else {
        buf_printf(&cli->out, "    %s %lld%s%s\n", name, (long long)thing->number,
                   *thing->title != '\0' ? ": " : "", thing->title);
    }
    buf_deinit(&bytes);
}

static void print_all(struct cli *cli, const struct belongings *hers, const char *to, bool is_dry)
{
    size_t records = count_of(hers, RECORDS);
    if (!cli->is_json) {
        buf_printf(&cli->out, "%llu customer%s", COUNTED(count_of(hers, CUSTOMERS)));
        if (records != 0)
            buf_printf(&cli->out, ", %llu record%s", COUNTED(records));
        buf_printf(&cli->out, " and %llu follow-up%s of %s: %s of %s\n",
                   COUNTED(count_of(hers, FOLLOW_UPS)), hers->owner, is_dry ? "would be" : "now",
                   to);
    }
    for (size_t i = 0; i < hers->count; i++)
        print_thing(cli, &hers->things[i]);
}

static int hand_over(struct cli *cli, const char *name, const char *to, bool is_dry)
{
    struct belongings hers = { .owner = name };
    int code = staff_check(cli, to);
    if (code == EXIT_DONE)
        code = list_all(cli, &hers);
    if (code == EXIT_DONE && !is_dry)
        code = give_round(cli, &hers, to);
    if (code == EXIT_DONE && !is_dry)
        code = give_rest(cli, name, to);
    if (code == EXIT_DONE)
        print_all(cli, &hers, to, is_dry);
    belongings_deinit(&hers);
    return code;
}

/* Who has something to do cannot go: say so before the daemon does, with the way out. */
static int has_nothing_to_do(struct cli *cli, const char *name)
{
    struct belongings hers = { .owner = name };
    int code = list_follow_ups(cli, 1, &hers);
    if (code == EXIT_DONE && hers.count != 0)
        code = cli_fail(cli,
                        "%s has open follow-ups: kith staff remove %s --to STAFF hands them over, "
                        "with all customers",
                        name, name);
    belongings_deinit(&hers);
    return code;
}

int run_staff_remove(struct cli *cli)
{
    const char *name = args_argument(&cli->args, 0), *to = args_value(&cli->args, "to");
    bool is_dry = args_has(&cli->args, "dry-run");
    if (is_dry && to == NULL)
        return cli_fail(cli, "--dry-run needs --to STAFF: who would get what is hers");
    if (to != NULL && strcmp(to, name) == 0)
        return cli_fail(cli, "--to is somebody else than %s, who leaves", name);
    struct leaving leaving = { .name = name, .is_dry = is_dry };
    int code = to != NULL ? hand_over(cli, name, to, is_dry) : has_nothing_to_do(cli, name);
    if (code == EXIT_DONE)
        code = leaving_list(cli, &leaving);
    if (code == EXIT_DONE && !is_dry)
        code = remove_named(cli, "/v1/staff/",
                            leaving.is_team ? "is no team any more" : "is no longer on the staff");
    if (code == EXIT_DONE)
        leaving_print(cli, &leaving);
    buf_deinit(&leaving.lines);
    return code;
}
