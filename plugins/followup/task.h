/* task.h -- a task as Kith has it, in its documents, and as a device has it, in iCalendar.
 *
 * Three documents of the host make a list:
 *
 *     a reminder     what Kith asks of somebody, /v1/reminders
 *     a todo         a record: what she has written into her device herself
 *     a copy         a record beside a reminder, calendar_copy: the name and UID under which a
 *                    device has it, and the lines that mean nothing to Kith
 *
 * What a person did to her copy becomes one or several requests to the host, which are made here
 * as bodies.  Nothing is kept; texts lie in the documents, or in the pool.
 */
#ifndef PLUGINS_FOLLOWUP_TASK_H
#define PLUGINS_FOLLOWUP_TASK_H

#include "ics.h"
#include "kith.h"
#include "pool.h"

#define TASK_NAME_MAX 300

/* The outcome of a reminder that was deleted on a device: it is shown nowhere any more. */
#define TASK_DELETED "deleted in the calendar"
#define TASK_CALLED_OFF "called off in the calendar"
/* The evidence that a promise was kept, where its task has no note. */
#define TASK_TICKED_OFF "ticked off in the calendar"

/* `copy` size 0: there is none.  `done_at`: when it was done; of one that is open it means
 * nothing. */
void task_of_reminder(struct pool *pool, struct kith_doc reminder, struct kith_doc copy,
                      int64_t done_at, struct ics_item *out_item);
void task_of_todo(struct pool *pool, struct kith_doc todo, struct ics_item *out_item);

/* The resource's name: of the copy, else made of the number. */
const char *task_name(struct pool *pool, struct kith_doc reminder, struct kith_doc copy);

/* What somebody else has a name or a UID of: the `nth` other one, from 2 on. */
const char *task_other_name(struct pool *pool, struct kith_doc reminder, unsigned nth);
const char *task_other_uid(struct pool *pool, struct kith_doc reminder, unsigned nth);

/* Bodies; none: the pool is broken, or there is nothing to say. */
struct kith_doc task_change(struct pool *pool, const struct ics_item *task, unsigned changes);
/* The same, of one that is done with it: never none but of a broken pool. */
struct kith_doc task_done(struct pool *pool, const struct ics_item *task, unsigned changes);
struct kith_doc task_again(struct pool *pool, struct kith_doc reminder, const struct ics_item *task,
                           const char *staff);
struct kith_doc task_todo(struct pool *pool, const char *name, const struct ics_item *task,
                          const char *staff, bool is_new);

struct task_copy {
    const char *name, *staff;
    uint64_t reminder;
    int64_t customer; /* 0: the record is there, and is about somebody */
    bool is_over;     /* its reminder is closed */
    bool has_words;   /* title and note stand in it, and not in the reminder */
};
struct kith_doc task_copy(struct pool *pool, const struct task_copy *copy,
                          const struct ics_item *task);
/* One that is shown no more: a copy that there is becomes that, `name` NULL, or one is made. */
struct kith_doc task_hidden(struct pool *pool, const char *name, const char *staff,
                            struct kith_doc reminder);

#endif
