/* compose_body.h -- the parts of a message below its header; for compose.c alone. */
#ifndef PLUGINS_EMAIL_COMPOSE_BODY_H
#define PLUGINS_EMAIL_COMPOSE_BODY_H

#include "bytes.h"

struct compose;
struct fault;

/* Bodies are valid UTF-8 without NUL, and not in two forms at once; attachments have names and
 * types that cannot break out of their place. */
int compose_body_check(const struct compose *compose, struct fault *fault);

/* Append the Content- fields, the empty line and the body. */
int compose_body_write(const struct compose *compose, struct bytes *out, struct fault *fault);

#endif
