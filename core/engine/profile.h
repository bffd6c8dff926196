/* profile.h -- what is known of one customer number, as one row of the state.
 *
 * A profile is a handful of sections, each a document that is never changed in
 * place: a change builds a new section in the arena and swaps the pointer.  So a
 * copy of the struct is a savepoint, reading a trait decodes nothing else, and
 * storing writes the sections one behind the other.
 *
 * A merge links customers and moves nothing; a profile is one member of such a
 * group (customer.h folds over the group).  Engine thread only.
 */
#ifndef CORE_ENGINE_PROFILE_H
#define CORE_ENGINE_PROFILE_H

#include "core/base/arena.h"
#include "core/base/doc.h"

struct state;

enum profile_kind { PROFILE_PERSON = 0, PROFILE_ORGANISATION = 1 };

struct profile {
    uint64_t number;
    enum profile_kind kind;
    int64_t created;     /* logged */
    uint64_t merged;     /* the customer it was absorbed by; 0: none */
    struct text owner;   /* staff or team; empty: nobody's */
    struct doc absorbed; /* array of customer numbers */
    struct doc ids;      /* array: namespace, value, namespace, value ... */
    struct doc traits;   /* name -> array: value, at, source, value, at, source ...; winner first */
    struct doc roles;    /* array of {role, since, until} */
    struct doc addresses; /* array of {channel, value, label, verified, state, preferred, at} */
    struct doc consents;  /* array of {purpose, channel, state, at, source, proof} */
    struct doc tags;      /* array of texts, sorted */
    int64_t marks_first, marks_last; /* dedupe buckets in use; -1: none */
    bool has_marks_forever;          /* of imports */
    int64_t timers;                  /* how many are set */
    bool is_dirty;
    bool has_new_terms; /* what it is found by may be another (search.h) */
};

/* Copy the row of `number` into the arena.  False: no such customer. */
bool profile_load(struct profile *profile, struct state *state, struct arena *arena,
                  uint64_t number);

/* The same from a row that the caller keeps: the profile borrows from it. */
void profile_read(struct profile *profile, uint64_t number, struct doc row);

/* The row's size in bytes if it were stored now. */
size_t profile_size(const struct profile *profile);

/* Write the row; is_dirty becomes false. */
void profile_store(struct profile *profile, struct state *state, struct buf *scratch);

/* One assignment of a trait; type DOC_NONE when there is none. */
struct assignment {
    struct doc_value value;
    int64_t at;
    struct text source;
};
struct assignment profile_trait(const struct profile *profile, struct text name);

/* Walk a trait's array, the winner first: the later `at`, then the later assignment.  False at
 * its end. */
bool assignment_next(struct doc_iter *it, struct assignment *out);

/* Assign.  An older assignment of the same source is replaced, a newer one stays (then
 * nothing changes and false is returned).  DOC_NULL is kept like a value, so that an older
 * assignment that arrives late does not bring back what was removed; readers take it as
 * missing.  `*out_full`: the limit of traits forbade it.  Of more sources than the limit the
 * losing ones are forgotten. */
struct trait_limits {
    int64_t traits, sources;
};
bool profile_set_trait(struct profile *profile, struct arena *arena, struct buf *scratch,
                       struct text name, const struct assignment *assignment,
                       const struct trait_limits *limits, bool *out_full);

/* Sections that are arrays of texts (tags) or documents: a copy in the arena with
 * `value` appended, or without the element at `index`, or with it replaced. */
struct doc section_append(struct doc section, struct arena *arena, struct buf *scratch,
                          const struct doc_value *value);
struct doc section_replace(struct doc section, struct arena *arena, struct buf *scratch,
                           size_t index, const struct doc_value *value); /* NULL: remove */

#endif
