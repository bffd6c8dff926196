/* state_meta.c -- the rows that the state writes for itself, and how rows are hashed.
 *
 * `applied` says for which entry the file stands.  It is a row among the others so
 * that one transaction holds both, and it is left out of the hash and of a dump's rows:
 * two states with equal content are equal however often they were checkpointed.
 * `format` is hashed: content of another format is other content.
 *
 * Their values are numbers as keys have them, hence keys serve to build them.
 */
#include "storage/state_inside.h"

#include <string.h>

struct key state_meta_key(const char *name)
{
    struct key key;
    key_start(&key, 'm');
    key_tail(&key, (struct text){ name, (uint32_t)strlen(name) });
    return key;
}

static int put_meta(MDB_txn *txn, MDB_dbi table, const char *name, const struct key *numbers)
{
    struct key key = state_meta_key(name);
    MDB_val key_val = state_val(key.data, key.size);
    MDB_val value = state_val(numbers->data, numbers->size);
    return mdb_put(txn, table, &key_val, &value, 0);
}

int state_put_applied(MDB_txn *txn, MDB_dbi table, uint64_t seq, int64_t logged)
{
    struct key numbers = { .size = 0 };
    key_number(&numbers, seq);
    key_number(&numbers, (uint64_t)logged);
    return put_meta(txn, table, "applied", &numbers);
}

int state_put_format(MDB_txn *txn, MDB_dbi table)
{
    struct key numbers = { .size = 0 };
    key_number(&numbers, STATE_FORMAT);
    return put_meta(txn, table, "format", &numbers);
}

static int get_meta(MDB_txn *txn, MDB_dbi table, const char *name, struct key_reader *out_reader)
{
    struct key key = state_meta_key(name);
    MDB_val key_val = state_val(key.data, key.size), value;
    int rc = mdb_get(txn, table, &key_val, &value);
    if (rc == 0) {
        const uint8_t *data = value.mv_data;
        *out_reader = (struct key_reader){ data, data + value.mv_size };
    }
    return rc;
}

int state_read_format(MDB_txn *txn, MDB_dbi table, uint64_t *out_format)
{
    struct key_reader reader;
    int rc = get_meta(txn, table, "format", &reader);
    if (rc == 0 && !key_read_number(&reader, out_format))
        rc = MDB_CORRUPTED;
    return rc;
}

int state_read_applied(MDB_txn *txn, MDB_dbi table, uint64_t *out_seq, int64_t *out_logged)
{
    struct key_reader reader;
    uint64_t seq = 0, logged = 0;
    int rc = get_meta(txn, table, "applied", &reader);
    if (rc == 0 && !(key_read_number(&reader, &seq) && key_read_number(&reader, &logged)))
        rc = MDB_CORRUPTED;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    *out_seq = seq;
    *out_logged = (int64_t)logged;
    return 0;
}

static void put_size(uint8_t *out, size_t size)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(size >> (24 - 8 * i));
}

void state_row_head(uint8_t out_head[STATE_ROW_HEAD_BYTES], size_t key_size, size_t value_size)
{
    put_size(out_head, key_size);
    put_size(out_head + 4, value_size);
}

bool state_key_is(struct bytes key, const struct key *other)
{
    return key.size == other->size && memcmp(key.data, other->data, key.size) == 0;
}
