/* zone_tzif.c -- one file of the system's zone data base, read into a table.
 *
 *     header, block     times of 32 bits, for readers of before 2005: skipped
 *     header, block     the same with 64 bits
 *     \n rule \n        how it goes on behind the last time (zone_rule.h)
 *
 * A block is a row of arrays whose lengths stand in the header: times, one index
 * per time into the types, the types (offset, is it summer time, where is its
 * name), the names, leap seconds, two arrays of flags.  We need times and offsets;
 * the rest is checked to lie where it must.
 *
 * A file comes from a disk that may have lost power, and from a directory that an
 * admin may choose.  So each array is taken off a slice that knows its length, and
 * each index is compared before it is used.  What breaks the format is refused
 * rather than repaired: a clock that is an hour wrong is noticed too late.
 *
 * Asking the C library instead is the alternative: localtime_r() reads the same
 * files, but knows one zone at a time, chosen by a variable of the process.
 */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/zone_rule.h"
#include "core/base/zone_table.h"

#include <stdbool.h>
#include <string.h>

#define HEADER_BYTES 44
#define TYPE_BYTES 6
#define TYPES_MAX 256 /* an index has one byte */
#define OFFSET_SECONDS_MIN (-25 * 3600 + 1)
#define OFFSET_SECONDS_MAX (26 * 3600 - 1)

/* Files may name an instant long before any calendar, to say "always". */
#define BEGINNING_SECONDS (CIVIL_MS_MIN / CIVIL_SECOND_MS)
#define END_SECONDS (ZONE_TABLE_END_MS / CIVIL_SECOND_MS)

struct slice {
    const uint8_t *data;
    size_t size;
};

struct header {
    uint8_t version; /* a digit; 0 for 1 */
    uint32_t ut_flags, standard_flags, leaps, times, types, letters;
};

/* The arrays of a block that mean something to us. */
struct block {
    struct slice times, indexes, types, letters;
};

