/* face.h -- what rules see of e-mail: the traits email.received and email.last_received, and the
 * function email.reply.
 *
 * The deterministic side: pure functions of what the engine gives them.
 */
#ifndef PLUGINS_EMAIL_FACE_H
#define PLUGINS_EMAIL_FACE_H

#include "kith.h"

extern const struct kith_handler *const face_handlers[];
extern const struct kith_function *const face_functions[];
extern const struct kith_state *const face_states[];
extern const struct kith_trait *const face_traits[];

#endif
