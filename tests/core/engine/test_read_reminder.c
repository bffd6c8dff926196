/* test_read_reminder.c -- what read.h promises of reminders and of times in words. */
#include "tests/core/engine/house_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Reminders ------------------------------------------------------------------------- */

static const char *reminders(struct house *house, struct read_reminders which, size_t limit,
                             struct text after)
{
    struct snapshot *snapshot = house_snapshot(house);
    struct read_page page = { limit, after };
    int rc = read_reminders(snapshot, &which, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return house_answer(house, rc);
}

static const char *one_reminder(struct house *house, uint64_t task)
{
    return house_answer(house, read_reminder(house->engine, task, &house->out, &house->err));
}

static void set_four(struct house *house)
{
    house_identify(house, "u1", "{'name':'Ann'}");
    house_remind(house, "1", "bob", START_MS + 2 * DAY_MS);
    house_remind(house, "1", "anna", START_MS + 3 * DAY_MS);
    house_remind(house, "1", "bob", START_MS + DAY_MS);
    house_remind(house, "1", "anna", START_MS + 4 * DAY_MS);
}

static void a_reminder_is_read_by_its_number(void **arg)
{
    struct house *house = *arg;
    set_four(house);
    const char *text = one_reminder(house, 1);
    assert_in(text, "{'id':1,'customer':1,'title':'t172800','state':'open','assignee':'bob',"
                    "'to':'bob','due':'2026-10-30T00:00:00.000Z','created':'2026-10-28T");
    assert_in(one_reminder(house, 9), "-5: no reminder has the number 9");
}

static void open_reminders_are_in_order_of_assignee_and_due(void **arg)
{
    struct house *house = *arg;
    struct read_reminders all = { .is_open = true, .due_before = INT64_MAX }, of_bob = all;
    of_bob.to = text_of("bob");
    set_four(house);
    assert_string_equal(page_values(reminders(house, all, 50, text_of("")), "id"), "2 4 3 1");
    assert_string_equal(page_values(reminders(house, of_bob, 50, text_of("")), "id"), "3 1");
    const char *page = reminders(house, all, 3, text_of(""));
    assert_string_equal(page_values(page, "id"), "2 4 3");
    page = reminders(house, all, 3, page_next(page));
    assert_string_equal(page_values(page, "id"), "1");
    assert_in(page, "'next':null");
    assert_in(reminders(house, all, 3, text_of("zz")), "-1: ");
    assert_in(reminders(house, all, 3, text_of("00")), "'items':[");
    house_command(house, "reminder.done", "", "{'task':4}");
    assert_string_equal(page_values(reminders(house, all, 50, text_of("")), "id"), "2 3 1");
}

static void reminders_due_by_a_time_are_found_with_every_assignee(void **arg)
{
    struct house *house = *arg;
    struct read_reminders due = { .is_open = true, .due_before = START_MS + 3 * DAY_MS + 1 };
    set_four(house);
    house_remind(house, "1", "an", START_MS + 9 * DAY_MS);
    house_remind(house, "1", "ann", START_MS + DAY_MS);
    house_remind(house, "1", "bobby", START_MS + DAY_MS);
    assert_string_equal(page_values(reminders(house, due, 50, text_of("")), "assignee"),
                        "ann anna bob bob bobby");
    const char *page = reminders(house, due, 2, text_of(""));
    assert_string_equal(page_values(page, "id"), "6 2");
    page = reminders(house, due, 2, page_next(page));
    assert_string_equal(page_values(page, "id"), "3 1");
    due.to = text_of("anna");
    assert_string_equal(page_values(reminders(house, due, 50, text_of("")), "id"), "2");
}

static void closed_reminders_are_listed_newest_first(void **arg)
{
    struct house *house = *arg;
    struct read_reminders done = { .state = text_of("done"), .due_before = INT64_MAX };
    struct read_reminders all = { .due_before = INT64_MAX };
    set_four(house);
    house_command(house, "reminder.done", "", "{'task':1,'outcome':'reached'}");
    house_command(house, "reminder.done", "", "{'task':4}");
    assert_string_equal(page_values(reminders(house, done, 50, text_of("")), "id"), "4 1");
    const char *page = reminders(house, all, 2, text_of(""));
    assert_string_equal(page_values(page, "id"), "4 3");
    page = reminders(house, all, 2, page_next(page));
    assert_string_equal(page_values(page, "id"), "2 1");
    assert_in(page, "'outcome':'reached'");
    assert_in(page, "'next':null");
    assert_in(reminders(house, all, 3, text_of("zz")), "-1: ");
}

/* Of what is over that says when, by the time of the log, a phone makes COMPLETED: it is in the
 * row, and the same whenever it is read. */
static void one_that_is_closed_says_when_and_as_what(void **arg)
{
    struct house *house = *arg;
    set_four(house);
    assert_null(strstr(one_reminder(house, 1), "'closed'"));
    house_pass(house, 5 * 3600 * 1000);
    house_command(house, "reminder.done", "",
                  "{'task':1,'outcome':'reached','title':'Called','note':'glad',"
                  "'due':1793232000000}");
    assert_in(one_reminder(house, 1), "'closed':'2026-10-28T05:00:0");
    assert_in(one_reminder(house, 1), "'title':'Called','state':'done','assignee':'bob'");
    assert_in(one_reminder(house, 1), "'due':'2026-10-29T00:00:00.000Z'");
    assert_in(one_reminder(house, 1), "'note':'glad'");
    char *before = strdup(one_reminder(house, 1));
    house_pass(house, DAY_MS);
    house_command(house, "reminder.done", "", "{'task':1}");
    assert_string_equal(one_reminder(house, 1), before);
    free(before);
    house_command(house, "reminder.done", "", "{'task':2,'title':'Ann','next':1793232000000}");
    assert_in(one_reminder(house, 5), "'title':'Ann','state':'open'");
    assert_null(strstr(one_reminder(house, 5), "'closed'"));
    assert_string_equal(
        page_values(reminders(house,
                              (struct read_reminders){ .is_open = true, .due_before = INT64_MAX },
                              50, text_of("")),
                    "id"),
        "5 4 3");
}

static void the_open_reminders_of_a_customer_are_those_of_the_whole_group(void **arg)
{
    struct house *house = *arg;
    struct read_reminders open_ones = { .is_open = true, .due_before = INT64_MAX };
    struct read_page page = { 2, { "", 0 } };
    set_four(house);
    house_identify(house, "u2", "{'name':'Bo'}");
    house_remind(house, "2", "bob", START_MS + DAY_MS);
    house_command(house, "customer.merge", "1", "{'absorbed':'2'}");
    house_command(house, "reminder.done", "", "{'task':2}");
    const char *text =
        house_answer(house, read_reminders_of(house->engine, text_of("2"), &open_ones, &page,
                                              &house->out, &house->err));
    assert_string_equal(page_values(text, "id"), "1 3");
    page.after = page_next(text);
    text = house_answer(house, read_reminders_of(house->engine, text_of("1"), &open_ones, &page,
                                                 &house->out, &house->err));
    assert_string_equal(page_values(text, "id"), "4 5");
    assert_in(text, "'next':null");
    house_command(house, "reminder.snooze", "", "{'task':4,'due':1893456000000}");
    house_pass(house, 3000 * DAY_MS); /* all are overdue, and open all the same */
    page = (struct read_page){ 50, { "", 0 } };
    text = house_answer(house, read_reminders_of(house->engine, text_of("1"), &open_ones, &page,
                                                 &house->out, &house->err));
    assert_string_equal(page_values(text, "id"), "1 3 4 5");
}

/* -- Times ----------------------------------------------------------------------------- */

static const char *due(struct house *house, const char *words, struct read_due how)
{
    struct doc_value value = { .type = DOC_TEXT, .text = text_of(words) };
    int64_t ms;
    struct doc_writer w;
    how.now = START_MS + 10 * 3600000; /* Wednesday 11:00 in Berlin */
    int rc = read_due(house->engine, &how, &value, &ms, &house->err);
    if (rc == 0) {
        doc_begin(&w, &house->out);
        doc_put_datetime(&w, "due", ms);
        doc_end(&w);
    }
    return house_answer(house, rc);
}

static void times_are_read_in_the_companys_zone(void **arg)
{
    struct house *house = *arg;
    struct read_due how = { .day_minute = 540 }, end = { .day_minute = 1440 };
    assert_in(due(house, "2h", how), "2026-10-28T12:00:00.000Z");
    assert_in(due(house, "1mo", how), "2026-11-28T10:00:00.000Z");
    assert_in(due(house, "2026-12-01", how), "2026-12-01T08:00:00.000Z");
    assert_in(due(house, "2026-12-01", end), "2026-12-01T23:00:00.000Z");
    assert_in(due(house, "2026-12-01 10:30", how), "2026-12-01T09:30:00.000Z");
    assert_in(due(house, "2026-12-01T10:30:00Z", how), "2026-12-01T10:30:00.000Z");
    assert_in(due(house, "today", how), "2026-10-28T23:00:00.000Z");
    assert_in(due(house, "tomorrow", how), "2026-10-29T08:00:00.000Z");
    assert_in(due(house, "Friday", how), "2026-10-30T08:00:00.000Z");
    assert_in(due(house, "fri", end), "2026-10-30T23:00:00.000Z");
    assert_in(due(house, "wednesday", how), "2026-11-04T08:00:00.000Z"); /* in a week */
    assert_in(due(house, "tue", how), "2026-11-03T08:00:00.000Z");
    assert_in(due(house, "frid", how), "-1: 'frid' is no time");
    assert_in(due(house, "soon", how), "-1: 'soon' is no time");
    assert_in(due(house, "1wd", how), "2026-10-29T16:00:00.000Z"); /* without any bundle */
    struct doc_value list = { .type = DOC_ARRAY };
    int64_t ms;
    assert_int_equal(read_due(house->engine, &how, &list, &ms, &house->err), E_INVALID);
}

static void working_days_are_those_of_whoever_will_do_it(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, "calendar 'early' { zone = 'Europe/Berlin', hours = { mon = '06:00-14:00', "
                        "tue = '06:00-14:00' } }\n"
                        "calendar 'company' { zone = 'Europe/Berlin', hours = { ['mon-fri'] = "
                        "'09:00-17:00' } }\n");
    house_command(house, "staff.set", "", "{'name':'eva','calendar':'early'}");
    house_identify(house, "u1", "{'name':'Ann'}");
    house_command(house, "owner.changed", "1", "{'owner':'eva'}");
    house_remind(house, "1", "eva", START_MS + DAY_MS);
    struct read_due nobody = { .day_minute = 540 }, eva = nobody, owner = nobody, task = nobody;
    eva.to = text_of("eva");
    owner.to = text_of("owner");
    owner.customer = text_of("user_id:u1");
    task.task = 1;
    assert_in(due(house, "1wd", nobody), "2026-10-29T16:00:00.000Z");
    assert_in(due(house, "1wd", eva), "2026-11-02T13:00:00.000Z");
    assert_in(due(house, "1wd", owner), "2026-11-02T13:00:00.000Z");
    assert_in(due(house, "1wd", task), "2026-11-02T13:00:00.000Z");
    assert_in(due(house, "2wh", nobody), "2026-10-28T12:00:00.000Z");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reminder_is_read_by_its_number),
        TEST(open_reminders_are_in_order_of_assignee_and_due),
        TEST(reminders_due_by_a_time_are_found_with_every_assignee),
        TEST(closed_reminders_are_listed_newest_first),
        TEST(one_that_is_closed_says_when_and_as_what),
        TEST(the_open_reminders_of_a_customer_are_those_of_the_whole_group),
        TEST(times_are_read_in_the_companys_zone),
        TEST(working_days_are_those_of_whoever_will_do_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
