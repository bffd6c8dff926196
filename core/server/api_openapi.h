/* api_openapi.h -- the description of the HTTP interface, from the tables that route it. */
#ifndef CORE_SERVER_API_OPENAPI_H
#define CORE_SERVER_API_OPENAPI_H

#include "core/base/doc.h"

/* Append an OpenAPI 3.1 document of every row of the tables to `out`. */
struct doc openapi_document(struct buf *out);

#endif
