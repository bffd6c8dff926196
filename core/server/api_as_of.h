/* api_as_of.h -- the record of a customer as it was; for api_customers.c.  The loop's thread. */
#ifndef CORE_SERVER_API_AS_OF_H
#define CORE_SERVER_API_AS_OF_H

#include "core/server/api.h"

/* What ?as_of= means: a day is its last moment.  On the engine's thread; E_INVALID. */
int as_of_time(struct engine *engine, const struct call *call, struct text time, int64_t *out_at,
               struct err *err);

/* Answer with the customer of the path as she was at `time`, in words; ends the call. */
void get_as_of(struct call *call, struct text time);

#endif
