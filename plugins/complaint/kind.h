/* kind.h -- the case kind "complaint", and what the operator may say of it.
 *
 * The declaration is JSON (docs/records.md); how soon, whose, by which calendar and with which
 * causes is the operator's policy, which stands in it as "$NAME" and in kith.lua as config.NAME.
 * So another policy is another world, and Kith works out all open deadlines anew and says why.
 */
#ifndef PLUGINS_COMPLAINT_KIND_H
#define PLUGINS_COMPLAINT_KIND_H

#include "kith.h"

extern const struct kith_kind *const kind_list[];
extern const struct kith_field *const kind_config[];

#endif
