/* state_over.c -- a state laid over another: what would be, without being.
 *
 * It reads the other's last checkpoint through a transaction of its own and keeps whatever is
 * written in its buffer, which never goes anywhere.  So it costs what is changed and not what
 * there is: a copy of the file would take as long, and as much of the disk, as a backup.
 *
 * The environment is the other's.  It counts among its users, so that no compaction and no
 * reopening takes the file away beneath; and the pages of its checkpoint cannot be used again
 * while it lives, so whoever opens one must end it soon.
 */
#include "storage/state_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

int state_open_over(struct state *base, size_t buffer_bytes_max, struct state **out_state,
                    struct err *err)
{
    struct env *env = state_enter(base);
    if (env == NULL) {
        state_leave(base);
        return err_set(err, E_IO, "the state's file is not open at the moment; try again later");
    }
    struct state *state = mem_zero(sizeof *state);
    state->base = base;
    state->env = env;
    state->dir = mem_string(base->dir);
    state->buffer_bytes_max = buffer_bytes_max;
    state->buffer_rows_max = SIZE_MAX; /* nobody waits for it to be written */
    int rc = getentropy(&state->seed, sizeof state->seed);
    ASSERT(rc == 0);
    state_init_locks(state);
    state->active = wbuf_new(&state->pool, 0);
    int code = state_reading_begin(state, err);
    if (code != 0) {
        state_close(state);
        return code;
    }
    *out_state = state;
    return 0;
}

void state_changes(const struct state *state, state_change_fn *visit, void *arg)
{
    static const uint8_t first[1] = { 0 };
    struct wbuf_place place = wbuf_tree_seek(wbuf_tree(state->active), first, 0, false);
    const struct wbuf_row *row;
    for (; (row = wbuf_place_row(place)) != NULL; wbuf_place_next(&place)) {
        struct bytes value = { row->value, row->value_size };
        if (row->kind == WBUF_VALUE)
            visit(arg, (struct bytes){ row->key, row->key_size }, value);
    }
}
