/* isolated.h -- kithd as the process of one isolated plugin (core/plugin/guest.h). */
#ifndef CORE_SERVER_ISOLATED_H
#define CORE_SERVER_ISOLATED_H

#include "core/plugin/guest.h"

#define ISOLATED_FLAG GUEST_FLAG /* not for people: it needs the descriptors it is started with */

/* Returns the exit code, if it could not begin; it ends when kithd has closed the socket. */
int isolated_run(void);

#endif
