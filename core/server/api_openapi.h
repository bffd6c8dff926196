/* api_openapi.h -- the description of the HTTP interface, from the tables that route it.
 *
 * Depends on nothing but those tables, so that every call gives the same bytes.  Any thread.
 */
#ifndef CORE_SERVER_API_OPENAPI_H
#define CORE_SERVER_API_OPENAPI_H

#include "core/base/doc.h"

/* Append an OpenAPI 3.1 document of every row of the tables to `out`, from which it is borrowed:
 * valid until `out` changes. */
struct doc openapi_document(struct buf *out);

#endif
