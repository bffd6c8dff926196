/* test_zone.c -- what zone.h promises, one promise a test.
 *
 * Known changes of the clock are written out as text, local time in the zone on
 * one side and UTC on the other.  The second opinion for everything else is the C
 * library, which reads the same files by itself.  It is asked for offsets only: what
 * "resolved forward" means is checked against them word by word.
 */
#include "core/base/zone.h"

#include "core/base/err.h"
#include "core/base/moment.h"
#include "core/base/zone_base.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR_MS CIVIL_HOUR_MS

static const struct zone *open_zone(const char *name)
{
    const struct zone *zone = NULL;
    struct err err = { 0 };
    if (zone_open(name, &zone, &err) != 0)
        fail_msg("%s", err.text);
    return zone;
}

static int64_t ms_of(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(moment_parse(text, strlen(text), &ms, NULL), 0);
    return ms;
}

/* The wall clock `local` of the zone is the instant `utc`. */
static void resolves(const char *name, const char *local, const char *utc)
{
    char text[MOMENT_TEXT_SIZE];
    moment_format(zone_ms_from_local(open_zone(name), ms_of(local)), text);
    text[16] = '\0';
    assert_string_equal(text, utc);
}

/* At the instant `utc` the clock of the zone shows `local`. */
static void shows(const char *name, const char *utc, const char *local)
{
    char text[MOMENT_TEXT_SIZE];
    moment_format(zone_local_from_ms(open_zone(name), ms_of(utc)), text);
    text[16] = '\0';
    assert_string_equal(text, local);
}

/* `duration` after the instant `from` it is `until`, both UTC. */
static void adds(const char *name, const char *from, const char *duration, const char *until)
{
    char text[MOMENT_TEXT_SIZE];
    struct duration parsed;
    int64_t ms = 0;
    assert_int_equal(duration_parse(duration, strlen(duration), &parsed, NULL), 0);
    assert_int_equal(civil_add(open_zone(name), ms_of(from), parsed, &ms, NULL), 0);
    moment_format(ms, text);
    text[16] = '\0';
    assert_string_equal(text, until);
}

static void a_gap_is_the_first_instant_after_it(void **state)
{
    (void)state;
    resolves("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59");
    resolves("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00");
    resolves("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00");
    resolves("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00");
    resolves("America/New_York", "2026-03-08T02:59", "2026-03-08T07:00");
    resolves("America/New_York", "2026-03-08T03:01", "2026-03-08T07:01");
    resolves("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30");
    resolves("Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30");
    resolves("Asia/Shanghai", "1940-06-01T00:30", "1940-05-31T16:00");
}

static void a_fold_is_its_second_instant(void **state)
{
    (void)state;
    resolves("Europe/Berlin", "2026-10-25T01:59", "2026-10-24T23:59");
    resolves("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T01:00");
    resolves("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T01:30");
    resolves("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00");
    resolves("America/New_York", "2026-11-01T01:30", "2026-11-01T06:30");
    resolves("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T15:15");
    resolves("Australia/Lord_Howe", "2026-04-05T01:29", "2026-04-04T14:29");
}

static void a_day_that_a_zone_skipped_is_the_start_of_the_next(void **state)
{
    (void)state;
    resolves("Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59");
    resolves("Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00");
    resolves("Pacific/Apia", "2011-12-30T18:00", "2011-12-30T10:00");
    resolves("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00");
    shows("Pacific/Apia", "2011-12-30T09:59", "2011-12-29T23:59");
    shows("Pacific/Apia", "2011-12-30T10:00", "2011-12-31T00:00");
}

static void shows_the_clock_of_the_place(void **state)
{
    (void)state;
    shows("Europe/Berlin", "2026-01-01T00:00", "2026-01-01T01:00");
    shows("Europe/Berlin", "2026-07-01T00:00", "2026-07-01T02:00");
    shows("Asia/Kathmandu", "2026-07-01T00:00", "2026-07-01T05:45");
    shows("UTC", "2026-07-01T00:00", "2026-07-01T00:00");
    shows("America/New_York", "2026-01-01T00:00", "2025-12-31T19:00");
    struct civil civil;
    zone_civil_from_ms(open_zone("Asia/Shanghai"), INT64_C(1795257072345), &civil);
    assert_int_equal(civil.day, 21);
    assert_int_equal(civil.hour, 18);
    assert_int_equal(civil.second, 12);
    assert_int_equal(civil.ms, 345);
    assert_true(zone_ms_from_civil(open_zone("Asia/Shanghai"), &civil) == INT64_C(1795257072345));
}

