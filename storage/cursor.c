/* cursor.c -- one walk over three layers.
 *
 * Each layer has a position of its own: at the first of its rows that was not yet
 * given out.  The lowest key among the positions is next; equal keys are one row,
 * and the upper layer's word on it counts.  A position whose row was given out is
 * "used" and moves at the next call, not at once: what the cursor points at stays in
 * place until then.
 *
 * Writing meanwhile.  Only the active buffer changes (freezing and settling are refused
 * while a cursor is open).  When a row has appeared or disappeared there, the position
 * is sought again behind the key that the cursor stands on; a change of a value needs
 * nothing, since rows are looked at when they are given out.
 *
 * Copying the matching rows at the opening would be simpler, and would copy a
 * customer's whole timeline for a caller who looks at its last row.
 */
#include "storage/state_inside.h"

#include "core/base/mem.h"

#include <string.h>

static int bytes_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    if (order != 0)
        return order;
    return (a_size > b_size) - (a_size < b_size);
}

static bool has_prefix(const struct cursor *cursor, const uint8_t *key, size_t size)
{
    size_t prefix_size = cursor->inside.prefix_size;
    return size >= prefix_size && memcmp(key, cursor->inside.key, prefix_size) == 0;
}

void cursor_open(struct cursor *cursor, struct state *state, const struct key *prefix)
{
    cursor_open_at(cursor, state, prefix, prefix);
}

/* The cursor's key always begins with the prefix, which therefore needs no other place. */
void cursor_open_at(struct cursor *cursor, struct state *state, const struct key *prefix,
                    const struct key *first)
{
    ASSERT(key_ok(prefix) && key_ok(first));
    bool is_inside =
        first->size >= prefix->size && memcmp(first->data, prefix->data, prefix->size) == 0;
    bool is_behind =
        !is_inside && bytes_compare(first->data, first->size, prefix->data, prefix->size) > 0;
    const struct key *begin = is_inside ? first : prefix;
    memset(cursor, 0, offsetof(struct cursor, inside.key));
    cursor->inside.state = state;
    cursor->inside.is_done = is_behind;
    cursor->inside.prefix_size = prefix->size;
    cursor->inside.key_size = begin->size;
    memcpy(cursor->inside.key, begin->data, begin->size);
    state->cursors_open++;
}

void cursor_close(struct cursor *cursor)
{
    struct state *state = cursor->inside.state;
    if (state == NULL)
        return;
    if (cursor->inside.table != NULL)
        state_give_cursor(state, cursor->inside.table);
    state->cursors_open--;
    cursor->inside.state = NULL;
}

/* -- Positions -------------------------------------------------------------- */

/* The row at `place` or the first one behind it that means anything; NULL: none is left. */
static const struct wbuf_row *row_at(const struct cursor *cursor, struct wbuf_place *place)
{
    const struct wbuf_row *row = wbuf_place_row(*place);
    while (row != NULL && row->kind == WBUF_ABSENT) {
        wbuf_place_next(place);
        row = wbuf_place_row(*place);
    }
    return row != NULL && has_prefix(cursor, row->key, row->key_size) ? row : NULL;
}

static struct wbuf_place seek(const struct cursor *cursor, const struct wbuf *wbuf)
{
    return wbuf_tree_seek(wbuf_tree(wbuf), cursor->inside.key, cursor->inside.key_size,
                          cursor->inside.is_begun);
}

static void move_active(struct cursor *cursor)
{
    const struct wbuf *wbuf = cursor->inside.state->active;
    bool is_stale = cursor->inside.version != wbuf_version(wbuf);
    if (!cursor->inside.is_begun || is_stale)
        cursor->inside.active_place = seek(cursor, wbuf);
    else if (cursor->inside.active_is_used)
        wbuf_place_next(&cursor->inside.active_place);
    else
        return;
    cursor->inside.version = wbuf_version(wbuf);
    cursor->inside.active = row_at(cursor, &cursor->inside.active_place);
}

