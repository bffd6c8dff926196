/* arrival.h -- what becomes of a mail that came in, for one of its recipients.
 *
 *     reports, complaints    feedback.h says what they claim; the effect is asked for, and what
 *                            is believed becomes message.bounced, message.complained, ...
 *     automatic replies      nothing
 *     answers to a message   message.replied, and email.received in the customer's timeline
 *     mail to an inbox       email.received of the customer who has the sender's address; of a
 *                            stranger it is refused, or makes a customer (settings: strangers)
 *
 * Whatever is written has an id that is made of the mail, so a mail that comes twice counts once.
 * The end is told when all of it is durable, for only then is the mail ours.  Mail that is not
 * believed is taken and changes nothing: an answer would only go to whoever was impersonated.
 *
 * The loop's thread.
 */
#ifndef PLUGINS_EMAIL_ARRIVAL_H
#define PLUGINS_EMAIL_ARRIVAL_H

#include "kith.h"
#include "lmtp.h"

#define ARRIVAL_TEXT_MAX (64u * 1024) /* bytes of a mail's text that go into the event */

struct arrival;
struct mail;
struct settings;

struct arrival_context {
    const struct kith_host *host;
    struct kith *kith;
    const struct settings *settings;
};

/* `text` is for the sender, ASCII, and borrowed. */
typedef void arrival_done_fn(void *arg, enum lmtp_answer answer, const char *text);

/* May mail come to `recipient`?  Only to return paths of ours and to inboxes. */
enum lmtp_answer arrival_recipient(const struct arrival_context *context, struct span recipient,
                                   const char **out_text);

/* Begin, for one of the envelope's recipients; envelope, mail and context must live until `done`,
 * which comes once, also from inside.  *io_arrival is what is under way until then, and NULL
 * afterwards. */
void arrival_begin(const struct arrival_context *context, const struct mail *mail,
                   const struct lmtp *envelope, unsigned index, arrival_done_fn *done, void *arg,
                   struct arrival **io_arrival);

/* End it unheard: what the plugin does at its end. NULL is allowed. */
void arrival_free(struct arrival *arrival);

#endif
