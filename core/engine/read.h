/* read.h -- what the engine knows, as documents for people and programs.
 *
 * What is asked for by name (a customer, her timeline, a reminder, an effect) is read from
 * the engine between two entries, so that whoever has just changed it sees the change.
 * Lists are read from a snapshot, the last checkpoint, on any thread: nobody's long list
 * holds up the engine.  Both only read.
 *
 * Documents   Each function appends one document to `out`, and nothing when it fails.
 *             Times are datetimes; events, effects and entries are named by text,
 *             "<seq>" or "<seq>.<n>"; customers and reminders by their numbers.
 * Lists       {items: [...], next: text or null, seq}: `next`, given back as `after`, goes
 *             on behind the last item.  It is opaque.  A page ends early, and has a next,
 *             when it has become too large, or when too many rows were looked at in vain.
 *             A cursor that no page gave: E_INVALID.
 * Threads     Functions that take an engine belong to its thread; the others to any.
 */
#ifndef CORE_ENGINE_READ_H
#define CORE_ENGINE_READ_H

#include "core/base/buf.h"
#include "core/base/doc.h"
#include "core/base/limits.h"

struct arena;
struct engine;
struct err;
struct log;
struct plugins;
struct snapshot;

struct read_page {
    size_t limit;      /* at least 1 */
    struct text after; /* empty: from the beginning */
};

/* -- Templates ------------------------------------------------------------------------- */

struct read_preview {
    struct text customer, template;
    struct text channel; /* empty: the only one that the template has texts for */
    struct text locale;  /* empty: the customer's */
    struct doc data;     /* none: none */
};
/* What she would get now: {template, channel, customer, locale, FIELD..., body}.  E_NOTFOUND: no
 * such customer, template, text or channel; E_INVALID: several channels; E_LIMIT. */
int read_preview(struct engine *engine, const struct read_preview *which, struct buf *out,
                 struct err *err);

/* -- Customers ------------------------------------------------------------------------- */

/* The 360-degree record of the customer that `reference` names, or of the customer it
 * was merged into: {id, kind, created, traits, trait_sources, ids, addresses, consents,
 * tags, roles, owner, relations, merged, reminders_open}.  E_NOTFOUND. */
int read_customer(struct engine *engine, struct text reference, struct buf *out, struct err *err);

/* 0, or E_NOTFOUND. */
int read_exists(struct engine *engine, struct text reference, struct err *err);

/* {id, kind, traits, ids, tags, owner, last_contact} each, in order of number. */
int read_customers(struct snapshot *snapshot, const struct read_page *page, struct buf *out,
                   struct err *err);

/* The same of those who are found by what somebody typed: part of a name or of a company's, a
 * Chinese name also by its reading or initials, the end of a phone number, an e-mail address or a
 * part of it, a number or an id.  Of several words each must be found.  Order: whoever is called
 * exactly so; who begins so; who has a word that begins so; who has all the words; who has it
 * inside a word (from three letters on).  Of equals on one page the last contact is first.
 * E_INVALID: nothing to look for, or more than READ_QUERY_MAX bytes. */
#define READ_QUERY_MAX 128
int read_search(struct snapshot *snapshot, struct text query, const struct read_page *page,
                struct buf *out, struct err *err);

/* Her timeline, the newest first, in two steps: the rows of the state, and then, on a thread
 * that may wait for the disk, what only the log has.  E_NOTFOUND: no such customer.
 *
 * Items: {seq, n, event, id, at, logged, type, call, messageId, source, by, about, data, trace}.
 * `event` is "<seq>" or "<seq>.<n>", `id` the sender's own if there is one, else the same.  What
 * the log no longer has carries `erased`; what stands in a damaged part of it `unreadable`, the
 * reason, which is then in *err also where 0 is returned.
 * trace: {rules: [{name, bundle}], changed, effects, made, log}, and where it is so: `foreign`, of
 * one of Kith's own types and not by Kith; `refused`, a command that was, with the reason; `cut`,
 * more than a row holds. */
int read_timeline(struct engine *engine, struct text reference, const struct read_page *page,
                  struct buf *out_rows, struct err *err);
/* The same of what had happened at `at`, in milliseconds: whatever happened later is left out, when
 * ever Kith heard of it.  A page may have fewer items than asked for, and go on. */
