/* face.h -- what rules can call: complaint.open, respond, close, reopen. */
#ifndef PLUGINS_COMPLAINT_FACE_H
#define PLUGINS_COMPLAINT_FACE_H

#include "kith.h"

extern const struct kith_function *const face_functions[];

#endif
