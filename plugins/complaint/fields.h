/* fields.h -- a query or a form as it is sent: NAME=VALUE&..., percent-encoded.
 *
 * One thread.
 */
#ifndef PLUGINS_COMPLAINT_FIELDS_H
#define PLUGINS_COMPLAINT_FIELDS_H

#include "kith.h"

/* The first field `name`, decoded into `room`; empty: there is none, or not so much room.  A "%"
 * that encodes nothing stays as it is. */
struct kith_text fields_get(struct kith_text sent, const char *name, char *room, size_t size);

/* The same text for a path, in `out`; 0: it does not fit. */
int fields_encode(struct kith_text text, char *out, size_t size);

/* Whether it is UTF-8 without control characters but tab and ends of lines: what may be kept. */
int fields_is_text(struct kith_text text);

#endif
