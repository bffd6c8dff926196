/* test_zone_tzif.c -- reading a file of the zone data base: what it says, and all the
 * ways in which it can be wrong.
 *
 * A file is handed over as a copy of exactly its size, so that a sanitizer sees every
 * look beyond its end.
 */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/zone_table.h"
#include "tests/core/base/zone_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BERLIN_TIMES 5
#define BERLIN_TYPES 3
#define BERLIN_RULE_BYTES 28 /* with both line feeds */

/* The arrays of Berlin's block. */
enum {
    TIMES = TZIF_BLOCK,
    INDEXES = TIMES + BERLIN_TIMES * 8,
    TYPES = INDEXES + BERLIN_TIMES,
    LETTERS = TYPES + BERLIN_TYPES * 6,
    RULE = LETTERS + 16,
};

static int read_bytes(const uint8_t *data, size_t size, struct buf *table, struct err *err)
{
    uint8_t *copy = mem_copy(data, size);
    buf_clear(table);
    int rc = zone_tzif_read(copy, size, table, err);
    free(copy);
    return rc;
}

static int read_tzif(const struct tzif *tzif, struct buf *table, struct err *err)
{
    struct buf bytes = BUF_INIT;
    tzif_write(tzif, &bytes);
    int rc = read_bytes(bytes.data, bytes.size, table, err);
    buf_deinit(&bytes);
    return rc;
}

static void is_table(const struct tzif *tzif, const struct zone_change *wanted, size_t count)
{
    struct buf table = BUF_INIT;
    struct err err = { 0 };
    if (read_tzif(tzif, &table, &err) != 0)
        fail_msg("%s", err.text);
    const struct zone_change *changes = (const void *)table.data;
    assert_true(table.size / sizeof *changes >= count);
    for (size_t i = 0; i < count; i++) {
        assert_true(changes[i].at_ms == wanted[i].at_ms);
        assert_true(changes[i].offset_ms == wanted[i].offset_ms);
    }
    assert_true(zone_table_ascends(&table));
    buf_deinit(&table);
}

static void is_refused(const struct tzif *tzif, const char *reason)
{
    struct buf table = BUF_INIT;
    struct err err = { 0 };
    assert_int_equal(read_tzif(tzif, &table, &err), E_CORRUPT);
    if (strstr(err.text, reason) == NULL)
        assert_string_equal(err.text, reason);
    buf_deinit(&table);
}

static void times_come_first_and_then_the_rule(void **state)
{
    (void)state;
    struct tzif berlin = tzif_berlin();
    static const struct zone_change wanted[] = {
        { INT64_MIN, 3208000 },
        { INT64_C(-2422054408000), 3600000 },
        { INT64_C(323830800000), 7200000 },
        { INT64_C(338950800000), 3600000 },
        { INT64_C(354675600000), 7200000 },
        { INT64_C(370400400000), 3600000 },
        { INT64_C(386125200000), 7200000 },
        { INT64_C(404874000000), 3600000 },
    };
    is_table(&berlin, wanted, COUNT(wanted));
}

static void without_a_rule_the_last_offset_stays(void **state)
{
    (void)state;
    struct tzif zone = { .time_count = 1,
                         .type_count = 2,
                         .times = { { 1000, 1 } },
                         .types = { { -3600, 0 }, { 3600, 0 } },
                         .rule = "" };
    static const struct zone_change wanted[] = { { INT64_MIN, -3600000 }, { 1000000, 3600000 } };
    struct buf table = BUF_INIT;
    is_table(&zone, wanted, COUNT(wanted));
    assert_int_equal(read_tzif(&zone, &table, NULL), 0);
    assert_int_equal(table.size, sizeof wanted);
    buf_deinit(&table);
}

static void a_zone_may_have_no_times(void **state)
{
    (void)state;
    struct tzif fixed = { .type_count = 1, .types = { { 20700, 0 } }, .rule = "<+0545>-5:45" };
    struct tzif yearly = { .type_count = 2,
                           .types = { { 3600, 0 }, { 7200, 1 } },
                           .rule = "CET-1CEST,M3.5.0,M10.5.0/3" };
    static const struct zone_change always[] = { { INT64_MIN, 20700000 } };
    static const struct zone_change first[] = { { INT64_MIN, 3600000 } };
    is_table(&fixed, always, COUNT(always));
    is_table(&yearly, first, COUNT(first));
}