int read_timeline_as_of(struct engine *engine, struct text reference, const struct read_page *page,
                        int64_t at, struct buf *out_rows, struct err *err);
int read_timeline_events(struct log *log, struct doc rows, struct buf *out, struct err *err);

/* The record as it was at `at`, folded from the timelines of `members`: her number first, then of
 * all that were merged into her (read_members).  {id, as_of, traits, ids, addresses: [{channel,
 * value}], consents: [{purpose, channel, state, at}], tags, roles, owner, relations: [{type, id,
 * until}], merged, whole}.  `whole`
 * false: an event had changed more than its row could hold.  E_NOTFOUND: nothing is known of that
 * time; E_LIMIT: more than READ_AS_OF_ROWS_MAX entries. */
#define READ_AS_OF_ROWS_MAX 100000
int read_as_of(struct snapshot *snapshot, const uint64_t *members, size_t member_count, int64_t at,
               struct buf *out, struct err *err);

/* -- All events, in order -------------------------------------------------------------- */

/* A place between two events: behind event `n` of entry `seq`. */
struct read_place {
    uint64_t seq, n;
};
bool read_place_is_behind(const struct read_place *place, const struct read_place *other);

/* The next events behind `behind`, at most `limit` of them, in two steps: the rows, from the
 * engine up to the last entry, or from a snapshot up to its own; then what only the log has.
 * Left out are ticks, second copies, commands that were refused, and what was erased.  The
 * document's `seq` and `n` are the place behind them, where the next piece begins; `more`: there
 * is one. */
void read_stream(struct engine *engine, const struct read_place *behind, size_t limit,
                 struct buf *out);
void read_stream_stored(struct snapshot *snapshot, const struct read_place *behind, size_t limit,
                        struct buf *out);
/* The place behind the last event. */
void read_stream_end(struct engine *engine, struct read_place *out_end);

/* One event in full: {seq, n, event, id, type, call, messageId, userId, anonymousId, customer, at,
 * logged, class, source, by, about, historic, data, context, extra}; or, where the log is damaged,
 * {seq, unreadable} for all that stood there, without a type.  Return 0 to go on; anything else
 * ends the walk. */
typedef int read_stream_fn(void *arg, const struct read_place *place, struct text type,
                           struct doc event);
int read_stream_each(struct log *log, struct doc rows, read_stream_fn *each, void *arg,
                     struct err *err);

/* -- The rights of the person ------------------------------------------------------------ */

/* Who is being erased, in order of number: {customer, state, entry, since, entries, reason}.
 * `state` is "rows" while the state still has some of her, then "files", and `reason` what holds up
 * the files, of which the engine knows nothing (empty: nothing does); who is done with is not
 * listed. */
int read_erasures(struct engine *engine, const struct read_page *page, struct text reason,
                  struct buf *out, struct err *err);
/* {customer, state}.  E_NOTFOUND. */
int read_erasure(struct engine *engine, uint64_t customer, struct buf *out, struct err *err);

struct read_erasure_counts {
    int64_t open, done;
    int64_t oldest_ms; /* when the oldest open one was asked for; INT64_MAX: there is none */
};
void read_erasure_counts(struct engine *engine, struct read_erasure_counts *out_counts);

/* What the rows of a page of a timeline (read_timeline) name: appends each effect, each reminder,
 * each record about her and each naming of a file once, documents one behind another.  Begins as
 * zeros, ends with read_linked_deinit(). */
struct read_linked {
    struct buf effects, reminders, files, records;
    struct buf tasks, seen; /* private */
};
void read_linked(struct engine *engine, struct doc rows, struct read_linked *linked);
void read_linked_deinit(struct read_linked *linked);

/* Append the rows of the suppression list that hold addresses of hers, one behind another:
 * {channel, value, state, reason, at}.  E_NOTFOUND. */
int read_suppressions_of(struct engine *engine, struct text reference, struct buf *out,
                         struct err *err);

/* What plugins keep about her and all she was merged with: documents
 * {plugin, key, customer, before, state}, one behind another, each as its plugin tells her of it.
 * `before`, if it is there: as it was until she was merged with that one.
 * E_NOTFOUND. */
