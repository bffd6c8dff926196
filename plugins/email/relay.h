/* relay.h -- messages out: composed on a thread of the host's, sent by libcurl on its loop.
 *
 *     relay_send --> composed and signed --> waits for its slot --> a transfer --> deliver()
 *                        |refused                                      |no such mailbox
 *                        +--> rejected                                 +--> message.bounced, then
 *                                                                           rejected
 *
 * Connections are kept open between messages and closed after a while without any.  While the relay
 * does not answer, or refuses us and not the message, one message at a time tries again, after ever
 * longer pauses; the others wait in Kith, where that costs no attempt.
 *
 * Every message that came in is answered exactly once, also by relay_free().  The loop's thread.
 */
#ifndef PLUGINS_EMAIL_RELAY_H
#define PLUGINS_EMAIL_RELAY_H

#include "kith.h"

#define RELAY_WAIT_MS_MAX 40000 /* for a place; with the attempt itself less than the host waits */
#define RELAY_HELD_MAX 300      /* messages that wait for their domain and count in no window */
#define RELAY_IDLE_MS 20000     /* then the connections are closed */
#define RELAY_PAUSE_MS_MAX 60000

struct fault;
struct relay;
struct settings;

/* All three must outlive it. */
int relay_new(const struct kith_host *host, struct kith *kith, const struct settings *settings,
              struct relay **out_relay, struct fault *fault);
void relay_free(struct relay *relay); /* NULL is allowed */

void relay_send(struct relay *relay, const struct kith_message *message);
void relay_status(struct relay *relay, struct kith_channel_status *status);

#endif
