/* records.h -- records as plugins read them: "record.NAME", "records.KIND" (kith.h).
 *
 * The engine's thread; what is returned lies in the step's arena.
 */
#ifndef CORE_PLUGIN_RECORDS_H
#define CORE_PLUGIN_RECORDS_H

#include "core/base/doc.h"

#define PLUGIN_RECORDS_MAX 50 /* that are listed of one kind */

struct plugin_read;
struct step;

/* Of the record that the event is about: id, number, kind, state, owner, created, since, version,
 * deadlines, else a field.  DOC_NONE: it is about none of this customer's, or has no such field. */
struct doc_value plugin_read_record(struct step *step, struct text name);

/* The customer's open ones of a kind, the oldest first, or those of which a field is what the event
 * says: [{id, number, state, owner, created, since, fields}, ...]. */
struct doc_value plugin_read_records(struct step *step, const struct plugin_read *read);

#endif
