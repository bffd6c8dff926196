/* address.h -- mailboxes and lists of them (RFC 5322, section 3.4), as people write them.
 *
 * Read are display names (plain, quoted, encoded words), quoted local parts, comments (skipped)
 * and groups (their members count).  Refused is what could mean something else to a mail server
 * than to us: source routes, address literals, control characters, bare CR or LF, local parts
 * over 64 and domains over 253 bytes (RFC 5321, section 4.5.3.1).  Domains become A-labels in
 * lower case (UTS #46, not transitional), so that two spellings compare equal.
 */
#ifndef PLUGINS_EMAIL_ADDRESS_H
#define PLUGINS_EMAIL_ADDRESS_H

#include "bytes.h"

#define ADDRESS_NAME_MAX 255
#define ADDRESS_LOCAL_MAX 64
#define ADDRESS_DOMAIN_MAX 253
#define ADDRESS_LIST_MAX 100          /* addresses of one field */
#define ADDRESS_TEXT_MAX (64u * 1024) /* bytes of one field */

struct address {
    char name[ADDRESS_NAME_MAX + 1];     /* UTF-8, "" when there is none */
    char local[ADDRESS_LOCAL_MAX + 1];   /* without quotes */
    char domain[ADDRESS_DOMAIN_MAX + 1]; /* A-labels, lower case */
};

/* Exactly one mailbox: `Ann <ann@example.com>` or `ann@example.com`. */
int address_parse(struct span text, struct address *out_address, struct fault *fault);

/* One mailbox whose name somebody else may have filled in: all before the last "<" is the name,
 * sign for sign, so that nothing in it is an address.  Quotes around all of it are taken off. */
int address_parse_filled(struct span text, struct address *out_address, struct fault *fault);

/* 0 to `count_max` mailboxes.  Fails as a whole. */
int address_list_parse(struct span text, struct address *out_list, size_t count_max,
                       size_t *out_count, struct fault *fault);

/* Can it stand in SMTP without SMTPUTF8, which is not spoken here?  FAULT_INVALID when the local
 * part is beyond ASCII. */
int address_check(const struct address *address, struct fault *fault);

/* Append `local@domain`, the local part quoted where it must be. */
void address_spec(const struct address *address, struct bytes *out);

/* Append the mailboxes as a header has them, folded; a blank or a fold goes before each. */
void address_list_write(const struct address *list, size_t count, struct bytes *out,
                        size_t *io_column);

/* Do both reach the same person as far as anybody can tell?  Local parts are compared without
 * regard to the case of ASCII letters, since no server in use tells them apart. */
bool address_equal(const struct address *a, const struct address *b);

#endif
