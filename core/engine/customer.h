/* customer.h -- a customer as readers see it: all members of a merged group as one.
 *
 * A merge links; it moves no row.  `customer` holds the survivor (root) and all it
 * absorbed.  Reading folds over the members; writing goes to the member by whose
 * identity the event came, so that an unmerge only drops the link.
 *
 * Everything lies in the engine's arena and lives as long as the step being taken; texts
 * and documents that a function takes are copied there, those that it gives are borrowed
 * from there.  A change is only in memory until customer_store(), and a copy of a member's
 * struct is a savepoint (profile.h).  Times are milliseconds since 1970 UTC.
 *
 * Functions that change return 0 or a code with words for whoever asked, the author of a
 * rule or a clerk.  Engine thread only.
 */
#ifndef CORE_ENGINE_CUSTOMER_H
#define CORE_ENGINE_CUSTOMER_H

#include "core/engine/profile.h"

struct engine;
struct err;

struct customer {
    uint64_t number;         /* the root's */
    struct profile *members; /* root first */
    size_t count;
    size_t own; /* the member that writes go to */
};

/* Load the group of `number`, which becomes the member that is written to.  False: no such
 * customer. */
bool customer_load(struct customer *customer, struct engine *engine, uint64_t number);

/* A new customer, first seen now, whose calendar rules are armed.  Returns its number. */
uint64_t customer_create(struct customer *customer, struct engine *engine);

/* E_LIMIT, and `profile` is as `before`: it has grown beyond limits.profile_bytes.  One that is
 * too large already, because the limit was lowered, may stay so or shrink. */
int customer_check_size(struct profile *profile, const struct profile *before,
                        const struct engine *engine, struct err *err);

/* Store members that changed. */
void customer_store(struct customer *customer, struct engine *engine);

/* The winning value over all members; DOC_NONE: missing (or removed). A dotted name reads a
 * nested field when no trait has the whole name. */
struct doc_value customer_trait(const struct customer *customer, struct text name);

/* What `customer.<name>` means in scripts: id, kind, owner, tags and roles, which belong to the
 * system, else a trait. */
struct doc_value customer_field(const struct customer *customer, struct engine *engine,
                                struct text name);

/* Assign a trait of the writing member, in the name of `source`; DOC_NULL removes it.  Of one
 * source the later `at` wins, so an old assignment that arrives late changes nothing.  E_LIMIT:
 * too many traits, or the profile too large. */
int customer_set(struct customer *customer, struct engine *engine, struct text name,
                 const struct doc_value *value, int64_t at, struct text source, bool *out_changed,
                 struct err *err);

/* When the writing member's trait is set that a rule or a plugin sets at the log time `now`: then,
 * but a millisecond behind what another of the group has from then.  Entries of one batch have one
 * log time, and what is set later counts. */
int64_t customer_moment(const struct customer *customer, struct text name, int64_t now);

/* Everything below that adds to a profile is held against limits.profile_bytes: E_LIMIT, and
 * nothing has changed. */

bool customer_has_tag(const struct customer *customer, struct text tag);
/* *out_changed: whether it changed anything. */
int customer_tag(struct customer *customer, struct engine *engine, struct text tag,
                 bool *out_changed, struct err *err);
bool customer_untag(struct customer *customer, struct engine *engine, struct text tag);

struct text customer_owner(const struct customer *customer); /* empty: nobody */

enum consent_state { CONSENT_NONE, CONSENT_GRANTED, CONSENT_PENDING, CONSENT_WITHDRAWN };
/* The strictest of the members: withdrawn, pending, granted, none. */
enum consent_state customer_consent(const struct customer *customer, struct text purpose,
                                    struct text channel);
struct consent {
    struct text purpose, channel, source, proof;
    enum consent_state state;
    int64_t at;
};
/* E_CONFLICT: a later statement is known. */
int customer_set_consent(struct customer *customer, struct engine *engine,
                         const struct consent *consent, struct err *err);

/* The address to write to: preferred first, then the first that is not bounced or
 * complained.  False: none. */
struct address {
    struct text channel, value, label, state;
    bool verified, preferred;
};
bool customer_address(const struct customer *customer, struct text channel,
                      struct address *out_address);
bool customer_has_address(const struct customer *customer, struct text channel, struct text value);
/* Whether it is known to have bounced or complained. */
bool customer_lost_address(const struct customer *customer, struct text channel, struct text value);
/* Nobody can be reached there any more: `state` is bounced or complained, which it stays.  Whoever
 * of the group has the address; one that nobody has changes nothing. */
int customer_lose_address(struct customer *customer, struct engine *engine, struct text channel,
                          struct text value, struct text state, bool *out_changed, struct err *err);
/* Add, or change the one with the same channel and value.  One that is preferred is the only one
 * of its channel in the group: the others are not any more. */
int customer_set_address(struct customer *customer, struct engine *engine,
                         const struct address *address, bool *out_changed, struct err *err);

/* A dated role: open from `at` on, or closed at `at` with whoever of the group has it.  When it
 * fails it may be closed with some: the caller goes back to its savepoint. */
int customer_set_role(struct customer *customer, struct engine *engine, struct text role,
                      bool is_member, int64_t at, bool *out_changed, struct err *err);

/* The zone in force: trait `timezone`, else `context.timezone` of `context`, else the company's. */
const struct zone *customer_zone(const struct customer *customer, struct engine *engine,
                                 struct doc context);

/* Names that belong to the system: a client's identify and customer:set refuse them. */
bool trait_is_system(struct text name);

#endif
