/* arrival_event.h -- a mail that came in, as the data of email.received.
 *
 *     recipients           all whom it is for, by the envelope, To and Cc; `to` is one of them
 *     from, from_name, to, subject, message_id, in_reply_to, sent    of its header; in_reply_to of
 *                          References where In-Reply-To names no mail
 *     text, text_cut       as UTF-8, cut where it is long
 *     attachments          [{name, type, size, inline}]; attachments_cut
 *     size                 of the whole mail, in bytes
 *     effect, proof        which message it answers and how that is known: return_path, message_id;
 *                          "sender": only From says who wrote, and that is easily forged
 *     shared               several customers have that address: it is given to the oldest of them
 *     list                 it came by a mailing list: nobody may answer it automatically
 */
#ifndef PLUGINS_EMAIL_ARRIVAL_EVENT_H
#define PLUGINS_EMAIL_ARRIVAL_EVENT_H

#include "kith.h"
#include "lmtp.h"

#include <stdbool.h>
#include <stddef.h>

#define ARRIVAL_ID_SIZE 48

struct address;
struct mail;
struct settings;

struct arrival_received {
    const struct mail *mail;
    const struct address *from;
    const struct settings *settings;
    const struct lmtp *envelope;
    unsigned index;             /* of the recipient that this is about */
    const char *effect, *proof; /* effect "": it answers none */
    size_t text_max;
    bool is_shared; /* several customers have the sender's address */
    bool is_list;   /* it came by a mailing list */
};

struct arrival_event {
    struct kith_event event; /* all but the customer */
    char id[ARRIVAL_ID_SIZE];
    void *room;
};

/* False: no memory.  The same mail gives the same event and the same id. */
bool arrival_write_received(const struct arrival_received *received,
                            struct arrival_event *out_event);
void arrival_event_deinit(struct arrival_event *event);

/* "/v1/customers/REFERENCE", encoded. */
void arrival_customer_path(const char *reference, char *out, size_t size);
/* The request for all who have an address, and of its answer the customer who is known longest; 0:
 * nobody has it. */
void arrival_search_path(const char *address, char *out, size_t size);
int64_t arrival_oldest(struct kith_doc found, const char *address);

#endif
