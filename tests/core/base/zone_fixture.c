/* zone_fixture.c -- see zone_fixture.h. */
#include "tests/core/base/zone_fixture.h"

#include "core/base/buf.h"

#include <string.h>

static void put(struct buf *out, uint64_t value, int bytes)
{
    while (bytes > 0)
        buf_byte(out, (uint8_t)(value >> 8 * --bytes));
}

static void put_header(struct buf *out, size_t times, size_t types, size_t letters)
{
    static const uint8_t reserved[15] = { 0 };
    buf_text(out, "TZif2");
    buf_append(out, reserved, sizeof reserved);
    for (int flags_and_leaps = 0; flags_and_leaps < 3; flags_and_leaps++)
        put(out, 0, 4);
    put(out, times, 4);
    put(out, types, 4);
    put(out, letters, 4);
}

void tzif_write(const struct tzif *tzif, struct buf *out)
{
    static const char letters[] = "AAA\0BBB\0CCC\0DDD";
    put_header(out, 0, 1, 1);
    put(out, 0, 6);
    put(out, 0, 1);
    put_header(out, tzif->time_count, tzif->type_count, sizeof letters);
    for (size_t i = 0; i < tzif->time_count; i++)
        put(out, (uint64_t)tzif->times[i].at, 8);
    for (size_t i = 0; i < tzif->time_count; i++)
        buf_byte(out, tzif->times[i].type);
    for (size_t i = 0; i < tzif->type_count; i++) {
        put(out, (uint32_t)tzif->types[i].offset, 4);
        buf_byte(out, tzif->types[i].is_summer);
        buf_byte(out, (uint8_t)(i * 4));
    }
    buf_append(out, letters, sizeof letters);
    buf_printf(out, "\n%s\n", tzif->rule);
}

struct tzif tzif_berlin(void)
{
    return (struct tzif){
        .time_count = 5,
        .type_count = 3,
        .times = { { INT64_C(-2422054408), 1 },
                   { 323830800, 2 },
                   { 338950800, 1 },
                   { 354675600, 2 },
                   { 370400400, 1 } },
        .types = { { 3208, 0 }, { 3600, 0 }, { 7200, 1 } },
        .rule = "CET-1CEST,M3.5.0,M10.5.0/3",
    };
}