static void a_time_before_the_calendar_means_always(void **state)
{
    (void)state;
    struct tzif zone = { .time_count = 3,
                         .type_count = 3,
                         .times = { { INT64_MIN, 0 }, { -(INT64_C(1) << 59), 1 }, { 1000, 2 } },
                         .types = { { -3600, 0 }, { 60, 0 }, { 0, 0 } },
                         .rule = "UTC0" };
    static const struct zone_change wanted[] = { { INT64_MIN, 60000 }, { 1000000, 0 } };
    is_table(&zone, wanted, COUNT(wanted));
}

static void a_change_of_the_name_alone_is_none(void **state)
{
    (void)state;
    struct tzif zone = { .time_count = 3,
                         .type_count = 3,
                         .times = { { 1000, 1 }, { 100000, 0 }, { 200000, 2 } },
                         .types = { { 3600, 0 }, { 3600, 1 }, { 0, 0 } },
                         .rule = "UTC0" };
    static const struct zone_change wanted[] = { { INT64_MIN, 3600000 }, { 200000000, 0 } };
    is_table(&zone, wanted, COUNT(wanted));
}

/* The last time is in the middle of the rule's summer time and sets its winter time. */
static void the_rule_may_have_begun_unnoticed(void **state)
{
    (void)state;
    struct tzif zone = { .time_count = 1,
                         .type_count = 2,
                         .times = { { 1667116800, 1 } },
                         .types = { { -25200, 0 }, { -21600, 0 } },
                         .rule = "CST6CDT,M3.2.0,M11.1.0" };
    static const struct zone_change wanted[] = {
        { INT64_MIN, -25200000 },
        { INT64_C(1667116800000), -21600000 },
        { INT64_C(1678608000000), -18000000 },
    };
    is_table(&zone, wanted, COUNT(wanted));
}

struct patch {
    size_t at;
    const char *bytes;
    size_t size;
    int code;
    const char *reason;
};

#define PATCH(at, bytes, code, reason) { at, bytes, sizeof(bytes) - 1, code, reason }

