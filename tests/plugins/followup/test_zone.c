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

/* As core/base/zone.h has it. */
static void what_the_clocks_leave_out_and_what_comes_twice_goes_forward(void **state)
{
    (void)state;
    assert_utc("Europe/Berlin", "20260329T015959", "20260329T005959Z");
    assert_utc("Europe/Berlin", "20260329T020000", "20260329T010000Z");
    assert_utc("Europe/Berlin", "20260329T023000", "20260329T010000Z");
    assert_utc("Europe/Berlin", "20260329T033000", "20260329T013000Z");
    assert_utc("Europe/Berlin", "20261025T015959", "20261024T235959Z");
    assert_utc("Europe/Berlin", "20261025T023000", "20261025T013000Z");
    assert_utc("Europe/Berlin", "20261025T030000", "20261025T020000Z");
    assert_utc("Australia/Lord_Howe", "20261004T021500", "20261003T153000Z"); /* half an hour */
    assert_utc("America/New_York", "20261101T013000", "20261101T063000Z");
    assert_utc("Pacific/Apia", "20111230T120000", "20111230T100000Z"); /* a whole day */
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
        cmocka_unit_test(what_the_clocks_leave_out_and_what_comes_twice_goes_forward),
        cmocka_unit_test(a_zone_that_nobody_knows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
