/* test_feed.c -- what feed.h promises: what is still to be done, as appointments. */
#include "plugins/followup/feed.h"

#include "plugins/followup/buffer.h"
#include "plugins/followup/ics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct ics_item tasks[] = {
    { .uid = "1", .title = "At nine", .due = { WHEN_TIME, 32400000 }, .kept = "X-OWN:1\n" },
    { .uid = "2", .title = "That day", .due = { WHEN_DATE, 0 } },
    { .uid = "3", .title = "Done", .due = { WHEN_DATE, 0 }, .status = ICS_DONE },
    { .uid = "4", .title = "Called off", .due = { WHEN_DATE, 0 }, .status = ICS_CANCELLED },
    { .uid = "5", .title = "Some time" },
};

static void due_tasks_are_slots_and_days_that_block_nobody(void **state)
{
    (void)state;
    struct buffer feed = { 0 };
    feed_write(&feed, "Anna, due", tasks, sizeof tasks / sizeof *tasks);
    const char *text = buffer_string(&feed);
    assert_non_null(strstr(text, "NAME:Anna\\, due\r\n"));
    assert_non_null(strstr(text, "SUMMARY:At nine\r\nDTSTART:19700101T090000Z\r\n"
                                 "DTEND:19700101T093000Z\r\nSTATUS:CONFIRMED\r\n"
                                 "TRANSP:TRANSPARENT\r\nEND:VEVENT\r\n"));
    assert_non_null(strstr(text, "DTSTART;VALUE=DATE:19700101\r\nDTEND;VALUE=DATE:19700102\r\n"));
    buffer_deinit(&feed);
}

static void what_is_over_or_not_due_is_left_out(void **state)
{
    (void)state;
    struct buffer feed = { 0 };
    feed_write(&feed, "Due", tasks, sizeof tasks / sizeof *tasks);
    const char *text = buffer_string(&feed);
    assert_null(strstr(text, "Done"));
    assert_null(strstr(text, "Called off"));
    assert_null(strstr(text, "Some time"));
    assert_null(strstr(text, "X-OWN"));
    buffer_deinit(&feed);
}

static void no_task_is_a_calendar_too(void **state)
{
    (void)state;
    struct buffer feed = { 0 };
    feed_write(&feed, "Due", NULL, 0);
    assert_non_null(strstr(buffer_string(&feed), "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"));
    assert_non_null(strstr(buffer_string(&feed), "END:VCALENDAR\r\n"));
    buffer_deinit(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_tasks_are_slots_and_days_that_block_nobody),
        cmocka_unit_test(what_is_over_or_not_due_is_left_out),
        cmocka_unit_test(no_task_is_a_calendar_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
