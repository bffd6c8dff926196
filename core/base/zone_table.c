/* zone_table.c -- the two rules that every table of changes keeps.
 *
 * Each entry differs in its offset from the one before: files list changes of the
 * zone's name as well, and older ones write out years that newer ones leave to the
 * rule.  Without those entries the same clock always gives the same table, so that
 * tables may be compared by their bytes.
 *
 * Instants ascend, and so do the wall clocks that follow the changes, which is what
 * the searches of zone.c are built on.
 */
#include "core/base/zone_table.h"

#include "core/base/buf.h"

void zone_table_append(struct buf *table, int64_t at_ms, int64_t offset_ms)
{
    const struct zone_change *changes = (const void *)table->data;
    size_t count = table->size / sizeof *changes;
    struct zone_change change = { at_ms, offset_ms };
    if (count == 0 || changes[count - 1].offset_ms != offset_ms)
        buf_append(table, &change, sizeof change);
}

bool zone_table_ascends(const struct buf *table)
{
    const struct zone_change *changes = (const void *)table->data;
    size_t count = table->size / sizeof *changes;
    for (size_t i = 2; i < count; i++) {
        const struct zone_change *change = &changes[i], *before = change - 1;
        if (change->at_ms <= before->at_ms ||
            change->at_ms + change->offset_ms <= before->at_ms + before->offset_ms)
            return false;
    }
    return true;
}