int read_plugin_states_of(struct engine *engine, struct text reference, struct buf *out,
                          struct err *err);

/* -- Reminders ------------------------------------------------------------------------- */

/* {id, customer, title, assignee, to, due, created, state, rule, key, note, about,
 * outcome, by, civil, customer_name}.  `customer` is the number that it was made under. */
int read_reminder(struct engine *engine, uint64_t task, struct buf *out, struct err *err);

/* Open ones in order of (assignee, due); others, the newest first. */
struct read_reminders {
    struct text to;     /* the assignee; empty: all */
    struct text of;     /* whom the assignee stands in for; empty: anybody or nobody */
    bool is_open;       /* else those in `state` */
    struct text state;  /* empty: all; not with is_open */
    int64_t due_before; /* INT64_MAX: all */
    /* Made under one of these customers; none: whoever's. */
    const uint64_t *customers;
    size_t customer_count;
};

/* The numbers of the customer that `reference` names and of all that were merged into her, appended
 * as uint64_t.  E_NOTFOUND. */
int read_members(struct engine *engine, struct text reference, struct buf *out, struct err *err);

/* The open ones of a customer, in the order in which they were made; of `which` count `to` and
 * `due_before`. */
int read_reminders_of(struct engine *engine, struct text reference,
                      const struct read_reminders *which, const struct read_page *page,
                      struct buf *out, struct err *err);
int read_reminders(struct snapshot *snapshot, const struct read_reminders *which,
                   const struct read_page *page, struct buf *out, struct err *err);

/* -- Records (record.h) ------------------------------------------------------------------- */

/* {kind, id, state, open, since, created, owner, customer, customers, fields, version, title, by,
 * lines, links, transitions, deadlines: {NAME: {status, due, left, rule, since, event, missed,
 * ended, escalated, reminder, pauses, moves: [{at, event, was, due, left, reason}]}},
 * customer_name}.  E_NOTFOUND. */
int read_record(struct engine *engine, struct text kind, uint64_t number, struct buf *out,
                struct err *err);
/* The number that "17" or "erp:4711" (an external id) names.  E_NOTFOUND. */
int read_record_number(struct engine *engine, struct text kind, struct text reference,
                       uint64_t *out_number, struct err *err);
/* The one of the last that the call `id` has made; 0: none. */
uint64_t read_record_made(struct engine *engine, struct text kind, struct text id);

/* Of one kind, the newest first, without lines, links and deadlines, but with `due`, the next of
 * these, and `overdue`. */
struct read_records {
    struct text kind, title;  /* of read_kind_title() */
    bool is_open;             /* only those whose state is not final */
    struct text state, owner; /* empty: any */
    /* In which one of these has a role; NULL: whoever's. */
    const uint64_t *customers;
    size_t customer_count;
    const struct record_query *query; /* read_record_search.h; NULL: whatever they say */
};
/* Whether its state and owner may lead to records at all: a slip of the pen would read as "none".
 * E_INVALID, with what may have been meant. */
int read_records_check(struct engine *engine, const struct read_records *which, struct err *err);
/* Append {items: [{kind, open}]}: kinds that nobody declares any more, with their open records,
 * counted up to READ_UNDECLARED_MAX. */
#define READ_UNDECLARED_MAX 10000
void read_undeclared(struct engine *engine, struct buf *out);
int read_records(struct snapshot *snapshot, const struct read_records *which,
                 const struct read_page *page, struct buf *out, struct err *err);

/* A list of the kinds in force, as they were declared. */
void read_kinds(struct engine *engine, struct buf *out);
/* The field by which records of a kind are called, copied; may be empty.  E_NOTFOUND: no kind. */
int read_kind_title(struct engine *engine, struct text name, struct arena *arena,
                    struct text *out_title, struct err *err);
/* The fields that are searched, copied.  E_INVALID: none is, or the kind is not in force. */
int read_kind_searchable(struct engine *engine, struct text name, struct arena *arena,
                         const struct text **out_fields, size_t *out_count, struct err *err);
/* Its only external id.  E_INVALID: it has none, or several. */
int read_kind_external(struct engine *engine, struct text name, struct arena *arena,
                       struct text *out_field, struct err *err);

