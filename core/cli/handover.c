/* handover.c -- kith staff remove: a colleague leaves, and what was hers goes to somebody.
 *
 * What is hers is read first and then given away, one change after the other, each an entry of its
 * own with the name of whoever did it.  An interrupted handover is simply run again: what was given
 * is not hers any more.  Customers go before follow-ups, so that what a rule asks of the owner in
 * between is asked of the new one.
 */
#include "core/cli/cli.h"

#include <stdlib.h>

struct belongings {
    const char *owner;
    struct buf numbers; /* int64_t each */
};

static void keep(struct belongings *belongings, struct doc item)
{
    int64_t number = doc_int(item, "id", 0);
    buf_append(&belongings->numbers, &number, sizeof number);
}

static void customer_item(struct cli *cli, struct doc item, void *arg)
{
    struct belongings *belongings = arg;
    (void)cli;
    if (text_is(doc_text(item, "owner"), belongings->owner))
        keep(belongings, item);
}

static void reminder_item(struct cli *cli, struct doc item, void *arg)
{
    (void)cli;
    keep(arg, item);
}

/* The items are not for the reader, whatever was asked for. */
static int collect(struct cli *cli, int64_t limit, cli_item_fn *each, struct belongings *belongings)
{
    bool is_json = cli->is_json;
    cli->is_json = false;
    int code = cli_list(cli, limit, each, belongings);
    cli->is_json = is_json;
    return code;
}

/* Call `method` on each, with `field` as who gets it. */
static int give(struct cli *cli, const struct belongings *belongings, const char *method,
                const char *head, const char *rest, const char *field)
{
    const int64_t *numbers = (const int64_t *)(const void *)belongings->numbers.data;
    size_t count = belongings->numbers.size / sizeof *numbers;
    struct doc answer = { NULL, 0 };
    struct buf number = BUF_INIT;
    int code = EXIT_DONE;
    body_open(cli);
    body_text(cli, field, args_value(&cli->args, "to"));
    body_close(cli);
    for (size_t i = 0; i < count && code == EXIT_DONE; i++) {
        buf_clear(&number);
        buf_printf(&number, "%lld", (long long)numbers[i]);
        cli_path(cli, head, buf_string(&number), rest);
        code = cli_send(cli, method, &answer);
    }
    buf_deinit(&number);
    return code;
}

static int give_customers(struct cli *cli, const char *name, size_t *out_count)
{
    struct belongings hers = { name, BUF_INIT };
    cli_path(cli, "/v1/customers", NULL, NULL);
    int code = collect(cli, 0, customer_item, &hers);
    if (code == EXIT_DONE)
        code = give(cli, &hers, "POST", "/v1/customers/", "/assign", "owner");
    *out_count = hers.numbers.size / sizeof(int64_t);
    buf_deinit(&hers.numbers);
    return code;
}

/* Those in her list, and those that a deputy has for her. */
static int open_follow_ups(struct cli *cli, const char *name, int64_t limit,
                           struct belongings *hers)
{
    static const char *const lists[] = { "to", "of" };
    int code = EXIT_DONE;
    for (size_t i = 0; i < 2 && code == EXIT_DONE; i++) {
        cli_path(cli, "/v1/reminders", NULL, NULL);
        path_query(&cli->path, lists[i], name);
        code = collect(cli, limit, reminder_item, hers);
    }
    return code;
}

static int give_follow_ups(struct cli *cli, const char *name, size_t *out_count)
{
    struct belongings hers = { name, BUF_INIT };
    int code = open_follow_ups(cli, name, 0, &hers);
    if (code == EXIT_DONE)
        code = give(cli, &hers, "PATCH", "/v1/reminders/", NULL, "to");
    *out_count = hers.numbers.size / sizeof(int64_t);
    buf_deinit(&hers.numbers);
    return code;
}

static int hand_over(struct cli *cli, const char *name, const char *to)
{
    size_t customers = 0, follow_ups = 0;
    struct doc member = { NULL, 0 };
    cli_path(cli, "/v1/staff/", to, NULL);
    int code = cli_get(cli, &member); /* that she is known */
    if (code == EXIT_DONE)
        code = give_customers(cli, name, &customers);
    if (code == EXIT_DONE)
        code = give_follow_ups(cli, name, &follow_ups);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "%llu customer%s and %llu follow-up%s of %s: now of %s\n",
                   COUNTED(customers), COUNTED(follow_ups), name, to);
    return code;
}

/* Who has something to do cannot go: say so before the daemon does, with the way out. */
static int has_nothing_to_do(struct cli *cli, const char *name)
{
    struct belongings hers = { name, BUF_INIT };
    int code = open_follow_ups(cli, name, 1, &hers);
    if (code == EXIT_DONE && hers.numbers.size != 0)
        code = cli_fail(cli,
                        "%s has open follow-ups: kith staff remove %s --to STAFF hands them over, "
                        "with all customers",
                        name, name);
    buf_deinit(&hers.numbers);
    return code;
}

int run_staff_remove(struct cli *cli)
{
    const char *name = args_argument(&cli->args, 0), *to = args_value(&cli->args, "to");
    int code = to != NULL ? hand_over(cli, name, to) : has_nothing_to_do(cli, name);
    return code == EXIT_DONE ? remove_named(cli, "/v1/staff/", "is no longer on the staff") : code;
}
