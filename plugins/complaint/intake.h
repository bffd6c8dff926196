/* intake.h -- how complaints come in: by mail, by an event, by a function of rules.
 *
 * What comes over HTTP or by hand makes the record itself (form.h, /v1/records/complaint, `kith
 * record add`); course.h takes all of them from there on, however they came.
 */
#ifndef PLUGINS_COMPLAINT_INTAKE_H
#define PLUGINS_COMPLAINT_INTAKE_H

#include "kith.h"

/* One of those that the field of the record may have. */
int intake_is_severity(struct kith_text text);

/* email.received: a new complaint, more about one that there is, or nothing of ours. */
extern const struct kith_handler intake_mail;

/* "Complaint Submitted" {subject, text, severity, channel, product, order, thread}: of a client, a
 * webhook or a rule. */
extern const struct kith_handler intake_event;

/* plugin.failed: what came is on her timeline alone, and somebody is told. */
extern const struct kith_handler intake_failed;

/* complaint.open { ... }, with the same. */
extern const struct kith_function intake_function;

#endif
