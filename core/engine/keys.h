/* keys.h -- the tables of docs/state.md as functions that build their keys.
 *
 * Each fills or goes on with a key of the caller's; one that a text made too long fails
 * key_ok(), which whoever takes texts from outside asks.  Any thread.
 */
#ifndef CORE_ENGINE_KEYS_H
#define CORE_ENGINE_KEYS_H

#include "storage/key.h"

static inline void key_meta(struct key *key, const char *name)
{
    key_start(key, 'm');
    key_tail(key, text_of(name));
}

/* Begins a row of a customer's cluster; the caller adds what the sub-table has. */
static inline void key_customer(struct key *key, uint64_t customer, char table)
{
    key_start(key, 'c');
    key_number(key, customer);
    key_byte(key, (uint8_t)table);
}

static inline void key_id(struct key *key, uint64_t seq, uint64_t n)
{
    key_number(key, seq);
    key_number(key, n);
}

static inline void key_identity(struct key *key, struct text name_space, struct text value)
{
    key_start(key, 'i');
    key_text(key, name_space);
    key_text(key, value);
}

static inline void key_suppression(struct key *key, struct text channel, struct text value)
{
    key_start(key, 'u');
    key_text(key, channel);
    key_tail(key, value);
}

/* Of somebody who is being erased; behind it the rows that list her entries. */
static inline void key_erasure(struct key *key, uint64_t customer)
{
    key_start(key, 'z');
    key_number(key, customer);
}

static inline void key_named(struct key *key, char table, struct text name)
{
    key_start(key, table);
    key_tail(key, name);
}

#endif
