/* json_names.h -- which names the open objects of a JSON text have had already.
 *
 * JSON allows a name twice in an object and says nothing about what it means.
 * Every common reader lets the last one win; BSON readers find the first.  So the
 * reader keeps one of them, and must notice repetitions at a cost that neither
 * ordinary events nor hostile ones make visible: a hash table over the names in
 * the document being written.  Scanning the object's earlier names instead costs
 * less for three fields and minutes for a million.
 *
 * For one thread at a time; owned by a json_reader.
 */
#ifndef CORE_BASE_JSON_NAMES_H
#define CORE_BASE_JSON_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_name {
    uint64_t hash;
    uint32_t object; /* a number below `first` marks a free slot */
    uint32_t offset; /* of the field in the buffer that is written */
};

struct json_names {
    struct json_name *slots;
    size_t slot_count; /* a power of two */
    size_t used;
    uint32_t first; /* the first object of this document */
    uint32_t next;  /* the next object's number */
    uint64_t seed;  /* secret, so that nobody can choose names that collide */
};

void json_names_init(struct json_names *names);
void json_names_deinit(struct json_names *names);

/* Forget everything; takes no time. */
void json_names_reset(struct json_names *names);

/* A number for an object that was just opened. */
uint32_t json_names_object(struct json_names *names);

/* Note that the field at `offset` of `bytes` (its type, then its name) belongs to
 * `object`.  True if the object had the name already; the later offset stays. */
bool json_names_put(struct json_names *names, uint32_t object, const uint8_t *bytes,
                    uint32_t offset, size_t name_size);

/* The latest offset put for `object` and the name of the field at `offset`. */
uint32_t json_names_last(const struct json_names *names, uint32_t object, const uint8_t *bytes,
                         uint32_t offset, size_t name_size);

#endif
