/* channel_webhook.h -- a channel of kind `webhook`: each message one signed POST.
 *
 *     POST PATH                        the message, as a document of JSON:
 *     Content-Type: application/json   {"id":"17.1","customer":42,"type":"Order Completed",
 *     webhook-id: msg_17_1_9c56...      "timestamp":"2026-11-21T10:11:12.345Z","data":{...}}
 *     webhook-timestamp: 1795169472    of this attempt
 *     webhook-signature: v1,...        one for each secret
 *
 * as Standard Webhooks has it.  Body and id are the same in every attempt; the id names the effect
 * and what it says, so that a daemon that was set up anew does not repeat one.
 *
 *     2xx         sent
 *     410         failed, and the channel is paused until somebody resumes it
 *     429, 503    failed; with Retry-After the destination is left alone for so long
 *     others, a redirect among them, or no answer   failed: again by the schedule
 *
 * A destination that fails again and again is left alone for longer and longer (breaker.h).
 */
#ifndef CORE_SERVER_CHANNEL_WEBHOOK_H
#define CORE_SERVER_CHANNEL_WEBHOOK_H

#include "core/base/clock.h"
#include "core/server/channel.h"

struct channel_webhook;
struct err;
struct metrics;
struct uv_loop_s;
struct webhook_settings;

struct channel_webhook_options {
    struct uv_loop_s *loop;
    const struct webhook_settings *settings; /* lives as long as the channel */
    struct clock clock;
    struct metrics *metrics;
};

/* E_INVALID, E_NOTFOUND, E_IO: its URL, or one of its files, named. */
int channel_webhook_open(const struct channel_webhook_options *options,
                         struct channel_webhook **out_webhook, struct err *err);
/* What is under way is left without an answer.  NULL is allowed. */
void channel_webhook_close(struct channel_webhook *webhook);

/* Read the secrets anew; on failure the old ones are kept. */
int channel_webhook_reread(struct channel_webhook *webhook, struct err *err);

struct channel channel_webhook_channel(struct channel_webhook *webhook);

#endif
