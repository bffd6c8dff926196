/* test_zone.c -- local times, also where the clocks are changed. */
#include "plugins/followup/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plugins/followup/when.h"

#include <string.h>

static int64_t at(const char *text)
{
    int64_t ms = 0;
    bool is_utc;
    assert_true(when_read_time(text, strlen(text), &ms, &is_utc));
    return ms;
}

static void assert_utc(const char *zone, const char *local, const char *utc)
{
    int64_t ms = 0;
    assert_true(zone_to_utc(zone, at(local), &ms));
    assert_int_equal(ms, at(utc));
}

static void a_local_time_is_that_of_its_zone(void **state)
{
    (void)state;
    assert_utc("Europe/Berlin", "20270301T090000", "20270301T080000Z");
    assert_utc("Europe/Berlin", "20270701T090000", "20270701T070000Z");
    assert_utc("Asia/Shanghai", "20270301T090000", "20270301T010000Z");
    assert_utc("America/New_York", "20270301T200000", "20270302T010000Z");
    assert_utc("UTC", "20270301T090000", "20270301T090000Z");
}

static void what_the_clocks_leave_out_is_later_and_of_two_it_is_the_first(void **state)
{
    (void)state;
    assert_utc("Europe/Berlin", "20270328T013000", "20270328T003000Z");
    assert_utc("Europe/Berlin", "20270328T023000", "20270328T013000Z");
    assert_utc("Europe/Berlin", "20270328T033000", "20270328T013000Z");
    assert_utc("Europe/Berlin", "20271031T023000", "20271031T003000Z");
    assert_utc("Europe/Berlin", "20271031T033000", "20271031T023000Z");
}

static void a_zone_that_nobody_knows_is_refused(void **state)
{
    (void)state;
    int64_t ms;
    static const char *const names[] = {
        "", "Mars/Olympus", "Europe/Berlin ", "B\xC3\xA9rlin",
        "Europe/Berlin/Europe/Berlin/Europe/Berlin/Europe/Berlin/Berlin/Be"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(zone_is_known(names[i]));
        assert_false(zone_to_utc(names[i], 0, &ms));
    }
    assert_true(zone_is_known("Europe/Berlin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_time_is_that_of_its_zone),
        cmocka_unit_test(what_the_clocks_leave_out_is_later_and_of_two_it_is_the_first),
        cmocka_unit_test(a_zone_that_nobody_knows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