static const struct patch patches[] = {
    PATCH(TZIF_OLD_HEADER, "TZIF", E_CORRUPT, "does not begin with TZif"),
    PATCH(TZIF_OLD_HEADER + TZIF_VERSION, "\0", E_VERSION, "version 1"),
    PATCH(TZIF_OLD_HEADER + TZIF_VERSION, "3", E_CORRUPT, "different versions"),
    PATCH(TZIF_OLD_HEADER + TZIF_TIMES, "\xff\xff\xff\xff", E_CORRUPT, "times of 32 bits"),
    PATCH(TZIF_OLD_HEADER + TZIF_TYPES, "\xff\xff\xff\xff", E_CORRUPT, "times of 32 bits"),
    PATCH(TZIF_OLD_HEADER + TZIF_LEAPS, "\xff\xff\xff\xff", E_CORRUPT, "times of 32 bits"),
    PATCH(TZIF_OLD_HEADER + TZIF_LETTERS, "\xff\xff\xff\xff", E_CORRUPT, "times of 32 bits"),
    PATCH(TZIF_OLD_HEADER + TZIF_UT_FLAGS, "\xff\xff\xff\xff", E_CORRUPT, "times of 32 bits"),
    PATCH(TZIF_OLD_HEADER + TZIF_LETTERS, "\0\0\0\2", E_CORRUPT, "does not begin with TZif"),
    PATCH(TZIF_HEADER, "tzif", E_CORRUPT, "does not begin with TZif"),
    PATCH(TZIF_HEADER + TZIF_VERSION, "\0", E_CORRUPT, "different versions"),
    PATCH(TZIF_HEADER + TZIF_LEAPS, "\0\0\0\1", E_VERSION, "leap seconds"),
    PATCH(TZIF_HEADER + TZIF_LEAPS, "\xff\xff\xff\xff", E_VERSION, "leap seconds"),
    PATCH(TZIF_HEADER + TZIF_TIMES, "\xff\xff\xff\xff", E_CORRUPT, "times of 64 bits"),
    PATCH(TZIF_HEADER + TZIF_TIMES, "\0\0\0\xff", E_CORRUPT, "times of 64 bits"),
    PATCH(TZIF_HEADER + TZIF_TYPES, "\0\0\0\0", E_CORRUPT, "0 local time types"),
    PATCH(TZIF_HEADER + TZIF_TYPES, "\0\0\1\1", E_CORRUPT, "257 local time types"),
    PATCH(TZIF_HEADER + TZIF_TYPES, "\0\0\1\0", E_CORRUPT, "times of 64 bits"),
    PATCH(TZIF_HEADER + TZIF_LETTERS, "\0\0\0\0", E_CORRUPT, "no names"),
    PATCH(TZIF_HEADER + TZIF_LETTERS, "\xff\xff\xff\xff", E_CORRUPT, "times of 64 bits"),
    PATCH(TZIF_HEADER + TZIF_STANDARD_FLAGS, "\0\0\0\1", E_CORRUPT, "flags for"),
    PATCH(TZIF_HEADER + TZIF_UT_FLAGS, "\0\0\0\1", E_CORRUPT, "flags for"),
    PATCH(TZIF_HEADER + TZIF_UT_FLAGS, "\xff\xff\xff\xff", E_CORRUPT, "flags for"),
    PATCH(TIMES + 8, "\xff\xff\xff\xff\x6f\xa2\x61\xf8", E_CORRUPT, "time 1 is not later"),
    PATCH(TIMES + 8, "\x80\0\0\0\0\0\0\0", E_CORRUPT, "time 1 is not later"),
    PATCH(TIMES + 3 * 8, "\0\0\0\0\x14\x33\xfa\x90", E_CORRUPT, "time 3 is not later"),
    PATCH(TIMES + 4 * 8, "\x7f\xff\xff\xff\xff\xff\xff\xff", E_CORRUPT, "time 4 lies behind"),
    PATCH(TIMES + 4 * 8, "\0\0\0\x03\xe4\xe6\xb0\x80", E_CORRUPT, "time 4 lies behind"),
    PATCH(INDEXES, "\3", E_CORRUPT, "time 0 has type 3"),
    PATCH(INDEXES + 4, "\xff", E_CORRUPT, "time 4 has type 255"),
    PATCH(TYPES, "\x80\0\0\0", E_CORRUPT, "type 0 is -2147483648 seconds"),
    PATCH(TYPES, "\x7f\xff\xff\xff", E_CORRUPT, "type 0 is 2147483647 seconds"),
    PATCH(TYPES + 6, "\0\1\x6d\xa0", E_CORRUPT, "type 1 is 93600 seconds"),
    PATCH(TYPES + 6, "\xff\xfe\xa0\x70", E_CORRUPT, "type 1 is -90000 seconds"),
    PATCH(TYPES + 4, "\2", E_CORRUPT, "summer time 2 times"),
    PATCH(TYPES + 5, "\x10", E_CORRUPT, "the name of type 0"),
    PATCH(TYPES + 12 + 5, "\xff", E_CORRUPT, "the name of type 2"),
    PATCH(LETTERS + 15, "E", E_CORRUPT, "the last name does not end"),
    PATCH(RULE, "C", E_CORRUPT, "no rule"),
    PATCH(RULE + BERLIN_RULE_BYTES - 1, ";", E_CORRUPT, "ends in the rule"),
    PATCH(RULE + 1, "\0", E_CORRUPT, "a name of three letters or more expected in column 1"),
    PATCH(RULE + 4, "+", E_CORRUPT, "contradicts its last change"),
    PATCH(RULE + BERLIN_RULE_BYTES - 2, "\0", E_CORRUPT, "hours up to 167"),
};

static void every_field_that_is_wrong_is_named(void **state)
{
    (void)state;
    struct tzif berlin = tzif_berlin();
    struct buf good = BUF_INIT, table = BUF_INIT;
    tzif_write(&berlin, &good);
    assert_int_equal(good.size, RULE + BERLIN_RULE_BYTES);
    for (size_t i = 0; i < COUNT(patches); i++) {
        const struct patch *patch = &patches[i];
        struct err err = { 0 };
        uint8_t *bad = mem_copy(good.data, good.size);
        memcpy(bad + patch->at, patch->bytes, patch->size);
        int rc = read_bytes(bad, good.size, &table, &err);
        if (rc != patch->code || strstr(err.text, patch->reason) == NULL)
            fail_msg("patch %zu: %d, %s; not %s", i, rc, err.text, patch->reason);
        free(bad);
    }
    buf_deinit(&good);
    buf_deinit(&table);
}

