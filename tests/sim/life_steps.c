/* life_steps.c -- a compaction of the log in as many steps as a large one has.
 *
 * The logs of the simulator are small: one step would copy them whole, and nothing would ever be
 * written, fail or crash between two of them.  So the step is made as small as they are.
 */
#include "storage/env.h"

#define TIMES_SMALLER 512

int __real_env_compact_step(struct env *env, size_t bytes, bool *out_is_level, struct err *err);
int __wrap_env_compact_step(struct env *env, size_t bytes, bool *out_is_level, struct err *err);

int __wrap_env_compact_step(struct env *env, size_t bytes, bool *out_is_level, struct err *err)
{
    return __real_env_compact_step(env, bytes / TIMES_SMALLER, out_is_level, err);
}
