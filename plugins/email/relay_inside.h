/* relay_inside.h -- what the files of the relay share: relay.c has the life of a message,
 * relay_curl.c the transfer.
 */
#ifndef PLUGINS_EMAIL_RELAY_INSIDE_H
#define PLUGINS_EMAIL_RELAY_INSIDE_H

#include "fault.h"
#include "files.h"
#include "letter.h"
#include "pace.h"
#include "relay.h"
#include "smtp.h"

#include <curl/curl.h>

#define PARCEL_EFFECT_MAX 63
#define RELAY_SOCKETS_MAX 256

enum parcel_state {
    PARCEL_COMPOSING, /* or its files are read */
    PARCEL_WAITING,
    PARCEL_SENDING,
    PARCEL_TELLING, /* that its address bounced */
};

struct parcel {
    struct parcel *next, **link; /* in relay->parcels */
    struct relay *relay;
    enum parcel_state state;
    char effect[PARCEL_EFFECT_MAX + 1];
    int64_t attempt, now_ms;
    void *message; /* the document, our copy */
    size_t message_size;

    struct files files;
    struct letter letter;
    int rc; /* of composing */
    struct fault fault;

    struct pace_domain *domain;
    int64_t came_ms, at_ms; /* of the steady clock: when it came, when its slot is */

    CURL *easy;
    int fd; /* of its connection, as far as libcurl has said */
    struct curl_slist *recipients;
    struct smtp_watch watch;
    size_t given; /* bytes handed to libcurl */
    struct smtp_outcome outcome;
};

struct relay {
    const struct kith_host *host;
    struct kith *kith;
    const struct settings *settings;
    struct pace *pace;
    struct parcel *parcels, **parcels_end;
    size_t waiting, sending;
    size_t held; /* bytes of files */

    CURLM *multi; /* NULL: no connection is open */
    int sockets[RELAY_SOCKETS_MAX];
    size_t socket_count;
    uint64_t curl_timer;
    uint64_t timer; /* the next time that something is due */
    int64_t timer_ms;

    size_t failures; /* of the relay, in a row */
    int64_t retry_ms;
    int64_t used_ms; /* the last transfer's end */
};

int64_t relay_clock_ms(void); /* steady */

/* Begin its transfer; false: it could not, and `fault` says why. */
bool relay_transfer(struct parcel *parcel, struct fault *fault);
/* What libcurl has of it is given back. */
void relay_transfer_end(struct parcel *parcel);
void relay_disconnect(struct relay *relay);

/* A transfer has ended; in relay.c. */
void relay_transferred(struct parcel *parcel, CURLcode code);
/* Something may begin now; in relay.c. */
void relay_go_on(struct relay *relay);

#endif
