/* read_inside.h -- what the files of read.h share.
 *
 * They write answers into a document of the caller's and keep nothing.  Each belongs to the
 * thread of what it is given: the engine's, or whoever has the snapshot.
 */
#ifndef CORE_ENGINE_READ_INSIDE_H
#define CORE_ENGINE_READ_INSIDE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/engine/customer.h"
#include "core/engine/event.h"
#include "core/engine/read.h"
#include "storage/log.h"
#include "storage/state.h"

#define READ_PAGE_BYTES (4u << 20) /* a page that has become larger ends */
#define READ_LOOKS_MAX 20000       /* rows looked at for one page */

/* A page that is being written.  Items are opened with list_item() and closed with
 * doc_close(&list->w). */
struct list {
    struct doc_writer w;
    size_t start, limit, count, looks;
};
void list_begin(struct list *list, struct buf *out, size_t limit);
void list_item(struct list *list);
/* Whether no more items belong on the page; counts a row looked at. */
bool list_is_full(struct list *list);
/* `next` empty: that was all. */
void list_end(struct list *list, struct text next, uint64_t seq);

/* Fields that are left out when there is nothing to say. */
void show_time(struct doc_writer *w, const char *name, int64_t ms); /* 0: nothing */
void show_event_id(struct doc_writer *w, const char *name, uint64_t seq, uint64_t n);

/* {name: value ...} of a customer, however her members were read. */
void show_traits(struct doc_writer *w, const struct customer *customer);
void show_identities(struct doc_writer *w, const struct customer *customer);
void show_tags(struct doc_writer *w, const struct customer *customer);
void show_owner(struct doc_writer *w, const struct customer *customer);

/* Who `number` is in a snapshot; the group of which it is the survivor (false: there is none), in
 * the arena, which is cleared first; and when she was last heard of or written to, 0: never. */
uint64_t read_root(struct snapshot *snapshot, uint64_t number);
bool read_group(struct customer *customer, struct snapshot *snapshot, struct arena *arena,
                uint64_t number);
int64_t read_last_contact(struct snapshot *snapshot, const struct customer *customer);
/* The fields of an item in a list of customers; closes it. */
void show_customer_item(struct doc_writer *w, const struct customer *customer,
                        int64_t last_contact);

/* Her name as `customer_name`, if she has one; the second reads it and follows merges. */
void show_customer_name(struct doc_writer *w, const struct customer *customer);
void show_name_of(struct doc_writer *w, struct snapshot *snapshot, uint64_t number);

/* Whether they are words for a time.  Pure. */
int read_due_check(struct text text, struct err *err);
/* read_due() of words, inside of a step: what is allocated stays in the engine's arena. */
int read_due_words(struct engine *engine, const struct read_due *how, struct text text,
                   int64_t *out_ms, struct err *err);

/* read_timeline_events() of entries that are kept elsewhere: `read` visits entry `seq`, or nothing
 * where it is gone. */
typedef int read_entry_fn(void *arg, uint64_t seq, log_visit_fn *visit, void *visit_arg,
                          struct err *err);
int read_timeline_kept(read_entry_fn *read, void *arg, struct doc rows, struct buf *out,
                       struct err *err);

/* The rules, changes and consequences that a timeline row tells of, as `trace`. */
void show_trace(struct doc_writer *w, uint64_t seq, struct doc row);

/* [{name, bundle}] of a timeline row, as `rules`. */
void show_rules(struct doc_writer *w, struct doc row);

/* The fields of a reminder's or an effect's row. */
void show_reminder(struct doc_writer *w, uint64_t task, struct doc row);
void show_effect(struct doc_writer *w, uint64_t seq, uint64_t n, struct doc row);

/* A record whole; its fields that a list has too; its deadlines. */
struct record;
void show_record(struct doc_writer *w, struct engine *engine, const struct record *record);
void show_record_head(struct doc_writer *w, const struct record *record, struct text title);
void show_deadlines(struct doc_writer *w, struct engine *engine, const struct record *record);

/* The customer `reference` names, with her whole group, in the engine's arena. E_NOTFOUND. */
int customer_find(struct customer *customer, struct engine *engine, struct text reference,
                  struct err *err);

static inline struct doc doc_of(struct bytes row)
{
    return (struct doc){ row.data, (uint32_t)row.size };
}

#endif
