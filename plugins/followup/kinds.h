/* kinds.h -- the kinds of records that the plugin declares (docs/records.md). */
#ifndef PLUGINS_FOLLOWUP_KINDS_H
#define PLUGINS_FOLLOWUP_KINDS_H

#include "kith.h"

extern const struct kith_kind *const followup_kinds[];

#endif
