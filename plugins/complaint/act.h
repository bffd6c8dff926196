/* act.h -- what handlers and functions of this plugin want, in one line each.
 *
 * All of it happens to the customer of the call, and to records that are about her.  `record` is an
 * id, "complaint:17".
 */
#ifndef PLUGINS_COMPLAINT_ACT_H
#define PLUGINS_COMPLAINT_ACT_H

#include "kith.h"

/* Bounds of what is taken over from elsewhere; the rest is cut. */
#define ACT_SUBJECT_MAX 300
#define ACT_WORD_MAX 200   /* product, order, and the like */
#define ACT_THREAD_MAX 997 /* a Message-ID that may stand in a header (RFC 5322, 2.1.1) */
#define ACT_ID_MAX 40

#define ACT_SUBJECT_NONE "Complaint" /* where nobody said what it is about */

struct act_id {
    char data[ACT_ID_MAX];
};

struct act_id act_id(int64_t number);    /* "complaint:17" */
int64_t act_number(struct kith_text id); /* the other way round; 0: it is none of ours */

/* `name` is the only field, another value than before. */
int32_t act_change(const struct kith_engine *engine, struct kith_call *call,
                   struct kith_text record, const char *name, const struct kith_value *value);
int32_t act_change_all(const struct kith_engine *engine, struct kith_call *call,
                       struct kith_text record, struct kith_doc fields);
int32_t act_move(const struct kith_engine *engine, struct kith_call *call, struct kith_text record,
                 const char *transition, struct kith_doc fields);
int32_t act_link(const struct kith_engine *engine, struct kith_call *call, struct kith_text record,
                 struct kith_text to, const char *type);

/* An event `type` {record} when `due` has passed, unless it is cancelled under `what`. */
int32_t act_later(const struct kith_engine *engine, struct kith_call *call, struct kith_text record,
                  const char *what, struct kith_text due, const char *type);
int32_t act_not_later(const struct kith_engine *engine, struct kith_call *call,
                      struct kith_text record, const char *what);

int32_t act_note(const struct kith_engine *engine, struct kith_call *call, const char *line);

#endif
