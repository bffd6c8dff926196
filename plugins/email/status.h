/* status.h -- enhanced status codes of mail systems (RFC 3463): "5.1.1".
 *
 * The relay says one in its answer, a bounce in its report, and both mean the same: only what says
 * that there is no such mailbox is about the address.  A mailbox that is full, a policy that
 * refuses us or a message that is too large will be otherwise another time.
 */
#ifndef PLUGINS_EMAIL_STATUS_H
#define PLUGINS_EMAIL_STATUS_H

#include "bytes.h"

#define STATUS_SIZE 12

/* The code that `text` begins with; "" when it begins with none. */
void status_read(struct span text, char out[STATUS_SIZE]);

/* Is there no such mailbox, and never was or never will be again? */
bool status_is_no_mailbox(const char *status);

#endif
