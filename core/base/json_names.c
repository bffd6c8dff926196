/* json_names.c -- a hash table of field names; see json_names.h.
 *
 * Open addressing with linear probing.  Nothing is ever removed: objects are
 * numbered upwards for the life of the table, so forgetting a document means
 * raising `first`, and a slot of an older object counts as free.  Names are not
 * copied; a slot says where the name lies in the document.
 */
#include "core/base/json_names.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define SLOT_COUNT_MIN 256

void json_names_init(struct json_names *names)
{
    *names = (struct json_names){ .slot_count = SLOT_COUNT_MIN, .first = 1, .next = 1 };
    names->slots = mem_zero(names->slot_count * sizeof *names->slots);
    ASSERT(getrandom(&names->seed, sizeof names->seed, 0) == sizeof names->seed);
}

void json_names_deinit(struct json_names *names)
{
    free(names->slots);
    names->slots = NULL;
}

void json_names_reset(struct json_names *names)
{
    if (names->next > UINT32_MAX / 2) {
        memset(names->slots, 0, names->slot_count * sizeof *names->slots);
        names->next = 1;
    }
    names->first = names->next;
    names->used = 0;
}

uint32_t json_names_object(struct json_names *names)
{
    return names->next++;
}

static uint64_t hash_name(const struct json_names *names, uint32_t object, const uint8_t *name,
                          size_t size)
{
    return XXH3_64bits_withSeed(name, size, names->seed + object);
}

/* The slot of the name, or the free one where it belongs. */
static struct json_name *slot_find(const struct json_names *names, uint32_t object,
                                   const uint8_t *bytes, uint32_t offset, size_t name_size,
                                   uint64_t hash)
{
    for (size_t i = hash & (names->slot_count - 1);; i = (i + 1) & (names->slot_count - 1)) {
        struct json_name *slot = &names->slots[i];
        if (slot->object < names->first)
            return slot;
        if (slot->hash == hash && slot->object == object &&
            memcmp(bytes + slot->offset + 1, bytes + offset + 1, name_size + 1) == 0)
            return slot;
    }
}

static void grow(struct json_names *names)
{
    struct json_name *old = names->slots;
    size_t old_count = names->slot_count;
    names->slot_count = old_count * 2;
    names->slots = mem_zero(names->slot_count * sizeof *names->slots);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].object < names->first)
            continue;
        size_t at = old[i].hash & (names->slot_count - 1);
        while (names->slots[at].object != 0)
            at = (at + 1) & (names->slot_count - 1);
        names->slots[at] = old[i];
    }
    free(old);
}

bool json_names_put(struct json_names *names, uint32_t object, const uint8_t *bytes,
                    uint32_t offset, size_t name_size)
{
    if (names->used >= names->slot_count / 2)
        grow(names);
    uint64_t hash = hash_name(names, object, bytes + offset + 1, name_size);
    struct json_name *slot = slot_find(names, object, bytes, offset, name_size, hash);
    bool is_known = slot->object >= names->first;
    names->used += !is_known;
    *slot = (struct json_name){ hash, object, offset };
    return is_known;
}

uint32_t json_names_last(const struct json_names *names, uint32_t object, const uint8_t *bytes,
                         uint32_t offset, size_t name_size)
{
    uint64_t hash = hash_name(names, object, bytes + offset + 1, name_size);
    return slot_find(names, object, bytes, offset, name_size, hash)->offset;
}
