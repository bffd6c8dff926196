/* zone_fixture.h -- files of the zone data base as a test wants them. */
#ifndef TESTS_CORE_BASE_ZONE_FIXTURE_H
#define TESTS_CORE_BASE_ZONE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define TZIF_TIMES_MAX 8
#define TZIF_TYPES_MAX 4

/* Types have the names AAA, BBB, CCC, DDD. */
struct tzif {
    size_t time_count, type_count;
    struct {
        int64_t at; /* seconds since 1970 */
        uint8_t type;
    } times[TZIF_TIMES_MAX];
    struct {
        int32_t offset; /* seconds */
        uint8_t is_summer;
    } types[TZIF_TYPES_MAX];
    const char *rule;
};

/* Where in the bytes stands what tests make wrong. */
enum {
    TZIF_OLD_HEADER = 0,
    TZIF_OLD_BLOCK = 44, /* one type and one letter */
    TZIF_HEADER = TZIF_OLD_BLOCK + 6 + 1,
    TZIF_BLOCK = TZIF_HEADER + 44,
    /* in a header */
    TZIF_VERSION = 4,
    TZIF_UT_FLAGS = 20,
    TZIF_STANDARD_FLAGS = 24,
    TZIF_LEAPS = 28,
    TZIF_TIMES = 32,
    TZIF_TYPES = 36,
    TZIF_LETTERS = 40,
};

/* Append the file, version 2. */
void tzif_write(const struct tzif *tzif, struct buf *out);

/* Berlin in short: summer time from 1980 on, by a rule from 1982 on. */
struct tzif tzif_berlin(void);

#endif
