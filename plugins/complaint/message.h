/* message.h -- what the customer is written: that her complaint has come, and whether all is well.
 *
 * Only where a channel is configured.  The subject names the complaint, so that an answer finds it.
 */
#ifndef PLUGINS_COMPLAINT_MESSAGE_H
#define PLUGINS_COMPLAINT_MESSAGE_H

#include "kith.h"

/* When it has gone out it is "acknowledged", unless the operator wants a person to do that.  Nobody
 * is written more of them in a day than configured, for anybody can complain in her name: then a
 * person acknowledges.  *out_count: 1 when there is one. */
extern const struct kith_handler message_sent;
int32_t message_acknowledge(const struct kith_engine *engine, struct kith_call *call,
                            struct kith_text id, struct kith_doc fields, int *out_count);

/* With five signed links, one for each answer. */
int32_t message_survey(const struct kith_engine *engine, struct kith_call *call,
                       struct kith_text id);

#endif
