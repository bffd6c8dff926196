/* feeds.h -- secret addresses of due lists: given, ended, and opened.
 *
 * An address holds 128 bits of the kernel's chance and no name.  What Kith keeps is a hash of them,
 * in a record of the kind calendar_feed: who reads the log has no address.  One for each member of
 * staff; a new one ends the old.
 */
#ifndef PLUGINS_FOLLOWUP_FEEDS_H
#define PLUGINS_FOLLOWUP_FEEDS_H

#include "session.h"

#define FEEDS_PATH "/v1/followup/feed"

void feeds_new(void *self, const struct kith_request *request);
void feeds_end(void *self, const struct kith_request *request);
void feeds_open(void *self, const struct kith_request *request);

#endif
