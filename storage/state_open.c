/* state_open.c -- how a state begins and ends.
 *
 * An empty table is a new state: it gets its `format` row in a transaction of its own,
 * before anything else, so a table with rows and without that row is not ours.
 *
 * The quota is the size of the map: then LMDB itself stops before the file would pass
 * it, in the middle of a transaction if need be, where an estimate beforehand
 * would have to guess how many pages scattered rows touch.
 */
#include "storage/state_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

#define BUFFER_BYTES_MAX ((size_t)128 << 20)
#define BUFFER_ROWS_MAX ((size_t)1000000)
#define PAGE_BYTES ((size_t)4096)

static const char *const tables[] = { "state" };

static int check_format(struct state *state, MDB_txn *txn, struct err *err)
{
    uint64_t format = 0;
    int rc = state_read_format(txn, env_table(state->env, STATE_TABLE), &format);
    if (rc != 0)
        return state_fail(state, err, rc, "read the state's format");
    if (format != STATE_FORMAT)
        return err_set(err, E_VERSION,
                       "the state in %s has format %llu, this program reads %d; start with "
                       "--rebuild to make it anew from the log",
                       env_dir(state->env), (unsigned long long)format, STATE_FORMAT);
    return 0;
}

static int begin_if_new(struct state *state, struct err *err)
{
    MDB_dbi table = env_table(state->env, STATE_TABLE);
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int rc = env_begin(state->env, 0, &txn);
    if (rc == 0)
        rc = mdb_stat(txn, table, &stat);
    if (rc == 0 && stat.ms_entries != 0) {
        mdb_txn_abort(txn);
        return 0;
    }
    if (rc == 0)
        rc = state_put_format(txn, table);
    rc = env_finish(txn, rc);
    return rc == 0 ? 0 : state_fail(state, err, rc, "begin the state");
}

int state_reading_begin(struct state *state, struct err *err)
{
    MDB_dbi table = env_table(state->env, STATE_TABLE);
    int rc = env_begin(state->env, MDB_RDONLY, &state->txn);
    if (rc == 0)
        rc = mdb_cursor_open(state->txn, table, &state->reader);
    if (rc == 0)
        rc = state_read_applied(state->txn, table, &state->applied_seq, &state->applied_logged);
    if (rc != 0)
        return state_fail(state, err, rc, "read the state");
    return check_format(state, state->txn, err);
}

void state_reading_end(struct state *state)
{
    while (state->idle_count > 0)
        mdb_cursor_close(state->idle[--state->idle_count]);
    if (state->reader != NULL)
        mdb_cursor_close(state->reader);
    state->reader = NULL;
    mdb_txn_abort(state->txn);
    state->txn = NULL;
}

static size_t map_bytes_of(const struct state_options *options)
{
    size_t map = options->map_bytes != 0 ? options->map_bytes : ENV_MAP_BYTES;
    if (options->quota_bytes != 0 && options->quota_bytes < map)
        map = options->quota_bytes;
    return map - map % PAGE_BYTES;
}

static int open_env(struct state *state, struct err *err)
{
    struct env_options options = {
        .dir = state->dir,
        .map_bytes = state->map_bytes,
        .tables = tables,
        .tables_count = 1,
    };
    return env_open(&options, &state->env, err);
}

/* What is read from here on is what the disk has. */
static int flush(struct state *state, struct err *err)
{
    int rc = env_flush(state->env);
    return rc == 0 ? 0 : state_fail(state, err, rc, "flush the state");
}

static int open_file(struct state *state, struct err *err)
{
    int code = open_env(state, err);
    if (code == 0)
        code = flush(state, err);
    if (code == 0)
        code = begin_if_new(state, err);
    if (code == 0)
        code = state_reading_begin(state, err);
    return code;
}

/* The engine reads on as soon as it can, also while the disk refuses the flush. */
int state_open_again(struct state *state, struct err *err)
{
    state_reading_end(state);
    env_close(state->env);
    state->env = NULL;
    int code = open_env(state, err);
    if (code == 0)
        code = state_reading_begin(state, err);
    if (code != 0)
        state_reading_end(state);
    else
        code = flush(state, err);
    if (code == 0)
        atomic_store(&state->is_lost, false);
    return code;
}

void state_init_locks(struct state *state)
{
    int rc = pthread_mutex_init(&state->writing, NULL);
    ASSERT(rc == 0);
    rc = pthread_mutex_init(&state->lock, NULL);
    ASSERT(rc == 0);
}

int state_open(const struct state_options *options, struct state **out_state, struct err *err)
{
    struct state *state = mem_zero(sizeof *state);
    state->dir = mem_string(options->dir);
    state->map_bytes = map_bytes_of(options);
    state->quota_bytes = options->quota_bytes;
    state->buffer_bytes_max =
        options->buffer_bytes_max != 0 ? options->buffer_bytes_max : BUFFER_BYTES_MAX;
    state->buffer_rows_max =
        options->buffer_rows_max != 0 ? options->buffer_rows_max : BUFFER_ROWS_MAX;
    int rc = getentropy(&state->seed, sizeof state->seed);
    ASSERT(rc == 0);
    state_init_locks(state);
    state->active = wbuf_new(&state->pool, 0);

    int code = open_file(state, err);
    if (code != 0) {
        state_close(state);
        return code;
    }
    *out_state = state;
    return 0;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    ASSERT(state->users == 0 && state->cursors_open == 0);
    state_reading_end(state);
    if (state->base != NULL)
        state_leave(state->base);
    else
        env_close(state->env);
    wbuf_free(state->active);
    wbuf_free(state->frozen);
    wbuf_pool_free(&state->pool);
    pthread_mutex_destroy(&state->writing);
    pthread_mutex_destroy(&state->lock);
    free(state->dir);
    free(state);
}