static void hours_are_elapsed_time(void **state)
{
    (void)state;
    adds("Europe/Berlin", "2026-03-28T23:00", "24h", "2026-03-29T23:00");
    adds("Europe/Berlin", "2026-03-29T00:59", "1min", "2026-03-29T01:00");
    adds("Europe/Berlin", "2026-10-25T00:30", "60min", "2026-10-25T01:30");
    adds("Europe/Berlin", "2026-10-25T00:30", "-7200s", "2026-10-24T22:30");
}

static void days_and_weeks_keep_the_wall_clock(void **state)
{
    (void)state;
    adds("Europe/Berlin", "2026-03-28T08:00", "1d", "2026-03-29T07:00");
    adds("Europe/Berlin", "2026-03-28T08:00", "1w", "2026-04-04T07:00");
    adds("Europe/Berlin", "2026-10-26T08:00", "-1d", "2026-10-25T08:00");
    adds("Europe/Berlin", "2026-03-28T01:30", "1d", "2026-03-29T01:00");
    adds("Europe/Berlin", "2026-10-24T00:30", "1d", "2026-10-25T01:30");
    adds("America/New_York", "2026-03-01T14:00", "7d", "2026-03-08T13:00");
    adds("Pacific/Apia", "2011-12-29T18:00", "1d", "2011-12-30T10:00");
    adds("Pacific/Apia", "2011-12-29T18:00", "2d", "2011-12-30T18:00");
}

static void months_and_years_end_at_the_end_of_the_month(void **state)
{
    (void)state;
    adds("UTC", "2026-01-31T09:00", "1mo", "2026-02-28T09:00");
    adds("UTC", "2024-01-31T09:00", "1mo", "2024-02-29T09:00");
    adds("UTC", "2024-02-29T09:00", "1y", "2025-02-28T09:00");
    adds("UTC", "2024-02-29T09:00", "4y", "2028-02-29T09:00");
    adds("UTC", "2026-03-31T09:00", "-1mo", "2026-02-28T09:00");
    adds("UTC", "2026-12-31T09:00", "18mo", "2028-06-30T09:00");
    adds("Europe/Berlin", "2026-01-15T11:00", "6mo", "2026-07-15T10:00");
    adds("Asia/Shanghai", "2026-01-30T16:30", "1mo", "2026-02-27T16:30");
}

static void nothing_added_changes_nothing_even_in_a_fold(void **state)
{
    (void)state;
    adds("Europe/Berlin", "2026-10-25T00:30", "0d", "2026-10-25T00:30");
    adds("Europe/Berlin", "2026-10-25T00:30", "0y", "2026-10-25T00:30");
}

static void refuses_what_it_cannot_add(void **state)
{
    (void)state;
    const struct zone *zone = open_zone("UTC");
    int64_t ms = 77;
    struct duration year = { 1, DURATION_YEARS };
    assert_int_equal(civil_add(zone, 0, (struct duration){ 1, DURATION_WORKDAYS }, &ms, NULL),
                     E_INVALID);
    assert_int_equal(civil_add(zone, 0, (struct duration){ 0, DURATION_WORKHOURS }, &ms, NULL),
                     E_INVALID);
    assert_int_equal(civil_add(zone, 0, (struct duration){ 101, DURATION_YEARS }, &ms, NULL),
                     E_LIMIT);
    assert_int_equal(civil_add(zone, CIVIL_MS_MAX, year, &ms, NULL), E_LIMIT);
    assert_int_equal(civil_add(zone, INT64_MAX, year, &ms, NULL), E_LIMIT);
    assert_true(ms == 77);
}