static void move_frozen(struct cursor *cursor)
{
    const struct wbuf *wbuf = cursor->inside.state->frozen;
    if (wbuf == NULL)
        return;
    if (!cursor->inside.is_begun)
        cursor->inside.frozen_place = seek(cursor, wbuf);
    else if (cursor->inside.frozen_is_used)
        wbuf_place_next(&cursor->inside.frozen_place);
    else
        return;
    cursor->inside.frozen = row_at(cursor, &cursor->inside.frozen_place);
}

static void move_table(struct cursor *cursor)
{
    if (cursor->inside.is_begun && !cursor->inside.table_is_used)
        return;
    if (cursor->inside.table == NULL)
        cursor->inside.table = state_take_cursor(cursor->inside.state);
    MDB_val key = state_val(cursor->inside.key, cursor->inside.key_size), value;
    MDB_cursor_op how = cursor->inside.is_begun ? MDB_NEXT : MDB_SET_RANGE;
    int rc = mdb_cursor_get(cursor->inside.table, &key, &value, how);
    if (rc != 0 && rc != MDB_NOTFOUND)
        state_stop(rc);
    bool is_there = rc == 0 && has_prefix(cursor, key.mv_data, key.mv_size);
    cursor->inside.table_key = is_there ? state_bytes(key) : (struct bytes){ NULL, 0 };
    cursor->inside.table_value = is_there ? state_bytes(value) : (struct bytes){ NULL, 0 };
}

/* -- Merging ---------------------------------------------------------------- */

static struct bytes row_key(const struct wbuf_row *row)
{
    return row != NULL ? (struct bytes){ row->key, row->key_size } : (struct bytes){ NULL, 0 };
}

/* No key (at the end of a layer) comes after all keys. */
static bool is_lower(struct bytes a, struct bytes b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data != NULL;
    return bytes_compare(a.data, a.size, b.data, b.size) < 0;
}

static bool is_same(struct bytes a, struct bytes b)
{
    return a.data != NULL && a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Stand on the lowest key; false: no layer has one. */
static bool stand(struct cursor *cursor)
{
    struct bytes active = row_key(cursor->inside.active);
    struct bytes frozen = row_key(cursor->inside.frozen);
    struct bytes table = cursor->inside.table_key;
    struct bytes lowest = active;
    if (is_lower(frozen, lowest))
        lowest = frozen;
    if (is_lower(table, lowest))
        lowest = table;
    cursor->inside.active_is_used = is_same(active, lowest);
    cursor->inside.frozen_is_used = is_same(frozen, lowest);
    cursor->inside.table_is_used = is_same(table, lowest);
    if (lowest.data == NULL)
        return false;
    memcpy(cursor->inside.key, lowest.data, lowest.size);
    cursor->inside.key_size = (uint16_t)lowest.size;
    return true;
}

/* The value at the key it stands on; false: deleted. */
static bool take_value(struct cursor *cursor)
{
    const struct wbuf_row *row = NULL;
    if (cursor->inside.active_is_used)
        row = cursor->inside.active;
    else if (cursor->inside.frozen_is_used)
        row = cursor->inside.frozen;
    cursor->key = (struct bytes){ cursor->inside.key, cursor->inside.key_size };
    cursor->value =
        row != NULL ? (struct bytes){ row->value, row->value_size } : cursor->inside.table_value;
    return row == NULL || row->kind == WBUF_VALUE;
}

bool cursor_next(struct cursor *cursor)
{
    while (!cursor->inside.is_done) {
        move_active(cursor);
        move_frozen(cursor);
        move_table(cursor);
        cursor->inside.is_begun = true;
        if (!stand(cursor))
            cursor->inside.is_done = true;
        else if (take_value(cursor))
            return true;
    }
    cursor->key = (struct bytes){ NULL, 0 };
    cursor->value = (struct bytes){ NULL, 0 };
    return false;
}
