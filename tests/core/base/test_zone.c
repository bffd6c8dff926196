/* test_zone.c -- what zone.h promises, one promise a test.
 *
 * Known changes of the clock are written out as text, local time in the zone on
 * one side and UTC on the other.  ICU itself, asked the slow way, is the second
 * opinion for everything else: its options "next valid" and "last" are what
 * "resolved forward" means.
 */
#include "core/base/zone.h"

#include "core/base/err.h"
#include "core/base/moment.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

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

/* The second opinion: a calendar of ICU in one zone. */
static UCalendar *icu_open(const char *name)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar wide[ZONE_NAME_SIZE];
    u_charsToUChars(name, wide, (int32_t)strlen(name) + 1);
    UCalendar *icu = ucal_open(wide, -1, "en", UCAL_GREGORIAN, &status);
    ucal_setGregorianChange(icu, -1e17, &status);
    ucal_setAttribute(icu, UCAL_SKIPPED_WALL_TIME, UCAL_WALLTIME_NEXT_VALID);
    ucal_setAttribute(icu, UCAL_REPEATED_WALL_TIME, UCAL_WALLTIME_LAST);
    assert_true(U_SUCCESS(status));
    return icu;
}

static int64_t icu_offset(UCalendar *icu, int64_t ms)
{
    UErrorCode status = U_ZERO_ERROR;
    ucal_setMillis(icu, (double)ms, &status);
    int64_t offset_ms = ucal_get(icu, UCAL_ZONE_OFFSET, &status);
    offset_ms += ucal_get(icu, UCAL_DST_OFFSET, &status);
    assert_true(U_SUCCESS(status));
    return offset_ms;
}

static int64_t icu_ms(UCalendar *icu, int64_t local_ms)
{
    UErrorCode status = U_ZERO_ERROR;
    struct civil civil;
    civil_from_local_ms(local_ms, &civil);
    ucal_clear(icu);
    ucal_setDateTime(icu, civil.year, civil.month - 1, civil.day, civil.hour, civil.minute,
                     civil.second, &status);
    ucal_set(icu, UCAL_MILLISECOND, civil.ms);
    int64_t ms = (int64_t)ucal_getMillis(icu, &status);
    assert_true(U_SUCCESS(status));
    return ms;
}

static void agrees_at(const struct zone *zone, UCalendar *icu, int64_t ms)
{
    int64_t local_ms = ms + icu_offset(icu, ms);
    if (zone_local_from_ms(zone, ms) != local_ms ||
        zone_ms_from_local(zone, local_ms) != icu_ms(icu, local_ms))
        fail_msg("%s disagrees at %lld", zone_name(zone), (long long)ms);
}

/* Around every change of the clock, inside its gap or fold, and far from any. */
static void agrees_on(const char *name, int stride)
{
    const struct zone *zone = open_zone(name);
    UCalendar *icu = icu_open(name);
    UErrorCode status = U_ZERO_ERROR;
    double at = -3e12;
    for (int i = 0;; i++) {
        ucal_setMillis(icu, at, &status);
        if (!ucal_getTimeZoneTransitionDate(icu, UCAL_TZ_TRANSITION_NEXT, &at, &status) ||
            at > (double)CIVIL_MS_MAX / 8)
            break;
        if (i % stride != 0)
            continue;
        agrees_at(zone, icu, (int64_t)at);
        agrees_at(zone, icu, (int64_t)at - 1);
        agrees_at(zone, icu, (int64_t)at + HOUR_MS / 4);
        agrees_at(zone, icu, (int64_t)at - HOUR_MS / 4);
        int64_t local_ms = (int64_t)at - 1 + zone_offset_ms(zone, (int64_t)at - 1) + HOUR_MS / 4;
        assert_true(zone_ms_from_local(zone, local_ms) == icu_ms(icu, local_ms));
    }
    for (int64_t ms = CIVIL_MS_MIN; ms < CIVIL_MS_MAX; ms += CIVIL_MS_MAX / 97 + 12345)
        agrees_at(zone, icu, ms);
    ucal_close(icu);
}

static void agrees_with_icu_at_every_change_of_the_clock(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Berlin",     "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai",
        "Africa/Casablanca", "America/St_Johns", "Europe/Dublin",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        agrees_on(names[i], 3);
}

static void agrees_with_icu_in_every_zone(void **state)
{
    (void)state;
    UErrorCode status = U_ZERO_ERROR;
    UEnumeration *all =
        ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_CANONICAL, NULL, NULL, &status);
    const char *name = NULL;
    int opened = 0;
    while ((name = uenum_next(all, NULL, &status)) != NULL) {
        const struct zone *zone = NULL;
        if (zone_open(name, &zone, NULL) != 0)
            continue;
        agrees_on(name, 61);
        opened++;
    }
    uenum_close(all);
    assert_true(opened > 400);
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
    assert_true(strlen(version) >= 5 && version[0] == '2' && version[1] == '0');
    zone_icu_version(version);
    assert_true(strtol(version, NULL, 10) >= 72);
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
        cmocka_unit_test(agrees_with_icu_at_every_change_of_the_clock),
        cmocka_unit_test(agrees_with_icu_in_every_zone),
        cmocka_unit_test(a_later_wall_clock_is_never_an_earlier_instant),
        cmocka_unit_test(names_the_data_it_depends_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