static void wherever_a_file_is_torn_it_is_refused(void **state)
{
    (void)state;
    struct tzif berlin = tzif_berlin();
    struct buf good = BUF_INIT, table = BUF_INIT;
    tzif_write(&berlin, &good);
    for (size_t size = 0; size < good.size; size++) {
        struct err err = { 0 };
        assert_int_equal(read_bytes(good.data, size, &table, &err), E_CORRUPT);
        uint8_t *zeros = mem_copy(good.data, good.size);
        memset(zeros + size, 0, good.size - size);
        assert_true(read_bytes(zeros, good.size, &table, NULL) != 0);
        free(zeros);
    }
    assert_int_equal(read_bytes(good.data, good.size, &table, NULL), 0);
    buf_deinit(&good);
    buf_deinit(&table);
}

/* Much of what comes out is a zone, if a strange one; it must be a sound one. */
static void whatever_a_byte_becomes_a_table_is_sound_or_refused(void **state)
{
    (void)state;
    static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, '\n', '9', '-' };
    struct tzif berlin = tzif_berlin();
    struct buf bytes = BUF_INIT, table = BUF_INIT;
    tzif_write(&berlin, &bytes);
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t old = bytes.data[at];
        for (size_t i = 0; i < COUNT(values); i++) {
            bytes.data[at] = values[i];
            int rc = read_bytes(bytes.data, bytes.size, &table, NULL);
            assert_true(rc == E_CORRUPT || rc == E_VERSION ||
                        (rc == 0 && table.size > 0 && zone_table_ascends(&table)));
        }
        bytes.data[at] = old;
    }
    buf_deinit(&bytes);
    buf_deinit(&table);
}

static void changes_within_one_shift_of_the_clock_are_refused(void **state)
{
    (void)state;
    struct tzif zone = { .time_count = 2,
                         .type_count = 3,
                         .times = { { 100000, 1 }, { 103600, 2 } },
                         .types = { { 0, 0 }, { 7200, 0 }, { 3600, 0 } },
                         .rule = "" };
    is_refused(&zone, "two changes lie within one shift");
    zone.times[1].at = 103601;
    struct buf table = BUF_INIT;
    assert_int_equal(read_tzif(&zone, &table, NULL), 0);
    buf_deinit(&table);

    struct tzif yearly = { .type_count = 1,
                           .types = { { 0, 0 } },
                           .rule = "AAA0BBB,M3.1.0/2,M3.1.0/3:30" };
    is_refused(&yearly, "two changes lie within one shift");
}

/* What a later version of the format may add stands behind the rule. */
static void bytes_behind_the_rule_are_not_looked_at(void **state)
{
    (void)state;
    struct tzif berlin = tzif_berlin();
    struct buf bytes = BUF_INIT, table = BUF_INIT;
    tzif_write(&berlin, &bytes);
    buf_text(&bytes, "more");
    bytes.data[TZIF_OLD_HEADER + TZIF_VERSION] = bytes.data[TZIF_HEADER + TZIF_VERSION] = '5';
    assert_int_equal(read_bytes(bytes.data, bytes.size, &table, NULL), 0);
    buf_deinit(&bytes);
    buf_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_come_first_and_then_the_rule),
        cmocka_unit_test(without_a_rule_the_last_offset_stays),
        cmocka_unit_test(a_zone_may_have_no_times),
        cmocka_unit_test(a_time_before_the_calendar_means_always),
        cmocka_unit_test(a_change_of_the_name_alone_is_none),
        cmocka_unit_test(the_rule_may_have_begun_unnoticed),
        cmocka_unit_test(every_field_that_is_wrong_is_named),
        cmocka_unit_test(wherever_a_file_is_torn_it_is_refused),
        cmocka_unit_test(whatever_a_byte_becomes_a_table_is_sound_or_refused),
        cmocka_unit_test(changes_within_one_shift_of_the_clock_are_refused),
        cmocka_unit_test(bytes_behind_the_rule_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
