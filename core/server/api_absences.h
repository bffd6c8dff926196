/* api_absences.h -- when somebody of staff is away: its fields and its routes.
 *
 * Each handler is called on the loop and answers its call once, later (api.h).
 */
#ifndef CORE_SERVER_API_ABSENCES_H
#define CORE_SERVER_API_ABSENCES_H

#include "core/server/api_command.h"

/* A list of absences as `absences` of the document being written, with moments for dates.  False:
 * answered. */
bool absences_put(struct call *call, struct doc_writer *w, struct doc absences);

extern const struct field absence_fields[];
void post_absence(struct call *call);   /* POST /v1/staff/{name}/absences */
void delete_absence(struct call *call); /* DELETE /v1/staff/{name}/absences */

#endif