/* An instant as people write it: "3d", "1wd" (durations from `now` on), "2026-12-01 10:00" (in
 * the company's zone, unless it says which), "2026-12-01" (its day at `day_minute`), "today",
 * milliseconds.  Working days and hours are those of whoever would do what is addressed `to`,
 * or of the assignee of `task` (0: none).  `customer` is for `to` = "owner"; may be empty.
 * E_INVALID, E_LIMIT with words for whoever wrote it. */
struct read_due {
    struct text customer, to;
    uint64_t task;
    int64_t now;
    int day_minute; /* 0 to 1440 */
};
int read_due(struct engine *engine, const struct read_due *how, const struct doc_value *value,
             int64_t *out_ms, struct err *err);

/* -- Effects --------------------------------------------------------------------------- */

/* {id, customer, channel, purpose, state, reason, to, key, rule, created, expires, attempt,
 * notification, and content, or once it was claimed message}. */
int read_effect(struct engine *engine, struct text id, struct buf *out, struct err *err);

/* The newest first.  Those that are claimed, uncertain or held have an index, all others are
 * looked for among all. */
struct read_effects {
    struct text state, channel; /* empty: all */
};
int read_effects(struct snapshot *snapshot, const struct read_effects *which,
                 const struct read_page *page, struct buf *out, struct err *err);

/* -- Links ----------------------------------------------------------------------------- */

/* The customer's number, as the member that `reference` names.  E_NOTFOUND. */
int read_number(struct engine *engine, struct text reference, uint64_t *out_number,
                struct err *err);

/* Whether what staff, or a door that has their say, sent as (source, id) has come to her. */
bool read_is_known(struct engine *engine, uint64_t number, struct text source, struct text id);

/* Whether a plugin, as `source`, has said something by this id, of whomever. */
bool read_plugin_said(struct engine *engine, struct text source, struct text id);

/* Whether an event of this type may be appended by whoever has a link.  E_INVALID: it is of a kind
 * of records in force, or a plugin's, and would have no effect. */
int read_link_event(struct engine *engine, struct text type, struct err *err);

/* Whether her consent is withdrawn already. */
bool read_is_withdrawn(struct engine *engine, uint64_t number, struct text purpose,
                       struct text channel);

/* -- Channels -------------------------------------------------------------------------- */

/* {NAME: {waiting, paused: {seq, since, reason, by}}, ...} in the order of the configuration:
 * `waiting` counts the lines whose first message may be claimed, up to READ_WAITING_MAX, and
 * `paused` is there while nothing is. */
#define READ_WAITING_MAX 10000
void read_channels(struct engine *engine, struct buf *out);
/* Whether {name, email, calendar, deputy, absences} of a member of staff, as it is to be written,
 * may be meant; what she has already always may.  E_INVALID. */
int read_staff_check(struct engine *engine, struct doc data, struct err *err);
/* The same of a record that is to be written as a whole; and whether its name, its teams and its
 * members are of one sort each, and those of the staff.  E_INVALID. */
int read_staff_set_check(struct engine *engine, struct doc data, struct err *err);
/* Whether a consent to this may be meant.  E_INVALID, with the nearest name: the bundle in force
 * declares purposes, and this is none, or the channel looks like a known one that was misspelt.  A
 * pair that the customer has a word on already may always be changed. */
int read_consent_terms(struct engine *engine, struct text reference, struct text purpose,
                       struct text channel, struct err *err);

/* How many rules, or channels (CHANNEL_ALL counts as one), are paused, and the first of them. */
struct read_pauses {
    size_t count;
    int64_t since; /* log time; of `name` */
    char name[NAME_BYTES_MAX + 1];
};
void read_paused_rules(struct engine *engine, struct read_pauses *out_pauses);
void read_paused_channels(struct engine *engine, struct read_pauses *out_pauses);

/* {name, state: active or paused, paused, waiting} of one, or of CHANNEL_ALL, without `waiting`. */
void read_paused(struct engine *engine, struct text channel, struct buf *out);

/* -- Rules ----------------------------------------------------------------------------- */

