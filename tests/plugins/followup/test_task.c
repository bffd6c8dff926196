/* test_task.c -- documents of Kith as tasks, and what a person did as bodies of requests. */
#include "plugins/followup/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pool pool;
static char room[2000];

static int close_pool(void **state)
{
    (void)state;
    pool_deinit(&pool);
    return 0;
}

static struct kith_doc reminder(const char *state, const char *outcome)
{
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "id", 17);
    kith_put_int(&w, "customer", 4);
    kith_put_string(&w, "title", "Call");
    kith_put_string(&w, "state", state);
    kith_put_string(&w, "outcome", outcome);
    kith_put_time(&w, "due", 5000);
    return kith_end(&w);
}

static void a_reminder_is_a_task_with_a_name_of_its_own(void **state)
{
    (void)state;
    const struct kith_doc none = { NULL, 0 };
    struct ics_item item;
    task_of_reminder(&pool, reminder("open", ""), none, 0, &item);
    assert_string_equal(item.uid, "reminder-17@kith");
    assert_string_equal(item.title, "Call");
    assert_int_equal(item.status, ICS_OPEN);
    assert_int_equal(item.due.ms, 5000);
    assert_string_equal(task_name(&pool, reminder("open", ""), none), "reminder-17.ics");
    task_of_reminder(&pool, reminder("done", ""), none, 9000, &item);
    assert_int_equal(item.status, ICS_DONE);
    assert_int_equal(item.completed.ms, 9000);
    task_of_reminder(&pool, reminder("done", TASK_CALLED_OFF), none, 9000, &item);
    assert_int_equal(item.status, ICS_CANCELLED);
}

static void what_a_device_has_said_comes_back(void **state)
{
    (void)state;
    struct ics_item item, task = {
        .kind = ICS_TODO,
        .uid = "u",
        .title = "Milk",
        .note = "two",
        .kept = "X-A:1\n",
        .priority = 4,
        .percent = 30,
        .status = ICS_STARTED,
        .due = { WHEN_DATE, 0 },
        .start = { WHEN_TIME, 86400000 },
    };
    struct kith_doc todo = task_todo(&pool, "a.ics", &task, "anna", true);
    assert_true(kith_is(kith_get_text(todo, "owner"), "anna"));
    assert_true(kith_is(kith_get_text(kith_get_doc(todo, "fields"), "name"), "a.ics"));
    task_of_todo(&pool, todo, &item);
    assert_int_equal(ics_changes(&task, &item), 0);
    assert_int_equal(item.status, ICS_STARTED);
}

static void only_what_was_changed_is_asked_for(void **state)
{
    (void)state;
    const struct ics_item task = { .title = "T", .note = "", .due = { WHEN_DATE, 0 } };
    assert_int_equal(task_change(&pool, &task, ICS_PRIORITIZED | ICS_ELSE).size, 0);
    struct kith_doc body = task_change(&pool, &task, ICS_MOVED);
    assert_true(kith_is(kith_get_text(body, "due"), "1970-01-01"));
    assert_int_equal(kith_get(body, "title").type, KITH_NONE);
    body = task_change(&pool, &task, ICS_RETITLED | ICS_NOTED);
    assert_true(kith_is(kith_get_text(body, "title"), "T"));
    assert_int_equal(kith_get(body, "note").type, KITH_TEXT);
}

static void a_due_time_taken_away_stays(void **state)
{
    (void)state;
    const struct ics_item task = { .title = "T" };
    assert_int_equal(task_change(&pool, &task, ICS_MOVED).size, 0);
    struct kith_doc again = task_again(&pool, reminder("done", ""), &task, "anna");
    assert_int_equal(kith_get_int(again, "due", 0), 5000);
    assert_int_equal(kith_get_int(again, "customer", 0), 4);
}

static void a_segment_is_encoded(void **state)
{
    (void)state;
    assert_string_equal(pool_segment(&pool, "resource:a/b c\xC3\xA4.ics"),
                        "resource%3Aa%2Fb%20c%C3%A4.ics");
}

static void a_pool_that_is_full_is_broken(void **state)
{
    (void)state;
    assert_null(pool_take(&pool, POOL_SIZE_MAX + 1));
    assert_true(pool.broken);
    assert_null(pool_print(&pool, "%d", 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_pool)
    const struct CMUnitTest tests[] = {
        TEST(a_reminder_is_a_task_with_a_name_of_its_own),
        TEST(what_a_device_has_said_comes_back),
        TEST(only_what_was_changed_is_asked_for),
        TEST(a_due_time_taken_away_stays),
        TEST(a_segment_is_encoded),
        TEST(a_pool_that_is_full_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
