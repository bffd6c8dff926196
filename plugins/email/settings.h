/* settings.h -- what the operator wrote, checked once and constant from then on.
 *
 * settings_fields.c describes the fields to the host, settings.c reads what it was given.  Texts
 * and keys are the settings' own.  Any thread may read them.
 */
#ifndef PLUGINS_EMAIL_SETTINGS_H
#define PLUGINS_EMAIL_SETTINGS_H

#include "address.h"
#include "bytes.h"
#include "compose.h"
#include "kith.h"

#include <stdint.h>

#define SETTINGS_DKIM_KEYS_MAX 2 /* RSA for everybody, Ed25519 for those who read it */
#define SETTINGS_INBOX_MAX 50
#define SETTINGS_TIMEOUT_MS_MAX 60000 /* an attempt must end before the host gives it up */

enum settings_tls {
    SETTINGS_TLS_NONE,
    SETTINGS_TLS_OFFERED,  /* if the server offers it, whoever it is */
    SETTINGS_TLS_REQUIRED, /* and its certificate is the server's */
};

struct settings_dkim {
    struct dkim_key *key;
    struct span selector;
};

struct settings {
    struct span url;  /* with the name in EHLO behind the last slash; terminated */
    char *target;     /* for people */
    const char *user; /* NULL: no login */
    const char *password, *ca_file;
    enum settings_tls tls;

    struct span from, reply_to; /* address lists; reply_to may be empty */
    struct span host_name;      /* ours: terminated */
    struct span return_domain;  /* of return paths and Message-IDs; terminated */
    struct span verp_key;       /* empty: nothing comes back, the sender is `sender` */
    struct address sender;      /* the mailbox of `from` */
    int64_t report_s;           /* for so long reports about a message are believed */

    struct span dkim_domain;
    struct settings_dkim dkim[SETTINGS_DKIM_KEYS_MAX];
    size_t dkim_count;

    struct compose_header headers[COMPOSE_HEADERS_MAX]; /* of every message */
    size_t header_count;

    size_t connections, domain_connections; /* the latter 0: as many as there are */
    int64_t domain_rate; /* messages a minute to one domain; 0: as fast as can be */
    int64_t timeout_ms;

    const char *lmtp; /* where to listen; NULL: nothing comes in */
    uint64_t mail_bytes_max;
    struct address inbox[SETTINGS_INBOX_MAX]; /* local "" is all of the domain */
    size_t inbox_count;
    bool takes_strangers;
    struct span charset; /* of mail that names none and is not UTF-8; may be empty */

    struct bytes room; /* what all the texts stand in */
};

/* The fields for the description; NULL behind the last. */
extern const struct kith_field *const settings_fields[];

/* FAULT_INVALID names the field and what would be right. */
int settings_read(struct kith_doc config, struct settings **out_settings, struct fault *fault);
void settings_free(struct settings *settings); /* NULL is allowed */

/* Is `address` one that people write to, by `inbox`? */
bool settings_is_inbox(const struct settings *settings, const struct address *address);

#endif