/* A page of all: {items: [{name, trigger, on, state, paused, waiting}], next, seq}, in the order of
 * the bundle in force; behind them, without `trigger`, rules that are paused and not in it.
 *
 *     trigger   in words: "Order Completed", "every 1d at 09:00", "date contract.end -30d"
 *     on        the types of events; none of a rule that goes by the calendar
 *     state     active or paused
 *     waiting   of a paused one: messages that wait for it to be resumed, up to READ_WAITING_MAX
 */
void read_rules(struct engine *engine, struct buf *out);
/* The same of one.  E_NOTFOUND. */
int read_rule(struct engine *engine, struct text name, struct buf *out, struct err *err);

/* -- Why ------------------------------------------------------------------------------- */

/* Why there is this effect or event, in two steps: what the log has of the entry and of
 * those that led to it; then, on the engine, the chain:
 * {effect, chain: [{id, type, at, by, rules, ...}], bundle, text}.  The chain begins with
 * the event that made the effect (or with the event itself) and ends with an entry that came
 * from outside, or with the timer that came due. `text` says it in a paragraph of English.
 * E_NOTFOUND: no such effect, event or entry. */
int read_explain_entries(struct log *log, struct text id, struct buf *out_entries, struct err *err);
int read_explain_effect(struct engine *engine, struct text id, struct doc entries, struct buf *out,
                        struct err *err);
int read_explain_event(struct engine *engine, struct text id, struct doc entries, struct buf *out,
                       struct err *err);

/* -- The house ------------------------------------------------------------------------- */

/* The active bundle first, then those before it: {hash, active, seq}; `seq` is the entry that
 * activated it last. */
int read_bundles(struct engine *engine, struct buf *out, struct err *err);
/* Whether the bundle `back` places before the active one is known; 0: the active one. */
bool read_bundle_hash(struct engine *engine, size_t back, uint8_t out_hash[32]);
/* How many places before the active one those begin that a rollback may go to. */
size_t read_bundle_back(struct engine *engine);

/* The config document of the world in force. */
void read_config(struct engine *engine, struct buf *out);

/* In order of name: what staff.set gave; {name, staff, scopes, rate, burst} (never a hash). */
int read_staff(struct engine *engine, const struct read_page *page, struct buf *out,
               struct err *err);
/* The fallback of kith.lua; whether there is such a person or team, or none is named. */
struct read_fallback {
    char name[NAME_BYTES_MAX + 1];
    bool is_known;
};
void read_fallback(struct engine *engine, struct read_fallback *out_fallback);
/* A kind in force whose records nobody gets, since nobody is called as its `owner`; *out_kind is
 * empty: there is none. */
struct read_kind_owner {
    char kind[NAME_BYTES_MAX + 1], owner[NAME_BYTES_MAX + 1];
};
void read_missing_owner(struct engine *engine, struct read_kind_owner *out_missing);
/* A calendar that a plugin's kind is configured to go by, and no bundle in force declares; empty:
 * there is none. */
void read_missing_calendar(struct engine *engine, char out_name[NAME_BYTES_MAX + 1]);
bool read_has_kind(struct engine *engine, struct text kind); /* of records, whoever declares it */
/* The same of a configuration that is not in force: its fallback, "" for none, and its plugins,
 * NULL for none. */
void read_fallback_called(struct engine *engine, const char *name,
                          struct read_fallback *out_fallback);
void read_missing_owner_of(struct engine *engine, const struct plugins *plugins,
                           struct read_kind_owner *out_missing);
void read_missing_calendar_of(struct engine *engine, const struct plugins *plugins,
                              char out_name[NAME_BYTES_MAX + 1]);
int read_staff_member(struct engine *engine, struct text name, struct buf *out, struct err *err);
int read_keys(struct engine *engine, const struct read_page *page, struct buf *out,
              struct err *err);

/* -- Pools and budgets (read_subject.c) ------------------------------------------------ */

/* `kind` is "pool" or "budget".  All that the bundle declares, on one page; one, which it may have
 * declared once: E_NOTFOUND; rows of its timeline, for read_timeline_events(). */
void read_subjects(struct engine *engine, const char *kind, struct buf *out);
int read_subject(struct engine *engine, const char *kind, struct text name, struct buf *out,
                 struct err *err);
int read_subject_timeline(struct engine *engine, const char *kind, struct text name,
                          const struct read_page *page, struct buf *out_rows, struct err *err);

#endif