static void only_exact_iana_names_open(void **state)
{
    (void)state;
    static const char *const foreign[] = {
        "",
        "CST",
        "IST",
        "PST",
        "BST",
        "JST",
        "GMT+3",
        "UTC+8",
        "+08:00",
        "europe/berlin",
        "Europe/Berlin ",
        "SystemV/EST5",
        "Etc/Unknown",
        "Factory",
        "posix/Europe/Berlin",
        "right/UTC",
        "Europe",
        "Europe/",
        "localtime",
        "posixrules",
        "tzdata.zi",
        "zone.tab",
        "leapseconds",
        "../zoneinfo/UTC",
        "/usr/share/zoneinfo/UTC",
        "A very long name that could never be the name of any zone at all",
    };
    static const char *const known[] = {
        "UTC",
        "GMT",
        "EST",
        "GB",
        "NZ",
        "PRC",
        "Etc/GMT+3",
        "Asia/Kolkata",
        "Asia/Calcutta",
        "America/Argentina/ComodRivadavia",
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const struct zone *zone = NULL;
        assert_int_equal(zone_open(foreign[i], &zone, NULL), E_INVALID);
        assert_null(zone);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(zone_name(open_zone(known[i])), known[i]);
}

static void an_unknown_name_is_answered_with_a_near_one(void **state)
{
    (void)state;
    static const struct {
        const char *written, *wanted;
    } table[] = {
        { "Europe/Berln", "did you mean \"Europe/Berlin\"?" },
        { "europe/berlin", "did you mean \"Europe/Berlin\"?" },
        { "Shanghai", "did you mean \"Asia/Shanghai\"?" },
        { "America/New York", "did you mean \"America/New_York\"?" },
        { "Somewhere over the rainbow", "such as \"Europe/Berlin\"" },
        { "\xff\n", "\"\?\?\" is no time zone" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct zone *zone = NULL;
        struct err err = { 0 };
        assert_int_equal(zone_open(table[i].written, &zone, &err), E_INVALID);
        if (strstr(err.text, table[i].wanted) == NULL)
            assert_string_equal(err.text, table[i].wanted);
    }
}

static void *open_in_thread(void *arg)
{
    const struct zone *zone = NULL;
    return zone_open(arg, &zone, NULL) == 0 ? (void *)(uintptr_t)zone : NULL;
}

static void all_threads_share_one_zone(void **state)
{
    (void)state;
    pthread_t threads[4];
    void *zones[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_in_thread,
                                        (void *)(uintptr_t) "Africa/Casablanca"),
                         0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], &zones[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(zones[i], open_zone("Africa/Casablanca"));
}

/* The second opinion. */
static void ask_about(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static int64_t library_local(int64_t ms)
{
    struct tm tm;
    time_t second = (time_t)(ms / 1000);
    assert_non_null(localtime_r(&second, &tm));
    return ms + tm.tm_gmtoff * 1000;
}

static void agrees_at(const struct zone *zone, int64_t ms)
{
    if (zone_local_from_ms(zone, ms) != library_local(ms))
        fail_msg("%s disagrees at %lld", zone_name(zone), (long long)ms);
}

/* What zone.h promises of a wall clock near a change by which the clock goes back by
 * `shift_ms`: it does not show once more that much later; and if it never shows, the
 * clock has jumped over it. */
static void resolves_forward(const struct zone *zone, int64_t local_ms, int64_t shift_ms)
{
    int64_t ms = zone_ms_from_local(zone, local_ms);
    bool is_right = library_local(ms) == local_ms
                        ? shift_ms <= 0 || library_local(ms + shift_ms) != local_ms
                        : library_local(ms) > local_ms && library_local(ms - 1000) < local_ms;
    if (!is_right)
        fail_msg("%s: %lld is not %lld", zone_name(zone), (long long)local_ms, (long long)ms);
}

/* The instant at which the C library's offset changes in (from, until). */
static int64_t find_change(int64_t from_ms, int64_t until_ms)
{
    int64_t offset_ms = library_local(from_ms) - from_ms;
    while (until_ms - from_ms > 1000) {
        int64_t middle_ms = from_ms + (until_ms - from_ms) / 2000 * 1000;
        if (library_local(middle_ms) - middle_ms == offset_ms)
            from_ms = middle_ms;
        else
            until_ms = middle_ms;
    }
    return until_ms;
}

/* Before, at and behind the change, and on the wall through its gap or fold. */
static void agrees_around(const struct zone *zone, int64_t at_ms)
{
    int64_t before_ms = library_local(at_ms - 1000) + 1000, after_ms = library_local(at_ms);
    int64_t shift_ms = before_ms - after_ms;
    int64_t first_ms = shift_ms > 0 ? after_ms : before_ms;
    int64_t span_ms = shift_ms > 0 ? shift_ms : -shift_ms;
    agrees_at(zone, at_ms - 1000);
    agrees_at(zone, at_ms);
    for (int64_t part = -1; part <= 5; part++)
        resolves_forward(zone, first_ms + span_ms / 4000 * part * 1000, shift_ms);
    resolves_forward(zone, first_ms - 1000, shift_ms);
    resolves_forward(zone, first_ms + span_ms - 1000, shift_ms);
}

/* Two changes within one step would be overlooked together; a step is short. */
static int agrees_from(const char *name, const char *from, const char *until, int64_t step_ms)
{
    const struct zone *zone = open_zone(name);
    int changes = 0;
    ask_about(name);
    for (int64_t ms = ms_of(from), end_ms = ms_of(until); ms < end_ms; ms += step_ms) {
        agrees_at(zone, ms);
        if (library_local(ms + step_ms) - library_local(ms) == step_ms)
            continue;
        agrees_around(zone, find_change(ms, ms + step_ms));
        changes++;
    }
    return changes;
}

static void agrees_with_the_c_library_on_every_day(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Berlin",     "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai",
        "Africa/Casablanca", "America/St_Johns", "Europe/Dublin",       "America/Nuuk",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(agrees_from(names[i], "1901-01-02", "2101-01-01", CIVIL_DAY_MS) > 20);
}

static void agrees_with_the_c_library_in_every_zone(void **state)
{
    (void)state;
    struct zone_base base = { .dir = NULL };
    int changes = 0;
    assert_int_equal(zone_base_read("/usr/share/zoneinfo", &base, NULL), 0);
    assert_true(base.name_count > 400);
    for (size_t i = 0; i < base.name_count; i++)
        changes += agrees_from(base.names[i].text, "1901-01-02", "2101-01-01", 27 * CIVIL_DAY_MS);
    assert_true(changes > 50000);
    zone_base_deinit(&base);
}

/* Where the table has ended; 400 years on, the calendar is the same. */
static void the_rules_hold_for_ever(void **state)
{
    (void)state;
    agrees_from("Europe/Berlin", "2490-01-01", "2510-01-01", CIVIL_DAY_MS);
    agrees_from("America/New_York", "2898-01-01", "2902-01-01", CIVIL_DAY_MS);
    agrees_from("Pacific/Auckland", "9990-01-01", "9999-01-01", CIVIL_DAY_MS);
}

static void a_later_wall_clock_is_never_an_earlier_instant(void **state)
{
    (void)state;
    static const char *const names[] = { "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia",
                                         "America/St_Johns" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct zone *zone = open_zone(names[i]);
        int64_t before_ms = INT64_MIN;
        for (int64_t local_ms = ms_of("2005-01-01"); local_ms < ms_of("2013-01-01");
             local_ms += HOUR_MS / 4) {
            int64_t ms = zone_ms_from_local(zone, local_ms);
            assert_true(ms >= before_ms);
            assert_true(zone_local_from_ms(zone, ms) >= local_ms);
            before_ms = ms;
        }
    }
}

static void the_environment_plays_no_part(void **state)
{
    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    setenv("LANG", "th_TH.UTF-8", 1);
    setenv("LC_ALL", "ar_SA.UTF-8", 1);
    shows("Europe/Vienna", "2026-07-01T00:00", "2026-07-01T02:00");
    resolves("Europe/Vienna", "2026-03-29T02:30", "2026-03-29T01:00");
}

static void names_the_data_it_depends_on(void **state)
{
    (void)state;
    char version[ZONE_VERSION_SIZE] = "";
    zone_tzdata_version(version);
    assert_true(strlen(version) >= 5 + 1 + 16 && version[0] == '2' && version[1] == '0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_plays_no_part),
        cmocka_unit_test(all_threads_share_one_zone),
        cmocka_unit_test(a_gap_is_the_first_instant_after_it),
        cmocka_unit_test(a_fold_is_its_second_instant),
        cmocka_unit_test(a_day_that_a_zone_skipped_is_the_start_of_the_next),
        cmocka_unit_test(shows_the_clock_of_the_place),
        cmocka_unit_test(hours_are_elapsed_time),
        cmocka_unit_test(days_and_weeks_keep_the_wall_clock),
        cmocka_unit_test(months_and_years_end_at_the_end_of_the_month),
        cmocka_unit_test(nothing_added_changes_nothing_even_in_a_fold),
        cmocka_unit_test(refuses_what_it_cannot_add),
        cmocka_unit_test(only_exact_iana_names_open),
        cmocka_unit_test(an_unknown_name_is_answered_with_a_near_one),
        cmocka_unit_test(agrees_with_the_c_library_on_every_day),
        cmocka_unit_test(agrees_with_the_c_library_in_every_zone),
        cmocka_unit_test(the_rules_hold_for_ever),
        cmocka_unit_test(a_later_wall_clock_is_never_an_earlier_instant),
        cmocka_unit_test(names_the_data_it_depends_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
