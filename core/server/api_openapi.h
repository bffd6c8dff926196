/* api_openapi.h -- the description of the HTTP interface, from the tables that route it.
 *
 * Depends on nothing but those tables, so that every call gives the same bytes.  Any thread.
 */
#ifndef CORE_SERVER_API_OPENAPI_H
#define CORE_SERVER_API_OPENAPI_H

#include "core/base/doc.h"

struct home;

/* Append an OpenAPI 3.1 document of all rows of the tables, and of the routes of plugins, to `out`,
 * from which it is borrowed: valid until `out` changes. */
struct doc openapi_document(const struct home *home, struct buf *out);

#endif