/* The out-parameter is written only if there is as much. */
static bool take(struct slice *rest, uint64_t size, struct slice *out_part)
{
    if (size > rest->size)
        return false;
    *out_part = (struct slice){ rest->data, (size_t)size };
    rest->data += size;
    rest->size -= (size_t)size;
    return true;
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int64_t read_i64(const uint8_t *bytes)
{
    uint64_t value = (uint64_t)read_u32(bytes) << 32 | read_u32(bytes + 4);
    return (int64_t)value;
}

static int truncated(struct err *err, const char *where)
{
    return err_set(err, E_CORRUPT, "it ends in %s", where);
}

static int read_header(struct slice *rest, struct header *out_header, struct err *err)
{
    struct slice bytes;
    if (!take(rest, HEADER_BYTES, &bytes))
        return truncated(err, "a header");
    if (memcmp(bytes.data, "TZif", 4) != 0)
        return err_set(err, E_CORRUPT, "a header does not begin with TZif");
    const uint8_t *counts = bytes.data + 20;
    *out_header = (struct header){
        .version = bytes.data[4],
        .ut_flags = read_u32(counts),
        .standard_flags = read_u32(counts + 4),
        .leaps = read_u32(counts + 8),
        .times = read_u32(counts + 12),
        .types = read_u32(counts + 16),
        .letters = read_u32(counts + 20),
    };
    return 0;
}

static uint64_t block_bytes(const struct header *header, uint64_t time_bytes)
{
    return header->times * (time_bytes + 1) + (uint64_t)header->types * TYPE_BYTES +
           header->letters + header->leaps * (time_bytes + 4) + header->standard_flags +
           header->ut_flags;
}

static int check_header(const struct header *header, struct err *err)
{
    if (header->leaps != 0)
        return err_set(err, E_VERSION, "it counts leap seconds, which instants here do not");
    if (header->types == 0 || header->types > TYPES_MAX)
        return err_set(err, E_CORRUPT, "%u local time types, not 1 to 256", header->types);
    if (header->letters == 0)
        return err_set(err, E_CORRUPT, "no names of local time types");
    if ((header->standard_flags != 0 && header->standard_flags != header->types) ||
        (header->ut_flags != 0 && header->ut_flags != header->types))
        return err_set(err, E_CORRUPT, "%u and %u flags for %u local time types",
                       header->standard_flags, header->ut_flags, header->types);
    return 0;
}

static int take_block(struct slice *rest, const struct header *header, struct block *out_block,
                      struct err *err)
{
    struct slice flags;
    bool is_whole = take(rest, header->times * UINT64_C(8), &out_block->times) &&
                    take(rest, header->times, &out_block->indexes) &&
                    take(rest, (uint64_t)header->types * TYPE_BYTES, &out_block->types) &&
                    take(rest, header->letters, &out_block->letters) &&
                    take(rest, (uint64_t)header->standard_flags + header->ut_flags, &flags);
    return is_whole ? 0 : truncated(err, "the block with times of 64 bits");
}

static int32_t type_offset(const struct block *block, size_t type)
{
    return (int32_t)read_u32(block->types.data + type * TYPE_BYTES);
}

static int check_types(const struct block *block, struct err *err)
{
    for (size_t type = 0; type * TYPE_BYTES < block->types.size; type++) {
        const uint8_t *bytes = block->types.data + type * TYPE_BYTES;
        int32_t offset = type_offset(block, type);
        if (offset < OFFSET_SECONDS_MIN || offset > OFFSET_SECONDS_MAX)
            return err_set(err, E_CORRUPT, "type %zu is %d seconds from UTC", type, (int)offset);
        if (bytes[4] > 1)
            return err_set(err, E_CORRUPT, "type %zu is summer time %d times", type, bytes[4]);
        if (bytes[5] >= block->letters.size)
            return err_set(err, E_CORRUPT, "the name of type %zu lies outside the names", type);
    }
    struct slice letters = block->letters;
    if (letters.data == NULL || letters.data[letters.size - 1] != '\0')
        return err_set(err, E_CORRUPT, "the last name does not end");
    return 0;
}

/* On return *out_last_ms is the instant of the last change, INT64_MIN if there is
 * none: from there on the rule holds. */
static int append_changes(const struct block *block, struct buf *table, int64_t *out_last_ms,
                          int64_t *out_last_offset_ms, struct err *err)
{
    int64_t offset_ms = type_offset(block, 0) * CIVIL_SECOND_MS;
    int64_t last_ms = INT64_MIN, before = INT64_MIN;
    for (size_t i = 0; i < block->indexes.size; i++) {
        int64_t at = read_i64(block->times.data + i * 8);
        size_t type = block->indexes.data[i];
        if (i > 0 && at <= before)
            return err_set(err, E_CORRUPT, "time %zu is not later than the one before", i);
        if (type * TYPE_BYTES >= block->types.size)
            return err_set(err, E_CORRUPT, "time %zu has type %zu, which does not exist", i, type);
        before = at;
        if (at >= END_SECONDS)
            return err_set(err, E_CORRUPT, "time %zu lies behind the year 2499", i);
        if (at > BEGINNING_SECONDS) {
            zone_table_append(table, last_ms, offset_ms);
            last_ms = at * CIVIL_SECOND_MS;
        }
        offset_ms = type_offset(block, type) * CIVIL_SECOND_MS;
    }
    zone_table_append(table, last_ms, offset_ms);
    *out_last_ms = last_ms;
    *out_last_offset_ms = offset_ms;
    return 0;
}

static int take_rule(struct slice *rest, struct slice *out_text, struct err *err)
{
    struct slice feed;
    if (!take(rest, 1, &feed) || feed.data[0] != '\n')
        return err_set(err, E_CORRUPT, "no rule for the future behind the times");
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    if (end == NULL)
        return truncated(err, "the rule for the future");
    bool is_there = take(rest, (uint64_t)(end - rest->data), out_text);
    return is_there ? 0 : truncated(err, "the rule for the future");
}

/* No rule means that nobody knows; the last offset then stays, and so it does until
 * the rule's first change.  Strictly the rule has to agree at the last time already, but
 * a change of the rule that does not move the clock at once is left out of some files
 * (America/Ojinaga, 2022). */
static int append_rule(struct slice text, int64_t last_ms, int64_t last_offset_ms,
                       struct buf *table, struct err *err)
{
    struct zone_rule rule;
    struct err reason = { 0 };
    if (text.size == 0)
        return 0;
    if (zone_rule_parse((const char *)text.data, text.size, &rule, &reason) != 0)
        return err_set(err, E_CORRUPT, "in its rule for the future: %s", reason.text);
    if (last_offset_ms != rule.standard_ms &&
        (!rule.has_summer || last_offset_ms != rule.summer_ms))
        return err_set(err, E_CORRUPT, "its rule for the future contradicts its last change");
    zone_rule_append(&rule, last_ms, table);
    return 0;
}

/* Past the old block and both headers, to what counts. */
static int read_block(struct slice *rest, struct block *out_block, struct err *err)
{
    struct header old = { 0 }, header = { 0 };
    struct slice skipped;
    int rc = read_header(rest, &old, err);
    if (rc != 0)
        return rc;
    if (old.version < '2')
        return err_set(err, E_VERSION, "it has version 1 of the format; 2 or later is needed");
    if (!take(rest, block_bytes(&old, 4), &skipped))
        return truncated(err, "the block with times of 32 bits");
    rc = read_header(rest, &header, err);
    if (rc != 0)
        return rc;
    if (header.version != old.version)
        return err_set(err, E_CORRUPT, "its two headers have different versions");
    rc = check_header(&header, err);
    return rc == 0 ? take_block(rest, &header, out_block, err) : rc;
}

int zone_tzif_read(const uint8_t *data, size_t size, struct buf *table, struct err *err)
{
    struct slice rest = { data, size }, text = { NULL, 0 };
    struct block block = { .times = { NULL, 0 } };
    int64_t last_ms = INT64_MIN, last_offset_ms = 0;
    int rc = read_block(&rest, &block, err);
    if (rc == 0)
        rc = check_types(&block, err);
    if (rc == 0)
        rc = append_changes(&block, table, &last_ms, &last_offset_ms, err);
    if (rc == 0)
        rc = take_rule(&rest, &text, err);
    if (rc == 0)
        rc = append_rule(text, last_ms, last_offset_ms, table, err);
    if (rc == 0 && !zone_table_ascends(table))
        rc = err_set(err, E_CORRUPT, "two changes lie within one shift of the clock");
    return rc;
}
