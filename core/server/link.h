/* link.h -- what a signed link says, and the token that says it.
 *
 *     https://crm.example.com/v1/l/TOKEN     POST appends one event, or grants one consent
 *     https://crm.example.com/v1/u/TOKEN     POST withdraws one consent
 *
 * A token is all there is of a link: no table has it.  It is sealed (XChaCha20-Poly1305) by a
 * secret of the data directory, so whoever holds it can neither change nor read it: not even what
 * an admin puts into its data.  The nonce of the cipher is a keyed digest of what is sealed, so
 * the same link always has the same token, and a message that is sent again has the same bytes.
 *
 * The secrets are in DATA/links.key, a line of 64 hexadecimal digits each.  The first seals, all
 * of them open: who rotates puts a new line in front, and takes the old one away when the last
 * link that it has sealed has expired.
 *
 * When a link expires is not looked at here, for what the time is, is the caller's to know.  Pure
 * but for reading the file; any thread, keys belong to one at a time.
 */
#ifndef CORE_SERVER_LINK_H
#define CORE_SERVER_LINK_H

#include "core/base/doc.h"
#include "core/base/hash.h"

struct err;

enum link_kind {
    LINK_EVENT = 1,   /* /v1/l: append `type` with `data` */
    LINK_CONSENT = 2, /* /v1/l: grant `purpose` on `channel` */
    LINK_WITHDRAW = 3 /* /v1/u: withdraw it */
};

struct link {
    enum link_kind kind;
    uint64_t customer;
    int64_t expires;              /* ms since 1970 UTC */
    struct text nonce;            /* what makes it another link than one that says the same */
    struct text title;            /* for people, on its page; empty: none */
    struct text type;             /* of an event ... */
    struct doc data;              /* ... none: empty */
    struct text purpose, channel; /* of a consent */
};

/* Of terms that core/engine/link_terms.h finds nothing wrong with; customer, expires and nonce are
 * the caller's to fill in.  Borrows. */
struct link link_of_terms(struct doc terms);

#define LINK_KEYS_MAX 4
#define LINK_KEY_BYTES 32
#define LINK_PRINT_BYTES 16

struct link_keys {
    size_t count; /* at least 1 once read */
    struct {
        uint8_t seal[LINK_KEY_BYTES], nonce[LINK_KEY_BYTES];
        uint8_t print[LINK_PRINT_BYTES]; /* tells secrets apart, and nothing else of them */
    } keys[LINK_KEYS_MAX];
};

/* Read `dir`/links.key, or make it.  E_IO; E_INVALID: it holds no secrets; then the keys are as
 * they were. */
int link_keys_open(const char *dir, struct link_keys *keys, struct err *err);
int link_keys_parse(const char *text, size_t size, struct link_keys *out_keys, struct err *err);
void link_keys_wipe(struct link_keys *keys);

/* Append the token, which consists of letters, digits, '-' and '_'. */
void link_seal(const struct link_keys *keys, const struct link *link, struct buf *out);

/* Append its address; `base` is the public address without a slash at its end, NULL: none, and the
 * address begins with its path. */
void link_url(const struct link_keys *keys, const char *base, const struct link *link,
              struct buf *out);

/* Copy a message that is about to go out, its `links` {NAME: terms with `expires`} being replaced
 * by {NAME: address}, and so the marks of links in the texts of a template; `id` is the effect's.
 * They are sealed with secret `key` of `keys`: the same message has the same addresses as long as
 * it is given the same (link_epochs.h).  E_INVALID: there is no `base`. */
int link_message(const struct link_keys *keys, size_t key, const char *base, struct text id,
                 struct doc message, struct buf *out, struct err *err);

/* Open a token; what the link says lies in `out`.  E_INVALID: none of the keys has sealed it, or
 * it is not whole. */
int link_open(const struct link_keys *keys, struct text token, struct buf *out,
              struct link *out_link, struct err *err);

/* The id of the entry that the link becomes: the same link, the same id. */
#define LINK_ID_SIZE HEX_SIZE(DIGEST_16_BYTES)
void link_id(const struct link *link, char out_id[LINK_ID_SIZE]);

#endif
