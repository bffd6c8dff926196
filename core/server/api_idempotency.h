/* api_idempotency.h -- Idempotency-Key on its way through a call; for api.c and call.c.
 *
 * Every method but GET, HEAD and OPTIONS takes the key.  The answer of the first call is kept
 * when anything came of it: an entry was written, or it succeeded.  A call that was refused
 * before that leaves its key free, so what was wrong with it can be mended under the same key.
 */
#ifndef CORE_SERVER_API_IDEMPOTENCY_H
#define CORE_SERVER_API_IDEMPOTENCY_H

#include "core/server/api.h"

/* Once it is known who calls, before anything else is done.  False: answered. */
bool idempotency_admit(struct call *call);

/* The call is being answered with this. */
void idempotency_answered(struct call *call, int status, const char *content_type,
                          struct text body);

#endif
