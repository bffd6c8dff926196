/* mac.h -- HMACs as texts, as those who send webhooks and receipts write them. */
#ifndef CORE_PLUGIN_MAC_H
#define CORE_PLUGIN_MAC_H

#include "plugins/sdk/kith.h"

#include <stdbool.h>

/* `how` is "sha1-base64", "sha256-base64" or "sha256-hex"; false: another.  Any thread. */
bool mac_text(const char *how, struct kith_text key, struct kith_text data,
              char out[KITH_HMAC_SIZE]);

#endif
