/* intake.h -- mail in: connections that speak LMTP (lmtp.h), on the host's loop.
 *
 * A connection reads while it has nothing to answer.  When a message is complete its recipients are
 * dealt with one after the other (arrival.h), and nothing more is read before each of them has
 * its answer.  Memory is bounded by INTAKE_CONNECTIONS_MAX connections and the limits of mail.h,
 * however large the mail.  Who says nothing for INTAKE_SILENCE_MS is sent away.  The loop's thread.
 */
#ifndef PLUGINS_EMAIL_INTAKE_H
#define PLUGINS_EMAIL_INTAKE_H

#include "arrival.h"

#define INTAKE_CONNECTIONS_MAX 50
#define INTAKE_SILENCE_MS 300000

struct fault;
struct intake;

/* Listens where the settings say; without that *out_intake is NULL.  `context` is copied, what it
 * points to must outlive it. */
int intake_new(const struct arrival_context *context, struct intake **out_intake,
               struct fault *fault);

/* Connections end; what was not answered comes again. NULL is allowed. */
void intake_free(struct intake *intake);

#endif
