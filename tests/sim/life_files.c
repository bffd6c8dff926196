/* life_files.c -- whose files are, as the rows of the state have it; see life_files.h.
 *
 * The two rows of each naming are printed by themselves: the judge compares both with what the
 * events say, so that neither may stay when its customer is erased.
 */
#include "tests/sim/life_files.h"

#include "core/base/hash.h"
#include "core/engine/keys.h"
#include "storage/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print(const char *name, uint64_t customer, uint64_t seq, const uint8_t *hash)
{
    char text[HEX_SIZE(DIGEST_32_BYTES)];
    hex_encode(hash, DIGEST_32_BYTES, text);
    printf("{\"%s\":%" PRIu64 ",\"entry\":%" PRIu64 ",\"hash\":\"%s\"}\n", name, customer, seq,
           text);
}

static int print_owner(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1 + DIGEST_32_BYTES, key.data + key.size };
    uint64_t customer = 0, seq = 0;
    (void)arg;
    (void)value;
    if (!key_read_number(&reader, &customer) || !key_read_number(&reader, &seq))
        abort();
    print("owner", customer, seq, key.data + 1);
    return 0;
}

static int print_forgotten(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { value.data, value.data + value.size };
    uint64_t customer = 0;
    (void)arg;
    if (!key_read_number(&reader, &customer))
        abort();
    print("forgotten", customer, 0, key.data + 1);
    return 0;
}

/* Of all rows of customers those of their tables `F`. */
static int print_mine(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    uint64_t customer = 0, seq = 0;
    (void)arg;
    (void)value;
    if (!key_read_number(&reader, &customer))
        abort();
    if (reader.at == reader.end || *reader.at++ != 'F')
        return 0;
    if (!key_read_number(&reader, &seq))
        abort();
    print("mine", customer, seq, reader.at);
    return 0;
}

void life_files(struct snapshot *snapshot)
{
    struct key prefix;
    key_start(&prefix, 'F');
    snapshot_visit(snapshot, &prefix, NULL, print_owner, NULL);
    key_start(&prefix, 'G');
    snapshot_visit(snapshot, &prefix, NULL, print_forgotten, NULL);
    key_start(&prefix, 'c');
    snapshot_visit(snapshot, &prefix, NULL, print_mine, NULL);
}
